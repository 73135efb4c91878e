/*-------------------------------------------------------------------------
 *
 * reconcile.c
 *		Who shall have which partitions of a group, and handing them over.
 *
 * The model is that of KIP-848.  A change of the group, such as a member that
 * joins or times out, or a topic that grows, decides at once who shall have
 * which partitions, the target, and gives that a number, the epoch.  Then
 * partitions are handed over one by one: a member that owns one which the
 * target gives to somebody else keeps it until it has acknowledged the epoch.
 * Everybody else goes on meanwhile.
 *
 * There is no coordinator: whatever is due is done by whoever calls next.
 * Epochs are acknowledged in heartbeats, so that this gets lost in no case,
 * whoever has the group's lock at that moment.
 *
 * Ownership here is a matter of the table.  It does not mind what transactions
 * do: one that works on a partition has its claim, which the new owner must
 * wait for (member_claim.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "assignor.h"
#include "errors.h"
#include "member_activity.h"
#include "member_heartbeat.h"
#include "reconcile.h"

typedef enum SessionState
{
	SESSION_ALIVE,
	SESSION_TIMED_OUT,
	SESSION_UNDATED				/* the heartbeat is from the future */
} SessionState;

/*
 * The state of a member's session, and when it ends if nothing is heard of the
 * member.  Heartbeats are written as rarely as every tenth of the timeout.  A
 * static member that has left may come back as long as if it had just been
 * heard of.  Time that the server was not there does not count: after a
 * restart, all have the same time to come back.
 *
 * A heartbeat from the future says that the clock has been set back since, and
 * nobody knows how long ago it was.  So the clock is read after the heartbeat.
 */
static SessionState
session_state(const GroupMember *member, const MemberHeartbeat *heartbeat,
			  TimestampTz *end)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz last = heartbeat->found ? heartbeat->at : member->joined_at;

	if (last > now)
		return SESSION_UNDATED;
	if (member->left_at <= now)
		last = Max(last, member->left_at);
	if (PgStartTime <= now)
		last = Max(last, PgStartTime);
	*end = TimestampTzPlusMilliseconds(last,
									   member->session_timeout * INT64CONST(11) / 10);
	return *end <= now ? SESSION_TIMED_OUT : SESSION_ALIVE;
}

/*
 * The same after whatever can be done about it: who has timed out has no
 * heartbeat any more, and what is from the future is dated as of now.
 *
 * Whoever has the lock on heartbeats is alive.  When we have it, none can come
 * until the member is removed.
 */
static SessionState
end_session(const ConsumerGroup *group, const GroupMember *member,
			TimestampTz *end)
{
	MemberHeartbeat heartbeat;
	SessionState state;

	member_heartbeat_read(group->group_id, member->member_id, &heartbeat);
	state = session_state(member, &heartbeat, end);
	if (state == SESSION_ALIVE || !group->locked)
		return state;

	*end = DT_NOEND;
	if (!try_lock_member_heartbeat(group->group_id, member->member_id))
		return SESSION_ALIVE;
	member_heartbeat_read(group->group_id, member->member_id, &heartbeat);
	state = session_state(member, &heartbeat, end);
	if (state == SESSION_TIMED_OUT)
		member_heartbeat_delete(&heartbeat);
	else if (state == SESSION_UNDATED)
	{
		heartbeat.at = GetCurrentTimestamp();
		member_heartbeat_write(group->group_id, member->member_id, &heartbeat);
		state = session_state(member, &heartbeat, end);
	}
	return state;
}

/*
 * Not to look at all heartbeats in every call, this remembers a group that was
 * looked at last, when, and until when nobody can have timed out in it; for a
 * second at most, in case it is another group of that name.  If the clock has
 * been set back it does not count.
 */
static struct
{
	char		group_id[NAMEDATALEN];
	int64		state_number;
	TimestampTz since;
	TimestampTz until;
}			nobody_times_out;

bool
expire_members(ConsumerGroup *group)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz next = TimestampTzPlusMilliseconds(now, 1000);
	List	   *expired = NIL;
	bool		undated = false;
	ListCell   *cell;

	if (group->state_number == nobody_times_out.state_number &&
		strcmp(group->group_id, nobody_times_out.group_id) == 0 &&
		now >= nobody_times_out.since && now < nobody_times_out.until)
		return false;

	foreach(cell, group->members)
	{
		TimestampTz end = DT_NOEND;

		switch (end_session(group, lfirst(cell), &end))
		{
			case SESSION_ALIVE:
				next = Min(next, end);
				break;
			case SESSION_TIMED_OUT:
				expired = lappend(expired, lfirst(cell));
				break;
			case SESSION_UNDATED:
				undated = true;
				break;
		}
	}
	foreach(cell, expired)
		group_state_remove_member(group, lfirst(cell));

	if (expired == NIL && !undated && strlen(group->group_id) < NAMEDATALEN)
	{
		strcpy(nobody_times_out.group_id, group->group_id);
		nobody_times_out.state_number = group->state_number;
		nobody_times_out.since = now;
		nobody_times_out.until = next;
	}
	return expired != NIL || undated;
}

/*
 * To which of the group's topics does a member subscribe?  Both are sorted, and
 * all of the member's are among the group's.
 */
static void
set_subscribed(const ConsumerGroup *group, const GroupMember *member,
			   bool *subscribed)
{
	ListCell   *cell = list_head(member->topics);

	for (int i = 0; i < group->topic_count; i++)
	{
		subscribed[i] = cell &&
			strcmp(group->topics[i].name, lfirst(cell)) == 0;
		if (subscribed[i])
			cell = lnext(member->topics, cell);
	}
}

/* What the assignor has to know. */
static Assignment
make_assignment(ConsumerGroup *group)
{
	int			members = list_length(group->members);
	int		   *counts = palloc(Max(group->topic_count, 1) * sizeof(int));
	bool	   *subscribed = palloc(Max(members * group->topic_count, 1) *
									sizeof(bool));
	Assignment	assignment = {
		.topic_count = group->topic_count,
		.partition_counts = counts,
		.member_count = members,
		.subscribed = subscribed,
		.members = palloc(Max(group->partition_count, 1) * sizeof(int))
	};
	int			number = 0;
	ListCell   *cell;

	for (int i = 0; i < group->topic_count; i++)
		counts[i] = group->topics[i].partition_count;
	foreach(cell, group->members)
	{
		GroupMember *member = lfirst(cell);

		member->number = number++;
		set_subscribed(group, member, subscribed);
		subscribed += group->topic_count;
	}

	/* What nobody owns is on its way to whom the last target names. */
	for (int i = 0; i < group->partition_count; i++)
	{
		const GroupPartition *partition = &group->partitions[i];
		const GroupMember *holder = partition->owner
			? partition->owner : partition->target;

		assignment.members[i] = holder ? holder->number : UNASSIGNED;
	}
	return assignment;
}

void
assign_partitions(ConsumerGroup *group)
{
	Assignment	assignment = make_assignment(group);

	group->group_epoch++;
	group->topics_dropped = false;
	if (group->members == NIL)
		return;
	if (((GroupMember *) linitial(group->members))->assignor == ASSIGNOR_RANGE)
		assign_range(&assignment);
	else
		assign_uniform(&assignment);
	for (int i = 0; i < group->partition_count; i++)
		group->partitions[i].target =
			assignment.members[i] == UNASSIGNED ? NULL
			: list_nth(group->members, assignment.members[i]);
}

/* Do topics or members differ from what the target was made for? */
static bool
target_is_outdated(const ConsumerGroup *group)
{
	if (group->topics_dropped)
		return true;
	for (int i = 0; i < group->partition_count; i++)
		if (!group->partitions[i].target)
			return true;
	return false;
}

/* Has the member given up what is revoked?  It has left, or says so. */
static bool
has_acknowledged(const ConsumerGroup *group, GroupMember *member)
{
	MemberHeartbeat heartbeat;

	if (member->left_at != NOT_LEFT)
		return true;
	if (!member->heartbeat_was_read)
	{
		member_heartbeat_read(group->group_id, member->member_id, &heartbeat);
		member->acknowledged_epoch = heartbeat.acknowledged_epoch;
		member->heartbeat_was_read = true;
	}
	return member->acknowledged_epoch >= group->group_epoch;
}

bool
hand_over_partitions(ConsumerGroup *group)
{
	bool		changed = false;

	for (int i = 0; i < group->partition_count; i++)
	{
		GroupPartition *partition = &group->partitions[i];

		if (partition->owner == partition->target)
			continue;
		if (partition->owner && !has_acknowledged(group, partition->owner))
			continue;
		partition->owner = partition->target;
		partition->assigned_epoch = group->group_epoch;
		changed = true;
	}
	return changed;
}

/* Do in memory what is to be done; tells whether there was anything. */
static bool
reconcile(ConsumerGroup *group)
{
	bool		changed = expire_members(group);

	if (target_is_outdated(group))
	{
		assign_partitions(group);
		changed = true;
	}
	return hand_over_partitions(group) || changed;
}

void
reconcile_group(const char *group_id)
{
	ConsumerGroup *group = group_state_read(group_id, false);

	if (!reconcile(group) || !try_lock_group_state(group_id))
		return;
	group = group_state_read(group_id, true);
	if (reconcile(group))
		group_state_write(group);
}

bool
group_has_members(const char *group_id)
{
	ConsumerGroup *group;

	if (!group_state_has_members(group_id))
		return false;
	group = group_state_read(group_id, false);
	(void) expire_members(group);
	if (group->members != NIL)
		return true;

	/* Who has timed out shall know that when he comes back. */
	note_group_activity(group_id);
	return false;
}

void
check_group_has_no_members(const char *group_id)
{
	if (group_has_members(group_id))
		ereport(ERROR,
				(errcode(ERRCODE_NON_EMPTY_GROUP),
				 errmsg("group \"%s\" has members", group_id),
				 errhint("Members read with topic.poll(), commit with topic.commit_polled() or with member_id in topic.commit(), and leave with topic.leave_group().")));
}
