/*-------------------------------------------------------------------------
 *
 * log_append.c
 *		Appending record batches to partitions.
 *
 * Offsets are given under the append lock of the partition: a heavyweight
 * lock that is taken once everything else is ready and released before the
 * transaction ends.  So producers of a partition wait for each other's page
 * writes, never for each other's commit.  This is sound because an offset
 * needs no protection after its row is in the index: the next appender reads
 * it there, whether or not the row is committed, and readers stop before the
 * first row that is not decided.
 *
 * Order of events, each for a reason:
 *
 * 1. The xid is assigned and the segment opened with RowExclusiveLock, which
 *	  is kept to the end of the transaction as for any table: REINDEX
 *	  CONCURRENTLY relies on it.  To wait for it under the append lock would
 *	  make every producer of the partition queue behind a DBA's waiting DDL.
 * 2. The append lock.  Taking it accepts pending invalidations, so we know
 *	  whether our segment still is the active one: a switch holds the append
 *	  locks until it has told everybody.  If it is not, start again.  Who does
 *	  not get the lock tries again for some milliseconds before he queues
 *	  (transaction_lock.c).  A session's first append may let go of it once, with
 *	  nothing written yet, to move the hint for readers on.
 * 3. The next offset is read from the index, and the rows are inserted.
 *	  Nothing here waits for another transaction.
 * 4. The append lock is released.
 *
 * The lock is an object lock on topic.topics whose object is the topic's id
 * and whose sub-object is the partition: visible in pg_locks, seen by the
 * deadlock detector, and out of the way of anybody's advisory locks.
 *
 * A batch that does not fit a page is TOASTed inside of step 3.  It cannot be
 * done before: heap_insert() fetches and writes anew any TOAST pointer that
 * it is given.  max_record_bytes bounds it, and the TOAST table's locks are
 * taken before the append lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "storage/sinval.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "compat.h"
#include "lock_tag.h"
#include "log_append.h"
#include "news.h"
#include "row_inserter.h"
#include "segment.h"
#include "stable_offset.h"
#include "wakeup.h"

struct LogAppender
{
	Topic	   *topic;
	int32		segment_number; /* of the open segment */
	Relation	segment;		/* NULL if none is open */
	RowInserter inserter;
	SegmentScan tails;			/* of the open segment */
	BlockNumber next_page;		/* the first that choose_page() has added */
	int			new_pages;		/* and not used */
};

int32
leader_epoch(void)
{
	return (int32) GetWALInsertionTimeLine();
}

void
set_append_lock_tag(LOCKTAG *tag, const Topic *topic, int partition)
{
	set_lock_tag(tag, topic->catalog_relid, topic->id, partition);
}

/*
 * The next offset, given the last row in the segment, NULL if there is none.
 *
 * The last row counts whatever its visibility: aborted offsets are given again
 * only once VACUUM took the row away.
 */
static int64
offset_after(const Segment *segment, int partition, const SegmentRow *tail)
{
	int64		base = segment_base_offset(segment, partition);

	return tail ? Max(base, tail->last_offset + 1) : base;
}

int64
next_offset(const Segment *segment, Relation relation, int partition)
{
	SegmentRow	row;
	bool		found = segment_tail(relation, partition, &row);

	return offset_after(segment, partition, found ? &row : NULL);
}

LogAppender *
log_appender_begin(Topic *topic)
{
	LogAppender *appender = palloc0(sizeof(LogAppender));

	appender->topic = topic;
	return appender;
}

static void
close_segment(LogAppender *appender)
{
	if (!appender->segment)
		return;
	segment_scan_end(&appender->tails);
	row_inserter_end(&appender->inserter);
	table_close(appender->segment, NoLock);
	appender->segment = NULL;
}

/* Open the active segment for inserting. */
static void
open_active_segment(LogAppender *appender)
{
	Segment    *active = active_segment(appender->topic);

	if (appender->segment && appender->segment_number == active->number)
		return;

	close_segment(appender);
	appender->segment = segment_open_for_appending(appender->topic, active);
	appender->segment_number = active->number;
	appender->new_pages = 0;

	/* This locks the index, too. */
	row_inserter_begin(&appender->inserter, appender->segment,
					   Natts_segment);
	segment_scan_open(&appender->tails, appender->segment, NoLock);
}

/*
 * The partition's last row in the open segment; NULL if there is none.  The
 * next look begins where this one ended.
 */
static const SegmentRow *
find_tail(LogAppender *appender, int partition, SegmentRow *row)
{
	int64	   *guess = &appender->topic->tails[partition];

	if (!segment_scan_tail(&appender->tails, partition, *guess, row))
		return NULL;
	*guess = row->base_offset;
	return row;
}

/*
 * A hint for the rows to be appended (stable_offset.c), for which more rows may
 * have to be judged than should be under the append lock.
 *
 * If the last row that the session saw there was the only one that was left to
 * judge, it is again, most likely, and is judged under the lock.  Otherwise the
 * session's next appends do not move the hint on, and then one comes here:
 * where producers are many, each passes the same rows again, and others have
 * moved the hint meanwhile.  But if a session's first append finds more rows
 * under the lock, it lets go and comes here at once: else sessions that are short
 * would leave the hint where it is.
 */
static int64
hint_before_lock(LogAppender *appender, int partition, int rows, bool at_once)
{
	Topic	   *topic = appender->topic;
	uint8	   *due = &topic->hint_due[partition];
	SegmentRow	row;
	int64		hint;
	bool		own;

	if (!at_once &&
		(*due == HINT_NOT_DUE || *due == HINT_UNKNOWN || --*due > 0))
		return 0;
	hint = stable_offset_hint(topic, partition, rows,
							  find_tail(appender, partition, &row), &own);
	*due = own ? HINT_NOT_DUE : HINT_INTERVAL;
	segment_scan_pause(&appender->tails);
	return hint;
}

/* Take the locks that TOASTing a batch will need. */
static void
lock_toast_table(Relation segment)
{
	Relation	toast = table_open(segment->rd_rel->reltoastrelid,
								   RowExclusiveLock);
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(toast))
		LockRelationOid(lfirst_oid(cell), RowExclusiveLock);
	table_close(toast, NoLock);
}

/*
 * Take the append lock, the segment open and known to be the active one.
 * Returns the hint from before the lock.  After a switch it comes from older
 * segments, at which nobody looks under the lock.
 *
 * A topic that has been invalidated is read anew without the lock, since that
 * may wait for a DBA.  It is the latest if no message has come since it was
 * read; its own flag is stricter, and may never turn true on a server where
 * invalidations never cease.
 */
static int64
lock_partition(LogAppender *appender, int partition,
			   const LOCKTAG *append_lock, int rows, bool needs_toast,
			   bool hint_at_once)
{
	bool		latest = false;
	uint64		messages = 0;
	int64		hint;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		open_active_segment(appender);
		if (needs_toast)
			lock_toast_table(appender->segment);
		hint = hint_before_lock(appender, partition, rows, hint_at_once);
		transaction_lock_acquire_short(append_lock);
		if (appender->topic->valid ||
			(latest && messages == SharedInvalidMessageCounter))
			return hint;
		transaction_lock_release(append_lock);
		messages = SharedInvalidMessageCounter;
		latest = true;
		appender->topic = topic_refresh(appender->topic);
	}
}

/* Does a batch need a page of its own, and not more? */
static bool
fills_page(const RecordBatchBuilder *batch)
{
	int			size = batch->size - batch->reserve;

	return size > SEGMENT_BATCH_BYTES / 2 && size <= SEGMENT_BATCH_BYTES;
}

/*
 * If the next batch fills a page, have it inserted into one that was added to
 * the segment for it, or add pages for those after it, all at once: one by one,
 * as heap_insert does, that is a quarter of what produce_batch costs.
 *
 * The first goes where heap_insert has it: that notes how much room is left in
 * the page before, and finds the pages that VACUUM has freed.  Others may find
 * the added pages before we get there; then the row goes elsewhere, too.  Those
 * that an error leaves are VACUUM's to find.
 */
static void
choose_page(LogAppender *appender, const RecordBatchBuilder *batches,
			int count)
{
	int			pages = 0;

	if (!fills_page(&batches[0]))
		return;
	if (appender->new_pages > 0)
	{
		RelationSetTargetBlock(appender->segment, appender->next_page);
		appender->next_page++;
		appender->new_pages--;
		return;
	}
	for (int i = 1; i < count; i++)
		pages += fills_page(&batches[i]);
	if (pages > 1)
		appender->new_pages = extend_relation(appender->segment, pages,
											  &appender->next_page);
}

static void
insert_row(LogAppender *appender, int partition, int64 base_offset,
		   int64 timestamp_so_far, int64 stable_offset,
		   const RecordBatchBuilder *batch)
{
	Datum		values[Natts_segment];
	bool		nulls[Natts_segment] = {0};
	ItemPointerData tid;

	values[Anum_segment_partition - 1] = Int32GetDatum(partition);
	values[Anum_segment_record_count - 1] = Int32GetDatum(batch->record_count);
	values[Anum_segment_base_offset - 1] = Int64GetDatum(base_offset);
	values[Anum_segment_last_offset - 1] =
		Int64GetDatum(base_offset + batch->record_count - 1);
	values[Anum_segment_max_timestamp - 1] =
		Int64GetDatum(batch->max_timestamp);
	values[Anum_segment_timestamp_so_far - 1] =
		Int64GetDatum(timestamp_so_far);
	values[Anum_segment_stable_offset - 1] = Int64GetDatum(stable_offset);
	values[Anum_segment_batch - 1] = PointerGetDatum(batch->buffer);
	row_inserter_insert(&appender->inserter, values, nulls, &tid);
}

/*
 * Remember whether more than the last row will have to be judged.
 *
 * If rows are left before our own last row, it stays as it was: either our
 * first row is as far as the hint can get now, or the rows before that are
 * somebody else's.
 */
static void
note_lag(Topic *topic, int partition, bool lags, const SegmentRow *tail)
{
	uint8	   *due = &topic->hint_due[partition];
	bool		own = tail &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(tail->tuple->t_data));

	if (!lags)
		*due = HINT_NOT_DUE;
	else if (!own && *due == HINT_NOT_DUE)
		*due = HINT_INTERVAL;
}

/* Is any batch too large to be stored in line? */
static bool
batches_need_toast(const RecordBatchBuilder *batches, int count)
{
	for (int i = 0; i < count; i++)
		if (batches[i].size - batches[i].reserve > SEGMENT_BATCH_BYTES)
			return true;
	return false;
}

/*
 * Fail if serializable readers of the partition are in conflict with us.
 *
 * After the insert: such a reader either locked the partition before, and is
 * found here, or finds the rows.
 */
static void
check_serializable_readers(const Topic *topic, int partition)
{
	Relation	relation = table_open(topic->relid, NoLock);

	CheckForSerializableConflictIn(relation, NULL, partition);
	table_close(relation, NoLock);
}

/*
 * Have the WAL writer begin to write what a long append leaves to write, as after
 * an asynchronous commit.  Else our own process does, page by page, whenever WAL
 * buffers are full, and COMMIT waits for the rest.
 */
static void
begin_to_write_wal(void)
{
	XLogSetAsyncXactLSN(XactLastRecEnd);
}

int64
log_append(LogAppender *appender, int partition,
		   const RecordBatchBuilder *batches, int count)
{
	LOCKTAG		append_lock;
	SegmentRow	row;
	const SegmentRow *tail;
	bool		needs_toast = batches_need_toast(batches, count);
	int64		stable;
	int64		hint;
	int64		timestamp_so_far;
	int64		base_offset;
	int64		offset;

	(void) GetCurrentTransactionId();
	wakeup_at_end(appender->topic->id);

	set_append_lock_tag(&append_lock, appender->topic, partition);
	for (bool hint_at_once = false;; hint_at_once = true)
	{
		stable = lock_partition(appender, partition, &append_lock, count,
								needs_toast, hint_at_once);
		tail = find_tail(appender, partition, &row);
		base_offset = offset_after(active_segment(appender->topic),
								   partition, tail);
		hint = last_row_hint(appender->topic, partition, tail);
		stable = Max(stable, hint);
		if (stable >= base_offset || hint_at_once ||
			appender->topic->hint_due[partition] != HINT_UNKNOWN)
			break;
		segment_scan_pause(&appender->tails);
		transaction_lock_release(&append_lock);
	}
	timestamp_so_far = tail ? tail->timestamp_so_far : NO_TIMESTAMP;
	note_lag(appender->topic, partition, stable < base_offset, tail);
	segment_scan_pause(&appender->tails);
	if (stable > base_offset)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("partition %d of topic \"%s\" has damaged rows",
						partition, appender->topic->name),
				 errdetail("The next offset is " INT64_FORMAT ", but records are stable up to " INT64_FORMAT ".",
						   base_offset, stable)));

	offset = base_offset;
	for (int i = 0; i < count; i++)
	{
		/* One offset is left for "the next one" after the last record. */
		if (offset > PG_INT64_MAX - 1 - batches[i].record_count)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("partition %d of topic \"%s\" has no offsets left",
							partition, appender->topic->name)));
		timestamp_so_far = Max(timestamp_so_far, batches[i].max_timestamp);
		choose_page(appender, &batches[i], count - i);
		insert_row(appender, partition, offset, timestamp_so_far, stable,
				   &batches[i]);
		offset += batches[i].record_count;
	}
	transaction_lock_release(&append_lock);
	news_add(appender->topic->id, partition);
	if (count > 1)
		begin_to_write_wal();

	if (IsolationIsSerializable())
		check_serializable_readers(appender->topic, partition);
	return base_offset;
}

void
log_appender_end(LogAppender *appender)
{
	close_segment(appender);
	pfree(appender);
}
