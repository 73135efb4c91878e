/*-------------------------------------------------------------------------
 *
 * record_input.c
 *		Records as producers give them: made of SQL values, and checked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "header.h"
#include "record_input.h"
#include "record_value.h"

/* The least that a header takes beside its key and value: their lengths. */
#define HEADER_OVERHEAD	2

/* What max_record_bytes bounds. */
static int64
record_size(const RecordInput *record)
{
	int64		size = Max(record->key.length, 0) +
		(int64) Max(record->value.length, 0);

	for (int i = 0; i < record->header_count; i++)
		size += HEADER_OVERHEAD + record->headers[i].key.length +
			(int64) Max(record->headers[i].value.length, 0);
	return size;
}

static void
check_record_size(const Topic *topic, const RecordInput *record)
{
	int64		size = record_size(record);

	if (size > topic->max_record_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("record of " INT64_FORMAT " bytes is too large for topic \"%s\"",
						size, topic->name),
				 errdetail("Its max_record_bytes is %d.",
						   topic->max_record_bytes),
				 errhint("topic.alter_topic() can change that.")));
}

void
check_record(const Topic *topic, const RecordInput *record)
{
	check_record_key(topic, record->key);
	check_record_size(topic, record);
}

void
make_record(RecordInput *record, const Topic *topic, const RecordTypes *types,
			const RecordValues *values, int64 now)
{
	memset(record, 0, sizeof(RecordInput));
	record->timestamp = now;
	record->key.length = -1;
	record->value.length = -1;
	if (!values->timestamp.isnull && !topic->log_append_time)
		record->timestamp =
			record_timestamp_from(DatumGetTimestampTz(values->timestamp.value));
	if (!values->key.isnull)
		record->key = key_from_datum(topic, values->key.value, types->key);
	check_record_key(topic, record->key);
	if (!values->value.isnull)
		record->value = value_from_datum(topic, values->value.value,
										 types->value);
	if (!values->headers.isnull)
	{
		RecordHeader *headers;

		record->header_count =
			headers_from_jsonb(DatumGetJsonbP(values->headers.value),
							   &headers);
		record->headers = headers;
	}
	check_record_size(topic, record);
}
