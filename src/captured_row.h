/*-------------------------------------------------------------------------
 *
 * captured_row.h
 *		Changes of a captured table's rows as records.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CAPTURED_ROW_H
#define TOPIC_CAPTURED_ROW_H

#include "executor/tuptable.h"
#include "utils/reltrigger.h"

#include "compat.h"
#include "topic.h"

/* What records tell of a row; the names of the argument `payload`. */
typedef enum CapturePayload
{
	PAYLOAD_DEBEZIUM,			/* what was before and after, and the
								 * operation */
	PAYLOAD_ROW					/* the row, or that there is none any more */
} CapturePayload;

extern const char *const capture_payload_names[];

/* Arguments of the triggers that capture. */
#define CAPTURE_ARGUMENT_TOPIC		0
#define CAPTURE_ARGUMENT_PAYLOAD	1
#define CAPTURE_ARGUMENT_COUNT		2

/*
 * How rows of one relation, a captured table or a partition of it, are sent to
 * a topic.
 */
typedef struct CapturedRows CapturedRows;

/*
 * The topic for the changes of a table, opened with the rights of the table's
 * owner.
 */
extern Topic *open_capture_topic(Oid table, const char *topic_name);

/*
 * Prepare to send rows of a relation in this statement: in the current memory
 * context, by the triggers that it has with that function for that topic.
 */
extern CapturedRows * captured_rows_begin(Relation relation, Oid function,
										  const char *topic_name);

/* A row was there before the capture began. */
extern void send_existing_row(CapturedRows * rows, TupleTableSlot *row);
extern void send_inserted_row(CapturedRows * rows, TupleTableSlot *row);

/* `is_gone`: only tell what the update has ended, not what it has made. */
extern void send_updated_row(CapturedRows * rows, TupleTableSlot *before,
							 TupleTableSlot *after, bool is_gone);
extern void send_deleted_row(CapturedRows * rows, TupleTableSlot *row);

/* The table is truncated.  False: each row is to be sent as deleted instead. */
extern bool send_truncation(CapturedRows * rows);

/* Call a function for each present row of a captured table and its partitions. */
typedef void (*SendRow) (CapturedRows * rows, TupleTableSlot *row);

extern void for_each_captured_row(Relation table, Oid function,
								  const char *topic_name, SendRow send_row);

#endif							/* TOPIC_CAPTURED_ROW_H */
