/*-------------------------------------------------------------------------
 *
 * record_text.c
 *		Text in records, which is UTF-8, and in the database's encoding.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "compat.h"
#include "record_text.h"

bool
is_record_text(RecordBytes bytes)
{
	return pg_verify_mbstr(PG_UTF8, bytes.data, bytes.length, true);
}

char *
record_text_to_server(RecordBytes bytes)
{
	return pg_any_to_server(pnstrdup(bytes.data, bytes.length), bytes.length,
							PG_UTF8);
}

RecordBytes
record_text_from_server(const char *text, int length)
{
	RecordBytes bytes;

	bytes.data = pg_server_to_any(text, length, PG_UTF8);
	bytes.length = bytes.data == text ? length : strlen(bytes.data);
	return bytes;
}

Datum
record_bytes_to_bytea(RecordBytes bytes)
{
	bytea	   *result = palloc(VARHDRSZ + bytes.length);

	SET_VARSIZE(result, VARHDRSZ + bytes.length);
	memcpy(VARDATA(result), bytes.data, bytes.length);
	return PointerGetDatum(result);
}
