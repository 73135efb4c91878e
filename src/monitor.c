/*-------------------------------------------------------------------------
 *
 * monitor.c
 *		offsets, partition_sizes, disk_bytes, time_for_offset,
 *		open_transactions, claim_key: what the views show.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "claim.h"
#include "compat.h"
#include "log_reader.h"
#include "record_value.h"
#include "segment_catalog.h"
#include "stable_offset.h"

PG_FUNCTION_INFO_V1(topic_offsets);
PG_FUNCTION_INFO_V1(topic_partition_sizes);
PG_FUNCTION_INFO_V1(topic_disk_bytes);
PG_FUNCTION_INFO_V1(topic_time_for_offset);
PG_FUNCTION_INFO_V1(topic_open_transactions);
PG_FUNCTION_INFO_V1(topic_claim_key);
PG_FUNCTION_INFO_V1(topic_claim_key_bigint);

/*
 * offsets(topic text)
 * returns table(partition int, log_start_offset bigint,
 *				 last_stable_offset bigint, high_watermark bigint)
 */
Datum
topic_offsets(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		PartitionOffsets offsets;
		Datum		values[4];
		bool		nulls[4] = {0};

		partition_offsets(topic, partition, &offsets);
		values[0] = Int32GetDatum(partition);
		values[1] = Int64GetDatum(offsets.log_start_offset);
		values[2] = Int64GetDatum(offsets.last_stable_offset);
		values[3] = Int64GetDatum(offsets.high_watermark);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}

/*
 * What the log holds.  Segments that are settled have been counted; the others
 * are counted now.
 */
static SegmentStats *
log_stats(Topic *topic, Snapshot snapshot)
{
	SegmentStats *sum = segment_stats_create(topic->partitions);
	ListCell   *cell;

	foreach(cell, segment_infos(topic))
	{
		SegmentInfo *info = lfirst(cell);
		SegmentStats *stats = info->stats;

		if (info->retired)
			continue;
		if (!stats)
		{
			Relation	segment = segment_try_open(topic, &info->segment,
												   AccessShareLock);

			/* Retired and dropped just now. */
			if (!segment)
				continue;
			stats = segment_stats_collect(topic, segment, snapshot);
			table_close(segment, NoLock);
		}
		segment_stats_sum(sum, stats);
	}
	return sum;
}

/*
 * The timestamp of the first record of a partition at or after an offset, also
 * behind records of open transactions; NO_TIMESTAMP: none.
 */
static int64
first_timestamp(Topic *topic, int partition, int64 offset, Snapshot snapshot)
{
	LogRange	range = LOG_RANGE_ALL;
	LogReader  *reader;
	Record		record;
	int64		timestamp = NO_TIMESTAMP;

	range.from_offset = offset;
	reader = log_reader_begin(topic, partition, &range, snapshot);
	log_reader_skip_open(reader);
	if (log_reader_next(reader, &record))
		timestamp = record.timestamp;
	log_reader_end(reader);
	return timestamp;
}

static void
set_timestamp(int64 timestamp, Datum *value, bool *isnull)
{
	*isnull = timestamp == NO_TIMESTAMP;
	if (!*isnull)
		*value = TimestampTzGetDatum(record_timestamp_to(timestamp));
}

/*
 * partition_sizes(topic text)
 * returns table(partition int, records bigint, batch_bytes bigint,
 *				 raw_bytes bigint, oldest_timestamp timestamptz,
 *				 newest_timestamp timestamptz)
 */
Datum
topic_partition_sizes(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SegmentStats *stats = log_stats(topic, snapshot);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < topic->partitions; i++)
	{
		Datum		values[6];
		bool		nulls[6] = {0};

		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(stats->record_counts[i]);
		values[2] = Int64GetDatum(stats->partition_bytes[i]);
		values[3] = Int64GetDatum(stats->raw_bytes[i]);
		set_timestamp(first_timestamp(topic, i, 0, snapshot), &values[4],
					  &nulls[4]);
		set_timestamp(stats->max_timestamps[i], &values[5], &nulls[5]);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	UnregisterSnapshot(snapshot);
	PG_RETURN_NULL();
}

/*
 * disk_bytes(topic text) returns bigint
 *
 * Unlike pg_total_relation_size() this does not wait for who drops a segment.
 */
Datum
topic_disk_bytes(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	int64		bytes = 0;
	ListCell   *cell;

	foreach(cell, segment_infos(topic))
	{
		SegmentInfo *info = lfirst(cell);

		if (OidIsValid(info->relid))
			bytes += segment_disk_bytes(info->relid);
	}
	PG_RETURN_INT64(bytes);
}

/*
 * The first timestamp; none, with a warning, where the log is damaged: one
 * damaged batch should not hide every group's lag.
 */
static int64
first_readable_timestamp(Topic *topic, int partition, int64 offset,
						 Snapshot snapshot)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int64 timestamp = NO_TIMESTAMP;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		timestamp = first_timestamp(topic, partition, offset, snapshot);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		/* Whoever catches another error ends his own subtransaction only. */
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_DATA_CORRUPTED)
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg_internal("%s", error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return timestamp;
}

/*
 * time_for_offset(topic text, partition int, record_offset bigint)
 * returns timestamptz
 */
Datum
topic_time_for_offset(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	int			partition = PG_GETARG_INT32(1);
	int64		offset = bigint_argument(fcinfo, 2, "record_offset", 0, 0);
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	Snapshot	snapshot;
	int64		timestamp;

	check_partition(topic, partition);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	timestamp = first_readable_timestamp(topic, partition, offset, snapshot);
	UnregisterSnapshot(snapshot);
	if (timestamp < 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(record_timestamp_to(timestamp));
}

typedef struct OpenTransactionOutput
{
	ReturnSetInfo *result;
	int			partition;
} OpenTransactionOutput;

static void
emit_open_transaction(TransactionId xid, int64 first_offset, void *arg)
{
	OpenTransactionOutput *output = arg;
	Datum		values[3];
	bool		nulls[3] = {0};

	values[0] = Int32GetDatum(output->partition);
	values[1] = TransactionIdGetDatum(xid);
	values[2] = Int64GetDatum(first_offset);
	tuplestore_putvalues(output->result->setResult, output->result->setDesc,
						 values, nulls);
}

/*
 * open_transactions(topic text)
 * returns table(partition int, transaction xid, first_offset bigint)
 */
Datum
topic_open_transactions(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	OpenTransactionOutput output;

	InitMaterializedSRF(fcinfo, 0);
	output.result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		output.partition = partition;
		for_each_open_transaction(topic, partition, emit_open_transaction,
								  &output);
	}
	PG_RETURN_NULL();
}

/*
 * claim_key(group_id text, topic text) returns bigint
 */
Datum
topic_claim_key_bigint(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	Topic	   *topic = topic_lookup(text_argument(fcinfo, 1, "topic"));

	if (!topic)
		PG_RETURN_NULL();
	PG_RETURN_INT64((int64) claim_key(group_id, topic->id));
}

/*
 * claim_key(group_id text, topic text) returns oid
 *
 * For catalogs of version 0.1.0, whose claims had 32 bits.  None has now.
 */
Datum
topic_claim_key(PG_FUNCTION_ARGS)
{
	PG_RETURN_NULL();
}
