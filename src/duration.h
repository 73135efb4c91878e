/*-------------------------------------------------------------------------
 *
 * duration.h
 *		Intervals as lengths of time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_DURATION_H
#define TOPIC_DURATION_H

#include "datatype/timestamp.h"

/*
 * An interval in milliseconds, a month being thirty days.  What is longer than
 * the longest, infinity included, is that.
 */
extern int64 interval_milliseconds(const Interval *interval);

/* The interval of so many milliseconds. */
extern Interval *milliseconds_interval(int64 milliseconds);

#endif							/* TOPIC_DURATION_H */
