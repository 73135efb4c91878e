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
#include "bulk_producer.h"
#include "compat.h"
#include "idempotency_key.h"
#include "partitioner.h"
#include "produce.h"
#include "produced_key.h"
#include "record_append.h"
#include "record_value.h"
#include "sequenced_batch.h"

PG_FUNCTION_INFO_V1(topic_produce);
PG_FUNCTION_INFO_V1(topic_produce_batch);
PG_FUNCTION_INFO_V1(topic_partition_for_key);

static const RecordTypes *
produce_types(FunctionCallInfo fcinfo, int value_argument, int key_argument)
{
	RecordTypes *types = fcinfo->flinfo->fn_extra;
	Oid		   *argument_types;
	int			count;

	if (types)
		return types;
	types = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(RecordTypes));
	(void) get_func_signature(fcinfo->flinfo->fn_oid, &argument_types, &count);
	types->value = argument_types[value_argument];
	types->key = argument_types[key_argument];
	fcinfo->flinfo->fn_extra = types;
	return types;
}

/* The topic argument, for producing by a function of that name. */
static Topic *
produce_topic(FunctionCallInfo fcinfo, const char *function)
{
	char	   *name = text_argument(fcinfo, 0, "topic");

	PreventCommandIfReadOnly(function);
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

Topic *
record_argument(FunctionCallInfo fcinfo, const char *function, int *partition,
				RecordInput *record)
{
	const RecordTypes *types = produce_types(fcinfo, 1, 2);
	Topic	   *topic = produce_topic(fcinfo, function);
	RecordValues values = {
		.value = fcinfo->args[1],
		.key = fcinfo->args[2],
		.headers = fcinfo->args[3],
		.timestamp = fcinfo->args[5]
	};

	*partition = partition_argument(fcinfo, 4, topic);
	make_record(record, topic, types, &values,
				record_timestamp_from(GetCurrentTimestamp()));
	return topic;
}

/* Append a record with a sequence; returns its offset. */
static int64
produce_in_sequence(Topic *topic, int partition,
					const ProducerSequence *sequence, RecordInput *record)
{
	SequencedBatch *batch = sequenced_batch_begin(topic, sequence);

	sequenced_batch_add(batch, partition, record);
	return sequenced_batch_end(batch, &partition);
}

/*
 * produce(topic text, value, key, headers jsonb, partition int,
 *		   record_timestamp timestamptz, producer_id bigint,
 *		   producer_epoch int, sequence int, idempotency_key text)
 * returns bigint
 */
Datum
topic_produce(PG_FUNCTION_ARGS)
{
	RecordInput record;
	int			partition;
	Topic	   *topic = record_argument(fcinfo, "produce", &partition, &record);
	ProducerSequence sequence;
	bool		in_sequence = sequence_arguments(fcinfo, 6, &sequence);
	const char *idempotency_key = PG_ARGISNULL(9) ? NULL
		: idempotency_key_argument(fcinfo, 9);

	if (in_sequence && idempotency_key)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sequence and idempotency_key must not be given together")));
	if (in_sequence)
		PG_RETURN_INT64(produce_in_sequence(topic, partition, &sequence,
											&record));
	if (partition == ANY_PARTITION)
		partition = partition_for_record(topic, &record);

	if (idempotency_key)
		PG_RETURN_INT64(append_once(topic, idempotency_key, partition,
									&record));
	PG_RETURN_INT64(append_records(topic, partition, &record, 1));
}

/* An array argument of produce_batch, unpacked. */
typedef struct ArrayArgument
{
	Oid			type;			/* of the elements; InvalidOid if not given */
	Datum	   *values;
	bool	   *nulls;			/* NULL if no element is */
	int			count;
} ArrayArgument;

/*
 * A variable of PL/pgSQL is an array that has been unpacked before.  Another
 * one may be aligned less than AnyArrayType is, so that type is not used then.
 */
static ArrayArgument
array_argument(FunctionCallInfo fcinfo, int number)
{
	ArrayArgument argument = {0};
	AnyArrayType *array;

	if (PG_ARGISNULL(number))
		return argument;
	array = PG_GETARG_ANY_ARRAY_P(number);
	argument.type = AARR_ELEMTYPE(array);
	if (VARATT_IS_EXPANDED_HEADER(array))
	{
		deconstruct_expanded_array(&array->xpn);
		argument.values = array->xpn.dvalues;
		argument.nulls = array->xpn.dnulls;
		argument.count = array->xpn.nelems;
	}
	else
	{
		int16		length;
		bool		by_value;
		char		alignment;

		get_typlenbyvalalign(argument.type, &length, &by_value, &alignment);
		deconstruct_array((ArrayType *) array, argument.type, length, by_value,
						  alignment, &argument.values, &argument.nulls,
						  &argument.count);
	}
	return argument;
}

static void
check_same_length(const ArrayArgument *values, const ArrayArgument *other,
				  const char *name)
{
	if (OidIsValid(other->type) && other->count != values->count)
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

	if (OidIsValid(argument->type))
	{
		element.value = argument->values[i];
		element.isnull = argument->nulls && argument->nulls[i];
	}
	return element;
}

/* A row of produce_batch's result. */
static void
emit_run(void *result, int partition, int64 base_offset, int64 record_count)
{
	ReturnSetInfo *rsinfo = result;
	Datum		values[] = {
		Int32GetDatum(partition), Int64GetDatum(base_offset),
		Int32GetDatum((int32) record_count)
	};
	bool		nulls[lengthof(values)] = {0};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * produce_batch(topic text, record_values, keys, headers jsonb[],
 *				 partition int, record_timestamps timestamptz[],
 *				 producer_id bigint, producer_epoch int, sequence int)
 * returns table(partition int, base_offset bigint, record_count int)
 */
Datum
topic_produce_batch(PG_FUNCTION_ARGS)
{
	Topic	   *topic = produce_topic(fcinfo, "produce");
	int			partition = partition_argument(fcinfo, 4, topic);
	int64		now = record_timestamp_from(GetCurrentTimestamp());
	RecordTypes types;
	ArrayArgument values,
				keys,
				headers,
				timestamps;
	ProducerSequence sequence;
	bool		in_sequence = sequence_arguments(fcinfo, 6, &sequence);
	BulkProducer *producer = NULL;
	SequencedBatch *batch = NULL;
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
	types.value = values.type;
	types.key = keys.type;

	InitMaterializedSRF(fcinfo, 0);
	if (in_sequence)
		batch = sequenced_batch_begin(topic, &sequence);
	else
		producer = bulk_producer_begin(topic, emit_run, fcinfo->resultinfo);

	/* Conversions of one record; the batch keeps a copy. */
	record_context = AllocSetContextCreate(CurrentMemoryContext,
										   "pg_topic record",
										   ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < values.count; i++)
	{
		MemoryContext old_context = MemoryContextSwitchTo(record_context);
		RecordValues record_values = {
			.value = array_element(&values, i),
			.key = array_element(&keys, i),
			.headers = array_element(&headers, i),
			.timestamp = array_element(&timestamps, i)
		};
		RecordInput record;

		CHECK_FOR_INTERRUPTS();
		make_record(&record, topic, &types, &record_values, now);
		if (in_sequence)
			sequenced_batch_add(batch, partition, &record);
		else
			bulk_producer_add(producer, partition, &record);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(record_context);
	}

	if (!in_sequence)
		bulk_producer_end(producer);
	else if (values.count > 0)
	{
		int64		base_offset = sequenced_batch_end(batch, &partition);

		emit_run(fcinfo->resultinfo, partition, base_offset, values.count);
	}
	PG_RETURN_NULL();
}

/*
 * partition_for_key(topic text, key) returns int
 */
Datum
topic_partition_for_key(PG_FUNCTION_ARGS)
{
	const RecordTypes *types = produce_types(fcinfo, 1, 1);
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_lookup(name);
	RecordBytes key;

	if (!topic)
		report_unknown_topic(name);
	key = key_from_datum(topic, PG_GETARG_DATUM(1), types->key);
	PG_RETURN_INT32(partition_for_key(key.data, key.length,
									  topic->partitions));
}
