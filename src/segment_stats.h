/*-------------------------------------------------------------------------
 *
 * segment_stats.h
 *		What a segment holds of each partition.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_STATS_H
#define TOPIC_SEGMENT_STATS_H

#include "segment.h"

typedef struct SegmentStats
{
	int64		rows;
	int64		batch_bytes;	/* as stored */

	/* Of each partition: */
	int			partition_count;
	int64	   *record_counts;
	int64	   *partition_bytes;	/* as stored */
	int64	   *raw_bytes;		/* of the batches before compression */
	int64	   *max_timestamps; /* or NO_TIMESTAMP */
} SegmentStats;

extern SegmentStats *segment_stats_create(int partition_count);

/* Count a row. */
extern void segment_stats_add(SegmentStats *stats, int partition,
							  int64 record_count, int64 max_timestamp,
							  int64 batch_bytes, int64 raw_bytes);

/* Count the rows of a segment that are committed for the snapshot. */
extern SegmentStats *segment_stats_collect(const Topic *topic,
										   Relation segment,
										   Snapshot snapshot);

/* Add what another segment holds. */
extern void segment_stats_sum(SegmentStats *sum, const SegmentStats *stats);

/* The greatest timestamp of all partitions; NO_TIMESTAMP if there is none. */
extern int64 segment_stats_max_timestamp(const SegmentStats *stats);

#endif							/* TOPIC_SEGMENT_STATS_H */
