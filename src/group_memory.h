/*-------------------------------------------------------------------------
 *
 * group_memory.h
 *		What this backend has seen of a group's partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_MEMORY_H
#define TOPIC_GROUP_MEMORY_H

#include "datatype/timestamp.h"

#include "topic.h"

typedef struct PartitionMemory
{
	int64		commit_number;	/* of the last commit that was seen; 0: none */
	bool		idle;			/* there was nothing to read for the group */
	uint64		news;			/* while this was what had happened there */
} PartitionMemory;

typedef struct GroupMemory
{
	struct GroupMemory *next;
	char	   *group_id;
	TimestampTz idle_since;		/* since when partitions are noted as idle */
	int			offset_reset;	/* by which OffsetReset they are */
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

/*
 * Forget which partitions were idle if that was long ago, or by another rule
 * where nothing is committed.  To be called before partition_is_idle().
 */
extern void group_memory_expire(GroupMemory *memory, int offset_reset);

/*
 * The group, or rather the holder of its claim, has found nothing to read,
 * while this was the news.
 */
extern void note_idle_partition(GroupMemory *memory, int partition,
								uint64 news);

/* Is there still nothing to read? */
extern bool partition_is_idle(GroupMemory *memory, int32 topic_id,
							  int partition);

#endif							/* TOPIC_GROUP_MEMORY_H */
