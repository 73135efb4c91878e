/*-------------------------------------------------------------------------
 *
 * claim.c
 *		What this transaction consumes: its claims and positions.
 *
 * A claim is a heavyweight lock on (group, topic, partition) that is tried,
 * never waited for, and held to the end of the transaction.  So at any time
 * one transaction handles a partition for a group, and when that transaction
 * ends, in whatever way, the partition is free at once: no session timeout,
 * no heartbeat, no rebalance.
 *
 * The lock is an object lock on topic.consumer_offsets, by the group's name and
 * the topic's id: the group may be so new that nobody else can see a row of it
 * yet.
 *
 * The committed offset is read after the lock was granted, as it stands then.
 * The statement's own snapshot may be older than the last owner's commit, and
 * would deliver its records again.
 *
 * Positions live in the backend's memory for the transaction.  What a
 * subtransaction changes keeps the enclosing state beside it: ROLLBACK TO
 * undoes the sink's writes, so it must undo the position too, or the records
 * would be lost.  Claims taken in it are released with it (transaction_lock.c).
 *
 * Who waits for records learns when claims are released (wakeup.c), since
 * until then he could not have claimed the partition.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "claim.h"
#include "lock_tag.h"
#include "news.h"
#include "transaction_lock.h"
#include "wakeup.h"

/* All in TopTransactionContext. */
static Subscription *subscriptions = NULL;

/* The subtransaction at this nesting level committed: its parent takes over. */
static void
hand_claim_to_parent(Claim *claim, int nest_level)
{
	ClaimState *state = &claim->state;

	if (state->nest_level < nest_level)
		return;
	state->nest_level = nest_level - 1;
	if (state->outer && state->outer->nest_level == nest_level - 1)
	{
		ClaimState *merged = state->outer;

		state->outer = merged->outer;
		pfree(merged);
	}
}

/* The subtransaction rolled back; false if the claim is gone with it. */
static bool
restore_claim(Claim *claim, int nest_level)
{
	ClaimState *state = &claim->state;
	ClaimState *outer = state->outer;

	if (state->nest_level < nest_level)
		return true;
	if (!outer)
		return false;
	*state = *outer;
	pfree(outer);
	return true;
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (Subscription *subscription = subscriptions; subscription;
		 subscription = subscription->next)
	{
		bool		committed = event == SUBXACT_EVENT_COMMIT_SUB;

		if (subscription->consumed_level >= nest_level)
			subscription->consumed_level = committed ? nest_level - 1 : 0;
		for (int i = 0; i < subscription->partition_count; i++)
		{
			Claim	   *claim = subscription->claims[i];

			if (!claim)
				continue;
			if (committed)
				hand_claim_to_parent(claim, nest_level);
			else if (!restore_claim(claim, nest_level))
			{
				subscription->claims[i] = NULL;
				pfree(claim);
				wakeup_at_end(subscription->topic_id);
			}
		}
	}
}

static bool
has_claims(const Subscription *subscription)
{
	for (int i = 0; i < subscription->partition_count; i++)
		if (subscription->claims[i])
			return true;
	return false;
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		for (Subscription *subscription = subscriptions; subscription;
			 subscription = subscription->next)
			if (has_claims(subscription))
				wakeup_at_end(subscription->topic_id);

	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		subscriptions = NULL;
}

void
claims_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/* The subscription of this transaction; NULL if there is none. */
static Subscription *
find_subscription(const char *group_id, const Topic *topic)
{
	Subscription *subscription;

	for (subscription = subscriptions; subscription;
		 subscription = subscription->next)
		if (subscription->topic_id == topic->id &&
			strcmp(subscription->group_id, group_id) == 0)
			break;
	return subscription;
}

Subscription *
subscription_for(const char *group_id, Topic *topic)
{
	Subscription *subscription = find_subscription(group_id, topic);
	MemoryContext old_context;

	old_context = MemoryContextSwitchTo(TopTransactionContext);
	if (!subscription)
	{
		subscription = palloc0(sizeof(Subscription));
		subscription->group_id = pstrdup(group_id);
		subscription->topic_id = topic->id;
		strlcpy(subscription->topic, topic->name, NAMEDATALEN);
		subscription->claims = palloc0(topic->partitions * sizeof(Claim *));
		subscription->partition_count = topic->partitions;
		subscription->next = subscriptions;
		subscriptions = subscription;
	}
	else if (subscription->partition_count < topic->partitions)
	{
		/* The topic got more partitions meanwhile. */
		Claim	  **claims = palloc0(topic->partitions * sizeof(Claim *));

		memcpy(claims, subscription->claims,
			   subscription->partition_count * sizeof(Claim *));
		subscription->claims = claims;
		subscription->partition_count = topic->partitions;
	}
	MemoryContextSwitchTo(old_context);
	subscription->memory = group_memory(topic, group_id);
	return subscription;
}

Subscription *
next_subscription(const char *group_id, Subscription *subscription)
{
	subscription = subscription ? subscription->next : subscriptions;
	while (subscription && strcmp(subscription->group_id, group_id) != 0)
		subscription = subscription->next;
	return subscription;
}

void
subscription_mark_consumed(Subscription *subscription)
{
	if (subscription->consumed_level == 0)
		subscription->consumed_level = GetCurrentTransactionNestLevel();
}

/* What is claimed, but for the partition. */
static char *
claim_name(const char *group_id, int32 topic_id)
{
	return psprintf("%d %s", topic_id, group_id);
}

uint64
claim_key(const char *group_id, int32 topic_id)
{
	return lock_key(claim_name(group_id, topic_id));
}

static void
set_claim_tag(LOCKTAG *tag, const char *group_id, int32 topic_id,
			  int partition)
{
	char	   *name = claim_name(group_id, topic_id);

	set_named_lock_tag(tag, "consumer_offsets", name, partition);
	pfree(name);
}

const Claim *
find_claim(const char *group_id, const Topic *topic, int partition)
{
	Subscription *subscription = find_subscription(group_id, topic);

	return subscription && partition < subscription->partition_count
		? subscription->claims[partition] : NULL;
}

bool
is_claimed_by_other(const char *group_id, const Topic *topic, int partition)
{
	LOCKTAG		tag;

	set_claim_tag(&tag, group_id, topic->id, partition);
	return transaction_lock_is_taken(&tag);
}

/*
 * Under REPEATABLE READ and above the transaction must see the offset that it
 * goes on from: otherwise what it reads of the sink is older than that.
 */
static void
check_seen_by_transaction(const Subscription *subscription, int partition,
						  const ConsumerOffset *latest)
{
	Snapshot	snapshot;
	bool		seen;

	if (!IsolationUsesXactSnapshot())
		return;

	snapshot = GetTransactionSnapshot();
	if (latest->found)
		seen = TransactionIdIsCurrentTransactionId(latest->writer) ||
			!XidInMVCCSnapshot(latest->writer, snapshot);
	else
		/* Nothing is committed; was there something for the snapshot? */
		seen = !consumer_offset_exists(subscription->group_id,
									   subscription->topic, partition,
									   snapshot);
	if (!seen)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent consumption"),
				 errdetail("Group \"%s\" moved on in partition %d of topic \"%s\" after this transaction's snapshot was taken.",
						   subscription->group_id, partition,
						   subscription->topic),
				 errhint("Retry the transaction.")));
}

Claim *
claim_partition(Subscription *subscription, int partition, bool *was_held)
{
	LOCKTAG		tag;
	PartitionMemory *memory;
	ConsumerOffset committed;
	Claim	   *claim = subscription->claims[partition];

	*was_held = claim != NULL;
	if (claim)
		return claim;

	set_claim_tag(&tag, subscription->group_id, subscription->topic_id,
				  partition);
	if (!transaction_lock_try(&tag))
		return NULL;

	memory = partition_memory(subscription->memory, partition);
	consumer_offset_read_claimed(subscription->group_id, subscription->topic,
								 partition,
								 memory ? memory->commit_number : 0,
								 &committed);
	check_seen_by_transaction(subscription, partition, &committed);
	if (memory)
		memory->commit_number = committed.commit_number;

	claim = MemoryContextAllocZero(TopTransactionContext, sizeof(Claim));
	claim->partition = partition;
	claim->state.nest_level = GetCurrentTransactionNestLevel();
	claim->state.position = committed.found ? committed.committed_offset : -1;
	claim->state.committed = committed;
	subscription->claims[partition] = claim;
	return claim;
}

void
release_claim(Subscription *subscription, Claim *claim)
{
	LOCKTAG		tag;

	subscription->claims[claim->partition] = NULL;
	set_claim_tag(&tag, subscription->group_id, subscription->topic_id,
				  claim->partition);
	transaction_lock_release(&tag);
	pfree(claim);
}

/* The state to change: the enclosing one is set aside first. */
static ClaimState *
claim_state_for_update(Claim *claim)
{
	ClaimState *state = &claim->state;
	int			nest_level = GetCurrentTransactionNestLevel();

	if (state->nest_level < nest_level)
	{
		ClaimState *outer = MemoryContextAlloc(TopTransactionContext,
											   sizeof(ClaimState));

		*outer = *state;
		state->outer = outer;
		state->nest_level = nest_level;
	}
	return state;
}

void
set_claim_position(Claim *claim, int64 position)
{
	claim_state_for_update(claim)->position = position;
}

void
set_claim_member(Claim *claim, const char *member_id, int32 assigned_epoch)
{
	ClaimState *state = claim_state_for_update(claim);

	state->member_id = MemoryContextStrdup(TopTransactionContext, member_id);
	state->assigned_epoch = assigned_epoch;
}

void
commit_claim(Subscription *subscription, Claim *claim, int64 committed_offset,
			 const char *metadata)
{
	ClaimState *state = claim_state_for_update(claim);
	bool		goes_back = state->committed.found &&
		committed_offset < state->committed.committed_offset;

	consumer_offset_write(subscription->group_id, subscription->topic,
						  claim->partition, &state->committed,
						  committed_offset, metadata);
	if (goes_back)
		news_add(subscription->topic_id, claim->partition);
}

/* Nothing is committed any more, and nothing was read. */
static void
forget_claim(Claim *claim)
{
	ClaimState *state = claim_state_for_update(claim);

	memset(&state->committed, 0, sizeof(ConsumerOffset));
	state->position = -1;
}

void
delete_claimed_offset(Subscription *subscription, Claim *claim)
{
	consumer_offset_delete(subscription->group_id, subscription->topic,
						   claim->partition, &claim->state.committed);
	news_add(subscription->topic_id, claim->partition);
	forget_claim(claim);
}

void
forget_group_claims(const char *group_id)
{
	for (Subscription *subscription = subscriptions; subscription;
		 subscription = subscription->next)
	{
		if (strcmp(subscription->group_id, group_id) != 0)
			continue;
		for (int i = 0; i < subscription->partition_count; i++)
			if (subscription->claims[i])
				forget_claim(subscription->claims[i]);
	}
}
