/*-------------------------------------------------------------------------
 *
 * dead_letter.c
 *		dead_letter: putting aside records that cannot be processed.
 *
 * A dead letter is a copy of the record, in the caller's transaction, in
 * another topic.  It keeps key, value, headers and timestamp; further headers
 * tell where it is from and why it is there, by the names that Kafka's brokers
 * give them (KIP-1191).  It goes to the partition of the same number, modulo
 * the number of partitions, so dead letters keep their order.
 *
 * The topic <topic>.dlq is part of its topic: it has the same owner, who need
 * not be the caller, and is created and written to with that owner's rights.
 * So whoever consumes a topic can put records of it aside without a right to
 * produce anywhere; all that can be written that way are records of the
 * owner's own topic and a short reason.  If the topic of that name is another role's
 * it is not used: its owner would get to read records that he may not.  An
 * owner who wants no dead letters revokes his own INSERT on it.
 *
 * A record in <topic>.dlq is not checked against value_format and
 * max_record_bytes: those of its topic may have changed since it was produced,
 * and a record that cannot be put aside would stop its partition for ever.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "catalog.h"
#include "failed_attempt.h"
#include "group.h"
#include "log_reader.h"
#include "record_append.h"
#include "record_text.h"
#include "record_value.h"
#include "segment_list.h"
#include "stable_offset.h"

PG_FUNCTION_INFO_V1(topic_dead_letter);

#define DEFAULT_SUFFIX	".dlq"

/* Names of the headers that a dead letter has in addition. */
#define TOPIC_HEADER		"__dlq.errors.topic"
#define PARTITION_HEADER	"__dlq.errors.partition"
#define OFFSET_HEADER		"__dlq.errors.offset"
#define TIMESTAMP_HEADER	"__dlq.errors.timestamp"	/* not Kafka's */
#define GROUP_HEADER		"__dlq.errors.group"
#define ATTEMPTS_HEADER		"__dlq.errors.delivery.count"
#define REASON_HEADER		"__dlq.errors.message"
#define MAX_ADDED_HEADERS	7

/* Of a reason: an error's message may hold all of a record's value. */
#define MAX_REASON_BYTES	4096

/* The record that a group cannot process, and why. */
typedef struct DeadLetter
{
	const char *group_id;
	Topic	   *topic;
	int			partition;
	int64		offset;
	const char *reason;
	int			attempts;		/* 0: they are not counted */
} DeadLetter;

/* The name of the topic's own dead-letter topic. */
static const char *
default_topic_name(const Topic *topic)
{
	const char *name = psprintf("%s" DEFAULT_SUFFIX, topic->name);

	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name \"%s\" is too long for a topic", name),
				 errhint("Name a dead_letter_topic.")));
	return name;
}

static void
check_same_owner(const Topic *topic, const Topic *target)
{
	if (relation_owner(target->relid) != relation_owner(topic->relid))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("topic \"%s\" is not the dead-letter topic of \"%s\"",
						target->name, topic->name),
				 errdetail("Their owners differ."),
				 errhint("Name a dead_letter_topic, or have a superuser change the owner.")));
}

static void
default_topic_context(void *arg)
{
	errcontext("dead-letter topic \"%s\", with the rights of its topic's owner",
			   (const char *) arg);
}

/*
 * Open <topic>.dlq, created if need be, with the rights of the topic's owner.
 * Two who create it at once: the second waits for the first.
 */
static Topic *
open_default_topic(Topic *topic, const char *name)
{
	SavedUser	saved = become_user(relation_owner(topic->relid));
	ErrorContextCallback context;
	Topic	   *target = topic_lookup(name);

	context.callback = default_topic_context;
	context.arg = unconstify(char *, name);
	context.previous = error_context_stack;
	error_context_stack = &context;

	if (target)
		check_same_owner(topic, target);
	else
	{
		Oid			types[] = {TEXTOID, INT4OID, TEXTOID};
		Datum		values[] = {
			CStringGetTextDatum(name),
			Int32GetDatum(topic->partitions),
			CStringGetTextDatum(value_format_name(topic->value_format))
		};

		catalog_execute_with_args("SELECT topic.create_topic($1, "
								  "partitions => $2, value_format => $3, "
								  "if_not_exists => true)",
								  lengthof(types), types, values, NULL);
	}
	target = topic_open(name, ACL_INSERT, RowExclusiveLock);

	/* Locked, its owner stays what it is. */
	check_same_owner(topic, target);
	error_context_stack = context.previous;
	restore_user(saved);
	return target;
}

/* Open a topic that the caller names, and may produce to. */
static Topic *
open_named_topic(const char *name, const Topic *topic)
{
	Topic	   *target = topic_open(name, ACL_INSERT, RowExclusiveLock);

	if (target->relid == topic->relid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dead_letter_topic must be another topic")));
	return target;
}

static void
report_no_record(const DeadLetter *letter)
{
	int64		start = log_start_offset(letter->topic, NULL,
										 letter->partition);
	int64		end = last_stable_offset(letter->topic, letter->partition);

	if (letter->offset < start || letter->offset >= end)
		report_out_of_range(letter->topic, letter->partition, letter->offset,
							end);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no record at offset " INT64_FORMAT
					" of partition %d of topic \"%s\"",
					letter->offset, letter->partition, letter->topic->name),
			 errdetail("It was rolled back, or compaction has removed it.")));
}

/* Raise an error unless any producer could put the record into that topic. */
static void
check_fits_topic(const Record *record, const Topic *target)
{
	check_record_key(target, record->key);
	if (record->key.length >= 0)
		(void) key_from_datum(target, record_bytes_to_bytea(record->key),
							  BYTEAOID);
	if (record->value.length >= 0)
		(void) value_from_datum(target, record_bytes_to_bytea(record->value),
								BYTEAOID);
}

/* The reason, cut if it is long: to put the record aside is what matters. */
static const char *
reason_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *reason = text_argument(fcinfo, number, "reason");

	reason[pg_mbcliplen(reason, strlen(reason), MAX_REASON_BYTES)] = '\0';
	return reason;
}

static void
add_header(RecordInput *copy, RecordHeader *headers, const char *key,
		   const char *value)
{
	RecordHeader *header = &headers[copy->header_count++];

	header->key = record_text_from_server(key, strlen(key));
	header->value = record_text_from_server(value, strlen(value));
}

/* The record's own headers, and those that tell where it is from. */
static void
add_headers(RecordInput *copy, const Record *record, const DeadLetter *letter)
{
	RecordHeader *headers = palloc((record->header_count + MAX_ADDED_HEADERS) *
								   sizeof(RecordHeader));
	RecordBytes rest = record->headers;

	while (copy->header_count < record->header_count &&
		   record_next_header(&rest, &headers[copy->header_count]))
		copy->header_count++;
	add_header(copy, headers, GROUP_HEADER, letter->group_id);
	add_header(copy, headers, TOPIC_HEADER, letter->topic->name);
	add_header(copy, headers, PARTITION_HEADER,
			   psprintf("%d", letter->partition));
	add_header(copy, headers, OFFSET_HEADER,
			   psprintf(INT64_FORMAT, record->offset));
	add_header(copy, headers, TIMESTAMP_HEADER,
			   psprintf(INT64_FORMAT, record->timestamp));
	if (letter->attempts > 0)
		add_header(copy, headers, ATTEMPTS_HEADER,
				   psprintf("%d", letter->attempts));
	add_header(copy, headers, REASON_HEADER, letter->reason);
	copy->headers = headers;
}

static void
copy_record(const Record *record, const DeadLetter *letter, Topic *target)
{
	RecordInput copy = {
		.timestamp = record->timestamp,
		.key = record->key,
		.value = record->value
	};

	if (target->log_append_time)
		copy.timestamp = record_timestamp_from(GetCurrentTimestamp());
	add_headers(&copy, record, letter);
	append_records(target, letter->partition % target->partitions, &copy, 1);
}

/*
 * dead_letter(group_id text, topic text, partition int, record_offset bigint,
 *			   reason text, dead_letter_topic text, max_attempts int)
 * returns boolean
 */
Datum
topic_dead_letter(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 1, "topic");
	char	   *target_name = PG_ARGISNULL(5) ? NULL
		: text_to_cstring(PG_GETARG_TEXT_PP(5));
	int64		max_attempts = int_argument(fcinfo, 6, "max_attempts", 1, 0);
	DeadLetter	letter = {0};
	LogRange	range = LOG_RANGE_ALL;
	LogReader  *reader;
	Record		record;
	const char *default_name = NULL;
	Topic	   *target = NULL;

	letter.group_id = group_argument(fcinfo, 0);
	if (PG_ARGISNULL(2))
		report_null_argument("partition");
	letter.partition = PG_GETARG_INT32(2);
	if (PG_ARGISNULL(3))
		report_null_argument("record_offset");
	letter.offset = PG_GETARG_INT64(3);
	letter.reason = reason_argument(fcinfo, 4);
	PreventCommandIfReadOnly("dead_letter");

	letter.topic = topic_open(name, ACL_SELECT, AccessShareLock);
	check_partition(letter.topic, letter.partition);
	use_group(letter.group_id);
	if (target_name)
		target = open_named_topic(target_name, letter.topic);
	else
		default_name = default_topic_name(letter.topic);

	/* Of records, each has an offset after it. */
	if (letter.offset < 0 || letter.offset == PG_INT64_MAX)
		report_no_record(&letter);
	range.from_offset = letter.offset;
	range.to_offset = letter.offset + 1;
	reader = log_reader_begin(letter.topic, letter.partition, &range,
							  GetActiveSnapshot());
	if (!log_reader_next(reader, &record))
		report_no_record(&letter);

	if (max_attempts > 0)
	{
		letter.attempts = count_attempt(letter.group_id, letter.topic->name,
										letter.partition, letter.offset);
		if (letter.attempts < max_attempts)
		{
			log_reader_end(reader);
			PG_RETURN_BOOL(false);
		}
	}
	if (target)
		check_fits_topic(&record, target);
	else
		target = open_default_topic(letter.topic, default_name);
	copy_record(&record, &letter, target);
	log_reader_end(reader);
	forget_attempts(letter.group_id, letter.topic->name, letter.partition,
					letter.offset);
	PG_RETURN_BOOL(true);
}
