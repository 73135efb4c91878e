/*-------------------------------------------------------------------------
 *
 * call_scan.c
 *		Scans in the place of functions in FROM: what they have in common.
 *
 * call_plan.c says what they are for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "call_scan.h"
#include "compat.h"
#include "consume.h"
#include "fetch.h"

static const RecordFunction record_functions[] = {
	{topic_fetch, FORMAT_BYTES, &fetch_scan_methods, NULL, RECORD_PARTITION},
	{topic_fetch_text, FORMAT_TEXT, &fetch_scan_methods, NULL, RECORD_PARTITION},
	{topic_fetch_json, FORMAT_JSON, &fetch_scan_methods, NULL, RECORD_PARTITION},
	{topic_consume, FORMAT_BYTES, &consume_scan_methods, consume_records, RECORD_PARTITION},
	{topic_consume_text, FORMAT_TEXT, &consume_scan_methods, consume_records, RECORD_PARTITION},
	{topic_consume_json, FORMAT_JSON, &consume_scan_methods, consume_records, RECORD_PARTITION},
	{topic_poll, FORMAT_BYTES, &consume_scan_methods, poll_records, RECORD_TOPIC},
	{topic_poll_text, FORMAT_TEXT, &consume_scan_methods, poll_records, RECORD_TOPIC},
	{topic_poll_json, FORMAT_JSON, &consume_scan_methods, poll_records, RECORD_TOPIC},
};

const RecordFunction *
record_function(Oid function)
{
	FmgrInfo	info;

	/* To be quick: it has a support function, as hardly another has. */
	if (!OidIsValid(get_func_support(function)))
		return NULL;
	fmgr_info(function, &info);
	for (int i = 0; i < lengthof(record_functions); i++)
		if (info.fn_addr == record_functions[i].function)
			return &record_functions[i];
	return NULL;
}

Node *
call_scan_create(Size size, const CustomExecMethods * methods)
{
	CallScan   *scan = palloc0(size);

	NodeSetTag(scan, T_CustomScanState);
	scan->css.methods = methods;
	return (Node *) scan;
}

bool
call_scan_begin(CallScan *scan, int eflags)
{
	PlanState  *state = &scan->css.ss.ps;
	CustomScan *plan = (CustomScan *) state->plan;
	ListCell   *cell;

	scan->call = linitial_node(FuncExpr, plan->custom_exprs);

	/* As the executor does for a function that it calls, or explains. */
	check_function_privilege(scan->call->funcid);
	InvokeFunctionExecuteHook(scan->call->funcid);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return false;

	scan->function = record_function(scan->call->funcid);
	if (!scan->function)
		elog(ERROR, "unexpected function in the plan of a scan");
	scan->arguments = ExecInitExprList(scan->call->args, state);
	foreach(cell, plan->custom_scan_tlist)
	{
		TargetEntry *column = lfirst(cell);

		scan->columns[column->resno - 1] = scan->function->first_column +
			castNode(Var, column->expr)->varattno - 1;
	}
	return true;
}

void
call_scan_arguments(CallScan *scan, FunctionCallInfo fcinfo)
{
	ListCell   *cell;

	InitFunctionCallInfoData(*fcinfo, NULL, list_length(scan->arguments),
							 InvalidOid, NULL, NULL);
	foreach(cell, scan->arguments)
	{
		NullableDatum *argument = &fcinfo->args[foreach_current_index(cell)];

		argument->value = ExecEvalExpr(lfirst(cell),
									   scan->css.ss.ps.ps_ExprContext,
									   &argument->isnull);
	}
}

void
call_scan_explain(CustomScanState * node, List *ancestors, ExplainState *es)
{
	CallScan   *scan = (CallScan *) node;
	List	   *context = set_deparse_context_plan(es->deparse_cxt,
												   node->ss.ps.plan,
												   ancestors);

	ExplainPropertyText("Function Call",
						deparse_expression((Node *) scan->call, context,
										   es->verbose, false), es);
}
