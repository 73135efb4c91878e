/*-------------------------------------------------------------------------
 *
 * segment_rewrite.c
 *		Writing sealed segments anew: compaction, and merging of batches.
 *
 * One transaction makes the new tables, fills them, adds them to the catalog
 * and marks the old ones as retired.  Until it commits nobody knows of it, and
 * if it does not, nothing has happened.  From then on a snapshot that sees it
 * reads the new segments, and one that does not reads the old ones
 * (segment_list.c): either is the log as it was, but for the records that
 * compaction removed.
 *
 * Why no record can be lost or doubled:
 *
 * - The old segments are settled: every transaction that wrote to them was
 *	 over before their statistics were taken, and nobody writes to them again.
 *	 So a snapshot that is taken here finds every row decided, and what it
 *	 finds is there for good.
 * - The caller's lock on the topic's relation keeps others from changing the
 *	 list of its segments.
 * - What was read is compared with the statistics: if an old segment is not
 *	 what it was then, because it is being restored from a dump, say, nothing
 *	 is rewritten.
 * - The new rows are frozen from the start, and are seen by everybody who
 *	 reads the new segments.  Nobody else can reach them.
 *
 * Nothing here waits for another transaction.  On the old segments there is
 * but an AccessShareLock, so nobody waits for it who does not change tables.
 *
 * What is kept of a record is everything: its offset, timestamp, key, value
 * and headers, and the leader epoch of its batch.  Where offsets are missing
 * between records, a reader goes on with the next one.  What changes is which
 * records share a batch, and the batch's compression: that of the topic now.
 *
 * With LogAppendTime all records of a batch have one time, which stands in
 * the batch.  Batches of different times are packed into one, so the new ones
 * are of the type CreateTime, each record having its time by itself.
 *
 * A tombstone that compaction meets for the first time gets a delete horizon,
 * until which it is kept, so that readers who are under way learn of the
 * deletion.  It belongs to the batch (KIP-534), so tombstones of different
 * horizons are in different batches.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "batch_packer.h"
#include "catalog.h"
#include "compat.h"
#include "key_map.h"
#include "segment_rewrite.h"
#include "segment_writer.h"
#include "stable_offset.h"
#include "stored_batch.h"
#include "visibility.h"

typedef struct Rewriter
{
	Topic	   *topic;
	RewritePlan *plan;
	RewriteResult *result;
	Snapshot	snapshot;		/* for it, all rows are decided */
	KeyMap	   *latest;			/* of the dirty segments; NULL: only merge */
	MemoryContext batch_context;	/* for the batch that is being read */

	/* The segment that is being written, and the partition. */
	SegmentWriter *writer;
	BatchPacker packer;
	int64		packed_horizon; /* of tombstones in the open batch */
	int64		delete_horizon; /* the first in the segment */
	int			partition;
	int64		log_start;
	int64		log_end;		/* the last stable offset */
} Rewriter;

/* What to do with a batch of an old segment. */
typedef void (*BatchFunction) (Rewriter *rewriter, const SegmentRow *row,
							   RecordBatch *batch,
							   const struct varlena *bytes);

/* Go through the committed batches of a partition; returns how many. */
static int64
for_each_batch(Rewriter *rewriter, Relation segment, int partition,
			   BatchFunction function)
{
	SegmentScan scan;
	SegmentRow	row;
	int64		count = 0;

	rewriter->partition = partition;
	segment_scan_forward(&scan, segment, partition, 0);
	while (segment_scan_next(&scan, &row))
	{
		RowVerdict	verdict = judge_row(&row, rewriter->snapshot);
		MemoryContext old_context;
		RecordBatch batch;
		struct varlena *bytes;

		if (verdict == ROW_ABORTED)
			continue;
		if (verdict == ROW_OPEN)
			elog(ERROR, "segment \"%s\" is not settled",
				 RelationGetRelationName(segment));

		MemoryContextReset(rewriter->batch_context);
		old_context = MemoryContextSwitchTo(rewriter->batch_context);
		bytes = segment_scan_batch(&scan);
		stored_batch_open(&batch, rewriter->topic, partition, row.base_offset,
						  row.last_offset, bytes);
		MemoryContextSwitchTo(old_context);
		function(rewriter, &row, &batch, bytes);
		count++;
	}
	segment_scan_end(&scan);
	return count;
}

/* The next record of a batch; false at its end. */
static bool
next_record(const Rewriter *rewriter, RecordBatch *batch, Record *record)
{
	if (record_batch_next(batch, record))
		return true;
	if (batch->error)
		report_damaged_batch(batch, rewriter->topic, rewriter->partition);
	return false;
}

static void
map_batch(Rewriter *rewriter, const SegmentRow *row, RecordBatch *batch,
		  const struct varlena *bytes)
{
	Record		record;

	while (next_record(rewriter, batch, &record))
		if (record.key.length >= 0)
			key_map_put(rewriter->latest, rewriter->partition, &record.key,
						record.offset);
}

static void
map_segment(Rewriter *rewriter, SegmentInfo *info)
{
	Relation	segment = segment_open(rewriter->topic, &info->segment, NoLock);

	for (int i = 0; i < rewriter->topic->partitions; i++)
		if (info->stats->record_counts[i] > 0)
			(void) for_each_batch(rewriter, segment, i, map_batch);
	table_close(segment, NoLock);
}

/*
 * Collect the latest offsets of the keys in the dirty segments.  A clean
 * segment has nothing to add: within the clean ones each key is there once.
 *
 * The memory for it is limited, but one dirty segment is always taken; those
 * for which there is none are left for another time.
 */
static void
map_dirty_segments(Rewriter *rewriter)
{
	RewritePlan *plan = rewriter->plan;
	ListCell   *cell;

	rewriter->latest = key_map_create();
	foreach(cell, plan->inputs)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->compacted)
			continue;
		if (key_map_size(rewriter->latest) >= maintenance_work_mem * (Size) 1024)
		{
			plan->inputs = list_truncate(plan->inputs,
										 foreach_current_index(cell));
			break;
		}
		map_segment(rewriter, info);
	}
}

/* Write the finished batches. */
static void
write_batches(Rewriter *rewriter)
{
	BatchPacker *packer = &rewriter->packer;

	for (int i = 0; i < packer->count; i++)
	{
		const RecordBatchBuilder *batch = &packer->batches[i];
		SegmentRow	row = {
			.record_count = batch->record_count,
			.base_offset = batch->base_offset,
			.last_offset = batch->base_offset + batch->last_offset_delta,
			.max_timestamp = batch->max_timestamp
		};

		SET_VARSIZE(batch->buffer, batch->size);
		segment_writer_add(rewriter->writer, rewriter->partition, &row,
						   (struct varlena *) batch->buffer);
	}
	batch_packer_clear(packer);
}

/* Finish the open batch, and write what is finished. */
static void
end_batch(Rewriter *rewriter)
{
	/* Behind its last record it need not extend: the segment does. */
	batch_packer_finish(&rewriter->packer, 0);
	write_batches(rewriter);
}

/* Is there a newer record of the same key? */
static bool
is_superseded(const Rewriter *rewriter, const Record *record)
{
	return rewriter->latest && record->key.length >= 0 &&
		key_map_latest(rewriter->latest, rewriter->partition,
					   &record->key) > record->offset;
}

/* Until when a record is kept that may be a tombstone. */
static int64
record_horizon(const Rewriter *rewriter, const RecordBatch *batch,
			   const Record *record)
{
	const RewritePlan *plan = rewriter->plan;
	int64		horizon = record_batch_delete_horizon(batch);

	if (record->key.length < 0 || record->value.length >= 0)
		return RECORD_BATCH_NO_DELETE_HORIZON;
	if (rewriter->latest && horizon == RECORD_BATCH_NO_DELETE_HORIZON)
		horizon = plan->now + plan->config->tombstone_retention;
	return horizon;
}

/*
 * Has a tombstone done its duty?  Not if it is the last record of its
 * partition: consumers who have read it would stand beyond the log's end.
 */
static bool
is_expired(const Rewriter *rewriter, const Record *record, int64 horizon)
{
	return rewriter->latest && horizon != RECORD_BATCH_NO_DELETE_HORIZON &&
		horizon <= rewriter->plan->now &&
		record->offset != rewriter->log_end - 1;
}

/*
 * Add a record to the batches.  Records without a horizon go wherever the
 * open batch is, so that batches are not cut for each tombstone.
 */
static void
pack_record(Rewriter *rewriter, const RecordBatch *batch,
			const Record *record, int64 horizon)
{
	RecordInput input;

	if (horizon != RECORD_BATCH_NO_DELETE_HORIZON)
	{
		rewriter->packed_horizon = horizon;

		/* One that has passed, of a last record, is of no use alone. */
		if (horizon > rewriter->plan->now)
			rewriter->delete_horizon = Min(rewriter->delete_horizon, horizon);
	}
	batch_packer_set(&rewriter->packer, batch->partition_leader_epoch, 0,
					 rewriter->packed_horizon);
	record_input_from(&input, record);
	if (!batch_packer_add(&rewriter->packer, &input, record->offset))
		elog(ERROR, "record " INT64_FORMAT " of partition %d of topic \"%s\" fits no batch",
			 record->offset, rewriter->partition, rewriter->topic->name);
	if (rewriter->packer.count > 0)
		write_batches(rewriter);
}

/*
 * Write a batch anew.
 *
 * One with a producer id is copied as it is: the sequence numbers of its
 * records follow from their places in it.  Compaction takes records out of it,
 * and writes those that are left without these numbers, which say nothing to
 * consumers.
 */
static void
rewrite_batch(Rewriter *rewriter, const SegmentRow *row, RecordBatch *batch,
			  const struct varlena *bytes)
{
	Record		record;

	if (row->last_offset < rewriter->log_start)
		return;
	if (batch->producer_id != RECORD_BATCH_NO_PRODUCER_ID && !rewriter->latest)
	{
		end_batch(rewriter);
		segment_writer_add(rewriter->writer, rewriter->partition, row, bytes);
		return;
	}
	while (next_record(rewriter, batch, &record))
	{
		int64		horizon = record_horizon(rewriter, batch, &record);

		if (record.offset >= rewriter->log_start &&
			!is_superseded(rewriter, &record) &&
			!is_expired(rewriter, &record, horizon))
			pack_record(rewriter, batch, &record, horizon);
	}
}

static void
report_changed_segment(Relation segment, int64 rows, int64 expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("segment \"%s\" is not what it was when it was settled",
					RelationGetRelationName(segment)),
			 errdetail("It has " INT64_FORMAT " record batches, and should have " INT64_FORMAT ".",
					   rows, expected)));
}

/* Write what is needed of the inputs to the open segment. */
static void
rewrite_rows(Rewriter *rewriter, List *inputs)
{
	Topic	   *topic = rewriter->topic;
	int			count = list_length(inputs);
	Relation   *segments = palloc(count * sizeof(Relation));
	int64	   *rows = palloc0(count * sizeof(int64));

	for (int i = 0; i < count; i++)
	{
		SegmentInfo *info = list_nth(inputs, i);

		segments[i] = segment_open(topic, &info->segment, NoLock);
	}
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		rewriter->log_start = partition < topic->log_start_count
			? topic->log_starts[partition] : 0;
		rewriter->log_end = last_stable_offset(topic, partition);
		for (int i = 0; i < count; i++)
		{
			SegmentInfo *info = list_nth(inputs, i);

			if (info->stats->record_counts[partition] > 0)
				rows[i] += for_each_batch(rewriter, segments[i], partition,
										  rewrite_batch);
		}
		end_batch(rewriter);
	}
	for (int i = 0; i < count; i++)
	{
		SegmentInfo *info = list_nth(inputs, i);

		if (rows[i] != info->stats->rows)
			report_changed_segment(segments[i], rows[i], info->stats->rows);
		table_close(segments[i], NoLock);
	}
}

static int64
record_count(const SegmentStats *stats)
{
	int64		count = 0;

	for (int i = 0; i < stats->partition_count; i++)
		count += stats->record_counts[i];
	return count;
}

/* Put one new segment in the place of some that are adjacent. */
static void
rewrite_as_one(Rewriter *rewriter, List *inputs)
{
	const Topic *topic = rewriter->topic;
	RewriteResult *result = rewriter->result;
	SegmentInfo *first = linitial(inputs);
	SegmentInfo *last = llast(inputs);
	SegmentInfo output = {
		.segment = first->segment,
		.created_at = first->created_at,
		.sealed_at = last->sealed_at,
		.delete_horizon = NO_DELETE_HORIZON,
		.compacted = rewriter->plan->compact
	};
	SavedUser	saved;
	int64		disk_bytes;
	ListCell   *cell;

	output.segment.generation++;
	output.segment.relid = InvalidOid;
	saved = become_extension_owner();
	create_segment_table(topic->id, output.segment.number,
						 output.segment.generation);
	restore_user(saved);

	rewriter->delete_horizon = NO_DELETE_HORIZON;
	rewriter->packed_horizon = RECORD_BATCH_NO_DELETE_HORIZON;
	batch_packer_init(&rewriter->packer, topic->compression,
					  SEGMENT_BATCH_BYTES);
	rewriter->writer = segment_writer_begin(topic, &output.segment);
	rewrite_rows(rewriter, inputs);
	output.stats = segment_writer_end(rewriter->writer, &disk_bytes);
	batch_packer_free(&rewriter->packer);
	output.delete_horizon = rewriter->delete_horizon;

	foreach(cell, inputs)
	{
		SegmentInfo *info = lfirst(cell);

		retire_segment(topic, &info->segment);
		result->records_removed += record_count(info->stats);
	}
	insert_segment(topic, &output);
	result->records_removed -= record_count(output.stats);
	result->bytes_written += disk_bytes;
}

/* Lock all inputs, without waiting. */
static bool
lock_inputs(const RewritePlan *plan)
{
	ListCell   *cell;

	foreach(cell, plan->inputs)
	{
		const SegmentInfo *info = lfirst(cell);

		if (!segment_try_lock(info->relid, AccessShareLock))
			return false;
	}
	return true;
}

bool
rewrite_segments(Topic *topic, RewritePlan *plan, RewriteResult *result)
{
	Rewriter	rewriter = {
		.topic = topic,
		.plan = plan,
		.result = result
	};
	MemoryContext context;
	MemoryContext output_context;
	MemoryContext old_context;

	memset(result, 0, sizeof(*result));
	if (!lock_inputs(plan))
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "pg_topic rewrite",
									ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(context);
	rewriter.snapshot = RegisterSnapshot(GetLatestSnapshot());
	rewriter.batch_context = AllocSetContextCreate(context,
												   "pg_topic batch to rewrite",
												   ALLOCSET_DEFAULT_SIZES);
	if (plan->compact)
		map_dirty_segments(&rewriter);

	output_context = AllocSetContextCreate(context,
										   "pg_topic segment to write",
										   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(output_context);
	while (plan->inputs != NIL)
	{
		rewrite_as_one(&rewriter, next_output_inputs(plan));
		MemoryContextReset(output_context);
	}
	segments_changed(topic);

	UnregisterSnapshot(rewriter.snapshot);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(context);
	return true;
}
