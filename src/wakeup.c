/*-------------------------------------------------------------------------
 *
 * wakeup.c
 *		Who waits for which topics, and waking them.
 *
 * A record gets available when a transaction ends: that of its producer, by
 * COMMIT, or by ROLLBACK that of a producer before it who held it back, or
 * that of a consumer who had claimed its partition.  So whoever appends or
 * claims remembers the topic, and tells those who wait for it when the
 * transaction has ended: after its commit is visible, invalidations are sent
 * and its locks are released, which is the last phase of releasing resources.
 * Telling is setting a process latch; what there is to find, the waiter finds
 * by looking.
 *
 * Shared memory has, for each backend, a mask of what it waits for.  A bit is
 * a bucket of topics, by a hash of database and topic; whoever shares a bucket
 * is woken in vain at times.  Beside the masks is a count of waiting backends
 * for each bucket: while it is zero, which is all that a producer usually
 * finds, there is no need to read the masks.
 *
 * No wake-up is lost.  The waiter writes its mask, then raises the count, and
 * then looks.  The other side makes its end visible, and then reads the count
 * and then the masks.  There is a full memory barrier between the two steps
 * of each side.  So if it reads the count as it was before, then the waiter's
 * look comes after its end, and finds what it did.  Else it finds the mask,
 * too, and sets the latch, which the waiter resets before each look and not
 * after.
 *
 * COMMIT PREPARED runs in another session than what it commits, and replay on
 * a standby in none; neither wakes anybody.  So who waits must look now and
 * then all the same.
 *
 * Without shared_preload_libraries there is no shared memory, and nothing here
 * has an effect.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bitutils.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/resowner.h"

#include "wakeup.h"

#define BUCKETS		64			/* the bits of a mask */

typedef struct WakeupShared
{
	pg_atomic_uint32 waiters[BUCKETS];	/* backends whose mask has the bit */
	pg_atomic_uint64 masks[FLEXIBLE_ARRAY_MEMBER];	/* by number of backend */
} WakeupShared;

static WakeupShared *shared = NULL;

/* What this transaction has done something to. */
static uint64 touched = 0;

/* At least the nesting level of the deepest subtransaction that did so. */
static int	touched_level = 0;

Size
wakeup_shared_size(void)
{
	return add_size(offsetof(WakeupShared, masks),
					mul_size(MaxBackends, sizeof(pg_atomic_uint64)));
}

void
wakeup_shared_create(void)
{
	bool		found;

	shared = ShmemInitStruct("pg_topic wake-ups", wakeup_shared_size(),
							 &found);
	if (found)
		return;
	for (int i = 0; i < BUCKETS; i++)
		pg_atomic_init_u32(&shared->waiters[i], 0);
	for (int i = 0; i < MaxBackends; i++)
		pg_atomic_init_u64(&shared->masks[i], 0);
}

/* The lowest bucket of a mask, which is not empty; takes it out. */
static int
next_bucket(uint64 *mask)
{
	int			bucket = pg_rightmost_one_pos64(*mask);

	*mask &= *mask - 1;
	return bucket;
}

/* Set the latch of each backend that waits for one of the buckets. */
static void
wake(uint64 buckets)
{
	uint64		awaited = 0;

	pg_memory_barrier();
	while (buckets)
	{
		int			bucket = next_bucket(&buckets);

		if (pg_atomic_read_u32(&shared->waiters[bucket]) > 0)
			awaited |= UINT64CONST(1) << bucket;
	}
	if (!awaited)
		return;

	pg_read_barrier();
	for (int i = 0; i < MaxBackends; i++)
		if (pg_atomic_read_u64(&shared->masks[i]) & awaited)
			SetLatch(&GetPGProcByNumber(i)->procLatch);
}

/*
 * Comes once or more in each phase, and the last phase after all locks are
 * released.  A cursor that fails looks like a subtransaction that does; those
 * who wait are then woken in vain.
 */
static void
release_resources(ResourceReleasePhase phase, bool is_commit, bool is_top_level,
				  void *arg)
{
	if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !touched)
		return;
	if (is_top_level)
	{
		wake(touched);
		touched = 0;
		touched_level = 0;
	}
	else if (!is_commit && touched_level >= GetCurrentTransactionNestLevel())
		wake(touched);
}

/*
 * What was done before is done outside of the new subtransaction: if that rolls
 * back, there is nothing new.
 */
static void
start_subtransaction(SubXactEvent event, SubTransactionId id,
					 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_START_SUB)
		touched_level = Min(touched_level,
							GetCurrentTransactionNestLevel() - 1);
}

void
wakeup_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	RegisterResourceReleaseCallback(release_resources, NULL);
	RegisterSubXactCallback(start_subtransaction, NULL);
}

bool
wakeup_works(void)
{
	return shared && !RecoveryInProgress();
}

static int
topic_bucket(int32 topic_id)
{
	return hash_combine(murmurhash32(MyDatabaseId),
						murmurhash32(topic_id)) % BUCKETS;
}

static pg_atomic_uint64 *
own_mask(void)
{
	return &shared->masks[MyProc - ProcGlobal->allProcs];
}

void
wakeup_listen(int32 topic_id)
{
	int			bucket = topic_bucket(topic_id);
	uint64		bit = UINT64CONST(1) << bucket;
	uint64		mask;

	if (!shared)
		return;
	mask = pg_atomic_read_u64(own_mask());
	if (mask & bit)
		return;
	pg_atomic_write_u64(own_mask(), mask | bit);
	pg_atomic_fetch_add_u32(&shared->waiters[bucket], 1);
}

void
wakeup_unlisten(void)
{
	uint64		mask;

	if (!shared)
		return;
	mask = pg_atomic_exchange_u64(own_mask(), 0);
	while (mask)
		pg_atomic_fetch_sub_u32(&shared->waiters[next_bucket(&mask)], 1);
}

void
wakeup_at_end(int32 topic_id)
{
	if (!shared)
		return;
	touched |= UINT64CONST(1) << topic_bucket(topic_id);
	touched_level = GetCurrentTransactionNestLevel();
}

void
wakeup_now(int32 topic_id)
{
	if (shared)
		wake(UINT64CONST(1) << topic_bucket(topic_id));
}
