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
#include "fetch.h"
#include "record_output.h"

PG_FUNCTION_INFO_V1(topic_fetch);
PG_FUNCTION_INFO_V1(topic_fetch_text);
PG_FUNCTION_INFO_V1(topic_fetch_json);

void
fetch_request_init(FetchRequest *request, FunctionCallInfo fcinfo,
				   Snapshot snapshot)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);

	request->topic = topic;
	request->first = 0;
	request->last = topic->partitions - 1;
	if (!PG_ARGISNULL(1))
	{
		request->first = request->last = PG_GETARG_INT32(1);
		check_partition(topic, request->first);
	}
	request->range.from_offset = bigint_argument(fcinfo, 2, "from_offset", 0,
												 0);
	request->range.to_offset = bigint_argument(fcinfo, 3, "to_offset", 0,
											   PG_INT64_MAX);
	request->range.from_time = time_argument(fcinfo, 4, PG_INT64_MIN);
	request->range.to_time = time_argument(fcinfo, 5, PG_INT64_MAX);
	request->max_records = int_argument(fcinfo, 6, "max_records", 1,
										PG_INT64_MAX);
	if (PG_ARGISNULL(1))
		lock_topic_for_serializable(topic, snapshot);
}

static Datum
fetch(FunctionCallInfo fcinfo, ValueFormat format)
{
	FetchRequest request;
	RecordOutput output;
	int64		last_offset;

	fetch_request_init(&request, fcinfo, GetActiveSnapshot());
	record_output_begin(&output, fcinfo, NULL, request.topic, format);
	for (int partition = request.first;
		 partition <= request.last && request.max_records > 0; partition++)
		request.max_records -= output_records(&output, request.topic,
											  partition, &request.range,
											  request.max_records,
											  &last_offset);
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
