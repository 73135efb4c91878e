/*-------------------------------------------------------------------------
 *
 * header.c
 *		Record headers as SQL values: topic.header[] and jsonb.
 *
 * As jsonb, headers are an array of [key, value] pairs, which keeps their
 * order and repeated keys; a plain object is taken too.  A value is a string
 * or null.  Bytes that are no text become {"hex": "..."}, so that nothing is
 * lost on the way from one topic to another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "catalog.h"
#include "compat.h"
#include "header.h"
#include "record_text.h"

PG_FUNCTION_INFO_V1(topic_headers_to_jsonb);

TupleDesc
header_tuple_desc(void)
{
	Oid			namespace = get_namespace_oid(CATALOG_SCHEMA, false);
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									   CStringGetDatum("header"),
									   ObjectIdGetDatum(namespace));

	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);

	if (desc->natts != 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s.header must have two attributes",
						CATALOG_SCHEMA)));
	return desc;
}

static void
report_bad_header_key(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("header key is not valid UTF-8 text")));
}

Datum
headers_to_array(const Record *record, TupleDesc header_type)
{
	RecordBytes rest = record->headers;
	RecordHeader header;
	Datum	   *elements = palloc(record->header_count * sizeof(Datum));
	int			count = 0;

	while (record_next_header(&rest, &header))
	{
		Datum		values[2];
		bool		nulls[2] = {false, header.value.length < 0};

		if (!is_record_text(header.key))
			report_bad_header_key();
		values[0] = CStringGetTextDatum(record_text_to_server(header.key));
		values[1] = nulls[1] ? (Datum) 0 : record_bytes_to_bytea(header.value);
		elements[count++] =
			HeapTupleHeaderGetDatum(heap_form_tuple(header_type, values,
													nulls)->t_data);
	}
	return PointerGetDatum(construct_array(elements, count,
										   header_type->tdtypeid, -1, false,
										   TYPALIGN_DOUBLE));
}

static void
push_string(JsonbParseState **state, JsonbIteratorToken token,
			const char *text, int length)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = length;
	(void) pushJsonbValue(state, token, &value);
}

/* UTF-8 text as a JSON string; false if the bytes are not that. */
static bool
push_utf8(JsonbParseState **state, RecordBytes bytes)
{
	char	   *text;

	if (!is_record_text(bytes))
		return false;
	text = record_text_to_server(bytes);
	push_string(state, WJB_ELEM, text, strlen(text));
	return true;
}

static void
push_header(JsonbParseState **state, const RecordHeader *header)
{
	JsonbValue	null_value = {.type = jbvNull};

	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (!push_utf8(state, header->key))
		report_bad_header_key();
	if (header->value.length < 0)
		(void) pushJsonbValue(state, WJB_ELEM, &null_value);
	else if (!push_utf8(state, header->value))
	{
		char	   *hex = palloc(header->value.length * 2);
		uint64		length = hex_encode(header->value.data,
										header->value.length, hex);

		(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_string(state, WJB_KEY, "hex", 3);
		push_string(state, WJB_VALUE, hex, length);
		(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

Datum
headers_to_jsonb(const Record *record)
{
	JsonbParseState *state = NULL;
	RecordBytes rest = record->headers;
	RecordHeader header;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	while (record_next_header(&rest, &header))
		push_header(&state, &header);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state,
														   WJB_END_ARRAY,
														   NULL)));
}

Datum
headers_array_to_jsonb(Datum headers)
{
	ArrayType  *array = DatumGetArrayTypeP(headers);
	JsonbParseState *state = NULL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE,
					  &elements, &nulls, &count);
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		RecordHeader header = {.value = {NULL, -1}};
		HeapTupleHeader tuple;
		Datum		datum;
		bool		isnull = true;

		if (!nulls[i])
		{
			tuple = DatumGetHeapTupleHeader(elements[i]);
			datum = GetAttributeByNum(tuple, 1, &isnull);
		}
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("header key must not be null")));
		header.key = record_text_from_server(VARDATA_ANY(DatumGetTextPP(datum)),
											 VARSIZE_ANY_EXHDR(DatumGetTextPP(datum)));

		datum = GetAttributeByNum(tuple, 2, &isnull);
		if (!isnull)
		{
			bytea	   *value = DatumGetByteaPP(datum);

			header.value.data = VARDATA_ANY(value);
			header.value.length = VARSIZE_ANY_EXHDR(value);
		}
		push_header(&state, &header);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state,
														   WJB_END_ARRAY,
														   NULL)));
}

/*
 * headers_to_jsonb(headers topic.header[]) returns jsonb
 */
Datum
topic_headers_to_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(headers_array_to_jsonb(PG_GETARG_DATUM(0)));
}

static void
report_bad_headers(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid headers"),
			 errdetail("%s", detail),
			 errhint("Headers are an array of [key, value] pairs or an object; a value is a string, a number, a boolean, null, or {\"hex\": \"...\"}.")));
}

/* The bytes of {"hex": "..."}. */
static RecordBytes
hex_object_bytes(JsonbContainer *object)
{
	JsonbValue	member;
	RecordBytes bytes;
	char	   *decoded;

	if (JsonContainerSize(object) != 1 ||
		!getKeyJsonValueFromContainer(object, "hex", 3, &member) ||
		member.type != jbvString)
		report_bad_headers("A header's value is an object other than {\"hex\": \"...\"}.");

	decoded = palloc(member.val.string.len / 2 + 1);
	bytes.length = hex_decode(member.val.string.val, member.val.string.len,
							  decoded);
	bytes.data = decoded;
	return bytes;
}

static RecordBytes
header_value_bytes(JsonbValue *value)
{
	RecordBytes null_bytes = {NULL, -1};
	char	   *text;

	switch (value->type)
	{
		case jbvNull:
			return null_bytes;
		case jbvString:
			/* palloc'd: the iterator's memory may go. */
			text = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			text = DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
			break;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			break;
		case jbvBinary:
			if (JsonContainerIsObject(value->val.binary.data))
				return hex_object_bytes(value->val.binary.data);
			/* FALLTHROUGH */
		default:
			report_bad_headers("A header's value is an array.");
			pg_unreachable();
	}
	return record_text_from_server(text, strlen(text));
}

static void
add_header(RecordHeader *header, JsonbValue *key, JsonbValue *value)
{
	char	   *text = pnstrdup(key->val.string.val, key->val.string.len);

	header->key = record_text_from_server(text, strlen(text));
	header->value = header_value_bytes(value);
}

/* An element of the outer array: [key, value]. */
static void
add_pair(RecordHeader *header, JsonbValue *element)
{
	JsonbValue *key;
	JsonbValue *value;

	if (element->type != jbvBinary ||
		!JsonContainerIsArray(element->val.binary.data) ||
		JsonContainerSize(element->val.binary.data) != 2)
		report_bad_headers("An element of the array is not a [key, value] pair.");
	key = getIthJsonbValueFromContainer(element->val.binary.data, 0);
	value = getIthJsonbValueFromContainer(element->val.binary.data, 1);
	if (key->type != jbvString)
		report_bad_headers("A header's key is not a string.");
	add_header(header, key, value);
}

int
headers_from_jsonb(Jsonb *json, RecordHeader **headers)
{
	int			count = JB_ROOT_COUNT(json);
	int			added = 0;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key = {.type = jbvNull};
	JsonbValue	value;

	if (JB_ROOT_IS_SCALAR(json))
		report_bad_headers("They are neither an array nor an object.");

	*headers = palloc(Max(count, 1) * sizeof(RecordHeader));
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token == WJB_VALUE)
			add_header(&(*headers)[added++], &key, &value);
		else if (token == WJB_ELEM)
			add_pair(&(*headers)[added++], &value);
	}
	return added;
}
