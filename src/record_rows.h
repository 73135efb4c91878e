/*-------------------------------------------------------------------------
 *
 * record_rows.h
 *		Records kept as rows, to be returned one by one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_ROWS_H
#define TOPIC_RECORD_ROWS_H

#include "executor/tuptable.h"

#include "record_value.h"

typedef struct RecordRows RecordRows;

/*
 * Keep the columns of the descriptor's rows: for each, which one it is of a
 * record, or RECORD_TOPIC.  All must stay where they are.  Lives in the current
 * memory context.
 */
extern RecordRows *record_rows_begin(TupleDesc desc, const int *columns);

/* Records of this topic come next. */
extern void record_rows_set_topic(RecordRows *rows, const Topic *topic);

extern void record_rows_add(RecordRows *rows, const RecordFormatter *formatter,
							const Record *record);

/*
 * Put the next row, or the previous one, into a virtual slot, where it is valid
 * until the next call; false at the end.
 */
extern bool record_rows_get(RecordRows *rows, bool forward,
							TupleTableSlot *slot);

/* Begin again with the first row. */
extern void record_rows_rewind(RecordRows *rows);
extern void record_rows_end(RecordRows *rows);

#endif							/* TOPIC_RECORD_ROWS_H */
