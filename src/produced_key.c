/*-------------------------------------------------------------------------
 *
 * produced_key.c
 *		Records that are produced once however often a producer tries, by keys
 *		that the topic remembers.
 *
 * The mechanism is that of idempotency_key.c.  The key is there before the
 * record is appended, so that nobody else appends it meanwhile; the record's
 * offset is added to it when there is one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog.h"
#include "idempotency_key.h"
#include "produced_key.h"
#include "record_append.h"

static KeyTable topic_keys = {
	.name = "produced_keys",.owner = "topic_id",.owner_type = INT4OID
};

static void
begin_owner_spi(SavedUser *saved)
{
	catalog_spi_connect();
	*saved = become_extension_owner();
}

static void
end_owner_spi(SavedUser saved)
{
	restore_user(saved);
	SPI_finish();
}

/* The offset that came with a key; false if the key has just been forgotten. */
static bool
find_offset(const Topic *topic, const char *key, int64 *record_offset)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT4OID, TEXTOID};
	Datum		values[] = {
		Int32GetDatum(topic->id), CStringGetTextDatum(key)
	};
	bool		isnull;

	catalog_spi_execute_kept(&plan,
							 "SELECT record_offset FROM topic.produced_keys "
							 "WHERE topic_id OPERATOR(pg_catalog.=) $1 "
							 "AND idempotency_key OPERATOR(pg_catalog.=) $2",
							 lengthof(types), types, values);
	if (SPI_processed == 0)
		return false;
	*record_offset = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												 SPI_tuptable->tupdesc, 1,
												 &isnull));
	return true;
}

/* When a key that comes `now` is forgotten; a long window lasts for ever. */
static TimestampTz
expiry_of(const Topic *topic, TimestampTz now)
{
	if (topic->idempotency_window >= (END_TIMESTAMP - now) / 1000)
		return DT_NOEND;
	return TimestampTzPlusMilliseconds(now, topic->idempotency_window);
}

/*
 * Remember the key, until *expiry; false if it is remembered, with an offset.
 */
static bool
begin_key(const Topic *topic, const char *key, TimestampTz *expiry,
		  int64 *record_offset)
{
	TimestampTz now = GetCurrentTimestamp();
	SavedUser	saved;
	bool		is_new;

	*expiry = expiry_of(topic, now);
	begin_owner_spi(&saved);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		is_new = remember_key(&topic_keys, Int32GetDatum(topic->id), key, now,
							  *expiry);
		if (is_new || find_offset(topic, key, record_offset))
			break;
	}
	end_owner_spi(saved);
	return is_new;
}

/*
 * Say where the record of a key is.  The row is there, and the command finds
 * it by its conflict: that takes no predicate locks, as a scan would, over
 * which serializable transactions with different keys would conflict.
 */
static void
set_offset(const Topic *topic, const char *key, TimestampTz expiry,
		   int partition, int64 record_offset)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT4OID, TEXTOID, TIMESTAMPTZOID, INT4OID, INT8OID};
	Datum		values[] = {
		Int32GetDatum(topic->id), CStringGetTextDatum(key),
		TimestampTzGetDatum(expiry), Int32GetDatum(partition),
		Int64GetDatum(record_offset)
	};
	SavedUser	saved;

	begin_owner_spi(&saved);
	catalog_spi_execute_kept(&plan,
							 "INSERT INTO topic.produced_keys "
							 "(topic_id, idempotency_key, expires_at, "
							 "partition, record_offset) "
							 "VALUES ($1, $2, $3, $4, $5) "
							 "ON CONFLICT (topic_id, idempotency_key) "
							 "DO UPDATE SET partition = excluded.partition, "
							 "record_offset = excluded.record_offset",
							 lengthof(types), types, values);
	end_owner_spi(saved);
}

int64
append_once(Topic *topic, const char *key, int partition, RecordInput *record)
{
	TimestampTz expiry;
	int64		record_offset;

	if (!begin_key(topic, key, &expiry, &record_offset))
		return record_offset;
	record_offset = append_records(topic, partition, record, 1);
	set_offset(topic, key, expiry, partition, record_offset);
	return record_offset;
}

uint64
delete_expired_topic_keys(int max_keys)
{
	return delete_expired_keys(&topic_keys, max_keys);
}
