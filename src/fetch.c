/*-------------------------------------------------------------------------
 *
 * fetch.c
 *		fetch, fetch_text, fetch_json: reading without a consumer group.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "log_reader.h"
#include "record_value.h"

PG_FUNCTION_INFO_V1(topic_fetch);
PG_FUNCTION_INFO_V1(topic_fetch_text);
PG_FUNCTION_INFO_V1(topic_fetch_json);

static Datum
fetch(FunctionCallInfo fcinfo, ValueFormat format)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	int			first = 0;
	int			last = topic->partitions - 1;
	LogRange	range;
	int64		max_records;
	RecordFormatter formatter;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext record_context;

	if (!PG_ARGISNULL(1))
	{
		first = last = PG_GETARG_INT32(1);
		check_partition(topic, first);
	}
	range.from_offset = bigint_argument(fcinfo, 2, "from_offset", 0, 0);
	range.to_offset = bigint_argument(fcinfo, 3, "to_offset", 0,
									  PG_INT64_MAX);
	range.from_time = time_argument(fcinfo, 4, PG_INT64_MIN);
	range.to_time = time_argument(fcinfo, 5, PG_INT64_MAX);
	max_records = int_argument(fcinfo, 6, "max_records", 1, PG_INT64_MAX);

	InitMaterializedSRF(fcinfo, 0);
	record_formatter_init(&formatter, topic, format);
	record_context = AllocSetContextCreate(CurrentMemoryContext,
										   "pg_topic record",
										   ALLOCSET_DEFAULT_SIZES);

	for (int partition = first; partition <= last && max_records > 0;
		 partition++)
	{
		LogReader  *reader = log_reader_begin(topic, partition, &range,
											  GetActiveSnapshot());
		Record		record;

		formatter.partition = partition;
		while (max_records > 0 && log_reader_next(reader, &record))
		{
			MemoryContext old_context = MemoryContextSwitchTo(record_context);
			Datum		values[RECORD_COLUMN_COUNT];
			bool		nulls[RECORD_COLUMN_COUNT];

			record_columns(&formatter, &record, values, nulls);
			MemoryContextSwitchTo(old_context);
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
			MemoryContextReset(record_context);
			max_records--;
		}
		log_reader_end(reader);
	}
	PG_RETURN_NULL();
}

/*
 * fetch(topic text, partition int, from_offset bigint, to_offset bigint,
 *		 from_time timestamptz, to_time timestamptz, max_records int)
 * returns table(partition, record_offset, record_timestamp, key, value,
 *				 headers)
 */
Datum
topic_fetch(PG_FUNCTION_ARGS)
{
	return fetch(fcinfo, FORMAT_BYTES);
}

Datum
topic_fetch_text(PG_FUNCTION_ARGS)
{
	return fetch(fcinfo, FORMAT_TEXT);
}

Datum
topic_fetch_json(PG_FUNCTION_ARGS)
{
	return fetch(fcinfo, FORMAT_JSON);
}
