/*-------------------------------------------------------------------------
 *
 * sequenced_batch.c
 *		A batch of an idempotent producer, on its way into the log (KIP-98).
 *
 * A batch is one contiguous run, under one hold of the append lock, so that
 * one offset tells where it is when it comes again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "errors.h"
#include "partitioner.h"
#include "producer.h"
#include "producer_state.h"
#include "record_append.h"
#include "sequenced_batch.h"

struct SequencedBatch
{
	Topic	   *topic;
	ProducerSequence sequence;
	MemoryContext context;
	int			partition;		/* ANY_PARTITION: no record yet */
	int32		record_count;
	BatchPacker packer;
};

bool
sequence_arguments(FunctionCallInfo fcinfo, int number,
				   ProducerSequence *sequence)
{
	int			nulls = PG_ARGISNULL(number) + PG_ARGISNULL(number + 1) +
		PG_ARGISNULL(number + 2);

	if (nulls == 3)
		return false;
	if (nulls > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("producer_id, producer_epoch and sequence must be given together")));
	sequence->producer_id = PG_GETARG_INT64(number);
	sequence->producer_epoch = PG_GETARG_INT32(number + 1);
	sequence->first_sequence = PG_GETARG_INT32(number + 2);
	if (sequence->first_sequence < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sequence must not be negative")));
	return true;
}

SequencedBatch *
sequenced_batch_begin(Topic *topic, const ProducerSequence *sequence)
{
	SequencedBatch *batch = palloc0(sizeof(SequencedBatch));

	check_producer(sequence->producer_id, sequence->producer_epoch);
	batch->topic = topic;
	batch->sequence = *sequence;
	batch->context = CurrentMemoryContext;
	batch->partition = ANY_PARTITION;
	begin_packing(&batch->packer, topic);
	return batch;
}

/*
 * The partition of a record, which must be the same when it comes again.
 */
static int
choose_partition(const SequencedBatch * batch, RecordBytes key)
{
	if (key.length < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a record with a sequence needs a partition or a key"),
				 errdetail("Each partition has sequences of its own.")));
	return partition_for_key(key.data, key.length, batch->topic->partitions);
}

void
sequenced_batch_add(SequencedBatch * batch, int partition, RecordInput *record)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);

	if (partition == ANY_PARTITION)
		partition = choose_partition(batch, record->key);
	if (batch->partition == ANY_PARTITION)
		batch->partition = partition;
	if (batch->partition != partition)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("records of a batch with a sequence must go to one partition"),
				 errdetail("Their keys are of partitions %d and %d of topic \"%s\".",
						   batch->partition, partition, batch->topic->name),
				 errhint("Give the partition, or produce a batch for each.")));
	pack_record(&batch->packer, batch->topic, record, batch->record_count++);
	MemoryContextSwitchTo(old_context);
}

static void
report_out_of_order(const SequencedBatch * batch, const ProducerState *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_ORDER_SEQUENCE),
			 errmsg("sequence %d of producer " INT64_FORMAT
					" is out of order in partition %d of topic \"%s\"",
					batch->sequence.first_sequence, state->producer_id,
					state->partition, batch->topic->name),
			 errdetail("The next sequence is %d, and the batch is none of the last %d.",
					   next_sequence(&state->batches), PRODUCER_BATCHES)));
}

/* Append the packed batches; returns the offset of the first record. */
static int64
append(SequencedBatch * batch)
{
	const ProducerSequence *sequence = &batch->sequence;
	BatchPacker *packer = &batch->packer;
	LogAppender *appender = log_appender_begin(batch->topic);
	int64		base_offset;

	batch_packer_finish(packer, batch->record_count - 1);
	for (int i = 0; i < packer->count; i++)
	{
		RecordBatchBuilder *packed = &packer->batches[i];

		record_batch_set_producer(packed->buffer + packed->reserve,
								  packed->size - packed->reserve,
								  sequence->producer_id,
								  (int16) sequence->producer_epoch,
								  sequence_after(sequence->first_sequence,
												 packed->base_offset));
	}
	base_offset = append_batches(appender, batch->partition, packer);
	log_appender_end(appender);
	return base_offset;
}

int64
sequenced_batch_end(SequencedBatch * batch, int *partition)
{
	MemoryContext old_context = MemoryContextSwitchTo(batch->context);
	const ProducerSequence *sequence = &batch->sequence;
	ProducerState state = {
		.producer_id = sequence->producer_id,
		.producer_epoch = sequence->producer_epoch,
		.topic_id = batch->topic->id,
		.partition = batch->partition
	};
	int64		base_offset;

	producer_state_open(&state);
	switch (judge_sequence(&state.batches, sequence->first_sequence,
						   batch->record_count, &base_offset))
	{
		case SEQUENCE_NEXT:
			base_offset = append(batch);
			remember_batch(&state.batches, sequence->first_sequence,
						   batch->record_count, base_offset);
			producer_state_write(&state);
			note_produced(sequence->producer_id, sequence->producer_epoch);
			break;
		case SEQUENCE_REPEATED:
			break;
		case SEQUENCE_OUT_OF_ORDER:
			report_out_of_order(batch, &state);
	}
	*partition = batch->partition;
	batch_packer_free(&batch->packer);
	pfree(batch);
	MemoryContextSwitchTo(old_context);
	return base_offset;
}
