/*-------------------------------------------------------------------------
 *
 * first_time.c
 *		first_time: the idempotent consumer.
 *
 * The mechanism is that of idempotency_key.c; a key is a group's own.
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
#include "idempotency_key.h"

PG_FUNCTION_INFO_V1(topic_first_time);

static KeyTable group_keys = {
	.name = "idempotency_keys",.owner = "group_id",.owner_type = TEXTOID
};

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

/*
 * first_time(group_id text, idempotency_key text, remember interval)
 * returns boolean
 */
Datum
topic_first_time(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *key = idempotency_key_argument(fcinfo, 1);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz expiry = expiry_argument(fcinfo, 2, now);
	SavedUser	saved;
	bool		is_new;

	PreventCommandIfReadOnly("first_time");
	use_group(group_id);

	catalog_spi_connect();
	saved = become_extension_owner();
	is_new = remember_key(&group_keys, CStringGetTextDatum(group_id), key, now,
						  expiry);
	restore_user(saved);
	SPI_finish();
	PG_RETURN_BOOL(is_new);
}

uint64
delete_expired_group_keys(int max_keys)
{
	return delete_expired_keys(&group_keys, max_keys);
}
