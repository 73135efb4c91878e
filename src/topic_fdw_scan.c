/*-------------------------------------------------------------------------
 *
 * topic_fdw_scan.c
 *		Scans of topics.<topic>: the log's records as rows.
 *
 * A scan reads one partition after the other, each in offset order, and
 * streams: what a LIMIT does not ask for is not read.  Only columns that the
 * query uses are converted, so that count(*) parses no JSON and a value that
 * is not what the topic's value_format says fails only those who look at it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "compat.h"
#include "topic_fdw.h"

typedef struct ScanCondition
{
	LogCondition condition;
	ExprState  *value;
} ScanCondition;

typedef struct TopicScan
{
	Topic	   *topic;
	RecordFormatter formatter;
	RecordColumn *columns;		/* by attribute */
	List	   *attributes;		/* numbers of those that the query uses */
	List	   *conditions;		/* of ScanCondition */

	/* The current pass over the log: a rescan starts another. */
	MemoryContext pass_context;
	bool		pass_started;
	LogSelection selection;
	int			partition;		/* being read; -1 before the first */
	LogReader  *reader;			/* NULL between partitions */

	int64		partitions_read;	/* for EXPLAIN ANALYZE */
} TopicScan;

void
topic_begin_scan(ForeignScanState *node, int eflags)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	Relation	relation = node->ss.ss_currentRelation;
	TopicScan  *scan;
	ListCell   *cell;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(TopicScan));
	scan->topic = foreign_table_topic(RelationGetRelid(relation));
	scan->columns = foreign_table_columns(scan->topic, relation);
	scan->attributes = plan->fdw_private;
	scan->pass_context = AllocSetContextCreate(CurrentMemoryContext,
											   "pg_topic scan",
											   ALLOCSET_DEFAULT_SIZES);
	record_formatter_init(&scan->formatter, scan->topic,
						  scan->topic->value_format);

	foreach(cell, plan->fdw_exprs)
	{
		ScanCondition *condition = palloc(sizeof(ScanCondition));

		if (!match_log_condition(lfirst(cell), plan->scan.scanrelid,
								 scan->columns, &condition->condition))
			elog(ERROR, "unexpected condition in the plan of a topic's scan");
		condition->value = ExecInitExpr(condition->condition.value,
										&node->ss.ps);
		scan->conditions = lappend(scan->conditions, condition);
	}
	node->fdw_state = scan;
}

/*
 * Find out what this pass has to read.
 *
 * Partitions may have been added since the topic was looked up.  The snapshot
 * was taken since, too, so invalidations that are accepted now tell of every
 * partition that has a record in it.
 */
static void
start_pass(ForeignScanState *node, TopicScan *scan)
{
	MemoryContext old_context;
	ListCell   *cell;

	MemoryContextReset(scan->pass_context);
	old_context = MemoryContextSwitchTo(scan->pass_context);

	AcceptInvalidationMessages();
	if (!scan->topic->valid)
		scan->topic = topic_refresh(scan->topic);

	select_whole_log(scan->topic, &scan->selection);
	foreach(cell, scan->conditions)
	{
		ScanCondition *condition = lfirst(cell);
		Datum		value;
		bool		isnull;

		value = ExecEvalExprSwitchContext(condition->value,
										  node->ss.ps.ps_ExprContext,
										  &isnull);
		narrow_selection(&scan->selection, &condition->condition, value,
						 isnull);
	}
	if (bms_num_members(scan->selection.partitions) == scan->topic->partitions)
		lock_topic_for_serializable(scan->topic,
									node->ss.ps.state->es_snapshot);
	scan->partition = -1;
	scan->pass_started = true;
	MemoryContextSwitchTo(old_context);
}

/* Begin to read the next partition; false if there is none. */
static bool
open_next_partition(ForeignScanState *node, TopicScan *scan)
{
	int			partition = bms_next_member(scan->selection.partitions,
											scan->partition);
	MemoryContext old_context;

	if (partition < 0)
		return false;

	old_context = MemoryContextSwitchTo(scan->pass_context);
	scan->partition = partition;
	scan->formatter.partition = partition;
	scan->reader = log_reader_begin(scan->topic, partition,
									&scan->selection.range,
									node->ss.ps.state->es_snapshot);
	scan->partitions_read++;
	MemoryContextSwitchTo(old_context);
	return true;
}

static void
close_reader(TopicScan *scan)
{
	if (scan->reader)
		log_reader_end(scan->reader);
	scan->reader = NULL;
}

static bool
next_record(ForeignScanState *node, TopicScan *scan, Record *record)
{
	for (;;)
	{
		if (!scan->reader && !open_next_partition(node, scan))
			return false;
		if (log_reader_next(scan->reader, record))
			return true;
		close_reader(scan);
	}
}

TupleTableSlot *
topic_iterate_scan(ForeignScanState *node)
{
	TopicScan  *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	Record		record;
	ListCell   *cell;

	ExecClearTuple(slot);
	if (!scan->pass_started)
		start_pass(node, scan);
	if (!next_record(node, scan, &record))
		return slot;

	memset(slot->tts_isnull, true,
		   slot->tts_tupleDescriptor->natts * sizeof(bool));
	foreach(cell, scan->attributes)
	{
		int			index = lfirst_int(cell) - 1;

		slot->tts_values[index] = record_column(&scan->formatter, &record,
												scan->columns[index],
												&slot->tts_isnull[index]);
	}
	return ExecStoreVirtualTuple(slot);
}

void
topic_rescan(ForeignScanState *node)
{
	TopicScan  *scan = node->fdw_state;

	close_reader(scan);
	scan->pass_started = false;
}

void
topic_end_scan(ForeignScanState *node)
{
	TopicScan  *scan = node->fdw_state;

	/* Only explained? */
	if (scan)
		close_reader(scan);
}

/*
 * Show the conditions that bound what is read, and with ANALYZE how many
 * partitions were read.
 */
void
topic_explain_scan(ForeignScanState *node, ExplainState *es)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	TopicScan  *scan = node->fdw_state;

	if (plan->fdw_exprs != NIL)
	{
		List	   *context = set_deparse_context_plan(es->deparse_cxt,
													   (Plan *) plan, NIL);
		Expr	   *condition = make_ands_explicit(plan->fdw_exprs);

		ExplainPropertyText("Log Condition",
							deparse_expression((Node *) condition, context,
											   es->verbose, false), es);
	}
	if (es->analyze && scan)
		ExplainPropertyInteger("Partitions Read", NULL,
							   scan->partitions_read, es);
}
