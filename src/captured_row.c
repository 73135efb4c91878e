/*-------------------------------------------------------------------------
 *
 * captured_row.c
 *		Changes of a captured table's rows as records.
 *
 * All that a capture is made of are the triggers of the table.  Topic and
 * payload are their arguments.  The key is the column list of a trigger that
 * never fires (see capture.c); so PostgreSQL itself follows columns that are
 * renamed, copies the list to partitions, and dumps it.
 *
 * Records are sent, that is appended when the transaction commits.  It has its
 * row locks then.  So the records of a key are in the order in which the
 * transactions that changed the row committed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "captured_row.h"
#include "catalog.h"
#include "record_input.h"
#include "record_text.h"
#include "record_value.h"
#include "row_json.h"
#include "send_queue.h"

const char *const capture_payload_names[] = {
	[PAYLOAD_DEBEZIUM] = "debezium",
	[PAYLOAD_ROW] = "row",
	NULL
};

/* Debezium's operations. */
#define OPERATION_CREATE	'c'
#define OPERATION_UPDATE	'u'
#define OPERATION_DELETE	'd'
#define OPERATION_TRUNCATE	't'
#define OPERATION_READ		'r'

struct CapturedRows
{
	MemoryContext context;
	Topic	   *topic;
	CapturePayload payload;
	RowJson    *row;
	RowJson    *key;
	Oid			table;			/* the one that is captured */
	const char *source;			/* NULL: not made yet */

	/* Records are put together here, one after the other. */
	StringInfoData key_text;
	StringInfoData old_key_text;
	StringInfoData value;
};

/* What the trigger that has the key of a capture says. */
typedef struct KeyTrigger
{
	Oid			oid;
	bool		is_clone;		/* of a trigger of a partitioned table */
	CapturePayload payload;
	int			column_count;
	int16	   *columns;
} KeyTrigger;

static void
owner_context(void *arg)
{
	errcontext("capture of table \"%s\", with the rights of its owner",
			   (const char *) arg);
}

Topic *
open_capture_topic(Oid table, const char *topic_name)
{
	SavedUser	saved = become_user(relation_owner(table));
	ErrorContextCallback context;
	Topic	   *topic;

	context.callback = owner_context;
	context.arg = get_rel_name(table);
	context.previous = error_context_stack;
	error_context_stack = &context;
	topic = topic_open(topic_name, ACL_INSERT, RowExclusiveLock);
	error_context_stack = context.previous;
	restore_user(saved);
	return topic;
}

static CapturePayload
payload_from_name(const char *name)
{
	for (int i = 0; capture_payload_names[i]; i++)
	{
		if (strcmp(name, capture_payload_names[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid payload: \"%s\"", name)));
}

/*
 * Find the trigger that has the key of a capture.  The relation's own list is
 * made anew whenever an invalidation comes, hence the copy.
 */
static KeyTrigger
find_key_trigger(Relation relation, Oid function, const char *topic_name)
{
	const TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		KeyTrigger	key = {0};

		if (trigger->tgfoid != function || trigger->tgnattr == 0 ||
			trigger->tgnargs != CAPTURE_ARGUMENT_COUNT ||
			strcmp(trigger->tgargs[CAPTURE_ARGUMENT_TOPIC], topic_name) != 0)
			continue;
		key.oid = trigger->tgoid;
		key.is_clone = trigger->tgisclone;
		key.payload =
			payload_from_name(trigger->tgargs[CAPTURE_ARGUMENT_PAYLOAD]);
		key.column_count = trigger->tgnattr;
		key.columns = palloc(trigger->tgnattr * sizeof(int16));
		memcpy(key.columns, trigger->tgattr, trigger->tgnattr * sizeof(int16));
		return key;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("capture of table \"%s\" into topic \"%s\" has no key",
					RelationGetRelationName(relation), topic_name),
			 errdetail("The trigger that has the key's columns was dropped, or a column with it."),
			 errhint("Call topic.release_table(), and topic.capture_table() again.")));
}

/*
 * The table whose trigger this one is a copy of, for a partition; and the
 * relation itself otherwise.
 */
static Oid
captured_table(Relation relation, const KeyTrigger *trigger)
{
	Oid			table = RelationGetRelid(relation);
	Oid			trigger_oid = trigger->is_clone ? trigger->oid : InvalidOid;
	Relation	catalog;

	if (!OidIsValid(trigger_oid))
		return table;
	catalog = table_open(TriggerRelationId, AccessShareLock);
	while (OidIsValid(trigger_oid))
	{
		SysScanDesc scan;
		ScanKeyData key;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(trigger_oid));
		scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1,
								  &key);
		tuple = systable_getnext(scan);
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "could not find trigger %u", trigger_oid);
		table = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		trigger_oid = ((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid;
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return table;
}

/*
 * The columns of the captured table, in its order and by their present names,
 * in a relation that may have them elsewhere.  A virtual column is not in the
 * row that a trigger is given.
 */
static RowJson *
all_columns(Relation relation, Oid table)
{
	bool		is_partition = table != RelationGetRelid(relation);
	Relation	captured = is_partition ? table_open(table, AccessShareLock)
		: relation;
	TupleDesc	desc = RelationGetDescr(captured);
	RowJson    *row = make_row_json(desc->natts);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		AttrNumber	number = column->attnum;

		if (column->attisdropped || is_virtual_column(column))
			continue;
		if (is_partition)
			number = get_attnum(RelationGetRelid(relation),
								NameStr(column->attname));
		add_json_column(row, number, NameStr(column->attname),
						column->atttypid);
	}
	if (is_partition)
		table_close(captured, AccessShareLock);
	return row;
}

static RowJson *
key_columns(Relation relation, const KeyTrigger *trigger)
{
	RowJson    *key = make_row_json(trigger->column_count);

	for (int i = 0; i < trigger->column_count; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation),
												 trigger->columns[i] - 1);

		add_json_column(key, column->attnum, NameStr(column->attname),
						column->atttypid);
	}
	return key;
}

CapturedRows *
captured_rows_begin(Relation relation, Oid function, const char *topic_name)
{
	CapturedRows *rows = palloc0(sizeof(CapturedRows));
	KeyTrigger	trigger = find_key_trigger(relation, function, topic_name);

	rows->context = CurrentMemoryContext;
	rows->payload = trigger.payload;
	rows->table = captured_table(relation, &trigger);
	rows->topic = open_capture_topic(rows->table, topic_name);
	rows->row = all_columns(relation, rows->table);
	rows->key = key_columns(relation, &trigger);
	initStringInfo(&rows->key_text);
	initStringInfo(&rows->old_key_text);
	initStringInfo(&rows->value);
	return rows;
}

/*
 * Send a record.  Without a key it goes to that partition; without a value it
 * is a tombstone.
 */
static void
send(CapturedRows * rows, const StringInfoData *key, int partition,
	 const StringInfoData *value, int64 now)
{
	RecordInput record = {
		.timestamp = now,
		.key.length = -1,
		.value.length = -1
	};

	if (!rows->topic->valid)
		rows->topic = topic_refresh(rows->topic);
	if (key)
		record.key = record_text_from_server(key->data, key->len);
	if (value && rows->row->may_not_be_jsonb)
	{
		text	   *json = cstring_to_text_with_len(value->data, value->len);

		record.value = value_from_datum(rows->topic, PointerGetDatum(json),
										JSONOID);
	}
	else if (value)
		record.value = record_text_from_server(value->data, value->len);
	check_record(rows->topic, &record);
	send_record(rows->topic, partition, &record);
}

static void
append_row(CapturedRows * rows, const char *label, TupleTableSlot *row)
{
	appendStringInfoString(&rows->value, label);
	if (row)
		append_row_json(&rows->value, rows->row, row);
	else
		appendStringInfoString(&rows->value, "null");
}

/*
 * What all changes of a statement have in common: where they are from.  Rows
 * that were there before are read by a statement of their own.
 */
static const char *
make_source(const CapturedRows * rows, char operation)
{
	StringInfoData source;

	initStringInfo(&source);
	appendStringInfoString(&source, "\"source\":{\"connector\":\"pg_topic\",\"db\":");
	escape_json(&source, get_database_name(MyDatabaseId));
	appendStringInfoString(&source, ",\"schema\":");
	escape_json(&source, get_namespace_name(get_rel_namespace(rows->table)));
	appendStringInfoString(&source, ",\"table\":");
	escape_json(&source, get_rel_name(rows->table));
	appendStringInfo(&source, ",\"txId\":" UINT64_FORMAT
					 ",\"ts_ms\":" INT64_FORMAT ",\"snapshot\":\"%s\"}",
					 U64FromFullTransactionId(GetTopFullTransactionId()),
					 record_timestamp_from(GetCurrentTransactionStartTimestamp()),
					 operation == OPERATION_READ ? "true" : "false");
	return source.data;
}

/* Put Debezium's envelope together in rows->value. */
static void
make_envelope(CapturedRows * rows, char operation, TupleTableSlot *before,
			  TupleTableSlot *after, int64 now)
{
	StringInfo	value = &rows->value;
	char		milliseconds[MAXINT8LEN + 1];

	if (!rows->source)
	{
		MemoryContext old_context = MemoryContextSwitchTo(rows->context);

		rows->source = make_source(rows, operation);
		MemoryContextSwitchTo(old_context);
	}
	resetStringInfo(value);
	append_row(rows, "{\"before\":", before);
	append_row(rows, ",\"after\":", after);
	appendStringInfoString(value, ",\"op\":\"");
	appendStringInfoChar(value, operation);
	appendStringInfoString(value, "\",");
	appendStringInfoString(value, rows->source);
	appendStringInfoString(value, ",\"ts_ms\":");
	appendBinaryStringInfo(value, milliseconds, pg_lltoa(now, milliseconds));
	appendStringInfoChar(value, '}');
}

static const StringInfoData *
make_key(CapturedRows * rows, StringInfo key, TupleTableSlot *row)
{
	resetStringInfo(key);
	append_row_json(key, rows->key, row);
	return key;
}

/* Send what a row has become; its key is made. */
static void
send_row(CapturedRows * rows, char operation, TupleTableSlot *before,
		 TupleTableSlot *after)
{
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	if (rows->payload == PAYLOAD_DEBEZIUM)
		make_envelope(rows, operation, before, after, now);
	else
	{
		resetStringInfo(&rows->value);
		append_row_json(&rows->value, rows->row, after);
	}
	send(rows, &rows->key_text, ANY_PARTITION, &rows->value, now);
}

/*
 * Send that there is no row any more that had that key.  Compaction goes by
 * tombstones; where there is none, the envelope says it all.
 */
static void
send_end_of_row(CapturedRows * rows, const StringInfoData *key,
				TupleTableSlot *before)
{
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	if (rows->payload == PAYLOAD_DEBEZIUM)
	{
		make_envelope(rows, OPERATION_DELETE, before, NULL, now);
		send(rows, key, ANY_PARTITION, &rows->value, now);
	}
	if (rows->payload == PAYLOAD_ROW || rows->topic->compacted)
		send(rows, key, ANY_PARTITION, NULL, now);
}

void
send_existing_row(CapturedRows * rows, TupleTableSlot *row)
{
	make_key(rows, &rows->key_text, row);
	send_row(rows, OPERATION_READ, NULL, row);
}

void
send_inserted_row(CapturedRows * rows, TupleTableSlot *row)
{
	make_key(rows, &rows->key_text, row);
	send_row(rows, OPERATION_CREATE, NULL, row);
}

void
send_updated_row(CapturedRows * rows, TupleTableSlot *before,
				 TupleTableSlot *after, bool is_gone)
{
	const StringInfoData *old_key = make_key(rows, &rows->old_key_text, before);
	const StringInfoData *key = make_key(rows, &rows->key_text, after);
	bool		same_key = old_key->len == key->len &&
		memcmp(old_key->data, key->data, key->len) == 0;

	if (!same_key)
		send_end_of_row(rows, old_key, before);
	if (!is_gone)
		send_row(rows, same_key ? OPERATION_UPDATE : OPERATION_CREATE,
				 same_key ? before : NULL, after);
}

void
send_deleted_row(CapturedRows * rows, TupleTableSlot *row)
{
	send_end_of_row(rows, make_key(rows, &rows->old_key_text, row), row);
}

/*
 * Each partition is told.  A record without a key, as this one is, cannot be
 * in a compacted topic.
 */
bool
send_truncation(CapturedRows * rows)
{
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	if (rows->payload != PAYLOAD_DEBEZIUM || rows->topic->compacted)
		return false;
	make_envelope(rows, OPERATION_TRUNCATE, NULL, NULL, now);
	for (int partition = 0; partition < rows->topic->partitions; partition++)
		send(rows, NULL, partition, &rows->value, now);
	return true;
}

/* Call a function for each row of a table without partitions. */
static void
for_each_row(Relation relation, Oid function, const char *topic_name,
			 SendRow send_row)
{
	CapturedRows *rows = captured_rows_begin(relation, function, topic_name);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	TableScanDesc scan = table_beginscan(relation, GetActiveSnapshot(), 0,
										 NULL);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "pg_topic captured row",
													  ALLOCSET_DEFAULT_SIZES);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old_context = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		send_row(rows, slot);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}

void
for_each_captured_row(Relation table, Oid function, const char *topic_name,
					  SendRow send_row)
{
	List	   *relids = list_make1_oid(RelationGetRelid(table));
	ListCell   *cell;

	/* Tables that inherit, unlike partitions, are not captured with theirs. */
	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		relids = find_all_inheritors(RelationGetRelid(table), AccessShareLock,
									 NULL);

	/* Nobody else changes rows now: see those that are there. */
	PushActiveSnapshot(GetLatestSnapshot());
	foreach(cell, relids)
	{
		Relation	relation = table_open(lfirst_oid(cell), AccessShareLock);

		if (relation->rd_rel->relkind == RELKIND_RELATION)
			for_each_row(relation, function, topic_name, send_row);
		else if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot capture the rows of partition \"%s\"",
							RelationGetRelationName(relation)),
					 errdetail("It is not a table.")));
		table_close(relation, NoLock);
	}
	PopActiveSnapshot();
}
