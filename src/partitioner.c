/*-------------------------------------------------------------------------
 *
 * partitioner.c
 *		Which partition a key belongs to, and which one a group's offsets.
 *
 * Kafka's Java client hashes keys with a variant of MurmurHash2, and so must
 * we: a record produced here and one produced by a Kafka client land in the
 * same partition if they have the same key and as many partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifdef RECORD_BATCH_STANDALONE
#include "c.h"
#else
#include "postgres.h"
#endif

#include "partitioner.h"

#define MURMUR2_SEED		0x9747b28c
#define MURMUR2_MULTIPLIER	0x5bd1e995

/*
 * MurmurHash2, 32 bits, of the bytes in little-endian order on any machine.
 */
uint32
kafka_murmur2(const char *data, int32 length)
{
	const unsigned char *byte = (const unsigned char *) data;
	uint32		hash = MURMUR2_SEED ^ (uint32) length;
	uint32		tail = 0;
	int32		left;

	for (left = length; left >= 4; left -= 4)
	{
		uint32		word = byte[0];

		word |= (uint32) byte[1] << 8;
		word |= (uint32) byte[2] << 16;
		word |= (uint32) byte[3] << 24;
		word *= MURMUR2_MULTIPLIER;
		word ^= word >> 24;
		word *= MURMUR2_MULTIPLIER;
		hash *= MURMUR2_MULTIPLIER;
		hash ^= word;
		byte += 4;
	}

	if (left > 0)
	{
		while (left > 0)
			tail = tail << 8 | byte[--left];
		hash ^= tail;
		hash *= MURMUR2_MULTIPLIER;
	}

	hash ^= hash >> 13;
	hash *= MURMUR2_MULTIPLIER;
	hash ^= hash >> 15;
	return hash;
}

/*
 * The partition, from 0, of a key that is not null.  The sign bit is cleared
 * rather than the sign changed, as Kafka's Utils.toPositive() does.
 */
int
partition_for_key(const char *key, int32 length, int partitions)
{
	Assert(partitions > 0);
	return (int) ((kafka_murmur2(key, length) & 0x7fffffff) %
				  (uint32) partitions);
}

/* A character of valid UTF-8, and the number of its bytes. */
static uint32
decode_utf8(const unsigned char *byte, int *size)
{
	if (byte[0] < 0x80)
	{
		*size = 1;
		return byte[0];
	}
	if (byte[0] < 0xe0)
	{
		*size = 2;
		return (byte[0] & 0x1f) << 6 | (byte[1] & 0x3f);
	}
	if (byte[0] < 0xf0)
	{
		*size = 3;
		return (byte[0] & 0x0f) << 12 | (byte[1] & 0x3f) << 6 |
			(byte[2] & 0x3f);
	}
	*size = 4;
	return (uint32) (byte[0] & 0x07) << 18 | (byte[1] & 0x3f) << 12 |
		(byte[2] & 0x3f) << 6 | (byte[3] & 0x3f);
}

/*
 * Java's String.hashCode(), over UTF-16 code units, of a text in valid UTF-8.
 */
int32
java_string_hash(const char *text, int32 length)
{
	const unsigned char *byte = (const unsigned char *) text;
	const unsigned char *end = byte + length;
	uint32		hash = 0;

	while (byte < end)
	{
		int			size;
		uint32		character = decode_utf8(byte, &size);

		if (character >= 0x10000)
		{
			hash = hash * 31 + 0xd800 + ((character - 0x10000) >> 10);
			hash = hash * 31 + 0xdc00 + ((character - 0x10000) & 0x3ff);
		}
		else
			hash = hash * 31 + character;
		byte += size;
	}
	return (int32) hash;
}

/*
 * The partition of __consumer_offsets in which Kafka's group coordinator keeps
 * a group.  Utils.abs(), unlike toPositive(), changes the sign; the number
 * that has no positive counterpart becomes 0.
 */
int
partition_for_group(const char *group_id, int32 length, int partitions)
{
	int32		hash = java_string_hash(group_id, length);

	Assert(partitions > 0);
	if (hash == PG_INT32_MIN)
		return 0;
	return (hash < 0 ? -hash : hash) % partitions;
}
