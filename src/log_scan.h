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

/*
 * Returns rows whatever their visibility.  As with SegmentScan: never leave
 * one open while waiting for anything.
 */
typedef struct LogScan
{
	const Topic *topic;
	int			partition;
	int64		offset;
	ScanDirection direction;
	int			segment;		/* index of the segment being scanned, or next */
	Relation	relation;		/* NULL if none is open */
	SegmentScan scan;
} LogScan;

/* Forward from the first row whose base offset is >= offset. */
extern void log_scan_forward(LogScan *scan, const Topic *topic, int partition,
							 int64 offset);

/* Backward from the last row whose base offset is <= offset. */
extern void log_scan_backward(LogScan *scan, const Topic *topic,
							  int partition, int64 offset);
extern bool log_scan_next(LogScan *scan, SegmentRow *row);

/* The batch of the row that was returned last, detoasted, palloc'd. */
extern struct varlena *log_scan_batch(LogScan *scan);
extern void log_scan_end(LogScan *scan);

#endif							/* TOPIC_LOG_SCAN_H */
