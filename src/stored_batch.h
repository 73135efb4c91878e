/*-------------------------------------------------------------------------
 *
 * stored_batch.h
 *		The record batch of a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_STORED_BATCH_H
#define TOPIC_STORED_BATCH_H

#include "record_batch.h"
#include "topic.h"

/*
 * Open the batch of a row.  Raises an error if it is damaged.  Decompressed
 * records are in the current memory context.
 */
extern void stored_batch_open(RecordBatch *batch, const Topic *topic,
							  int partition, int64 base_offset,
							  int64 last_offset, const struct varlena *bytes);

pg_noreturn extern void report_damaged_batch(const RecordBatch *batch,
											 const Topic *topic,
											 int partition);

#endif							/* TOPIC_STORED_BATCH_H */
