/*-------------------------------------------------------------------------
 *
 * sequenced_batch.h
 *		A batch of an idempotent producer, on its way into the log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEQUENCED_BATCH_H
#define TOPIC_SEQUENCED_BATCH_H

#include "fmgr.h"

#include "record_input.h"

/* What a producer says with a batch. */
typedef struct ProducerSequence
{
	int64		producer_id;
	int			producer_epoch;
	int32		first_sequence; /* of the batch's first record */
} ProducerSequence;

typedef struct SequencedBatch SequencedBatch;

/*
 * The arguments producer_id, producer_epoch and sequence, from that number on;
 * false if there are none.
 */
extern bool sequence_arguments(FunctionCallInfo fcinfo, int number,
							   ProducerSequence *sequence);

/*
 * Begin a batch, whose records must all go to one partition.  The topic's
 * relation is locked with RowExclusiveLock.  Raises an error if the producer is
 * fenced, or not the caller's.
 */
extern SequencedBatch * sequenced_batch_begin(Topic *topic,
											  const ProducerSequence *sequence);

/* The partition may be given as ANY_PARTITION if the record has a key. */
extern void sequenced_batch_add(SequencedBatch * batch, int partition,
								RecordInput *record);

/*
 * Append the batch, of at least one record, unless it was appended before;
 * return the offset of its first record, and its partition.
 */
extern int64 sequenced_batch_end(SequencedBatch * batch, int *partition);

#endif							/* TOPIC_SEQUENCED_BATCH_H */
