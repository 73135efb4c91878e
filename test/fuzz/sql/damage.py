"""Rows of the log as nobody would write them: record batches, mutated."""

import os
import struct

HEADER_SIZE = 53        # from batchLength to the first record
MAGIC, CRC, ATTRIBUTES, LAST_OFFSET_DELTA, RECORDS_COUNT = 8, 9, 13, 15, 49


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def corpus(directory):
    """The batches of the decoder's corpus, as a row has them: from batchLength on."""
    batches = []
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), 'rb') as file:
            batches.append(file.read()[8:])
    return batches


def mutate(random, batch, others):
    """The batch with a few bytes changed, cut out, put in, or from another one."""
    data = bytearray(batch)
    for _ in range(random.choice([0, 1, 1, 2, 5])):
        # Most often among the records, not in the header.
        start = random.randrange(len(data) + 1)
        if random.random() < 0.7 and len(data) > HEADER_SIZE:
            start = random.randrange(HEADER_SIZE, len(data))
        kind = random.randrange(5)
        if kind == 0 and start < len(data):
            data[start] ^= 1 << random.randrange(8)
        elif kind == 1 and start < len(data):
            data[start] = random.choice([0, 1, 0x7f, 0x80, 0xff])
        elif kind == 2:
            del data[start:start + random.randrange(1, 9)]
        elif kind == 3:
            data[start:start] = random.randbytes(random.randrange(1, 9))
        else:
            other = random.choice(others)
            data[start:] = other[start:]
    return data


def repair(data):
    """Put right what the decoder looks at first: batchLength, magic, CRC."""
    if len(data) < HEADER_SIZE:
        return
    struct.pack_into('>i', data, 0, len(data) - 4)
    data[MAGIC] = 2
    struct.pack_into('>I', data, CRC, crc32c(data[ATTRIBUTES:]))


def row(random, batches, base_offset):
    """A row of a segment at that offset, with a batch that is more or less damaged."""
    data = mutate(random, random.choice(batches), batches)
    last_offset = base_offset
    count = 1
    if random.random() < 0.9:
        repair(data)
    if len(data) >= HEADER_SIZE:
        last_offset += max(0, struct.unpack_from('>i', data, LAST_OFFSET_DELTA)[0])
        count = struct.unpack_from('>i', data, RECORDS_COUNT)[0]

    def damaged(value):
        if random.random() < 0.03:
            return random.choice([-2**63, -1, 0, value + 1, value - 1, 2**62, 2**63 - 1])
        return value

    return {'partition': random.randrange(2), 'record_count': count,
            'base_offset': base_offset, 'last_offset': damaged(last_offset),
            'max_timestamp': damaged(0), 'timestamp_so_far': damaged(0),
            'stable_offset': damaged(0), 'batch': bytes(data)}
