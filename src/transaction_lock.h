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

/* The lock of an object of one of the extension's tables. */
extern void set_lock_tag(LOCKTAG *tag, const char *table, uint32 object,
						 uint16 part);

/* The same of something that has a name, and no number yet that all know. */
extern void set_named_lock_tag(LOCKTAG *tag, const char *table,
							   const char *name, uint16 part);

/* The number by which such a lock is told from others of the same table. */
extern uint64 lock_key(const char *name);

/* Wait for the lock, which excludes whoever else wants it. */
extern void transaction_lock_acquire(const LOCKTAG *tag);

/* The same in another mode, which some may share. */
extern void transaction_lock_acquire_mode(const LOCKTAG *tag, LOCKMODE mode);

/* Take the lock if it is free. */
extern bool transaction_lock_try(const LOCKTAG *tag);

/* The same with another mode than ExclusiveLock, for locks that some share. */
extern bool transaction_lock_try_mode(const LOCKTAG *tag, LOCKMODE mode);

/* Has another transaction the lock? */
extern bool transaction_lock_is_taken(const LOCKTAG *tag);

/* Give up an exclusive lock that was taken at this level. */
extern void transaction_lock_release(const LOCKTAG *tag);

/* Keep the lock of a table that is open with it. */
extern void transaction_lock_keep(Oid relid, LOCKMODE lockmode);

#endif							/* TOPIC_TRANSACTION_LOCK_H */
