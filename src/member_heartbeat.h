/*-------------------------------------------------------------------------
 *
 * member_heartbeat.h
 *		The table of members' signs of life.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MEMBER_HEARTBEAT_H
#define TOPIC_MEMBER_HEARTBEAT_H

#include "datatype/timestamp.h"
#include "storage/itemptr.h"

typedef struct MemberHeartbeat
{
	bool		found;
	int64		number;
	TimestampTz at;
	int32		acknowledged_epoch;
	TimestampTz auto_committed_at;
	ItemPointerData row;
} MemberHeartbeat;

/*
 * Take the lock under which a member's heartbeat is written or deleted, if it
 * is free; it is held to the end of the transaction.
 */
extern bool try_lock_member_heartbeat(const char *group_id,
									  const char *member_id);

/* Wait for that lock. */
extern void lock_member_heartbeat(const char *group_id, const char *member_id);

/* The member's last heartbeat that is committed, or this transaction's. */
extern void member_heartbeat_read(const char *group_id, const char *member_id,
								  MemberHeartbeat *heartbeat);

/*
 * Write what *heartbeat says in place of the row that was read.  The caller
 * has the lock, and had it when that was read.
 */
extern void member_heartbeat_write(const char *group_id,
								   const char *member_id,
								   MemberHeartbeat *heartbeat);

/* Delete the row that was read, if any. */
extern void member_heartbeat_delete(MemberHeartbeat *heartbeat);

#endif							/* TOPIC_MEMBER_HEARTBEAT_H */
