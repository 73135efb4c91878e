/*-------------------------------------------------------------------------
 *
 * produce.c
 *		produce, produce_batch, partition_for_key.
 *
 * Each has overloads for several types of key and value, all of which are the
 * same C function: it learns from pg_proc which one it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "compat.h"
#include "header.h"
#include "log_append.h"
#include "partitioner.h"
#include "record_append.h"
#include "record_value.h"
#include "segment.h"

PG_FUNCTION_INFO_V1(topic_produce);
PG_FUNCTION_INFO_V1(topic_produce_batch);
PG_FUNCTION_INFO_V1(topic_partition_for_key);

#define ANY_PARTITION	(-1)

/* The least that a header takes beside its key and value: their lengths. */
#define HEADER_OVERHEAD	2

/* Types of value and key of the overload that was called. */
typedef struct ProduceTypes
{
	Oid			value;
	Oid			key;
} ProduceTypes;

static const ProduceTypes *
produce_types(FunctionCallInfo fcinfo, int value_argument, int key_argument)
{
	ProduceTypes *types = fcinfo->flinfo->fn_extra;
	Oid		   *argument_types;
	int			count;

	if (types)
		return types;
	types = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(ProduceTypes));
	(void) get_func_signature(fcinfo->flinfo->fn_oid, &argument_types, &count);
	types->value = argument_types[value_argument];
	types->key = argument_types[key_argument];
	fcinfo->flinfo->fn_extra = types;
	return types;
}

/* The topic argument, for producing. */
static Topic *
produce_topic(FunctionCallInfo fcinfo)
{
	char	   *name = text_argument(fcinfo, 0, "topic");

	PreventCommandIfReadOnly("produce");
	return topic_open(name, ACL_INSERT, RowExclusiveLock);
}

/* The partition argument, or ANY_PARTITION. */
static int
partition_argument(FunctionCallInfo fcinfo, int number, const Topic *topic)
{
	if (PG_ARGISNULL(number))
		return ANY_PARTITION;
	check_partition(topic, PG_GETARG_INT32(number));
	return PG_GETARG_INT32(number);
}

/*
 * Kafka's default partitioner.  Records without a key go to the same partition
 * in one call, and to the next one in the next call, so that batches are full.
 */
static int
choose_partition(const Topic *topic, RecordBytes key, int sticky_partition)
{
	return key.length < 0 ? sticky_partition
		: partition_for_key(key.data, key.length, topic->partitions);
}

/* A record's timestamp: what the producer says, or `now`. */
static int64
record_time(const Topic *topic, NullableDatum timestamp, int64 now)
{
	if (timestamp.isnull || topic->log_append_time)
		return now;
	return record_timestamp_from(DatumGetTimestampTz(timestamp.value));
}

/*
 * Fill in a record from its SQL values, and check its size.
 */
static void
make_record(RecordInput *record, const Topic *topic, const ProduceTypes *types,
			NullableDatum value, NullableDatum key, NullableDatum headers,
			int64 timestamp)
{
	RecordHeader *unpacked = NULL;
	int64		size = 0;

	memset(record, 0, sizeof(RecordInput));
	record->timestamp = timestamp;
	record->key.length = -1;
	record->value.length = -1;
	if (!key.isnull)
	{
		record->key = key_from_datum(topic, key.value, types->key);
		size += record->key.length;
	}
	check_record_key(topic, record->key);
	if (!value.isnull)
	{
		record->value = value_from_datum(topic, value.value, types->value);
		size += record->value.length;
	}
	if (!headers.isnull)
	{
		record->header_count = headers_from_jsonb(DatumGetJsonbP(headers.value),
												  &unpacked);
		record->headers = unpacked;
		for (int i = 0; i < record->header_count; i++)
			size += HEADER_OVERHEAD + unpacked[i].key.length +
				Max(unpacked[i].value.length, 0);
	}

	if (size > topic->max_record_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record of " INT64_FORMAT " bytes is too large for topic \"%s\"",
						size, topic->name),
				 errdetail("Its max_record_bytes is %d.",
						   topic->max_record_bytes),
				 errhint("topic.alter_topic() can change that.")));
}

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

typedef struct BatchProducer
{
	Topic	   *topic;
	LogAppender *appender;
	ReturnSetInfo *result;
	PartitionBuffer *partitions;
} BatchProducer;

static void
emit_run(BatchProducer *producer, int partition)
{
	PartitionBuffer *buffer = &producer->partitions[partition];
	Datum		values[3];
	bool		nulls[3] = {0};

	values[0] = Int32GetDatum(partition);
	values[1] = Int64GetDatum(buffer->run_base);
	values[2] = Int32GetDatum((int32) buffer->run_count);
	tuplestore_putvalues(producer->result->setResult,
						 producer->result->setDesc, values, nulls);
}

/* Append the finished batches of a partition. */
static void
flush_partition(BatchProducer *producer, int partition)
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
	batch_packer_clear(packer);

	if (buffer->run_count > 0 &&
		buffer->run_base + buffer->run_count == base_offset)
		buffer->run_count += record_count;
	else
	{
		if (buffer->run_count > 0)
			emit_run(producer, partition);
		buffer->run_base = base_offset;
		buffer->run_count = record_count;
	}
}

/* Add a record to its partition's buffer. */
static void
buffer_record(BatchProducer *producer, int partition, RecordInput *record)
{
	PartitionBuffer *buffer = &producer->partitions[partition];

	if (buffer->record_count == 0)
		begin_packing(&buffer->packer, producer->topic);
	pack_record(&buffer->packer, producer->topic, record,
				buffer->record_count++);
	if (buffer->packer.bytes >= APPEND_RUN_BYTES)
		flush_partition(producer, partition);
}

/*
 * produce(topic text, value, key, headers jsonb, partition int,
 *		   record_timestamp timestamptz) returns bigint
 */
Datum
topic_produce(PG_FUNCTION_ARGS)
{
	const ProduceTypes *types = produce_types(fcinfo, 1, 2);
	Topic	   *topic = produce_topic(fcinfo);
	int			partition = partition_argument(fcinfo, 4, topic);
	RecordInput record;
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	make_record(&record, topic, types, fcinfo->args[1], fcinfo->args[2],
				fcinfo->args[3], record_time(topic, fcinfo->args[5], now));
	if (partition == ANY_PARTITION)
		partition = choose_partition(topic, record.key,
									 record.key.length < 0
									 ? rotating_partition(topic) : 0);

	PG_RETURN_INT64(append_records(topic, partition, &record, 1));
}

/* An array argument of produce_batch, unpacked. */
typedef struct ArrayArgument
{
	Datum	   *values;			/* NULL if the argument is */
	bool	   *nulls;
	int			count;
} ArrayArgument;

static ArrayArgument
array_argument(FunctionCallInfo fcinfo, int number)
{
	ArrayArgument argument = {0};
	ArrayType  *array;
	int16		length;
	bool		by_value;
	char		alignment;

	if (PG_ARGISNULL(number))
		return argument;
	array = PG_GETARG_ARRAYTYPE_P(number);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment,
					  &argument.values, &argument.nulls, &argument.count);
	return argument;
}

static void
check_same_length(const ArrayArgument *values, const ArrayArgument *other,
				  const char *name)
{
	if (other->values && other->count != values->count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s and record_values must have the same length", name),
				 errdetail("Their lengths are %d and %d.",
						   other->count, values->count)));
}

static NullableDatum
array_element(const ArrayArgument *argument, int i)
{
	NullableDatum element = {.isnull = true};

	if (argument->values)
	{
		element.value = argument->values[i];
		element.isnull = argument->nulls[i];
	}
	return element;
}

/*
 * produce_batch(topic text, record_values, keys, headers jsonb[],
 *				 partition int, record_timestamps timestamptz[])
 * returns table(partition int, base_offset bigint, record_count int)
 */
Datum
topic_produce_batch(PG_FUNCTION_ARGS)
{
	Topic	   *topic = produce_topic(fcinfo);
	int			partition = partition_argument(fcinfo, 4, topic);
	int			sticky_partition = -1;
	int64		now = record_timestamp_from(GetCurrentTimestamp());
	ProduceTypes types;
	ArrayArgument values,
				keys,
				headers,
				timestamps;
	BatchProducer producer;
	MemoryContext record_context;

	if (PG_ARGISNULL(1))
		report_null_argument("record_values");
	values = array_argument(fcinfo, 1);
	keys = array_argument(fcinfo, 2);
	headers = array_argument(fcinfo, 3);
	timestamps = array_argument(fcinfo, 5);
	check_same_length(&values, &keys, "keys");
	check_same_length(&values, &headers, "headers");
	check_same_length(&values, &timestamps, "record_timestamps");
	types.value = ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(1));
	types.key = PG_ARGISNULL(2) ? InvalidOid
		: ARR_ELEMTYPE(PG_GETARG_ARRAYTYPE_P(2));

	InitMaterializedSRF(fcinfo, 0);
	producer.topic = topic;
	producer.appender = log_appender_begin(topic);
	producer.result = (ReturnSetInfo *) fcinfo->resultinfo;
	producer.partitions = palloc0(topic->partitions * sizeof(PartitionBuffer));

	/* Conversions of one record; the batch keeps a copy. */
	record_context = AllocSetContextCreate(CurrentMemoryContext,
										   "pg_topic record",
										   ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < values.count; i++)
	{
		MemoryContext old_context = MemoryContextSwitchTo(record_context);
		RecordInput record;
		int			record_partition = partition;

		CHECK_FOR_INTERRUPTS();
		make_record(&record, topic, &types, array_element(&values, i),
					array_element(&keys, i), array_element(&headers, i),
					record_time(topic, array_element(&timestamps, i), now));
		MemoryContextSwitchTo(old_context);

		if (record_partition == ANY_PARTITION)
		{
			if (record.key.length < 0 && sticky_partition < 0)
				sticky_partition = rotating_partition(topic);
			record_partition = choose_partition(topic, record.key,
												sticky_partition);
		}
		buffer_record(&producer, record_partition, &record);
		MemoryContextReset(record_context);
	}

	for (int i = 0; i < topic->partitions; i++)
	{
		PartitionBuffer *buffer = &producer.partitions[i];

		batch_packer_finish(&buffer->packer, buffer->record_count - 1);
		flush_partition(&producer, i);
		if (buffer->run_count > 0)
			emit_run(&producer, i);
	}
	log_appender_end(producer.appender);
	PG_RETURN_NULL();
}

/*
 * partition_for_key(topic text, key) returns int
 */
Datum
topic_partition_for_key(PG_FUNCTION_ARGS)
{
	const ProduceTypes *types = produce_types(fcinfo, 1, 1);
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_lookup(name);
	RecordBytes key;

	if (!topic)
		report_unknown_topic(name);
	key = key_from_datum(topic, PG_GETARG_DATUM(1), types->key);
	PG_RETURN_INT32(partition_for_key(key.data, key.length,
									  topic->partitions));
}
