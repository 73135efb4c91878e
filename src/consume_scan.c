/*-------------------------------------------------------------------------
 *
 * consume_scan.c
 *		Calls of consume and poll in FROM, whose records need no tuplestore.
 *
 * call_plan.c says why.  As for a function in FROM, the call is made when the
 * first row is asked for, and reads all that it may: the positions of the group
 * are behind that from then on, whatever the query does with the rows.  So all
 * records are kept, and returned again by a rescan, but for one with other
 * arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"

#include "call_scan.h"
#include "compat.h"

typedef struct ConsumeScan
{
	CallScan	call;
	Bitmapset  *params;			/* that the arguments depend on */
	MemoryContext context;
	RecordRows *rows;			/* NULL before the call */
} ConsumeScan;

static Node *create_state(CustomScan * plan);
static void begin_scan(CustomScanState * node, EState *estate, int eflags);
static TupleTableSlot *next_row(CustomScanState * node);
static void end_scan(CustomScanState * node);
static void rescan(CustomScanState * node);

const		CustomScanMethods consume_scan_methods = {
	.CustomName = "TopicConsume",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods consume_exec_methods = {
	.CustomName = "TopicConsume",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = next_row,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = call_scan_explain
};

static Node *
create_state(CustomScan * plan)
{
	return call_scan_create(sizeof(ConsumeScan), &consume_exec_methods);
}

/* The executor's parameters in it: those of a statement do not change. */
static bool
find_params(Node *node, void *context)
{
	Bitmapset **params = context;

	if (!node)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, find_params, context);
}

static void
begin_scan(CustomScanState * node, EState *estate, int eflags)
{
	ConsumeScan *scan = (ConsumeScan *) node;

	if (!call_scan_begin(&scan->call, eflags))
		return;
	(void) find_params((Node *) scan->call.call, &scan->params);
	scan->context = CurrentMemoryContext;
}

static void
make_call(ConsumeScan *scan)
{
	LOCAL_FCINFO(fcinfo, CALL_MAX_ARGUMENTS);
	const RecordFunction *function = scan->call.function;
	ScanState  *state = &scan->call.css.ss;
	MemoryContext old_context = MemoryContextSwitchTo(scan->context);

	scan->rows = record_rows_begin(state->ss_ScanTupleSlot->tts_tupleDescriptor,
								   scan->call.columns);
	MemoryContextSwitchTo(state->ps.ps_ExprContext->ecxt_per_tuple_memory);
	call_scan_arguments(&scan->call, fcinfo);
	function->read(fcinfo, function->format, scan->rows);
	MemoryContextSwitchTo(old_context);
}

/* Access method of ExecScan(). */
static TupleTableSlot *
read_row(ScanState * node)
{
	ConsumeScan *scan = (ConsumeScan *) node;

	if (!scan->rows)
		make_call(scan);
	(void) record_rows_get(scan->rows,
						   ScanDirectionIsForward(node->ps.state->es_direction),
						   node->ss_ScanTupleSlot);
	return node->ss_ScanTupleSlot;
}

/* As in fetch_scan.c. */
static bool
recheck_row(ScanState * node, TupleTableSlot *slot)
{
	return !TupIsNull(read_row(node));
}

static TupleTableSlot *
next_row(CustomScanState * node)
{
	return ExecScan(&node->ss, read_row, recheck_row);
}

static void
forget_rows(ConsumeScan *scan)
{
	if (scan->rows)
		record_rows_end(scan->rows);
	scan->rows = NULL;
}

static void
rescan(CustomScanState * node)
{
	ConsumeScan *scan = (ConsumeScan *) node;

	ExecScanReScan(&node->ss);
	if (bms_overlap(node->ss.ps.chgParam, scan->params))
		forget_rows(scan);
	else if (scan->rows)
		record_rows_rewind(scan->rows);
}

static void
end_scan(CustomScanState * node)
{
	forget_rows((ConsumeScan *) node);
}
