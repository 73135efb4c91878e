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
 * 1 + the offset of a committed record, the start of the log, or the base
 * offset of a segment that follows a settled one: what comes before has been
 * decided, and offsets below a segment's base are never given again.
 *
 * A hint is computed with a snapshot that was taken before the scan: if the row
 * at an offset is committed for it, every row with a lower offset was in the
 * index before the snapshot, so the scan has met it (src/README, Reading).
 *
 * What it says stays true for ever: a decided row stays decided, and no row can
 * be added below 1 + the offset of a committed record.  It stays true over a
 * crash too, since the commits that it relies on stand before the row in the
 * WAL.  So an appender takes the last row's hint, whether that row is
 * committed or not, moves it on over the rows that were decided since, and
 * writes it into its own rows; and a reader starts at the last row's hint and
 * scans forward from there.
 *
 * A reader takes the hint before its snapshot, so that what was decided for
 * the hint is decided for the snapshot.
 *
 * Where more than the last row is left to judge, an appender moves the hint on,
 * in a session's first append and then every few times (log_append.c), over more
 * than twice as many rows as these times add, so that hints catch up with the tail
 * after an open transaction has held them back.  Aborted rows do not count, up to
 * a limit: a hint can pass them only together with a committed row behind them,
 * and would otherwise stay before them until VACUUM comes, which may take its
 * time over a few rows.
 *
 * A large transaction leaves more rows than can be judged one by one: after a
 * million of them, a hundred thousand appends would each have to look at ten
 * more pages.  There transaction ids tell.  If the last row is committed for a
 * snapshot, the rows before it were in the index before that, so their
 * transactions had begun, and have ids below the next one that is given.  When
 * all of those have ended, which a later snapshot's xmin tells, every row up to
 * the last one is decided.  Sessions remember the last row and the id for that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/subtrans.h"
#include "access/transam.h"
#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "errors.h"
#include "log_scan.h"
#include "stable_offset.h"
#include "visibility.h"

/*
 * How far an append of n rows moves the hint, in committed rows: for itself,
 * and for the appends before it that did not.
 */
#define HINT_ADVANCE(n)		(HINT_INTERVAL * (8 + 2 * (n)))

/* How many aborted rows it passes over; autovacuum minds more than that. */
#define HINT_ABORTED_ROWS	256

/* An offset that is as good as a hint, without a look at any row. */
static int64
known_hint(Topic *topic, int partition)
{
	return Max(topic->stable_offsets[partition],
			   settled_offset(topic, partition));
}

/* The hint of the last row, whatever its visibility, or a better one. */
static int64
tail_hint(Topic *topic, int partition)
{
	int64		hint = known_hint(topic, partition);
	LogScan		scan;
	SegmentRow	row;

	log_scan_backward(&scan, topic, NULL, partition, PG_INT64_MAX);
	if (log_scan_next(&scan, &row))
		hint = Max(hint, row.stable_offset);
	log_scan_end(&scan);
	return hint;
}

/*
 * Move an offset below which every row is decided forward over decided rows,
 * at most so many committed and aborted ones.  Stops at the first open row.
 *
 * *open is the transaction id of that row, or invalid if none was met.
 */
static int64
advance_over_decided(Topic *topic, int partition, int64 stable,
					 int64 max_committed, int64 max_aborted,
					 Snapshot snapshot, TransactionId *open)
{
	LogScan		scan;
	SegmentRow	row;

	*open = InvalidTransactionId;
	log_scan_forward(&scan, topic, NULL, partition, stable);
	while (max_committed > 0 && max_aborted > 0 &&
		   !TransactionIdIsValid(*open) && log_scan_next(&scan, &row))
	{
		switch (judge_row(&row, snapshot))
		{
			case ROW_COMMITTED:
				stable = row.last_offset + 1;
				max_committed--;
				break;
			case ROW_ABORTED:
				max_aborted--;
				break;
			case ROW_OPEN:
				*open = HeapTupleHeaderGetRawXmin(row.tuple->t_data);
				break;
		}
	}
	log_scan_end(&scan);
	return stable;
}

/* By this an appender judges rows: none of our own is decided. */
static SnapshotData
appender_snapshot(void)
{
	SnapshotData snapshot = *GetActiveSnapshot();

	snapshot.curcid = FirstCommandId;
	return snapshot;
}

/*
 * The end of the row that the session has remembered, if all transactions that
 * had begun by then have ended for the snapshot; else 0.
 */
static int64
outlived_end(const Topic *topic, int partition, Snapshot snapshot)
{
	const SeenEnd *seen = &topic->seen_ends[partition];

	return TransactionIdIsValid(seen->next_xid) &&
		TransactionIdFollowsOrEquals(snapshot->xmin, seen->next_xid)
		? seen->end_offset : 0;
}

int64
last_row_hint(Topic *topic, int partition, const SegmentRow *tail)
{
	SnapshotData snapshot = appender_snapshot();
	int64		hint = Max(known_hint(topic, partition),
						   outlived_end(topic, partition, &snapshot));

	if (!tail)
		return hint;
	hint = Max(hint, tail->stable_offset);
	if (hint == tail->base_offset &&
		judge_row(tail, &snapshot) == ROW_COMMITTED)
		hint = tail->last_offset + 1;
	return hint;
}

/* Remember the last row, if it can be one day what a hint relies on. */
static void
remember_end(Topic *topic, int partition, const SegmentRow *tail,
			 Snapshot snapshot)
{
	SeenEnd    *seen = &topic->seen_ends[partition];

	if (judge_row(tail, snapshot) != ROW_COMMITTED)
		return;
	seen->end_offset = tail->last_offset + 1;
	seen->next_xid = ReadNextTransactionId();
}

int64
stable_offset_hint(Topic *topic, int partition, int rows,
				   const SegmentRow *tail, bool *own)
{
	SnapshotData snapshot = appender_snapshot();
	TransactionId open;
	int64		hint = last_row_hint(topic, partition, tail);

	*own = false;
	if (!tail)
		hint = Max(hint, tail_hint(topic, partition));
	else if (hint >= tail->base_offset)
		return hint;
	hint = advance_over_decided(topic, partition, hint, HINT_ADVANCE(rows),
								HINT_ABORTED_ROWS, &snapshot, &open);

	/*
	 * If neither an open row nor the last one has stopped us, there were too
	 * many.  What is remembered stays until it has been of use.
	 */
	if (tail && hint < tail->base_offset && !TransactionIdIsValid(open) &&
		hint >= topic->seen_ends[partition].end_offset)
		remember_end(topic, partition, tail, &snapshot);
	*own = TransactionIdIsValid(open) &&
		TransactionIdIsCurrentTransactionId(open);
	return hint;
}

/* 1 + the last committed record at or after `stable`, found from the tail. */
static int64
find_high_watermark(Topic *topic, int partition, int64 stable,
					Snapshot snapshot)
{
	int64		high_watermark = stable;
	LogScan		scan;
	SegmentRow	row;

	log_scan_backward(&scan, topic, NULL, partition, PG_INT64_MAX);
	while (high_watermark == stable && log_scan_next(&scan, &row) &&
		   row.base_offset >= stable)
	{
		if (judge_row(&row, snapshot) == ROW_COMMITTED)
			high_watermark = row.last_offset + 1;
	}
	log_scan_end(&scan);
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

/*
 * 1 + the last committed record of a row that begins before `hint`, an offset
 * below which every row is decided; or else the log start offset.
 */
static int64
find_decided_end(Topic *topic, int partition, int64 hint, Snapshot snapshot)
{
	int64		end = log_start_offset(topic, NULL, partition);
	bool		found = false;
	LogScan		scan;
	SegmentRow	row;

	log_scan_backward(&scan, topic, NULL, partition, hint - 1);
	while (!found && log_scan_next(&scan, &row) && row.last_offset >= end)
	{
		found = judge_row(&row, snapshot) == ROW_COMMITTED;
		if (found)
			end = row.last_offset + 1;
	}
	log_scan_end(&scan);
	return end;
}

/*
 * The last stable offset for a snapshot of this moment, and whether an open
 * row stands there.  It is kept for next time, so that a large transaction is
 * passed over once in a session; but not where we may have rows of our own,
 * which we see and which are not decided.
 *
 * Where nothing is committed at or after the hint, the hint itself may be
 * another offset: a segment may begin after offsets that were rolled back, and
 * the log in the middle of a batch.
 */
static int64
find_last_stable_offset(Topic *topic, int partition, int64 hint,
						Snapshot snapshot, bool *stopped)
{
	TransactionId open;
	int64		stable;

	/*
	 * Since the hint was read, the segment may have been settled and
	 * rewritten: then the hint may be in the middle of a row, which the scan
	 * would pass over.
	 */
	hint = Max(hint, settled_offset(topic, partition));
	stable = advance_over_decided(topic, partition, hint, PG_INT64_MAX,
								  PG_INT64_MAX, snapshot, &open);
	*stopped = TransactionIdIsValid(open);
	if (stable == hint && hint != topic->stable_offsets[partition])
		stable = find_decided_end(topic, partition, hint, snapshot);
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		topic->stable_offsets[partition] = stable;
	return stable;
}

void
partition_offsets(Topic *topic, int partition, PartitionOffsets *offsets)
{
	int64		hint = tail_hint(topic, partition);
	Snapshot	snapshot = latest_snapshot(&topic);
	int64		stable;
	bool		stopped;

	stable = find_last_stable_offset(topic, partition, hint, snapshot,
									 &stopped);
	offsets->log_start_offset = log_start_offset(topic, NULL, partition);
	offsets->last_stable_offset = stable;
	offsets->high_watermark = stopped
		? find_high_watermark(topic, partition, stable, snapshot) : stable;
	UnregisterSnapshot(snapshot);
}

int64
last_stable_offset(Topic *topic, int partition)
{
	int64		hint = tail_hint(topic, partition);
	Snapshot	snapshot = latest_snapshot(&topic);
	int64		stable;
	bool		stopped;

	stable = find_last_stable_offset(topic, partition, hint, snapshot,
									 &stopped);
	UnregisterSnapshot(snapshot);
	return stable;
}

void
report_out_of_range(const Topic *topic, int partition, int64 offset,
					int64 end)
{
	ereport(ERROR,
			(errcode(ERRCODE_OFFSET_OUT_OF_RANGE),
			 errmsg("offset " INT64_FORMAT " is out of range for partition %d of topic \"%s\"",
					offset, partition, topic->name),
			 errdetail("The log begins at " INT64_FORMAT ", and the next record to read is at most " INT64_FORMAT ".",
					   log_start_offset(topic, NULL, partition), end)));
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
	LogScan		scan;
	SegmentRow	row;

	log_scan_forward(&scan, topic, NULL, partition,
					 tail_hint(topic, partition));
	while (log_scan_next(&scan, &row))
	{
		TransactionId xid;

		if (!row_is_open(&row))
			continue;

		/* Locks and prepared transactions go by the topmost one. */
		xid = HeapTupleHeaderGetRawXmin(row.tuple->t_data);
		xid = SubTransGetTopmostTransaction(xid);
		if (add_xid(seen, xid))
			callback(xid, row.base_offset, arg);
	}
	log_scan_end(&scan);
	hash_destroy(seen);
}
