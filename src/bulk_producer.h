/*-------------------------------------------------------------------------
 *
 * bulk_producer.h
 *		Appending a stream of records at batch speed.
 *
 * Keeps a copy of what is not yet appended, a few hundred kB of each partition
 * and less if there are many, in the memory context in which it began.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_BULK_PRODUCER_H
#define TOPIC_BULK_PRODUCER_H

#include "record_input.h"

typedef struct BulkProducer BulkProducer;

/* Told of each contiguous run of records of a partition that was appended. */
typedef void (*RunAppended) (void *arg, int partition, int64 base_offset,
							 int64 record_count);

/* The topic's relation is locked with RowExclusiveLock. */
extern BulkProducer *bulk_producer_begin(Topic *topic, RunAppended appended,
										 void *arg);

/* Returns the partition, which may be given as ANY_PARTITION. */
extern int	bulk_producer_add(BulkProducer *producer, int partition,
							  RecordInput *record);

/* Append the rest. */
extern void bulk_producer_end(BulkProducer *producer);

#endif							/* TOPIC_BULK_PRODUCER_H */
