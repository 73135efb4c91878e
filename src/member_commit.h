/*-------------------------------------------------------------------------
 *
 * member_commit.h
 *		Committing what a member's polls have returned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MEMBER_COMMIT_H
#define TOPIC_MEMBER_COMMIT_H

#include "group_state.h"

/*
 * Commit the positions of a member in all partitions that it owns, as far as
 * no other transaction has claimed them.
 */
extern void commit_positions(ConsumerGroup **group, const char *member_id);

#endif							/* TOPIC_MEMBER_COMMIT_H */
