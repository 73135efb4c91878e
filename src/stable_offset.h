/*-------------------------------------------------------------------------
 *
 * stable_offset.h
 *		The last stable offset and the high watermark of a partition.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_STABLE_OFFSET_H
#define TOPIC_STABLE_OFFSET_H

#include "segment.h"
#include "topic.h"

typedef struct PartitionOffsets
{
	int64		log_start_offset;
	int64		last_stable_offset;
	int64		high_watermark;
} PartitionOffsets;

/* Where a partition stands now, whatever snapshot the caller has. */
extern void partition_offsets(Topic *topic, int partition,
							  PartitionOffsets *offsets);

/* Raise the error that an offset is not between the log start and `end`. */
pg_noreturn extern void report_out_of_range(const Topic *topic, int partition,
											int64 offset, int64 end);

/* The last stable offset alone. */
extern int64 last_stable_offset(Topic *topic, int partition);

/*
 * Call back for each open transaction that has records in the partition, with
 * the first offset of each.
 */
typedef void (*OpenTransactionCallback) (TransactionId xid,
										 int64 first_offset, void *arg);

extern void for_each_open_transaction(Topic *topic, int partition,
									  OpenTransactionCallback callback,
									  void *arg);

/* How many appends of a session move the hint once. */
#define HINT_INTERVAL	4

/*
 * What appenders write into their rows; see stable_offset.c.  `tail` is the
 * partition's last row in the active segment, NULL if none is there.
 *
 * The hint of the last row, which is judged itself if it is the only one left;
 * and a hint that is moved on, for HINT_INTERVAL appends of so many rows.  *own
 * tells whether it got as far as it will before this transaction ends: to a row
 * of its own.
 */
extern int64 last_row_hint(Topic *topic, int partition,
						   const SegmentRow *tail);
extern int64 stable_offset_hint(Topic *topic, int partition, int rows,
								const SegmentRow *tail, bool *own);

#endif							/* TOPIC_STABLE_OFFSET_H */
