/*-------------------------------------------------------------------------
 *
 * idempotency_key.c
 *		Keys that are remembered for a time: of several callers who give the
 *		same key, one is the first.
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
#include "utils/builtins.h"

#include "arguments.h"
#include "catalog.h"
#include "idempotency_key.h"

/* With the owner's name, it fits an entry of a B-tree. */
#define MAX_KEY_BYTES	1024

char *
idempotency_key_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *key = text_argument(fcinfo, number, "idempotency_key");

	if (key[0] == '\0' || strlen(key) > MAX_KEY_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency_key must have 1 to %d bytes",
						MAX_KEY_BYTES)));
	return key;
}

/* Insert the key unless it is there; waits for who is just inserting it. */
static bool
insert_key(KeyTable *table, Datum *values)
{
	Oid			types[] = {table->owner_type, TEXTOID, TIMESTAMPTZOID};

	catalog_spi_execute_kept(&table->insert,
							 psprintf("INSERT INTO topic.%s "
									  "(%s, idempotency_key, expires_at) "
									  "VALUES ($1, $2, $3) "
									  "ON CONFLICT (%s, idempotency_key) DO NOTHING",
									  table->name, table->owner, table->owner),
							 lengthof(types), types, values);
	return SPI_processed > 0;
}

/* Delete the key if it has expired; waits for who is just doing that. */
static void
delete_key_if_expired(KeyTable *table, Datum *values)
{
	Oid			types[] = {
		table->owner_type, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID
	};

	catalog_spi_execute_kept(&table->delete_expired,
							 psprintf("DELETE FROM topic.%s "
									  "WHERE %s OPERATOR(pg_catalog.=) $1 "
									  "AND idempotency_key OPERATOR(pg_catalog.=) $2 "
									  "AND expires_at OPERATOR(pg_catalog.<=) $4",
									  table->name, table->owner),
							 lengthof(types), types, values);
}

bool
remember_key(KeyTable *table, Datum owner, const char *key, TimestampTz now,
			 TimestampTz expiry)
{
	Datum		values[] = {
		owner, CStringGetTextDatum(key), TimestampTzGetDatum(expiry),
		TimestampTzGetDatum(now)
	};

	if (insert_key(table, values))
		return true;

	/*
	 * If it is still there after this, it is valid: it was, or somebody else
	 * has given it meanwhile.
	 */
	delete_key_if_expired(table, values);
	return insert_key(table, values);
}

/* Keys that somebody else is just deleting are passed over. */
uint64
delete_expired_keys(const KeyTable *table, int max_keys)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(GetCurrentTimestamp())};
	uint64		count;

	count = catalog_execute_with_args(psprintf("DELETE FROM topic.%s "
											   "WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
											   "SELECT ctid FROM topic.%s "
											   "WHERE expires_at OPERATOR(pg_catalog.<=) $1 "
											   "ORDER BY expires_at LIMIT %d "
											   "FOR UPDATE SKIP LOCKED))",
											   table->name, table->name,
											   max_keys),
									  lengthof(types), types, values, NULL);
	restore_user(saved);
	return count;
}
