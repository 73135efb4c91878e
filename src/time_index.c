/*-------------------------------------------------------------------------
 *
 * time_index.c
 *		Finding offsets by time; offset_for_time.
 *
 * Records need not be in the order of their timestamps, so the first one at or
 * after a time cannot be found by comparing records.  But each row carries the
 * greatest timestamp of all rows up to it in its segment and partition, itself
 * included, and these never go back.  So the first row that may hold the
 * record is found by bisection of offsets, in as many look-ups as an offset
 * has bits.  There is no other index, and nothing more to write when records
 * are appended.
 *
 * Rows count whatever their visibility.  So before the row that is found there
 * is nothing to find, and the reader goes on from there.  It has to pass over
 * rows only if one that was aborted had a later timestamp than those which
 * followed, and no further than to the end of the segment.
 *
 * A reader stops at an open row that may have what it looks for.  It is led
 * past one whose records are all too early: those are not among what it reads
 * whether or not they are committed, now or when it goes on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "log_reader.h"
#include "segment.h"
#include "segment_list.h"
#include "stable_offset.h"
#include "time_index.h"
#include "visibility.h"

PG_FUNCTION_INFO_V1(topic_offset_for_time);

/* The first row at or after an offset; false if there is none. */
static bool
row_at_or_after(Relation segment, int partition, int64 offset, SegmentRow *row)
{
	SegmentScan scan;
	bool		found;

	segment_scan_forward(&scan, segment, partition, offset);
	found = segment_scan_next(&scan, row);
	segment_scan_end(&scan);
	return found;
}

/* Where to look for the record in a segment; -1 if it is not there. */
static int64
search_segment(Relation segment, int partition, int64 base_offset, int64 time)
{
	int64		low = base_offset;	/* no row before it is late enough */
	int64		high;			/* the first row from there on is */
	SegmentRow	row;

	if (!segment_tail(segment, partition, &row) ||
		row.timestamp_so_far < time)
		return -1;
	high = row.base_offset;
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		/* The last row may have been aborted, and VACUUM took it away. */
		if (row_at_or_after(segment, partition, middle, &row) &&
			row.timestamp_so_far < time)
			low = row.base_offset + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Does the segment have, from an offset on, what the reader looks for: a
 * record, or an open row, at which it has to stop?
 */
static bool
segment_has_record(Relation segment, int partition, int64 offset, int64 time,
				   Snapshot snapshot)
{
	bool		found = false;
	SegmentScan scan;
	SegmentRow	row;

	segment_scan_forward(&scan, segment, partition, offset);
	while (!found && segment_scan_next(&scan, &row))
	{
		RowVerdict	verdict = judge_row(&row, snapshot);

		found = verdict == ROW_OPEN ||
			(verdict == ROW_COMMITTED && row.max_timestamp >= time);
	}
	segment_scan_end(&scan);
	return found;
}

/* Where the row that holds an offset begins; the offset, if there is none. */
static int64
start_of_row(Relation segment, int partition, int64 offset)
{
	SegmentScan scan;
	SegmentRow	row;

	segment_scan_backward(&scan, segment, partition, offset);
	if (segment_scan_next(&scan, &row) && row.last_offset >= offset)
		offset = row.base_offset;
	segment_scan_end(&scan);
	return offset;
}

int64
time_index_search(Topic *topic, int partition, int64 from_offset, int64 time,
				  Snapshot snapshot)
{
	const SegmentList *list = segments_for_snapshot(topic, snapshot);
	int64		offset = -1;

	for (int i = segment_for_offset(list, partition, from_offset);
		 i < list->count && offset < 0; i++)
	{
		Segment    *segment = &list->segments[i];
		Relation	relation = segment_try_open(topic, segment,
												AccessShareLock);

		/* The list is not the latest; see log_scan.c. */
		if (!relation)
		{
			AcceptInvalidationMessages();
			if (topic->valid)
				report_missing_segment(topic, segment);
			return time_index_search(topic_refresh(topic), partition,
									 from_offset, time, snapshot);
		}
		offset = search_segment(relation, partition,
								segment_base_offset(segment, partition), time);
		if (offset >= 0 && offset < from_offset)
			offset = Max(offset, start_of_row(relation, partition,
											  from_offset));
		if (offset >= 0 &&
			!segment_has_record(relation, partition, offset, time, snapshot))
			offset = -1;
		table_close(relation, NoLock);
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
