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
 * An offset from which on to look for the first record whose timestamp is at
 * or after `time`, in milliseconds since 1970: no record before it has one.
 */
extern int64 time_index_search(Topic *topic, int partition, int64 time,
							   Snapshot snapshot);

#endif							/* TOPIC_TIME_INDEX_H */
