/*-------------------------------------------------------------------------
 *
 * produce_query.c
 *		produce_query: producing what a query returns.
 *
 * Rows are appended as the executor finds them, so memory is bounded whatever
 * their number.  What is appended has the query's own command id, which the
 * query does not see: it may read the very topic.
 *
 * The columns are converted as a call's arguments would be, by implicit casts
 * to the types that produce's overloads take.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "bulk_producer.h"
#include "compat.h"
#include "record_value.h"

PG_FUNCTION_INFO_V1(topic_produce_query);

/* No column has more types to choose from. */
#define MAX_TYPES	4

typedef enum QueryColumn
{
	QUERY_VALUE,
	QUERY_KEY,
	QUERY_HEADERS,
	QUERY_PARTITION,
	QUERY_TIMESTAMP,
	QUERY_COLUMN_COUNT
} QueryColumn;

/*
 * The columns, by the names that users give them, and the types to which they
 * are converted: its own if it is among them, or else the first to which there
 * is an implicit cast.
 */
static const struct
{
	const char *name;
	const char *other_name;		/* as in topics.<topic>, or NULL */
	Oid			types[MAX_TYPES];
	const char *type_names;
}			query_columns[QUERY_COLUMN_COUNT] = {

	[QUERY_VALUE] = {
		"value", NULL, {TEXTOID, JSONBOID, JSONOID, BYTEAOID},
		"text, json, jsonb or bytea"
	},
	[QUERY_KEY] = {
		"key", NULL, {TEXTOID, BYTEAOID, INT8OID, UUIDOID},
		"text, bytea, bigint or uuid"
	},
	[QUERY_HEADERS] = {"headers", NULL, {JSONBOID}, "jsonb"},
	[QUERY_PARTITION] = {"partition", NULL, {INT4OID}, "integer"},
	[QUERY_TIMESTAMP] = {
		"timestamp", "record_timestamp", {TIMESTAMPTZOID},
		"timestamp with time zone"
	},
};

/* Where rows of the query go. */
typedef struct QueryReceiver
{
	DestReceiver receiver;		/* must be first */
	Topic	   *topic;
	int64		now;
	int64	   *record_counts;	/* of each partition */

	/* While the query runs: */
	BulkProducer *producer;
	RecordTypes types;
	EState	   *estate;
	ExprState  *columns[QUERY_COLUMN_COUNT];	/* NULL: not there */
	MemoryContext record_context;
} QueryReceiver;

static void
count_run(void *arg, int partition, int64 base_offset, int64 record_count)
{
	((QueryReceiver *) arg)->record_counts[partition] += record_count;
}

/* Which column has that name? */
static QueryColumn
find_column(const char *name)
{
	for (int i = 0; i < QUERY_COLUMN_COUNT; i++)
		if (strcmp(name, query_columns[i].name) == 0 ||
			(query_columns[i].other_name &&
			 strcmp(name, query_columns[i].other_name) == 0))
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("query has an unknown column \"%s\"", name),
			 errhint("Columns are value, key, headers, partition and timestamp.")));
	pg_unreachable();
}

/* An expression that converts a column of the query to one of the types. */
static Expr *
column_expression(QueryColumn column, const FormData_pg_attribute * attribute,
				  Oid *type)
{
	const Oid  *types = query_columns[column].types;
	Oid			base_type = getBaseType(attribute->atttypid);
	Node	   *var = (Node *) makeVar(1, attribute->attnum,
									   attribute->atttypid,
									   attribute->atttypmod,
									   attribute->attcollation, 0);
	Oid			target = InvalidOid;

	for (int i = 0; i < MAX_TYPES && OidIsValid(types[i]); i++)
		if (types[i] == base_type)
			target = base_type;
	for (int i = 0; i < MAX_TYPES && OidIsValid(types[i]); i++)
		if (!OidIsValid(target) &&
			can_coerce_type(1, &attribute->atttypid, &types[i],
							COERCION_IMPLICIT))
			target = types[i];
	if (!OidIsValid(target))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of the query is of type %s",
						NameStr(attribute->attname),
						format_type_be(attribute->atttypid)),
				 errhint("Cast it to %s.", query_columns[column].type_names)));
	*type = target;
	return (Expr *) coerce_to_target_type(NULL, var, attribute->atttypid,
										  target, -1, COERCION_IMPLICIT,
										  COERCE_IMPLICIT_CAST, -1);
}

/* Find the query's columns. */
static void
prepare_columns(QueryReceiver *self, TupleDesc columns)
{
	Oid			types[QUERY_COLUMN_COUNT] = {0};

	for (int i = 0; i < columns->natts; i++)
	{
		const		FormData_pg_attribute *attribute = TupleDescAttr(columns, i);
		QueryColumn column = find_column(NameStr(attribute->attname));

		if (self->columns[column])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query has column \"%s\" twice",
							query_columns[column].name)));
		self->columns[column] =
			ExecPrepareExpr(column_expression(column, attribute,
											  &types[column]),
							self->estate);
	}
	if (!self->columns[QUERY_VALUE])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query has no column \"value\""),
				 errhint("A tombstone's is NULL::text.")));
	self->types.value = types[QUERY_VALUE];
	self->types.key = types[QUERY_KEY];
}

static NullableDatum
column_value(QueryReceiver *self, QueryColumn column)
{
	NullableDatum value = {.isnull = true};

	if (self->columns[column])
		value.value = ExecEvalExpr(self->columns[column],
								   GetPerTupleExprContext(self->estate),
								   &value.isnull);
	return value;
}

static int
row_partition(QueryReceiver *self)
{
	NullableDatum partition = column_value(self, QUERY_PARTITION);

	if (partition.isnull)
		return ANY_PARTITION;
	check_partition(self->topic, DatumGetInt32(partition.value));
	return DatumGetInt32(partition.value);
}

/* A row of the query becomes a record. */
static bool
receive_row(TupleTableSlot *slot, DestReceiver * receiver)
{
	QueryReceiver *self = (QueryReceiver *) receiver;
	MemoryContext old_context = MemoryContextSwitchTo(self->record_context);
	RecordValues values;
	RecordInput record;
	int			partition;

	ResetPerTupleExprContext(self->estate);
	MemoryContextReset(self->record_context);
	GetPerTupleExprContext(self->estate)->ecxt_scantuple = slot;
	slot_getallattrs(slot);
	values.value = column_value(self, QUERY_VALUE);
	values.key = column_value(self, QUERY_KEY);
	values.headers = column_value(self, QUERY_HEADERS);
	values.timestamp = column_value(self, QUERY_TIMESTAMP);
	partition = row_partition(self);
	make_record(&record, self->topic, &self->types, &values, self->now);
	bulk_producer_add(self->producer, partition, &record);
	MemoryContextSwitchTo(old_context);
	return true;
}

static void
begin_rows(DestReceiver * receiver, int operation, TupleDesc columns)
{
}

static void
end_rows(DestReceiver * receiver)
{
}

/* Prepare the query; raises an error unless it is a SELECT. */
static SPIPlanPtr
prepare_query(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);
	List	   *sources;

	if (!plan)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	if (list_length(sources) != 1 ||
		((CachedPlanSource *) linitial(sources))->commandTag != CMDTAG_SELECT ||
		!SPI_is_cursor_plan(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("query must be one SELECT")));
	return plan;
}

/* Run the query, and append its rows. */
static void
append_rows(QueryReceiver *self, const char *query)
{
	SPIPlanPtr	plan;
	SPIExecuteOptions options = {.dest = (DestReceiver *) self};
	int			result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = prepare_query(query);
	self->estate = CreateExecutorState();
	prepare_columns(self, ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc);
	self->record_context = AllocSetContextCreate(CurrentMemoryContext,
												 "pg_topic record",
												 ALLOCSET_DEFAULT_SIZES);
	self->producer = bulk_producer_begin(self->topic, count_run, self);
	result = SPI_execute_plan_extended(plan, &options);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s",
			 SPI_result_code_string(result));
	bulk_producer_end(self->producer);
	FreeExecutorState(self->estate);
	SPI_finish();
}

/*
 * produce_query(topic text, query text)
 * returns table(partition int, record_count bigint)
 */
Datum
topic_produce_query(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	char	   *query = text_argument(fcinfo, 1, "query");
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	relation;
	QueryReceiver self = {
		.receiver = {
			receive_row, begin_rows, end_rows, end_rows, DestNone
		},
		.now = record_timestamp_from(GetCurrentTimestamp())
	};

	PreventCommandIfReadOnly("produce_query");
	self.topic = topic_open(name, ACL_INSERT, RowExclusiveLock);
	self.record_counts = palloc0(self.topic->partitions * sizeof(int64));

	InitMaterializedSRF(fcinfo, 0);

	/* While it is open, the query cannot drop it. */
	relation = table_open(self.topic->relid, NoLock);
	append_rows(&self, query);
	table_close(relation, NoLock);
	for (int partition = 0; partition < self.topic->partitions; partition++)
	{
		Datum		values[] = {
			Int32GetDatum(partition),
			Int64GetDatum(self.record_counts[partition])
		};
		bool		nulls[lengthof(values)] = {0};

		if (self.record_counts[partition] > 0)
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
	}
	PG_RETURN_NULL();
}
