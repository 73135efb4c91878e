/*-------------------------------------------------------------------------
 *
 * lock_tag.h
 *		What the locks of objects of the extension are known by.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_LOCK_TAG_H
#define TOPIC_LOCK_TAG_H

#include "storage/lock.h"

/* The lock of an object of one of the extension's tables. */
extern void set_lock_tag(LOCKTAG *tag, Oid table, uint32 object, uint16 part);

/* The same of something that has a name, and no number yet that all know. */
extern void set_named_lock_tag(LOCKTAG *tag, const char *table,
							   const char *name, uint16 part);

/* The number by which such a lock is told from others of the same table. */
extern uint64 lock_key(const char *name);

#endif							/* TOPIC_LOCK_TAG_H */
