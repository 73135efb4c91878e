/*-------------------------------------------------------------------------
 *
 * producer_sequence.c
 *		Sequence numbers of idempotent producers (KIP-98).
 *
 *-------------------------------------------------------------------------
 */
#include "standalone.h"

#include "producer_sequence.h"

int32
sequence_after(int32 sequence, int64 record_count)
{
	return (int32) ((sequence + record_count) & PG_INT32_MAX);
}

int32
next_sequence(const ProducerBatches *batches)
{
	const ProducerBatch *last;

	if (batches->count == 0)
		return 0;
	last = &batches->batches[batches->count - 1];
	return sequence_after(last->first_sequence, last->record_count);
}

/*
 * A batch is repeated if it begins and ends where one has: a producer that
 * tries again sends the same records.
 */
SequenceVerdict
judge_sequence(const ProducerBatches *batches, int32 first_sequence,
			   int32 record_count, int64 *base_offset)
{
	int			i;

	for (i = 0; i < batches->count; i++)
	{
		const ProducerBatch *batch = &batches->batches[i];

		if (batch->first_sequence == first_sequence &&
			batch->record_count == record_count)
		{
			*base_offset = batch->base_offset;
			return SEQUENCE_REPEATED;
		}
	}
	return first_sequence == next_sequence(batches)
		? SEQUENCE_NEXT : SEQUENCE_OUT_OF_ORDER;
}

void
remember_batch(ProducerBatches *batches, int32 first_sequence,
			   int32 record_count, int64 base_offset)
{
	ProducerBatch *batch;

	if (batches->count == PRODUCER_BATCHES)
		memmove(&batches->batches[0], &batches->batches[1],
				--batches->count * sizeof(ProducerBatch));
	batch = &batches->batches[batches->count++];
	batch->first_sequence = first_sequence;
	batch->record_count = record_count;
	batch->base_offset = base_offset;
}
