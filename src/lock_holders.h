/*-------------------------------------------------------------------------
 *
 * lock_holders.h
 *		Who holds a lock.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_LOCK_HOLDERS_H
#define TOPIC_LOCK_HOLDERS_H

#include "nodes/pg_list.h"
#include "storage/lock.h"

/*
 * Other processes that hold a lock which conflicts with this mode: a list of
 * pids; 0 stands for a prepared transaction.  Takes no lock to find out.
 */
extern List *lock_holders(const LOCKTAG *tag, LOCKMODE mode);

#endif							/* TOPIC_LOCK_HOLDERS_H */
