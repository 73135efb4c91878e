/*-------------------------------------------------------------------------
 *
 * row_version.c
 *		Rows that are replaced, not updated.
 *
 * A row that is updated thousands of times while somebody holds a snapshot
 * becomes a chain of versions that every reader walks.  So a change inserts a
 * new row and deletes the one before, under a key that ends in a number that
 * grows.  Readers walk the key backwards, so that the row they want comes
 * first however many dead ones there are behind it.  That is why this is C and
 * not SQL: the order is not the planner's to choose.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "compat.h"
#include "row_inserter.h"
#include "row_version.h"

/* No table has more columns in its key, the number included. */
#define MAX_KEYS	5

static RegProcedure
equality_function(Oid type)
{
	switch (type)
	{
		case TEXTOID:
			return F_TEXTEQ;
		case INT8OID:
			return F_INT8EQ;
		default:
			return F_INT4EQ;
	}
}

void
row_version_scan_begin_from(RowVersionScan *scan, const char *table,
							const Datum *keys, int key_count, int64 number,
							Snapshot snapshot)
{
	ScanKeyData scan_keys[MAX_KEYS];

	Assert(key_count < MAX_KEYS);
	scan->relation = table_open(catalog_relation_oid(table), AccessShareLock);
	scan->index = index_open(primary_key_index(scan->relation),
							 AccessShareLock);
	scan->slot = table_slot_create(scan->relation, NULL);
	scan->latest = NULL;

	for (int i = 0; i < key_count; i++)
	{
		Oid			type = TupleDescAttr(RelationGetDescr(scan->relation),
										 i)->atttypid;

		ScanKeyInit(&scan_keys[i], i + 1, BTEqualStrategyNumber,
					equality_function(type), keys[i]);
	}
	if (number > 0)
	{
		ScanKeyInit(&scan_keys[key_count], key_count + 1,
					BTGreaterEqualStrategyNumber, F_INT8GE,
					Int64GetDatum(number));
		key_count++;
	}
	scan->scan = begin_index_scan(scan->relation, scan->index, snapshot,
								  key_count);
	index_rescan(scan->scan, scan_keys, key_count, NULL, 0);
}

void
row_version_scan_begin(RowVersionScan *scan, const char *table,
					   const Datum *keys, int key_count, Snapshot snapshot)
{
	row_version_scan_begin_from(scan, table, keys, key_count, 0, snapshot);
}

/*
 * A scan for the latest snapshot would take predicate locks on pages of the
 * index, and serializable transactions that have nothing to do with each other
 * would conflict.  So the scan takes every row, and the snapshot judges it.
 */
void
row_version_scan_begin_latest(RowVersionScan *scan, const char *table,
							  const Datum *keys, int key_count)
{
	Snapshot	latest = RegisterSnapshot(GetLatestSnapshot());

	row_version_scan_begin(scan, table, keys, key_count, SnapshotAny);
	scan->latest = latest;
}

bool
row_version_scan_next(RowVersionScan *scan)
{
	while (index_getnext_slot(scan->scan, BackwardScanDirection, scan->slot))
	{
		if (scan->latest &&
			!table_tuple_satisfies_snapshot(scan->relation, scan->slot,
											scan->latest))
			continue;
		slot_getallattrs(scan->slot);
		return true;
	}
	return false;
}

void
row_version_scan_end(RowVersionScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);

	/*
	 * The lock stays: a row version that was read must not be moved by VACUUM
	 * FULL before it is deleted.
	 */
	table_close(scan->relation, NoLock);
	if (scan->latest)
		UnregisterSnapshot(scan->latest);
}

void
row_version_replace(const char *table, Datum *values, bool *nulls, int count,
					ItemPointer row)
{
	Relation	relation = table_open(catalog_relation_oid(table),
									  RowExclusiveLock);
	RowInserter inserter;
	ItemPointerData old_row = *row;

	row_inserter_begin(&inserter, relation, count);
	row_inserter_insert(&inserter, values, nulls, row);
	row_inserter_end(&inserter);
	if (ItemPointerIsValid(&old_row))
		simple_table_tuple_delete(relation, &old_row, SnapshotAny);
	table_close(relation, NoLock);

	/* The same statement may replace it again, and must find this row. */
	CommandCounterIncrement();
}

void
row_version_delete(const char *table, ItemPointer row)
{
	Relation	relation = table_open(catalog_relation_oid(table),
									  RowExclusiveLock);

	simple_table_tuple_delete(relation, row, SnapshotAny);
	table_close(relation, NoLock);
	CommandCounterIncrement();
}
