/*-------------------------------------------------------------------------
 *
 * member_commit.c
 *		Committing what a member's polls have returned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "arguments.h"
#include "group.h"
#include "member_activity.h"
#include "member_claim.h"
#include "member_commit.h"
#include "member_position.h"

PG_FUNCTION_INFO_V1(topic_commit_polled);

typedef struct PolledCommit
{
	ConsumerGroup **group;
	const char *member_id;
	int32		member_epoch;
	ReturnSetInfo *result;		/* NULL: nobody asks what was committed */
	int			partition_count;	/* partitions that had a position */
} PolledCommit;

/* Commit the position of a claim; tells whether that changed anything. */
static bool
commit_position(PolledCommit *commit, Subscription *subscription,
				Claim *claim)
{
	bool		advances = !claim->state.committed.found ||
		claim->state.position > claim->state.committed.committed_offset;

	if (advances)
		commit_claim(subscription, claim, claim->state.position, NULL);
	commit->partition_count++;
	if (commit->result)
	{
		Datum		values[3];
		bool		nulls[3] = {0};

		values[0] = CStringGetTextDatum(subscription->topic);
		values[1] = Int32GetDatum(claim->partition);
		values[2] = Int64GetDatum(claim->state.committed.committed_offset);
		tuplestore_putvalues(commit->result->setResult,
							 commit->result->setDesc, values, nulls);
	}
	return advances;
}

/* What this transaction has polled: that needs no further permission. */
static void
commit_own_claims(PolledCommit *commit)
{
	const char *group_id = (*commit->group)->group_id;
	Subscription *subscription = NULL;

	while ((subscription = next_subscription(group_id, subscription)) != NULL)
	{
		for (int i = 0; i < subscription->partition_count; i++)
		{
			Claim	   *claim = subscription->claims[i];

			if (!claim || !is_members_claim(claim, commit->member_id) ||
				claim->state.position < 0)
				continue;
			check_claim_epoch(subscription, claim, commit->member_epoch);
			(void) commit_position(commit, subscription, claim);
		}
	}
}

/* What earlier transactions have polled in a partition. */
static void
commit_partition(PolledCommit *commit, const Topic *topic, int partition)
{
	Subscription *subscription = subscription_for((*commit->group)->group_id,
												  topic);
	bool		was_held;
	Claim	   *claim;

	if (commit->result)
	{
		was_held = subscription->claims[partition] != NULL;
		claim = demand_claim(subscription, partition, commit->member_id,
							 commit->member_epoch);
	}
	else
	{
		claim = claim_for_member(commit->group, commit->member_id,
								 subscription, partition, &was_held);
		if (!claim)
			return;
	}
	if (!commit_position(commit, subscription, claim) && !was_held)
		release_claim(subscription, claim);
}

static void
commit_owned_partitions(PolledCommit *commit)
{
	/* It may be read anew meanwhile. */
	const ConsumerGroup *group = *commit->group;

	for (int i = 0; i < group->partition_count; i++)
	{
		const GroupPartition *partition = &group->partitions[i];
		Topic	   *topic;
		const Claim *claim;

		if (!partition->owner ||
			strcmp(partition->owner->member_id, commit->member_id) != 0 ||
			member_position_read(group->group_id, partition->topic->name,
								 partition->partition,
								 partition->assigned_epoch) < 0)
			continue;
		topic = topic_open(partition->topic->name, ACL_SELECT,
						   AccessShareLock);
		if (topic->id != partition->topic->id)
			continue;			/* another topic of that name */
		claim = find_claim(group->group_id, topic, partition->partition);
		if (!claim || !is_members_claim(claim, commit->member_id))
			commit_partition(commit, topic, partition->partition);
	}
}

void
commit_positions(ConsumerGroup **group, const char *member_id)
{
	PolledCommit commit = {
		.group = group,.member_id = member_id,.member_epoch = ANY_EPOCH
	};

	commit_own_claims(&commit);
	commit_owned_partitions(&commit);
}

/*
 * commit_polled(group_id text, member_id text, member_epoch int)
 * returns table(topic text, partition int, committed_offset bigint)
 *
 * A member that has lost its place since it polled can still commit what this
 * transaction has polled, and nothing else.
 */
Datum
topic_commit_polled(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *member_id = text_argument(fcinfo, 1, "member_id");
	ConsumerGroup *group;
	PolledCommit commit = {.group = &group,.member_id = member_id};
	const GroupMember *member;

	commit.member_epoch = int_argument(fcinfo, 2, "member_epoch", 1,
									   ANY_EPOCH);
	PreventCommandIfReadOnly("commit of offsets");
	use_group(group_id);
	InitMaterializedSRF(fcinfo, 0);
	commit.result = (ReturnSetInfo *) fcinfo->resultinfo;

	group = group_state_read(group_id, false);
	check_member_epoch(group, commit.member_epoch);
	commit_own_claims(&commit);
	member = find_member(group, member_id);
	if (!member || member->left_at != NOT_LEFT)
	{
		if (commit.partition_count == 0)
			(void) demand_member(group, member_id);
		PG_RETURN_NULL();
	}
	note_member_activity(group, member, NOTHING_ACKNOWLEDGED, NOT_COMMITTED);
	commit_owned_partitions(&commit);
	PG_RETURN_NULL();
}
