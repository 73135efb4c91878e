/*-------------------------------------------------------------------------
 *
 * group_expiry.h
 *		Forgetting what groups do not need any more.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_EXPIRY_H
#define TOPIC_GROUP_EXPIRY_H

extern void group_expiry_init(void);

/*
 * Delete expired offsets of the groups that the current user owns, and what
 * else is not needed: as much as one transaction should.  True if there may be
 * more.
 */
extern bool expire_groups(void);

#endif							/* TOPIC_GROUP_EXPIRY_H */
