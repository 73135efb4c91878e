/*-------------------------------------------------------------------------
 *
 * capture.c
 *		capture_table, release_table: a topic that follows a table.
 *
 * A capture is made of triggers, and of nothing else: so a dump has it, and
 * whatever PostgreSQL does to triggers it does to captures.
 *
 *	!pg_topic_capture_<topic id>			for the row events
 *	!pg_topic_capture_<topic id>_truncate	for TRUNCATE
 *	!pg_topic_capture_<topic id>_key		never fires: UPDATE OF the columns of
 *											the key, WHEN (false)
 *
 * The names sort before those of other triggers; see capture_trigger.c.
 *
 * Who changes the table needs no right on the topic: the table's owner does.
 * That must be his will.  So only he may create such a trigger, also by hand,
 * although PostgreSQL lets anybody to whom he granted TRIGGER; an event trigger
 * sees to it.  It also has the topic not dropped as long as the trigger is
 * there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/tablecmds.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "arguments.h"
#include "captured_row.h"
#include "catalog.h"
#include "compat.h"

PG_FUNCTION_INFO_V1(topic_capture_table);
PG_FUNCTION_INFO_V1(topic_release_table);
PG_FUNCTION_INFO_V1(topic_on_create_trigger);

static const char *const event_names[] = {
	"insert", "update", "delete", "truncate", NULL
};

#define EVENT_TRUNCATE	3
#define EVENT_COUNT		4

/* A capture that is to be. */
typedef struct NewCapture
{
	Relation	table;
	const Topic *topic;
	List	   *key;			/* names of columns */
	bool		events[EVENT_COUNT];
	CapturePayload payload;
} NewCapture;

static char *
qualified_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
									  RelationGetRelationName(relation));
}

static void
events_argument(FunctionCallInfo fcinfo, int number, bool *events)
{
	ListCell   *cell;

	foreach(cell, names_argument(fcinfo, number, "events"))
		events[choice_from_name(lfirst(cell), "event", event_names)] = true;
}

/*
 * Open the table, locked as CREATE TRIGGER does, to the end of the transaction:
 * whoever has changed it has committed.
 */
static Relation
open_table(Oid relid, LOCKMODE lockmode)
{
	const char *name = get_rel_name(relid);
	Relation	table;

	/* Rights first, so that nobody can queue for a lock without them. */
	if (name && !relation_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
	table = name ? try_table_open(relid, lockmode) : NULL;
	if (!table)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (table->rd_rel->relkind != RELKIND_RELATION &&
		table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table",
						RelationGetRelationName(table))));
	CheckTableNotInUse(table, "capture_table");
	return table;
}

/* The names of the columns of the table's primary key. */
static List *
primary_key(Relation table)
{
	List	   *key = NIL;
	Oid			index_oid;
	Relation	index;

	/* The relation's list of indexes has the primary key. */
	list_free(RelationGetIndexList(table));
	index_oid = primary_key_index(table);
	if (!OidIsValid(index_oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has no primary key that is not deferrable",
						RelationGetRelationName(table)),
				 errhint("Name the columns that are to be the records' key.")));
	index = index_open(index_oid, AccessShareLock);
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		key = lappend(key, get_attname(RelationGetRelid(table),
									   index->rd_index->indkey.values[i],
									   false));
	index_close(index, AccessShareLock);
	return key;
}

static void
check_key(Relation table, List *key)
{
	ListCell   *cell;

	foreach(cell, key)
	{
		const char *name = lfirst(cell);
		AttrNumber	number = get_attnum(RelationGetRelid(table), name);

		if (number == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" does not exist",
							name, RelationGetRelationName(table))));
		if (number < 0 ||
			is_virtual_column(TupleDescAttr(RelationGetDescr(table), number - 1)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of table \"%s\" cannot be in a key",
							name, RelationGetRelationName(table)),
					 errdetail("It is not stored in the table's rows.")));
	}
}

static void
check_not_captured(Relation table, const char *topic_name, Oid function)
{
	const TriggerDesc *triggers = table->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgfoid == function &&
			trigger->tgnargs == CAPTURE_ARGUMENT_COUNT &&
			strcmp(trigger->tgargs[CAPTURE_ARGUMENT_TOPIC], topic_name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("table \"%s\" is already captured into topic \"%s\"",
							RelationGetRelationName(table), topic_name),
					 trigger->tgisclone
					 ? errdetail("It is a partition of a table that is.") : 0));
	}
}

/* Create one of a capture's triggers. */
static void
create_trigger(const NewCapture *capture, const char *suffix,
			   const char *events, const char *when)
{
	catalog_execute(psprintf("CREATE TRIGGER \"!pg_topic_capture_%d%s\" %s ON %s %s "
							 "EXECUTE FUNCTION topic.capture_change(%s, %s)",
							 capture->topic->id, suffix, events,
							 qualified_name(capture->table), when,
							 quote_literal_cstr(capture->topic->name),
							 quote_literal_cstr(capture_payload_names[capture->payload])));
}

static void
create_triggers(const NewCapture *capture)
{
	StringInfoData events;
	StringInfoData key;
	ListCell   *cell;

	initStringInfo(&events);
	for (int i = 0; i < EVENT_TRUNCATE; i++)
	{
		if (capture->events[i])
			appendStringInfo(&events, "%s %s", events.len > 0 ? " OR" : "AFTER",
							 event_names[i]);
	}
	if (events.len > 0)
		create_trigger(capture, "", events.data, "FOR EACH ROW");
	if (capture->events[EVENT_TRUNCATE])
		create_trigger(capture, "_truncate", "BEFORE TRUNCATE",
					   "FOR EACH STATEMENT");

	initStringInfo(&key);
	appendStringInfoString(&key, "AFTER UPDATE OF ");
	foreach(cell, capture->key)
		appendStringInfo(&key, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 quote_identifier(lfirst(cell)));
	create_trigger(capture, "_key", key.data, "FOR EACH ROW WHEN (false)");
}

static Oid
capture_function(void)
{
	List	   *name = list_make2(makeString(CATALOG_SCHEMA),
								  makeString("capture_change"));

	return LookupFuncName(name, 0, NULL, false);
}

/*
 * capture_table(table_name regclass, topic text, key text[], events text[],
 *				 payload text, snapshot boolean)
 */
Datum
topic_capture_table(PG_FUNCTION_ARGS)
{
	NewCapture	capture = {0};
	char	   *topic_name = text_argument(fcinfo, 1, "topic");
	Oid			function = capture_function();
	Oid			relid;

	if (PG_ARGISNULL(0))
		report_null_argument("table_name");
	relid = PG_GETARG_OID(0);
	if (!PG_ARGISNULL(2))
		capture.key = names_argument(fcinfo, 2, "key");
	events_argument(fcinfo, 3, capture.events);
	capture.payload = choice_argument(fcinfo, 4, "payload",
									  capture_payload_names);
	if (PG_ARGISNULL(5))
		report_null_argument("snapshot");
	PreventCommandIfReadOnly("capture_table");

	capture.table = open_table(relid, ShareRowExclusiveLock);
	capture.topic = open_capture_topic(relid, topic_name);
	check_not_captured(capture.table, topic_name, function);
	if (capture.key == NIL)
		capture.key = primary_key(capture.table);
	check_key(capture.table, capture.key);
	create_triggers(&capture);
	CommandCounterIncrement();
	if (PG_GETARG_BOOL(5))
		for_each_captured_row(capture.table, function, topic_name,
							  send_existing_row);
	table_close(capture.table, NoLock);
	PG_RETURN_VOID();
}

/*
 * release_table(table_name regclass, topic text)
 */
Datum
topic_release_table(PG_FUNCTION_ARGS)
{
	char	   *topic_name = PG_ARGISNULL(1) ? NULL
		: text_to_cstring(PG_GETARG_TEXT_PP(1));
	Oid			function = capture_function();
	List	   *names = NIL;
	ListCell   *cell;
	Relation	table;

	if (PG_ARGISNULL(0))
		report_null_argument("table_name");
	PreventCommandIfReadOnly("release_table");

	table = open_table(PG_GETARG_OID(0), AccessExclusiveLock);
	for (int i = 0; table->trigdesc && i < table->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &table->trigdesc->triggers[i];

		if (trigger->tgfoid == function && !trigger->tgisclone &&
			(!topic_name ||
			 (trigger->tgnargs > CAPTURE_ARGUMENT_TOPIC &&
			  strcmp(trigger->tgargs[CAPTURE_ARGUMENT_TOPIC], topic_name) == 0)))
			names = lappend(names, pstrdup(trigger->tgname));
	}
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 topic_name
				 ? errmsg("table \"%s\" is not captured into topic \"%s\"",
						  RelationGetRelationName(table), topic_name)
				 : errmsg("table \"%s\" is not captured",
						  RelationGetRelationName(table)),
				 errhint("View topic.captured_tables lists captured tables.")));
	foreach(cell, names)
		catalog_execute(psprintf("DROP TRIGGER %s ON %s",
								 quote_identifier(lfirst(cell)),
								 qualified_name(table)));
	table_close(table, NoLock);
	PG_RETURN_VOID();
}

/* A trigger that captures was created on a table. */
static void
check_new_trigger(Oid trigger_oid, Oid table, const char *topic_name)
{
	Topic	   *topic;
	ObjectAddress trigger;
	ObjectAddress relation;

	if (!relation_ownercheck(table, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", get_rel_name(table)),
				 errdetail("A trigger that captures produces with the rights of the table's owner.")));

	topic = topic_name ? topic_lookup(topic_name) : NULL;
	if (!topic)
		return;
	ObjectAddressSet(trigger, TriggerRelationId, trigger_oid);
	ObjectAddressSet(relation, RelationRelationId, topic->relid);
	recordDependencyOn(&trigger, &relation, DEPENDENCY_NORMAL);
}

/*
 * on_create_trigger() returns event_trigger
 */
Datum
topic_on_create_trigger(PG_FUNCTION_ARGS)
{
	const char *query =
		"SELECT t.oid, t.tgrelid, (pg_catalog.string_to_array("
		"pg_catalog.encode(t.tgargs, 'escape'), E'\\\\000'))[1] "
		"FROM pg_catalog.pg_event_trigger_ddl_commands() c "
		"JOIN pg_catalog.pg_trigger t ON t.oid OPERATOR(pg_catalog.=) c.objid "
		"WHERE c.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_trigger'::pg_catalog.regclass "
		"AND t.tgfoid OPERATOR(pg_catalog.=) 'topic.capture_change()'::pg_catalog.regprocedure";
	SavedUser	saved;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("topic.on_create_trigger() must be called by an event trigger")));

	catalog_spi_connect();

	/*
	 * Anybody may be here, for whatever trigger he has created: also one who
	 * has no right on our schema, or while the catalog is too old for us.
	 */
	saved = become_user(extension_owner());
	catalog_spi_execute(query, 0, NULL, NULL, NULL);
	restore_user(saved);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Oid			trigger = DatumGetObjectId(SPI_getbinval(row, desc, 1, &isnull));
		Oid			table = DatumGetObjectId(SPI_getbinval(row, desc, 2, &isnull));

		check_new_trigger(trigger, table, SPI_getvalue(row, desc, 3));
	}
	SPI_finish();
	PG_RETURN_NULL();
}
