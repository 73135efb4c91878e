/*-------------------------------------------------------------------------
 *
 * row_json.h
 *		Rows of a table as JSON text, many of them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ROW_JSON_H
#define TOPIC_ROW_JSON_H

#include "executor/tuptable.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

typedef enum JsonKind
{
	JSON_BOOLEAN,
	JSON_SMALLINT,
	JSON_INTEGER,
	JSON_BIGINT,
	JSON_NUMBER,				/* other numbers, unless they are NaN ... */
	JSON_TEXT,					/* text and what is stored like it */
	JSON_DATE_TIME,
	JSON_DOCUMENT,				/* json, jsonb */
	JSON_STRING,				/* what the output function gives */
	JSON_ANY					/* to_json() decides */
} JsonKind;

/* A column, and how its values become JSON. */
typedef struct JsonColumn
{
	AttrNumber	number;
	const char *label;			/* "name": */
	int			label_length;
	JsonKind	kind;
	Oid			type;			/* under domains */
	FmgrInfo	function;		/* output function, or to_json() */
} JsonColumn;

typedef struct RowJson
{
	int			column_count;
	bool		may_not_be_jsonb;	/* json admits what jsonb does not */
	bool		depends_on_settings;
	JsonColumn	columns[FLEXIBLE_ARRAY_MEMBER];
} RowJson;

/* For rows of at most so many columns, in the current memory context. */
extern RowJson *make_row_json(int max_columns);

/* Add the column of that number; it is shown by the name. */
extern void add_json_column(RowJson *row, AttrNumber number, const char *name,
							Oid type);

/*
 * Append a row as an object.  The text is that of row_to_json() in a session
 * with time zone UTC and default settings, whatever this session has; so equal
 * rows have equal texts.
 */
extern void append_row_json(StringInfo json, RowJson *row,
							TupleTableSlot *slot);

#endif							/* TOPIC_ROW_JSON_H */
