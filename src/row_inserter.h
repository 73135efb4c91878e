/*-------------------------------------------------------------------------
 *
 * row_inserter.h
 *		Inserting rows into the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ROW_INSERTER_H
#define TOPIC_ROW_INSERTER_H

#include "access/heapam.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

typedef struct RowInserter
{
	Relation	relation;
	int			columns;		/* that rows are given */
	Relation	index;			/* all that a plain table has; else NULL */
	EState	   *estate;			/* NULL until the executor is needed */
	ResultRelInfo *result_relation;
	TupleTableSlot *slot;
} RowInserter;

/*
 * The caller has opened the table with RowExclusiveLock.  Rows are given so many
 * columns; others that the table may have got meanwhile are null.
 */
extern void row_inserter_begin(RowInserter *inserter, Relation relation,
							   int columns);
extern void row_inserter_insert(RowInserter *inserter, Datum *values,
								bool *nulls, ItemPointer tid);
extern void row_inserter_end(RowInserter *inserter);

/* Rows that are collected before they are inserted. */
#define BULK_INSERT_ROWS	64

/*
 * Inserts rows into a table that this transaction has made: many at a time,
 * and frozen, so that everybody sees them who sees the table, and VACUUM has
 * nothing to do.
 */
typedef struct BulkInserter
{
	RowInserter rows;
	BulkInsertState state;
	TupleTableSlot *slots[BULK_INSERT_ROWS];
	int			count;			/* slots in use */
	Size		bytes;			/* of the rows in them */
} BulkInserter;

extern void bulk_inserter_begin(BulkInserter *inserter, Relation relation,
								int columns);
extern void bulk_inserter_insert(BulkInserter *inserter, Datum *values,
								 bool *nulls);
extern void bulk_inserter_end(BulkInserter *inserter);

#endif							/* TOPIC_ROW_INSERTER_H */
