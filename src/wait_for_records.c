/*-------------------------------------------------------------------------
 *
 * wait_for_records.c
 *		wait_for_records: waiting until there is something to consume or fetch.
 *
 * consume and fetch read with their statement's snapshot, so to wait within
 * one would be of no use: this is a procedure of its own, to be called before.
 * It is a loop of looking and of sleeping until somebody calls (wakeup.c), or
 * for a while.
 *
 * Who sleeps holds nothing that another would wait for, for as long as that
 * may take:
 *
 * - No snapshot, which would keep VACUUM from removing rows.  That of the
 *	 statement is let go of and taken anew at the end.  It must not be anybody
 *	 else's: so only what runs at the top level can wait, and not under an
 *	 isolation level that keeps its snapshot, where the transaction would not
 *	 see new records anyway.  No transaction is ended for that: the caller may
 *	 have consumed, and a COMMIT in the wrong place would lose his claims.
 * - No lock.  A look is a subtransaction that is rolled back.  It writes
 *	 nothing, so it gets no transaction id.
 *
 * What the transaction had before, it keeps.
 *
 * A look does not claim the partitions that it looks at, or consumers would
 * pass them over meanwhile.  What it says is out of date when it is returned:
 * another consumer may be faster.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/pquery.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "claim.h"
#include "compat.h"
#include "group.h"
#include "member_activity.h"
#include "member_position.h"
#include "segment_list.h"
#include "stable_offset.h"
#include "wakeup.h"

PG_FUNCTION_INFO_V1(topic_wait_for_records);
PG_FUNCTION_INFO_V1(topic_wait_for_records_of_topics);
PG_FUNCTION_INFO_V1(topic_wait_for_records_from_offsets);

/*
 * How long a sleep lasts, in milliseconds, where wake-ups come: that is for
 * what comes without one.  And where they do not: it doubles from the least to
 * the most.
 */
#define SLEEP				1000
#define SHORTEST_SLEEP		1
#define LONGEST_SLEEP		50

typedef struct AwaitedTopic
{
	char	   *name;
	int32		id;				/* 0: not looked up yet */
	Topic	   *topic;			/* for one look */
} AwaitedTopic;

/* What is waited for: records of topics for a group, or those of one topic. */
typedef struct Wait
{
	int			topic_count;
	AwaitedTopic *topics;
	char	   *group_id;		/* NULL: none */
	char	   *member_id;		/* NULL: none */
	ConsumerGroup *group;		/* for one look, of a member */
	int			offset_count;	/* without a group, where its reader stands */
	int64	   *from_offsets;	/* in each partition */
} Wait;

/* The partition if the member owns it, and shall keep it; or NULL. */
static const GroupPartition *
member_partition(const Wait *wait, const Topic *topic, int partition)
{
	const GroupPartition *found =
		find_group_partition(wait->group, topic->id, partition);

	if (!found || !found->owner || found->target != found->owner ||
		strcmp(found->owner->member_id, wait->member_id) != 0)
		return NULL;
	return found;
}

/*
 * Where the group, or the member, goes on in a partition; -1 if it has not
 * begun.
 */
static int64
group_position(const Wait *wait, const Topic *topic, int partition)
{
	const Claim *claim = find_claim(wait->group_id, topic, partition);
	ConsumerOffset committed;
	Snapshot	snapshot;
	int64		polled = -1;

	if (claim)
		return claim->state.position;

	snapshot = RegisterSnapshot(GetLatestSnapshot());
	consumer_offset_read(wait->group_id, topic->name, partition, snapshot,
						 &committed, NULL);
	UnregisterSnapshot(snapshot);
	if (wait->member_id)
		polled = member_position_read(wait->group_id, topic->name, partition,
									  member_partition(wait, topic, partition)->assigned_epoch);
	return Max(committed.found ? committed.committed_offset : -1, polled);
}

/*
 * Is there a record in the partition for who waits?
 *
 * The position is read after the claim was found free, so that it is what the
 * last one who had it left.
 */
static bool
partition_has_records(const Wait *wait, Topic *topic, int partition)
{
	int64		stable = last_stable_offset(topic, partition);
	int64		position = 0;

	if (stable <= log_start_offset(topic, NULL, partition))
		return false;
	if (!wait->group_id)
	{
		if (partition < wait->offset_count)
			position = wait->from_offsets[partition];
	}
	else if ((wait->member_id && !member_partition(wait, topic, partition)) ||
			 is_claimed_by_other(wait->group_id, topic, partition))
		return false;
	else
		position = group_position(wait, topic, partition);
	return stable > position;
}

/* Open a topic, after the checks that the caller may read it. */
static void
open_awaited_topic(const Wait *wait, AwaitedTopic *awaited)
{
	Topic	   *topic = topic_open(awaited->name, ACL_SELECT, AccessShareLock);

	/* One that was dropped meanwhile and made anew is not what was meant. */
	if (awaited->id != 0 && awaited->id != topic->id)
		report_unknown_topic(awaited->name);
	if (wait->offset_count > topic->partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_offsets has %d elements, but topic \"%s\" has only %d partitions",
						wait->offset_count, topic->name, topic->partitions)));
	awaited->id = topic->id;
	awaited->topic = topic;
}

static bool
topic_has_records(const Wait *wait, Topic *topic)
{
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		CHECK_FOR_INTERRUPTS();
		if (partition_has_records(wait, topic, partition))
			return true;
	}
	return false;
}

/*
 * Does somebody else wait for what the member has?  While the group is locked
 * nothing could be handed over: the member would come back at once, again and
 * again.
 */
static bool
member_has_revoked(const Wait *wait)
{
	if (group_state_is_locked(wait->group_id))
		return false;
	for (int i = 0; i < wait->group->partition_count; i++)
	{
		const GroupPartition *partition = &wait->group->partitions[i];

		if (partition->owner && partition->owner != partition->target &&
			strcmp(partition->owner->member_id, wait->member_id) == 0)
			return true;
	}
	return false;
}

/*
 * Is there a record now, or a reason for a member to poll anyway?  Checks each
 * time what the caller may do.
 */
static bool
look(Wait *wait)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool found = false;

	/* As at the start of a transaction: the world may have changed. */
	AcceptInvalidationMessages();
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		if (wait->group_id)
			check_group_access(wait->group_id);
		for (int i = 0; i < wait->topic_count; i++)
			open_awaited_topic(wait, &wait->topics[i]);

		/* First listen, then look; see wakeup.c. */
		for (int i = 0; i < wait->topic_count; i++)
			wakeup_listen(wait->topics[i].id);
		if (wait->member_id)
		{
			wait->group = group_state_read(wait->group_id, false);
			(void) demand_member(wait->group, wait->member_id);
			found = member_has_revoked(wait);
		}
		for (int i = 0; i < wait->topic_count && !found; i++)
			found = topic_has_records(wait, wait->topics[i].topic);
	}
	PG_FINALLY();
	{
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	InvalidateCatalogSnapshot();
	return found;
}

/*
 * Milliseconds on a clock that nobody sets: should the time of day be set back
 * meanwhile, nobody waits until it has caught up.
 */
static int64
clock_milliseconds(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}

/* Look and sleep until there is a record or the time is over. */
static bool
look_until(Wait *wait, int64 deadline)
{
	static uint32 wait_event = 0;
	long		poll = SHORTEST_SLEEP;

	if (wait_event == 0)
		wait_event = new_wait_event("TopicWaitForRecords");
	for (;;)
	{
		int64		left;
		long		sleep = SLEEP;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (look(wait))
			return true;
		left = deadline - clock_milliseconds();
		if (left <= 0)
			return false;

		if (!wakeup_works())
		{
			sleep = poll;
			poll = Min(2 * poll, LONGEST_SLEEP);
		}
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(sleep, left), wait_event);
	}
}

static void
stop_listening(int code, Datum arg)
{
	wakeup_unlisten();
}

/*
 * Let go of the statement's snapshot.  It is the portal's, which may hold it
 * twice: as the active one, and because the statement returns a row.
 */
static void
release_statement_snapshot(void)
{
	Portal		portal = ActivePortal;

	if (portal && ActiveSnapshotSet() &&
		portal->portalSnapshot == GetActiveSnapshot())
	{
		portal->portalSnapshot = NULL;
		PopActiveSnapshot();
	}
	if (ActiveSnapshotSet())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("topic.wait_for_records must be called at the top level"),
				 errdetail("A function, or a block with EXCEPTION or in a transaction block, keeps a snapshot while it runs."),
				 errhint("Call it from the client, or in a DO block or procedure that may COMMIT.")));

	if (portal && portal->holdSnapshot)
	{
		UnregisterSnapshotFromOwner(portal->holdSnapshot, portal->resowner);
		portal->holdSnapshot = NULL;
	}
	InvalidateCatalogSnapshot();
}

static bool
wait_for_records(Wait *wait, int64 deadline)
{
	bool		had_snapshot = ActiveSnapshotSet();
	bool		available;

	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("topic.wait_for_records must be called in a READ COMMITTED transaction"),
				 errdetail("Under REPEATABLE READ and SERIALIZABLE, the transaction would not see the new records."),
				 errhint("Call it in a transaction of its own: BEGIN ISOLATION LEVEL READ COMMITTED; CALL ...; COMMIT.")));

	release_statement_snapshot();
	PG_ENSURE_ERROR_CLEANUP(stop_listening, (Datum) 0);
	{
		available = look_until(wait, deadline);
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_listening, (Datum) 0);
	wakeup_unlisten();
	if (had_snapshot)
		EnsurePortalSnapshotExists();
	return available;
}

/* When the argument max_wait ends, from now on, by clock_milliseconds(). */
static int64
deadline_argument(FunctionCallInfo fcinfo, int number)
{
	Interval	zero = {0};
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz end;

	if (PG_ARGISNULL(number))
		report_null_argument("max_wait");
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(number),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_wait must not be negative")));
	end = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												  TimestampTzGetDatum(now),
												  PG_GETARG_DATUM(number)));
	if (TIMESTAMP_NOT_FINITE(end))
		return PG_INT64_MAX;
	return clock_milliseconds() + (end - now + 999) / 1000;
}

/*
 * A member says that it is alive when its transaction ends, so it must not
 * wait for too long.
 */
static int64
member_deadline(const Wait *wait, int64 deadline)
{
	ConsumerGroup *group;
	GroupMember *member;

	PreventCommandIfReadOnly("wait_for_records for a member");
	check_group_access(wait->group_id);
	group = group_state_read(wait->group_id, false);
	member = demand_member(group, wait->member_id);
	note_member_activity(group, member, NOTHING_ACKNOWLEDGED, NOT_COMMITTED);
	return Min(deadline, clock_milliseconds() + member->session_timeout / 3);
}

/* Wait, and return the row that the procedure returns. */
static Datum
wait_and_return(FunctionCallInfo fcinfo, Wait *wait)
{
	int64		deadline = deadline_argument(fcinfo, 2);
	TupleDesc	row_type;
	Datum		available;
	bool		isnull = false;

	if (get_call_result_type(fcinfo, NULL, &row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result is not a row");
	row_type = BlessTupleDesc(row_type);
	if (wait->member_id)
		deadline = member_deadline(wait, deadline);
	available = BoolGetDatum(wait_for_records(wait, deadline));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row_type, &available,
													  &isnull)));
}

/* The argument member_id of the forms with a group; it may be NULL. */
static char *
member_argument(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
}

/*
 * wait_for_records(group_id text, topic text, max_wait interval,
 *					INOUT available boolean, member_id text)
 */
Datum
topic_wait_for_records(PG_FUNCTION_ARGS)
{
	AwaitedTopic topic = {0};
	Wait		wait = {.topic_count = 1,.topics = &topic};

	wait.group_id = group_argument(fcinfo, 0);
	wait.member_id = member_argument(fcinfo);
	topic.name = text_argument(fcinfo, 1, "topic");
	return wait_and_return(fcinfo, &wait);
}

/*
 * wait_for_records(group_id text, topics text[], max_wait interval,
 *					INOUT available boolean, member_id text)
 */
Datum
topic_wait_for_records_of_topics(PG_FUNCTION_ARGS)
{
	Wait		wait = {0};
	List	   *names;
	ListCell   *cell;

	wait.group_id = group_argument(fcinfo, 0);
	wait.member_id = member_argument(fcinfo);
	names = names_argument(fcinfo, 1, "topics");
	wait.topic_count = list_length(names);
	wait.topics = palloc0(wait.topic_count * sizeof(AwaitedTopic));
	foreach(cell, names)
		wait.topics[foreach_current_index(cell)].name = lfirst(cell);
	return wait_and_return(fcinfo, &wait);
}

/*
 * wait_for_records(topic text, from_offsets bigint[], max_wait interval,
 *					INOUT available boolean)
 */
Datum
topic_wait_for_records_from_offsets(PG_FUNCTION_ARGS)
{
	AwaitedTopic topic = {0};
	Wait		wait = {.topic_count = 1,.topics = &topic};
	Datum	   *offsets;
	bool	   *nulls;

	topic.name = text_argument(fcinfo, 0, "topic");
	if (PG_ARGISNULL(1))
		report_null_argument("from_offsets");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &offsets, &nulls,
					  &wait.offset_count);
	wait.from_offsets = palloc0(wait.offset_count * sizeof(int64));
	for (int i = 0; i < wait.offset_count; i++)
	{
		if (nulls[i])
			continue;
		wait.from_offsets[i] = DatumGetInt64(offsets[i]);
		if (wait.from_offsets[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an element of from_offsets must be at least 0")));
	}
	return wait_and_return(fcinfo, &wait);
}
