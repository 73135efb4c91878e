/*-------------------------------------------------------------------------
 *
 * segment_roll.c
 *		The segment switch: sealing the active segment and opening the next.
 *
 * The switch takes every append lock of the topic, in partition order, and
 * keeps them to its commit; so nobody appends between the moment when it
 * reads the next offsets and the moment when everybody has been told of the
 * new segment.  Producers wait meanwhile, hence:
 *
 * - it is refused inside a transaction block, which could stay open;
 * - the new table is made before the first lock is taken;
 * - it commits without waiting for the disk.  Every append to the new segment
 *	 follows the switch in the WAL, so none can survive a crash without it.
 *
 * Two switches of a topic exclude each other by a ShareUpdateExclusiveLock on
 * its relation, which neither producers nor consumers notice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"

#include "arguments.h"
#include "catalog.h"
#include "log_append.h"
#include "segment.h"

PG_FUNCTION_INFO_V1(topic_roll_segment);

/* Has any record, of any transaction, been appended to the segment? */
static bool
segment_is_empty(const Topic *topic, Relation active)
{
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		SegmentRow	tail;

		if (segment_tail(active, partition, &tail))
			return false;
	}
	return true;
}

/* Take all append locks, and return the next offset of each partition. */
static Datum *
lock_partitions(const Topic *topic, Relation active)
{
	Datum	   *offsets = palloc(topic->partitions * sizeof(Datum));

	for (int partition = 0; partition < topic->partitions; partition++)
	{
		append_lock_acquire(topic, partition);
		offsets[partition] =
			Int64GetDatum(next_offset(active_segment(topic), active,
									  partition));
	}
	return offsets;
}

static void
insert_segment(const Topic *topic, int32 number, Datum *base_offsets)
{
	Oid			types[] = {INT4OID, INT4OID, INT8ARRAYOID};
	Datum		values[] = {
		Int32GetDatum(topic->id),
		Int32GetDatum(number),
		PointerGetDatum(construct_array(base_offsets, topic->partitions,
										INT8OID, sizeof(int64),
										FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))
	};

	catalog_execute_with_args("UPDATE topic.segments "
							  "SET sealed_at = pg_catalog.clock_timestamp() "
							  "WHERE topic_id OPERATOR(pg_catalog.=) $1 "
							  "AND sealed_at IS NULL", 1, types, values, NULL);
	catalog_execute_with_args("INSERT INTO topic.segments "
							  "(topic_id, segment, base_offsets) "
							  "VALUES ($1, $2, $3)", 3, types, values, NULL);
}

/*
 * roll_segment(topic text) returns boolean
 */
Datum
topic_roll_segment(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic;
	Relation	active;
	Datum	   *base_offsets;
	int32		number;
	SavedUser	saved;

	if (IsTransactionBlock() || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("topic.roll_segment() cannot run inside a transaction block"),
				 errdetail("Producers wait for it until it commits.")));

	topic = topic_open(name, ACL_NO_RIGHTS, ShareUpdateExclusiveLock);
	PreventCommandIfReadOnly("roll_segment");
	active = segment_open(topic, active_segment(topic), AccessShareLock);
	if (segment_is_empty(topic, active))
	{
		table_close(active, NoLock);
		PG_RETURN_BOOL(false);
	}

	saved = become_extension_owner();
	number = active_segment(topic)->number + 1;
	create_segment_table(topic->id, number);

	base_offsets = lock_partitions(topic, active);
	insert_segment(topic, number, base_offsets);
	restore_user(saved);
	CacheInvalidateRelcacheByRelid(topic->relid);
	CommandCounterIncrement();
	table_close(active, NoLock);

	(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	PG_RETURN_BOOL(true);
}
