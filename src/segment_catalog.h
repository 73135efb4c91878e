/*-------------------------------------------------------------------------
 *
 * segment_catalog.h
 *		The table of segments, for those who change it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_CATALOG_H
#define TOPIC_SEGMENT_CATALOG_H

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#include "segment_stats.h"

/* What topic.segments says of a segment beyond what its readers know. */
typedef struct SegmentInfo
{
	Segment		segment;
	Oid			relid;			/* its table; InvalidOid if that is missing */
	bool		active;
	bool		retired;
	TimestampTz created_at;
	TimestampTz sealed_at;		/* of a sealed one */
	bool		frozen;
	SegmentStats *stats;		/* NULL unless it is settled */
	int64		delete_horizon; /* NO_DELETE_HORIZON: no tombstones */
	bool		compacted;		/* else compaction has not been here yet */
} SegmentInfo;

#define NO_DELETE_HORIZON	PG_INT64_MAX

/*
 * All segments of a topic, retired ones included, as SegmentInfo, oldest
 * first, in the current memory context.
 */
extern List *segment_infos(Topic *topic);

/*
 * Changes.  A segment that is inserted with statistics is settled and frozen.
 * The caller has locked the topic against others who change its
 * segments, and calls segments_changed() after the last one.
 */
extern void insert_segment(const Topic *topic, const SegmentInfo *info);
extern void seal_active_segment(const Topic *topic);
extern void set_segment_settled(const Topic *topic, const Segment *segment,
								const SegmentStats *stats);
extern void set_segment_frozen(const Topic *topic, const Segment *segment);
extern void retire_segment(const Topic *topic, const Segment *segment);
extern void delete_segment(const Topic *topic, const Segment *segment);
extern void segments_changed(const Topic *topic);

#endif							/* TOPIC_SEGMENT_CATALOG_H */
