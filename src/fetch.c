/*-------------------------------------------------------------------------
 *
 * fetch.c
 *		fetch, fetch_text, fetch_json: reading without a consumer group.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "arguments.h"
#include "log_reader.h"
#include "record_output.h"

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
	RecordOutput output;
	int64		last_offset;

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

	record_output_begin(&output, fcinfo, topic, format);
	if (PG_ARGISNULL(1))
		lock_topic_for_serializable(topic, GetActiveSnapshot());
	for (int partition = first; partition <= last && max_records > 0;
		 partition++)
		max_records -= output_records(&output, topic, partition, &range,
									  max_records, &last_offset);
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
