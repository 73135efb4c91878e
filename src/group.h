/*-------------------------------------------------------------------------
 *
 * group.h
 *		Consumer groups and who may use them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_H
#define TOPIC_GROUP_H

/*
 * Raise an error if the group is somebody else's.  A group that does not
 * exist is everybody's.
 */
extern void check_group_owner(const char *group_id);

/* The same; and the group is the caller's from now on if it does not exist. */
extern void use_group(const char *group_id);

#endif							/* TOPIC_GROUP_H */
