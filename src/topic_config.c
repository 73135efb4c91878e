/*-------------------------------------------------------------------------
 *
 * topic_config.c
 *		Options of a topic that maintenance goes by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "duration.h"
#include "topic_config.h"

/* Columns of the query in read_topic_config(). */
enum
{
	COLUMN_CLEANUP_POLICY,
	COLUMN_RETENTION,
	COLUMN_RETENTION_BYTES,
	COLUMN_SEGMENT_BYTES,
	COLUMN_SEGMENT_AGE,
	COLUMN_TOMBSTONE_RETENTION,
	COLUMN_MIN_COMPACTION_LAG,
	COLUMN_MERGE_SMALL_BATCHES,
	COLUMN_RETAIN_UNTIL_CONSUMED,
	COLUMN_COUNT
};

static List *
text_array_list(Datum datum)
{
	List	   *list = NIL;
	Datum	   *elements;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(datum), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
		list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

static TopicConfig *
make_config(HeapTuple tuple, TupleDesc columns)
{
	TopicConfig *config = palloc0(sizeof(TopicConfig));
	Datum		values[COLUMN_COUNT];
	bool		nulls[COLUMN_COUNT];

	heap_deform_tuple(tuple, columns, values, nulls);
	config->delete_expired =
		strcmp(TextDatumGetCString(values[COLUMN_CLEANUP_POLICY]),
			   "compact") != 0;
	config->retention = nulls[COLUMN_RETENTION] ? CONFIG_NONE
		: interval_milliseconds(DatumGetIntervalP(values[COLUMN_RETENTION]));
	config->retention_bytes = nulls[COLUMN_RETENTION_BYTES] ? CONFIG_NONE
		: DatumGetInt64(values[COLUMN_RETENTION_BYTES]);
	config->segment_bytes = DatumGetInt64(values[COLUMN_SEGMENT_BYTES]);
	config->segment_age = nulls[COLUMN_SEGMENT_AGE] ? CONFIG_NONE
		: interval_milliseconds(DatumGetIntervalP(values[COLUMN_SEGMENT_AGE]));
	config->tombstone_retention =
		interval_milliseconds(DatumGetIntervalP(values[COLUMN_TOMBSTONE_RETENTION]));
	config->min_compaction_lag =
		interval_milliseconds(DatumGetIntervalP(values[COLUMN_MIN_COMPACTION_LAG]));
	config->merge_small_batches =
		DatumGetBool(values[COLUMN_MERGE_SMALL_BATCHES]);
	if (!nulls[COLUMN_RETAIN_UNTIL_CONSUMED])
		config->retain_until_consumed =
			text_array_list(values[COLUMN_RETAIN_UNTIL_CONSUMED]);
	return config;
}

TopicConfig *
read_topic_config(const Topic *topic)
{
	MemoryContext caller_context = CurrentMemoryContext;
	MemoryContext spi_context;
	TopicConfig *config;

	catalog_spi_connect();
	catalog_spi_execute(psprintf("SELECT cleanup_policy, retention, "
								 "retention_bytes, segment_bytes, segment_age, "
								 "tombstone_retention, min_compaction_lag, "
								 "merge_small_batches, retain_until_consumed "
								 "FROM topic.topics "
								 "WHERE topic_id OPERATOR(pg_catalog.=) %d",
								 topic->id), 0, NULL, NULL, NULL);
	if (SPI_processed != 1)
		report_unknown_topic(topic->name);
	spi_context = MemoryContextSwitchTo(caller_context);
	config = make_config(SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
	MemoryContextSwitchTo(spi_context);
	SPI_finish();
	return config;
}

/*
 * Retention drops whole segments, so where segment_bytes and segment_age say
 * nothing sharper, retention's own limits bound them.
 */
int64
segment_bytes_limit(const TopicConfig *config)
{
	if (!config->delete_expired || config->retention_bytes == CONFIG_NONE)
		return config->segment_bytes;
	return Min(config->segment_bytes, config->retention_bytes);
}

int64
segment_age_limit(const TopicConfig *config)
{
	if (!config->delete_expired || config->segment_age != CONFIG_NONE)
		return config->segment_age;
	return config->retention;
}
