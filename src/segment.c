/*-------------------------------------------------------------------------
 *
 * segment.c
 *		Segments: the tables that hold the log, and scans of their rows.
 *
 * A segment is an ordinary logged heap table.  Its rows are record batches,
 * and are never updated or deleted.
 *
 * Scans use SnapshotAny: a reader must see rows of transactions in progress,
 * to know where to stop, and an appender must see every offset that was ever
 * given.  Neither sets hint bits: with checksums each page so touched would
 * be written to WAL again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "commands/tablespace.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "lock_holders.h"
#include "segment.h"
#include "transaction_lock.h"

char *
segment_table_name(int32 topic_id, int32 number, int32 generation)
{
	if (generation > 0)
		return psprintf("segment_%d_%d_%d", topic_id, number, generation);
	return psprintf("segment_%d_%d", topic_id, number);
}

/*
 * The table is the extension owner's: a topic's owner must not be able to
 * change the log behind our back.
 *
 * TABLESPACE: the database's, whatever default_tablespace the caller has set,
 * since it is not the caller's rights that count here.
 * toast_tuple_target: a row fills a page in line (SEGMENT_ROW_BYTES).
 * EXTERNAL storage: a batch is compressed by Kafka's means or not at all.
 * vacuum_truncate: truncation takes an exclusive lock, and an aborted tail
 * will soon be written over anyway.
 * autovacuum by the number of rows inserted, not by a share of the table,
 * which grows; and soon after rows died, since readers pass over an aborted
 * tail again and again until VACUUM takes it away.
 * autovacuum_freeze_min_age: rows never change, so freeze at the first visit.
 */
void
create_segment_table(int32 topic_id, int32 number, int32 generation)
{
	const char *table = quote_qualified_identifier(LOG_SCHEMA,
												   segment_table_name(topic_id, number,
																	  generation));
	const char *tablespace =
		quote_identifier(get_tablespace_name(MyDatabaseTableSpace));

	catalog_execute(psprintf("CREATE TABLE %s ("
							 "partition pg_catalog.int4 NOT NULL, "
							 "record_count pg_catalog.int4 NOT NULL, "
							 "base_offset pg_catalog.int8 NOT NULL, "
							 "last_offset pg_catalog.int8 NOT NULL, "
							 "max_timestamp pg_catalog.int8 NOT NULL, "
							 "timestamp_so_far pg_catalog.int8 NOT NULL, "
							 "stable_offset pg_catalog.int8 NOT NULL, "
							 "batch pg_catalog.bytea NOT NULL, "
							 "PRIMARY KEY (partition, base_offset) "
							 "USING INDEX TABLESPACE %s) "
							 "USING heap WITH ("
							 "toast_tuple_target = %d, "
							 "vacuum_truncate = off, "
							 "autovacuum_vacuum_threshold = 50, "
							 "autovacuum_vacuum_scale_factor = 0, "
							 "autovacuum_vacuum_insert_threshold = 10000, "
							 "autovacuum_vacuum_insert_scale_factor = 0, "
							 "autovacuum_freeze_min_age = 0, "
							 "toast.vacuum_truncate = off, "
							 "toast.autovacuum_freeze_min_age = 0) "
							 "TABLESPACE %s",
							 table, tablespace, (int) SEGMENT_ROW_BYTES,
							 tablespace));
	catalog_execute(psprintf("ALTER TABLE %s "
							 "ALTER COLUMN batch SET STORAGE EXTERNAL",
							 table));
}

/*
 * Drop all segments of a topic, those included that a switch has made but not
 * put into the catalog yet.
 */
void
drop_segment_tables(int32 topic_id)
{
	SPITupleTable *tables;
	uint64		count;

	catalog_spi_connect();
	catalog_spi_execute(psprintf("SELECT relname FROM pg_catalog.pg_class "
								 "WHERE relnamespace OPERATOR(pg_catalog.=) %u "
								 "AND relkind OPERATOR(pg_catalog.=) 'r' "
								 "AND relname::pg_catalog.text "
								 "OPERATOR(pg_catalog.^@) 'segment_%d_'",
								 log_namespace_oid(), topic_id),
						0, NULL, NULL, NULL);
	tables = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		char	   *table = SPI_getvalue(tables->vals[i], tables->tupdesc, 1);

		catalog_execute(psprintf("DROP TABLE %s",
								 quote_qualified_identifier(LOG_SCHEMA,
															table)));
	}
	SPI_finish();
}

/*
 * The table is found by its name once: while the list of segments is valid it
 * stays the same table, and a table that was dropped is not found by its OID
 * either.
 */
static Oid
segment_relid(const Topic *topic, Segment *segment)
{
	if (!OidIsValid(segment->relid))
	{
		char	   *name = segment_table_name(topic->id, segment->number,
											  segment->generation);

		segment->relid = get_relname_relid(name, log_namespace_oid());
		pfree(name);
	}
	return segment->relid;
}

Relation
segment_try_open(const Topic *topic, Segment *segment, LOCKMODE lockmode)
{
	Oid			relid = segment_relid(topic, segment);

	return OidIsValid(relid) ? try_table_open(relid, lockmode) : NULL;
}

void
report_missing_segment(const Topic *topic, const Segment *segment)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" of topic \"%s\" is missing",
					segment_table_name(topic->id, segment->number,
									   segment->generation),
					topic->name)));
}

Relation
segment_open(const Topic *topic, Segment *segment, LOCKMODE lockmode)
{
	Relation	relation = segment_try_open(topic, segment, lockmode);

	if (!relation)
		report_missing_segment(topic, segment);
	return relation;
}

Relation
segment_open_for_appending(const Topic *topic, Segment *segment)
{
	Oid			relid = segment_relid(topic, segment);

	if (OidIsValid(relid))
		transaction_lock_table(relid, RowExclusiveLock);
	return segment_open(topic, segment, NoLock);
}

/*
 * A transaction that inserts keeps its RowExclusiveLock to its end.  Nobody
 * inserts into a sealed segment any more: an appender that still locks it
 * finds out under the append lock (log_append.c).
 *
 * No lock is taken to find out: somebody could come to wait for it.
 */
List *
segment_writers(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	return lock_holders(&tag, ShareLock);
}

/* Unlock tables and indexes that were locked. */
static void
unlock_all(List *relids, LOCKMODE lockmode)
{
	ListCell   *cell;

	foreach(cell, relids)
		UnlockRelationOid(lfirst_oid(cell), lockmode);
}

/* Lock a table and its indexes, adding them to the list of what is locked. */
static bool
try_lock_table(Oid relid, LOCKMODE lockmode, List **locked, Oid *toast)
{
	Relation	table;
	bool		success = true;
	ListCell   *cell;

	if (!ConditionalLockRelationOid(relid, lockmode))
		return false;
	*locked = lappend_oid(*locked, relid);
	table = try_table_open(relid, NoLock);
	if (!table)
		return false;
	foreach(cell, RelationGetIndexList(table))
	{
		success = ConditionalLockRelationOid(lfirst_oid(cell), lockmode);
		if (!success)
			break;
		*locked = lappend_oid(*locked, lfirst_oid(cell));
	}
	*toast = table->rd_rel->reltoastrelid;
	table_close(table, NoLock);
	return success;
}

/* What segment_try_lock() does, with a list of what was locked. */
static List *
try_lock_segment(Oid relid, LOCKMODE lockmode)
{
	List	   *locked = NIL;
	Oid			toast;

	if (try_lock_table(relid, lockmode, &locked, &toast) &&
		try_lock_table(toast, lockmode, &locked, &toast))
		return locked;
	unlock_all(locked, lockmode);
	return NIL;
}

bool
segment_try_lock(Oid relid, LOCKMODE lockmode)
{
	return try_lock_segment(relid, lockmode) != NIL;
}

int64
segment_disk_bytes(Oid relid)
{
	List	   *locked = try_lock_segment(relid, AccessShareLock);
	int64		bytes = 0;

	if (locked != NIL)
		bytes = DatumGetInt64(DirectFunctionCall1(pg_total_relation_size,
												  ObjectIdGetDatum(relid)));
	unlock_all(locked, AccessShareLock);
	return bytes;
}

void
segment_scan_open(SegmentScan *scan, Relation segment, LOCKMODE lockmode)
{
	Oid			index = primary_key_index(segment);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("segment \"%s\" has no valid primary key",
						RelationGetRelationName(segment))));

	scan->segment = segment;
	scan->index = index_open(index, lockmode);
	scan->lockmode = lockmode;
	scan->slot = table_slot_create(segment, NULL);
	scan->scan = begin_index_scan(segment, scan->index, SnapshotAny, 2);
}

/* Have an open scan begin, anew if it has begun before. */
static void
begin_scan(SegmentScan *scan, int partition, StrategyNumber strategy,
		   RegProcedure comparison, int64 offset, ScanDirection direction)
{
	/* Attribute numbers are those of the index. */
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(partition));
	ScanKeyInit(&keys[1], 2, strategy, comparison, Int64GetDatum(offset));
	scan->direction = direction;
	index_rescan(scan->scan, keys, 2, NULL, 0);
}

void
segment_scan_forward(SegmentScan *scan, Relation segment, int partition,
					 int64 offset)
{
	segment_scan_open(scan, segment, AccessShareLock);
	begin_scan(scan, partition, BTGreaterEqualStrategyNumber, F_INT8GE,
			   offset, ForwardScanDirection);
}

void
segment_scan_backward(SegmentScan *scan, Relation segment, int partition,
					  int64 offset)
{
	segment_scan_open(scan, segment, AccessShareLock);
	begin_scan(scan, partition, BTLessEqualStrategyNumber, F_INT8LE, offset,
			   BackwardScanDirection);
}

static int64
int64_attribute(TupleTableSlot *slot, AttrNumber attribute)
{
	return DatumGetInt64(slot->tts_values[attribute - 1]);
}

/*
 * Whatever a row says is believed from here on, so what would lead readers or
 * appenders astray must not pass.
 */
static void
check_row(const SegmentScan *scan, const SegmentRow *row)
{
	if (row->base_offset < 0 || row->last_offset < row->base_offset ||
		row->last_offset == PG_INT64_MAX ||
		row->stable_offset < 0 || row->stable_offset > row->base_offset)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged row in segment \"%s\"",
						RelationGetRelationName(scan->segment)),
				 errdetail("Its offsets are " INT64_FORMAT " to " INT64_FORMAT ", its stable offset is " INT64_FORMAT ".",
						   row->base_offset, row->last_offset,
						   row->stable_offset)));
}

bool
segment_scan_next(SegmentScan *scan, SegmentRow *row)
{
	CHECK_FOR_INTERRUPTS();
	if (!index_getnext_slot(scan->scan, scan->direction, scan->slot))
		return false;

	slot_getsomeattrs(scan->slot, Natts_segment);
	row->record_count =
		DatumGetInt32(scan->slot->tts_values[Anum_segment_record_count - 1]);
	row->base_offset = int64_attribute(scan->slot, Anum_segment_base_offset);
	row->last_offset = int64_attribute(scan->slot, Anum_segment_last_offset);
	row->max_timestamp = int64_attribute(scan->slot,
										 Anum_segment_max_timestamp);
	row->timestamp_so_far = int64_attribute(scan->slot,
											Anum_segment_timestamp_so_far);
	row->stable_offset = int64_attribute(scan->slot,
										 Anum_segment_stable_offset);
	check_row(scan, row);
	row->tuple = ExecFetchSlotHeapTuple(scan->slot, false, NULL);
	row->buffer = ((BufferHeapTupleTableSlot *) scan->slot)->buffer;
	return true;
}

struct varlena *
segment_scan_batch(SegmentScan *scan)
{
	return PG_DETOAST_DATUM_COPY(scan->slot->tts_values[Anum_segment_batch - 1]);
}

void
segment_scan_end(SegmentScan *scan)
{
	index_endscan(scan->scan);
	index_close(scan->index, scan->lockmode);
	ExecDropSingleTupleTableSlot(scan->slot);
}

/*
 * Backward from the end of the partition, and not further than the guess: the
 * B-tree takes from a page whatever the scan may return.
 */
static bool
find_tail(SegmentScan *scan, int partition, int64 guess, SegmentRow *row)
{
	begin_scan(scan, partition, BTGreaterEqualStrategyNumber, F_INT8GE,
			   guess, BackwardScanDirection);
	return segment_scan_next(scan, row);
}

bool
segment_scan_tail(SegmentScan *scan, int partition, int64 guess,
				  SegmentRow *row)
{
	return find_tail(scan, partition, guess, row) ||
		(guess > PG_INT64_MIN &&
		 find_tail(scan, partition, PG_INT64_MIN, row));
}

void
segment_scan_pause(SegmentScan *scan)
{
	ExecClearTuple(scan->slot);
	index_rescan(scan->scan, NULL, scan->scan->numberOfKeys, NULL, 0);
}

bool
segment_tail(Relation segment, int partition, SegmentRow *row)
{
	SegmentScan scan;
	bool		found;

	segment_scan_open(&scan, segment, AccessShareLock);
	found = segment_scan_tail(&scan, partition, PG_INT64_MIN, row);
	segment_scan_end(&scan);
	row->tuple = NULL;
	row->buffer = InvalidBuffer;
	return found;
}
