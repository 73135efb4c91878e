/*-------------------------------------------------------------------------
 *
 * time_index.h
 *		Finding offsets by time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_TIME_INDEX_H
#define TOPIC_TIME_INDEX_H

#include "utils/snapshot.h"

#include "topic.h"

/*
 * An offset from which on to look for the first record at or after an offset
 * whose timestamp is at or after `time`, in milliseconds since 1970: no record
 * between them has one, committed or not.
 */
extern int64 time_index_search(Topic *topic, int partition, int64 from_offset,
							   int64 time, Snapshot snapshot);

/*
 * The offset of the first committed record whose timestamp is at or after
 * `time`, before the offset `end`; -1 if there is none.
 */
extern int64 offset_for_time(Topic *topic, int partition, int64 time,
							 int64 end);

#endif							/* TOPIC_TIME_INDEX_H */
