/*-------------------------------------------------------------------------
 *
 * group_expiry.h
 *		Forgetting the offsets of groups that nobody uses any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_EXPIRY_H
#define TOPIC_GROUP_EXPIRY_H

extern void group_expiry_init(void);

/*
 * Delete expired offsets of the groups that the current user may use: as many
 * as one transaction should.  True if there may be more.
 */
extern bool expire_groups(void);

#endif							/* TOPIC_GROUP_EXPIRY_H */
