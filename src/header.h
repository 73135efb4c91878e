/*-------------------------------------------------------------------------
 *
 * header.h
 *		Record headers as SQL values: topic.header[] and jsonb.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_HEADER_H
#define TOPIC_HEADER_H

#include "access/tupdesc.h"
#include "utils/jsonb.h"

#include "record_batch.h"

/* The row type topic.header. */
extern TupleDesc header_tuple_desc(void);

/* A record's headers, of which there is at least one. */
extern Datum headers_to_array(const Record *record, TupleDesc header_type);
extern Datum headers_to_jsonb(const Record *record);

/* The cast from topic.header[] to jsonb. */
extern Datum headers_array_to_jsonb(Datum headers);

/*
 * Headers from jsonb: an array of [key, value] pairs, or an object.  Returns
 * their number.
 */
extern int	headers_from_jsonb(Jsonb *json, RecordHeader **headers);

#endif							/* TOPIC_HEADER_H */
