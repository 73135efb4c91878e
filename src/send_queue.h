/*-------------------------------------------------------------------------
 *
 * send_queue.h
 *		Records that the transaction appends when it commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEND_QUEUE_H
#define TOPIC_SEND_QUEUE_H

#include "record_input.h"

extern void send_queue_init(void);

/*
 * Queue a copy of a record that make_record() made.  The partition may be
 * ANY_PARTITION.  The topic's relation is locked with RowExclusiveLock.
 */
extern void send_record(Topic *topic, int partition,
						const RecordInput *record);

#endif							/* TOPIC_SEND_QUEUE_H */
