/*-------------------------------------------------------------------------
 *
 * news.c
 *		In which partitions something has happened.
 *
 * A group that is told of every record would look at each partition of the
 * topic for it, which is some microseconds for each.  So a counter in shared
 * memory grows whenever rows are appended to a partition, and whenever a
 * committed offset goes back or away.  A consumer who has found nothing in a
 * partition, no open row either, need not look there again while its counter
 * stays (consume.c).
 *
 * No record is missed by it.  The consumer reads the counter, then claims the
 * partition and accepts invalidations, and then looks.
 *
 * - Rows are in the index before they are counted.  So if the counter already
 *	 had them, the look found them; and if it had not, it differs from then on.
 *	 They are counted before they are committed, so before there is a snapshot
 *	 in which they are records.
 * - Who moves a committed offset back counts it while he has the claim, or
 *	 excludes all users of the group, to the end of his transaction.  So
 *	 nobody looks at the old offset after it was counted.
 *
 * What rolls back is counted in vain, and so are partitions that share a
 * counter.
 *
 * Tables can be written without any of this code: by a restore, or the apply
 * worker of a subscription.  So nobody should rely on a counter for long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "news.h"

#define COUNTERS	16384		/* a power of two */

typedef struct NewsShared
{
	pg_atomic_uint64 counters[COUNTERS];
} NewsShared;

static NewsShared *shared = NULL;

Size
news_shared_size(void)
{
	return sizeof(NewsShared);
}

void
news_shared_create(void)
{
	bool		found;

	shared = ShmemInitStruct("pg_topic news", news_shared_size(), &found);
	if (found)
		return;
	for (int i = 0; i < COUNTERS; i++)
		pg_atomic_init_u64(&shared->counters[i], 0);
}

bool
news_works(void)
{
	return shared != NULL;
}

/* Partitions of a topic have counters in a row. */
static pg_atomic_uint64 *
counter_of(int32 topic_id, int partition)
{
	uint32		first = hash_combine(murmurhash32(MyDatabaseId),
									 murmurhash32(topic_id));

	return &shared->counters[(first + partition) % COUNTERS];
}

void
news_add(int32 topic_id, int partition)
{
	if (shared)
		(void) pg_atomic_fetch_add_u64(counter_of(topic_id, partition), 1);
}

uint64
news_count(int32 topic_id, int partition)
{
	return shared ? pg_atomic_read_u64(counter_of(topic_id, partition)) : 0;
}
