/*-------------------------------------------------------------------------
 *
 * producer_state.h
 *		What idempotent producers have appended to partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCER_STATE_H
#define TOPIC_PRODUCER_STATE_H

#include "storage/itemptr.h"

#include "producer_sequence.h"

/* What a producer's epoch has appended to a partition, and where that is. */
typedef struct ProducerState
{
	int64		producer_id;
	int			producer_epoch;
	int32		topic_id;
	int			partition;
	ProducerBatches batches;
	int64		state_number;	/* 0: nothing yet */
	ItemPointerData row;
	TransactionId writer;
} ProducerState;

/*
 * Read the state as it stands now; the first four fields say of what.  Waits
 * for the end of another transaction that has appended in the same place, and
 * keeps others from that to the end of this one.  An error under REPEATABLE
 * READ and above, if the transaction's snapshot does not see that state.
 */
extern void producer_state_open(ProducerState *state);

/* Write the state in place of the one that was read. */
extern void producer_state_write(ProducerState *state);

/* Delete the state, unless somebody is at it; false if so. */
extern bool producer_state_delete(ProducerState *state);

#endif							/* TOPIC_PRODUCER_STATE_H */
