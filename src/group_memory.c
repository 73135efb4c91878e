/*-------------------------------------------------------------------------
 *
 * group_memory.c
 *		What this backend has seen of a group's partitions.
 *
 * Nobody tells a backend what others commit, so what is remembered here is
 * never believed: it only tells where to look first.
 *
 * It is kept with the topic, and forgotten with what else is known of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "group_memory.h"

/* A session that serves more groups does without, for the rest of them. */
#define MAX_GROUPS	16

GroupMemory *
group_memory(Topic *topic, const char *group_id)
{
	GroupMemory *memory;
	int			count = 0;

	for (memory = topic->groups; memory; memory = memory->next)
	{
		if (strcmp(memory->group_id, group_id) == 0)
			return memory;
		count++;
	}
	if (count >= MAX_GROUPS)
		return NULL;

	memory = MemoryContextAllocZero(topic->context,
									offsetof(GroupMemory, partitions) +
									topic->partitions * sizeof(PartitionMemory));
	memory->partition_count = topic->partitions;
	memory->group_id = MemoryContextStrdup(topic->context, group_id);
	memory->next = topic->groups;
	topic->groups = memory;
	return memory;
}
