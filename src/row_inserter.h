/*-------------------------------------------------------------------------
 *
 * row_inserter.h
 *		Inserting rows into the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ROW_INSERTER_H
#define TOPIC_ROW_INSERTER_H

#include "nodes/execnodes.h"
#include "utils/rel.h"

typedef struct RowInserter
{
	EState	   *estate;
	ResultRelInfo *result_relation;
	TupleTableSlot *slot;
	Datum	   *values;
	bool	   *nulls;
} RowInserter;

/* The caller has opened the table with RowExclusiveLock. */
extern void row_inserter_begin(RowInserter *inserter, Relation relation);

/*
 * Insert a row, given its first attributes; others that the table may have got
 * meanwhile are null.
 */
extern void row_inserter_insert(RowInserter *inserter, Datum *values,
								bool *nulls, int count, ItemPointer tid);
extern void row_inserter_end(RowInserter *inserter);

#endif							/* TOPIC_ROW_INSERTER_H */
