/*-------------------------------------------------------------------------
 *
 * segment_list.c
 *		Which segments make up the log, for whom.
 *
 * Retention takes segments away, compaction puts new ones in the place of old
 * ones.  Both do it in two steps: a transaction marks the old segments as
 * retired (and adds the new ones), and a later one drops them once every
 * snapshot sees the mark.  So a reader with an older snapshot, such as a
 * REPEATABLE READ transaction or pg_dump, keeps on reading what it read
 * before, and one with a newer snapshot reads what is there now.
 *
 * Segments that a roll has added need no such care: rows in them are judged
 * by their own xmin.
 *
 * Of a number there may be several generations.  When one was written, the
 * generation before it was retired by the same transaction.  So a snapshot
 * that does not see that an older generation is retired does not see the
 * newer one either, and what it reads is the oldest generation that is not
 * retired for it.
 *
 * On a standby that does not send its feedback, a segment may be dropped while
 * a snapshot still needs it.  Such a reader would find fewer records than it
 * should, or, in place of those of a rewritten segment, records that are newer
 * than its snapshot; so it gets an error, as it does where recovery conflicts
 * with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "segment_list.h"

/* Does the snapshot see what this transaction has committed? */
static bool
snapshot_sees(Snapshot snapshot, TransactionId xid)
{
	return !TransactionIdIsNormal(xid) ||
		TransactionIdIsCurrentTransactionId(xid) ||
		!XidInMVCCSnapshot(xid, snapshot);
}

/* For a standby, whose snapshots the primary may not know. */
static void
report_changed_segment(const Topic *topic, int32 number)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("segment %d of topic \"%s\" was dropped or rewritten after this snapshot was taken",
					number, topic->name),
			 errhint("Retry the transaction.  On a standby, hot_standby_feedback avoids this.")));
}

static void
check_rewritten_segment(const Topic *topic, const Segment *segment,
						Snapshot snapshot)
{
	if (segment->generation > 0 && !snapshot_sees(snapshot, segment->xmin))
		report_changed_segment(topic, segment->number);
}

/*
 * Does the list begin with the oldest segment that the snapshot reads?  Which
 * one that is, the snapshot's own view of the catalog tells.
 */
static void
check_oldest_segment(const Topic *topic, const SegmentList *list,
					 Snapshot snapshot)
{
	Relation	relation = table_open(catalog_relation_oid("segments"),
									  AccessShareLock);
	Relation	index = index_open(catalog_relation_oid("segments_pkey"),
								   AccessShareLock);
	bool		found = false;
	ScanKeyData scan_key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&scan_key, Anum_segments_topic_id, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(topic->id));
	scan = systable_beginscan_ordered(relation, index, snapshot, 1, &scan_key);
	while (!found && (tuple = systable_getnext_ordered(scan,
													   ForwardScanDirection)) != NULL)
	{
		TupleDesc	columns = RelationGetDescr(relation);
		int32		number;
		bool		isnull;

		number = DatumGetInt32(heap_getattr(tuple, Anum_segments_segment,
											columns, &isnull));
		(void) heap_getattr(tuple, Anum_segments_retired_at, columns, &found);
		if (found && number < list->segments[0].number)
			report_changed_segment(topic, number);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
}

/*
 * Merge the retired segments that the snapshot still sees into the list.
 * Both are sorted by number and generation.
 */
static SegmentList *
merge_retired(const Topic *topic, Snapshot snapshot)
{
	SegmentList *list = palloc(sizeof(SegmentList));
	int			i = 0;
	int			j = 0;

	list->count = 0;
	list->segments = palloc((topic->segments.count + topic->retired.count) *
							sizeof(Segment));
	while (i < topic->segments.count)
	{
		const Segment *segment = &topic->segments.segments[i];
		const Segment *last = list->count > 0
			? &list->segments[list->count - 1] : NULL;
		bool		is_retired = j < topic->retired.count &&
			topic->retired.segments[j].number <= segment->number;

		if (is_retired)
			segment = &topic->retired.segments[j++];
		else
			i++;

		/* An older generation stands in for it. */
		if (last && last->number == segment->number)
			continue;
		if (is_retired && snapshot_sees(snapshot, segment->xmin))
			continue;
		if (!is_retired)
			check_rewritten_segment(topic, segment, snapshot);
		list->segments[list->count++] = *segment;
	}
	return list;
}

const SegmentList *
segments_for_snapshot(const Topic *topic, Snapshot snapshot)
{
	const SegmentList *list = &topic->segments;

	if (!snapshot)
		return list;
	if (topic->retired.count > 0)
		list = merge_retired(topic, snapshot);
	else
		for (int i = 0; i < list->count; i++)
			check_rewritten_segment(topic, &list->segments[i], snapshot);
	if (RecoveryInProgress())
		check_oldest_segment(topic, list, snapshot);
	return list;
}

int
segment_for_offset(const SegmentList *list, int partition, int64 offset)
{
	int			low = 0;
	int			high = list->count - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (segment_base_offset(&list->segments[middle], partition) <= offset)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

int64
log_start_offset(const Topic *topic, Snapshot snapshot, int partition)
{
	const SegmentList *list = segments_for_snapshot(topic, snapshot);
	int64		start = segment_base_offset(&list->segments[0], partition);

	if (partition < topic->log_start_count)
		start = Max(start, topic->log_starts[partition]);
	return start;
}

int64
settled_offset(const Topic *topic, int partition)
{
	return Max(log_start_offset(topic, NULL, partition),
			   segment_base_offset(&topic->segments.segments[topic->first_unsettled],
								   partition));
}
