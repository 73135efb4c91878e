/*-------------------------------------------------------------------------
 *
 * topic_fdw.c
 *		The foreign-data wrapper behind the relations topics.<topic>: its
 *		handler and validator, and what a topic's relation looks like.
 *
 * A relation is a topic's if topic.topics says so.  There are no options: a
 * foreign table that a user makes on the server himself reads and writes
 * nothing, however he calls it.  So the executor's check of the privileges
 * SELECT and INSERT is all that is needed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "header.h"
#include "topic_fdw.h"

PG_FUNCTION_INFO_V1(topic_fdw_handler);
PG_FUNCTION_INFO_V1(topic_fdw_validator);

static const char *const record_column_names[RECORD_COLUMN_COUNT] = {
	[RECORD_PARTITION] = "partition",
	[RECORD_OFFSET] = "record_offset",
	[RECORD_TIMESTAMP] = "record_timestamp",
	[RECORD_KEY] = "key",
	[RECORD_VALUE] = "value",
	[RECORD_HEADERS] = "headers",
};

/*
 * fdw_handler() -> fdw_handler
 */
Datum
topic_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = topic_get_rel_size;
	routine->GetForeignPaths = topic_get_paths;
	routine->GetForeignPlan = topic_get_plan;

	routine->BeginForeignScan = topic_begin_scan;
	routine->IterateForeignScan = topic_iterate_scan;
	routine->ReScanForeignScan = topic_rescan;
	routine->EndForeignScan = topic_end_scan;
	routine->ExplainForeignScan = topic_explain_scan;

	routine->PlanForeignModify = topic_plan_modify;
	routine->BeginForeignModify = topic_begin_modify;
	routine->BeginForeignInsert = topic_begin_insert;
	routine->ExecForeignInsert = topic_exec_insert;

	routine->AnalyzeForeignTable = topic_analyze;

	PG_RETURN_POINTER(routine);
}

/*
 * fdw_validator(options text[], catalog oid) -> void
 *
 * Neither the wrapper nor its servers, tables, columns and user mappings have
 * options.
 */
Datum
topic_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));

	if (options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"",
						((DefElem *) linitial(options))->defname),
				 errhint("Foreign-data wrapper pg_topic has no options; create topics with topic.create_topic().")));
	PG_RETURN_VOID();
}

Topic *
foreign_table_topic(Oid relid)
{
	Topic	   *topic = topic_lookup_relation(relid);

	if (!topic)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign table \"%s\" is not the relation of a topic",
						get_rel_name(relid)),
				 errhint("Create topics with topic.create_topic().")));
	return topic;
}

static Oid
record_column_type(const Topic *topic, RecordColumn column)
{
	bool		bytes = topic->value_format == FORMAT_BYTES;

	switch (column)
	{
		case RECORD_PARTITION:
			return INT4OID;
		case RECORD_OFFSET:
			return INT8OID;
		case RECORD_TIMESTAMP:
			return TIMESTAMPTZOID;
		case RECORD_KEY:
			return bytes ? BYTEAOID : TEXTOID;
		case RECORD_VALUE:
			if (topic->value_format == FORMAT_JSON)
				return JSONBOID;
			return bytes ? BYTEAOID : TEXTOID;
		case RECORD_HEADERS:
			return bytes ? get_array_type(header_tuple_desc()->tdtypeid)
				: JSONBOID;
		case RECORD_COLUMN_COUNT:
			break;
	}
	return InvalidOid;
}

static RecordColumn
record_column_by_name(const char *name)
{
	RecordColumn column = RECORD_PARTITION;

	while (column < RECORD_COLUMN_COUNT &&
		   strcmp(name, record_column_names[column]) != 0)
		column++;
	return column;
}

RecordColumn *
foreign_table_columns(const Topic *topic, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);
	RecordColumn *columns = palloc(desc->natts * sizeof(RecordColumn));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Oid			type;

		columns[i] = RECORD_COLUMN_COUNT;
		if (attribute->attisdropped)
			continue;

		columns[i] = record_column_by_name(NameStr(attribute->attname));
		if (columns[i] == RECORD_COLUMN_COUNT)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("records of topic \"%s\" have no column \"%s\"",
							topic->name, NameStr(attribute->attname)),
					 errdetail("The columns of a topic's relation are partition, record_offset, record_timestamp, key, value and headers."),
					 errhint("Drop the column from foreign table \"%s\", or give it back its name.",
							 RelationGetRelationName(relation))));

		/* A modifier, as in timestamptz(0), would promise what is not so. */
		type = record_column_type(topic, columns[i]);
		if (attribute->atttypid != type || attribute->atttypmod != -1)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of foreign table \"%s\" is of type %s, not %s",
							NameStr(attribute->attname),
							RelationGetRelationName(relation),
							format_type_with_typemod(attribute->atttypid,
													 attribute->atttypmod),
							format_type_be(type)),
					 errhint("Use ALTER FOREIGN TABLE to give it the type that the value_format of topic \"%s\" asks for.",
							 topic->name)));
	}
	return columns;
}
