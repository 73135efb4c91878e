/*-------------------------------------------------------------------------
 *
 * topic_ddl.c
 *		create_topic, alter_topic, drop_topic.
 *
 * A topic lives and dies with its relation, the foreign table topics.<topic>:
 * that is created and dropped as the calling user, so that PostgreSQL itself
 * asks for the privileges, applies default privileges and minds dependent
 * views.  An event trigger removes the rest when the relation is gone, however
 * it was dropped.  The rest is the extension owner's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "catalog.h"
#include "compat.h"
#include "consumer_offset.h"
#include "lock_tag.h"
#include "offsets_topic.h"
#include "segment.h"
#include "topic.h"
#include "transaction_lock.h"

PG_FUNCTION_INFO_V1(topic_create_topic);
PG_FUNCTION_INFO_V1(topic_alter_topic);
PG_FUNCTION_INFO_V1(topic_drop_topic);
PG_FUNCTION_INFO_V1(topic_on_sql_drop);

/*
 * The options of a topic: columns of topic.topics, arguments 1 to
 * OPTION_COUNT of create_topic and alter_topic, in this order.
 */
typedef enum OptionNumber
{
	OPTION_PARTITIONS,
	OPTION_RETENTION,
	OPTION_RETENTION_BYTES,
	OPTION_CLEANUP_POLICY,
	OPTION_VALUE_FORMAT,
	OPTION_MAX_RECORD_BYTES,
	OPTION_COMPRESSION,
	OPTION_SEGMENT_BYTES,
	OPTION_SEGMENT_AGE,
	OPTION_TIMESTAMP_TYPE,
	OPTION_TOMBSTONE_RETENTION,
	OPTION_MIN_COMPACTION_LAG,
	OPTION_MERGE_SMALL_BATCHES,
	OPTION_RETAIN_UNTIL_CONSUMED,
	OPTION_IDEMPOTENCY_WINDOW,
	OPTION_COUNT
} OptionNumber;

typedef struct TopicOption
{
	const char *name;
	Oid			type;
	int64		minimum;		/* of numbers; 1 of intervals: not zero */
	int64		maximum;
	const char *allowed[4];		/* of texts */
	const char *default_value;	/* NULL: the option may be NULL, and is */
} TopicOption;

#define MAX_RECORD_BYTES_LIMIT	(512 * 1024 * 1024)

static const TopicOption topic_options[OPTION_COUNT] = {
	{"partitions", INT4OID, 1, MAX_PARTITIONS, {0}, "1"},
	{"retention", INTERVALOID, 1, 0, {0}, NULL},
	{"retention_bytes", INT8OID, 1, PG_INT64_MAX, {0}, NULL},
	{"cleanup_policy", TEXTOID, 0, 0, {"delete", "compact", "compact,delete"}, "'delete'"},
	{"value_format", TEXTOID, 0, 0, {"text", "json", "bytes"}, "'text'"},
	{"max_record_bytes", INT4OID, 1, MAX_RECORD_BYTES_LIMIT, {0}, "1048576"},
	{"compression", TEXTOID, 0, 0, {"none", "lz4", "zstd"}, "'none'"},
	{"segment_bytes", INT8OID, 1, PG_INT64_MAX, {0}, "268435456"},
	{"segment_age", INTERVALOID, 1, 0, {0}, NULL},
	{"timestamp_type", TEXTOID, 0, 0, {"CreateTime", "LogAppendTime"}, "'CreateTime'"},
	{"tombstone_retention", INTERVALOID, 0, 0, {0}, "'24 hours'"},
	{"min_compaction_lag", INTERVALOID, 0, 0, {0}, "'0'"},
	{"merge_small_batches", BOOLOID, 0, 0, {0}, "true"},
	{"retain_until_consumed", TEXTARRAYOID, 0, 0, {0}, NULL},
	{"idempotency_window", INTERVALOID, 1, 0, {0}, "'1 day'"},
};

/* Types of the columns key, value and headers of topics.<topic>. */
static const char *const column_types[][3] = {
	[FORMAT_BYTES] = {"pg_catalog.bytea", "pg_catalog.bytea", "topic.header[]"},
	[FORMAT_TEXT] = {"pg_catalog.text", "pg_catalog.text", "pg_catalog.jsonb"},
	[FORMAT_JSON] = {"pg_catalog.text", "pg_catalog.jsonb", "pg_catalog.jsonb"},
};

static void
check_number_option(const TopicOption *option, int64 number)
{
	if (number < option->minimum || number > option->maximum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between " INT64_FORMAT " and " INT64_FORMAT,
						option->name, option->minimum, option->maximum)));
}

static void
check_interval_option(const TopicOption *option, Datum value)
{
	Interval	zero = {0};
	int32		sign = DatumGetInt32(DirectFunctionCall2(interval_cmp, value,
														 IntervalPGetDatum(&zero)));

	if (sign < option->minimum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 option->minimum > 0
				 ? errmsg("%s must be greater than zero", option->name)
				 : errmsg("%s must not be negative", option->name)));
}

static void
check_text_option(const TopicOption *option, const char *value)
{
	StringInfoData hint;

	initStringInfo(&hint);
	for (int i = 0; option->allowed[i]; i++)
	{
		if (strcmp(value, option->allowed[i]) == 0)
			return;
		appendStringInfo(&hint, "%s%s", i > 0 ? ", " : "", option->allowed[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: \"%s\"", option->name, value),
			 errhint("Valid values are: %s.", hint.data)));
}

/* An option that lists groups: they need not exist yet. */
static void
check_groups_option(const TopicOption *option, Datum value)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			report_null_argument(psprintf("an element of %s", option->name));
		check_group_id(TextDatumGetCString(elements[i]));
	}
}

static void
check_option(const TopicOption *option, Datum value)
{
	switch (option->type)
	{
		case INT4OID:
			check_number_option(option, DatumGetInt32(value));
			break;
		case INT8OID:
			check_number_option(option, DatumGetInt64(value));
			break;
		case INTERVALOID:
			check_interval_option(option, value);
			break;
		case BOOLOID:
			break;
		case TEXTARRAYOID:
			check_groups_option(option, value);
			break;
		default:
			check_text_option(option, TextDatumGetCString(value));
	}
}

static ValueFormat
value_format_of(Datum value)
{
	return value_format_from_text(TextDatumGetCString(value));
}

/* The right to create topics, before anything is locked. */
static void
check_may_create(void)
{
	AclResult	result = schema_aclcheck(topics_namespace_oid(), GetUserId(),
										 ACL_CREATE);

	if (result != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to create a topic"),
				 errdetail("CREATE privilege on schema %s is needed.",
						   TOPICS_SCHEMA)));
}

/*
 * One creator of a name at a time, to the end of its transaction.  False if
 * somebody else has just created the topic; then nothing is locked.
 */
static bool
lock_new_topic_name(const char *name)
{
	LOCKTAG		tag;

	check_may_create();
	check_topic_name_is_free(name);

	/* No partition has this number, so this is nobody's append lock. */
	set_named_lock_tag(&tag, "topics", name, PG_UINT16_MAX);
	transaction_lock_acquire(&tag);
	if (!topic_lookup(name))
		return true;
	transaction_lock_release(&tag);
	return false;
}

/*
 * Triggers depend on the relation of a topic that they capture a table into;
 * but how to be rid of them only we can say.  And pg_upgrade loses that: it
 * creates triggers one by one, event triggers after them, and makes pg_depend
 * anew from the commands (capture.c).
 */
static void
check_captures_nothing(const char *topic)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(topic)};

	catalog_spi_connect();
	catalog_spi_execute("SELECT table_name FROM topic.captured_tables "
						"WHERE topic OPERATOR(pg_catalog.=) $1 "
						"ORDER BY table_name::pg_catalog.text LIMIT 1",
						lengthof(types), types, values, NULL);
	if (SPI_processed > 0)
	{
		char	   *table = SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1);

		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop topic \"%s\" because table %s is captured into it",
						topic, table),
				 errhint("Have the table's owner release it with topic.release_table().")));
	}
	SPI_finish();
}

/*
 * Remove what is left of topics whose relation is gone: segments, offsets,
 * catalog rows.  `query` selects topic_id and topic.  A drop that goes on can
 * be refused, if a table is captured into the topic.
 *
 * Whoever drops whatever is here, so the version of the catalog is not checked.
 */
static void
forget_topics(const char *query, bool can_be_refused)
{
	SavedUser	saved = become_user(extension_owner());
	SPITupleTable *topics;
	uint64		count;

	catalog_spi_connect();
	catalog_spi_execute(query, 0, NULL, NULL, NULL);
	topics = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		char	   *topic_id = SPI_getvalue(topics->vals[i], topics->tupdesc, 1);
		char	   *topic = SPI_getvalue(topics->vals[i], topics->tupdesc, 2);

		if (can_be_refused)
			check_captures_nothing(topic);
		drop_segment_tables(atoi(topic_id));
		catalog_spi_execute(psprintf("DELETE FROM topic.segments "
									 "WHERE topic_id OPERATOR(pg_catalog.=) %s",
									 topic_id), 0, NULL, NULL, NULL);
		catalog_spi_execute(psprintf("DELETE FROM topic.maintenance_totals "
									 "WHERE topic_id OPERATOR(pg_catalog.=) %s",
									 topic_id), 0, NULL, NULL, NULL);
		catalog_spi_execute(psprintf("DELETE FROM topic.producer_states "
									 "WHERE topic_id OPERATOR(pg_catalog.=) %s",
									 topic_id), 0, NULL, NULL, NULL);
		catalog_spi_execute(psprintf("DELETE FROM topic.produced_keys "
									 "WHERE topic_id OPERATOR(pg_catalog.=) %s",
									 topic_id), 0, NULL, NULL, NULL);
		(void) consumer_offsets_delete("topic", topic);
		catalog_spi_execute(psprintf("DELETE FROM topic.failed_attempts "
									 "WHERE topic OPERATOR(pg_catalog.=) %s",
									 quote_literal_cstr(topic)),
							0, NULL, NULL, NULL);
		catalog_spi_execute(psprintf("DELETE FROM topic.member_positions "
									 "WHERE topic OPERATOR(pg_catalog.=) %s",
									 quote_literal_cstr(topic)),
							0, NULL, NULL, NULL);
		catalog_spi_execute(psprintf("DELETE FROM topic.topics "
									 "WHERE topic_id OPERATOR(pg_catalog.=) %s",
									 topic_id), 0, NULL, NULL, NULL);
	}
	SPI_finish();
	restore_user(saved);
}

/* A topic of that name whose relation is gone. */
static void
forget_dead_topic(const char *name)
{
	forget_topics(psprintf("SELECT topic_id, topic FROM topic.topics "
						   "WHERE topic OPERATOR(pg_catalog.=) %s "
						   "AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c "
						   "WHERE c.oid OPERATOR(pg_catalog.=) relation)",
						   quote_literal_cstr(name)), false);
}

/*
 * The number of a new topic.  A dump of the schema alone restores the tables of
 * segments, and neither their topics nor the sequence: their numbers are
 * passed over.
 */
static int32
next_topic_id(void)
{
	Oid			sequence = catalog_relation_oid("topics_topic_id_seq");
	int32		id;

	/* An int sequence: it ends before it overflows. */
	do
		id = (int32) DatumGetInt64(DirectFunctionCall1(nextval_oid,
													   ObjectIdGetDatum(sequence)));
	while (catalog_execute(psprintf("SELECT FROM pg_catalog.pg_class "
									"WHERE relname OPERATOR(pg_catalog.>=) 'segment_%d_' "
									"AND relname OPERATOR(pg_catalog.<) 'segment_%d`' "
									"AND relnamespace OPERATOR(pg_catalog.=) %u",
									id, id, log_namespace_oid())) > 0);
	return id;
}

/* Insert the topic's row, and create its first segment. */
static void
insert_topic(const char *name, Datum *options, bool *nulls)
{
	SavedUser	saved = become_extension_owner();
	StringInfoData columns;
	StringInfoData parameters;
	Oid			types[OPTION_COUNT];
	char		null_flags[OPTION_COUNT];
	int32		topic_id = next_topic_id();

	initStringInfo(&columns);
	initStringInfo(&parameters);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		appendStringInfo(&columns, ", %s", topic_options[i].name);
		appendStringInfo(&parameters, ", $%d", i + 1);
		types[i] = topic_options[i].type;
		null_flags[i] = nulls[i] ? 'n' : ' ';
	}
	catalog_execute_with_args(psprintf("INSERT INTO topic.topics "
									   "(topic, topic_id, relation%s) "
									   "OVERRIDING SYSTEM VALUE "
									   "VALUES (%s, %d, %s%s)",
									   columns.data, quote_literal_cstr(name),
									   topic_id,
									   quote_literal_cstr(quote_qualified_identifier(TOPICS_SCHEMA, name)),
									   parameters.data),
							  OPTION_COUNT, types, options, null_flags);
	catalog_execute(psprintf("INSERT INTO topic.segments "
							 "(topic_id, segment, base_offsets) "
							 "VALUES (%d, 0, '{}')", topic_id));
	create_segment_table(topic_id, 0, 0);
	restore_user(saved);
}

/*
 * create_topic(topic text, ...options..., if_not_exists boolean)
 */
Datum
topic_create_topic(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	bool		if_not_exists = !PG_ARGISNULL(OPTION_COUNT + 1) &&
		PG_GETARG_BOOL(OPTION_COUNT + 1);
	const char *const *types;
	Datum		options[OPTION_COUNT];
	bool		nulls[OPTION_COUNT];

	check_topic_name(name);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		const TopicOption *option = &topic_options[i];

		options[i] = PG_GETARG_DATUM(i + 1);
		nulls[i] = PG_ARGISNULL(i + 1);
		if (!nulls[i])
			check_option(option, options[i]);
		else if (option->default_value)
			report_null_argument(option->name);
	}
	PreventCommandIfReadOnly("create_topic");

	if (topic_lookup(name) || !lock_new_topic_name(name))
	{
		if (!if_not_exists)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("topic \"%s\" already exists", name),
					 errhint("Use if_not_exists => true to go on with it.")));
		ereport(NOTICE,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("topic \"%s\" already exists, skipping", name)));
		PG_RETURN_VOID();
	}
	forget_dead_topic(name);

	types = column_types[value_format_of(options[OPTION_VALUE_FORMAT])];
	if (OidIsValid(get_relname_relid(name, topics_namespace_oid())))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists",
						quote_qualified_identifier(TOPICS_SCHEMA, name)),
				 errdetail("It is not the relation of a topic of that name."),
				 errhint("Drop or rename it.  A dump without data restores relations, but no topics.")));
	catalog_execute(psprintf("CREATE FOREIGN TABLE %s ("
							 "partition pg_catalog.int4 NOT NULL, "
							 "record_offset pg_catalog.int8 NOT NULL, "
							 "record_timestamp pg_catalog.timestamptz, "
							 "key %s, value %s, headers %s) SERVER pg_topic",
							 quote_qualified_identifier(TOPICS_SCHEMA, name),
							 types[0], types[1], types[2]));
	insert_topic(name, options, nulls);
	PG_RETURN_VOID();
}

/* The options that alter_topic's argument reset names. */
static void
mark_reset_options(ArrayType *names, bool *reset)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		const char *name;
		bool		found = false;

		if (nulls[i])
			report_null_argument("an element of reset");
		name = TextDatumGetCString(elements[i]);
		for (int j = 0; j < OPTION_COUNT && !found; j++)
		{
			found = strcmp(name, topic_options[j].name) == 0;
			reset[j] |= found;
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("topics have no option \"%s\"", name)));
	}
}

static void
check_new_partitions(const Topic *topic, int partitions)
{
	if (partitions < topic->partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("topic \"%s\" has %d partitions, which can only grow",
						topic->name, topic->partitions)));
	if (partitions > topic->partitions)
		ereport(NOTICE,
				(errmsg("records with the same key may go to another partition from now on"),
				 errdetail("A key's partition depends on the number of partitions.")));
}

/* The type of the relation's columns follows value_format. */
static void
alter_relation_columns(const Topic *topic, ValueFormat format)
{
	const char *const *types = column_types[format];

	if (format == topic->value_format)
		return;
	catalog_execute(psprintf("ALTER FOREIGN TABLE %s "
							 "ALTER COLUMN key TYPE %s, "
							 "ALTER COLUMN value TYPE %s, "
							 "ALTER COLUMN headers TYPE %s",
							 topic_relation_name(topic), types[0], types[1],
							 types[2]));
}

/*
 * alter_topic(topic text, ...options..., reset text[])
 */
Datum
topic_alter_topic(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	bool		reset[OPTION_COUNT] = {0};
	Datum		options[OPTION_COUNT];
	Oid			types[OPTION_COUNT];
	char		null_flags[OPTION_COUNT];
	Topic	   *topic;
	SavedUser	saved;
	StringInfoData assignments;

	if (!PG_ARGISNULL(OPTION_COUNT + 1))
		mark_reset_options(PG_GETARG_ARRAYTYPE_P(OPTION_COUNT + 1), reset);

	PreventCommandIfReadOnly("alter_topic");

	/* One ALTER of a topic at a time; producers and consumers go on. */
	topic = topic_open(name, ACL_NO_RIGHTS, ShareUpdateExclusiveLock);

	initStringInfo(&assignments);
	for (int i = 0; i < OPTION_COUNT; i++)
	{
		const TopicOption *option = &topic_options[i];

		options[i] = PG_GETARG_DATUM(i + 1);
		types[i] = option->type;
		null_flags[i] = PG_ARGISNULL(i + 1) ? 'n' : ' ';
		if (!PG_ARGISNULL(i + 1))
		{
			if (reset[i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("option \"%s\" is both set and reset",
								option->name)));
			check_option(option, options[i]);
		}
		appendStringInfo(&assignments, "%s%s = ", i > 0 ? ", " : "",
						 option->name);
		if (reset[i])
			appendStringInfoString(&assignments,
								   option->default_value ? option->default_value : "NULL");
		else
			appendStringInfo(&assignments, "COALESCE($%d, %s)", i + 1,
							 option->name);
	}

	if (reset[OPTION_PARTITIONS])
		check_new_partitions(topic, 1);
	else if (!PG_ARGISNULL(OPTION_PARTITIONS + 1))
		check_new_partitions(topic, DatumGetInt32(options[OPTION_PARTITIONS]));
	if (reset[OPTION_VALUE_FORMAT])
		alter_relation_columns(topic, FORMAT_TEXT);
	else if (!PG_ARGISNULL(OPTION_VALUE_FORMAT + 1))
		alter_relation_columns(topic,
							   value_format_of(options[OPTION_VALUE_FORMAT]));

	saved = become_extension_owner();
	catalog_execute_with_args(psprintf("UPDATE topic.topics SET %s "
									   "WHERE topic OPERATOR(pg_catalog.=) %s",
									   assignments.data,
									   quote_literal_cstr(name)),
							  OPTION_COUNT, types, options, null_flags);
	restore_user(saved);
	CacheInvalidateRelcacheByRelid(topic->relid);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/*
 * drop_topic(topic text, if_exists boolean)
 */
Datum
topic_drop_topic(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	bool		if_exists = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	Topic	   *topic;

	if (if_exists && !topic_lookup(name))
	{
		ereport(NOTICE,
				(errmsg("topic \"%s\" does not exist, skipping", name)));
		PG_RETURN_VOID();
	}
	PreventCommandIfReadOnly("drop_topic");
	topic = topic_open(name, ACL_NO_RIGHTS, AccessExclusiveLock);

	check_captures_nothing(name);
	catalog_execute(psprintf("DROP FOREIGN TABLE %s",
							 topic_relation_name(topic)));

	/* Usually the event trigger did this; but it can be disabled. */
	forget_dead_topic(name);
	PG_RETURN_VOID();
}

/*
 * on_sql_drop() returns event_trigger
 */
Datum
topic_on_sql_drop(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("topic.on_sql_drop() must be called by an event trigger")));

	forget_topics("SELECT t.topic_id, t.topic FROM topic.topics t "
				  "JOIN pg_catalog.pg_event_trigger_dropped_objects() d "
				  "ON d.objid OPERATOR(pg_catalog.=) t.relation::pg_catalog.oid "
				  "AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass "
				  "AND d.objsubid OPERATOR(pg_catalog.=) 0", true);
	PG_RETURN_NULL();
}
