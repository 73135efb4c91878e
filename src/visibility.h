/*-------------------------------------------------------------------------
 *
 * visibility.h
 *		Which rows of the log a reader may see, and where it must stop.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_VISIBILITY_H
#define TOPIC_VISIBILITY_H

#include "access/htup.h"
#include "utils/snapshot.h"

typedef enum RowVerdict
{
	ROW_COMMITTED,				/* the reader sees it */
	ROW_ABORTED,				/* nobody will ever see it */
	ROW_OPEN					/* the reader must stop before it */
} RowVerdict;

/* A row as a reader with this MVCC snapshot must judge it. */
extern RowVerdict judge_row(HeapTuple tuple, Snapshot snapshot);

/* A row as it stands now, whatever snapshot anybody has. */
extern RowVerdict judge_row_now(HeapTuple tuple);

#endif							/* TOPIC_VISIBILITY_H */
