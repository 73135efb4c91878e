/*-------------------------------------------------------------------------
 *
 * consumer_offset.c
 *		The table of committed offsets.
 *
 * A commit inserts a new row and deletes the previous one, under a key that
 * ends in a commit number.  Readers walk the key backwards, so that the row
 * they want comes first however many dead ones a held snapshot keeps behind
 * it.  That is why this is C and not SQL: the order is not the planner's to
 * choose.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "compat.h"
#include "consumer_offset.h"

void
consumer_offset_read(const char *group_id, const char *topic, int partition,
					 Snapshot snapshot, ConsumerOffset *offset,
					 ConsumerOffsetDetails *details)
{
	Relation	relation = table_open(catalog_relation_oid("consumer_offsets"),
									  AccessShareLock);
	Relation	index = index_open(primary_key_index(relation),
								   AccessShareLock);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	IndexScanDesc scan;
	ScanKeyData keys[3];

	/* Attribute numbers are those of the index, and the same as the table's. */
	ScanKeyInit(&keys[0], Anum_consumer_offsets_group_id,
				BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group_id));
	ScanKeyInit(&keys[1], Anum_consumer_offsets_topic,
				BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(topic));
	ScanKeyInit(&keys[2], Anum_consumer_offsets_partition,
				BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(partition));
	scan = begin_index_scan(relation, index, snapshot, 3);
	index_rescan(scan, keys, 3, NULL, 0);

	memset(offset, 0, sizeof(ConsumerOffset));
	if (index_getnext_slot(scan, BackwardScanDirection, slot))
	{
		slot_getallattrs(slot);
		offset->found = true;
		offset->committed_offset =
			DatumGetInt64(slot->tts_values[Anum_consumer_offsets_committed_offset - 1]);
		offset->commit_number =
			DatumGetInt64(slot->tts_values[Anum_consumer_offsets_commit_number - 1]);
		offset->row = slot->tts_tid;
		offset->writer =
			HeapTupleHeaderGetXmin(ExecFetchSlotHeapTuple(slot, false, NULL)->t_data);
		if (details)
		{
			int			metadata = Anum_consumer_offsets_metadata - 1;

			details->metadata = slot->tts_isnull[metadata] ? NULL
				: TextDatumGetCString(slot->tts_values[metadata]);
			details->committed_at =
				DatumGetTimestampTz(slot->tts_values[Anum_consumer_offsets_committed_at - 1]);
		}
	}

	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);

	/*
	 * The lock stays: a row version that was read must not be moved by VACUUM
	 * FULL before it is deleted.
	 */
	table_close(relation, NoLock);
}

void
consumer_offset_write(const char *group_id, const char *topic, int partition,
					  ConsumerOffset *offset, int64 committed_offset,
					  const char *metadata)
{
	Relation	relation = table_open(catalog_relation_oid("consumer_offsets"),
									  RowExclusiveLock);
	Datum		values[Natts_consumer_offsets];
	bool		nulls[Natts_consumer_offsets] = {0};
	HeapTuple	tuple;

	values[Anum_consumer_offsets_group_id - 1] = CStringGetTextDatum(group_id);
	values[Anum_consumer_offsets_topic - 1] = CStringGetTextDatum(topic);
	values[Anum_consumer_offsets_partition - 1] = Int32GetDatum(partition);
	values[Anum_consumer_offsets_commit_number - 1] =
		Int64GetDatum(offset->commit_number + 1);
	values[Anum_consumer_offsets_committed_offset - 1] =
		Int64GetDatum(committed_offset);
	nulls[Anum_consumer_offsets_metadata - 1] = metadata == NULL;
	values[Anum_consumer_offsets_metadata - 1] = metadata
		? CStringGetTextDatum(metadata) : (Datum) 0;
	values[Anum_consumer_offsets_committed_at - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());

	tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);
	CatalogTupleInsert(relation, tuple);
	if (offset->found)
		CatalogTupleDelete(relation, &offset->row);

	offset->found = true;
	offset->committed_offset = committed_offset;
	offset->commit_number++;
	offset->row = tuple->t_self;
	offset->writer = GetCurrentTransactionId();
	heap_freetuple(tuple);
	table_close(relation, NoLock);

	/* The same statement may commit again, and must find this row. */
	CommandCounterIncrement();
}
