/*-------------------------------------------------------------------------
 *
 * offsets_topic.h
 *		Commits of offsets as records of the topic __consumer_offsets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_OFFSETS_TOPIC_H
#define TOPIC_OFFSETS_TOPIC_H

#include "consumer_offset.h"

extern void offsets_topic_init(void);

/*
 * What was committed, or that it was deleted, becomes a record when the
 * transaction commits.  The caller has just written it to the table.
 */
extern void offsets_topic_write(const char *group_id, const char *topic,
								int partition, const ConsumerOffset *offset,
								const char *metadata);
extern void offsets_topic_delete(const char *group_id, const char *topic,
								 int partition);

/* Raise an error if the caller may not create a topic of that name. */
extern void check_topic_name_is_free(const char *name);

#endif							/* TOPIC_OFFSETS_TOPIC_H */
