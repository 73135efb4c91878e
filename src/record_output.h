/*-------------------------------------------------------------------------
 *
 * record_output.h
 *		Records as rows of a set-returning function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_OUTPUT_H
#define TOPIC_RECORD_OUTPUT_H

#include "fmgr.h"
#include "nodes/execnodes.h"

#include "log_reader.h"
#include "record_rows.h"

typedef struct RecordOutput
{
	RecordFormatter formatter;
	RecordRows *rows;			/* where records go; NULL: to the result */
	ReturnSetInfo *result;
	MemoryContext record_context;	/* for the conversion of one record */
	Datum		topic;			/* the first column; 0: there is none */
	bool		at_end;			/* of the log of the partition read last */
} RecordOutput;

/*
 * In the select list a LIMIT could stop a call in the middle, with its records
 * claimed but not seen.  In FROM it always runs to its end, which the executor
 * tells by its preference for a tuplestore.  An error if it does not.
 */
extern void check_called_in_from(FunctionCallInfo fcinfo);

/* Records go to the rows, or if that is NULL, to the function's result. */
extern void record_output_begin(RecordOutput *output, FunctionCallInfo fcinfo,
								RecordRows *rows, const Topic *topic,
								ValueFormat format);

/*
 * The same for records of several topics, whose name is in the first column:
 * those of this one come next.
 */
extern void record_output_begin_topics(RecordOutput *output,
									   FunctionCallInfo fcinfo,
									   RecordRows *rows);
extern void record_output_next_topic(RecordOutput *output, const Topic *topic,
									 ValueFormat format);

/*
 * Return at most so many records of a partition; returns their number, and in
 * *last_offset the last one's offset if there is any.
 */
extern int64 output_records(RecordOutput *output, Topic *topic, int partition,
							const LogRange *range, int64 max_records,
							int64 *last_offset);

#endif							/* TOPIC_RECORD_OUTPUT_H */
