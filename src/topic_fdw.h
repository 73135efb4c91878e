/*-------------------------------------------------------------------------
 *
 * topic_fdw.h
 *		The foreign-data wrapper behind the relations topics.<topic>.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_FDW_H
#define TOPIC_FDW_H

#include "access/stratnum.h"
#include "foreign/fdwapi.h"
#include "nodes/primnodes.h"

#include "log_reader.h"
#include "record_value.h"
#include "topic.h"

/* The topic whose relation this is; an error if it is no topic's. */
extern Topic *foreign_table_topic(Oid relid);

/*
 * What each attribute of a topic's relation is; RECORD_COLUMN_COUNT stands
 * for a dropped one.  The owner may drop and reorder columns; any that does
 * not belong there is an error.
 */
extern RecordColumn *foreign_table_columns(const Topic *topic,
										   Relation relation);

/*
 * A condition that bounds what a scan reads: "column operator value", or
 * "column = ANY (value)".
 */
typedef struct LogCondition
{
	RecordColumn column;		/* partition, record_offset, record_timestamp */
	StrategyNumber strategy;	/* the operator, as B-trees name them */
	bool		is_array;		/* = ANY (value) */
	Oid			type;			/* of value, or of the array's elements */
	Expr	   *value;
} LogCondition;

/*
 * Does the clause bound the scan of a relation of the query?  It does if its
 * value is known before the scan starts.
 */
extern bool match_log_condition(Expr *clause, Index relid,
								const RecordColumn *columns,
								LogCondition *condition);

/* What to read of a topic. */
typedef struct LogSelection
{
	Bitmapset  *partitions;
	LogRange	range;			/* of each of them */
} LogSelection;

extern void select_whole_log(const Topic *topic, LogSelection *selection);

/*
 * Narrow a selection by a condition, given the value.  Never leaves out a
 * record that fulfils the condition, but may keep some that do not.
 */
extern void narrow_selection(LogSelection *selection,
							 const LogCondition *condition,
							 Datum value, bool isnull);

/* Planning: topic_fdw_plan.c */
extern void topic_get_rel_size(PlannerInfo *root, RelOptInfo *baserel,
							   Oid foreigntableid);
extern void topic_get_paths(PlannerInfo *root, RelOptInfo *baserel,
							Oid foreigntableid);
extern ForeignScan *topic_get_plan(PlannerInfo *root, RelOptInfo *baserel,
								   Oid foreigntableid, ForeignPath *best_path,
								   List *tlist, List *scan_clauses,
								   Plan *outer_plan);

/* The pages of a topic's log, as an estimate. */
extern BlockNumber log_pages(const Topic *topic);

/* Scanning: topic_fdw_scan.c */
extern void topic_begin_scan(ForeignScanState *node, int eflags);
extern TupleTableSlot *topic_iterate_scan(ForeignScanState *node);
extern void topic_rescan(ForeignScanState *node);
extern void topic_end_scan(ForeignScanState *node);
extern void topic_explain_scan(ForeignScanState *node,
							   struct ExplainState *es);

/* INSERT and COPY: topic_fdw_insert.c */
extern List *topic_plan_modify(PlannerInfo *root, ModifyTable *plan,
							   Index relid, int subplan_index);
extern void topic_begin_modify(ModifyTableState *mtstate,
							   ResultRelInfo *result, List *fdw_private,
							   int subplan_index, int eflags);
extern void topic_begin_insert(ModifyTableState *mtstate,
							   ResultRelInfo *result);
extern TupleTableSlot *topic_exec_insert(EState *estate,
										 ResultRelInfo *result,
										 TupleTableSlot *slot,
										 TupleTableSlot *plan_slot);

/* ANALYZE: topic_fdw_analyze.c */
extern bool topic_analyze(Relation relation, AcquireSampleRowsFunc *function,
						  BlockNumber *pages);

#endif							/* TOPIC_FDW_H */
