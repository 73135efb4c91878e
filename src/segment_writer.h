/*-------------------------------------------------------------------------
 *
 * segment_writer.h
 *		Filling a new segment with the rows that take the place of others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_WRITER_H
#define TOPIC_SEGMENT_WRITER_H

#include "segment_stats.h"

typedef struct SegmentWriter SegmentWriter;

/*
 * Begin to fill a segment whose table this transaction has made.  Lives in
 * the current memory context.
 */
extern SegmentWriter *segment_writer_begin(const Topic *topic,
										   Segment *segment);

/*
 * Add a row, in the order of partitions and offsets.  Of the row its counts,
 * offsets and time are used.
 */
extern void segment_writer_add(SegmentWriter *writer, int partition,
							   const SegmentRow *row,
							   const struct varlena *batch);

/*
 * All rows are added; returns what the segment holds, and its bytes on disk.
 */
extern SegmentStats *segment_writer_end(SegmentWriter *writer,
										int64 *disk_bytes);

#endif							/* TOPIC_SEGMENT_WRITER_H */
