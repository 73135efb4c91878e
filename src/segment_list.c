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
 * a snapshot still needs it.  In place of the records of a rewritten segment
 * such a reader would find records that are newer than its snapshot, so it
 * gets an error, as it does where recovery conflicts with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"

#include "segment_list.h"

/* Does the snapshot see what this transaction has committed? */
static bool
snapshot_sees(Snapshot snapshot, TransactionId xid)
{
	return !TransactionIdIsNormal(xid) ||
		TransactionIdIsCurrentTransactionId(xid) ||
		!XidInMVCCSnapshot(xid, snapshot);
}

static void
check_rewritten_segment(const Topic *topic, const Segment *segment,
						Snapshot snapshot)
{
	if (segment->generation > 0 && !snapshot_sees(snapshot, segment->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("segment %d of topic \"%s\" was rewritten after this snapshot was taken",
						segment->number, topic->name),
				 errhint("Retry the transaction.  On a standby, hot_standby_feedback avoids this.")));
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
	if (!snapshot)
		return &topic->segments;
	if (topic->retired.count > 0)
		return merge_retired(topic, snapshot);
	for (int i = 0; i < topic->segments.count; i++)
		check_rewritten_segment(topic, &topic->segments.segments[i], snapshot);
	return &topic->segments;
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
