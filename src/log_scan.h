/*-------------------------------------------------------------------------
 *
 * log_scan.h
 *		Scanning the rows of a partition over all segments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_LOG_SCAN_H
#define TOPIC_LOG_SCAN_H

#include "segment.h"
#include "segment_list.h"

/*
 * Returns rows whatever their visibility, of the segments that the snapshot
 * reads; NULL: the latest.  As with SegmentScan: never leave one open while
 * waiting for anything.
 */
typedef struct LogScan
{
	Topic	   *topic;
	Snapshot	snapshot;
	const SegmentList *list;
	int			partition;
	int64		offset;			/* where to go on, in any segment */
	ScanDirection direction;
	int			segment;		/* index of the segment being scanned, or next */
	Relation	relation;		/* NULL if none is open */
	bool		list_changed;	/* since the row that was returned last */
	SegmentScan scan;
} LogScan;

/*
 * Forward from the first row whose base offset is >= offset.  Who uses what
 * rows hold must skip what he has had: see log_scan.c.
 */
extern void log_scan_forward(LogScan *scan, Topic *topic, Snapshot snapshot,
							 int partition, int64 offset);

/* Backward from the last row whose base offset is <= offset. */
extern void log_scan_backward(LogScan *scan, Topic *topic, Snapshot snapshot,
							  int partition, int64 offset);
extern bool log_scan_next(LogScan *scan, SegmentRow *row);

/* The batch of the row that was returned last, detoasted, palloc'd. */
extern struct varlena *log_scan_batch(LogScan *scan);
extern void log_scan_end(LogScan *scan);

#endif							/* TOPIC_LOG_SCAN_H */
