/*-------------------------------------------------------------------------
 *
 * transaction_lock.h
 *		Locks that are kept to the end of the transaction or subtransaction that
 *		takes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_TRANSACTION_LOCK_H
#define TOPIC_TRANSACTION_LOCK_H

#include "storage/lock.h"

/* Wait for the lock, which excludes whoever else wants it. */
extern void transaction_lock_acquire(const LOCKTAG *tag);

/* The same where it is held for microseconds as a rule. */
extern void transaction_lock_acquire_short(const LOCKTAG *tag);

/* Wait for the lock in another mode, which some may share. */
extern void transaction_lock_acquire_mode(const LOCKTAG *tag, LOCKMODE mode);

/* Take the lock if it is free. */
extern bool transaction_lock_try(const LOCKTAG *tag);

/* The same with another mode than ExclusiveLock, for locks that some share. */
extern bool transaction_lock_try_mode(const LOCKTAG *tag, LOCKMODE mode);

/* Has another transaction the lock? */
extern bool transaction_lock_is_taken(const LOCKTAG *tag);

/* Give up an exclusive lock that was taken at this level. */
extern void transaction_lock_release(const LOCKTAG *tag);

/* Lock a table; waits for whoever is in the way. */
extern void transaction_lock_table(Oid relid, LOCKMODE lockmode);

#endif							/* TOPIC_TRANSACTION_LOCK_H */
