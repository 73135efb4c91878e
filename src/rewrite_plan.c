/*-------------------------------------------------------------------------
 *
 * rewrite_plan.c
 *		Which sealed segments are to be rewritten, and how.
 *
 * A segment is rewritten only if it and all before it are settled: what
 * follows a rewritten segment is then known to be stable (settled_offset()).
 *
 * Compaction rewrites the oldest segments, up to the first that must be left
 * alone, so that of a key no record is left that is older than a tombstone
 * when the tombstone goes.  A segment that was compacted before is clean,
 * others are dirty.  It is due when half of the bytes are dirty; so a byte is
 * rewritten a bounded number of times for each that is appended.  It merges
 * small batches by the way.  When only tombstones are due to be dropped, the
 * segments that have them are rewritten by themselves.
 *
 * Of a topic that is not compacted, a segment of small batches is rewritten
 * once, when that halves the number of its rows at least.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "rewrite_plan.h"

/*
 * How many segments become one, at the most.  All of them are open meanwhile.
 */
#define MAX_OUTPUT_INPUTS	64

/* The segments that may be rewritten: the oldest, up to one that may not. */
static List *
settled_segments(List *infos)
{
	List	   *settled = NIL;
	ListCell   *cell;

	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->retired)
			continue;
		if (info->active || !info->stats || !OidIsValid(info->relid))
			break;
		settled = lappend(settled, info);
	}
	return settled;
}

/*
 * May a segment be added to those that become one?
 *
 * The result should be no larger than what a roll makes, and, where records
 * are deleted by age, of no longer a time: it is deleted as a whole.
 */
static bool
can_join(const TopicConfig *config, List *inputs, const SegmentInfo *info)
{
	const SegmentInfo *first;
	int64		bytes = info->stats->batch_bytes;
	int64		age = segment_age_limit(config);
	ListCell   *cell;

	if (inputs == NIL)
		return true;
	first = linitial(inputs);
	foreach(cell, inputs)
		bytes += ((SegmentInfo *) lfirst(cell))->stats->batch_bytes;
	return list_length(inputs) < MAX_OUTPUT_INPUTS &&
		bytes <= segment_bytes_limit(config) &&
		(!config->delete_expired || config->retention == CONFIG_NONE ||
		 (info->sealed_at - first->created_at) / 1000 <= age);
}

/* How many rows the segment would have if every row filled a page. */
static int64
rows_if_full(const SegmentStats *stats)
{
	int64		rows = 0;

	for (int i = 0; i < stats->partition_count; i++)
		rows += (stats->partition_bytes[i] + SEGMENT_BATCH_BYTES - 1) /
			SEGMENT_BATCH_BYTES;
	return rows;
}

static List *
plan_merge(List *settled, const TopicConfig *config)
{
	List	   *inputs = NIL;
	ListCell   *cell;

	foreach(cell, settled)
	{
		SegmentInfo *info = lfirst(cell);
		bool		due = info->segment.generation == 0 &&
			info->stats->rows >= 2 * Max(rows_if_full(info->stats), 1);

		if (due && can_join(config, inputs, info))
			inputs = lappend(inputs, info);
		else if (inputs != NIL)
			break;
	}
	return inputs;
}

/* The segments to compact, if enough of them is dirty. */
static List *
plan_dirty(List *settled, const TopicConfig *config, int64 now)
{
	List	   *inputs = NIL;
	int64		clean_bytes = 0;
	int64		dirty_bytes = 0;
	ListCell   *cell;

	foreach(cell, settled)
	{
		SegmentInfo *info = lfirst(cell);

		if (config->min_compaction_lag > 0 &&
			segment_stats_max_timestamp(info->stats) >
			now - config->min_compaction_lag)
			break;
		if (info->compacted)
			clean_bytes += info->stats->batch_bytes;
		else
			dirty_bytes += info->stats->batch_bytes;
		inputs = lappend(inputs, info);
	}
	return dirty_bytes > 0 && dirty_bytes >= clean_bytes ? inputs : NIL;
}

/* Adjacent clean segments with tombstones that are to be dropped now. */
static List *
plan_tombstones(List *settled, int64 now)
{
	List	   *inputs = NIL;
	ListCell   *cell;

	foreach(cell, settled)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->compacted && info->delete_horizon <= now)
			inputs = lappend(inputs, info);
		else if (inputs != NIL)
			break;
	}
	return inputs;
}

RewritePlan *
plan_rewrite(const Topic *topic, List *infos, const TopicConfig *config,
			 int64 now)
{
	List	   *settled = settled_segments(infos);
	List	   *inputs = NIL;
	RewritePlan *plan;

	if (topic->compacted)
	{
		inputs = plan_dirty(settled, config, now);
		if (inputs == NIL)
			inputs = plan_tombstones(settled, now);
	}
	else if (config->merge_small_batches)
		inputs = plan_merge(settled, config);
	if (inputs == NIL)
		return NULL;

	plan = palloc(sizeof(RewritePlan));
	plan->inputs = inputs;
	plan->compact = topic->compacted;
	plan->config = config;
	plan->now = now;
	return plan;
}

List *
next_output_inputs(RewritePlan *plan)
{
	List	   *inputs = NIL;

	while (plan->inputs != NIL &&
		   can_join(plan->config, inputs, linitial(plan->inputs)))
	{
		inputs = lappend(inputs, linitial(plan->inputs));
		plan->inputs = list_delete_first(plan->inputs);
	}
	return inputs;
}
