/*-------------------------------------------------------------------------
 *
 * first_time.h
 *		The idempotent consumer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_FIRST_TIME_H
#define TOPIC_FIRST_TIME_H

/* Delete so many expired keys at the most; returns how many it were. */
extern uint64 delete_expired_group_keys(int max_keys);

#endif							/* TOPIC_FIRST_TIME_H */
