/*-------------------------------------------------------------------------
 *
 * consume.h
 *		consume and poll: reading in a consumer group.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CONSUME_H
#define TOPIC_CONSUME_H

#include "fmgr.h"

#include "record_rows.h"

extern Datum topic_consume(PG_FUNCTION_ARGS);
extern Datum topic_consume_text(PG_FUNCTION_ARGS);
extern Datum topic_consume_json(PG_FUNCTION_ARGS);
extern Datum topic_poll(PG_FUNCTION_ARGS);
extern Datum topic_poll_text(PG_FUNCTION_ARGS);
extern Datum topic_poll_json(PG_FUNCTION_ARGS);

/*
 * What these functions do.  The records go to the rows; if that is NULL, to
 * the function's result.
 */
extern void consume_records(FunctionCallInfo fcinfo, ValueFormat format,
							RecordRows *rows);
extern void poll_records(FunctionCallInfo fcinfo, ValueFormat format,
						 RecordRows *rows);

#endif							/* TOPIC_CONSUME_H */
