/*-------------------------------------------------------------------------
 *
 * log_append.h
 *		Appending record batches to partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_LOG_APPEND_H
#define TOPIC_LOG_APPEND_H

#include "utils/relcache.h"

#include "record_batch.h"
#include "topic.h"
#include "transaction_lock.h"

/*
 * What one hold of the append lock should write at the most, so that others
 * who append to the partition wait for a short time only.
 */
#define APPEND_RUN_BYTES	(256 * 1024)

typedef struct LogAppender LogAppender;

/*
 * What batches carry as partitionLeaderEpoch: the timeline of the server's
 * WAL, so that readers can notice a failover.
 */
extern int32 leader_epoch(void);

extern LogAppender *log_appender_begin(Topic *topic);

/*
 * Append finished batches to a partition as one contiguous run, and return
 * the offset of its first record.  The batches' buffers begin with a varlena
 * header's worth of reserve.
 */
extern int64 log_append(LogAppender *appender, int partition,
						const RecordBatchBuilder *batches, int count);
extern void log_appender_end(LogAppender *appender);

/*
 * The append lock of a partition.  A segment switch takes those of all
 * partitions, in order, and keeps them to its commit.
 */
extern void set_append_lock_tag(LOCKTAG *tag, const Topic *topic,
								int partition);

/*
 * The offset that the next record of a partition gets, given that the append
 * lock is held and the segment is the active one.
 */
extern int64 next_offset(const Segment *segment, Relation relation,
						 int partition);

#endif							/* TOPIC_LOG_APPEND_H */
