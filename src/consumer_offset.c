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
#include "news.h"
#include "offsets_topic.h"
#include "row_version.h"
#include "topic.h"

#define TABLE	"consumer_offsets"

/*
 * Begin a scan of one partition's rows from a commit number on, newest first.
 */
static void
begin_offset_scan(RowVersionScan *scan, const char *group_id,
				  const char *topic, int partition, int64 number,
				  Snapshot snapshot)
{
	Datum		keys[] = {
		CStringGetTextDatum(group_id), CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};

	row_version_scan_begin_from(scan, TABLE, keys, lengthof(keys), number,
								snapshot);
}

/* What the scan finds first. */
static void
read_offset(RowVersionScan *scan, ConsumerOffset *offset,
			const char **metadata)
{
	TupleTableSlot *slot = scan->slot;

	memset(offset, 0, sizeof(ConsumerOffset));
	if (row_version_scan_next(scan))
	{
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
	row_version_scan_end(scan);
}

void
consumer_offset_read(const char *group_id, const char *topic, int partition,
					 Snapshot snapshot, ConsumerOffset *offset,
					 const char **metadata)
{
	RowVersionScan scan;

	begin_offset_scan(&scan, group_id, topic, partition, 0, snapshot);
	read_offset(&scan, offset, metadata);
}

/*
 * A scan of the index reads all entries of a page that its keys allow, before
 * it returns the first; and most are those of commits before the last one.  So
 * the scan is bounded first by a number that was the last one once.  It may be
 * greater than any that is left, if offsets were deleted.
 */
void
consumer_offset_read_claimed(const char *group_id, const char *topic,
							 int partition, int64 likely_number,
							 ConsumerOffset *offset)
{
	RowVersionScan scan;

	begin_offset_scan(&scan, group_id, topic, partition, likely_number,
					  SnapshotSelf);
	read_offset(&scan, offset, NULL);
	if (!offset->found && likely_number > 0)
		consumer_offset_read(group_id, topic, partition, SnapshotSelf, offset,
							 NULL);
}

bool
consumer_offset_exists(const char *group_id, const char *topic, int partition,
					   Snapshot snapshot)
{
	RowVersionScan scan;
	bool		found = false;

	begin_offset_scan(&scan, group_id, topic, partition, 0, SnapshotAny);
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
		char	   *name = SPI_getvalue(tuple, columns, 2);
		Topic	   *topic = topic_lookup(name);
		bool		isnull;
		int			partition = DatumGetInt32(SPI_getbinval(tuple, columns, 3,
															&isnull));

		if (topic)
			news_add(topic->id, partition);
		offsets_topic_delete(SPI_getvalue(tuple, columns, 1), name, partition);
	}
	SPI_finish();
	return count;
}
