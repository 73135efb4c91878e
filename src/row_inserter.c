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
#include "executor/executor.h"

#include "row_inserter.h"

void
row_inserter_begin(RowInserter *inserter, Relation relation)
{
	int			natts = RelationGetDescr(relation)->natts;

	inserter->estate = CreateExecutorState();
	inserter->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->result_relation, relation, 0, NULL, 0);
	ExecOpenIndices(inserter->result_relation, false);
	inserter->slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
											  &TTSOpsHeapTuple);
	inserter->values = palloc0(natts * sizeof(Datum));
	inserter->nulls = palloc(natts * sizeof(bool));
	memset(inserter->nulls, true, natts * sizeof(bool));
}

void
row_inserter_insert(RowInserter *inserter, Datum *values, bool *nulls,
					int count, ItemPointer tid)
{
	TupleTableSlot *slot = inserter->slot;

	memcpy(inserter->values, values, count * sizeof(Datum));
	memcpy(inserter->nulls, nulls, count * sizeof(bool));
	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor,
									   inserter->values, inserter->nulls),
					   slot, true);
	ExecSimpleRelationInsert(inserter->result_relation, inserter->estate,
							 slot);
	*tid = slot->tts_tid;
	ExecClearTuple(slot);
	ResetPerTupleExprContext(inserter->estate);
}

void
row_inserter_end(RowInserter *inserter)
{
	ExecCloseIndices(inserter->result_relation);
	ExecDropSingleTupleTableSlot(inserter->slot);
	FreeExecutorState(inserter->estate);
	pfree(inserter->values);
	pfree(inserter->nulls);
}
