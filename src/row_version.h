/*-------------------------------------------------------------------------
 *
 * row_version.h
 *		Rows that are replaced, not updated.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ROW_VERSION_H
#define TOPIC_ROW_VERSION_H

#include "access/genam.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* A scan of rows that agree in the first columns of the key, newest first. */
typedef struct RowVersionScan
{
	Relation	relation;
	Relation	index;
	TupleTableSlot *slot;		/* the row that was found */
	IndexScanDesc scan;
	Snapshot	latest;			/* what rows must be visible in, or NULL */
} RowVersionScan;

/*
 * Begin a scan of what the snapshot sees.  `keys` are the first columns of the
 * primary key, which are the first of the table as well: text, int or bigint.
 */
extern void row_version_scan_begin(RowVersionScan *scan, const char *table,
								   const Datum *keys, int key_count,
								   Snapshot snapshot);

/*
 * Begin a scan of what is committed now, and of what this transaction wrote.
 * Whatever is replaced meanwhile, either the old version is found or the new
 * one.  Takes no predicate locks.
 */
extern void row_version_scan_begin_latest(RowVersionScan *scan,
										  const char *table,
										  const Datum *keys, int key_count);

/* The next row, all its columns in scan->slot. */
extern bool row_version_scan_next(RowVersionScan *scan);

extern void row_version_scan_end(RowVersionScan *scan);

/*
 * Insert a row, given its first columns, in place of another version of it;
 * *row is where that is, invalid if there is none, and then where the new one
 * is.  Nobody else replaces the same row at the same time.
 */
extern void row_version_replace(const char *table, Datum *values, bool *nulls,
								int count, ItemPointer row);

/* Delete a row that was found. */
extern void row_version_delete(const char *table, ItemPointer row);

#endif							/* TOPIC_ROW_VERSION_H */
