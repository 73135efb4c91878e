/*-------------------------------------------------------------------------
 *
 * group_member.c
 *		join_group, heartbeat, leave_group.
 *
 * Joining and leaving wait for the group's lock, and hold it until their
 * transaction ends; meanwhile nobody else joins, leaves, or is handed over a
 * partition.  Members that are there poll, beat and commit as ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "duration.h"
#include "group.h"
#include "member_activity.h"
#include "member_claim.h"
#include "member_heartbeat.h"
#include "reconcile.h"

PG_FUNCTION_INFO_V1(topic_join_group);
PG_FUNCTION_INFO_V1(topic_heartbeat);
PG_FUNCTION_INFO_V1(topic_leave_group);

#define MAX_ID_BYTES	255

/* What join_group was called with. */
typedef struct JoinRequest
{
	const char *group_id;
	List	   *topics;			/* sorted names */
	char	   *member_id;		/* NULL: to be made up */
	char	   *instance_id;	/* NULL: none, or as before */
	int32		session_timeout;
	AssignorKind assignor;
	int32		auto_commit_interval;
	OffsetReset offset_reset;
} JoinRequest;

/* An id that may be NULL. */
static char *
id_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	char	   *id;

	if (PG_ARGISNULL(number))
		return NULL;
	id = text_argument(fcinfo, number, name);
	if (id[0] == '\0' || strlen(id) > MAX_ID_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have 1 to %d bytes", name, MAX_ID_BYTES)));
	return id;
}

/* An interval in milliseconds. */
static int32
milliseconds_argument(FunctionCallInfo fcinfo, int number, const char *name,
					  int32 minimum)
{
	int64		milliseconds;

	if (PG_ARGISNULL(number))
		report_null_argument(name);
	milliseconds = interval_milliseconds(PG_GETARG_INTERVAL_P(number));
	if (milliseconds < minimum || milliseconds > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %d ms and %d ms", name, minimum,
						PG_INT32_MAX)));
	return (int32) milliseconds;
}

/* The names of topics, sorted, each once. */
static List *
topics_argument(FunctionCallInfo fcinfo, int number)
{
	List	   *names = names_argument(fcinfo, number, "topics");
	ListCell   *cell;

	foreach(cell, names)
		check_topic_name(lfirst(cell));
	return sort_topic_names(names);
}

/*
 * The topics that exist, which the caller must have the right to read; he is
 * told of the others.
 */
static List *
open_topics(List *names)
{
	List	   *topics = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		const char *name = lfirst(cell);

		if (topic_lookup(name))
			topics = lappend(topics,
							 topic_open(name, ACL_SELECT, AccessShareLock));
		else
			ereport(NOTICE,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("topic \"%s\" does not exist yet", name)));
	}
	return topics;
}

/*
 * Consumers that are no members must have come to an end.  Not that they could
 * get in anybody's way: members would pass over what is claimed.  But who
 * mixes the two by mistake should learn that here.
 */
static void
check_group_is_idle(const char *group_id, List *topics)
{
	ListCell   *cell;

	foreach(cell, topics)
	{
		const Topic *topic = lfirst(cell);

		for (int i = 0; i < topic->partitions; i++)
			if (is_claimed_by_other(group_id, topic, i))
				ereport(ERROR,
						(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
						 errmsg("group \"%s\" is being used by a consumer that is not a member",
								group_id),
						 errdetail("Another transaction has claimed partition %d of topic \"%s\".",
								   i, topic->name),
						 errhint("Try again when that transaction is over.")));
	}
}

static GroupMember *
find_instance(const ConsumerGroup *group, const char *instance_id)
{
	ListCell   *cell;

	foreach(cell, group->members)
	{
		GroupMember *member = lfirst(cell);

		if (member->instance_id &&
			strcmp(member->instance_id, instance_id) == 0)
			return member;
	}
	return NULL;
}

/* The heartbeat of a member that is no more. */
static void
forget_heartbeat(const char *group_id, const char *member_id)
{
	MemberHeartbeat heartbeat;

	lock_member_heartbeat(group_id, member_id);
	member_heartbeat_read(group_id, member_id, &heartbeat);
	member_heartbeat_delete(&heartbeat);
}

static char *
make_member_id(void)
{
	return OidOutputFunctionCall(F_UUID_OUT,
								 OidFunctionCall0(F_GEN_RANDOM_UUID));
}

/* A static member comes back under another member_id: that one is fenced. */
static void
replace_member_id(const ConsumerGroup *group, GroupMember *member,
				  const char *member_id)
{
	forget_heartbeat(group->group_id, member->member_id);
	member->fenced_member_id = member->member_id;
	member->member_id = member_id ? pstrdup(member_id) : make_member_id();
}

/*
 * The member who joins: one that is there and joins again, a static one that
 * comes back, or a new one.
 */
static GroupMember *
place_member(ConsumerGroup *group, const JoinRequest *request)
{
	GroupMember *member = request->member_id
		? find_member(group, request->member_id) : NULL;
	GroupMember *instance = request->instance_id
		? find_instance(group, request->instance_id) : NULL;

	if (member && request->instance_id && instance != member)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("member \"%s\" of group \"%s\" has another instance_id",
						member->member_id, request->group_id),
				 member->instance_id
				 ? errdetail("It is \"%s\".", member->instance_id)
				 : errdetail("It has none.")));
	if (member)
		return member;
	if (instance)
	{
		replace_member_id(group, instance, request->member_id);
		return instance;
	}
	member = palloc0(sizeof(GroupMember));
	member->member_id = request->member_id ? request->member_id
		: make_member_id();
	member->instance_id = request->instance_id;
	group_state_add_member(group, member);
	return member;
}

/* A group has one assignor: that of the members that are there. */
static void
check_assignor(const ConsumerGroup *group, const JoinRequest *request)
{
	ListCell   *cell;

	foreach(cell, group->members)
	{
		const GroupMember *member = lfirst(cell);

		if (member->assignor != request->assignor &&
			(list_length(group->members) > 1 || !request->member_id ||
			 strcmp(member->member_id, request->member_id) != 0))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("group \"%s\" has assignor \"%s\"",
							group->group_id,
							assignor_names[member->assignor]),
					 errhint("All members of a group join with the same assignor; an empty group takes another one.")));
	}
}

/*
 * A member that joins begins anew: it goes by the new epoch, gives up what it
 * does not subscribe to, and is at the committed offsets of what it keeps,
 * whatever it polled before.
 *
 * One that had no place under that member_id has no heartbeat.  To look for it
 * would be to walk over all that others of the same name have left, who may
 * come and go while somebody holds an old snapshot.
 */
static void
begin_membership(ConsumerGroup *group, GroupMember *member, bool is_there)
{
	MemberHeartbeat heartbeat = {0};

	lock_member_heartbeat(group->group_id, member->member_id);
	if (is_there)
		member_heartbeat_read(group->group_id, member->member_id, &heartbeat);
	heartbeat.at = member->joined_at;
	heartbeat.acknowledged_epoch = group->group_epoch;
	heartbeat.auto_committed_at = member->joined_at;
	member_heartbeat_write(group->group_id, member->member_id, &heartbeat);

	forget_member_claims(group->group_id, member->member_id);
	for (int i = 0; i < group->partition_count; i++)
		if (group->partitions[i].owner == member)
			group->partitions[i].assigned_epoch = group->group_epoch;
}

static GroupMember *
join(ConsumerGroup *group, const JoinRequest *request)
{
	bool		is_there = request->member_id &&
		find_member(group, request->member_id);
	GroupMember *member = place_member(group, request);

	member->topics = request->topics;
	member->assignor = request->assignor;
	member->offset_reset = request->offset_reset;
	member->session_timeout = request->session_timeout;
	member->auto_commit_interval = request->auto_commit_interval;
	member->joined_at = GetCurrentTimestamp();
	member->left_at = NOT_LEFT;
	group_state_find_partitions(group);
	assign_partitions(group);
	begin_membership(group, member, is_there);
	(void) hand_over_partitions(group);
	group_state_write(group);
	return member;
}

/*
 * A row for each partition that a member owns, or one with nulls if it owns
 * none.  Begins with the given columns; ends in whether it is revoked, if the
 * result has a column more.  What is revoked is left out if the member has
 * given it up.
 */
static void
emit_owned_partitions(ReturnSetInfo *result, const ConsumerGroup *group,
					  const GroupMember *member, bool given_up,
					  const Datum *columns, int count)
{
	Datum		values[5];
	bool		nulls[5] = {0};
	bool		owns_any = false;

	memcpy(values, columns, count * sizeof(Datum));
	for (int i = 0; i < group->partition_count; i++)
	{
		const GroupPartition *partition = &group->partitions[i];

		if (partition->owner != member ||
			(given_up && partition->target != member))
			continue;
		owns_any = true;
		values[count] = CStringGetTextDatum(partition->topic->name);
		values[count + 1] = Int32GetDatum(partition->partition);
		values[count + 2] = BoolGetDatum(partition->target != member);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	if (owns_any)
		return;
	nulls[count] = nulls[count + 1] = nulls[count + 2] = true;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * join_group(group_id text, topics text[], member_id text, instance_id text,
 *			  session_timeout interval, assignor text,
 *			  auto_commit_interval interval, offset_reset text)
 * returns table(member_id text, member_epoch int, topic text, partition int)
 */
Datum
topic_join_group(PG_FUNCTION_ARGS)
{
	JoinRequest request;
	List	   *topics;
	ConsumerGroup *group;
	GroupMember *member;
	Datum		columns[2];

	request.group_id = group_argument(fcinfo, 0);
	request.topics = topics_argument(fcinfo, 1);
	request.member_id = id_argument(fcinfo, 2, "member_id");
	request.instance_id = id_argument(fcinfo, 3, "instance_id");
	request.session_timeout = milliseconds_argument(fcinfo, 4,
													"session_timeout", 1);
	request.assignor = choice_argument(fcinfo, 5, "assignor", assignor_names);
	request.auto_commit_interval = PG_ARGISNULL(6) ? NO_AUTO_COMMIT
		: milliseconds_argument(fcinfo, 6, "auto_commit_interval", 0);
	request.offset_reset = offset_reset_argument(fcinfo, 7);
	PreventCommandIfReadOnly("join_group");
	topics = open_topics(request.topics);
	use_group(request.group_id);
	InitMaterializedSRF(fcinfo, 0);

	note_membership_change();
	lock_group_state(request.group_id);
	group = group_state_read(request.group_id, true);
	if (group->members == NIL)
		check_group_is_idle(request.group_id, topics);
	(void) expire_members(group);
	check_assignor(group, &request);
	member = join(group, &request);

	columns[0] = CStringGetTextDatum(member->member_id);
	columns[1] = Int32GetDatum(group->group_epoch);
	emit_owned_partitions((ReturnSetInfo *) fcinfo->resultinfo, group, member,
						  true, columns, lengthof(columns));
	PG_RETURN_NULL();
}

/*
 * heartbeat(group_id text, member_id text, member_epoch int)
 * returns table(member_epoch int, topic text, partition int, revoked boolean)
 *
 * Without an epoch, or with an old one, nothing is given up.
 */
Datum
topic_heartbeat(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *member_id = text_argument(fcinfo, 1, "member_id");
	int32		member_epoch;
	ConsumerGroup *group;
	GroupMember *member;
	Datum		epoch;

	member_epoch = int_argument(fcinfo, 2, "member_epoch", 1, ANY_EPOCH);
	PreventCommandIfReadOnly("heartbeat");
	use_group(group_id);
	InitMaterializedSRF(fcinfo, 0);

	group = group_state_read(group_id, false);
	member = demand_member(group, member_id);
	check_member_epoch(group, member_epoch);
	note_member_activity(group, member, member_epoch, NOT_COMMITTED);
	epoch = Int32GetDatum(group->group_epoch);
	emit_owned_partitions((ReturnSetInfo *) fcinfo->resultinfo, group, member,
						  member_epoch == group->group_epoch, &epoch, 1);
	PG_RETURN_NULL();
}

/*
 * leave_group(group_id text, member_id text)
 *
 * A static member may come back: it keeps what it has until its session times
 * out.
 */
Datum
topic_leave_group(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *member_id = text_argument(fcinfo, 1, "member_id");
	ConsumerGroup *group;
	GroupMember *member;

	PreventCommandIfReadOnly("leave_group");
	use_group(group_id);
	note_membership_change();
	lock_group_state(group_id);
	group = group_state_read(group_id, true);
	member = demand_member(group, member_id);
	if (member->instance_id)
		member->left_at = GetCurrentTimestamp();
	else
	{
		forget_heartbeat(group_id, member_id);
		group_state_remove_member(group, member);
		assign_partitions(group);
	}
	(void) hand_over_partitions(group);
	group_state_write(group);
	PG_RETURN_VOID();
}
