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

/*
 * A segment.  Compaction writes a segment, or several in a row, anew: the same
 * number, the next generation.
 */
typedef struct Segment
{
	int32		number;
	int32		generation;
	Oid			relid;			/* its table; invalid until first opened */
	TransactionId xmin;			/* who wrote its row of topic.segments */
	bool		settled;		/* every row in it is decided */
	int			base_count;		/* partitions when the segment was opened */
	int64	   *base_offsets;
} Segment;

/* Segments in the order of their offsets. */
typedef struct SegmentList
{
	int			count;
	Segment    *segments;
} SegmentList;

/* Where a partition ended, and the next transaction id after that was seen. */
typedef struct SeenEnd
{
	int64		end_offset;
	TransactionId next_xid;
} SeenEnd;

/*
 * A Topic that was returned stays readable until the end of the transaction,
 * but an invalidation may tell that it is no longer the latest: `valid` turns
 * false.  There is always a segment; the last one is the active segment.
 */
typedef struct Topic
{
	Oid			relid;			/* topics.<topic>; the cache's key */
	Oid			catalog_relid;	/* topic.topics, whose row this is */
	char		name[NAMEDATALEN];
	int32		id;
	int			partitions;
	ValueFormat value_format;
	int32		max_record_bytes;
	CompressionCodec compression;	/* of new batches */
	bool		log_append_time;
	bool		compacted;		/* cleanup_policy includes compact */
	int64		idempotency_window; /* in milliseconds */
	SegmentList segments;		/* the latest list */
	int			first_unsettled;	/* index of the first that is not settled */
	SegmentList retired;		/* what older snapshots may still read */
	int			log_start_count;	/* what delete_records has set */
	int64	   *log_starts;
	int64	   *stable_offsets; /* of each partition, as last found; see
								 * stable_offset.c */
	SeenEnd    *seen_ends;		/* also of each; stable_offset.c */
	int64	   *tails;			/* base offset of each partition's last row,
								 * as last seen; no more than a guess */

	uint8	   *hint_due;		/* appends to a partition until one judges
								 * more than its last row, or as below;
								 * log_append.c */
	struct GroupMemory *groups; /* see group_memory.c */

	bool		valid;
	MemoryContext context;
} Topic;

/* Of hint_due, beside numbers of appends. */
#define HINT_NOT_DUE	0
#define HINT_UNKNOWN	UINT8_MAX	/* no append since the topic was read */

extern ValueFormat value_format_from_text(const char *name);
extern const char *value_format_name(ValueFormat format);

extern void topic_cache_init(void);

/* Raise an error if no topic could have that name. */
extern void check_topic_name(const char *name);

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

static inline Segment *
active_segment(const Topic *topic)
{
	return &topic->segments.segments[topic->segments.count - 1];
}

/*
 * A partition to begin with where any will do: another one at each call, and
 * not the same in all backends.
 */
extern int	rotating_partition(const Topic *topic);

#endif							/* TOPIC_TOPIC_H */
