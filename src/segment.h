/*-------------------------------------------------------------------------
 *
 * segment.h
 *		Segments: the tables that hold the log, and scans of their rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_SEGMENT_H
#define TOPIC_SEGMENT_H

#include "access/genam.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "access/sdir.h"
#include "access/stratnum.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/rel.h"

#include "topic.h"

/* Columns of a segment; see create_segment_table(). */
#define Anum_segment_partition		1
#define Anum_segment_record_count	2
#define Anum_segment_base_offset	3
#define Anum_segment_last_offset	4
#define Anum_segment_max_timestamp	5
#define Anum_segment_timestamp_so_far	6
#define Anum_segment_stable_offset	7
#define Anum_segment_batch			8
#define Natts_segment				8

/*
 * The greatest batch whose row still fits a page in line: what a page leaves
 * a tuple, less the tuple's header, the other columns, and the length word.
 */
#define SEGMENT_ROW_BYTES	TOAST_TUPLE_TARGET_MAIN
#define SEGMENT_BATCH_BYTES \
	(SEGMENT_ROW_BYTES - MAXALIGN(SizeofHeapTupleHeader) - \
	 (2 * sizeof(int32) + 5 * sizeof(int64)) - VARHDRSZ)

#define NO_TIMESTAMP	PG_INT64_MIN

/* The columns of a row other than its batch. */
typedef struct SegmentRow
{
	int32		record_count;
	int64		base_offset;
	int64		last_offset;
	int64		max_timestamp;
	int64		timestamp_so_far;	/* time_index.c */
	int64		stable_offset;	/* stable_offset.c */
	HeapTuple	tuple;			/* in this buffer, while the scan is there */
	Buffer		buffer;
} SegmentRow;

/*
 * A scan of one partition's rows in a segment, in offset order, that returns
 * rows whatever their visibility.  It keeps a pin on an index page, which
 * blocks VACUUM: never leave one open while waiting for anything.
 */
typedef struct SegmentScan
{
	Relation	segment;
	Relation	index;
	LOCKMODE	lockmode;		/* of the index */
	IndexScanDesc scan;
	TupleTableSlot *slot;
	ScanDirection direction;
} SegmentScan;

extern char *segment_table_name(int32 topic_id, int32 number,
								int32 generation);
extern void create_segment_table(int32 topic_id, int32 number,
								 int32 generation);
extern void drop_segment_tables(int32 topic_id);

/* Open a segment of a topic whose relation is locked; NULL if it is gone. */
extern Relation segment_try_open(const Topic *topic, Segment *segment,
								 LOCKMODE lockmode);

/* The same of a segment that must be there: the active one. */
extern Relation segment_open(const Topic *topic, Segment *segment,
							 LOCKMODE lockmode);

/*
 * The same to append to it.  The lock is the transaction's: it is what tells
 * that there may be rows of it (segment_writers).
 */
extern Relation segment_open_for_appending(const Topic *topic,
										   Segment *segment);
pg_noreturn extern void report_missing_segment(const Topic *topic,
											   const Segment *segment);

/*
 * Who keeps a sealed segment from being settled: processes whose transactions
 * may have inserted rows and are not over, as a list of pids; 0 stands for a
 * prepared transaction.
 */
extern List *segment_writers(Oid relid);

/*
 * Lock a segment's table, its indexes, and its TOAST table likewise, unless
 * somebody would have to be waited for; false then, and if the table is gone.
 */
extern bool segment_try_lock(Oid relid, LOCKMODE lockmode);

/*
 * What the segment takes on disk, indexes and TOAST included; 0 if somebody
 * has locked it even against that.
 */
extern int64 segment_disk_bytes(Oid relid);

/* Forward from the first row whose base offset is >= offset. */
extern void segment_scan_forward(SegmentScan *scan, Relation segment,
								 int partition, int64 offset);

/* Backward from the last row whose base offset is <= offset. */
extern void segment_scan_backward(SegmentScan *scan, Relation segment,
								  int partition, int64 offset);
extern bool segment_scan_next(SegmentScan *scan, SegmentRow *row);

/* The batch of the row that was returned last, detoasted, palloc'd. */
extern struct varlena *segment_scan_batch(SegmentScan *scan);

/*
 * A scan that is kept open to look for the ends of partitions.  It returns a
 * partition's last row in the segment; false if there is none.  If that row's
 * base offset is not less than the guess, it is found sooner.  A pause lets go
 * of the row and of all pins.  The index is locked in the mode, NoLock if the
 * caller has it locked.
 */
extern void segment_scan_open(SegmentScan *scan, Relation segment,
							  LOCKMODE lockmode);
extern bool segment_scan_tail(SegmentScan *scan, int partition, int64 guess,
							  SegmentRow *row);
extern void segment_scan_pause(SegmentScan *scan);
extern void segment_scan_end(SegmentScan *scan);

/* The partition's last row in the segment; false if there is none. */
extern bool segment_tail(Relation segment, int partition, SegmentRow *row);

#endif							/* TOPIC_SEGMENT_H */
