/*-------------------------------------------------------------------------
 *
 * log_reader.c
 *		Reading the records of a partition in offset order.
 *
 * The reader fetches the log in runs: it scans some rows of a segment, copies
 * the batches that its snapshot sees, and ends the scan; then it hands out
 * their records.  So it holds no pin while its caller is at work, however
 * long that takes, and memory stays bounded however long the log is.  Runs
 * start small, for LIMIT 1, and grow.
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
#include "segment.h"
#include "visibility.h"

/* A run grows from one row to at most so many rows or bytes. */
#define RUN_MAX_ROWS	64
#define RUN_MAX_BYTES	(1024 * 1024)

typedef struct CopiedBatch
{
	int64		base_offset;
	struct varlena *batch;
} CopiedBatch;

struct LogReader
{
	Topic	   *topic;
	int			partition;
	LogRange	range;
	Snapshot	snapshot;
	Relation	serializable;	/* the topic's relation, under SERIALIZABLE */

	int			segment;		/* index of the segment to go on with */
	int64		next_offset;	/* the next run's first base offset */
	bool		stopped;		/* met a row of an open transaction */
	bool		log_ended;		/* no further run */

	MemoryContext run_context;
	int			run_rows;		/* size of the next run */
	int			batch_count;
	int			batch_index;	/* the next batch to open */
	CopiedBatch batches[RUN_MAX_ROWS];

	bool		batch_open;
	RecordBatch batch;
};

static void
report_damaged_batch(LogReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged record batch at offset " INT64_FORMAT
					" of partition %d of topic \"%s\"",
					reader->batch.base_offset, reader->partition,
					reader->topic->name),
			 errdetail("%s.", reader->batch.error)));
}

LogReader *
log_reader_begin(Topic *topic, int partition, const LogRange *range,
				 Snapshot snapshot)
{
	LogReader  *reader = palloc0(sizeof(LogReader));

	/* See topic.c: after this, the list of segments suits the snapshot. */
	AcceptInvalidationMessages();
	if (!topic->valid)
		topic = topic_refresh(topic);

	reader->topic = topic;
	reader->partition = partition;
	reader->range = *range;
	reader->range.from_offset = Max(range->from_offset,
									log_start_offset(topic, partition));
	reader->snapshot = snapshot;
	reader->segment = segment_for_offset(topic, partition,
										 reader->range.from_offset);
	reader->next_offset = -1;	/* look for the row that holds from_offset */
	reader->run_rows = 1;
	reader->run_context = AllocSetContextCreate(CurrentMemoryContext,
												"pg_topic log reader",
												ALLOCSET_DEFAULT_SIZES);

	if (IsolationIsSerializable())
	{
		reader->serializable = table_open(topic->relid, NoLock);
		PredicateLockPage(reader->serializable, partition, snapshot);
	}
	return reader;
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
 * The base offset of the row that holds the first offset asked for: a batch
 * may begin before it.
 */
static int64
first_base_offset(LogReader *reader, Relation segment)
{
	int64		offset = reader->range.from_offset;
	SegmentScan scan;
	SegmentRow	row;

	segment_scan_backward(&scan, segment, reader->partition, offset);
	if (segment_scan_next(&scan, &row) && row.last_offset >= offset)
		offset = row.base_offset;
	segment_scan_end(&scan);
	return offset;
}

/*
 * Scan one segment from next_offset on, and copy what the snapshot sees until
 * the run is full.  Returns true if the segment's rows are exhausted.
 */
static bool
fetch_rows(LogReader *reader, Relation segment)
{
	SegmentScan scan;
	SegmentRow	row;
	Size		bytes = 0;
	bool		exhausted = true;

	segment_scan_forward(&scan, segment, reader->partition,
						 reader->next_offset);
	while (segment_scan_next(&scan, &row))
	{
		RowVerdict	verdict;
		CopiedBatch *copy;

		if (row.base_offset >= reader->range.to_offset)
		{
			reader->log_ended = true;
			break;
		}

		verdict = judge_row(row.tuple, reader->snapshot);
		if (verdict == ROW_OPEN)
			reader->stopped = true;
		if (reader->stopped)
		{
			/*
			 * Nothing may be read from here on, but a serializable reader
			 * depends on every later row that it does not see.
			 */
			if (!reader->serializable)
			{
				reader->log_ended = true;
				break;
			}
			if (verdict == ROW_OPEN)
				check_conflict_out(reader, row.tuple);
			continue;
		}

		reader->next_offset = row.last_offset + 1;
		if (verdict == ROW_ABORTED ||
			row.max_timestamp < reader->range.from_time)
			continue;

		copy = &reader->batches[reader->batch_count++];
		copy->base_offset = row.base_offset;
		copy->batch = segment_scan_batch(&scan);
		bytes += VARSIZE(copy->batch);
		if (reader->batch_count >= reader->run_rows || bytes >= RUN_MAX_BYTES)
		{
			exhausted = false;
			break;
		}
	}
	segment_scan_end(&scan);
	return exhausted;
}

/* Fetch the next run; false if the log has no more for this reader. */
static bool
fetch_run(LogReader *reader)
{
	MemoryContext old_context;

	MemoryContextReset(reader->run_context);
	reader->batch_count = 0;
	reader->batch_index = 0;

	old_context = MemoryContextSwitchTo(reader->run_context);
	while (!reader->log_ended && reader->batch_count == 0)
	{
		Topic	   *topic = reader->topic;
		Relation	segment;

		if (reader->segment >= topic->segment_count)
		{
			reader->log_ended = true;
			break;
		}

		segment = segment_open(topic, &topic->segments[reader->segment],
							   AccessShareLock);
		if (!segment)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("segment %d of topic \"%s\" was dropped",
							topic->segments[reader->segment].number,
							topic->name)));

		if (reader->next_offset < 0)
			reader->next_offset = first_base_offset(reader, segment);
		if (fetch_rows(reader, segment))
			reader->segment++;
		table_close(segment, NoLock);
	}
	MemoryContextSwitchTo(old_context);

	reader->run_rows = Min(reader->run_rows * 2, RUN_MAX_ROWS);
	return reader->batch_count > 0;
}

/* Open the next batch of the run, or of the next run. */
static bool
open_next_batch(LogReader *reader)
{
	CopiedBatch *copy;

	if (reader->batch_index >= reader->batch_count && !fetch_run(reader))
		return false;

	copy = &reader->batches[reader->batch_index++];
	if (!record_batch_open(&reader->batch, copy->base_offset,
						   VARDATA(copy->batch),
						   VARSIZE(copy->batch) - VARHDRSZ))
		report_damaged_batch(reader);
	return true;
}

bool
log_reader_next(LogReader *reader, Record *record)
{
	const LogRange *range = &reader->range;

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
				return true;
		}
		if (reader->batch.error)
			report_damaged_batch(reader);
		reader->batch_open = false;
	}
}

void
log_reader_end(LogReader *reader)
{
	if (reader->serializable)
		table_close(reader->serializable, NoLock);
	MemoryContextDelete(reader->run_context);
	pfree(reader);
}
