/*-------------------------------------------------------------------------
 *
 * segment_stats.c
 *		What a segment holds of each partition.
 *
 * Rows never change, so the statistics of a sealed segment are taken once,
 * and kept in topic.segments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "record_batch.h"
#include "segment_stats.h"
#include "visibility.h"

SegmentStats *
segment_stats_create(int partition_count)
{
	SegmentStats *stats = palloc0(sizeof(SegmentStats));

	stats->partition_count = partition_count;
	stats->record_counts = palloc0(partition_count * sizeof(int64));
	stats->partition_bytes = palloc0(partition_count * sizeof(int64));
	stats->raw_bytes = palloc0(partition_count * sizeof(int64));
	stats->max_timestamps = palloc(partition_count * sizeof(int64));
	for (int i = 0; i < partition_count; i++)
		stats->max_timestamps[i] = NO_TIMESTAMP;
	return stats;
}

void
segment_stats_add(SegmentStats *stats, int partition, int64 record_count,
				  int64 max_timestamp, int64 batch_bytes, int64 raw_bytes)
{
	stats->rows++;
	stats->batch_bytes += batch_bytes;
	stats->record_counts[partition] += record_count;
	stats->partition_bytes[partition] += batch_bytes;
	stats->raw_bytes[partition] += raw_bytes;
	stats->max_timestamps[partition] =
		Max(stats->max_timestamps[partition], max_timestamp);
}

SegmentStats *
segment_stats_collect(const Topic *topic, Relation segment, Snapshot snapshot)
{
	SegmentStats *stats = segment_stats_create(topic->partitions);

	for (int partition = 0; partition < topic->partitions; partition++)
	{
		SegmentScan scan;
		SegmentRow	row;

		segment_scan_forward(&scan, segment, partition, 0);
		while (segment_scan_next(&scan, &row))
		{
			struct varlena *batch;
			Size		length;

			if (judge_row(&row, snapshot) != ROW_COMMITTED)
				continue;
			batch = segment_scan_batch(&scan);
			length = VARSIZE(batch) - VARHDRSZ;
			segment_stats_add(stats, partition, row.record_count,
							  row.max_timestamp, length,
							  record_batch_raw_size(VARDATA(batch), length));
			pfree(batch);
		}
		segment_scan_end(&scan);
	}
	return stats;
}

void
segment_stats_sum(SegmentStats *sum, const SegmentStats *stats)
{
	sum->rows += stats->rows;
	sum->batch_bytes += stats->batch_bytes;
	for (int i = 0; i < Min(sum->partition_count, stats->partition_count); i++)
	{
		sum->record_counts[i] += stats->record_counts[i];
		sum->partition_bytes[i] += stats->partition_bytes[i];
		sum->raw_bytes[i] += stats->raw_bytes[i];
		sum->max_timestamps[i] = Max(sum->max_timestamps[i],
									 stats->max_timestamps[i]);
	}
}

int64
segment_stats_max_timestamp(const SegmentStats *stats)
{
	int64		max_timestamp = NO_TIMESTAMP;

	for (int i = 0; i < stats->partition_count; i++)
		max_timestamp = Max(max_timestamp, stats->max_timestamps[i]);
	return max_timestamp;
}
