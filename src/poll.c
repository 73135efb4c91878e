/*-------------------------------------------------------------------------
 *
 * poll.c
 *		poll, poll_text, poll_json: reading as a member of a group.
 *
 * A poll goes on where the last one left off, whether or not that has been
 * committed: how far a member has polled is kept in a table, so records may be
 * processed after the transaction that polled them.  It also tells the group
 * that the member is alive, and that it has done with everything that earlier
 * polls returned: partitions that are revoked go to their new owners.
 *
 * As in consume (consume.c), the position is read under the claim as it stands
 * then, and records with the statement's snapshot; and nothing is waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "claim_reader.h"
#include "consume.h"
#include "group.h"
#include "member_activity.h"
#include "member_claim.h"
#include "member_commit.h"
#include "member_heartbeat.h"
#include "member_position.h"
#include "wakeup.h"

PG_FUNCTION_INFO_V1(topic_poll);
PG_FUNCTION_INFO_V1(topic_poll_text);
PG_FUNCTION_INFO_V1(topic_poll_json);

typedef struct Poll
{
	ConsumerGroup *group;
	const char *member_id;
	ValueFormat format;
	ClaimReader reader;
} Poll;

/*
 * Commit what earlier polls returned, if the member wants that and the time
 * has come, or if it is about to lose some of it.  Returns when it last did.
 */
static TimestampTz
commit_automatically(Poll *poll, const GroupMember *member, bool has_revoked)
{
	MemberHeartbeat heartbeat;
	TimestampTz now = GetCurrentTimestamp();

	if (member->auto_commit_interval == NO_AUTO_COMMIT)
		return NOT_COMMITTED;
	member_heartbeat_read(poll->group->group_id, poll->member_id, &heartbeat);
	if (!has_revoked && heartbeat.auto_committed_at <= now &&
		!TimestampDifferenceExceeds(heartbeat.auto_committed_at, now,
									member->auto_commit_interval))
		return NOT_COMMITTED;
	commit_positions(&poll->group, poll->member_id);
	return now;
}

/* Read a partition that is the member's; tells whether to keep the claim. */
static bool
read_partition(Poll *poll, Claim *claim)
{
	ClaimReader *reader = &poll->reader;
	bool		reset = claim_reader_set_position(reader, claim);

	if (!claim_reader_read(reader, claim))
		return reset;

	/* What is committed counts as a position. */
	if (!reader->commit)
		member_position_write(reader->subscription->group_id,
							  reader->topic->name, claim->partition,
							  claim->state.assigned_epoch,
							  claim->state.position);
	return true;
}

/* Return the records of a partition, if it is free and still the member's. */
static void
poll_partition(Poll *poll, const GroupPartition *partition)
{
	ClaimReader *reader = &poll->reader;
	bool		keep;
	Claim	   *claim;

	reader->topic = topic_open(partition->topic->name, ACL_SELECT,
							   AccessShareLock);
	if (reader->topic->id != partition->topic->id)
		return;					/* another topic of that name */
	reader->subscription = subscription_for(poll->group->group_id,
											reader->topic);
	claim = claim_for_member(&poll->group, poll->member_id,
							 reader->subscription, partition->partition,
							 &keep);
	if (!claim)
		return;
	record_output_next_topic(&reader->output, reader->topic, poll->format);
	keep |= read_partition(poll, claim);
	if (!keep)
	{
		release_claim(reader->subscription, claim);

		/* As in consume: somebody may have been woken too early. */
		wakeup_now(reader->topic->id);
	}
}

/* The partitions that the member owns and keeps; the number of the others. */
static List *
polled_partitions(const ConsumerGroup *group, const GroupMember *member,
				  int *revoked_count)
{
	List	   *partitions = NIL;

	*revoked_count = 0;
	for (int i = 0; i < group->partition_count; i++)
	{
		GroupPartition *partition = &group->partitions[i];

		if (partition->owner != member)
			continue;
		if (partition->target == member)
			partitions = lappend(partitions, partition);
		else
			(*revoked_count)++;
	}
	return partitions;
}

void
poll_records(FunctionCallInfo fcinfo, ValueFormat format, RecordRows *rows)
{
	char	   *group_id = group_argument(fcinfo, 0);
	Poll		poll = {0};
	const GroupMember *member;
	List	   *partitions;
	int			revoked_count;
	int			count;
	int			first;
	int32		epoch;
	TimestampTz auto_committed_at;

	poll.member_id = text_argument(fcinfo, 1, "member_id");
	poll.format = format;
	PreventCommandDuringRecovery("poll");
	PreventCommandIfReadOnly("poll");
	poll.reader.records_left = int_argument(fcinfo, 2, "max_records", 1,
											PG_INT64_MAX);
	if (PG_ARGISNULL(3))
		report_null_argument("commit");
	poll.reader.commit = PG_GETARG_BOOL(3);
	use_group(group_id);

	poll.group = group_state_read(group_id, false);
	member = demand_member(poll.group, poll.member_id);
	poll.reader.offset_reset = member->offset_reset;
	partitions = polled_partitions(poll.group, member, &revoked_count);
	count = list_length(partitions);

	/* What is acknowledged is what is polled: the group may move on now. */
	epoch = poll.group->group_epoch;
	auto_committed_at = commit_automatically(&poll, member, revoked_count > 0);
	note_member_activity(poll.group, member, epoch, auto_committed_at);

	/* Not to have always the same one go short, begin with any. */
	record_output_begin_topics(&poll.reader.output, fcinfo, rows);
	first = count == 0 ? 0 : pg_prng_uint32(&pg_global_prng_state) % count;
	for (int i = 0; i < count && poll.reader.records_left > 0; i++)
	{
		CHECK_FOR_INTERRUPTS();
		poll_partition(&poll, list_nth(partitions, (first + i) % count));
	}
}

static Datum
poll(FunctionCallInfo fcinfo, ValueFormat format)
{
	check_called_in_from(fcinfo);
	poll_records(fcinfo, format, NULL);
	PG_RETURN_NULL();
}

/*
 * poll(group_id text, member_id text, max_records int, commit boolean)
 * returns table(topic, partition, record_offset, record_timestamp, key, value,
 *				 headers)
 */
Datum
topic_poll(PG_FUNCTION_ARGS)
{
	return poll(fcinfo, FORMAT_BYTES);
}

Datum
topic_poll_text(PG_FUNCTION_ARGS)
{
	return poll(fcinfo, FORMAT_TEXT);
}

Datum
topic_poll_json(PG_FUNCTION_ARGS)
{
	return poll(fcinfo, FORMAT_JSON);
}
