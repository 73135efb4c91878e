/*-------------------------------------------------------------------------
 *
 * topic_config.h
 *		Options of a topic that maintenance goes by.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_TOPIC_CONFIG_H
#define TOPIC_TOPIC_CONFIG_H

#include "nodes/pg_list.h"

#include "topic.h"

/* Times are in milliseconds. */
typedef struct TopicConfig
{
	bool		delete_expired; /* cleanup_policy includes delete */
	int64		retention;		/* CONFIG_NONE: for ever */
	int64		retention_bytes;	/* CONFIG_NONE: no limit */
	int64		segment_bytes;
	int64		segment_age;	/* CONFIG_NONE: any age */
	int64		tombstone_retention;
	int64		min_compaction_lag;
	bool		merge_small_batches;
	List	   *retain_until_consumed;	/* of char *: group ids */
} TopicConfig;

#define CONFIG_NONE		(-1)

/* In the current memory context. */
extern TopicConfig *read_topic_config(const Topic *topic);

/*
 * How large a segment should get, and of how long a time; CONFIG_NONE: any.
 */
extern int64 segment_bytes_limit(const TopicConfig *config);
extern int64 segment_age_limit(const TopicConfig *config);

#endif							/* TOPIC_TOPIC_CONFIG_H */
