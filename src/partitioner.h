/*-------------------------------------------------------------------------
 *
 * partitioner.h
 *		Which partition a key belongs to, and which one a group's offsets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PARTITIONER_H
#define PARTITIONER_H

extern uint32 kafka_murmur2(const char *data, int32 length);
extern int	partition_for_key(const char *key, int32 length, int partitions);

extern int32 java_string_hash(const char *text, int32 length);
extern int	partition_for_group(const char *group_id, int32 length,
								int partitions);

#endif							/* PARTITIONER_H */
