/*-------------------------------------------------------------------------
 *
 * producer_sequence.h
 *		Sequence numbers of idempotent producers (KIP-98).
 *
 * A producer numbers its records of a partition from 0 on; after the greatest
 * int comes 0 again.  A batch has the number of its first record.  What is
 * remembered of the last batches tells a batch that comes again from the next
 * one, and from one before which something is missing.
 *
 * Knows no SQL and can be linked alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCER_SEQUENCE_H
#define TOPIC_PRODUCER_SEQUENCE_H

/* As many batches are remembered as Kafka's producers have in flight. */
#define PRODUCER_BATCHES	5

/* A batch that was appended. */
typedef struct ProducerBatch
{
	int32		first_sequence;
	int32		record_count;
	int64		base_offset;
} ProducerBatch;

/* The last batches of a producer's epoch in a partition, the latest last. */
typedef struct ProducerBatches
{
	int			count;
	ProducerBatch batches[PRODUCER_BATCHES];
} ProducerBatches;

typedef enum SequenceVerdict
{
	SEQUENCE_NEXT,				/* to be appended */
	SEQUENCE_REPEATED,			/* it was */
	SEQUENCE_OUT_OF_ORDER
} SequenceVerdict;

/* The number that comes so many records after a sequence number. */
extern int32 sequence_after(int32 sequence, int64 record_count);

/* The sequence number that is expected next. */
extern int32 next_sequence(const ProducerBatches *batches);

/*
 * What is to be done with a batch?  If it is repeated, *base_offset is where
 * its first record is.
 */
extern SequenceVerdict judge_sequence(const ProducerBatches *batches,
									  int32 first_sequence,
									  int32 record_count, int64 *base_offset);

/* Remember a batch that was appended, in the place of the oldest. */
extern void remember_batch(ProducerBatches *batches, int32 first_sequence,
						   int32 record_count, int64 base_offset);

#endif							/* TOPIC_PRODUCER_SEQUENCE_H */
