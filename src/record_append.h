/*-------------------------------------------------------------------------
 *
 * record_append.h
 *		Records on their way into the log: into batches, and these appended.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_APPEND_H
#define TOPIC_RECORD_APPEND_H

#include "batch_packer.h"
#include "log_append.h"

/* A packer for the topic's batches. */
extern void begin_packing(BatchPacker *packer, const Topic *topic);

/* Add a record, the one of that number since the packer began. */
extern void pack_record(BatchPacker *packer, const Topic *topic,
						RecordInput *record, int64 number);

/* Append the finished batches; their buffers become varlenas. */
extern int64 append_batches(LogAppender *appender, int partition,
							BatchPacker *packer);

/* The partition of a record that comes alone, as Kafka's producer chooses. */
extern int	partition_for_record(const Topic *topic,
								 const RecordInput *record);

/*
 * All of that for a few records, at least one: append them, and return the
 * offset of the first.  The topic's relation is locked with RowExclusiveLock.
 */
extern int64 append_records(Topic *topic, int partition, RecordInput *records,
							int count);

#endif							/* TOPIC_RECORD_APPEND_H */
