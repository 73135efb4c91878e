/*-------------------------------------------------------------------------
 *
 * log_scan.c
 *		Scanning the rows of a partition over all segments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"

#include "log_scan.h"

static void
begin_scan(LogScan *scan, const Topic *topic, int partition, int64 offset,
		   ScanDirection direction)
{
	scan->topic = topic;
	scan->partition = partition;
	scan->offset = offset;
	scan->direction = direction;
	scan->segment = segment_for_offset(topic, partition, offset);
	scan->relation = NULL;
}

void
log_scan_forward(LogScan *scan, const Topic *topic, int partition,
				 int64 offset)
{
	begin_scan(scan, topic, partition, offset, ForwardScanDirection);
}

void
log_scan_backward(LogScan *scan, const Topic *topic, int partition,
				  int64 offset)
{
	begin_scan(scan, topic, partition, offset, BackwardScanDirection);
}

static void
open_segment(LogScan *scan)
{
	const Segment *segment = &scan->topic->segments[scan->segment];

	scan->relation = segment_open(scan->topic, segment, AccessShareLock);
	if (ScanDirectionIsForward(scan->direction))
		segment_scan_forward(&scan->scan, scan->relation, scan->partition,
							 scan->offset);
	else
		segment_scan_backward(&scan->scan, scan->relation, scan->partition,
							  scan->offset);
}

/*
 * Can the segment have rows of the partition?  Not if the next one begins at
 * the same offset.  So a partition that is idle costs no look at, and no lock
 * on, each segment that came since.
 */
static bool
segment_may_have_rows(const LogScan *scan)
{
	const Segment *segment = &scan->topic->segments[scan->segment];

	return segment == active_segment(scan->topic) ||
		segment_base_offset(segment + 1, scan->partition) >
		segment_base_offset(segment, scan->partition);
}

bool
log_scan_next(LogScan *scan, SegmentRow *row)
{
	for (; scan->segment >= 0 && scan->segment < scan->topic->segment_count;
		 scan->segment += scan->direction)
	{
		if (!segment_may_have_rows(scan))
			continue;
		if (!scan->relation)
			open_segment(scan);
		if (segment_scan_next(&scan->scan, row))
			return true;
		log_scan_end(scan);
	}
	return false;
}

struct varlena *
log_scan_batch(LogScan *scan)
{
	return segment_scan_batch(&scan->scan);
}

void
log_scan_end(LogScan *scan)
{
	if (!scan->relation)
		return;
	segment_scan_end(&scan->scan);
	table_close(scan->relation, NoLock);
	scan->relation = NULL;
}
