/*-------------------------------------------------------------------------
 *
 * log_scan.c
 *		Scanning the rows of a partition over all segments.
 *
 * A segment may be dropped while a scan that does not need it has it on its
 * list: the mark that it is retired was committed before the reader's
 * snapshot was taken, but the invalidation came after the list was read.
 * Whoever drops a segment has told everybody of the mark before, so a scan
 * that finds a segment missing reads the list anew and goes on by offset.  If
 * the segment was rewritten, the row that holds that offset may begin before
 * it: a forward scan then returns that row, too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/inval.h"

#include "log_scan.h"

/* Find the segment to go on with. */
static void
find_segment(LogScan *scan)
{
	scan->list = segments_for_snapshot(scan->topic, scan->snapshot);
	scan->segment = segment_for_offset(scan->list, scan->partition,
									   scan->offset);
}

static void
begin_scan(LogScan *scan, Topic *topic, Snapshot snapshot, int partition,
		   int64 offset, ScanDirection direction)
{
	scan->topic = topic;
	scan->snapshot = snapshot;
	scan->partition = partition;
	scan->offset = offset;
	scan->direction = direction;
	scan->relation = NULL;
	scan->list_changed = false;
	find_segment(scan);
}

void
log_scan_forward(LogScan *scan, Topic *topic, Snapshot snapshot,
				 int partition, int64 offset)
{
	begin_scan(scan, topic, snapshot, partition, offset,
			   ForwardScanDirection);
}

void
log_scan_backward(LogScan *scan, Topic *topic, Snapshot snapshot,
				  int partition, int64 offset)
{
	begin_scan(scan, topic, snapshot, partition, offset,
			   BackwardScanDirection);
}

/* Go back to the beginning of the row that holds the current offset. */
static void
go_back_to_row(LogScan *scan)
{
	SegmentScan backward;
	SegmentRow	row;

	segment_scan_backward(&backward, scan->relation, scan->partition,
						  scan->offset);
	if (segment_scan_next(&backward, &row) && row.last_offset >= scan->offset)
		scan->offset = row.base_offset;
	segment_scan_end(&backward);
}

/* Open the current segment; false if it turned out to be another one. */
static bool
open_segment(LogScan *scan)
{
	Segment    *segment = &scan->list->segments[scan->segment];

	scan->relation = segment_try_open(scan->topic, segment, AccessShareLock);
	if (!scan->relation)
	{
		AcceptInvalidationMessages();
		if (scan->topic->valid)
			report_missing_segment(scan->topic, segment);
		scan->topic = topic_refresh(scan->topic);
		find_segment(scan);
		scan->list_changed = true;
		return false;
	}
	if (scan->list_changed && ScanDirectionIsForward(scan->direction))
		go_back_to_row(scan);
	scan->list_changed = false;
	if (ScanDirectionIsForward(scan->direction))
		segment_scan_forward(&scan->scan, scan->relation, scan->partition,
							 scan->offset);
	else
		segment_scan_backward(&scan->scan, scan->relation, scan->partition,
							  scan->offset);
	return true;
}

/*
 * Can the segment have rows of the partition?  Not if the next one begins at
 * the same offset.  So a partition that is idle costs no look at, and no lock
 * on, each segment that came since.
 */
static bool
segment_may_have_rows(const LogScan *scan)
{
	Segment    *segment = &scan->list->segments[scan->segment];

	return scan->segment == scan->list->count - 1 ||
		segment_base_offset(segment + 1, scan->partition) >
		segment_base_offset(segment, scan->partition);
}

bool
log_scan_next(LogScan *scan, SegmentRow *row)
{
	while (scan->segment >= 0 && scan->segment < scan->list->count)
	{
		if (segment_may_have_rows(scan))
		{
			if (!scan->relation && !open_segment(scan))
				continue;
			if (segment_scan_next(&scan->scan, row))
			{
				scan->offset = ScanDirectionIsForward(scan->direction)
					? row->last_offset + 1 : row->base_offset - 1;
				return true;
			}
			log_scan_end(scan);
		}
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
