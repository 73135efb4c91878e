/*-------------------------------------------------------------------------
 *
 * segment_rewrite.h
 *		Writing sealed segments anew: compaction, and merging of batches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_REWRITE_H
#define TOPIC_SEGMENT_REWRITE_H

#include "rewrite_plan.h"

typedef struct RewriteResult
{
	int64		records_removed;
	int64		bytes_written;	/* of the new segments on disk */
} RewriteResult;

/*
 * Put new segments in the place of the plan's; false if somebody has locked
 * one of these.  The caller holds a ShareUpdateExclusiveLock on the topic's
 * relation, and commits soon.
 *
 * Compaction may take fewer segments than planned.
 */
extern bool rewrite_segments(Topic *topic, RewritePlan *plan,
							 RewriteResult *result);

#endif							/* TOPIC_SEGMENT_REWRITE_H */
