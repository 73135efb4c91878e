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
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/rel.h"

#include "row_inserter.h"

void
row_inserter_begin(RowInserter *inserter, Relation relation)
{
	int			natts = RelationGetDescr(relation)->natts;

	inserter->estate = CreateExecutorState();
	inserter->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(inserter->result_relation, relation, 0, NULL, 0);
	ExecOpenIndices(inserter->result_relation, false);

	/* AFTER triggers look for it there. */
	inserter->estate->es_opened_result_relations =
		list_make1(inserter->result_relation);
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
	TriggerDesc *triggers = inserter->result_relation->ri_TrigDesc;
	bool		fires_after = triggers && triggers->trig_insert_after_row;

	memcpy(inserter->values, values, count * sizeof(Datum));
	memcpy(inserter->nulls, nulls, count * sizeof(bool));
	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor,
									   inserter->values, inserter->nulls),
					   slot, true);

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
	pfree(inserter->values);
	pfree(inserter->nulls);
}
