/*-------------------------------------------------------------------------
 *
 * row_inserter.c
 *		Inserting rows into the extension's tables.
 *
 * The hot tables are written without SPI, but as the executor writes any
 * table: constraints, triggers and indexes that a DBA has added, also those
 * with expressions and predicates, are minded.
 *
 * Most have nothing but a primary key.  There the executor's state would add a
 * fifth to what the row and its index entry cost, so these are inserted without
 * it, as PostgreSQL does in TOAST tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/rel.h"

#include "compat.h"
#include "row_inserter.h"

/* How many bytes of rows are collected before they are inserted. */
#define BULK_INSERT_BYTES	(64 * 1024)

/*
 * The primary key of a table of so many columns in which nothing has to be
 * minded but that, and which of them may be null; else InvalidOid.  Nobody can
 * have added a generated column, then, or one with a default.
 */
static Oid
only_index(Relation relation, int columns)
{
	TupleConstr *constraints = RelationGetDescr(relation)->constr;
	List	   *indexes;
	Oid			index = InvalidOid;

	if (RelationGetNumberOfAttributes(relation) != columns ||
		relation->trigdesc || relation->rd_rel->relispartition ||
		(constraints && constraints->num_check > 0) ||
		relation->rd_tableam != GetHeapamTableAmRoutine())
		return InvalidOid;

	indexes = RelationGetIndexList(relation);
	if (list_length(indexes) == 1 &&
		linitial_oid(indexes) == primary_key_index(relation))
		index = linitial_oid(indexes);
	list_free(indexes);
	return index;
}

/* Get ready to insert as the executor does; this locks the indexes. */
static void
begin_executor(RowInserter *inserter)
{
	inserter->estate = CreateExecutorState();
	inserter->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->result_relation, inserter->relation, 0, NULL,
					  0);
	ExecOpenIndices(inserter->result_relation, false);

	/* AFTER triggers look for it there. */
	inserter->estate->es_opened_result_relations =
		list_make1(inserter->result_relation);
	inserter->slot =
		MakeSingleTupleTableSlot(RelationGetDescr(inserter->relation),
								 &TTSOpsVirtual);
}

static void
end_executor(RowInserter *inserter)
{
	ExecCloseIndices(inserter->result_relation);
	ExecDropSingleTupleTableSlot(inserter->slot);
	ExecResetTupleTable(inserter->estate->es_tupleTable, false);
	FreeExecutorState(inserter->estate);
}

static void
init_inserter(RowInserter *inserter, Relation relation, int columns)
{
	memset(inserter, 0, sizeof(RowInserter));
	inserter->relation = relation;
	inserter->columns = columns;
}

void
row_inserter_begin(RowInserter *inserter, Relation relation, int columns)
{
	Oid			index = only_index(relation, columns);

	init_inserter(inserter, relation, columns);
	if (OidIsValid(index))
		inserter->index = index_open(index, RowExclusiveLock);
	else
		begin_executor(inserter);
}

/* Is no attribute null that must not be? */
static bool
nulls_are_allowed(Relation relation, const bool *nulls)
{
	TupleDesc	columns = RelationGetDescr(relation);

	for (int i = 0; i < columns->natts; i++)
		if (nulls[i] && TupleDescAttr(columns, i)->attnotnull)
			return false;
	return true;
}

/* Insert a row into a plain table. */
static void
insert_plain(Relation relation, Relation index, Datum *values, bool *nulls,
			 ItemPointer tid)
{
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(relation), values,
										nulls);
	int			column_count = IndexRelationGetNumberOfAttributes(index);
	Datum		keys[INDEX_MAX_KEYS];
	bool		key_nulls[INDEX_MAX_KEYS];

	for (int i = 0; i < column_count; i++)
	{
		AttrNumber	attribute = index->rd_index->indkey.values[i];

		keys[i] = values[attribute - 1];
		key_nulls[i] = nulls[attribute - 1];
	}
	simple_heap_insert(relation, tuple);

	/* A B-tree has no use for IndexInfo. */
	(void) index_insert(index, keys, key_nulls, &tuple->t_self, relation,
						UNIQUE_CHECK_YES, false, NULL);
	*tid = tuple->t_self;
	heap_freetuple(tuple);
}

/* Put a row's attributes into an empty slot. */
static void
set_attributes(TupleTableSlot *slot, const Datum *values, const bool *nulls,
			   int count)
{
	int			others = slot->tts_tupleDescriptor->natts - count;

	memcpy(slot->tts_values, values, count * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, count * sizeof(bool));
	memset(slot->tts_isnull + count, true, others * sizeof(bool));
}

/* Insert a row as the executor does. */
static void
insert_by_executor(RowInserter *inserter, Datum *values, bool *nulls,
				   ItemPointer tid)
{
	TupleTableSlot *slot = inserter->slot;
	TriggerDesc *triggers = inserter->result_relation->ri_TrigDesc;
	bool		fires_after = triggers && triggers->trig_insert_after_row;

	set_attributes(slot, values, nulls, inserter->columns);
	ExecStoreVirtualTuple(slot);

	/* The query that we are called in may be a SELECT, which has no triggers. */
	if (fires_after)
		AfterTriggerBeginQuery();
	ExecSimpleRelationInsert(inserter->result_relation, inserter->estate,
							 slot);
	if (!ItemPointerIsValid(&slot->tts_tid))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("a trigger on \"%s\" suppressed a row",
						RelationGetRelationName(inserter->relation)),
				 errdetail("The row must be inserted.")));
	if (fires_after)
		AfterTriggerEndQuery(inserter->estate);
	*tid = slot->tts_tid;
	ExecClearTuple(slot);
	ResetPerTupleExprContext(inserter->estate);
}

void
row_inserter_insert(RowInserter *inserter, Datum *values, bool *nulls,
					ItemPointer tid)
{
	if (inserter->index && nulls_are_allowed(inserter->relation, nulls))
	{
		insert_plain(inserter->relation, inserter->index, values, nulls, tid);
		return;
	}
	if (!inserter->estate)
		begin_executor(inserter);
	insert_by_executor(inserter, values, nulls, tid);
}

void
row_inserter_end(RowInserter *inserter)
{
	if (inserter->estate)
		end_executor(inserter);
	if (inserter->index)
		index_close(inserter->index, RowExclusiveLock);
}

void
bulk_inserter_begin(BulkInserter *inserter, Relation relation, int columns)
{
	init_inserter(&inserter->rows, relation, columns);
	begin_executor(&inserter->rows);
	inserter->state = GetBulkInsertState();
	for (int i = 0; i < BULK_INSERT_ROWS; i++)
		inserter->slots[i] =
			MakeSingleTupleTableSlot(RelationGetDescr(relation),
									 &TTSOpsHeapTuple);
	inserter->count = 0;
	inserter->bytes = 0;
}

/* Insert what was collected. */
static void
flush_rows(BulkInserter *inserter)
{
	EState	   *estate = inserter->rows.estate;
	MemoryContext old_context;

	old_context = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	table_multi_insert(inserter->rows.relation, inserter->slots,
					   inserter->count, GetCurrentCommandId(true),
					   TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM,
					   inserter->state);
	for (int i = 0; i < inserter->count; i++)
	{
		insert_index_entries(inserter->rows.result_relation,
							 inserter->slots[i], estate);
		ExecClearTuple(inserter->slots[i]);
	}
	MemoryContextSwitchTo(old_context);
	ResetPerTupleExprContext(estate);
	inserter->count = 0;
	inserter->bytes = 0;
}

void
bulk_inserter_insert(BulkInserter *inserter, Datum *values, bool *nulls)
{
	TupleTableSlot *slot = inserter->slots[inserter->count++];
	HeapTuple	tuple;

	set_attributes(slot, values, nulls, inserter->rows.columns);
	tuple = heap_form_tuple(slot->tts_tupleDescriptor, slot->tts_values,
							slot->tts_isnull);
	ExecStoreHeapTuple(tuple, slot, true);
	inserter->bytes += tuple->t_len;
	if (inserter->count == BULK_INSERT_ROWS ||
		inserter->bytes >= BULK_INSERT_BYTES)
		flush_rows(inserter);
}

void
bulk_inserter_end(BulkInserter *inserter)
{
	if (inserter->count > 0)
		flush_rows(inserter);
	for (int i = 0; i < BULK_INSERT_ROWS; i++)
		ExecDropSingleTupleTableSlot(inserter->slots[i]);
	FreeBulkInsertState(inserter->state);
	table_finish_bulk_insert(inserter->rows.relation,
							 TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM);
	row_inserter_end(&inserter->rows);
}
