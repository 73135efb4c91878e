/*-------------------------------------------------------------------------
 *
 * transaction_lock.c
 *		Locks that are kept to the end of the transaction or subtransaction that
 *		takes them.
 *
 * A lock belongs to a resource owner, by default the current one, which may
 * be a cursor's.  If such a cursor fails, its locks go with the subtransaction
 * in which it failed, though they were taken in the transaction around it and
 * still protect what was done there.  So these locks are given to the
 * transaction itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/s_lock.h"
#include "utils/inval.h"
#include "utils/resowner.h"

#include "transaction_lock.h"

/*
 * How often to look for a lock that is held for a short time; how often at first
 * without giving up the processor, after how many turns of a loop, which are
 * doubled each time, since who looks hinders the holder; and how many
 * microseconds to sleep then: as little as the system makes of it.
 */
#define SHORT_LOCK_TRIES	50
#define SHORT_LOCK_SPINS	5
#define SHORT_LOCK_SPIN		50
#define SHORT_LOCK_SLEEP	50

static bool
acquire(const LOCKTAG *tag, LOCKMODE mode, bool try)
{
	ResourceOwner owner = CurrentResourceOwner;
	LockAcquireResult result;

	/* An error needs no clean-up: abort sets the current owner anew. */
	CurrentResourceOwner = CurTransactionResourceOwner;
	result = LockAcquire(tag, mode, false, try);
	CurrentResourceOwner = owner;
	if (result == LOCKACQUIRE_NOT_AVAIL)
		return false;
	AcceptInvalidationMessages();
	return true;
}

void
transaction_lock_acquire(const LOCKTAG *tag)
{
	(void) acquire(tag, ExclusiveLock, false);
}

void
transaction_lock_acquire_mode(const LOCKTAG *tag, LOCKMODE mode)
{
	(void) acquire(tag, mode, false);
}

bool
transaction_lock_try(const LOCKTAG *tag)
{
	return acquire(tag, ExclusiveLock, true);
}

bool
transaction_lock_try_mode(const LOCKTAG *tag, LOCKMODE mode)
{
	return acquire(tag, mode, true);
}

/*
 * Whoever queues for a lock is handed it asleep: until he has woken up and got
 * a processor nobody else can take it, and whoever comes meanwhile queues, too.
 * Where holds are much shorter than that, the queue never ends, and each hold
 * takes as long as a wake-up, beside what timers and signals cost.  So look
 * again time and again: soon, since a holder who has a processor is done before
 * one could sleep; then, as the holder may have none, after a short sleep; and
 * queue if the lock is held for longer, so that waiting is fair, and seen by the
 * deadlock detector.
 */
void
transaction_lock_acquire_short(const LOCKTAG *tag)
{
	for (int i = 0; i < SHORT_LOCK_TRIES; i++)
	{
		if (transaction_lock_try(tag))
			return;
		if (i >= SHORT_LOCK_SPINS)
			pg_usleep(SHORT_LOCK_SLEEP);
		else
			for (int j = 0; j < SHORT_LOCK_SPIN << i; j++)
				SPIN_DELAY();
	}
	transaction_lock_acquire(tag);
}

bool
transaction_lock_is_taken(const LOCKTAG *tag)
{
	int			holders;

	(void) GetLockConflicts(tag, ExclusiveLock, &holders);
	return holders > 0;
}

void
transaction_lock_release(const LOCKTAG *tag)
{
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = CurTransactionResourceOwner;
	(void) LockRelease(tag, ExclusiveLock, false);
	CurrentResourceOwner = owner;
}

void
transaction_lock_table(Oid relid, LOCKMODE lockmode)
{
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = CurTransactionResourceOwner;
	LockRelationOid(relid, lockmode);
	CurrentResourceOwner = owner;
}
