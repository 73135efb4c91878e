/*-------------------------------------------------------------------------
 *
 * topic_fdw_plan.c
 *		Planning scans of topics.<topic>: estimates, paths, plans.
 *
 * A scan returns its records ordered by (partition, record_offset), and reads
 * only what the conditions on partition and record_offset select.  These may
 * compare with columns of other relations of the query: then the scan is the
 * inner side of a nested loop.
 *
 * Conditions go into the plan twice: as quals that the executor checks, and
 * in fdw_exprs as what bounds the scan (topic_fdw_condition.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_opfamily_d.h"
#include "nodes/bitmapset.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "compat.h"
#include "segment.h"
#include "topic_fdw.h"

/* For want of better knowledge. */
#define ASSUMED_RECORD_BYTES	100

/*
 * As the planner assumes of any young table: plans are kept, and topics grow.
 */
#define ASSUMED_LEAST_PAGES		10

/* Kept in RelOptInfo.fdw_private. */
typedef struct TopicPlan
{
	Topic	   *topic;
	RecordColumn *columns;		/* by attribute */
} TopicPlan;

typedef struct ScanEstimate
{
	double		rows;
	Cost		startup_cost;
	Cost		total_cost;
} ScanEstimate;

static double
segment_pages(const Topic *topic, Segment *segment)
{
	Relation	relation = segment_try_open(topic, segment, AccessShareLock);
	double		pages = 0;

	if (relation)
	{
		pages = RelationGetNumberOfBlocks(relation);
		table_close(relation, AccessShareLock);
	}
	return pages;
}

/*
 * There may be thousands of segments, so the sealed ones are taken to be as
 * large as the last of them.
 */
BlockNumber
log_pages(const Topic *topic)
{
	int			sealed = topic->segments.count - 1;
	double		pages = segment_pages(topic, active_segment(topic));

	if (sealed > 0)
		pages += sealed * segment_pages(topic, active_segment(topic) - 1);
	pages = Max(pages, ASSUMED_LEAST_PAGES);
	return (BlockNumber) Min(pages, MaxBlockNumber);
}

/* As many as ANALYZE has seen; else what we assume. */
static double
records_per_page(Relation relation)
{
	double		tuples = relation->rd_rel->reltuples;

	if (tuples > 0 && relation->rd_rel->relpages > 0)
		return tuples / (BlockNumber) relation->rd_rel->relpages;
	return (double) BLCKSZ / ASSUMED_RECORD_BYTES;
}

/*
 * Estimate a scan with these clauses (a list of RestrictInfo).
 *
 * Whether or not there are statistics, we know that partitions are about equal,
 * and that an offset occurs once in a partition.  Conditions on the partition and
 * the offset save the reading, all others are only checked.
 */
static ScanEstimate
estimate_scan(PlannerInfo *root, RelOptInfo *baserel, List *clauses)
{
	TopicPlan  *plan = baserel->fdw_private;
	double		partitions = plan->topic->partitions;
	bool		one_offset = false;
	List	   *positions = NIL;
	List	   *others = NIL;
	double		fraction;
	double		pages;
	double		records;
	QualCost	qual_cost;
	ScanEstimate estimate;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		LogCondition condition;

		if (!match_log_condition(clause->clause, baserel->relid,
								 plan->columns, &condition) ||
			condition.column == RECORD_TIMESTAMP)
			others = lappend(others, clause);
		else if (condition.strategy != BTEqualStrategyNumber)
			positions = lappend(positions, clause);
		else if (condition.column == RECORD_PARTITION)
			partitions = Min(partitions,
							 condition.is_array
							 ? array_length_estimate(root, condition.value)
							 : 1);
		else if (condition.is_array)
			positions = lappend(positions, clause);
		else
			one_offset = true;
	}

	fraction = partitions / plan->topic->partitions *
		clauselist_selectivity(root, positions, baserel->relid, JOIN_INNER,
							   NULL);
	pages = baserel->pages * fraction;
	records = baserel->tuples * fraction;
	if (one_offset)
	{
		pages = Min(pages, partitions);
		records = Min(records, partitions);
	}
	estimate.rows = clamp_row_est(records *
								  clauselist_selectivity(root, others,
														 baserel->relid,
														 JOIN_INNER, NULL));

	/* A descent of the index for each partition. */
	cost_qual_eval(&qual_cost, clauses, root);
	estimate.startup_cost = random_page_cost + qual_cost.startup +
		baserel->reltarget->cost.startup;
	estimate.total_cost = estimate.startup_cost +
		random_page_cost * (partitions - 1) + seq_page_cost * pages +
		(cpu_tuple_cost + qual_cost.per_tuple) * records +
		baserel->reltarget->cost.per_tuple * estimate.rows;
	return estimate;
}

void
topic_get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	TopicPlan  *plan = palloc(sizeof(TopicPlan));
	Relation	relation = table_open(foreigntableid, NoLock);

	plan->topic = foreign_table_topic(foreigntableid);
	plan->columns = foreign_table_columns(plan->topic, relation);
	baserel->pages = log_pages(plan->topic);
	baserel->tuples = baserel->pages * records_per_page(relation);
	table_close(relation, NoLock);

	baserel->fdw_private = plan;
	baserel->rows = estimate_scan(root, baserel,
								  baserel->baserestrictinfo).rows;
}

/* Does the query fix the partition? */
static bool
partition_is_fixed(RelOptInfo *baserel)
{
	TopicPlan  *plan = baserel->fdw_private;
	ListCell   *cell;

	foreach(cell, baserel->baserestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);
		LogCondition condition;

		if (match_log_condition(clause->clause, baserel->relid, plan->columns,
								&condition) &&
			condition.column == RECORD_PARTITION &&
			condition.strategy == BTEqualStrategyNumber && !condition.is_array)
			return true;
	}
	return false;
}

/* Is this member of an equivalence class that column of the relation? */
static bool
member_is_column(RelOptInfo *baserel, EquivalenceMember *member,
				 RecordColumn column)
{
	TopicPlan  *plan = baserel->fdw_private;
	Var		   *var = (Var *) member->em_expr;

	return IsA(var, Var) && bms_equal(member->em_relids, baserel->relids) &&
		var->varattno > 0 && plan->columns[var->varattno - 1] == column;
}

static bool
pathkey_is_column(RelOptInfo *baserel, PathKey *pathkey, RecordColumn column)
{
	ListCell   *cell;

	if (!pathkey_is_ascending(pathkey) ||
		pathkey->pk_opfamily != INTEGER_BTREE_FAM_OID)
		return false;
	foreach(cell, pathkey->pk_eclass->ec_members)
	{
		if (member_is_column(baserel, lfirst(cell), column))
			return true;
	}
	return false;
}

/*
 * As much of the order that the query asks for as a scan has by itself.
 * Neither column is ever null, so NULLS FIRST and LAST are the same.
 */
static List *
scan_pathkeys(PlannerInfo *root, RelOptInfo *baserel)
{
	RecordColumn column = RECORD_PARTITION;
	List	   *pathkeys = NIL;
	ListCell   *cell;

	if (partition_is_fixed(baserel))
		column = RECORD_OFFSET;
	foreach(cell, root->query_pathkeys)
	{
		if (column > RECORD_OFFSET ||
			!pathkey_is_column(baserel, lfirst(cell), column))
			break;
		pathkeys = lappend(pathkeys, lfirst(cell));
		column++;
	}
	return pathkeys;
}

/*
 * Parameterized paths.
 */

/*
 * If a join clause bounds the scan, note the other relations that it needs,
 * by way of their ParamPathInfo: there is one for each set of relations.
 */
static void
note_join_clause(PlannerInfo *root, RelOptInfo *baserel, RestrictInfo *clause,
				 List **parameterizations)
{
	TopicPlan  *plan = baserel->fdw_private;
	LogCondition condition;
	Relids		required_outer;

	if (!join_clause_is_movable_to(clause, baserel) ||
		!match_log_condition(clause->clause, baserel->relid, plan->columns,
							 &condition) ||
		condition.column == RECORD_TIMESTAMP)
		return;

	required_outer = bms_union(clause->clause_relids, baserel->lateral_relids);
	required_outer = bms_del_member(required_outer, baserel->relid);
	if (!bms_is_empty(required_outer))
		*parameterizations =
			list_append_unique_ptr(*parameterizations,
								   get_baserel_parampathinfo(root, baserel,
															 required_outer));
}

/* Callback of generate_implied_equalities_for_column(). */
static bool
member_matches(PlannerInfo *root, RelOptInfo *baserel, EquivalenceClass *class,
			   EquivalenceMember *member, void *column)
{
	return member_is_column(baserel, member, *(RecordColumn *) column);
}

static List *
find_parameterizations(PlannerInfo *root, RelOptInfo *baserel)
{
	List	   *parameterizations = NIL;
	RecordColumn column;
	ListCell   *cell;

	foreach(cell, baserel->joininfo)
		note_join_clause(root, baserel, lfirst(cell), &parameterizations);

	/* Equalities between columns are not in joininfo. */
	for (column = RECORD_PARTITION;
		 column <= RECORD_OFFSET && baserel->has_eclass_joins; column++)
	{
		List	   *clauses;

		clauses = generate_implied_equalities_for_column(root, baserel,
														 member_matches,
														 &column,
														 baserel->lateral_referencers);
		foreach(cell, clauses)
			note_join_clause(root, baserel, lfirst(cell), &parameterizations);
	}
	return parameterizations;
}

static void
add_scan_path(PlannerInfo *root, RelOptInfo *baserel, ScanEstimate estimate,
			  List *pathkeys, Relids required_outer)
{
	add_path(baserel, (Path *)
			 foreign_scan_path(root, baserel, estimate.rows,
							   estimate.startup_cost, estimate.total_cost,
							   pathkeys, required_outer));
}

void
topic_get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	ListCell   *cell;

	add_scan_path(root, baserel,
				  estimate_scan(root, baserel, baserel->baserestrictinfo),
				  scan_pathkeys(root, baserel), baserel->lateral_relids);

	foreach(cell, find_parameterizations(root, baserel))
	{
		ParamPathInfo *parameterization = lfirst(cell);
		List	   *clauses;
		ScanEstimate estimate;

		clauses = list_concat_copy(baserel->baserestrictinfo,
								   parameterization->ppi_clauses);
		estimate = estimate_scan(root, baserel, clauses);

		/* All paths of this kind must agree. */
		parameterization->ppi_rows = estimate.rows;
		add_scan_path(root, baserel, estimate, NIL,
					  parameterization->ppi_req_outer);
	}
}

/*
 * The numbers of the attributes that the query uses.
 */
static List *
used_attributes(RelOptInfo *baserel, List *quals)
{
	TopicPlan  *plan = baserel->fdw_private;
	Bitmapset  *used = NULL;
	bool		whole_row;
	List	   *attributes = NIL;

	pull_varattnos((Node *) baserel->reltarget->exprs, baserel->relid, &used);
	pull_varattnos((Node *) quals, baserel->relid, &used);
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);

	for (int i = 1; i <= baserel->max_attr; i++)
	{
		if (plan->columns[i - 1] != RECORD_COLUMN_COUNT &&
			(whole_row ||
			 bms_is_member(i - FirstLowInvalidHeapAttributeNumber, used)))
			attributes = lappend_int(attributes, i);
	}
	return attributes;
}

ForeignScan *
topic_get_plan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
			   ForeignPath *best_path, List *tlist, List *scan_clauses,
			   Plan *outer_plan)
{
	TopicPlan  *plan = baserel->fdw_private;
	List	   *quals = extract_actual_clauses(scan_clauses, false);
	List	   *conditions = NIL;
	ListCell   *cell;

	foreach(cell, quals)
	{
		LogCondition condition;

		if (match_log_condition(lfirst(cell), baserel->relid, plan->columns,
								&condition))
			conditions = lappend(conditions, lfirst(cell));
	}

	return make_foreignscan(tlist, quals, baserel->relid, conditions,
							used_attributes(baserel, quals), NIL, NIL,
							outer_plan);
}
