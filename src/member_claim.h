/*-------------------------------------------------------------------------
 *
 * member_claim.h
 *		Claims of members on partitions that they own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MEMBER_CLAIM_H
#define TOPIC_MEMBER_CLAIM_H

#include "claim.h"
#include "group_state.h"

/* A member_epoch that is not checked. */
#define ANY_EPOCH	0

/* An error if the group has not come to that epoch. */
extern void check_member_epoch(const ConsumerGroup *group, int32 member_epoch);

/* An error if the member got the claimed partition after that epoch. */
extern void check_claim_epoch(const Subscription *subscription,
							  const Claim *claim, int32 member_epoch);

/* Has this transaction found the claimed partition to be the member's? */
extern bool is_members_claim(const Claim *claim, const char *member_id);

/*
 * The claims that this transaction has as the member are nobody's from now on:
 * to go on, the member has to own the partition anew.
 */
extern void forget_member_claims(const char *group_id, const char *member_id);

/*
 * The claim on a member's partition, at the member's position; NULL if another
 * transaction has it, or if the partition is not the member's any more.
 * *was_held is as of claim_partition().  *group is read anew if it changed.
 */
extern Claim *claim_for_member(ConsumerGroup **group, const char *member_id,
							   Subscription *subscription, int partition,
							   bool *was_held);

/*
 * The claim on a partition, or an error: if another transaction has it; or
 * if the partition is not the member's, or has become that after member_epoch;
 * or, if member_id is NULL, if the group has members.
 */
extern Claim *demand_claim(Subscription *subscription, int partition,
						   const char *member_id, int32 member_epoch);

#endif							/* TOPIC_MEMBER_CLAIM_H */
