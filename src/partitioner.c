/*-------------------------------------------------------------------------
 *
 * partitioner.c
 *		Which partition a key belongs to.
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
