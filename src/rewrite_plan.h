/*-------------------------------------------------------------------------
 *
 * rewrite_plan.h
 *		Which sealed segments are to be rewritten, and how.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_REWRITE_PLAN_H
#define TOPIC_REWRITE_PLAN_H

#include "segment_catalog.h"
#include "topic_config.h"

typedef struct RewritePlan
{
	List	   *inputs;			/* SegmentInfo, adjacent, oldest first */
	bool		compact;		/* keep each key's latest record only */
	const TopicConfig *config;
	int64		now;			/* milliseconds since 1970 */
} RewritePlan;

/*
 * What to rewrite next of a topic's segments, as segment_infos() has them;
 * NULL if nothing is due.  In the current memory context.
 */
extern RewritePlan *plan_rewrite(const Topic *topic, List *infos,
								 const TopicConfig *config, int64 now);

/* Remove the first inputs from the plan: those that become one segment. */
extern List *next_output_inputs(RewritePlan *plan);

#endif							/* TOPIC_REWRITE_PLAN_H */
