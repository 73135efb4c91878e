/*-------------------------------------------------------------------------
 *
 * segment_roll.h
 *		The segment switch: sealing the active segment and opening the next.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_ROLL_H
#define TOPIC_SEGMENT_ROLL_H

#include "topic.h"

extern void segment_roll_init(void);

/* Has no record, of any transaction, been appended to the active segment? */
extern bool active_segment_is_empty(const Topic *topic);

/*
 * Have the active segment sealed and a new one opened when the transaction
 * commits; false if there is nothing to seal.  The topic is locked with
 * ShareUpdateExclusiveLock.
 */
extern bool roll_segment(Topic *topic);

/*
 * Do so now, if the transaction ends right after: producers wait until then.
 */
extern void switch_pending_segments(void);

#endif							/* TOPIC_SEGMENT_ROLL_H */
