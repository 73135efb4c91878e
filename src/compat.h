/*-------------------------------------------------------------------------
 *
 * compat.h
 *		The only place that tests PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_COMPAT_H
#define TOPIC_COMPAT_H

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/pathnode.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/selfuncs.h"
#include "utils/wait_event.h"

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 split explain.h. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18 put the attribute first, under a name of its own. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * 16 gave walkers a prototype; before, they are declared by (), which in C23,
 * the default of gcc since its version 15, says that they take no arguments.
 */
#if PG_VERSION_NUM < 160000
#define expression_tree_walker(node, walker, context) \
	expression_tree_walker(node, (bool (*) ()) (walker), context)
#endif

/* 16 replaced the checks of each kind of object by one. */
static inline bool
relation_ownercheck(Oid relid, Oid roleid)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relid, roleid);
#else
	return pg_class_ownercheck(relid, roleid);
#endif
}

/* An error if the user may not call the function. */
static inline void
check_function_privilege(Oid function)
{
#if PG_VERSION_NUM >= 160000
	AclResult	result = object_aclcheck(ProcedureRelationId, function,
										 GetUserId(), ACL_EXECUTE);
#else
	AclResult	result = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
#endif

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FUNCTION, get_func_name(function));
}

static inline AclResult
schema_aclcheck(Oid namespace, Oid roleid, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, namespace, roleid, mode);
#else
	return pg_namespace_aclcheck(namespace, roleid, mode);
#endif
}

/* 18 made deferrable primary keys a matter of the caller's choice. */
static inline Oid
primary_key_index(Relation relation)
{
#if PG_VERSION_NUM >= 180000
	return RelationGetPrimaryKeyIndex(relation, false);
#else
	return RelationGetPrimaryKeyIndex(relation);
#endif
}

/* 18 added instrumentation of index searches. */
static inline IndexScanDesc
begin_index_scan(Relation heap, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#endif
}

/* 18 added generated columns that are not stored. */
static inline bool
is_virtual_column(Form_pg_attribute column)
{
#if PG_VERSION_NUM >= 180000
	return column->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	return false;
#endif
}

/* 16 added indexes that summarize. */
static inline void
insert_index_entries(ResultRelInfo *relation, TupleTableSlot *slot,
					 EState *estate)
{
#if PG_VERSION_NUM >= 160000
	(void) ExecInsertIndexTuples(relation, slot, estate, false, false, NULL,
								 NIL, false);
#else
	(void) ExecInsertIndexTuples(relation, slot, estate, false, false, NULL,
								 NIL);
#endif
}

/*
 * Add some pages to a table at once, as many as there is use for, unless it has
 * free ones; returns how many were added, and the first.  16 made that one call
 * to the file system where it was one for each page; before that it is left to
 * heap_insert.
 */
static inline int
extend_relation(Relation relation, int pages, BlockNumber *first)
{
#if PG_VERSION_NUM >= 160000
	Buffer		buffers[64];
	uint32		added;

	if (GetPageWithFreeSpace(relation, MaxHeapTupleSize) != InvalidBlockNumber)
		return 0;
	*first = ExtendBufferedRelBy(BMR_REL(relation), MAIN_FORKNUM, NULL, 0,
								 Min(pages, lengthof(buffers)), buffers,
								 &added);
	for (uint32 i = 0; i < added; i++)
		ReleaseBuffer(buffers[i]);
	return added;
#else
	return 0;
#endif
}

/*
 * The process that runs a transaction; NULL if none does, as of a prepared one,
 * which keeps the virtual id that it had.  17 replaced backend ids by the
 * numbers of PGPROCs.
 */
static inline PGPROC *
transaction_process(VirtualTransactionId vxid)
{
#if PG_VERSION_NUM >= 170000
	PGPROC	   *process = ProcNumberGetProc(vxid.procNumber);
	bool		runs_it = process &&
		process->vxid.lxid == vxid.localTransactionId;
#else
	PGPROC	   *process = BackendIdGetProc(vxid.backendId);
	bool		runs_it = process && process->lxid == vxid.localTransactionId;
#endif

	return runs_it ? process : NULL;
}

/* 17 added restriction clauses, 18 the count of disabled nodes. */
static inline ForeignPath *
foreign_scan_path(PlannerInfo *root, RelOptInfo *rel, double rows,
				  Cost startup_cost, Cost total_cost, List *pathkeys,
				  Relids required_outer)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, 0, startup_cost,
								   total_cost, pathkeys, required_outer, NULL,
								   NIL, NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost,
								   total_cost, pathkeys, required_outer, NULL,
								   NIL, NIL);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost,
								   total_cost, pathkeys, required_outer, NULL,
								   NIL);
#endif
}

/* 18 replaced B-tree strategies by CompareType. */
static inline bool
pathkey_is_ascending(const PathKey *pathkey)
{
#if PG_VERSION_NUM >= 180000
	return pathkey->pk_cmptype == COMPARE_LT;
#else
	return pathkey->pk_strategy == BTLessStrategyNumber;
#endif
}

/* 17 added the planner's state. */
static inline double
array_length_estimate(PlannerInfo *root, Expr *array)
{
#if PG_VERSION_NUM >= 170000
	return estimate_array_length(root, (Node *) array);
#else
	return estimate_array_length((Node *) array);
#endif
}

/* 17 gave extensions wait events with names of their own; ask once. */
static inline uint32
new_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* 17 added a time limit for transactions, which ends the session. */
static inline void
disable_transaction_timeout(void)
{
#if PG_VERSION_NUM >= 170000
	SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
#endif
}

#endif							/* TOPIC_COMPAT_H */
