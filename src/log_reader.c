/*-------------------------------------------------------------------------
 *
 * log_reader.c
 *		Reading the records of a partition in offset order.
 *
 * The reader fetches the log in runs: it scans some rows of a segment, copies
 * the batches that its snapshot sees, and ends the scan; then it hands out
 * their records.  So it holds no pin while its caller is at work, however
 * long that takes, and memory stays bounded however long the log is.  Runs
 * start small, for LIMIT 1, and grow, unless the caller knows what he wants.
 *
 * No committed record is ever skipped: rows enter the index in offset order,
 * and the snapshot was taken before the scan.  If a row is committed for the
 * snapshot, every row with a lower offset was in the index before the
 * snapshot existed, so the scan meets it.
 *
 * Under SERIALIZABLE, what a reader depends on is a partition of a topic.  It
 * is locked as the "page" of that number of the topic's foreign table, which
 * has no pages of its own; appenders check the same page (log_append.c).
 * Unlike locks on a segment, this holds over a segment switch.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/subtrans.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "storage/predicate.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "log_reader.h"
#include "log_scan.h"
#include "stored_batch.h"
#include "time_index.h"
#include "visibility.h"

/*
 * A run grows from one row to at most so many rows or bytes.  More bytes would
 * not stay in the processor's caches until their records are handed out.
 */
#define RUN_MAX_ROWS	64
#define RUN_MAX_BYTES	(64 * 1024)

typedef struct CopiedBatch
{
	int64		base_offset;
	int64		last_offset;
	struct varlena *batch;
} CopiedBatch;

struct LogReader
{
	Topic	   *topic;
	int			partition;
	LogRange	range;
	Snapshot	snapshot;
	Relation	serializable;	/* the topic's relation, under SERIALIZABLE */

	int64		next_offset;	/* where the next run begins */
	int64		expected;		/* records that the caller will read of what
								 * was not copied yet, as far as known */
	bool		skips_open;		/* instead of ending at an open row */
	bool		log_ended;		/* no further run */
	bool		stopped;		/* it ended at an open row */

	MemoryContext context;
	MemoryContext run_context;	/* NULL before the first run */
	int			run_rows;		/* greatest size of this run */
	int			batch_count;
	int			batch_index;	/* the next batch to open */
	CopiedBatch batches[RUN_MAX_ROWS];

	bool		batch_open;
	RecordBatch batch;
};

/*
 * The base offset of the row that holds an offset: a batch may begin before
 * it.  The offset itself, if no row does.
 */
static int64
base_offset_of(Topic *topic, Snapshot snapshot, int partition, int64 offset)
{
	LogScan		scan;
	SegmentRow	row;

	log_scan_backward(&scan, topic, snapshot, partition, offset);
	if (log_scan_next(&scan, &row) && row.last_offset >= offset)
		offset = row.base_offset;
	log_scan_end(&scan);
	return offset;
}

LogReader *
log_reader_begin(Topic *topic, int partition, const LogRange *range,
				 Snapshot snapshot)
{
	LogReader  *reader = palloc0(sizeof(LogReader));
	int64		from_offset;

	/* See topic.c: after this, the list of segments suits the snapshot. */
	AcceptInvalidationMessages();
	if (!topic->valid)
		topic = topic_refresh(topic);

	reader->topic = topic;
	reader->partition = partition;
	reader->range = *range;
	from_offset = Max(range->from_offset,
					  log_start_offset(topic, snapshot, partition));
	if (range->from_time > PG_INT64_MIN)
		from_offset = Max(from_offset,
						  time_index_search(topic, partition, from_offset,
											range->from_time, snapshot));
	reader->range.from_offset = from_offset;
	reader->snapshot = snapshot;
	reader->next_offset = base_offset_of(topic, snapshot, partition,
										 from_offset);
	reader->expected = PG_INT64_MAX;
	reader->context = CurrentMemoryContext;

	if (IsolationIsSerializable())
	{
		reader->serializable = table_open(topic->relid, NoLock);
		PredicateLockPage(reader->serializable, partition, snapshot);
	}
	return reader;
}

void
log_reader_expect(LogReader *reader, int64 records)
{
	reader->expected = records;
	reader->run_rows = RUN_MAX_ROWS;
}

void
log_reader_skip_open(LogReader *reader)
{
	reader->skips_open = true;
}

void
lock_topic_for_serializable(const Topic *topic, Snapshot snapshot)
{
	Relation	relation;

	if (!IsolationIsSerializable())
		return;
	relation = table_open(topic->relid, NoLock);
	PredicateLockRelation(relation, snapshot);
	table_close(relation, NoLock);
}

/* Under SERIALIZABLE: this reader did not see what that transaction wrote. */
static void
check_conflict_out(LogReader *reader, HeapTuple tuple)
{
	TransactionId xid = HeapTupleHeaderGetXmin(tuple->t_data);

	if (!TransactionIdIsNormal(xid) ||
		TransactionIdIsCurrentTransactionId(xid) ||
		TransactionIdPrecedes(xid, TransactionXmin))
		return;
	xid = SubTransGetTopmostTransaction(xid);
	if (!TransactionIdPrecedes(xid, TransactionXmin))
		CheckForSerializableConflictOut(reader->serializable, xid,
										reader->snapshot);
}

/*
 * Nothing may be read from an open row on, but a serializable reader depends
 * on every later row that it does not see.
 */
static void
check_rest(LogReader *reader, LogScan *scan, SegmentRow *row)
{
	do
	{
		if (row->base_offset >= reader->range.to_offset)
			break;
		if (judge_row(row, reader->snapshot) == ROW_OPEN)
			check_conflict_out(reader, row->tuple);
	} while (log_scan_next(scan, row));
}

/* Scan on, and copy what the snapshot sees until the run is full. */
static void
copy_rows(LogReader *reader, LogScan *scan)
{
	SegmentRow	row;
	Size		bytes = 0;

	while (reader->batch_count < reader->run_rows && bytes < RUN_MAX_BYTES &&
		   (reader->batch_count == 0 || reader->expected > 0))
	{
		RowVerdict	verdict;
		CopiedBatch *copy;

		reader->log_ended = !log_scan_next(scan, &row) ||
			row.base_offset >= reader->range.to_offset;
		if (reader->log_ended)
			return;

		verdict = judge_row(&row, reader->snapshot);
		if (verdict == ROW_OPEN && !reader->skips_open)
		{
			if (reader->serializable)
				check_rest(reader, scan, &row);
			reader->log_ended = true;
			reader->stopped = true;
			return;
		}

		reader->next_offset = row.last_offset + 1;
		if (verdict != ROW_COMMITTED ||
			row.max_timestamp < reader->range.from_time)
			continue;

		copy = &reader->batches[reader->batch_count++];
		copy->base_offset = row.base_offset;
		copy->last_offset = row.last_offset;
		copy->batch = log_scan_batch(scan);
		bytes += VARSIZE(copy->batch);
		reader->expected -= row.record_count;
	}
}

/*
 * Get memory for the next run.  What a run takes, as most do, is kept from one
 * to the next: it takes longer to get memory from the operating system anew
 * than to read what is copied there.
 */
static void
begin_run(LogReader *reader)
{
	int			rows = Min(Max(reader->run_rows * 2, 1), RUN_MAX_ROWS);

	if (reader->run_context && rows == reader->run_rows)
	{
		MemoryContextReset(reader->run_context);
		return;
	}
	if (reader->run_context)
		MemoryContextDelete(reader->run_context);
	reader->run_rows = rows;
	reader->run_context =
		AllocSetContextCreate(reader->context, "pg_topic log reader",
							  Min(rows * BLCKSZ, RUN_MAX_BYTES) + BLCKSZ,
							  ALLOCSET_DEFAULT_INITSIZE,
							  ALLOCSET_DEFAULT_MAXSIZE);
}

/* Fetch the next run; false if the log has no more for this reader. */
static bool
fetch_run(LogReader *reader)
{
	MemoryContext old_context;
	LogScan		scan;

	reader->batch_count = 0;
	reader->batch_index = 0;
	if (reader->log_ended)
		return false;

	begin_run(reader);
	old_context = MemoryContextSwitchTo(reader->run_context);
	log_scan_forward(&scan, reader->topic, reader->snapshot,
					 reader->partition, reader->next_offset);
	copy_rows(reader, &scan);
	log_scan_end(&scan);
	reader->topic = scan.topic;
	MemoryContextSwitchTo(old_context);

	return reader->batch_count > 0;
}

/*
 * Open the next batch of the run, or of the next run.  At any time only one
 * batch is decompressed.
 */
static bool
open_next_batch(LogReader *reader)
{
	MemoryContext old_context;
	CopiedBatch *copy;

	record_batch_close(&reader->batch);
	if (reader->batch_index >= reader->batch_count && !fetch_run(reader))
		return false;

	copy = &reader->batches[reader->batch_index++];
	old_context = MemoryContextSwitchTo(reader->run_context);
	stored_batch_open(&reader->batch, reader->topic, reader->partition,
					  copy->base_offset, copy->last_offset, copy->batch);
	MemoryContextSwitchTo(old_context);
	return true;
}

bool
log_reader_next(LogReader *reader, Record *record)
{
	LogRange   *range = &reader->range;

	for (;;)
	{
		if (!reader->batch_open)
		{
			if (!open_next_batch(reader))
				return false;
			reader->batch_open = true;
		}

		while (record_batch_next(&reader->batch, record))
		{
			if (record->offset >= range->to_offset)
				break;
			if (record->offset >= range->from_offset &&
				record->timestamp >= range->from_time &&
				record->timestamp < range->to_time)
			{
				/* A row may come again with others in it; see log_scan.c. */
				range->from_offset = record->offset + 1;
				return true;
			}
		}
		if (reader->batch.error)
			report_damaged_batch(&reader->batch, reader->topic,
								 reader->partition);
		reader->batch_open = false;
	}
}

bool
log_reader_is_at_end(const LogReader *reader)
{
	return reader->log_ended && !reader->stopped;
}

void
log_reader_end(LogReader *reader)
{
	if (reader->serializable)
		table_close(reader->serializable, NoLock);
	if (reader->run_context)
		MemoryContextDelete(reader->run_context);
	pfree(reader);
}
