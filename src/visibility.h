/*-------------------------------------------------------------------------
 *
 * visibility.h
 *		Which rows of the log a reader may see, and where it must stop.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_VISIBILITY_H
#define TOPIC_VISIBILITY_H

#include "utils/snapshot.h"

#include "segment.h"

typedef enum RowVerdict
{
	ROW_COMMITTED,				/* the reader sees it */
	ROW_ABORTED,				/* nobody will ever see it */
	ROW_OPEN					/* the reader must stop before it */
} RowVerdict;

/* A row as a reader with this MVCC snapshot must judge it. */
extern RowVerdict judge_row(const SegmentRow *row, Snapshot snapshot);

/* Is the transaction that wrote the row open at this moment? */
extern bool row_is_open(const SegmentRow *row);

#endif							/* TOPIC_VISIBILITY_H */
