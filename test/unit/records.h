/*-------------------------------------------------------------------------
 *
 * records.h
 *		What the tests of record batches share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "../../src/record_batch.h"

/* Positions in a batch that tests write to, counted from batchLength. */
#define CRC_POS					9
#define ATTRIBUTES_POS			13
#define LAST_OFFSET_DELTA_POS	15
#define BASE_TIMESTAMP_POS		19
#define RECORDS_COUNT_POS		49

#define NULL_BYTES				{NULL, -1}
#define EMPTY_BYTES				{"", 0}
#define STRING_BYTES(s)			{s, sizeof(s) - 1}

/* A RecordInput; whoever adds it to a batch knows its offset. */
#define RECORD(timestamp, key, value, headers, header_count) \
	{timestamp, key, value, headers, header_count, 0, {NULL, 0}}

/* Bytes of a test's own, and how many they are. */
typedef struct Bytes
{
	char	   *data;
	size_t		length;
} Bytes;

static inline void *
allocate(size_t size)
{
	void	   *memory = malloc(Max(size, 1));

	if (memory == NULL)
		abort();
	return memory;
}

static inline Bytes
copy_bytes(const char *data, size_t length)
{
	Bytes		copy;

	copy.length = length;
	copy.data = allocate(length);
	memcpy(copy.data, data, length);
	return copy;
}

static inline int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static inline Bytes
from_hex(const char *hex)
{
	Bytes		bytes = copy_bytes(hex, strlen(hex) / 2);
	size_t		i;

	for (i = 0; i < bytes.length; i++)
		bytes.data[i] = (char) (hex_digit(hex[2 * i]) << 4 |
								hex_digit(hex[2 * i + 1]));
	return bytes;
}

static inline void
store_int32(char *pos, uint32 value)
{
	uint32		raw = pg_hton32(value);

	memcpy(pos, &raw, sizeof(raw));
}

/* Make batchLength and CRC right again after a test has changed a batch. */
static inline void
seal(Bytes bytes)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes.data + ATTRIBUTES_POS,
				bytes.length - ATTRIBUTES_POS);
	FIN_CRC32C(crc);
	store_int32(bytes.data, (uint32) (bytes.length - 4));
	store_int32(bytes.data + CRC_POS, crc);
}

/* A small generator of our own, so that a failure can be repeated. */
static inline uint32
random_below(uint32 limit)
{
	static uint64 state = 42;

	state = state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (uint32) (state >> 33) % limit;
}

static inline Bytes
random_bytes(size_t length)
{
	Bytes		bytes;
	size_t		i;

	bytes.length = length;
	bytes.data = allocate(length);
	for (i = 0; i < length; i++)
		bytes.data[i] = (char) random_below(256);
	return bytes;
}

static inline RecordBytes
bytes_at(const char *data, int length)
{
	RecordBytes bytes;

	bytes.data = data;
	bytes.length = length;
	return bytes;
}

static inline bool
same_bytes(const RecordBytes *a, const RecordBytes *b)
{
	if (a->length != b->length)
		return false;
	return a->length <= 0 || memcmp(a->data, b->data, a->length) == 0;
}

/* Is `record` what `input` was, but for its timestamp and offset? */
static inline bool
same_record(const RecordInput *input, const Record *record)
{
	RecordBytes headers = record->headers;
	RecordHeader header;
	int			i;

	if (!same_bytes(&input->key, &record->key) ||
		!same_bytes(&input->value, &record->value) ||
		input->header_count != record->header_count)
		return false;
	for (i = 0; i < input->header_count; i++)
	{
		if (!record_next_header(&headers, &header) ||
			!same_bytes(&input->headers[i].key, &header.key) ||
			!same_bytes(&input->headers[i].value, &header.value))
			return false;
	}
	return !record_next_header(&headers, &header);
}

/* Add a record to a batch, at the offset after the last one. */
static inline void
add_record(RecordBatchBuilder *builder, const RecordInput *input)
{
	RecordInput record = *input;

	record.offset_delta = builder->last_offset_delta + 1;
	record_batch_add(builder, &record);
}

/*
 * Finish a batch, compressed if that makes it smaller.  The result is in
 * memory of exactly its size, so that the address sanitizer sees a read past
 * its end.
 */
static inline Bytes
finish_batch(RecordBatchBuilder *builder, CompressionCodec codec,
			 int16 attributes)
{
	RecordBytes compressed = NULL_BYTES;
	RecordBatchBuilder finished;
	size_t		length;
	Bytes		bytes;

	if (codec != COMPRESSION_NONE)
		compressed.data = compress_bytes(codec,
										 record_batch_records(builder),
										 builder->size - builder->reserve -
										 RECORD_BATCH_HEADER_SIZE, &length);
	if (compressed.data == NULL)
	{
		record_batch_finish(builder, 7, attributes);
		return copy_bytes(builder->buffer + builder->reserve,
						  builder->size - builder->reserve);
	}

	compressed.length = (int32) length;
	record_batch_builder_init(&finished, 3);
	record_batch_finish_compressed(&finished, builder, codec, compressed, 7,
								   attributes);
	bytes = copy_bytes(finished.buffer + finished.reserve,
					   finished.size - finished.reserve);
	record_batch_builder_free(&finished);
	free(unconstify(char *, compressed.data));
	return bytes;
}

#endif							/* RECORDS_H */
