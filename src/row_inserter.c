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
	inserter->estate = CreateExecutorState();
	inserter->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->result_relation, relation, 0, NULL, 0);
	ExecOpenIndices(inserter->result_relation, false);
	inserter->slot = MakeSingleTupleTableSlot(RelationGetDescr(relation),
											  &TTSOpsHeapTuple);
}

void
row_inserter_insert(RowInserter *inserter, Datum *values, bool *nulls,
					ItemPointer tid)
{
	TupleTableSlot *slot = inserter->slot;

	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor, values,
									   nulls), slot, true);
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
}
