/*-------------------------------------------------------------------------
 *
 * maintenance.h
 *		What is to be done for a topic's segments, and doing it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MAINTENANCE_H
#define TOPIC_MAINTENANCE_H

/*
 * Do all that is due for the topics that the current user owns, step by step,
 * each in a transaction of its own: `next_transaction` commits the current one
 * and begins another.
 */
extern void maintain_topics(void (*next_transaction) (void));

#endif							/* TOPIC_MAINTENANCE_H */
