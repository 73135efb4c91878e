/*-------------------------------------------------------------------------
 *
 * reconcile.h
 *		Who shall have which partitions of a group, and handing them over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECONCILE_H
#define TOPIC_RECONCILE_H

#include "group_state.h"

/*
 * Each of these changes the state in memory.  Without the group's lock that
 * only shows what there is to do.
 */

/*
 * Remove members whose session has timed out; tells whether there were any, or
 * some of whom only who has the group's lock can tell.
 */
extern bool expire_members(ConsumerGroup *group);

/* Decide anew who shall have which partition: a new epoch. */
extern void assign_partitions(ConsumerGroup *group);

/*
 * Take from members what is revoked and what they have given up, and give what
 * nobody has to those who shall have it.  Tells whether anything changed.
 */
extern bool hand_over_partitions(ConsumerGroup *group);

/*
 * Do whatever is to be done in a group, unless another transaction has the
 * group's lock.
 */
extern void reconcile_group(const char *group_id);

/* Has the group members, apart from those whose session has timed out? */
extern bool group_has_members(const char *group_id);

/*
 * An error if the group has members: for those who consume and commit without
 * being one.  They have their claims by then; so whoever joins later finds the
 * partitions claimed.
 */
extern void check_group_has_no_members(const char *group_id);

#endif							/* TOPIC_RECONCILE_H */
