/*-------------------------------------------------------------------------
 *
 * shared_memory.h
 *		Setting up what backends share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SHARED_MEMORY_H
#define TOPIC_SHARED_MEMORY_H

extern void shared_memory_init(void);

#endif							/* TOPIC_SHARED_MEMORY_H */
