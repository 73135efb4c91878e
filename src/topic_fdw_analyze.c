/*-------------------------------------------------------------------------
 *
 * topic_fdw_analyze.c
 *		ANALYZE of topics.<topic>.
 *
 * The sample is made of short runs of records, one at a random place of each
 * of as many equal stretches of the log; so it takes about as long for a large
 * topic as for a small one.  Offsets without a record count as what they are:
 * the fewer of them have one, the fewer records there are.
 *
 * ANALYZE keeps the sample in memory.  Of an ordinary table that is little, as
 * large values are in the TOAST table; of a topic they are in the records.  So
 * what is more than maintenance_work_mem is taken out again, evenly.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "stable_offset.h"
#include "topic_fdw.h"

/* Offsets in a run: about as many as a batch of small records has. */
#define RUN_OFFSETS		64

typedef struct RecordSample
{
	Topic	   *topic;
	TupleDesc	desc;
	RecordColumn *columns;		/* by attribute */
	RecordFormatter formatter;
	MemoryContext record_context;
	int64		offsets;		/* that were looked at */
	int64		records;		/* that were there */
	int			interval;		/* one of so many is in the sample */
	HeapTuple  *rows;
	int			count;
	Size		bytes;			/* of the rows */
} RecordSample;

/* Take every other row out of the sample. */
static void
thin_out(RecordSample *sample)
{
	int			kept = 0;

	for (int i = 0; i < sample->count; i++)
	{
		if (i % 2 == 0)
			sample->rows[kept++] = sample->rows[i];
		else
		{
			sample->bytes -= sample->rows[i]->t_len;
			heap_freetuple(sample->rows[i]);
		}
	}
	sample->count = kept;
	sample->interval *= 2;
}

static void
add_to_sample(RecordSample *sample, const Record *record)
{
	int			natts = sample->desc->natts;
	MemoryContext old_context;
	Datum	   *values;
	bool	   *nulls;
	HeapTuple	row;

	if (sample->records++ % sample->interval != 0)
		return;
	old_context = MemoryContextSwitchTo(sample->record_context);
	values = palloc0(natts * sizeof(Datum));
	nulls = palloc(natts * sizeof(bool));
	for (int i = 0; i < natts; i++)
	{
		nulls[i] = true;
		if (sample->columns[i] != RECORD_COLUMN_COUNT)
			values[i] = record_column(&sample->formatter, record,
									  sample->columns[i], &nulls[i]);
	}
	MemoryContextSwitchTo(old_context);
	row = heap_form_tuple(sample->desc, values, nulls);
	MemoryContextReset(sample->record_context);
	sample->rows[sample->count++] = row;
	sample->bytes += row->t_len;
	while (sample->count > 1 &&
		   sample->bytes > (Size) maintenance_work_mem * 1024)
		thin_out(sample);
}

/* Add the records of a range of offsets. */
static void
sample_run(RecordSample *sample, int partition, int64 from_offset,
		   int64 to_offset)
{
	LogRange	range = LOG_RANGE_ALL;
	LogReader  *reader;
	Record		record;

	range.from_offset = from_offset;
	range.to_offset = to_offset;
	sample->formatter.partition = partition;
	reader = log_reader_begin(sample->topic, partition, &range,
							  GetActiveSnapshot());
	while (log_reader_next(reader, &record))
	{
		CHECK_FOR_INTERRUPTS();
		add_to_sample(sample, &record);
	}
	log_reader_end(reader);
	sample->offsets += to_offset - from_offset;
}

/*
 * Add runs from all over the log, with as many offsets as there may be rows.
 * `length` is the number of offsets of all partitions.
 */
static void
sample_log(RecordSample *sample, const PartitionOffsets *partitions,
		   int64 length, int max_rows)
{
	int			runs = Max(max_rows / RUN_OFFSETS, 1);
	int			run_offsets = max_rows / runs;
	double		stretch = (double) length / runs;
	int			partition = 0;
	int64		start = 0;		/* where the partition begins, of `length` */

	for (int i = 0; i < runs; i++)
	{
		int64		place = (int64) (stretch * i +
									 (stretch - run_offsets) *
									 pg_prng_double(&pg_global_prng_state));
		const PartitionOffsets *offsets = &partitions[partition];
		int64		from_offset;

		while (place >= start + offsets->last_stable_offset -
			   offsets->log_start_offset && partition < sample->topic->partitions - 1)
		{
			start += offsets->last_stable_offset - offsets->log_start_offset;
			offsets = &partitions[++partition];
		}
		from_offset = offsets->log_start_offset + place - start;
		sample_run(sample, partition, from_offset,
				   Min(from_offset + run_offsets, offsets->last_stable_offset));
	}
}

/* Callback of ANALYZE: fill in up to max_rows rows, and return their number. */
static int
sample_records(Relation relation, int elevel, HeapTuple *rows, int max_rows,
			   double *total_rows, double *total_dead_rows)
{
	RecordSample sample = {.interval = 1,.rows = rows};
	PartitionOffsets *partitions;
	int64		length = 0;

	sample.topic = foreign_table_topic(RelationGetRelid(relation));
	sample.desc = RelationGetDescr(relation);
	sample.columns = foreign_table_columns(sample.topic, relation);
	sample.record_context = AllocSetContextCreate(CurrentMemoryContext,
												  "pg_topic sample",
												  ALLOCSET_DEFAULT_SIZES);
	record_formatter_init(&sample.formatter, sample.topic,
						  sample.topic->value_format);

	partitions = palloc(sample.topic->partitions * sizeof(PartitionOffsets));
	for (int i = 0; i < sample.topic->partitions; i++)
	{
		partition_offsets(sample.topic, i, &partitions[i]);
		length += partitions[i].last_stable_offset -
			partitions[i].log_start_offset;
	}

	if (length > max_rows)
		sample_log(&sample, partitions, length, max_rows);
	else
		for (int i = 0; i < sample.topic->partitions; i++)
			sample_run(&sample, i, partitions[i].log_start_offset,
					   partitions[i].last_stable_offset);

	*total_rows = sample.offsets > 0
		? rint((double) length * sample.records / sample.offsets) : 0;
	*total_dead_rows = 0;
	MemoryContextDelete(sample.record_context);
	ereport(elevel,
			(errmsg("\"%s\": sampled %d of an estimated %.0f records",
					RelationGetRelationName(relation), sample.count,
					*total_rows)));
	return sample.count;
}

bool
topic_analyze(Relation relation, AcquireSampleRowsFunc *function,
			  BlockNumber *pages)
{
	Topic	   *topic = topic_lookup_relation(RelationGetRelid(relation));

	/* ANALYZE of all tables is not to fail for one that a user made. */
	if (!topic)
		return false;
	*function = sample_records;
	*pages = log_pages(topic);
	return true;
}
