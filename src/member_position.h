/*-------------------------------------------------------------------------
 *
 * member_position.h
 *		The table of how far members have polled.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MEMBER_POSITION_H
#define TOPIC_MEMBER_POSITION_H

/*
 * The position of whoever got the partition in this epoch; -1 if it has not
 * polled it.  Exact for who holds the claim.
 */
extern int64 member_position_read(const char *group_id, const char *topic,
								  int partition, int32 assigned_epoch);

/* Set the position.  The caller holds the claim. */
extern void member_position_write(const char *group_id, const char *topic,
								  int partition, int32 assigned_epoch,
								  int64 position);

#endif							/* TOPIC_MEMBER_POSITION_H */
