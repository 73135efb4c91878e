/*-------------------------------------------------------------------------
 *
 * produce.h
 *		The arguments that produce and send have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_PRODUCE_H
#define TOPIC_PRODUCE_H

#include "fmgr.h"

#include "record_input.h"

/*
 * The arguments 0 to 5 of a function of that name: (topic text, value, key,
 * headers jsonb, partition int, record_timestamp timestamptz).  Returns the
 * topic, opened for the caller to produce to it.  The record is in the current
 * memory context; the partition is ANY_PARTITION if none is given.
 */
extern Topic *record_argument(FunctionCallInfo fcinfo, const char *function,
							  int *partition, RecordInput *record);

#endif							/* TOPIC_PRODUCE_H */
