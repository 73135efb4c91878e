/*-------------------------------------------------------------------------
 *
 * partitioner.h
 *		Which partition a key belongs to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

extern uint32 kafka_murmur2(const char *data, int32 length);
extern int	partition_for_key(const char *key, int32 length, int partitions);

#endif							/* PARTITIONER_H */
