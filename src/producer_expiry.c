/*-------------------------------------------------------------------------
 *
 * producer_expiry.c
 *		Forgetting what idempotent producers do not need any more.
 *
 * A producer has expired when it got no epoch and has produced nothing, in any
 * partition, for the time pg_topic.producer_retention.  It is deleted under
 * the lock that ends epochs, so a transaction that has just produced with it
 * fails when it commits.  A state is deleted under its own lock.
 *
 * These locks are tried and passed over.  They are held to the end of the
 * transaction, and the lock table is everybody's; so one transaction deletes a
 * limited number.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "produced_key.h"
#include "producer.h"
#include "producer_expiry.h"
#include "producer_state.h"
#include "transaction_lock.h"

/* How many producers, and how many states, are looked at in a transaction. */
#define EXPIRE_PRODUCERS	1000

/* How many keys are deleted in one. */
#define EXPIRE_KEYS			10000

/* In seconds, as Kafka's transactional.id.expiration.ms; -1: for ever. */
static int	producer_retention = 7 * SECS_PER_DAY;

/* Zero would delete every producer that is not at work just now. */
static bool
check_producer_retention(int *new_value, void **extra, GucSource source)
{
	if (*new_value != 0)
		return true;
	GUC_check_errdetail("It must be at least one second, or -1 to keep producers for ever.");
	return false;
}

void
producer_expiry_init(void)
{
	DefineCustomIntVariable("pg_topic.producer_retention",
							"Time after its last batch at which maintenance deletes an idempotent producer.",
							"-1 keeps them for ever.", &producer_retention,
							7 * SECS_PER_DAY, -1, INT_MAX, PGC_SIGHUP,
							GUC_UNIT_S, check_producer_retention, NULL, NULL);
}

static int64
int64_column(SPITupleTable *rows, uint64 row, int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(rows->vals[row], rows->tupdesc, column,
									   &isnull));
}

static int32
int32_column(SPITupleTable *rows, uint64 row, int column)
{
	bool		isnull;

	return DatumGetInt32(SPI_getbinval(rows->vals[row], rows->tupdesc, column,
									   &isnull));
}

/* Of a producer p: got no epoch and has produced nothing since $1. */
#define IS_EXPIRED \
	"p.initialized_at OPERATOR(pg_catalog.<) $1 " \
	"AND NOT EXISTS (SELECT FROM topic.producer_states s " \
	"WHERE s.producer_id OPERATOR(pg_catalog.=) p.producer_id " \
	"AND s.written_at OPERATOR(pg_catalog.>=) $1)"

/*
 * Delete a producer unless somebody is just committing with it, or has done so
 * since it was found: his retry must be told of that.
 */
static bool
delete_producer(int64 producer_id, Datum expired_before)
{
	LOCKTAG		tag;
	Oid			types[] = {TIMESTAMPTZOID, INT8OID};
	Datum		values[] = {expired_before, Int64GetDatum(producer_id)};

	set_epoch_lock_tag(&tag, producer_id);
	if (!transaction_lock_try(&tag))
		return false;
	catalog_spi_execute("DELETE FROM topic.producers p "
						"WHERE p.producer_id OPERATOR(pg_catalog.=) $2 "
						"AND " IS_EXPIRED,
						lengthof(types), types, values, NULL);
	return SPI_processed > 0;
}

/* Delete expired producers; true if there may be more. */
static bool
delete_expired_producers(void)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[1];
	SPITupleTable *producers;
	uint64		count;
	bool		deleted = false;

	if (producer_retention < 0)
		return false;
	values[0] = TimestampTzGetDatum(GetCurrentTimestamp() -
									producer_retention * USECS_PER_SEC);
	catalog_spi_execute(psprintf("SELECT p.producer_id FROM topic.producers p "
								 "WHERE " IS_EXPIRED
								 " ORDER BY p.producer_id LIMIT %d FOR UPDATE OF p SKIP LOCKED",
								 EXPIRE_PRODUCERS),
						lengthof(types), types, values, NULL);
	producers = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		deleted |= delete_producer(int64_column(producers, i, 1), values[0]);
	return deleted && count == EXPIRE_PRODUCERS;
}

/* Delete states of epochs that are over; true if there may be more. */
static bool
delete_ended_states(void)
{
	SPITupleTable *states;
	uint64		count;
	bool		deleted = false;

	catalog_spi_execute(psprintf("SELECT s.producer_id, s.producer_epoch, "
								 "s.topic_id, s.partition "
								 "FROM topic.producer_states s "
								 "WHERE NOT EXISTS (SELECT FROM topic.producers p "
								 "WHERE p.producer_id OPERATOR(pg_catalog.=) s.producer_id "
								 "AND p.producer_epoch OPERATOR(pg_catalog.=) s.producer_epoch) "
								 "LIMIT %d", EXPIRE_PRODUCERS),
						0, NULL, NULL, NULL);
	states = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		ProducerState state = {
			.producer_id = int64_column(states, i, 1),
			.producer_epoch = int32_column(states, i, 2),
			.topic_id = int32_column(states, i, 3),
			.partition = int32_column(states, i, 4)
		};

		CHECK_FOR_INTERRUPTS();
		deleted |= producer_state_delete(&state);
	}
	return deleted && count == EXPIRE_PRODUCERS;
}

bool
expire_producers(void)
{
	SavedUser	saved;
	bool		more;

	catalog_spi_connect();
	saved = become_extension_owner();
	more = delete_expired_producers();
	more |= delete_ended_states();
	restore_user(saved);
	SPI_finish();
	return more | (delete_expired_topic_keys(EXPIRE_KEYS) == EXPIRE_KEYS);
}
