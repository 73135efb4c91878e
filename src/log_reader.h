/*-------------------------------------------------------------------------
 *
 * log_reader.h
 *		Reading the records of a partition in offset order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_LOG_READER_H
#define TOPIC_LOG_READER_H

#include "utils/snapshot.h"

#include "record_batch.h"
#include "topic.h"

/* What to read of a partition; LogRange is a half-open interval. */
typedef struct LogRange
{
	int64		from_offset;
	int64		to_offset;		/* exclusive; PG_INT64_MAX: to the end */
	int64		from_time;		/* milliseconds since 1970 */
	int64		to_time;		/* exclusive; PG_INT64_MAX: to the end */
} LogRange;

#define LOG_RANGE_ALL	((LogRange) {0, PG_INT64_MAX, PG_INT64_MIN, PG_INT64_MAX})

typedef struct LogReader LogReader;

/*
 * Begin to read.  The caller keeps the snapshot registered or active, and the
 * topic's relation locked.  Lives in the current memory context.
 */
extern LogReader *log_reader_begin(Topic *topic, int partition,
								   const LogRange *range, Snapshot snapshot);

/*
 * So many records will be read, if there are: before the first one, to have
 * them in one run.
 */
extern void log_reader_expect(LogReader *reader, int64 records);

/*
 * Go on behind records of open transactions, to look at what they hold back.
 * No position may be made of what is found there.
 */
extern void log_reader_skip_open(LogReader *reader);

/*
 * The next record that is committed for the snapshot; false at the end of the
 * range or before the first record of an open transaction.  The record is
 * valid until the next call.
 */
extern bool log_reader_next(LogReader *reader, Record *record);

/*
 * After the last record: is there nothing behind it, no open row either, that
 * could become one?  Of what the index had when that was read.
 */
extern bool log_reader_is_at_end(const LogReader *reader);
extern void log_reader_end(LogReader *reader);

/*
 * For a reader of all partitions: under SERIALIZABLE it also depends on those
 * that the topic does not have yet.
 */
extern void lock_topic_for_serializable(const Topic *topic, Snapshot snapshot);

#endif							/* TOPIC_LOG_READER_H */
