/*-------------------------------------------------------------------------
 *
 * bulk_producer.c
 *		Appending a stream of records at batch speed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "bulk_producer.h"
#include "partitioner.h"
#include "record_append.h"

/*
 * What batches may take that are finished and not appended, of all partitions:
 * of 64 partitions as much as each is let have; if there are more, each has
 * less.
 */
#define MAX_PENDING_BYTES	(64 * APPEND_RUN_BYTES)

/*
 * A partition's records that were not appended yet, and the contiguous run
 * that was appended last.
 */
typedef struct PartitionBuffer
{
	BatchPacker packer;
	int64		record_count;	/* of all that came */

	int64		run_base;
	int64		run_count;		/* 0: no run yet */
} PartitionBuffer;

struct BulkProducer
{
	Topic	   *topic;
	LogAppender *appender;
	RunAppended appended;
	void	   *arg;
	MemoryContext context;
	int			sticky_partition;	/* of records without a key, or ANY */
	size_t		pending;		/* bytes of finished batches */
	PartitionBuffer partitions[FLEXIBLE_ARRAY_MEMBER];
};

BulkProducer *
bulk_producer_begin(Topic *topic, RunAppended appended, void *arg)
{
	BulkProducer *producer = palloc0(offsetof(BulkProducer, partitions) +
									 topic->partitions *
									 sizeof(PartitionBuffer));

	producer->topic = topic;
	producer->appender = log_appender_begin(topic);
	producer->appended = appended;
	producer->arg = arg;
	producer->context = CurrentMemoryContext;
	producer->sticky_partition = ANY_PARTITION;
	return producer;
}

/* Tell of a partition's last run. */
static void
end_run(BulkProducer *producer, int partition)
{
	PartitionBuffer *buffer = &producer->partitions[partition];

	if (buffer->run_count > 0)
		producer->appended(producer->arg, partition, buffer->run_base,
						   buffer->run_count);
	buffer->run_count = 0;
}

/* Append the finished batches of a partition. */
static void
flush_partition(BulkProducer *producer, int partition)
{
	PartitionBuffer *buffer = &producer->partitions[partition];
	BatchPacker *packer = &buffer->packer;
	int64		record_count = 0;
	int64		base_offset;

	if (packer->count == 0)
		return;
	for (int i = 0; i < packer->count; i++)
		record_count += packer->batches[i].record_count;
	base_offset = append_batches(producer->appender, partition, packer);
	producer->pending -= packer->bytes;
	batch_packer_clear(packer);

	if (buffer->run_base + buffer->run_count != base_offset)
		end_run(producer, partition);
	if (buffer->run_count == 0)
		buffer->run_base = base_offset;
	buffer->run_count += record_count;
}

/*
 * Kafka's default partitioner.  Records without a key go to the same partition
 * in one stream, and to the next one in the next stream, so that batches are
 * full.
 */
static int
choose_partition(BulkProducer *producer, RecordBytes key)
{
	if (key.length >= 0)
		return partition_for_key(key.data, key.length,
								 producer->topic->partitions);
	if (producer->sticky_partition == ANY_PARTITION)
		producer->sticky_partition = rotating_partition(producer->topic);
	return producer->sticky_partition;
}

int
bulk_producer_add(BulkProducer *producer, int partition, RecordInput *record)
{
	MemoryContext old_context = MemoryContextSwitchTo(producer->context);
	PartitionBuffer *buffer;
	size_t		bytes;

	if (partition == ANY_PARTITION)
		partition = choose_partition(producer, record->key);
	buffer = &producer->partitions[partition];
	if (buffer->record_count == 0)
		begin_packing(&buffer->packer, producer->topic);
	bytes = buffer->packer.bytes;
	pack_record(&buffer->packer, producer->topic, record,
				buffer->record_count++);
	producer->pending += buffer->packer.bytes - bytes;
	if (buffer->packer.bytes >= APPEND_RUN_BYTES)
		flush_partition(producer, partition);
	if (producer->pending >= MAX_PENDING_BYTES)
		for (int i = 0; i < producer->topic->partitions; i++)
			flush_partition(producer, i);
	MemoryContextSwitchTo(old_context);
	return partition;
}

void
bulk_producer_end(BulkProducer *producer)
{
	MemoryContext old_context = MemoryContextSwitchTo(producer->context);

	for (int i = 0; i < producer->topic->partitions; i++)
	{
		PartitionBuffer *buffer = &producer->partitions[i];

		if (buffer->record_count == 0)
			continue;
		producer->pending -= buffer->packer.bytes;
		batch_packer_finish(&buffer->packer, buffer->record_count - 1);
		producer->pending += buffer->packer.bytes;
		flush_partition(producer, i);
		batch_packer_free(&buffer->packer);
		end_run(producer, i);
	}
	log_appender_end(producer->appender);
	MemoryContextSwitchTo(old_context);
	pfree(producer);
}
