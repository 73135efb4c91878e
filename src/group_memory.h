/*-------------------------------------------------------------------------
 *
 * group_memory.h
 *		What this backend has seen of a group's partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_MEMORY_H
#define TOPIC_GROUP_MEMORY_H

#include "topic.h"

typedef struct PartitionMemory
{
	int64		commit_number;	/* of the last commit that was seen; 0: none */
} PartitionMemory;

typedef struct GroupMemory
{
	struct GroupMemory *next;
	char	   *group_id;
	int			partition_count;
	PartitionMemory partitions[FLEXIBLE_ARRAY_MEMBER];
} GroupMemory;

/*
 * What is remembered of a group in a topic.  Valid to the end of the
 * transaction, as the topic is; NULL if there are too many groups.
 */
extern GroupMemory *group_memory(Topic *topic, const char *group_id);

/* What is remembered of a partition, or NULL. */
static inline PartitionMemory *
partition_memory(GroupMemory *memory, int partition)
{
	return memory && partition < memory->partition_count
		? &memory->partitions[partition] : NULL;
}

#endif							/* TOPIC_GROUP_MEMORY_H */
