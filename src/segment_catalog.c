/*-------------------------------------------------------------------------
 *
 * segment_catalog.c
 *		The table of segments, for those who change it.
 *
 * Whoever changes the segments of a topic holds a ShareUpdateExclusiveLock on
 * its relation, which neither producers nor consumers notice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "compat.h"
#include "segment_catalog.h"

/* A bigint[] of one element for each partition; NO_TIMESTAMP is NULL. */
static Datum
bigint_array(const int64 *elements, int count)
{
	Datum	   *values = palloc(count * sizeof(Datum));
	bool	   *nulls = palloc(count * sizeof(bool));
	int			lower_bound = 1;

	for (int i = 0; i < count; i++)
	{
		values[i] = Int64GetDatum(elements[i]);
		nulls[i] = elements[i] == NO_TIMESTAMP;
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &count,
											  &lower_bound, INT8OID,
											  sizeof(int64), FLOAT8PASSBYVAL,
											  TYPALIGN_DOUBLE));
}

/* The reverse; what the array does not have is left as it is. */
static void
read_bigint_array(Datum datum, int64 *elements, int max_count)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(datum), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls,
					  &count);
	for (int i = 0; i < Min(count, max_count); i++)
		elements[i] = nulls[i] ? NO_TIMESTAMP : DatumGetInt64(values[i]);
}

/* Columns of the query in segment_infos(). */
enum
{
	COLUMN_SEGMENT,
	COLUMN_GENERATION,
	COLUMN_BASE_OFFSETS,
	COLUMN_CREATED_AT,
	COLUMN_SEALED_AT,
	COLUMN_RETIRED_AT,
	COLUMN_SETTLED_AT,
	COLUMN_FROZEN_AT,
	COLUMN_ROWS,
	COLUMN_BATCH_BYTES,
	COLUMN_RECORD_COUNTS,
	COLUMN_RAW_BYTES,
	COLUMN_MAX_TIMESTAMPS,
	COLUMN_DELETE_HORIZON,
	COLUMN_COMPACTED,
	COLUMN_COUNT
};

static SegmentInfo *
read_segment_info(const Topic *topic, HeapTuple tuple, TupleDesc columns)
{
	SegmentInfo *info = palloc0(sizeof(SegmentInfo));
	Datum		values[COLUMN_COUNT];
	bool		nulls[COLUMN_COUNT];
	ArrayType  *base_offsets;

	heap_deform_tuple(tuple, columns, values, nulls);
	info->segment.number = DatumGetInt32(values[COLUMN_SEGMENT]);
	info->segment.generation = DatumGetInt32(values[COLUMN_GENERATION]);
	base_offsets = DatumGetArrayTypePCopy(values[COLUMN_BASE_OFFSETS]);
	info->segment.base_count = ArrayGetNItems(ARR_NDIM(base_offsets),
											  ARR_DIMS(base_offsets));
	info->segment.base_offsets = (int64 *) ARR_DATA_PTR(base_offsets);
	info->relid = get_relname_relid(segment_table_name(topic->id,
													   info->segment.number,
													   info->segment.generation),
									log_namespace_oid());
	info->retired = !nulls[COLUMN_RETIRED_AT];
	info->active = nulls[COLUMN_SEALED_AT] && !info->retired;
	info->created_at = DatumGetTimestampTz(values[COLUMN_CREATED_AT]);
	info->sealed_at = nulls[COLUMN_SEALED_AT] ? 0
		: DatumGetTimestampTz(values[COLUMN_SEALED_AT]);
	info->delete_horizon = nulls[COLUMN_DELETE_HORIZON] ? NO_DELETE_HORIZON
		: DatumGetInt64(values[COLUMN_DELETE_HORIZON]);
	info->compacted = DatumGetBool(values[COLUMN_COMPACTED]);

	info->frozen = !nulls[COLUMN_FROZEN_AT];
	if (!nulls[COLUMN_SETTLED_AT])
	{
		SegmentStats *stats = segment_stats_create(topic->partitions);

		stats->rows = DatumGetInt64(values[COLUMN_ROWS]);
		read_bigint_array(values[COLUMN_RECORD_COUNTS], stats->record_counts,
						  stats->partition_count);
		read_bigint_array(values[COLUMN_BATCH_BYTES], stats->partition_bytes,
						  stats->partition_count);
		for (int i = 0; i < stats->partition_count; i++)
			stats->batch_bytes += stats->partition_bytes[i];
		read_bigint_array(values[COLUMN_RAW_BYTES], stats->raw_bytes,
						  stats->partition_count);
		read_bigint_array(values[COLUMN_MAX_TIMESTAMPS],
						  stats->max_timestamps, stats->partition_count);
		info->stats = stats;
	}
	return info;
}

List *
segment_infos(Topic *topic)
{
	MemoryContext caller_context = CurrentMemoryContext;
	List	   *infos = NIL;
	SavedUser	saved = become_extension_owner();

	catalog_spi_connect();
	catalog_spi_execute(psprintf("SELECT segment, generation, base_offsets, "
								 "created_at, sealed_at, retired_at, settled_at, "
								 "frozen_at, rows, batch_bytes, record_counts, "
								 "raw_bytes, max_timestamps, delete_horizon, "
								 "compacted "
								 "FROM topic.segments "
								 "WHERE topic_id OPERATOR(pg_catalog.=) %d "
								 "ORDER BY segment, generation", topic->id),
						0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		MemoryContext old_context = MemoryContextSwitchTo(caller_context);

		infos = lappend(infos, read_segment_info(topic, SPI_tuptable->vals[i],
												 SPI_tuptable->tupdesc));
		MemoryContextSwitchTo(old_context);
	}
	SPI_finish();
	restore_user(saved);
	return infos;
}

#define STATS_COLUMNS	5

static void
stats_values(const SegmentStats *stats, Datum *values)
{
	values[0] = Int64GetDatum(stats->rows);
	values[1] = bigint_array(stats->partition_bytes, stats->partition_count);
	values[2] = bigint_array(stats->record_counts, stats->partition_count);
	values[3] = bigint_array(stats->raw_bytes, stats->partition_count);
	values[4] = bigint_array(stats->max_timestamps, stats->partition_count);
}

/* Parameters $1 to $3 of every change name the segment. */
#define THIS_SEGMENT \
	" WHERE topic_id OPERATOR(pg_catalog.=) $1" \
	" AND segment OPERATOR(pg_catalog.=) $2" \
	" AND generation OPERATOR(pg_catalog.=) $3"

#define MAX_PARAMETERS	14

static const Oid parameter_types[MAX_PARAMETERS] = {
	INT4OID, INT4OID, INT4OID, INT8OID, INT8ARRAYOID, INT8ARRAYOID,
	INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	INT8OID, TIMESTAMPTZOID, BOOLOID
};

static void
change_segment(const char *command, const Topic *topic,
			   const Segment *segment, int parameters, Datum *values,
			   const char *nulls)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[MAX_PARAMETERS];

	memcpy(types, parameter_types, sizeof(types));
	values[0] = Int32GetDatum(topic->id);
	values[1] = Int32GetDatum(segment->number);
	values[2] = Int32GetDatum(segment->generation);
	if (catalog_execute_with_args(command, parameters, types, values,
								  nulls) != 1)
		elog(ERROR, "segment %d of topic \"%s\" has changed",
			 segment->number, topic->name);
	restore_user(saved);
}

void
insert_segment(const Topic *topic, const SegmentInfo *info)
{
	Datum		values[MAX_PARAMETERS] = {0};
	char		nulls[MAX_PARAMETERS];

	memset(nulls, ' ', sizeof(nulls));
	if (info->stats)
		stats_values(info->stats, &values[3]);
	else
		memset(&nulls[3], 'n', STATS_COLUMNS);
	values[8] = bigint_array(info->segment.base_offsets,
							 info->segment.base_count);
	values[9] = TimestampTzGetDatum(info->created_at);
	values[10] = TimestampTzGetDatum(info->sealed_at);
	if (info->active)
		nulls[10] = 'n';
	values[11] = Int64GetDatum(info->delete_horizon);
	if (info->delete_horizon == NO_DELETE_HORIZON)
		nulls[11] = 'n';
	values[12] = TimestampTzGetDatum(GetCurrentTimestamp());
	if (!info->stats)
		nulls[12] = 'n';
	values[13] = BoolGetDatum(info->compacted);
	change_segment("INSERT INTO topic.segments (topic_id, segment, generation, "
				   "rows, batch_bytes, record_counts, raw_bytes, max_timestamps, "
				   "base_offsets, created_at, sealed_at, delete_horizon, "
				   "settled_at, frozen_at, compacted) VALUES ($1, $2, $3, $4, "
				   "$5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14)",
				   topic, &info->segment, 14, values, nulls);
}

/* Say in a column that something happens to a segment now. */
static void
set_segment_time(const Topic *topic, const Segment *segment,
				 const char *column)
{
	Datum		values[3];

	change_segment(psprintf("UPDATE topic.segments SET %s = "
							"pg_catalog.clock_timestamp()" THIS_SEGMENT,
							column), topic, segment, 3, values, NULL);
}

void
seal_active_segment(const Topic *topic)
{
	set_segment_time(topic, active_segment(topic), "sealed_at");
}

void
set_segment_settled(const Topic *topic, const Segment *segment,
					const SegmentStats *stats)
{
	Datum		values[3 + STATS_COLUMNS];

	stats_values(stats, &values[3]);
	change_segment("UPDATE topic.segments "
				   "SET settled_at = pg_catalog.clock_timestamp(), rows = $4, "
				   "batch_bytes = $5, record_counts = $6, raw_bytes = $7, "
				   "max_timestamps = $8" THIS_SEGMENT,
				   topic, segment, lengthof(values), values, NULL);
}

void
set_segment_frozen(const Topic *topic, const Segment *segment)
{
	set_segment_time(topic, segment, "frozen_at");
}

void
retire_segment(const Topic *topic, const Segment *segment)
{
	set_segment_time(topic, segment, "retired_at");
}

void
delete_segment(const Topic *topic, const Segment *segment)
{
	Datum		values[3];

	change_segment("DELETE FROM topic.segments" THIS_SEGMENT,
				   topic, segment, 3, values, NULL);
}

void
segments_changed(const Topic *topic)
{
	CacheInvalidateRelcacheByRelid(topic->relid);
	CommandCounterIncrement();
}
