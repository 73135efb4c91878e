/*-------------------------------------------------------------------------
 *
 * claim_reader.c
 *		Reading the records of claimed partitions.
 *
 * Records are read with the statement's own snapshot, though the claim's
 * position may be newer; see consume.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "arguments.h"
#include "claim_reader.h"
#include "errors.h"
#include "segment_list.h"
#include "stable_offset.h"

const char *const offset_reset_names[] = {"earliest", "latest", "none", NULL};

OffsetReset
offset_reset_argument(FunctionCallInfo fcinfo, int number)
{
	return (OffsetReset) choice_argument(fcinfo, number, "offset_reset",
										 offset_reset_names);
}

/* There is no position to go on from, and the caller wants none made up. */
static void
report_no_position(ClaimReader *reader, Claim *claim, int64 log_start)
{
	const char *group_id = reader->subscription->group_id;
	const char *topic = reader->topic->name;

	ereport(ERROR,
			(errcode(ERRCODE_OFFSET_OUT_OF_RANGE),
			 claim->state.position < 0
			 ? errmsg("group \"%s\" has no committed offset for partition %d of topic \"%s\"",
					  group_id, claim->partition, topic)
			 : errmsg("the position of group \"%s\" in partition %d of topic \"%s\" is before the start of the log",
					  group_id, claim->partition, topic),
			 claim->state.position < 0 ? 0
			 : errdetail("Its position is " INT64_FORMAT ", and the log begins at " INT64_FORMAT ".",
						 claim->state.position, log_start),
			 errhint("Set one with topic.reset_offsets() or topic.commit(), or use another offset_reset.")));
}

/*
 * Records that the group had not consumed are gone.  Nothing but gaps that
 * rollbacks and compaction leave makes fewer records of so many offsets.
 */
static void
warn_of_skipped_records(ClaimReader *reader, Claim *claim, int64 position)
{
	ereport(WARNING,
			(errcode(ERRCODE_OFFSET_OUT_OF_RANGE),
			 errmsg("group \"%s\" skips " INT64_FORMAT " records of partition %d of topic \"%s\"",
					reader->subscription->group_id,
					position - claim->state.position, claim->partition,
					reader->topic->name),
			 errdetail("It goes on at offset " INT64_FORMAT ", since records from its position " INT64_FORMAT " on have been deleted.",
					   position, claim->state.position)));
}

bool
claim_reader_set_position(ClaimReader *reader, Claim *claim)
{
	Topic	   *topic = reader->topic;
	int64		position = log_start_offset(topic, GetActiveSnapshot(),
											claim->partition);
	bool		skips = claim->state.position >= 0;
	bool		commits = skips || reader->offset_reset == RESET_LATEST;

	if (claim->state.position >= position)
		return false;
	if (reader->offset_reset == RESET_NONE)
		report_no_position(reader, claim, position);
	if (reader->offset_reset == RESET_LATEST)
		position = last_stable_offset(topic, claim->partition);
	if (skips)
		warn_of_skipped_records(reader, claim, position);
	if (commits)
		commit_claim(reader->subscription, claim, position, NULL);
	set_claim_position(claim, position);
	return commits;
}

bool
claim_reader_read(ClaimReader *reader, Claim *claim)
{
	LogRange	range = LOG_RANGE_ALL;
	int64		last_offset;
	int64		position;
	int64		count;

	range.from_offset = claim->state.position;
	count = output_records(&reader->output, reader->topic,
						   claim->partition, &range, reader->records_left,
						   &last_offset);
	if (count == 0)
		return false;

	reader->records_left -= count;
	position = last_offset + 1;
	set_claim_position(claim, position);
	if (reader->commit)
		commit_claim(reader->subscription, claim, position, NULL);
	return true;
}
