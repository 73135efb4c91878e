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
#include "record_value.h"

typedef struct RecordOutput
{
	RecordFormatter formatter;
	ReturnSetInfo *result;
	MemoryContext record_context;	/* for the conversion of one record */
} RecordOutput;

extern void record_output_begin(RecordOutput *output, FunctionCallInfo fcinfo,
								const Topic *topic, ValueFormat format);

/*
 * Return at most so many records of a partition; returns their number, and in
 * *last_offset the last one's offset if there is any.
 */
extern int64 output_records(RecordOutput *output, Topic *topic, int partition,
							const LogRange *range, int64 max_records,
							int64 *last_offset);

#endif							/* TOPIC_RECORD_OUTPUT_H */
