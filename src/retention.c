/*-------------------------------------------------------------------------
 *
 * retention.c
 *		Taking segments out of the log, and dropping them; delete_records.
 *
 * Records go by whole segments, the oldest first, and never the active one.
 * So they are kept at least as long as retention says, and somewhat longer.
 * As in Kafka, a time limit looks at the greatest timestamp in a segment, and
 * a size limit removes a segment when what is left is still that large.
 *
 * First a segment is retired: readers with a newer snapshot do not read it any
 * more.  It is dropped when no snapshot is older than that (segment_list.c).
 *
 * delete_records moves the log start offset of one partition at once, for all
 * readers: like TRUNCATE it is not MVCC-safe.  A segment in which no partition
 * has anything after its log start goes the same way as an expired one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "catalog.h"
#include "compat.h"
#include "consumer_offset.h"
#include "errors.h"
#include "log_reader.h"
#include "retention.h"
#include "segment_list.h"
#include "stable_offset.h"

PG_FUNCTION_INFO_V1(topic_delete_records);

/*
 * Has the segment, before the next one, records of a partition from `offset`?
 * It has if it is locked, so that nobody can tell without waiting.
 */
static bool
has_records(Topic *topic, const SegmentInfo *info, const SegmentInfo *next,
			int partition, int64 offset)
{
	int64		start = log_start_offset(topic, NULL, partition);
	LogRange	range = LOG_RANGE_ALL;
	Snapshot	snapshot;
	LogReader  *reader;
	Record		record;
	bool		found;

	range.from_offset = Max(offset, start);
	range.to_offset = segment_base_offset(&next->segment, partition);
	if (info->stats->record_counts[partition] == 0 ||
		range.from_offset >= range.to_offset)
		return false;
	if (range.from_offset <= segment_base_offset(&info->segment, partition) ||
		!ConditionalLockRelationOid(info->relid, AccessShareLock))
		return true;

	/* Offsets may end in a gap that transactions left which rolled back. */
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	reader = log_reader_begin(topic, partition, &range, snapshot);
	found = log_reader_next(reader, &record);
	log_reader_end(reader);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * Has delete_records deleted all that is before the next segment?  That a
 * segment is empty does not do: what compaction has removed was not deleted,
 * and whoever has yet to read there has lost nothing.
 */
static bool
is_deleted(Topic *topic, const SegmentInfo *info, const SegmentInfo *next)
{
	bool		deleted = false;

	for (int i = 0; i < topic->partitions; i++)
	{
		if (has_records(topic, info, next, i, 0))
			return false;
		deleted |= log_start_offset(topic, NULL, i) >
			segment_base_offset(&info->segment, i);
	}
	return deleted;
}

/* Have the groups that retention waits for consumed the segment? */
static bool
is_consumed(Topic *topic, const TopicConfig *config,
			const SegmentInfo *info, const SegmentInfo *next)
{
	ListCell   *cell;

	foreach(cell, config->retain_until_consumed)
	{
		for (int i = 0; i < topic->partitions; i++)
		{
			ConsumerOffset committed;

			consumer_offset_read(lfirst(cell), topic->name, i,
								 GetActiveSnapshot(), &committed, NULL);
			if (has_records(topic, info, next, i,
							committed.found ? committed.committed_offset : 0))
				return false;
		}
	}
	return true;
}

/* Is the log larger than its limit by more than its oldest segment? */
static bool
exceeds_bytes(const TopicConfig *config, List *infos, const SegmentInfo *oldest)
{
	int64		bytes = 0;
	ListCell   *cell;

	if (config->retention_bytes == CONFIG_NONE)
		return false;
	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (!info->retired && info != oldest && OidIsValid(info->relid))
			bytes += segment_disk_bytes(info->relid);
	}
	return bytes >= config->retention_bytes;
}

SegmentInfo *
expired_segment(Topic *topic, const TopicConfig *config, List *infos,
				int64 now)
{
	SegmentInfo *oldest = NULL;
	SegmentInfo *next = NULL;
	ListCell   *cell;

	foreach(cell, infos)
	{
		SegmentInfo *info = lfirst(cell);

		if (info->retired)
			continue;
		if (!oldest)
			oldest = info;
		else if (!next)
			next = info;
	}

	/* Settled, it has no producers that have yet to commit. */
	if (!next || !oldest->stats)
		return NULL;
	if (is_deleted(topic, oldest, next))
		return oldest;
	if (!config->delete_expired)
		return NULL;
	if (exceeds_bytes(config, infos, oldest))
		return oldest;
	if (config->retention != CONFIG_NONE &&
		segment_stats_max_timestamp(oldest->stats) < now - config->retention &&
		is_consumed(topic, config, oldest, next))
		return oldest;
	return NULL;
}

bool
is_visible_to_all(TransactionId xid)
{
	Relation	segments;
	TransactionId horizon;

	if (!TransactionIdIsNormal(xid))
		return true;
	segments = table_open(catalog_relation_oid("segments"), AccessShareLock);
	horizon = GetOldestNonRemovableTransactionId(segments);
	table_close(segments, AccessShareLock);
	return TransactionIdPrecedes(xid, horizon);
}

void
drop_segment(const Topic *topic, const Segment *retired, Oid relid)
{
	if (OidIsValid(relid))
	{
		char	   *table = segment_table_name(topic->id, retired->number,
											   retired->generation);
		SavedUser	saved = become_extension_owner();

		catalog_execute(psprintf("DROP TABLE %s",
								 quote_qualified_identifier(LOG_SCHEMA,
															table)));
		restore_user(saved);
	}
	delete_segment(topic, retired);
	segments_changed(topic);
}

/* Make an offset the log start of a partition. */
static void
set_log_start(const Topic *topic, int partition, int64 offset)
{
	int			count = Max(topic->log_start_count, partition + 1);
	Datum	   *elements = palloc0(count * sizeof(Datum));
	Oid			types[] = {INT4OID, INT8ARRAYOID};
	Datum		values[2];
	SavedUser	saved;

	for (int i = 0; i < topic->log_start_count; i++)
		elements[i] = Int64GetDatum(topic->log_starts[i]);
	elements[partition] = Int64GetDatum(offset);
	values[0] = Int32GetDatum(topic->id);
	values[1] = PointerGetDatum(construct_array(elements, count, INT8OID,
												sizeof(int64), FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	saved = become_extension_owner();
	catalog_execute_with_args("UPDATE topic.topics SET log_start_offsets = $2 "
							  "WHERE topic_id OPERATOR(pg_catalog.=) $1",
							  2, types, values, NULL);
	restore_user(saved);
	segments_changed(topic);
}

/*
 * delete_records(topic text, partition int, before_offset bigint)
 * returns bigint
 */
Datum
topic_delete_records(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic;
	int			partition;
	int64		start;
	int64		end;
	int64		before_offset;

	if (PG_ARGISNULL(1))
		report_null_argument("partition");
	partition = PG_GETARG_INT32(1);
	before_offset = bigint_argument(fcinfo, 2, "before_offset", 0,
									PG_INT64_MAX);
	PreventCommandIfReadOnly("delete_records");

	topic = topic_open(name, ACL_NO_RIGHTS, ShareUpdateExclusiveLock);
	check_partition(topic, partition);
	start = log_start_offset(topic, NULL, partition);
	end = last_stable_offset(topic, partition);
	if (PG_ARGISNULL(2))
		before_offset = end;
	if (before_offset > end)
		report_out_of_range(topic, partition, before_offset, end);
	if (before_offset <= start)
		PG_RETURN_INT64(start);
	set_log_start(topic, partition, before_offset);
	PG_RETURN_INT64(before_offset);
}
