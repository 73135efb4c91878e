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
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "compat.h"
#include "consumer_offset.h"
#include "offsets_topic.h"
#include "row_inserter.h"

/* A scan of one partition's rows, newest first. */
typedef struct OffsetScan
{
	Relation	relation;
	Relation	index;
	TupleTableSlot *slot;
	IndexScanDesc scan;
} OffsetScan;

static void
begin_offset_scan(OffsetScan *scan, const char *group_id, const char *topic,
				  int partition, Snapshot snapshot)
{
	ScanKeyData keys[3];

	scan->relation = table_open(catalog_relation_oid("consumer_offsets"),
								AccessShareLock);
	scan->index = index_open(primary_key_index(scan->relation),
							 AccessShareLock);
	scan->slot = table_slot_create(scan->relation, NULL);

	/* Attribute numbers are those of the index, and the same as the table's. */
	ScanKeyInit(&keys[0], Anum_consumer_offsets_group_id,
				BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group_id));
	ScanKeyInit(&keys[1], Anum_consumer_offsets_topic,
				BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(topic));
	ScanKeyInit(&keys[2], Anum_consumer_offsets_partition,
				BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(partition));
	scan->scan = begin_index_scan(scan->relation, scan->index, snapshot, 3);
	index_rescan(scan->scan, keys, 3, NULL, 0);
}

static bool
next_offset_row(OffsetScan *scan)
{
	return index_getnext_slot(scan->scan, BackwardScanDirection, scan->slot);
}

static void
end_offset_scan(OffsetScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);

	/*
	 * The lock stays: a row version that was read must not be moved by VACUUM
	 * FULL before it is deleted.
	 */
	table_close(scan->relation, NoLock);
}

void
consumer_offset_read(const char *group_id, const char *topic, int partition,
					 Snapshot snapshot, ConsumerOffset *offset,
					 const char **metadata)
{
	OffsetScan	scan;
	TupleTableSlot *slot;

	memset(offset, 0, sizeof(ConsumerOffset));
	begin_offset_scan(&scan, group_id, topic, partition, snapshot);
	slot = scan.slot;
	if (next_offset_row(&scan))
	{
		slot_getsomeattrs(slot, Natts_consumer_offsets);
		offset->found = true;
		offset->committed_offset =
			DatumGetInt64(slot->tts_values[Anum_consumer_offsets_committed_offset - 1]);
		offset->commit_number =
			DatumGetInt64(slot->tts_values[Anum_consumer_offsets_commit_number - 1]);
		offset->committed_at =
			DatumGetTimestampTz(slot->tts_values[Anum_consumer_offsets_committed_at - 1]);
		offset->row = slot->tts_tid;
		offset->writer =
			HeapTupleHeaderGetXmin(ExecFetchSlotHeapTuple(slot, false, NULL)->t_data);
		if (metadata)
			*metadata = slot->tts_isnull[Anum_consumer_offsets_metadata - 1]
				? NULL
				: TextDatumGetCString(slot->tts_values[Anum_consumer_offsets_metadata - 1]);
	}
	end_offset_scan(&scan);
}

bool
consumer_offset_exists(const char *group_id, const char *topic, int partition,
					   Snapshot snapshot)
{
	OffsetScan	scan;
	bool		found = false;

	begin_offset_scan(&scan, group_id, topic, partition, SnapshotAny);
	while (!found && next_offset_row(&scan))
		found = table_tuple_satisfies_snapshot(scan.relation, scan.slot,
											   snapshot);
	end_offset_scan(&scan);
	return found;
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
	RowInserter inserter;
	ItemPointerData row;

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
	offset->committed_at = GetCurrentTimestamp();
	values[Anum_consumer_offsets_committed_at - 1] =
		TimestampTzGetDatum(offset->committed_at);

	row_inserter_begin(&inserter, relation);
	row_inserter_insert(&inserter, values, nulls, Natts_consumer_offsets,
						&row);
	row_inserter_end(&inserter);
	if (offset->found)
		simple_table_tuple_delete(relation, &offset->row, SnapshotAny);

	offset->found = true;
	offset->committed_offset = committed_offset;
	offset->commit_number++;
	offset->row = row;
	offset->writer = GetCurrentTransactionId();
	table_close(relation, NoLock);
	offsets_topic_write(group_id, topic, partition, offset, metadata);

	/* The same statement may commit again, and must find this row. */
	CommandCounterIncrement();
}

void
consumer_offset_delete(const char *group_id, const char *topic, int partition,
					   const ConsumerOffset *offset)
{
	Relation	relation = table_open(catalog_relation_oid("consumer_offsets"),
									  RowExclusiveLock);
	ItemPointerData row = offset->row;

	simple_table_tuple_delete(relation, &row, SnapshotAny);
	table_close(relation, NoLock);
	offsets_topic_delete(group_id, topic, partition);
	CommandCounterIncrement();
}

uint64
consumer_offsets_delete(const char *column, const char *value)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(value)};
	uint64		count;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	catalog_spi_execute(psprintf("DELETE FROM topic.consumer_offsets "
								 "WHERE %s OPERATOR(pg_catalog.=) $1 "
								 "RETURNING group_id, topic, partition",
								 column), lengthof(types), types, values, NULL);
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	columns = SPI_tuptable->tupdesc;
		bool		isnull;

		offsets_topic_delete(SPI_getvalue(tuple, columns, 1),
							 SPI_getvalue(tuple, columns, 2),
							 DatumGetInt32(SPI_getbinval(tuple, columns, 3,
														 &isnull)));
	}
	SPI_finish();
	return count;
}
