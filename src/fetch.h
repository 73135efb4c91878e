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
#include "nodes/extensible.h"

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

#define FETCH_ARGUMENTS		7

/*
 * Check the arguments and the caller's right to read the topic, and lock it.
 * Under SERIALIZABLE, the snapshot is what the transaction depends on.
 */
extern void fetch_request_init(FetchRequest *request, FunctionCallInfo fcinfo,
							   Snapshot snapshot);

/* What a function returns if it is one of these; false if it is not. */
extern bool is_fetch_function(Oid function, ValueFormat *format);

/* Planning: fetch_plan.c */
extern void fetch_plan_init(void);

/* Scanning: fetch_scan.c */
extern const CustomScanMethods fetch_scan_methods;

#endif							/* TOPIC_FETCH_H */
