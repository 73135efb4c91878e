/*-------------------------------------------------------------------------
 *
 * segment_list.h
 *		Which segments make up the log, for whom.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_LIST_H
#define TOPIC_SEGMENT_LIST_H

#include "utils/snapshot.h"

#include "topic.h"

/*
 * The segments that a reader with this MVCC snapshot reads; NULL: the latest.
 * Valid as long as the topic, and the current memory context.
 */
extern const SegmentList *segments_for_snapshot(const Topic *topic,
												Snapshot snapshot);

/*
 * Index of the segment that holds an offset: the last that begins at or
 * before it, or else the oldest.
 */
extern int	segment_for_offset(const SegmentList *list, int partition,
							   int64 offset);

/*
 * First offset of a partition that is not deleted: that of the oldest segment,
 * or a later one that delete_records has set.
 */
extern int64 log_start_offset(const Topic *topic, Snapshot snapshot,
							  int partition);

/*
 * An offset below which nothing is open and nothing can be added: where the
 * first segment begins that is not settled, or the log start offset.
 */
extern int64 settled_offset(const Topic *topic, int partition);

#endif							/* TOPIC_SEGMENT_LIST_H */
