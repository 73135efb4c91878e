/*-------------------------------------------------------------------------
 *
 * record_value.c
 *		Between SQL values and the bytes of records.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "header.h"
#include "record_text.h"
#include "record_value.h"

#define MILLISECONDS_TO_POSTGRES_EPOCH \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000)

/* What is being converted, for errors. */
typedef struct RecordPart
{
	const RecordFormatter *formatter;
	int64		offset;
	const char *name;			/* "key", "value" or "headers" */
} RecordPart;

int64
milliseconds_at_or_after(TimestampTz timestamp)
{
	/* Division rounds towards zero, which is 2000-01-01. */
	return timestamp / 1000 + (timestamp % 1000 > 0 ? 1 : 0) +
		MILLISECONDS_TO_POSTGRES_EPOCH;
}

int64
record_timestamp_from(TimestampTz timestamp)
{
	int64		milliseconds;

	if (TIMESTAMP_NOT_FINITE(timestamp))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("record_timestamp must be finite")));

	/* Round down: the time of a record is not in the future. */
	milliseconds = milliseconds_at_or_after(timestamp - 999);
	if (milliseconds < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("record_timestamp must not be before 1970-01-01"),
				 errdetail("Kafka's records have no negative timestamps.")));
	return milliseconds;
}

TimestampTz
record_timestamp_to(int64 milliseconds)
{
	TimestampTz timestamp;

	/* What a Kafka producer wrote may be beyond what PostgreSQL can show. */
	if (pg_sub_s64_overflow(milliseconds, MILLISECONDS_TO_POSTGRES_EPOCH,
							&milliseconds) ||
		pg_mul_s64_overflow(milliseconds, 1000, &timestamp) ||
		timestamp >= END_TIMESTAMP)
		return DT_NOEND;
	if (timestamp < MIN_TIMESTAMP)
		return DT_NOBEGIN;
	return timestamp;
}

/*
 * Out of the log.
 */

static void
record_part_context(void *arg)
{
	RecordPart *part = arg;

	errcontext("%s of the record at offset " INT64_FORMAT
			   " of partition %d of topic \"%s\"", part->name, part->offset,
			   part->formatter->partition, part->formatter->topic->name);
}

/* The bytes as a palloc'd string in the database's encoding. */
static char *
bytes_to_cstring(const RecordPart *part, RecordBytes bytes)
{
	if (!is_record_text(bytes))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("%s of the record at offset " INT64_FORMAT
						" of partition %d of topic \"%s\" is not text",
						part->name, part->offset,
						part->formatter->partition,
						part->formatter->topic->name),
				 errdetail("It is not valid UTF-8, or has a zero byte."),
				 errhint("topic.fetch() and topic.consume() return it as bytea.")));
	return record_text_to_server(bytes);
}

/*
 * A text without a detour over a string where no conversion is due: this is
 * the hot path of every consumer.
 */
static Datum
bytes_to_text(const RecordPart *part, RecordBytes bytes)
{
	if (GetDatabaseEncoding() == PG_UTF8 && is_record_text(bytes))
		return PointerGetDatum(cstring_to_text_with_len(bytes.data,
														bytes.length));
	return CStringGetTextDatum(bytes_to_cstring(part, bytes));
}

static Datum
bytes_to_jsonb(const RecordPart *part, RecordBytes bytes)
{
	return DirectFunctionCall1(jsonb_in,
							   CStringGetDatum(bytes_to_cstring(part, bytes)));
}

void
record_formatter_init(RecordFormatter *formatter, const Topic *topic,
					  ValueFormat format)
{
	formatter->topic = topic;
	formatter->format = format;
	formatter->partition = 0;
	formatter->header_type = format == FORMAT_BYTES
		? header_tuple_desc() : NULL;
}

static Datum
convert_key_or_value(const RecordFormatter *formatter, const Record *record,
					 RecordColumn column)
{
	RecordBytes bytes = column == RECORD_KEY ? record->key : record->value;
	RecordPart	part = {formatter, record->offset,
		column == RECORD_KEY ? "key" : "value"
	};
	ErrorContextCallback context;
	Datum		result;

	if (formatter->format == FORMAT_BYTES)
		return record_bytes_to_bytea(bytes);

	context.callback = record_part_context;
	context.arg = &part;
	context.previous = error_context_stack;
	error_context_stack = &context;
	if (formatter->format == FORMAT_JSON && column == RECORD_VALUE)
		result = bytes_to_jsonb(&part, bytes);
	else
		result = bytes_to_text(&part, bytes);
	error_context_stack = context.previous;
	return result;
}

static Datum
convert_headers(const RecordFormatter *formatter, const Record *record)
{
	RecordPart	part = {formatter, record->offset, "headers"};
	ErrorContextCallback context;
	Datum		result;

	context.callback = record_part_context;
	context.arg = &part;
	context.previous = error_context_stack;
	error_context_stack = &context;
	if (formatter->format == FORMAT_BYTES)
		result = headers_to_array(record, formatter->header_type);
	else
		result = headers_to_jsonb(record);
	error_context_stack = context.previous;
	return result;
}

Datum
record_column(const RecordFormatter *formatter, const Record *record,
			  RecordColumn column, bool *isnull)
{
	*isnull = false;
	switch (column)
	{
		case RECORD_PARTITION:
			return Int32GetDatum(formatter->partition);
		case RECORD_OFFSET:
			return Int64GetDatum(record->offset);
		case RECORD_TIMESTAMP:
			*isnull = record->timestamp < 0;	/* Kafka's "no timestamp" */
			return TimestampTzGetDatum(record_timestamp_to(record->timestamp));
		case RECORD_KEY:
			*isnull = record->key.length < 0;
			break;
		case RECORD_VALUE:
			*isnull = record->value.length < 0;
			break;
		case RECORD_HEADERS:
			*isnull = record->header_count == 0;
			return *isnull ? (Datum) 0 : convert_headers(formatter, record);
		case RECORD_COLUMN_COUNT:
			break;
	}
	return *isnull ? (Datum) 0 : convert_key_or_value(formatter, record, column);
}

void
record_columns(const RecordFormatter *formatter, const Record *record,
			   Datum *values, bool *nulls)
{
	for (int column = 0; column < RECORD_COLUMN_COUNT; column++)
		values[column] = record_column(formatter, record, column,
									   &nulls[column]);
}

/*
 * Into the log.
 */

static RecordBytes
datum_to_record_bytes(Datum datum, Oid type)
{
	RecordBytes bytes;

	switch (type)
	{
		case BYTEAOID:
			{
				bytea	   *value = DatumGetByteaPP(datum);

				bytes.data = VARDATA_ANY(value);
				bytes.length = VARSIZE_ANY_EXHDR(value);
				return bytes;
			}
		case TEXTOID:
		case JSONOID:
			{
				text	   *value = DatumGetTextPP(datum);

				return record_text_from_server(VARDATA_ANY(value),
											   VARSIZE_ANY_EXHDR(value));
			}
		default:
			{
				Oid			output;
				bool		is_varlena;
				char	   *value;

				getTypeOutputInfo(type, &output, &is_varlena);
				value = OidOutputFunctionCall(output, datum);
				return record_text_from_server(value, strlen(value));
			}
	}
}

static void
check_is_text(const Topic *topic, const char *what, RecordBytes bytes)
{
	if (!is_record_text(bytes))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("%s is not text, which topic \"%s\" asks for",
						what, topic->name),
				 errdetail("It is not valid UTF-8, or has a zero byte."),
				 errhint("A topic created with value_format => 'bytes' takes any bytes.")));
}

static void
value_context(void *arg)
{
	errcontext("value for topic \"%s\", whose value_format is json",
			   ((const Topic *) arg)->name);
}

RecordBytes
key_from_datum(const Topic *topic, Datum key, Oid type)
{
	RecordBytes bytes = datum_to_record_bytes(key, type);

	if (type == BYTEAOID && topic->value_format != FORMAT_BYTES)
		check_is_text(topic, "key", bytes);
	return bytes;
}

void
check_record_key(const Topic *topic, RecordBytes key)
{
	if (key.length < 0 && topic->compacted)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("record without a key for compacted topic \"%s\"",
						topic->name),
				 errhint("Compaction keeps the latest record of each key.")));
}

RecordBytes
value_from_datum(const Topic *topic, Datum value, Oid type)
{
	RecordBytes bytes = datum_to_record_bytes(value, type);

	if (type == BYTEAOID && topic->value_format != FORMAT_BYTES)
		check_is_text(topic, "value", bytes);

	/*
	 * Readers get jsonb, which takes a little less than json; so jsonb is
	 * what the check is for.
	 */
	if (type != JSONBOID && topic->value_format == FORMAT_JSON)
	{
		ErrorContextCallback context;

		context.callback = value_context;
		context.arg = unconstify(Topic *, topic);
		context.previous = error_context_stack;
		error_context_stack = &context;
		(void) DirectFunctionCall1(jsonb_in,
								   CStringGetDatum(record_text_to_server(bytes)));
		error_context_stack = context.previous;
	}
	return bytes;
}
