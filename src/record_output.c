/*-------------------------------------------------------------------------
 *
 * record_output.c
 *		Records as rows of a set-returning function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "record_output.h"

void
check_called_in_from(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *function = get_func_name(fcinfo->flinfo->fn_oid);

	if (!result || !IsA(result, ReturnSetInfo) ||
		!(result->allowedModes & SFRM_Materialize_Preferred))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("topic.%s must be called in FROM", function),
				 errhint("Write SELECT ... FROM topic.%s(...), or in PL/pgSQL also PERFORM * FROM topic.%s(...).",
						 function, function)));
}

void
record_output_begin_topics(RecordOutput *output, FunctionCallInfo fcinfo,
						   RecordRows *rows)
{
	output->rows = rows;
	output->topic = (Datum) 0;
	if (rows)
		return;
	InitMaterializedSRF(fcinfo, 0);
	output->result = (ReturnSetInfo *) fcinfo->resultinfo;
	output->record_context = AllocSetContextCreate(CurrentMemoryContext,
												   "pg_topic record",
												   ALLOCSET_DEFAULT_SIZES);
}

void
record_output_next_topic(RecordOutput *output, const Topic *topic,
						 ValueFormat format)
{
	if (output->rows)
		record_rows_set_topic(output->rows, topic);
	else
		output->topic = CStringGetTextDatum(topic->name);
	record_formatter_init(&output->formatter, topic, format);
}

void
record_output_begin(RecordOutput *output, FunctionCallInfo fcinfo,
					RecordRows *rows, const Topic *topic, ValueFormat format)
{
	record_output_begin_topics(output, fcinfo, rows);
	record_formatter_init(&output->formatter, topic, format);
}

/* Put a record into the result of the function. */
static void
put_record(RecordOutput *output, const Record *record)
{
	MemoryContext old_context = MemoryContextSwitchTo(output->record_context);
	Datum		values[RECORD_COLUMN_COUNT + 1] = {output->topic};
	bool		nulls[RECORD_COLUMN_COUNT + 1] = {0};
	int			first = output->topic != (Datum) 0;

	record_columns(&output->formatter, record, values + first, nulls + first);
	MemoryContextSwitchTo(old_context);
	tuplestore_putvalues(output->result->setResult, output->result->setDesc,
						 values, nulls);
	MemoryContextReset(output->record_context);
}

int64
output_records(RecordOutput *output, Topic *topic, int partition,
			   const LogRange *range, int64 max_records, int64 *last_offset)
{
	LogReader  *reader = log_reader_begin(topic, partition, range,
										  GetActiveSnapshot());
	int64		count = 0;
	Record		record;

	log_reader_expect(reader, max_records);
	output->formatter.partition = partition;
	while (count < max_records && log_reader_next(reader, &record))
	{
		if (output->rows)
			record_rows_add(output->rows, &output->formatter, &record);
		else
			put_record(output, &record);
		*last_offset = record.offset;
		count++;
	}
	output->at_end = log_reader_is_at_end(reader);
	log_reader_end(reader);
	return count;
}
