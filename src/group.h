/*-------------------------------------------------------------------------
 *
 * group.h
 *		Consumer groups and who may use them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_H
#define TOPIC_GROUP_H

#include "compat.h"

/*
 * Raise an error if the caller may not use the group: it is neither his nor
 * granted to him.  A group that does not exist is everybody's.
 */
extern void check_group_access(const char *group_id);

/* The same, and nobody else can delete it before the transaction ends. */
extern void hold_group(const char *group_id);

/* The same, and the group is the caller's from now on if it does not exist. */
extern void use_group(const char *group_id);

/* Create a group that is the caller's; false if there is one of that name. */
extern bool create_group(const char *group_id);

/*
 * Raise an error unless there is such a group and it is the caller's.  Nobody
 * else can delete it before the transaction ends.
 */
extern void own_group(const char *group_id);

/*
 * Raise an error if the group is somebody else's, or if another transaction
 * uses it; from then on no other can, to the end of this one.
 */
extern void lock_unused_group(const char *group_id);

/*
 * Keep the group from being deleted, to the end of the transaction; false if
 * another transaction is just deleting it.
 */
extern bool keep_group(const char *group_id);

pg_noreturn extern void report_unknown_group(const char *group_id);

#endif							/* TOPIC_GROUP_H */
