/*-------------------------------------------------------------------------
 *
 * producer_expiry.h
 *		Forgetting what idempotent producers do not need any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCER_EXPIRY_H
#define TOPIC_PRODUCER_EXPIRY_H

extern void producer_expiry_init(void);

/*
 * Delete expired producers, states of epochs that are over, and expired keys:
 * as much as one transaction should.  True if there may be more.
 */
extern bool expire_producers(void);

#endif							/* TOPIC_PRODUCER_EXPIRY_H */
