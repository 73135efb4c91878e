/*-------------------------------------------------------------------------
 *
 * failed_attempt.c
 *		How often groups have failed to process a record.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "catalog.h"
#include "failed_attempt.h"

/* Run a command about a record; leaves SPI connected, for its result. */
static void
execute_for_record(SPIPlanPtr *plan, const char *command,
				   const char *group_id, const char *topic, int partition,
				   int64 offset)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, INT8OID};
	Datum		values[] = {
		CStringGetTextDatum(group_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition),
		Int64GetDatum(offset)
	};
	SavedUser	saved;

	catalog_spi_connect();
	saved = become_extension_owner();
	catalog_spi_execute_kept(plan, command, lengthof(types), types, values);
	restore_user(saved);
}

int
count_attempt(const char *group_id, const char *topic, int partition,
			  int64 offset)
{
	static SPIPlanPtr plan = NULL;
	int			attempts;
	bool		isnull;

	execute_for_record(&plan,
					   "INSERT INTO topic.failed_attempts AS a "
					   "(group_id, topic, partition, record_offset, attempts) "
					   "VALUES ($1, $2, $3, $4, 1) "
					   "ON CONFLICT (group_id, topic, partition, record_offset) "
					   "DO UPDATE SET attempts = a.attempts OPERATOR(pg_catalog.+) 1, "
					   "last_attempt_at = excluded.last_attempt_at "
					   "RETURNING attempts",
					   group_id, topic, partition, offset);
	attempts = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1,
										   &isnull));
	SPI_finish();
	return attempts;
}

void
forget_attempts(const char *group_id, const char *topic, int partition,
				int64 offset)
{
	static SPIPlanPtr plan = NULL;

	execute_for_record(&plan,
					   "DELETE FROM topic.failed_attempts "
					   "WHERE group_id OPERATOR(pg_catalog.=) $1 "
					   "AND topic OPERATOR(pg_catalog.=) $2 "
					   "AND partition OPERATOR(pg_catalog.=) $3 "
					   "AND record_offset OPERATOR(pg_catalog.=) $4",
					   group_id, topic, partition, offset);
	SPI_finish();
}

void
forget_partition_attempts(const char *group_id, const char *topic,
						  int partition)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID};
	Datum		values[] = {
		CStringGetTextDatum(group_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};
	SavedUser	saved = become_extension_owner();

	catalog_execute_with_args("DELETE FROM topic.failed_attempts "
							  "WHERE group_id OPERATOR(pg_catalog.=) $1 "
							  "AND topic OPERATOR(pg_catalog.=) $2 "
							  "AND partition OPERATOR(pg_catalog.=) $3",
							  lengthof(types), types, values, NULL);
	restore_user(saved);
}

uint64
forget_passed_attempts(int max_records)
{
	SavedUser	saved = become_extension_owner();
	uint64		count;

	count = catalog_execute(psprintf("DELETE FROM topic.failed_attempts "
									 "WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
									 "SELECT a.ctid FROM topic.failed_attempts a "
									 "JOIN topic.consumer_offsets c "
									 "ON c.group_id OPERATOR(pg_catalog.=) a.group_id "
									 "AND c.topic OPERATOR(pg_catalog.=) a.topic "
									 "AND c.partition OPERATOR(pg_catalog.=) a.partition "
									 "AND c.committed_offset OPERATOR(pg_catalog.>) a.record_offset "
									 "LIMIT %d FOR UPDATE OF a SKIP LOCKED))",
									 max_records));
	restore_user(saved);
	return count;
}
