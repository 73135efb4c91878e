/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *		What is to be done for a topic's segments, and doing it.
 *
 * The life of a segment:
 *
 *		active -> sealed -> settled -> frozen -> retired -> dropped
 *
 * A roll seals the active segment and opens the next (segment_roll.c).  A
 * sealed segment is settled when the last transaction that wrote to it is
 * over; what it holds is then counted once and for all.  A settled segment may
 * be rewritten (segment_rewrite.c), or else it is frozen (segment_freeze.c).
 * Retention, or a rewrite, retires it, and it is dropped when no snapshot
 * reads it any more (retention.c).
 *
 * Each step is a transaction.  One that changes a topic's segments holds a
 * ShareUpdateExclusiveLock on the topic's relation, so whoever calls may do so
 * while others do.  No lock is waited for: what cannot be had now can be had
 * next time.  So maintenance queues behind nobody, and nobody queues behind
 * it while it waits.  Nor does a step's commit wait for a standby, with its
 * locks held: whatever relies on the step follows it in the WAL.
 *
 * Steps are READ COMMITTED, whatever the default is: they read the latest
 * state anyway, and must neither be the victim of consumers' transactions,
 * under SERIALIZABLE, nor make victims of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "arguments.h"
#include "catalog.h"
#include "compat.h"
#include "group_expiry.h"
#include "lock_holders.h"
#include "maintenance.h"
#include "producer_expiry.h"
#include "record_value.h"
#include "retention.h"
#include "segment_freeze.h"
#include "segment_rewrite.h"
#include "segment_roll.h"

PG_FUNCTION_INFO_V1(topic_maintain);
PG_FUNCTION_INFO_V1(topic_maintenance_due);

/* In the order in which they are done. */
typedef enum StepKind
{
	STEP_DROP,
	STEP_ROLL,
	STEP_SETTLE,
	STEP_RETIRE,
	STEP_COMPACT,
	STEP_MERGE,
	STEP_FREEZE
} StepKind;

/* As users see them, and columns of topic.maintenance_totals. */
static const char *const step_names[] = {
	[STEP_DROP] = "drop",
	[STEP_ROLL] = "roll",
	[STEP_SETTLE] = "settle",
	[STEP_RETIRE] = "retire",
	[STEP_COMPACT] = "compact",
	[STEP_MERGE] = "merge",
	[STEP_FREEZE] = "freeze"
};

static const char *const step_counters[] = {
	[STEP_DROP] = "dropped",
	[STEP_ROLL] = "rolled",
	[STEP_SETTLE] = "settled",
	[STEP_RETIRE] = "retired",
	[STEP_COMPACT] = "compacted",
	[STEP_MERGE] = "merged",
	[STEP_FREEZE] = "frozen"
};

/* Something that is due for a topic. */
typedef struct Step
{
	StepKind	kind;
	const Segment *segment;
	Oid			relid;			/* of the segment's table */
	bool		waits_for_snapshots;	/* that are older than this xid: */
	TransactionId xid;
	List	   *blockers;		/* pids of those whose locks it waits for */
	RewritePlan *plan;			/* of STEP_COMPACT and STEP_MERGE */
} Step;

/*
 * A run of maintenance for a topic, and what it does not try again: a step
 * that has failed, which would fail again and keep others from their turn; and
 * a roll, since producers may fill segments as fast as they are rolled.
 */
typedef struct TopicRun
{
	const char *name;
	bool		goes_on;		/* there may be more to do */
	bool		rolled;
	const Step *current;		/* the step being done */
	List	   *failed;			/* of FailedStep */
} TopicRun;

typedef struct FailedStep
{
	StepKind	kind;
	int32		number;			/* of the segment */
	int32		generation;
} FailedStep;

static Step *
add_step(List **steps, StepKind kind, const SegmentInfo *info)
{
	Step	   *step = palloc0(sizeof(Step));

	step->kind = kind;
	step->segment = &info->segment;
	step->relid = info->relid;
	*steps = lappend(*steps, step);
	return step;
}

static List *
table_lock_holders(Oid relid, LOCKMODE mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	return lock_holders(&tag, mode);
}

/* The cached list knows who wrote a segment's row, also when that is frozen. */
static TransactionId
segment_xmin(const Topic *topic, const SegmentInfo *info)
{
	const SegmentList *list = info->retired ? &topic->retired
		: &topic->segments;

	for (int i = 0; i < list->count; i++)
		if (list->segments[i].number == info->segment.number &&
			list->segments[i].generation == info->segment.generation)
			return list->segments[i].xmin;
	return FrozenTransactionId;
}

/* A step that has to wait until all snapshots see the segment's state. */
static void
add_step_after_snapshots(List **steps, StepKind kind, const Topic *topic,
						 const SegmentInfo *info, LOCKMODE lockmode)
{
	Step	   *step = add_step(steps, kind, info);

	step->xid = segment_xmin(topic, info);
	step->waits_for_snapshots = !is_visible_to_all(step->xid);
	if (OidIsValid(info->relid))
		step->blockers = table_lock_holders(info->relid, lockmode);
}

static void
add_rewrite_step(List **steps, RewritePlan *plan)
{
	Step	   *step;
	ListCell   *cell;

	if (!plan)
		return;
	step = add_step(steps, plan->compact ? STEP_COMPACT : STEP_MERGE,
					linitial(plan->inputs));
	step->plan = plan;
	foreach(cell, plan->inputs)
	{
		SegmentInfo *info = lfirst(cell);

		step->blockers =
			list_concat_unique_int(step->blockers,
								   table_lock_holders(info->relid,
													  AccessShareLock));
	}
}

/* Is the active segment to be sealed? */
static bool
roll_is_due(const Topic *topic, const TopicConfig *config,
			const SegmentInfo *active, int64 now)
{
	int64		age = segment_age_limit(config);

	if (segment_disk_bytes(active->relid) < segment_bytes_limit(config) &&
		(age == CONFIG_NONE ||
		 record_timestamp_from(active->created_at) >= now - age))
		return false;
	return ConditionalLockRelationOid(active->relid, AccessShareLock) &&
		!active_segment_is_empty(topic);
}

/* All that is due now, in the order in which it is to be done. */
static List *
due_steps(Topic *topic)
{
	TopicConfig *config = read_topic_config(topic);
	List	   *infos = segment_infos(topic);
	int64		now = record_timestamp_from(GetCurrentTimestamp());
	SegmentInfo *expired;
	List	   *steps = NIL;
	ListCell   *cell;

	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->retired)
			add_step_after_snapshots(&steps, STEP_DROP, topic, info,
									 AccessExclusiveLock);
	}
	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->retired || !OidIsValid(info->relid))
			continue;
		/* What cannot be looked at now may be due. */
		if (info->active &&
			(!segment_try_lock(info->relid, AccessShareLock) ||
			 roll_is_due(topic, config, info, now)))
			add_step(&steps, STEP_ROLL, info)->blockers =
				table_lock_holders(info->relid, AccessShareLock);
		if (!info->active && !info->stats)
			add_step(&steps, STEP_SETTLE, info)->blockers =
				segment_writers(info->relid);
	}
	expired = expired_segment(topic, config, infos, now);
	if (expired)
		add_step(&steps, STEP_RETIRE, expired);
	add_rewrite_step(&steps, plan_rewrite(topic, infos, config, now));
	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (!info->retired && info->stats && !info->frozen &&
			OidIsValid(info->relid))
			add_step_after_snapshots(&steps, STEP_FREEZE, topic, info,
									 ShareUpdateExclusiveLock);
	}
	return steps;
}

static void
settle_segment(Topic *topic, const Step *step)
{
	Relation	table = table_open(step->relid, NoLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	set_segment_settled(topic, step->segment,
						segment_stats_collect(topic, table, snapshot));
	segments_changed(topic);
	UnregisterSnapshot(snapshot);
	table_close(table, NoLock);
}

/* What a step did, for the record. */
typedef struct StepResult
{
	int64		bytes_dropped;
	RewriteResult rewrite;
} StepResult;

/* Do a step; false if somebody had a lock on the segment after all. */
static bool
do_step(Topic *topic, const Step *step, StepResult *result)
{
	Relation	table;

	switch (step->kind)
	{
		case STEP_DROP:
			if (OidIsValid(step->relid))
			{
				if (!segment_try_lock(step->relid, AccessExclusiveLock))
					return false;
				result->bytes_dropped = segment_disk_bytes(step->relid);
			}
			drop_segment(topic, step->segment, step->relid);
			return true;
		case STEP_ROLL:
			return segment_try_lock(step->relid, AccessShareLock) &&
				roll_segment(topic);
		case STEP_SETTLE:
			if (!segment_try_lock(step->relid, AccessShareLock))
				return false;
			settle_segment(topic, step);
			return true;
		case STEP_RETIRE:
			retire_segment(topic, step->segment);
			segments_changed(topic);
			return true;
		case STEP_COMPACT:
		case STEP_MERGE:
			return rewrite_segments(topic, step->plan, &result->rewrite);
		case STEP_FREEZE:
			if (!segment_try_lock(step->relid, ShareUpdateExclusiveLock))
				return false;
			table = table_open(step->relid, NoLock);
			freeze_segment(table);
			table_close(table, NoLock);
			set_segment_frozen(topic, step->segment);
			segments_changed(topic);
			return true;
	}
	pg_unreachable();
}

/* Remember what was done. */
static void
record_step(const Topic *topic, StepKind kind, const StepResult *result)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[] = {INT4OID, TEXTOID, INT8OID, INT8OID, INT8OID};
	Datum		values[] = {
		Int32GetDatum(topic->id),
		CStringGetTextDatum(step_names[kind]),
		Int64GetDatum(result->bytes_dropped),
		Int64GetDatum(result->rewrite.bytes_written),
		Int64GetDatum(result->rewrite.records_removed)
	};

	catalog_execute_with_args(psprintf("INSERT INTO topic.maintenance_totals AS t "
									   "(topic_id, %s, last_step, last_step_at, bytes_dropped, "
									   "bytes_rewritten, records_removed) "
									   "VALUES ($1, 1, $2, pg_catalog.clock_timestamp(), $3, $4, $5) "
									   "ON CONFLICT (topic_id) DO UPDATE SET "
									   "%s = t.%s OPERATOR(pg_catalog.+) 1, "
									   "bytes_dropped = t.bytes_dropped OPERATOR(pg_catalog.+) $3, "
									   "bytes_rewritten = t.bytes_rewritten OPERATOR(pg_catalog.+) $4, "
									   "records_removed = t.records_removed OPERATOR(pg_catalog.+) $5, "
									   "last_step = $2, "
									   "last_step_at = pg_catalog.clock_timestamp()",
									   step_counters[kind],
									   step_counters[kind],
									   step_counters[kind]),
							  lengthof(types), types, values, NULL);
	restore_user(saved);
}

/* Is this a topic that is still there, and the current user's? */
static bool
is_own_topic(const Topic *topic)
{
	return topic &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic->relid)) &&
		relation_ownercheck(topic->relid, GetUserId());
}

/*
 * The topic of that name, locked against others who change its segments; NULL
 * if it is gone, not the caller's, or locked.
 */
static Topic *
lock_topic(const char *name)
{
	Topic	   *topic = topic_lookup(name);
	Oid			relid;

	if (!is_own_topic(topic))
		return NULL;
	relid = topic->relid;
	if (!ConditionalLockRelationOid(relid, ShareUpdateExclusiveLock))
		return NULL;

	/* Locked, it is as it is now.  But another one may have got the name. */
	topic = topic_lookup(name);
	return is_own_topic(topic) && topic->relid == relid ? topic : NULL;
}

/* May the step be done now, and has the run not tried it yet? */
static bool
can_do_step(const TopicRun *run, const Step *step)
{
	ListCell   *cell;

	if (step->waits_for_snapshots || step->blockers != NIL ||
		(step->kind == STEP_ROLL && run->rolled))
		return false;
	foreach(cell, run->failed)
	{
		const FailedStep *failed = lfirst(cell);

		if (failed->kind == step->kind &&
			failed->number == step->segment->number &&
			failed->generation == step->segment->generation)
			return false;
	}
	return true;
}

/* Do the first step that is due and can be done. */
static void
maintain_topic(TopicRun *run)
{
	Topic	   *topic = lock_topic(run->name);
	ListCell   *cell;

	if (!topic)
		return;
	foreach(cell, due_steps(topic))
	{
		const Step *step = lfirst(cell);
		StepResult	result = {0};

		if (!can_do_step(run, step))
			continue;
		run->current = step;
		if (!do_step(topic, step, &result))
			continue;
		record_step(topic, step->kind, &result);

		/* Last, and here: an error at commit would be all topics' error. */
		switch_pending_segments();
		run->rolled |= step->kind == STEP_ROLL;
		run->goes_on = true;
		return;
	}
}

/* Remember an error, and tell. */
static void
record_error(const char *name, const ErrorData *error)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {
		CStringGetTextDatum(name),
		CStringGetTextDatum(error->message)
	};

	catalog_execute_with_args("INSERT INTO topic.maintenance_totals "
							  "(topic_id, last_error, last_error_at) "
							  "SELECT topic_id, $2, pg_catalog.clock_timestamp() "
							  "FROM topic.topics "
							  "WHERE topic OPERATOR(pg_catalog.=) $1 "
							  "ON CONFLICT (topic_id) DO UPDATE SET "
							  "last_error = excluded.last_error, "
							  "last_error_at = excluded.last_error_at",
							  lengthof(types), types, values, NULL);
	restore_user(saved);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("maintenance of topic \"%s\" failed: %s",
					name, error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0));
}

/* The current step has failed: go on with others. */
static void
pass_over_step(TopicRun *run)
{
	FailedStep *failed;

	run->goes_on = run->current != NULL;
	if (!run->current)
		return;
	failed = palloc(sizeof(FailedStep));
	failed->kind = run->current->kind;
	failed->number = run->current->segment->number;
	failed->generation = run->current->segment->generation;
	run->failed = lappend(run->failed, failed);
}

/*
 * Run a step in a subtransaction, so that an error costs this step alone; but
 * who is told to stop stops.
 */
static void
maintain_topic_safely(TopicRun *run)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	run->goes_on = false;
	run->current = NULL;
	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		maintain_topic(run);
		PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		pass_over_step(run);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		PushActiveSnapshot(GetTransactionSnapshot());
		record_error(run->name, error);
		PopActiveSnapshot();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

/* Names of all topics, in the current memory context. */
static List *
topic_names(void)
{
	MemoryContext caller_context = CurrentMemoryContext;
	List	   *names = NIL;

	catalog_spi_connect();
	catalog_spi_execute("SELECT topic FROM topic.topics ORDER BY topic",
						0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc, 1);
		MemoryContext spi_context = MemoryContextSwitchTo(caller_context);

		names = lappend(names, pstrdup(name));
		MemoryContextSwitchTo(spi_context);
	}
	SPI_finish();
	return names;
}

/* Commit, and begin the transaction of the next step. */
static void
next_step(void (*next_transaction) (void))
{
	next_transaction();
	XactIsoLevel = XACT_READ_COMMITTED;
	if (synchronous_commit > SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		(void) set_config_option("synchronous_commit", "local", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
}

void
maintain_topics(void (*next_transaction) (void))
{
	List	   *names;
	bool		more;
	ListCell   *cell;
	MemoryContext topic_context;
	MemoryContext old_context;

	old_context = CurrentMemoryContext;
	next_step(next_transaction);
	MemoryContextSwitchTo(old_context);
	check_catalog_version();
	names = topic_names();
	topic_context = AllocSetContextCreate(CurrentMemoryContext,
										  "pg_topic maintenance",
										  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(topic_context);
	foreach(cell, names)
	{
		TopicRun	run = {.name = lfirst(cell)};

		do
		{
			CHECK_FOR_INTERRUPTS();
			maintain_topic_safely(&run);
			next_step(next_transaction);
			MemoryContextSwitchTo(topic_context);
		} while (run.goes_on);
		MemoryContextReset(topic_context);
	}
	do
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		more = expire_groups();
		more |= expire_producers();
		PopActiveSnapshot();
		next_step(next_transaction);
	} while (more);

	/* The caller's next transaction is as it asked for. */
	next_transaction();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(topic_context);
}

static void
commit_in_procedure(void)
{
	SPI_commit();
}

/*
 * maintain(), a procedure
 */
Datum
topic_maintain(PG_FUNCTION_ARGS)
{
	if (!fcinfo->context || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("topic.maintain() cannot run inside a transaction block or a function"),
				 errhint("Call it by itself: it commits after each step.")));
	PreventCommandDuringRecovery("maintain");
	PreventCommandIfReadOnly("maintain");

	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");
	maintain_topics(commit_in_procedure);
	SPI_finish();
	PG_RETURN_VOID();
}

static Datum
int_list_array(List *list)
{
	Datum	   *elements = palloc(list_length(list) * sizeof(Datum));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, list)
		elements[count++] = Int32GetDatum(lfirst_int(cell));
	return PointerGetDatum(construct_array(elements, count, INT4OID,
										   sizeof(int32), true,
										   TYPALIGN_INT));
}

/*
 * maintenance_due(topic text)
 * returns table(step text, segment int, waits_for_xid xid, blocked_by int[])
 */
Datum
topic_maintenance_due(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *holders = table_lock_holders(topic->relid,
											 ShareUpdateExclusiveLock);
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, due_steps(topic))
	{
		Step	   *step = lfirst(cell);
		Datum		values[4];
		bool		nulls[4] = {0};

		values[0] = CStringGetTextDatum(step_names[step->kind]);
		values[1] = Int32GetDatum(step->segment->number);
		values[2] = TransactionIdGetDatum(step->xid);
		nulls[2] = !step->waits_for_snapshots;
		values[3] = int_list_array(list_concat_unique_int(step->blockers,
														  holders));
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}
