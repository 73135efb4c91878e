/*-------------------------------------------------------------------------
 *
 * producer.h
 *		Idempotent producers, their epochs, and who may use them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCER_H
#define TOPIC_PRODUCER_H

#include "storage/lock.h"

extern void producers_init(void);

/*
 * Raise an error unless the producer is there, the caller may use it, and this
 * is its epoch.
 */
extern void check_producer(int64 producer_id, int producer_epoch);

/*
 * The transaction has produced with this epoch: it must still be the
 * producer's when the transaction commits.
 */
extern void note_produced(int64 producer_id, int producer_epoch);

/*
 * The lock of a producer's epoch: shared by transactions that commit what they
 * have produced with it, exclusive for who ends it.
 */
extern void set_epoch_lock_tag(LOCKTAG *tag, int64 producer_id);

#endif							/* TOPIC_PRODUCER_H */
