/*-------------------------------------------------------------------------
 *
 * claim.h
 *		What this transaction consumes: its claims and positions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CLAIM_H
#define TOPIC_CLAIM_H

#include "consumer_offset.h"
#include "group_memory.h"
#include "topic.h"

/* Where the transaction stands in a partition that it has claimed. */
typedef struct ClaimState
{
	int			nest_level;		/* the subtransaction that changed it last */
	int64		position;		/* next offset to read; -1: none yet */
	ConsumerOffset committed;
	const char *member_id;		/* whose partition it is; NULL: claimed by a
								 * consumer that is no member */
	int32		assigned_epoch; /* since when it is the member's */
	struct ClaimState *outer;	/* as the enclosing transaction left it */
} ClaimState;

typedef struct Claim
{
	int			partition;
	ClaimState	state;
} Claim;

/* A group's use of a topic in this transaction. */
typedef struct Subscription
{
	char	   *group_id;
	int32		topic_id;
	char		topic[NAMEDATALEN];
	int			consumed_level; /* nesting level of consume; 0: not called */
	int			partition_count;
	Claim	  **claims;			/* by partition; NULL: not claimed */
	GroupMemory *memory;		/* NULL: none */
	struct Subscription *next;
} Subscription;

extern void claims_init(void);

/* The subscription of this transaction, made if there is none yet. */
extern Subscription *subscription_for(const char *group_id, Topic *topic);

/* The next subscription of a group in this transaction; NULL: the first. */
extern Subscription *next_subscription(const char *group_id,
									   Subscription *subscription);

/* Remember that this transaction called consume. */
extern void subscription_mark_consumed(Subscription *subscription);

/*
 * The claim on a partition, taken if it is free; NULL if another transaction
 * has it.  *was_held tells whether this transaction had it before.
 */
extern Claim *claim_partition(Subscription *subscription, int partition,
							  bool *was_held);

/* The claim that this transaction has on a partition; NULL if it has none. */
extern const Claim *find_claim(const char *group_id, const Topic *topic,
							   int partition);

/*
 * Has another transaction claimed the partition?  To try and take the claim
 * would tell, too, but have others pass the partition over meanwhile.
 */
extern bool is_claimed_by_other(const char *group_id, const Topic *topic,
								int partition);

/* Give up a claim that was taken just now and under which nothing was done. */
extern void release_claim(Subscription *subscription, Claim *claim);

/* Change the position, so that a rollback to a savepoint restores it. */
extern void set_claim_position(Claim *claim, int64 position);

/* The partition is a member's. */
extern void set_claim_member(Claim *claim, const char *member_id,
							 int32 assigned_epoch);

/* Commit an offset under the claim. */
extern void commit_claim(Subscription *subscription, Claim *claim,
						 int64 committed_offset, const char *metadata);

/* Delete the committed offset under the claim. */
extern void delete_claimed_offset(Subscription *subscription, Claim *claim);

/*
 * Forget what this transaction has read and committed in a group whose offsets
 * are being deleted.
 */
extern void forget_group_claims(const char *group_id);

/* The number by which pg_locks knows the claims of a group on a topic. */
extern uint64 claim_key(const char *group_id, int32 topic_id);

#endif							/* TOPIC_CLAIM_H */
