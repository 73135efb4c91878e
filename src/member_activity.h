/*-------------------------------------------------------------------------
 *
 * member_activity.h
 *		What the commit of a transaction tells the groups of its members.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MEMBER_ACTIVITY_H
#define TOPIC_MEMBER_ACTIVITY_H

#include "group_state.h"

/* Epochs are greater than this. */
#define NOTHING_ACKNOWLEDGED	0

/* A member that has no automatic commit. */
#define NOT_COMMITTED			DT_NOBEGIN

extern void member_activity_init(void);

/*
 * When the transaction commits, let the group know that the member is alive,
 * that it has acknowledged an epoch, and when it committed automatically; and
 * do what is to be done in the group.
 */
extern void note_member_activity(const ConsumerGroup *group,
								 const GroupMember *member,
								 int32 acknowledged_epoch,
								 TimestampTz auto_committed_at);

/* The same if nobody in particular did anything: only do what is to be done. */
extern void note_group_activity(const char *group_id);

/* The transaction has joined or left a group, so it must not be prepared. */
extern void note_membership_change(void);

#endif							/* TOPIC_MEMBER_ACTIVITY_H */
