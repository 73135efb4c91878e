/*-------------------------------------------------------------------------
 *
 * produced_key.h
 *		Records that are produced once however often a producer tries, by keys
 *		that the topic remembers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCED_KEY_H
#define TOPIC_PRODUCED_KEY_H

#include "record_input.h"

/*
 * Append the record unless the topic remembers the key; return its offset, or
 * that of the record which came with the key first.  Waits for another
 * transaction that has just given the same key.  The topic's relation is locked
 * with RowExclusiveLock.
 */
extern int64 append_once(Topic *topic, const char *key, int partition,
						 RecordInput *record);

/* Delete so many expired keys at the most; returns how many it were. */
extern uint64 delete_expired_topic_keys(int max_keys);

#endif							/* TOPIC_PRODUCED_KEY_H */
