/*-------------------------------------------------------------------------
 *
 * stable_offset.c
 *		The last stable offset and the high watermark of a partition.
 *
 * The last stable offset (LSO) is 1 + the offset of the last committed record
 * before the first record of an open transaction.  Finding it must not cost
 * a scan of the partition, and there is no shared memory to keep it in.  So
 * each row carries a hint, `stable_offset`: an offset below which every row
 * was decided (committed or aborted) when the hint was computed, and which is
 * 1 + the offset of a committed record, or the start of the log.
 *
 * Such a statement stays true for ever: a decided row stays decided, and no
 * row can be added below 1 + the offset of a committed record.  It stays true
 * over a crash too, since the commits that it relies on stand before the row
 * in the WAL.  So an appender takes the last row's hint, whether that row is
 * committed or not, moves it on over the rows that were decided since, and
 * writes it into its own rows; and a reader starts at the last row's hint and
 * scans forward from there.
 *
 * A reader takes the hint before its snapshot, so that what was decided for
 * the hint is decided for the snapshot.
 *
 * An appender moves the hint over more rows than it adds, so that hints catch
 * up with the tail after an open transaction has held them back.  Aborted rows
 * do not count, up to a limit: a hint can pass them only together with a
 * committed row behind them, and would otherwise stay before them until VACUUM
 * comes, which may take its time over a few rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/subtrans.h"
#include "access/table.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "segment.h"
#include "stable_offset.h"
#include "visibility.h"

/* How far an append of n rows moves the hint, in committed rows. */
#define HINT_ADVANCE(n)		(8 + 2 * (n))

/* How many aborted rows it passes over; autovacuum minds more than that. */
#define HINT_ABORTED_ROWS	256

/*
 * The last row's hint.  If the active segment has no row of this partition,
 * an older segment has the last one.
 */
static int64
tail_hint(const Topic *topic, int partition)
{
	for (int i = topic->segment_count - 1; i >= 0; i--)
	{
		Relation	segment = segment_open(topic, &topic->segments[i],
										   AccessShareLock);
		SegmentRow	row;
		bool		found;

		if (!segment)
			break;
		found = segment_tail(segment, partition, &row);
		table_close(segment, NoLock);
		if (found)
			return Max(row.stable_offset, log_start_offset(topic, partition));
	}
	return log_start_offset(topic, partition);
}

/*
 * Move an offset below which every row is decided forward over decided rows,
 * at most so many committed and aborted ones.  Stops at the first open row.
 * With a snapshot, rows are judged as it sees them, else as they stand now.
 *
 * *stopped tells whether an open row was met.
 */
static int64
advance_over_decided(const Topic *topic, int partition, int64 stable,
					 int64 max_committed, int64 max_aborted,
					 Snapshot snapshot, bool *stopped)
{
	int64		committed = 0;
	int64		aborted = 0;
	bool		open = false;

	for (int i = segment_for_offset(topic, partition, stable);
		 i < topic->segment_count && !open &&
		 committed < max_committed && aborted < max_aborted; i++)
	{
		Relation	segment = segment_open(topic, &topic->segments[i],
										   AccessShareLock);
		SegmentScan scan;
		SegmentRow	row;

		if (!segment)
			continue;
		segment_scan_forward(&scan, segment, partition, stable);
		while (committed < max_committed && aborted < max_aborted &&
			   segment_scan_next(&scan, &row))
		{
			RowVerdict	verdict = snapshot ? judge_row(row.tuple, snapshot)
				: judge_row_now(row.tuple);

			if (verdict == ROW_OPEN)
			{
				open = true;
				break;
			}
			if (verdict == ROW_COMMITTED)
			{
				stable = row.last_offset + 1;
				committed++;
			}
			else
				aborted++;
		}
		segment_scan_end(&scan);
		table_close(segment, NoLock);
	}

	if (stopped)
		*stopped = open;
	return stable;
}

int64
stable_offset_hint(const Topic *topic, int partition, int rows)
{
	return advance_over_decided(topic, partition, tail_hint(topic, partition),
								HINT_ADVANCE(rows), HINT_ABORTED_ROWS, NULL,
								NULL);
}

/* 1 + the last committed record at or after `stable`, found from the tail. */
static int64
find_high_watermark(const Topic *topic, int partition, int64 stable,
					Snapshot snapshot)
{
	int			first = segment_for_offset(topic, partition, stable);
	int64		high_watermark = stable;

	for (int i = topic->segment_count - 1; i >= first; i--)
	{
		Relation	segment = segment_open(topic, &topic->segments[i],
										   AccessShareLock);
		SegmentScan scan;
		SegmentRow	row;

		if (!segment)
			break;
		segment_scan_backward(&scan, segment, partition, PG_INT64_MAX);
		while (high_watermark == stable && segment_scan_next(&scan, &row) &&
			   row.base_offset >= stable)
		{
			if (judge_row(row.tuple, snapshot) == ROW_COMMITTED)
				high_watermark = row.last_offset + 1;
		}
		segment_scan_end(&scan);
		table_close(segment, NoLock);
		if (high_watermark > stable)
			break;
	}
	return high_watermark;
}

/*
 * A snapshot of this moment, and the list of segments that goes with it:
 * every segment that holds a record the snapshot sees.
 */
static Snapshot
latest_snapshot(Topic **topic)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	AcceptInvalidationMessages();
	if (!(*topic)->valid)
		*topic = topic_refresh(*topic);
	return snapshot;
}

void
partition_offsets(Topic *topic, int partition, PartitionOffsets *offsets)
{
	int64		stable = tail_hint(topic, partition);
	Snapshot	snapshot = latest_snapshot(&topic);
	bool		stopped;

	stable = advance_over_decided(topic, partition, stable, PG_INT64_MAX,
								  PG_INT64_MAX, snapshot, &stopped);
	offsets->log_start_offset = log_start_offset(topic, partition);
	offsets->last_stable_offset = stable;
	offsets->high_watermark = stopped
		? find_high_watermark(topic, partition, stable, snapshot) : stable;
	UnregisterSnapshot(snapshot);
}

int64
last_stable_offset(Topic *topic, int partition)
{
	int64		stable = tail_hint(topic, partition);
	Snapshot	snapshot = latest_snapshot(&topic);

	stable = advance_over_decided(topic, partition, stable, PG_INT64_MAX,
								  PG_INT64_MAX, snapshot, NULL);
	UnregisterSnapshot(snapshot);
	return stable;
}

/* Add an element to a hash set of xids; false if it was there. */
static bool
add_xid(HTAB *xids, TransactionId xid)
{
	bool		found;

	(void) hash_search(xids, &xid, HASH_ENTER, &found);
	return !found;
}

void
for_each_open_transaction(Topic *topic, int partition,
						  OpenTransactionCallback callback, void *arg)
{
	HASHCTL		control = {
		.keysize = sizeof(TransactionId),
		.entrysize = sizeof(TransactionId),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *seen = hash_create("pg_topic open transactions", 32, &control,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int64		stable = tail_hint(topic, partition);

	for (int i = segment_for_offset(topic, partition, stable);
		 i < topic->segment_count; i++)
	{
		Relation	segment = segment_open(topic, &topic->segments[i],
										   AccessShareLock);
		SegmentScan scan;
		SegmentRow	row;

		if (!segment)
			continue;
		segment_scan_forward(&scan, segment, partition, stable);
		while (segment_scan_next(&scan, &row))
		{
			TransactionId xid;

			if (judge_row_now(row.tuple) != ROW_OPEN)
				continue;

			/* Locks and prepared transactions go by the topmost one. */
			xid = HeapTupleHeaderGetRawXmin(row.tuple->t_data);
			xid = SubTransGetTopmostTransaction(xid);
			if (add_xid(seen, xid))
				callback(xid, row.base_offset, arg);
		}
		segment_scan_end(&scan);
		table_close(segment, NoLock);
	}
	hash_destroy(seen);
}
