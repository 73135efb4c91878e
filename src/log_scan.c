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
	if (!scan->relation)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("segment %d of topic \"%s\" was dropped",
						segment->number, scan->topic->name)));
	if (ScanDirectionIsForward(scan->direction))
		segment_scan_forward(&scan->scan, scan->relation, scan->partition,
							 scan->offset);
	else
		segment_scan_backward(&scan->scan, scan->relation, scan->partition,
							  scan->offset);
}

bool
log_scan_next(LogScan *scan, SegmentRow *row)
{
	while (scan->segment >= 0 && scan->segment < scan->topic->segment_count)
	{
		if (!scan->relation)
			open_segment(scan);
		if (segment_scan_next(&scan->scan, row))
			return true;
		log_scan_end(scan);
		scan->segment += scan->direction;
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
