/*-------------------------------------------------------------------------
 *
 * row_json.c
 *		Rows of a table as JSON text, many of them.
 *
 * row_to_json() looks up each column's type for each row.  Here that is done
 * once, and the commonest types need no output function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "row_json.h"

RowJson *
make_row_json(int max_columns)
{
	return palloc0(offsetof(RowJson, columns) +
				   max_columns * sizeof(JsonColumn));
}

/* Does to_json() do more with values of a type than to quote them? */
static bool
is_structured(Oid type)
{
	Oid			cast_function;

	if (OidIsValid(get_element_type(type)) || type_is_rowtype(type))
		return true;

	/* It uses casts to json of types that are not built in. */
	return type >= FirstNormalObjectId &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT,
							  &cast_function) == COERCION_PATH_FUNC;
}

static JsonKind
json_kind(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return JSON_BOOLEAN;
		case INT2OID:
			return JSON_SMALLINT;
		case INT4OID:
			return JSON_INTEGER;
		case INT8OID:
			return JSON_BIGINT;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return JSON_NUMBER;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return JSON_TEXT;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return JSON_DATE_TIME;
		case JSONOID:
		case JSONBOID:
			return JSON_DOCUMENT;
		default:
			return is_structured(type) ? JSON_ANY : JSON_STRING;
	}
}

/*
 * May the text of a value depend on settings of the session?  Where that is
 * not known, it may.
 */
static bool
depends_on_settings(Oid type, JsonKind kind)
{
	if (kind == JSON_NUMBER)
		return type != NUMERICOID;
	if (kind != JSON_STRING)
		return kind == JSON_ANY;
	return type != UUIDOID && type != INETOID && type != CIDROID &&
		type != NAMEOID && type != TIMEOID && !type_is_enum(type);
}

/* Prepare a call of to_json(), which asks for the type of its argument. */
static void
use_to_json(FmgrInfo *function, Oid type)
{
	Const	   *argument = makeNullConst(type, -1, InvalidOid);

	fmgr_info(F_TO_JSON, function);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSON, JSONOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL),
					   function);
}

void
add_json_column(RowJson *row, AttrNumber number, const char *name, Oid type)
{
	JsonColumn *column = &row->columns[row->column_count++];
	StringInfoData label;

	initStringInfo(&label);
	if (row->column_count > 1)
		appendStringInfoChar(&label, ',');
	escape_json(&label, name);
	appendStringInfoChar(&label, ':');

	column->number = number;
	column->label = label.data;
	column->label_length = label.len;
	column->type = getBaseType(type);
	column->kind = json_kind(column->type);
	if (column->kind == JSON_ANY)
		use_to_json(&column->function, column->type);
	else
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(column->type, &output, &is_varlena);
		fmgr_info(output, &column->function);
	}

	row->may_not_be_jsonb |= column->type == JSONOID ||
		column->kind == JSON_ANY;
	row->depends_on_settings |= depends_on_settings(column->type, column->kind);
}

static void
append_text(StringInfo json, const char *text)
{
	appendBinaryStringInfo(json, text, strlen(text));
}

/*
 * Append a text value as a JSON string.  Most have nothing to escape, which is
 * quicker to look for than to copy them byte by byte.
 */
static void
append_text_value(StringInfo json, Datum value)
{
	struct varlena *string = PG_DETOAST_DATUM_PACKED(value);
	const char *data = VARDATA_ANY(string);
	int			length = VARSIZE_ANY_EXHDR(string);

	for (int i = 0; i < length; i++)
	{
		if ((unsigned char) data[i] < ' ' || data[i] == '"' || data[i] == '\\')
		{
			escape_json(json, pnstrdup(data, length));
			return;
		}
	}
	enlargeStringInfo(json, length + 2);
	appendStringInfoCharMacro(json, '"');
	appendBinaryStringInfo(json, data, length);
	appendStringInfoCharMacro(json, '"');
}

static void
append_value(StringInfo json, JsonColumn *column, Datum value)
{
	char		buffer[Max(MAXDATELEN, MAXINT8LEN) + 1];
	const int	utc = 0;

	switch (column->kind)
	{
		case JSON_BOOLEAN:
			append_text(json, DatumGetBool(value) ? "true" : "false");
			break;
		case JSON_SMALLINT:
			appendBinaryStringInfo(json, buffer,
								   pg_ltoa(DatumGetInt16(value), buffer));
			break;
		case JSON_INTEGER:
			appendBinaryStringInfo(json, buffer,
								   pg_ltoa(DatumGetInt32(value), buffer));
			break;
		case JSON_BIGINT:
			appendBinaryStringInfo(json, buffer,
								   pg_lltoa(DatumGetInt64(value), buffer));
			break;
		case JSON_NUMBER:
			{
				char	   *number = OutputFunctionCall(&column->function,
														value);

				if (IsValidJsonNumber(number, strlen(number)))
					append_text(json, number);
				else
					escape_json(json, number);
			}
			break;
		case JSON_TEXT:
			append_text_value(json, value);
			break;
		case JSON_DATE_TIME:
			JsonEncodeDateTime(buffer, value, column->type,
							   column->type == TIMESTAMPTZOID ? &utc : NULL);
			appendStringInfoChar(json, '"');
			append_text(json, buffer);
			appendStringInfoChar(json, '"');
			break;
		case JSON_DOCUMENT:
			append_text(json, OutputFunctionCall(&column->function, value));
			break;
		case JSON_STRING:
			escape_json(json, OutputFunctionCall(&column->function, value));
			break;
		case JSON_ANY:
			append_text(json,
						TextDatumGetCString(FunctionCall1(&column->function,
														  value)));
			break;
	}
}

/* Give a setting another value, up to the end of the GUC nest level. */
static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Put the settings on which texts of values depend to their standard, if they
 * are not.  Returns the GUC nest level to end, or 0.
 */
static int
use_standard_settings(void)
{
	bool		zone_is_utc = session_timezone &&
		strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0;
	int			level;

	if (zone_is_utc && DateStyle == USE_ISO_DATES &&
		IntervalStyle == INTSTYLE_POSTGRES && extra_float_digits >= 1 &&
		bytea_output == BYTEA_OUTPUT_HEX)
		return 0;

	level = NewGUCNestLevel();
	if (!zone_is_utc)
		set_locally("TimeZone", "UTC");
	if (DateStyle != USE_ISO_DATES)
		set_locally("DateStyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_locally("IntervalStyle", "postgres");
	if (extra_float_digits < 1)
		set_locally("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		set_locally("bytea_output", "hex");
	return level;
}

void
append_row_json(StringInfo json, RowJson *row, TupleTableSlot *slot)
{
	int			level = row->depends_on_settings ? use_standard_settings() : 0;

	slot_getallattrs(slot);
	appendStringInfoChar(json, '{');
	for (int i = 0; i < row->column_count; i++)
	{
		JsonColumn *column = &row->columns[i];

		appendBinaryStringInfo(json, column->label, column->label_length);
		if (slot->tts_isnull[column->number - 1])
			append_text(json, "null");
		else
			append_value(json, column, slot->tts_values[column->number - 1]);
	}
	appendStringInfoChar(json, '}');
	if (level > 0)
		AtEOXact_GUC(true, level);
}
