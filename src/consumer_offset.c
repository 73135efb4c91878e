/*-------------------------------------------------------------------------
 *
 * consumer_offset.c
 *		The table of committed offsets.
 *
 * A commit inserts a new row and deletes the previous one, under a key that
 * ends in a commit number; row_version.c says why.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "consumer_offset.h"
#include "offsets_topic.h"
#include "row_version.h"

#define TABLE	"consumer_offsets"

/* Begin a scan of one partition's rows, newest first. */
static void
begin_offset_scan(RowVersionScan *scan, const char *group_id,
				  const char *topic, int partition, Snapshot snapshot)
{
	Datum		keys[] = {
		CStringGetTextDatum(group_id), CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};

	row_version_scan_begin(scan, TABLE, keys, lengthof(keys), snapshot);
}

void
consumer_offset_read(const char *group_id, const char *topic, int partition,
					 Snapshot snapshot, ConsumerOffset *offset,
					 const char **metadata)
{
	RowVersionScan scan;

	memset(offset, 0, sizeof(ConsumerOffset));
	begin_offset_scan(&scan, group_id, topic, partition, snapshot);
	if (row_version_scan_next(&scan))
	{
		TupleTableSlot *slot = scan.slot;

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
	row_version_scan_end(&scan);
}

bool
consumer_offset_exists(const char *group_id, const char *topic, int partition,
					   Snapshot snapshot)
{
	RowVersionScan scan;
	bool		found = false;

	begin_offset_scan(&scan, group_id, topic, partition, SnapshotAny);
	while (!found && row_version_scan_next(&scan))
		found = table_tuple_satisfies_snapshot(scan.relation, scan.slot,
											   snapshot);
	row_version_scan_end(&scan);
	return found;
}

void
consumer_offset_write(const char *group_id, const char *topic, int partition,
					  ConsumerOffset *offset, int64 committed_offset,
					  const char *metadata)
{
	Datum		values[Natts_consumer_offsets];
	bool		nulls[Natts_consumer_offsets] = {0};
	TimestampTz now = GetCurrentTimestamp();

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
	values[Anum_consumer_offsets_committed_at - 1] = TimestampTzGetDatum(now);
	if (!offset->found)
		ItemPointerSetInvalid(&offset->row);
	row_version_replace(TABLE, values, nulls, Natts_consumer_offsets,
						&offset->row);

	offset->found = true;
	offset->committed_offset = committed_offset;
	offset->commit_number++;
	offset->committed_at = now;
	offset->writer = GetCurrentTransactionId();
	offsets_topic_write(group_id, topic, partition, offset, metadata);
}

void
consumer_offset_delete(const char *group_id, const char *topic, int partition,
					   const ConsumerOffset *offset)
{
	ItemPointerData row = offset->row;

	row_version_delete(TABLE, &row);
	offsets_topic_delete(group_id, topic, partition);
}

uint64
consumer_offsets_delete(const char *column, const char *value)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(value)};
	uint64		count;

	catalog_spi_connect();
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
