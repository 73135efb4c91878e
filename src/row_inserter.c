/*-------------------------------------------------------------------------
 *
 * row_inserter.c
 *		Inserting rows into the extension's tables.
 *
 * The hot tables are written without SPI, but as the executor writes any
 * table: constraints, triggers and indexes that a DBA has added, also those
 * with expressions and predicates, are minded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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

void
row_inserter_begin(RowInserter *inserter, Relation relation)
{
	inserter->estate = CreateExecutorState();
	inserter->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->result_relation, relation, 0, NULL, 0);
	ExecOpenIndices(inserter->result_relation, false);

	/* AFTER triggers look for it there. */
	inserter->estate->es_opened_result_relations =
		list_make1(inserter->result_relation);
	inserter->slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
											  &TTSOpsVirtual);
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

void
row_inserter_insert(RowInserter *inserter, Datum *values, bool *nulls,
					int count, ItemPointer tid)
{
	TupleTableSlot *slot = inserter->slot;
	TriggerDesc *triggers = inserter->result_relation->ri_TrigDesc;
	bool		fires_after = triggers && triggers->trig_insert_after_row;

	set_attributes(slot, values, nulls, count);
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
						RelationGetRelationName(inserter->result_relation->ri_RelationDesc)),
				 errdetail("The row must be inserted.")));
	if (fires_after)
		AfterTriggerEndQuery(inserter->estate);
	*tid = slot->tts_tid;
	ExecClearTuple(slot);
	ResetPerTupleExprContext(inserter->estate);
}

void
row_inserter_end(RowInserter *inserter)
{
	ExecCloseIndices(inserter->result_relation);
	ExecDropSingleTupleTableSlot(inserter->slot);
	ExecResetTupleTable(inserter->estate->es_tupleTable, false);
	FreeExecutorState(inserter->estate);
}

void
bulk_inserter_begin(BulkInserter *inserter, Relation relation)
{
	row_inserter_begin(&inserter->rows, relation);
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
	ResultRelInfo *relation = inserter->rows.result_relation;
	MemoryContext old_context;

	old_context = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	table_multi_insert(relation->ri_RelationDesc, inserter->slots,
					   inserter->count, GetCurrentCommandId(true),
					   TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM,
					   inserter->state);
	for (int i = 0; i < inserter->count; i++)
	{
		insert_index_entries(relation, inserter->slots[i], estate);
		ExecClearTuple(inserter->slots[i]);
	}
	MemoryContextSwitchTo(old_context);
	ResetPerTupleExprContext(estate);
	inserter->count = 0;
	inserter->bytes = 0;
}

void
bulk_inserter_insert(BulkInserter *inserter, Datum *values, bool *nulls,
					 int count)
{
	TupleTableSlot *slot = inserter->slots[inserter->count++];
	HeapTuple	tuple;

	set_attributes(slot, values, nulls, count);
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
	table_finish_bulk_insert(inserter->rows.result_relation->ri_RelationDesc,
							 TABLE_INSERT_FROZEN | TABLE_INSERT_SKIP_FSM);
	row_inserter_end(&inserter->rows);
}
