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
 *	  locks until it has told everybody.  If it is not, start again.
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
 * it is given.  max_record_bytes bounds it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/predicate.h"
#include "utils/inval.h"

#include "catalog.h"
#include "compat.h"
#include "log_append.h"
#include "segment.h"
#include "stable_offset.h"

struct LogAppender
{
	Topic	   *topic;
	Relation	topic_relation; /* what serializable readers lock */
	int32		segment_number; /* of the open segment */
	Relation	segment;		/* NULL if none is open */
	EState	   *estate;
	ResultRelInfo *result_relation;
	TupleTableSlot *slot;
};

int32
leader_epoch(void)
{
	return (int32) GetWALInsertionTimeLine();
}

static void
set_append_lock_tag(LOCKTAG *tag, const Topic *topic, int partition)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, catalog_relation_oid("topics"),
					   topic->id, partition);
}

void
append_lock_acquire(const Topic *topic, int partition)
{
	LOCKTAG		tag;

	set_append_lock_tag(&tag, topic, partition);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
}

void
append_lock_release(const Topic *topic, int partition)
{
	LOCKTAG		tag;

	set_append_lock_tag(&tag, topic, partition);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

int64
next_offset(const Segment *segment, Relation relation, int partition)
{
	int64		base = segment_base_offset(segment, partition);
	SegmentRow	tail;

	/*
	 * Whatever the tail's visibility: aborted offsets are given again only
	 * once VACUUM took the row away.
	 */
	if (segment_tail(relation, partition, &tail))
		return Max(base, tail.last_offset + 1);
	return base;
}

LogAppender *
log_appender_begin(Topic *topic)
{
	LogAppender *appender = palloc0(sizeof(LogAppender));

	PreventCommandIfReadOnly("produce");
	PreventCommandDuringRecovery("produce");
	appender->topic = topic;
	appender->topic_relation = table_open(topic->relid, NoLock);
	return appender;
}

static void
close_segment(LogAppender *appender)
{
	if (!appender->segment)
		return;
	ExecCloseIndices(appender->result_relation);
	ExecDropSingleTupleTableSlot(appender->slot);
	FreeExecutorState(appender->estate);
	table_close(appender->segment, NoLock);
	appender->segment = NULL;
}

/* Open the active segment for inserting; false if it was just dropped. */
static bool
open_active_segment(LogAppender *appender)
{
	const Segment *active = active_segment(appender->topic);

	if (appender->segment && appender->segment_number == active->number)
		return true;

	close_segment(appender);
	appender->segment = segment_open(appender->topic, active,
									 RowExclusiveLock);
	if (!appender->segment)
		return false;
	appender->segment_number = active->number;
	appender->estate = CreateExecutorState();
	appender->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->result_relation, appender->segment, 0, NULL,
					  0);
	ExecOpenIndices(appender->result_relation, false);
	appender->slot = MakeSingleTupleTableSlot(RelationGetDescr(appender->segment),
											  &TTSOpsHeapTuple);
	return true;
}

/* Take the append lock, the segment open and known to be the active one. */
static void
lock_partition(LogAppender *appender, int partition)
{
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (open_active_segment(appender))
		{
			append_lock_acquire(appender->topic, partition);
			if (appender->topic->valid)
				return;
			append_lock_release(appender->topic, partition);
		}
		else
			AcceptInvalidationMessages();
		appender->topic = topic_refresh(appender->topic);
	}
}

static void
insert_row(LogAppender *appender, int partition, int64 base_offset,
		   int64 stable_offset, const RecordBatchBuilder *batch)
{
	TupleTableSlot *slot = appender->slot;
	Datum		values[Natts_segment];
	bool		nulls[Natts_segment] = {0};

	values[Anum_segment_partition - 1] = Int32GetDatum(partition);
	values[Anum_segment_record_count - 1] = Int32GetDatum(batch->record_count);
	values[Anum_segment_base_offset - 1] = Int64GetDatum(base_offset);
	values[Anum_segment_last_offset - 1] =
		Int64GetDatum(base_offset + batch->record_count - 1);
	values[Anum_segment_max_timestamp - 1] =
		Int64GetDatum(batch->max_timestamp);
	values[Anum_segment_stable_offset - 1] = Int64GetDatum(stable_offset);
	values[Anum_segment_batch - 1] = PointerGetDatum(batch->buffer);

	ExecStoreHeapTuple(heap_form_tuple(RelationGetDescr(appender->segment),
									   values, nulls), slot, true);
	ExecSimpleRelationInsert(appender->result_relation, appender->estate,
							 slot);
	ExecClearTuple(slot);
	ResetPerTupleExprContext(appender->estate);
}

int64
log_append(LogAppender *appender, int partition,
		   const RecordBatchBuilder *batches, int count)
{
	int64		stable;
	int64		base_offset;
	int64		offset;

	(void) GetCurrentTransactionId();
	stable = stable_offset_hint(appender->topic, partition, count);

	lock_partition(appender, partition);
	base_offset = next_offset(active_segment(appender->topic),
							  appender->segment, partition);
	offset = base_offset;
	for (int i = 0; i < count; i++)
	{
		insert_row(appender, partition, offset, stable, &batches[i]);
		offset += batches[i].record_count;
	}
	append_lock_release(appender->topic, partition);

	CheckForSerializableConflictIn(appender->topic_relation, NULL, partition);
	return base_offset;
}

void
log_appender_end(LogAppender *appender)
{
	close_segment(appender);
	table_close(appender->topic_relation, NoLock);
	pfree(appender);
}
