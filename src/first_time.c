/*-------------------------------------------------------------------------
 *
 * first_time.c
 *		first_time: the idempotent consumer.
 *
 * A key is a row, and the unique index does the rest: who inserts the same
 * key waits for the transaction that inserted it first, and the key is new if
 * that rolls back.  Nobody waits for those who only find that a key is there.
 * A key that has expired is deleted first.
 *
 * Under REPEATABLE READ and above, a key that is not in the transaction's
 * snapshot, but there by now, is error 40001: its effects are not in the
 * snapshot either.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "catalog.h"
#include "first_time.h"
#include "group.h"

PG_FUNCTION_INFO_V1(topic_first_time);

/* With the group's, it fits an entry of a B-tree. */
#define MAX_KEY_BYTES	1024

static char *
key_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *key = text_argument(fcinfo, number, "idempotency_key");

	if (key[0] == '\0' || strlen(key) > MAX_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency_key must have 1 to %d bytes",
						MAX_KEY_BYTES)));
	return key;
}

/* The time at which a key that comes `now` is forgotten. */
static TimestampTz
expiry_argument(FunctionCallInfo fcinfo, int number, TimestampTz now)
{
	TimestampTz expiry;

	if (PG_ARGISNULL(number))
		report_null_argument("remember");
	expiry = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
													 TimestampTzGetDatum(now),
													 PG_GETARG_DATUM(number)));
	if (expiry <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("remember must be greater than zero")));
	return expiry;
}

/* Insert the key unless it is there; waits for who is just inserting it. */
static bool
insert_key(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID};

	catalog_spi_execute_kept(&plan,
							 "INSERT INTO topic.idempotency_keys "
							 "(group_id, idempotency_key, expires_at) "
							 "VALUES ($1, $2, $3) "
							 "ON CONFLICT (group_id, idempotency_key) DO NOTHING",
							 lengthof(types), types, values);
	return SPI_processed > 0;
}

/* Delete the key if it has expired; waits for who is just doing that. */
static void
delete_key_if_expired(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};

	catalog_spi_execute_kept(&plan,
							 "DELETE FROM topic.idempotency_keys "
							 "WHERE group_id OPERATOR(pg_catalog.=) $1 "
							 "AND idempotency_key OPERATOR(pg_catalog.=) $2 "
							 "AND expires_at OPERATOR(pg_catalog.<=) $4",
							 lengthof(types), types, values);
}

/*
 * first_time(group_id text, idempotency_key text, remember interval)
 * returns boolean
 */
Datum
topic_first_time(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *key = key_argument(fcinfo, 1);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz expiry = expiry_argument(fcinfo, 2, now);
	Datum		values[4];
	SavedUser	saved;
	bool		is_new;

	PreventCommandIfReadOnly("first_time");
	use_group(group_id);

	values[0] = CStringGetTextDatum(group_id);
	values[1] = CStringGetTextDatum(key);
	values[2] = TimestampTzGetDatum(expiry);
	values[3] = TimestampTzGetDatum(now);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	saved = become_extension_owner();
	is_new = insert_key(values);
	if (!is_new)
	{
		/*
		 * If it is still there after this, it is valid: it was, or somebody
		 * else has given it meanwhile.
		 */
		delete_key_if_expired(values);
		is_new = insert_key(values);
	}
	restore_user(saved);
	SPI_finish();
	PG_RETURN_BOOL(is_new);
}

/* Keys that somebody else is just deleting are passed over. */
uint64
delete_expired_keys(int max_keys)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(GetCurrentTimestamp())};
	uint64		count;

	count = catalog_execute_with_args(psprintf("DELETE FROM topic.idempotency_keys "
											   "WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
											   "SELECT ctid FROM topic.idempotency_keys "
											   "WHERE expires_at OPERATOR(pg_catalog.<=) $1 "
											   "ORDER BY expires_at LIMIT %d "
											   "FOR UPDATE SKIP LOCKED))",
											   max_keys),
									  lengthof(types), types, values, NULL);
	restore_user(saved);
	return count;
}
