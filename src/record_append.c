/*-------------------------------------------------------------------------
 *
 * record_append.c
 *		Records on their way into the log: into batches, and these appended.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "partitioner.h"
#include "record_append.h"
#include "segment.h"

static int16
batch_attributes(const Topic *topic)
{
	return topic->log_append_time ? RECORD_BATCH_LOG_APPEND_TIME : 0;
}

void
begin_packing(BatchPacker *packer, const Topic *topic)
{
	batch_packer_init(packer, topic->compression, SEGMENT_BATCH_BYTES);
	batch_packer_set(packer, leader_epoch(), batch_attributes(topic),
					 RECORD_BATCH_NO_DELETE_HORIZON);
}

void
pack_record(BatchPacker *packer, const Topic *topic, RecordInput *record,
			int64 number)
{
	if (!batch_packer_add(packer, record, number))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record is too large for a record batch of topic \"%s\"",
						topic->name)));
}

int64
append_batches(LogAppender *appender, int partition, BatchPacker *packer)
{
	for (int i = 0; i < packer->count; i++)
		SET_VARSIZE(packer->batches[i].buffer, packer->batches[i].size);
	return log_append(appender, partition, packer->batches, packer->count);
}

int
partition_for_record(const Topic *topic, const RecordInput *record)
{
	if (record->key.length < 0)
		return rotating_partition(topic);
	return partition_for_key(record->key.data, record->key.length,
							 topic->partitions);
}

int64
append_records(Topic *topic, int partition, RecordInput *records, int count)
{
	LogAppender *appender = log_appender_begin(topic);
	BatchPacker packer;
	int64		first_offset;

	begin_packing(&packer, topic);
	for (int i = 0; i < count; i++)
		pack_record(&packer, topic, &records[i], i);
	batch_packer_finish(&packer, count - 1);
	first_offset = append_batches(appender, partition, &packer);
	log_appender_end(appender);
	batch_packer_free(&packer);
	return first_offset;
}
