/*-------------------------------------------------------------------------
 *
 * call_plan.c
 *		Planning calls in FROM as scans.
 *
 * What a function in FROM returns, the executor puts into a tuplestore before
 * it looks at the first row: all of it, with all columns, in temporary files
 * beyond work_mem.  So the planner is told of custom scans that do what the
 * calls would, but return one record at a time, and only the columns that the
 * query uses: fetch_scan.c, consume_scan.c.
 *
 * The function itself is left for what the scans do not do: ordinals, ROWS
 * FROM of several functions, whole rows, and calls outside of FROM.  It is
 * also left where its result must stay as it is: a scan of fetch that is run
 * again evaluates the arguments again, so none may be volatile; and a row that
 * is locked is checked again beside the very rows that it was joined to.
 *
 * The library is there when a call is planned: the planner asks the function's
 * support function for an estimate of its rows, before it asks for paths.  To be
 * asked is all that that of consume and poll is for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"

#include "call_scan.h"

PG_FUNCTION_INFO_V1(topic_fetch_support);
PG_FUNCTION_INFO_V1(topic_consume_support);

/* The number of the argument max_records, from 0. */
#define MAX_RECORDS_ARGUMENT	6

static set_rel_pathlist_hook_type previous_set_rel_pathlist_hook = NULL;

/* The call that a relation of the query consists of, and of what; or NULL. */
static FuncExpr *
record_call(const RangeTblEntry * rte, const RecordFunction **called)
{
	RangeTblFunction *function;

	if (rte->rtekind != RTE_FUNCTION || rte->funcordinality ||
		list_length(rte->functions) != 1)
		return NULL;
	function = linitial_node(RangeTblFunction, rte->functions);
	if (!IsA(function->funcexpr, FuncExpr))
		return NULL;
	*called = record_function(((FuncExpr *) function->funcexpr)->funcid);
	return *called ? (FuncExpr *) function->funcexpr : NULL;
}

/* The columns that the query uses, as Vars. */
static List *
used_columns(const RelOptInfo *rel, List *clauses)
{
	List	   *vars = list_concat(pull_var_clause((Node *) rel->reltarget->exprs,
												   PVC_RECURSE_PLACEHOLDERS),
								   pull_var_clause((Node *) clauses,
												   PVC_RECURSE_PLACEHOLDERS));
	List	   *used = NIL;
	ListCell   *cell;

	foreach(cell, vars)
	{
		Var		   *var = lfirst_node(Var, cell);

		if (var->varno == rel->relid)
			used = list_append_unique(used, var);
	}
	return used;
}

/* Does the query use rows as a whole? */
static bool
uses_whole_row(const RelOptInfo *rel)
{
	List	   *clauses = extract_actual_clauses(rel->baserestrictinfo, false);
	ListCell   *cell;

	foreach(cell, used_columns(rel, clauses))
	{
		if (lfirst_node(Var, cell)->varattno <= 0)
			return true;
	}
	return false;
}

static Plan *
plan_call(PlannerInfo *root, RelOptInfo *rel, CustomPath * path, List *tlist,
		  List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	const RecordFunction *function;
	FuncExpr   *call = record_call(planner_rt_fetch(rel->relid, root),
								   &function);
	List	   *quals = extract_actual_clauses(clauses, false);

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = quals;
	scan->flags = path->flags;
	scan->custom_exprs = list_make1(copyObject(call));

	/* The scan returns what is used, and the columns' numbers tell what is. */
	scan->custom_scan_tlist = add_to_flat_tlist(NIL, used_columns(rel, quals));
	scan->methods = function->methods;
	return &scan->scan.plan;
}

static const CustomPathMethods call_path_methods = {
	.CustomName = "TopicCall",
	.PlanCustomPath = plan_call
};

/* Callback of the planner: put a scan in the place of the function's. */
static void
set_call_path(PlannerInfo *root, RelOptInfo *rel, Index relid,
			  RangeTblEntry * rte)
{
	const RecordFunction *function;
	FuncExpr   *call = record_call(rte, &function);
	CustomPath *path;
	Path	   *function_path;

	if (previous_set_rel_pathlist_hook)
		previous_set_rel_pathlist_hook(root, rel, relid, rte);
	if (!call || rel->pathlist == NIL || root->rowMarks != NIL ||
		uses_whole_row(rel))
		return;
	if (!function->read && contain_volatile_functions((Node *) call->args))
		return;
	function_path = linitial(rel->pathlist);
	if (function_path->pathtype != T_FunctionScan)
		return;

	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.param_info = function_path->param_info;
	path->path.rows = function_path->rows;
	path->path.startup_cost = rel->reltarget->cost.startup +
		rel->baserestrictcost.startup;
	path->path.total_cost = function_path->total_cost;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	if (function->read)
		path->flags |= CUSTOMPATH_SUPPORT_BACKWARD_SCAN;
	path->methods = &call_path_methods;
	rel->pathlist = NIL;
	add_path(rel, &path->path);
}

void
call_plan_init(void)
{
	RegisterCustomScanMethods(&fetch_scan_methods);
	RegisterCustomScanMethods(&consume_scan_methods);
	previous_set_rel_pathlist_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_call_path;
}

/*
 * fetch_support(request internal) returns internal
 *
 * A call returns as many records as it may, for want of better knowledge.
 */
Datum
topic_fetch_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *rows = (SupportRequestRows *) request;
	List	   *arguments;
	Const	   *max_records;

	if (!IsA(request, SupportRequestRows) || !is_funcclause(rows->node))
		PG_RETURN_POINTER(NULL);
	arguments = ((FuncExpr *) rows->node)->args;
	if (list_length(arguments) <= MAX_RECORDS_ARGUMENT)
		PG_RETURN_POINTER(NULL);
	max_records = list_nth(arguments, MAX_RECORDS_ARGUMENT);
	if (!IsA(max_records, Const) || max_records->constisnull)
		PG_RETURN_POINTER(NULL);
	rows->rows = DatumGetInt32(max_records->constvalue);
	PG_RETURN_POINTER(request);
}

/* consume_support(request internal) returns internal: see above */
Datum
topic_consume_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
