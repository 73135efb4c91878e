/*-------------------------------------------------------------------------
 *
 * fetch.h
 *		fetch, fetch_text, fetch_json: reading without a consumer group.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_FETCH_H
#define TOPIC_FETCH_H

#include "fmgr.h"

#include "log_reader.h"
#include "topic.h"

/* What the arguments of a call ask for. */
typedef struct FetchRequest
{
	Topic	   *topic;
	int			first;			/* partition */
	int			last;
	LogRange	range;			/* of each of them */
	int64		max_records;	/* of all */
} FetchRequest;

extern Datum topic_fetch(PG_FUNCTION_ARGS);
extern Datum topic_fetch_text(PG_FUNCTION_ARGS);
extern Datum topic_fetch_json(PG_FUNCTION_ARGS);

/*
 * Check the arguments and the caller's right to read the topic, and lock it.
 * Under SERIALIZABLE, the snapshot is what the transaction depends on.
 */
extern void fetch_request_init(FetchRequest *request, FunctionCallInfo fcinfo,
							   Snapshot snapshot);

#endif							/* TOPIC_FETCH_H */
