/*-------------------------------------------------------------------------
 *
 * record_input.h
 *		Records as producers give them: made of SQL values, and checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_INPUT_H
#define TOPIC_RECORD_INPUT_H

#include "record_batch.h"
#include "topic.h"

/* For the partitioner to choose. */
#define ANY_PARTITION	(-1)

/* Types of a record's value and key. */
typedef struct RecordTypes
{
	Oid			value;
	Oid			key;
} RecordTypes;

typedef struct RecordValues
{
	NullableDatum value;
	NullableDatum key;
	NullableDatum headers;		/* jsonb */
	NullableDatum timestamp;	/* timestamptz */
} RecordValues;

/*
 * Fill in a record, in the current memory context.  Its timestamp is `now`
 * unless the producer has a say.  Raises an error if the topic does not admit
 * the record.
 */
extern void make_record(RecordInput *record, const Topic *topic,
						const RecordTypes *types, const RecordValues *values,
						int64 now);

/*
 * Raise an error if the topic does not admit a record that was made earlier:
 * its options may have been altered since.
 */
extern void check_record(const Topic *topic, const RecordInput *record);

#endif							/* TOPIC_RECORD_INPUT_H */
