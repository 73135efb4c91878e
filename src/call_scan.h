/*-------------------------------------------------------------------------
 *
 * call_scan.h
 *		Scans in the place of functions in FROM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CALL_SCAN_H
#define TOPIC_CALL_SCAN_H

#include "fmgr.h"
#include "nodes/extensible.h"

#include "record_rows.h"

/* A function that returns records, and the scan that does what it would. */
typedef struct RecordFunction
{
	PGFunction	function;
	ValueFormat format;
	const		CustomScanMethods *methods;

	/* fetch reads as its scan goes on; these read all at once. */
	void		(*read) (FunctionCallInfo fcinfo, ValueFormat format,
						 RecordRows *rows);
	int			first_column;	/* RECORD_TOPIC or RECORD_PARTITION */
} RecordFunction;

/* NULL if the function is none of these. */
extern const RecordFunction *record_function(Oid function);

/* What these scans have in common. */
typedef struct CallScan
{
	CustomScanState css;
	const RecordFunction *function;
	FuncExpr   *call;
	List	   *arguments;		/* of ExprState */
	int			columns[RECORD_COLUMN_COUNT + 1];	/* RecordColumns by
													 * attribute of the scan */
} CallScan;

/* No function of these has more. */
#define CALL_MAX_ARGUMENTS	7

/* Its state, of a type that begins with CallScan. */
extern Node *call_scan_create(Size size, const CustomExecMethods * methods);

/* False if the plan is only to be shown. */
extern bool call_scan_begin(CallScan *scan, int eflags);

/* Evaluate the arguments, in the current memory context. */
extern void call_scan_arguments(CallScan *scan, FunctionCallInfo fcinfo);

/* Method to show the call, whose arguments bound what is read. */
extern void call_scan_explain(CustomScanState * node, List *ancestors,
							  ExplainState *es);

/* The scans: fetch_scan.c, consume_scan.c */
extern const CustomScanMethods fetch_scan_methods;
extern const CustomScanMethods consume_scan_methods;

/* Planning: call_plan.c */
extern void call_plan_init(void);

#endif							/* TOPIC_CALL_SCAN_H */
