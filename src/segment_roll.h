/*-------------------------------------------------------------------------
 *
 * segment_roll.h
 *		The segment switch: sealing the active segment and opening the next.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_ROLL_H
#define TOPIC_SEGMENT_ROLL_H

extern void segment_roll_init(void);

#endif							/* TOPIC_SEGMENT_ROLL_H */
