/*-------------------------------------------------------------------------
 *
 * time_index.c
 *		Finding offsets by time; offset_for_time.
 *
 * Records need not be in the order of their timestamps, so the first one at or
 * after a time cannot be found by comparing records.  But each row carries the
 * greatest timestamp of the committed records before its stable offset
 * (stable_offset.c), and these never go back within a segment.  So the first
 * row that carries a timestamp at or after the time is found by bisection of
 * offsets, in as many look-ups as an offset has bits.  The record itself is
 * below that row's stable offset and not below that of the row before, and
 * from one row to the next the stable offset moves over a few rows only.
 *
 * There is no other index, and nothing more to write when records are
 * appended.
 *
 * A record that is not committed counts where it may be at or after the time:
 * the reader has to stop there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "log_reader.h"
#include "log_scan.h"
#include "stable_offset.h"
#include "time_index.h"
#include "visibility.h"

PG_FUNCTION_INFO_V1(topic_offset_for_time);

/* What to look for, and where. */
typedef struct TimeSearch
{
	Relation	segment;
	int			partition;
	int64		time;
	int64		base_offset;	/* of the partition in the segment */
} TimeSearch;

/* The first row at or after an offset; false if there is none. */
static bool
row_at_or_after(const TimeSearch *search, int64 offset, SegmentRow *row)
{
	SegmentScan scan;
	bool		found;

	segment_scan_forward(&scan, search->segment, search->partition, offset);
	found = segment_scan_next(&scan, row);
	segment_scan_end(&scan);
	return found;
}

/* The stable offset that the row before an offset carries. */
static int64
stable_offset_before(const TimeSearch *search, int64 offset)
{
	SegmentScan scan;
	SegmentRow	row;
	int64		stable = search->base_offset;

	segment_scan_backward(&scan, search->segment, search->partition,
						  offset - 1);
	if (segment_scan_next(&scan, &row))
		stable = Max(stable, row.stable.offset);
	segment_scan_end(&scan);
	return stable;
}

/*
 * Where to look in a segment whose last row, at offset `last`, carries a
 * timestamp that is late enough.
 */
static int64
bisect(const TimeSearch *search, int64 last)
{
	int64		low = search->base_offset;	/* no row before it is late enough */
	int64		high = last;	/* the first row from there on is */

	while (low < high)
	{
		int64		middle = low + (high - low) / 2;
		SegmentRow	row;

		/* The last row may have been aborted, and VACUUM took it away. */
		if (row_at_or_after(search, middle, &row) &&
			row.stable.timestamp < search->time)
			low = row.base_offset + 1;
		else
			high = middle;
	}
	return stable_offset_before(search, low);
}

/*
 * Look through the rows that no hint covers yet, from an offset on.  Returns
 * the offset of the first that may hold the record; -1 if there is none.
 */
static int64
search_tail(const TimeSearch *search, int64 offset, Snapshot snapshot)
{
	SegmentScan scan;
	SegmentRow	row;
	int64		found = -1;

	segment_scan_forward(&scan, search->segment, search->partition, offset);
	while (found < 0 && segment_scan_next(&scan, &row))
		if (row.max_timestamp >= search->time &&
			judge_row(&row, snapshot) != ROW_ABORTED)
			found = row.base_offset;
	segment_scan_end(&scan);
	return found;
}

static int64
search_segment(const TimeSearch *search, Snapshot snapshot)
{
	SegmentRow	last;

	if (!segment_tail(search->segment, search->partition, &last))
		return -1;
	if (last.stable.timestamp >= search->time)
		return bisect(search, last.base_offset);
	return search_tail(search, Max(last.stable.offset, search->base_offset),
					   snapshot);
}

int64
time_index_search(Topic *topic, int partition, int64 time, Snapshot snapshot)
{
	const SegmentList *list = segments_for_snapshot(topic, snapshot);
	int64		offset = -1;

	for (int i = 0; i < list->count && offset < 0; i++)
	{
		TimeSearch	search = {
			.segment = segment_try_open(topic, &list->segments[i],
										AccessShareLock),
			.partition = partition,
			.time = time,
			.base_offset = segment_base_offset(&list->segments[i], partition)
		};

		/* Dropped, so it is before the start of the log. */
		if (!search.segment)
			continue;
		offset = search_segment(&search, snapshot);
		table_close(search.segment, NoLock);
	}
	return offset >= 0 ? offset : PG_INT64_MAX;
}

int64
offset_for_time(Topic *topic, int partition, int64 time, int64 end)
{
	LogRange	range = LOG_RANGE_ALL;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	LogReader  *reader;
	Record		record;
	int64		offset = -1;

	range.from_time = time;
	range.to_offset = end;
	reader = log_reader_begin(topic, partition, &range, snapshot);
	if (log_reader_next(reader, &record))
		offset = record.offset;
	log_reader_end(reader);
	UnregisterSnapshot(snapshot);
	return offset;
}

/*
 * offset_for_time(topic text, partition int, at_time timestamptz)
 * returns bigint
 */
Datum
topic_offset_for_time(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	int			partition = PG_GETARG_INT32(1);
	int64		time = time_argument(fcinfo, 2, 0);
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	int64		offset;

	check_partition(topic, partition);
	offset = offset_for_time(topic, partition, time,
							 last_stable_offset(topic, partition));
	if (offset < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(offset);
}
