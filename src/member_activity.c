/*-------------------------------------------------------------------------
 *
 * member_activity.c
 *		What the commit of a transaction tells the groups of its members.
 *
 * A member's transaction may stay open for as long as it likes.  If it wrote a
 * heartbeat or had the group's lock all the while, others would wait for it:
 * its own heartbeats from another session, and the whole group.  So both are
 * left to a callback when the transaction commits.  And even that waits for
 * nobody's lock: if another transaction of the member is just writing a
 * heartbeat, or is changing the group, then this one need not.
 *
 * What a rolled back subtransaction noted is done, too: the member is alive,
 * and what it acknowledged to have given up stays given up.  A prepared
 * transaction would keep the locks for as long as it likes, so PREPARE tells
 * nobody anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "member_activity.h"
#include "member_heartbeat.h"
#include "reconcile.h"

typedef struct MemberActivity
{
	const char *group_id;
	const char *member_id;		/* NULL: nobody in particular */
	int32		session_timeout;	/* milliseconds */
	int32		acknowledged_epoch;
	TimestampTz auto_committed_at;
	struct MemberActivity *next;
} MemberActivity;

/* In TopTransactionContext. */
static MemberActivity *activities = NULL;

/* Has the transaction joined or left a group? */
static bool changed_membership = false;

static bool
is_about(const MemberActivity *activity, const char *group_id,
		 const char *member_id)
{
	if (strcmp(activity->group_id, group_id) != 0)
		return false;
	if (!activity->member_id || !member_id)
		return activity->member_id == member_id;
	return strcmp(activity->member_id, member_id) == 0;
}

/* What is noted about a group, or a member; nothing so far. */
static MemberActivity *
find_activity(const char *group_id, const char *member_id)
{
	MemberActivity *activity = activities;

	while (activity && !is_about(activity, group_id, member_id))
		activity = activity->next;
	if (!activity)
	{
		MemoryContext old_context =
			MemoryContextSwitchTo(TopTransactionContext);

		activity = palloc0(sizeof(MemberActivity));
		activity->group_id = pstrdup(group_id);
		activity->member_id = member_id ? pstrdup(member_id) : NULL;
		activity->acknowledged_epoch = NOTHING_ACKNOWLEDGED;
		activity->auto_committed_at = NOT_COMMITTED;
		activity->next = activities;
		activities = activity;
		MemoryContextSwitchTo(old_context);
	}
	return activity;
}

void
note_member_activity(const ConsumerGroup *group, const GroupMember *member,
					 int32 acknowledged_epoch, TimestampTz auto_committed_at)
{
	MemberActivity *activity = find_activity(group->group_id,
											 member->member_id);

	activity->session_timeout = member->session_timeout;
	activity->acknowledged_epoch = Max(activity->acknowledged_epoch,
									   acknowledged_epoch);
	activity->auto_committed_at = Max(activity->auto_committed_at,
									  auto_committed_at);
}

void
note_group_activity(const char *group_id)
{
	(void) find_activity(group_id, NULL);
}

void
note_membership_change(void)
{
	changed_membership = true;
}

/*
 * Is there something to write that the last heartbeat does not say?  One from
 * the future says nothing: the clock has been set back.
 */
static bool
heartbeat_is_due(const MemberActivity *activity,
				 const MemberHeartbeat *heartbeat, TimestampTz now)
{
	return activity->acknowledged_epoch > heartbeat->acknowledged_epoch ||
		activity->auto_committed_at != NOT_COMMITTED ||
		heartbeat->at > now ||
		TimestampDifferenceExceeds(heartbeat->at, now,
								   activity->session_timeout / 10);
}

/* Write the member's heartbeat if it is due, and the member still there. */
static void
beat(const MemberActivity *activity)
{
	const char *group_id = activity->group_id;
	const char *member_id = activity->member_id;
	TimestampTz now = GetCurrentTimestamp();
	MemberHeartbeat heartbeat;
	const GroupMember *member;

	member_heartbeat_read(group_id, member_id, &heartbeat);
	if (!heartbeat_is_due(activity, &heartbeat, now) ||
		!try_lock_member_heartbeat(group_id, member_id))
		return;

	/* Whoever had the lock may have removed the member, or written. */
	member = find_member(group_state_read(group_id, false), member_id);
	if (!member || member->left_at != NOT_LEFT)
		return;
	member_heartbeat_read(group_id, member_id, &heartbeat);
	heartbeat.at = now;
	heartbeat.acknowledged_epoch = Max(heartbeat.acknowledged_epoch,
									   activity->acknowledged_epoch);
	if (activity->auto_committed_at != NOT_COMMITTED)
		heartbeat.auto_committed_at = activity->auto_committed_at;
	member_heartbeat_write(group_id, member_id, &heartbeat);
}

static void
finish_activities(void)
{
	MemoryContext old_context;
	MemoryContext context;

	/* The same transaction may have dropped the extension. */
	if (!OidIsValid(get_relname_relid("group_members",
									  get_namespace_oid(CATALOG_SCHEMA, true))))
		return;

	context = AllocSetContextCreate(CurrentMemoryContext,
									"pg_topic member activity",
									ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	for (MemberActivity *activity = activities; activity;
		 activity = activity->next)
	{
		/* Rows may have been moved to a TOAST table. */
		PushActiveSnapshot(GetLatestSnapshot());
		if (activity->member_id)
			beat(activity);
		reconcile_group(activity->group_id);
		PopActiveSnapshot();
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (activities)
				finish_activities();
			activities = NULL;
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (changed_membership)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has called topic.join_group() or topic.leave_group()"),
						 errdetail("The group would have to wait until it is committed.")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			activities = NULL;
			changed_membership = false;
			break;
		default:
			break;
	}
}

void
member_activity_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
}
