/*-------------------------------------------------------------------------
 *
 * record_value.h
 *		Between SQL values and the bytes of records.
 *
 * Text is stored as UTF-8, whatever the database's encoding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_VALUE_H
#define TOPIC_RECORD_VALUE_H

#include "access/tupdesc.h"
#include "datatype/timestamp.h"

#include "record_batch.h"
#include "topic.h"

/* The columns of everything that returns records, in this order. */
typedef enum RecordColumn
{
	RECORD_PARTITION,
	RECORD_OFFSET,
	RECORD_TIMESTAMP,
	RECORD_KEY,
	RECORD_VALUE,
	RECORD_HEADERS,
	RECORD_COLUMN_COUNT
} RecordColumn;

/* What poll returns before these. */
#define RECORD_TOPIC	(-1)

/*
 * What turns records of a topic into SQL values of a format:
 *
 * FORMAT_BYTES	key and value bytea, headers topic.header[]
 * FORMAT_TEXT	key and value text, headers jsonb
 * FORMAT_JSON	key text, value and headers jsonb
 */
typedef struct RecordFormatter
{
	const Topic *topic;
	ValueFormat format;
	int			partition;		/* of the records to come; set by the caller */
	TupleDesc	header_type;	/* topic.header, for FORMAT_BYTES */
} RecordFormatter;

extern void record_formatter_init(RecordFormatter *formatter,
								  const Topic *topic, ValueFormat format);

/*
 * One column of a record, in the current memory context.  A key, value or
 * header that is not valid for the format raises an error that names the
 * record.
 */
extern Datum record_column(const RecordFormatter *formatter,
						   const Record *record, RecordColumn column,
						   bool *isnull);

/* All columns of a record. */
extern void record_columns(const RecordFormatter *formatter,
						   const Record *record, Datum *values, bool *nulls);

/*
 * The bytes of a key or value of some SQL type: bytea as it is, anything else
 * as its text in UTF-8.  Checked to be what the topic's value_format asks for.
 */
extern RecordBytes key_from_datum(const Topic *topic, Datum key, Oid type);
extern RecordBytes value_from_datum(const Topic *topic, Datum value, Oid type);

/* Raise an error if the topic asks for a key and there is none. */
extern void check_record_key(const Topic *topic, RecordBytes key);

/* Milliseconds since 1970, as records have them; refuses what they cannot. */
extern int64 record_timestamp_from(TimestampTz timestamp);

/* The first whole millisecond since 1970 that is not before a finite time. */
extern int64 milliseconds_at_or_after(TimestampTz timestamp);
extern TimestampTz record_timestamp_to(int64 milliseconds);

#endif							/* TOPIC_RECORD_VALUE_H */
