/*-------------------------------------------------------------------------
 *
 * record_rows.c
 *		Records kept as rows, to be returned one by one.
 *
 * This is a tuplestore that is cheaper for as long as work_mem lasts: it has
 * the values of a row side by side, and makes no tuples of them.  Beyond that
 * it is a tuplestore.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "record_rows.h"

#define INITIAL_CAPACITY	64

/* For the values of some hundred records. */
#define VALUES_MEMORY		(128 * 1024)

/*
 * Memory for values that the last rows have left; NULL while it is in use.  To
 * get it from the operating system anew for each call would take longer than to
 * fill it.
 */
static MemoryContext spare_context = NULL;

struct RecordRows
{
	TupleDesc	desc;
	const int  *columns;
	MemoryContext context;
	Datum		topic;			/* its name */

	MemoryContext value_context;	/* what values point to */
	MemoryContext scratch_context;
	Datum	   *values;			/* row by row */
	bool	   *nulls;
	int64		count;			/* rows in memory */
	int64		capacity;
	int64		current;		/* the row that was returned last; -1: before
								 * the first, count: after the last */
	Tuplestorestate *store;		/* NULL as long as all are in memory */
	TupleTableSlot *store_slot;
};

static MemoryContext
take_value_context(void)
{
	MemoryContext context = spare_context;

	if (!context)
		return GenerationContextCreate(CurrentMemoryContext, "pg_topic rows",
									   VALUES_MEMORY,
									   ALLOCSET_DEFAULT_INITSIZE,
									   ALLOCSET_DEFAULT_MAXSIZE);
	spare_context = NULL;
	MemoryContextSetParent(context, CurrentMemoryContext);
	return context;
}

static void
give_value_context_back(MemoryContext context)
{
	if (spare_context)
	{
		MemoryContextDelete(context);
		return;
	}
	MemoryContextReset(context);
	MemoryContextSetParent(context, TopMemoryContext);
	spare_context = context;
}

RecordRows *
record_rows_begin(TupleDesc desc, const int *columns)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_topic record rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	RecordRows *rows = palloc0(sizeof(RecordRows));

	rows->desc = desc;
	rows->columns = columns;
	rows->context = context;
	rows->value_context = take_value_context();
	rows->scratch_context = AllocSetContextCreate(context, "pg_topic row",
												  ALLOCSET_SMALL_SIZES);
	rows->capacity = INITIAL_CAPACITY;
	rows->values = palloc(INITIAL_CAPACITY * desc->natts * sizeof(Datum));
	rows->nulls = palloc(INITIAL_CAPACITY * desc->natts * sizeof(bool));
	rows->current = -1;
	MemoryContextSwitchTo(old_context);
	return rows;
}

void
record_rows_set_topic(RecordRows *rows, const Topic *topic)
{
	MemoryContext old_context = MemoryContextSwitchTo(rows->context);

	rows->topic = CStringGetTextDatum(topic->name);
	MemoryContextSwitchTo(old_context);
}

static void
enlarge(RecordRows *rows)
{
	int			columns = rows->desc->natts;

	rows->capacity *= 2;
	rows->values = repalloc_huge(rows->values,
								 rows->capacity * columns * sizeof(Datum));
	rows->nulls = repalloc_huge(rows->nulls,
								rows->capacity * columns * sizeof(bool));
}

static bool
is_memory_used_up(const RecordRows *rows)
{
	Size		row_size = rows->desc->natts * (sizeof(Datum) + sizeof(bool));

	return MemoryContextMemAllocated(rows->value_context, false) +
		rows->count * row_size > work_mem * (Size) 1024;
}

/* From here on, all rows are in a tuplestore. */
static void
move_to_store(RecordRows *rows)
{
	MemoryContext old_context = MemoryContextSwitchTo(rows->context);
	int			columns = rows->desc->natts;

	rows->store = tuplestore_begin_heap(true, false, work_mem);
	rows->store_slot = MakeSingleTupleTableSlot(rows->desc,
												&TTSOpsMinimalTuple);
	for (int64 i = 0; i < rows->count; i++)
		tuplestore_putvalues(rows->store, rows->desc,
							 rows->values + i * columns,
							 rows->nulls + i * columns);
	rows->count = 0;
	MemoryContextReset(rows->value_context);
	MemoryContextSwitchTo(old_context);
}

/* Does making the value leave other things behind in memory? */
static bool
leaves_scraps(const RecordFormatter *formatter, RecordColumn column)
{
	switch (column)
	{
		case RECORD_KEY:
			return formatter->format != FORMAT_BYTES &&
				GetDatabaseEncoding() != PG_UTF8;
		case RECORD_VALUE:
			return formatter->format == FORMAT_JSON ||
				leaves_scraps(formatter, RECORD_KEY);
		case RECORD_HEADERS:
			return true;
		default:
			return false;
	}
}

/* A column of a record, in the values' context. */
static Datum
make_value(RecordRows *rows, const RecordFormatter *formatter,
		   const Record *record, int column, bool *isnull)
{
	MemoryContext old_context;
	Datum		value;

	*isnull = false;
	if (column == RECORD_TOPIC)
		return rows->topic;
	if (!leaves_scraps(formatter, column))
	{
		old_context = MemoryContextSwitchTo(rows->value_context);
		value = record_column(formatter, record, column, isnull);
		MemoryContextSwitchTo(old_context);
		return value;
	}

	old_context = MemoryContextSwitchTo(rows->scratch_context);
	value = record_column(formatter, record, column, isnull);
	MemoryContextSwitchTo(rows->value_context);
	if (!*isnull)
		value = datumCopy(value, false, -1);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(rows->scratch_context);
	return value;
}

void
record_rows_add(RecordRows *rows, const RecordFormatter *formatter,
				const Record *record)
{
	int			columns = rows->desc->natts;
	Datum	   *values;
	bool	   *nulls;

	if (rows->count == rows->capacity)
		enlarge(rows);
	values = rows->values + rows->count * columns;
	nulls = rows->nulls + rows->count * columns;
	for (int i = 0; i < columns; i++)
		values[i] = make_value(rows, formatter, record, rows->columns[i],
							   &nulls[i]);

	if (rows->store)
	{
		tuplestore_putvalues(rows->store, rows->desc, values, nulls);
		MemoryContextReset(rows->value_context);
		return;
	}
	rows->count++;
	if (is_memory_used_up(rows))
		move_to_store(rows);
}

static bool
get_from_store(RecordRows *rows, bool forward, TupleTableSlot *slot)
{
	TupleTableSlot *store_slot = rows->store_slot;
	int			columns = rows->desc->natts;

	if (!tuplestore_gettupleslot(rows->store, forward, false, store_slot))
		return false;
	slot_getallattrs(store_slot);
	memcpy(slot->tts_values, store_slot->tts_values, columns * sizeof(Datum));
	memcpy(slot->tts_isnull, store_slot->tts_isnull, columns * sizeof(bool));
	return true;
}

static bool
get_from_memory(RecordRows *rows, bool forward, TupleTableSlot *slot)
{
	int			columns = rows->desc->natts;

	rows->current += forward ? 1 : -1;
	if (rows->current < 0 || rows->current >= rows->count)
	{
		rows->current = forward ? rows->count : -1;
		return false;
	}
	for (int i = 0; i < columns; i++)
	{
		slot->tts_values[i] = rows->values[rows->current * columns + i];
		slot->tts_isnull[i] = rows->nulls[rows->current * columns + i];
	}
	return true;
}

bool
record_rows_get(RecordRows *rows, bool forward, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	if (!(rows->store ? get_from_store(rows, forward, slot)
		  : get_from_memory(rows, forward, slot)))
		return false;
	ExecStoreVirtualTuple(slot);
	return true;
}

void
record_rows_rewind(RecordRows *rows)
{
	rows->current = -1;
	if (rows->store)
		tuplestore_rescan(rows->store);
}

void
record_rows_end(RecordRows *rows)
{
	if (rows->store)
	{
		ExecDropSingleTupleTableSlot(rows->store_slot);
		tuplestore_end(rows->store);
	}
	give_value_context_back(rows->value_context);
	MemoryContextDelete(rows->context);
}
