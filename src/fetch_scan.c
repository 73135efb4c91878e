/*-------------------------------------------------------------------------
 *
 * fetch_scan.c
 *		Calls of fetch in FROM, one record at a time.
 *
 * call_plan.c says why.  The snapshot is the query's, as it is for a scan of
 * the topic's relation, which is what this resembles (topic_fdw_scan.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/executor.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "call_scan.h"
#include "fetch.h"

typedef struct FetchScan
{
	CallScan	call;

	/* The current pass over the log: a rescan starts another. */
	MemoryContext pass_context;
	FetchRequest request;
	Relation	relation;		/* the topic's; NULL before the first record */
	RecordFormatter formatter;
	int			partition;		/* the next one to read */
	LogReader  *reader;			/* NULL between partitions */
} FetchScan;

static Node *create_state(CustomScan * plan);
static void begin_scan(CustomScanState * node, EState *estate, int eflags);
static TupleTableSlot *next_row(CustomScanState * node);
static void end_scan(CustomScanState * node);
static void rescan(CustomScanState * node);

const		CustomScanMethods fetch_scan_methods = {
	.CustomName = "TopicFetch",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods fetch_exec_methods = {
	.CustomName = "TopicFetch",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = next_row,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = call_scan_explain
};

static Node *
create_state(CustomScan * plan)
{
	return call_scan_create(sizeof(FetchScan), &fetch_exec_methods);
}

static void
begin_scan(CustomScanState * node, EState *estate, int eflags)
{
	FetchScan  *scan = (FetchScan *) node;

	if (call_scan_begin(&scan->call, eflags))
		scan->pass_context = AllocSetContextCreate(CurrentMemoryContext,
												   "pg_topic fetch",
												   ALLOCSET_DEFAULT_SIZES);
}

/* Find out what this pass has to read. */
static void
start_pass(FetchScan *scan)
{
	LOCAL_FCINFO(fcinfo, CALL_MAX_ARGUMENTS);
	CallScan   *call = &scan->call;
	MemoryContext old_context;

	MemoryContextReset(scan->pass_context);
	old_context = MemoryContextSwitchTo(scan->pass_context);

	call_scan_arguments(call, fcinfo);
	fetch_request_init(&scan->request, fcinfo, call->css.ss.ps.state->es_snapshot);
	record_formatter_init(&scan->formatter, scan->request.topic,
						  call->function->format);

	/* Whoever drops the topic must know that it is in use. */
	scan->relation = table_open(scan->request.topic->relid, NoLock);
	scan->partition = scan->request.first;
	MemoryContextSwitchTo(old_context);
}

/* Begin to read the next partition; false if there is none. */
static bool
open_next_partition(FetchScan *scan)
{
	FetchRequest *request = &scan->request;
	MemoryContext old_context;

	if (scan->partition > request->last)
		return false;
	old_context = MemoryContextSwitchTo(scan->pass_context);
	scan->formatter.partition = scan->partition;
	scan->reader = log_reader_begin(request->topic, scan->partition,
									&request->range,
									scan->call.css.ss.ps.state->es_snapshot);
	if (request->max_records < PG_INT64_MAX)
		log_reader_expect(scan->reader, request->max_records);
	scan->partition++;
	MemoryContextSwitchTo(old_context);
	return true;
}

static void
close_reader(FetchScan *scan)
{
	if (scan->reader)
		log_reader_end(scan->reader);
	scan->reader = NULL;
}

static bool
next_record(FetchScan *scan, Record *record)
{
	if (scan->request.max_records == 0)
		return false;
	for (;;)
	{
		if (!scan->reader && !open_next_partition(scan))
			return false;
		if (log_reader_next(scan->reader, record))
		{
			scan->request.max_records--;
			return true;
		}
		close_reader(scan);
	}
}

/* Access method of ExecScan(). */
static TupleTableSlot *
read_record(ScanState * node)
{
	FetchScan  *scan = (FetchScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;
	MemoryContext old_context =
		MemoryContextSwitchTo(node->ps.ps_ExprContext->ecxt_per_tuple_memory);
	Record		record;

	ExecClearTuple(slot);
	if (!scan->relation)
		start_pass(scan);
	if (next_record(scan, &record))
	{
		int			count = slot->tts_tupleDescriptor->natts;

		for (int i = 0; i < count; i++)
			slot->tts_values[i] = record_column(&scan->formatter, &record,
												scan->call.columns[i],
												&slot->tts_isnull[i]);
		ExecStoreVirtualTuple(slot);
	}
	MemoryContextSwitchTo(old_context);
	return slot;
}

/*
 * Only a subquery gets here that is not joined to the row being rechecked: see
 * call_plan.c.  It is run from its start, as ever.  (Since the minor releases
 * of August 2025 the executor does so by itself.)
 */
static bool
recheck_record(ScanState * node, TupleTableSlot *slot)
{
	return !TupIsNull(read_record(node));
}

static TupleTableSlot *
next_row(CustomScanState * node)
{
	return ExecScan(&node->ss, read_record, recheck_record);
}

static void
close_pass(FetchScan *scan)
{
	close_reader(scan);
	if (scan->relation)
		table_close(scan->relation, NoLock);
	scan->relation = NULL;
}

static void
rescan(CustomScanState * node)
{
	close_pass((FetchScan *) node);
	ExecScanReScan(&node->ss);
}

static void
end_scan(CustomScanState * node)
{
	close_pass((FetchScan *) node);
}
