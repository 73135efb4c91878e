/*-------------------------------------------------------------------------
 *
 * record_output.c
 *		Records as rows of a set-returning function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "record_output.h"

void
record_output_begin(RecordOutput *output, FunctionCallInfo fcinfo,
					const Topic *topic, ValueFormat format)
{
	InitMaterializedSRF(fcinfo, 0);
	output->result = (ReturnSetInfo *) fcinfo->resultinfo;
	output->record_context = AllocSetContextCreate(CurrentMemoryContext,
												   "pg_topic record",
												   ALLOCSET_DEFAULT_SIZES);
	record_formatter_init(&output->formatter, topic, format);
}

int64
output_records(RecordOutput *output, Topic *topic, int partition,
			   const LogRange *range, int64 max_records, int64 *last_offset)
{
	LogReader  *reader = log_reader_begin(topic, partition, range,
										  GetActiveSnapshot());
	int64		count = 0;
	Record		record;

	output->formatter.partition = partition;
	while (count < max_records && log_reader_next(reader, &record))
	{
		MemoryContext old_context =
			MemoryContextSwitchTo(output->record_context);
		Datum		values[RECORD_COLUMN_COUNT];
		bool		nulls[RECORD_COLUMN_COUNT];

		record_columns(&output->formatter, &record, values, nulls);
		MemoryContextSwitchTo(old_context);
		tuplestore_putvalues(output->result->setResult,
							 output->result->setDesc, values, nulls);
		MemoryContextReset(output->record_context);
		*last_offset = record.offset;
		count++;
	}
	log_reader_end(reader);
	return count;
}
