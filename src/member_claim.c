/*-------------------------------------------------------------------------
 *
 * member_claim.c
 *		Claims of members on partitions that they own.
 *
 * Whatever a member does with a partition, poll it or commit it, it does under
 * the claim, as any consumer of a group.  Only then it asks whether it owns
 * the partition, by the latest state.  If so, nobody else can do anything with
 * the partition until this transaction ends, even if the member loses it
 * meanwhile: the new owner passes it over until the claim is free, and goes on
 * at what is committed then.  So a transaction that began when the partition
 * was the member's may end in peace, and one that begins later is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "errors.h"
#include "member_activity.h"
#include "member_claim.h"
#include "member_position.h"
#include "reconcile.h"

bool
is_members_claim(const Claim *claim, const char *member_id)
{
	return claim->state.member_id &&
		strcmp(claim->state.member_id, member_id) == 0;
}

/* The partition if the member owns it, or NULL. */
static const GroupPartition *
owned_partition(const ConsumerGroup *group, const char *member_id,
				const Subscription *subscription, int partition)
{
	const GroupPartition *found =
		find_group_partition(group, subscription->topic_id, partition);

	if (!found || !found->owner || found->owner->left_at != NOT_LEFT ||
		strcmp(found->owner->member_id, member_id) != 0)
		return NULL;
	return found;
}

/*
 * The claim is the member's from now on, and at its position, whatever this
 * transaction has read under the claim for somebody else.  That is never before
 * the committed offset: somebody may have committed for it.
 */
static void
begin_member_claim(Subscription *subscription, Claim *claim,
				   const GroupPartition *partition)
{
	int64		position = member_position_read(subscription->group_id,
												subscription->topic,
												claim->partition,
												partition->assigned_epoch);

	set_claim_member(claim, partition->owner->member_id,
					 partition->assigned_epoch);
	if (claim->state.committed.found)
		position = Max(position, claim->state.committed.committed_offset);
	set_claim_position(claim, position);
}

Claim *
claim_for_member(ConsumerGroup **group, const char *member_id,
				 Subscription *subscription, int partition, bool *was_held)
{
	Claim	   *claim = claim_partition(subscription, partition, was_held);
	const GroupPartition *owned;

	if (!claim || is_members_claim(claim, member_id))
		return claim;

	if (!group_state_is_current(*group))
		*group = group_state_read((*group)->group_id, false);
	owned = owned_partition(*group, member_id, subscription, partition);
	if (owned)
	{
		begin_member_claim(subscription, claim, owned);
		return claim;
	}
	if (!*was_held)
		release_claim(subscription, claim);
	return NULL;
}

void
forget_member_claims(const char *group_id, const char *member_id)
{
	Subscription *subscription = NULL;

	while ((subscription = next_subscription(group_id, subscription)) != NULL)
	{
		for (int i = 0; i < subscription->partition_count; i++)
		{
			Claim	   *claim = subscription->claims[i];

			if (claim && is_members_claim(claim, member_id))
				set_claim_member(claim, "", 0);
		}
	}
}

void
check_member_epoch(const ConsumerGroup *group, int32 member_epoch)
{
	if (member_epoch > group->group_epoch)
		ereport(ERROR,
				(errcode(ERRCODE_ILLEGAL_GENERATION),
				 errmsg("group \"%s\" has not come to epoch %d",
						group->group_id, member_epoch),
				 errdetail("Its epoch is %d.", group->group_epoch)));
}

void
check_claim_epoch(const Subscription *subscription, const Claim *claim,
				  int32 member_epoch)
{
	if (member_epoch != ANY_EPOCH &&
		member_epoch < claim->state.assigned_epoch)
		ereport(ERROR,
				(errcode(ERRCODE_ILLEGAL_GENERATION),
				 errmsg("member \"%s\" of group \"%s\" did not own partition %d of topic \"%s\" in epoch %d",
						claim->state.member_id, subscription->group_id,
						claim->partition, subscription->topic, member_epoch),
				 errdetail("It has owned it since epoch %d.",
						   claim->state.assigned_epoch)));
}

static void
report_claimed(const Subscription *subscription, int partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 errmsg("partition %d of topic \"%s\" is claimed by another transaction of group \"%s\"",
					partition, subscription->topic, subscription->group_id),
			 errhint("Try again when that transaction is over; pg_locks shows it under the number that topic.claim_key() tells.")));
}

/* The partition of a member that may commit it, or an error. */
static const GroupPartition *
demand_owned_partition(const Subscription *subscription, int partition,
					   const char *member_id, int32 member_epoch)
{
	ConsumerGroup *group = group_state_read(subscription->group_id, false);
	const GroupPartition *owned;

	note_member_activity(group, demand_member(group, member_id),
						 NOTHING_ACKNOWLEDGED, NOT_COMMITTED);
	check_member_epoch(group, member_epoch);
	owned = owned_partition(group, member_id, subscription, partition);
	if (!owned)
		ereport(ERROR,
				(errcode(ERRCODE_ILLEGAL_GENERATION),
				 errmsg("member \"%s\" of group \"%s\" does not own partition %d of topic \"%s\"",
						member_id, subscription->group_id, partition,
						subscription->topic),
				 errhint("It may have lost it to another member, which goes on at the committed offset.")));
	return owned;
}

Claim *
demand_claim(Subscription *subscription, int partition, const char *member_id,
			 int32 member_epoch)
{
	bool		was_held;
	Claim	   *claim = claim_partition(subscription, partition, &was_held);

	if (!member_id)
	{
		if (!claim)
			report_claimed(subscription, partition);
		if (!was_held || claim->state.member_id)
			check_group_has_no_members(subscription->group_id);
		return claim;
	}

	if (!claim || !is_members_claim(claim, member_id))
	{
		const GroupPartition *owned =
			demand_owned_partition(subscription, partition, member_id,
								   member_epoch);

		/* To try again is of use for the owner only. */
		if (!claim)
			report_claimed(subscription, partition);
		begin_member_claim(subscription, claim, owned);
	}
	check_claim_epoch(subscription, claim, member_epoch);
	return claim;
}
