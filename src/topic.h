/*-------------------------------------------------------------------------
 *
 * topic.h
 *		Topics and their list of segments, cached in the backend.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_TOPIC_H
#define TOPIC_TOPIC_H

#include "storage/lockdefs.h"
#include "utils/acl.h"

#include "compat.h"
#include "compression.h"

/* Partitions of a topic: one switch locks them all (see segment_roll.c). */
#define MAX_PARTITIONS		1000

/* What a topic's values are checked to be, and how its relation shows them. */
typedef enum ValueFormat
{
	FORMAT_BYTES,
	FORMAT_TEXT,
	FORMAT_JSON
} ValueFormat;

typedef struct Segment
{
	int32		number;
	int			base_count;		/* partitions when the segment was opened */
	int64	   *base_offsets;
} Segment;

/*
 * A Topic that was returned stays readable until the end of the transaction,
 * but an invalidation may tell that it is no longer the latest: `valid` turns
 * false.  Segments stand oldest first; the last one is the active segment,
 * and there is always one.
 */
typedef struct Topic
{
	Oid			relid;			/* topics.<topic>; the cache's key */
	char		name[NAMEDATALEN];
	int32		id;
	int			partitions;
	ValueFormat value_format;
	int32		max_record_bytes;
	CompressionCodec compression;	/* of new batches */
	bool		log_append_time;
	int			segment_count;
	Segment    *segments;

	bool		valid;
	MemoryContext context;
} Topic;

extern ValueFormat value_format_from_text(const char *name);

extern void topic_cache_init(void);

/* The topic of that name or relation, or NULL.  No lock, no rights asked. */
extern Topic *topic_lookup(const char *name);
extern Topic *topic_lookup_relation(Oid relid);

/*
 * The topic, its relation locked to the end of the transaction, after the
 * caller's privilege on it was checked (ACL_NO_RIGHTS: ownership).  Raises an
 * error if there is no such topic or no such right.
 */
extern Topic *topic_open(const char *name, AclMode privilege,
						 LOCKMODE lockmode);

/* The qualified name of the topic's relation, quoted where it must be. */
extern char *topic_relation_name(const Topic *topic);

pg_noreturn extern void report_unknown_topic(const char *name);

/* The latest state of a topic that is locked. */
extern Topic *topic_refresh(Topic *topic);

/* Raise an error unless the topic has that partition. */
extern void check_partition(const Topic *topic, int partition);

/* First offset of a partition that the segment can hold. */
static inline int64
segment_base_offset(const Segment *segment, int partition)
{
	return partition < segment->base_count
		? segment->base_offsets[partition] : 0;
}

static inline const Segment *
active_segment(const Topic *topic)
{
	return &topic->segments[topic->segment_count - 1];
}

/*
 * A partition to begin with where any will do: another one at each call, and
 * not the same in all backends.
 */
extern int	rotating_partition(const Topic *topic);

/* The log start offset of a partition. */
static inline int64
log_start_offset(const Topic *topic, int partition)
{
	return segment_base_offset(&topic->segments[0], partition);
}

/* Index of the segment that holds an offset: the last that begins at or
 * before it, or else the oldest. */
extern int	segment_for_offset(const Topic *topic, int partition,
							   int64 offset);

#endif							/* TOPIC_TOPIC_H */
