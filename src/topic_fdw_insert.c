/*-------------------------------------------------------------------------
 *
 * topic_fdw_insert.c
 *		INSERT and COPY into topics.<topic>.
 *
 * Rows become records of the transaction's queue (send_queue.c), in full
 * batches when it commits.  But where somebody asks for what only the log can
 * tell, RETURNING record_offset or an AFTER trigger, each row is appended at
 * once: PostgreSQL wants the answer row by row.
 *
 * The columns partition and record_timestamp are the producer's to give or to
 * leave to us; record_offset is the log's.  The executor checks the INSERT
 * privilege.  As for all foreign tables, it checks no constraints, so that the
 * NOT NULL of columns that need not be given does no harm.
 *
 * Rows of the log are never updated or deleted: nor are those of relations.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "header.h"
#include "record_append.h"
#include "send_queue.h"
#include "topic_fdw.h"

#define NO_ATTRIBUTE	(-1)

/* Kept in ResultRelInfo.ri_FdwState. */
typedef struct TopicInsert
{
	Topic	   *topic;
	RecordColumn *columns;		/* by attribute */
	int			attributes[RECORD_COLUMN_COUNT];	/* indexes, or
													 * NO_ATTRIBUTE */
	RecordTypes types;
	bool		header_array;	/* headers are topic.header[] */
	bool		decided;
	bool		at_once;		/* append each row at once; if decided */
} TopicInsert;

List *
topic_plan_modify(PlannerInfo *root, ModifyTable *plan, Index relid,
				  int subplan_index)
{
	const char *relation = get_rel_name(planner_rt_fetch(relid, root)->relid);

	if (plan->operation == CMD_INSERT)
		return NIL;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 plan->operation == CMD_DELETE
			 ? errmsg("cannot delete from foreign table \"%s\"", relation)
			 : errmsg("cannot update foreign table \"%s\"", relation),
			 errdetail("Records of a topic are immutable."),
			 errhint("INSERT another record: in a compacted topic it takes the place of the earlier ones of its key, or removes them if its value is NULL.  topic.delete_records() deletes the oldest records.")));
}

static void
begin_insert(ResultRelInfo *result)
{
	Relation	relation = result->ri_RelationDesc;
	TupleDesc	desc = RelationGetDescr(relation);
	TopicInsert *insert = palloc0(sizeof(TopicInsert));

	insert->topic = foreign_table_topic(RelationGetRelid(relation));
	insert->columns = foreign_table_columns(insert->topic, relation);
	for (int i = 0; i < RECORD_COLUMN_COUNT; i++)
		insert->attributes[i] = NO_ATTRIBUTE;
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;

		switch (insert->columns[i])
		{
			case RECORD_COLUMN_COUNT:
				continue;
			case RECORD_KEY:
				insert->types.key = type;
				break;
			case RECORD_VALUE:
				insert->types.value = type;
				break;
			case RECORD_HEADERS:
				insert->header_array = type != JSONBOID;
				break;
			default:
				break;
		}
		insert->attributes[insert->columns[i]] = i;
	}
	result->ri_FdwState = insert;
}

void
topic_begin_modify(ModifyTableState *mtstate, ResultRelInfo *result,
				   List *fdw_private, int subplan_index, int eflags)
{
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		begin_insert(result);
}

void
topic_begin_insert(ModifyTableState *mtstate, ResultRelInfo *result)
{
	begin_insert(result);
}

/* Does an expression over the new row ask for what the log gives to records? */
static bool
asks_the_log(Node *node, void *context)
{
	const TopicInsert *insert = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varattno == InvalidAttrNumber)
			return true;		/* the whole row */
		if (var->varattno < 0)
			return false;
		switch (insert->columns[var->varattno - 1])
		{
			case RECORD_PARTITION:
			case RECORD_OFFSET:
			case RECORD_TIMESTAMP:
				return true;
			default:
				return false;
		}
	}
	return expression_tree_walker(node, asks_the_log, context);
}

/*
 * Rows are appended at once if RETURNING, a view's CHECK OPTION or a trigger
 * may look at what the log gives to them.  To be asked when there is a row:
 * the executor begins here before it comes to these.
 */
static bool
must_append_at_once(const TopicInsert *insert, const ResultRelInfo *result)
{
	void	   *context = unconstify(TopicInsert *, insert);

	return (result->ri_TrigDesc && result->ri_TrigDesc->trig_insert_after_row) ||
		asks_the_log((Node *) result->ri_returningList, context) ||
		asks_the_log((Node *) result->ri_WithCheckOptions, context);
}

static NullableDatum
column_value(const TopicInsert *insert, const TupleTableSlot *slot,
			 RecordColumn column)
{
	int			attribute = insert->attributes[column];
	NullableDatum value = {.isnull = true};

	if (attribute != NO_ATTRIBUTE)
	{
		value.value = slot->tts_values[attribute];
		value.isnull = slot->tts_isnull[attribute];
	}
	return value;
}

/* The record that a row describes, and its partition, or ANY_PARTITION. */
static void
record_from_slot(const TopicInsert *insert, TupleTableSlot *slot,
				 int *partition, RecordInput *record)
{
	RecordValues values;
	NullableDatum number;

	slot_getallattrs(slot);
	if (!column_value(insert, slot, RECORD_OFFSET).isnull)
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("cannot insert a non-null value into column \"record_offset\" of topic \"%s\"",
						insert->topic->name),
				 errdetail("The log gives offsets to records."),
				 errhint("Leave the column out, and use RETURNING to learn the offset.")));

	number = column_value(insert, slot, RECORD_PARTITION);
	*partition = number.isnull ? ANY_PARTITION : DatumGetInt32(number.value);
	if (!number.isnull)
		check_partition(insert->topic, *partition);

	values.value = column_value(insert, slot, RECORD_VALUE);
	values.key = column_value(insert, slot, RECORD_KEY);
	values.headers = column_value(insert, slot, RECORD_HEADERS);
	values.timestamp = column_value(insert, slot, RECORD_TIMESTAMP);
	if (insert->header_array && !values.headers.isnull)
		values.headers.value = headers_array_to_jsonb(values.headers.value);
	make_record(record, insert->topic, &insert->types, &values,
				record_timestamp_from(GetCurrentTimestamp()));
}

/* Set a column of a row, if the relation has it. */
static void
set_column(const TopicInsert *insert, RecordColumn column, Datum value,
		   Datum *values, bool *nulls)
{
	int			attribute = insert->attributes[column];

	if (attribute == NO_ATTRIBUTE)
		return;
	values[attribute] = value;
	nulls[attribute] = false;
}

/* Append a row's record, and put into the row what the log gave to it. */
static void
append_row(TopicInsert *insert, TupleTableSlot *slot, int partition,
		   RecordInput *record)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	int64		offset;
	MemoryContext old_context;

	if (partition == ANY_PARTITION)
		partition = partition_for_record(insert->topic, record);
	offset = append_records(insert->topic, partition, record, 1);

	memcpy(values, slot->tts_values, desc->natts * sizeof(Datum));
	memcpy(nulls, slot->tts_isnull, desc->natts * sizeof(bool));
	set_column(insert, RECORD_PARTITION, Int32GetDatum(partition), values,
			   nulls);
	set_column(insert, RECORD_OFFSET, Int64GetDatum(offset), values, nulls);
	set_column(insert, RECORD_TIMESTAMP,
			   TimestampTzGetDatum(record_timestamp_to(record->timestamp)),
			   values, nulls);
	old_context = MemoryContextSwitchTo(slot->tts_mcxt);
	ExecForceStoreHeapTuple(heap_form_tuple(desc, values, nulls), slot, true);
	MemoryContextSwitchTo(old_context);
}

TupleTableSlot *
topic_exec_insert(EState *estate, ResultRelInfo *result, TupleTableSlot *slot,
				  TupleTableSlot *plan_slot)
{
	TopicInsert *insert = result->ri_FdwState;
	MemoryContext old_context;
	RecordInput record;
	int			partition;

	if (!insert->decided)
	{
		insert->at_once = must_append_at_once(insert, result);
		insert->decided = true;
	}
	if (!insert->topic->valid)
		insert->topic = topic_refresh(insert->topic);

	old_context = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	record_from_slot(insert, slot, &partition, &record);
	if (insert->at_once)
		append_row(insert, slot, partition, &record);
	else
		send_record(insert->topic, partition, &record);
	MemoryContextSwitchTo(old_context);
	return slot;
}
