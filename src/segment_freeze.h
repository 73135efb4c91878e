/*-------------------------------------------------------------------------
 *
 * segment_freeze.h
 *		Freezing sealed segments.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_FREEZE_H
#define TOPIC_SEGMENT_FREEZE_H

#include "utils/relcache.h"

/*
 * Freeze a segment's rows, and remove what was aborted, as VACUUM
 * does.  The caller has a ShareUpdateExclusiveLock on it.
 */
extern void freeze_segment(Relation segment);

#endif							/* TOPIC_SEGMENT_FREEZE_H */
