/*-------------------------------------------------------------------------
 *
 * duration.c
 *		Intervals as lengths of time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "duration.h"

/*
 * The longest interval: with it added, a timestamp is still one that a batch
 * can count its records' timestamps from, as it does from a delete horizon.
 */
#define MAX_INTERVAL	(PG_INT64_MAX / 4)

int64
interval_milliseconds(const Interval *interval)
{
	double		milliseconds = interval->time / 1000.0 +
		(interval->month * (double) DAYS_PER_MONTH + interval->day) *
		SECS_PER_DAY * 1000.0;

	return (int64) Min(milliseconds, (double) MAX_INTERVAL);
}

Interval *
milliseconds_interval(int64 milliseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = milliseconds * 1000;
	return interval;
}
