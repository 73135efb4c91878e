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
#include "utils/inval.h"
#include "utils/resowner.h"

#include "catalog.h"
#include "transaction_lock.h"

void
set_lock_tag(LOCKTAG *tag, const char *table, uint32 object, uint16 part)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, catalog_relation_oid(table), object,
					   part);
}

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
transaction_lock_keep(Oid relid, LOCKMODE lockmode)
{
	ResourceOwner owner = CurrentResourceOwner;

	CurrentResourceOwner = CurTransactionResourceOwner;
	LockRelationOid(relid, lockmode);
	CurrentResourceOwner = owner;
}
