/*-------------------------------------------------------------------------
 *
 * group_memory.c
 *		What this backend has seen of a group's partitions.
 *
 * The number of the last commit is never believed: it only tells where to look
 * first.  That a partition was idle is, for as long as nothing has happened
 * there (news.c), but for what does not show there no longer than a second.
 *
 * It is kept with the topic, and forgotten with what else is known of it: where
 * its log begins, for one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "group_memory.h"
#include "news.h"

/* A session that serves more groups does without, for the rest of them. */
#define MAX_GROUPS	16

/* In milliseconds. */
#define IDLE_EXPIRES	1000

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

void
group_memory_expire(GroupMemory *memory, int offset_reset)
{
	TimestampTz now;

	if (!memory || !news_works())
		return;
	now = GetCurrentTimestamp();
	/* Whichever way the clock goes. */
	if (offset_reset == memory->offset_reset && now >= memory->idle_since &&
		!TimestampDifferenceExceeds(memory->idle_since, now, IDLE_EXPIRES))
		return;
	memory->idle_since = now;
	memory->offset_reset = offset_reset;
	for (int i = 0; i < memory->partition_count; i++)
		memory->partitions[i].idle = false;
}

void
note_idle_partition(GroupMemory *memory, int partition, uint64 news)
{
	PartitionMemory *remembered = partition_memory(memory, partition);

	if (!remembered || !news_works())
		return;
	remembered->idle = true;
	remembered->news = news;
}

bool
partition_is_idle(GroupMemory *memory, int32 topic_id, int partition)
{
	PartitionMemory *remembered = partition_memory(memory, partition);

	return remembered && remembered->idle &&
		remembered->news == news_count(topic_id, partition);
}
