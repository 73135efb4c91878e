/*-------------------------------------------------------------------------
 *
 * segment_writer.c
 *		Filling a new segment with the rows that take the place of others.
 *
 * All rows are decided, so the hint that each carries (stable_offset.c) is
 * that of the whole prefix before it: 1 + the last offset of the row before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"

#include "compat.h"
#include "record_batch.h"
#include "row_inserter.h"
#include "segment_writer.h"

struct SegmentWriter
{
	const Segment *segment;
	Relation	relation;
	BulkInserter inserter;
	SegmentStats *stats;
	int			partition;		/* of the last row; -1: none yet */
	int64		next_offset;	/* after the last row */
	int64		timestamp_so_far;	/* the greatest of the partition */
};

SegmentWriter *
segment_writer_begin(const Topic *topic, Segment *segment)
{
	SegmentWriter *writer = palloc0(sizeof(SegmentWriter));

	writer->segment = segment;
	writer->relation = segment_open(topic, segment, RowExclusiveLock);
	writer->stats = segment_stats_create(topic->partitions);
	writer->partition = -1;
	bulk_inserter_begin(&writer->inserter, writer->relation,
						Natts_segment);
	return writer;
}

void
segment_writer_add(SegmentWriter *writer, int partition,
				   const SegmentRow *row, const struct varlena *batch)
{
	Size		length = VARSIZE(batch) - VARHDRSZ;
	Datum		values[Natts_segment];
	bool		nulls[Natts_segment] = {0};

	if (partition != writer->partition)
	{
		writer->partition = partition;
		writer->next_offset = segment_base_offset(writer->segment, partition);
		writer->timestamp_so_far = NO_TIMESTAMP;
	}
	Assert(row->base_offset >= writer->next_offset);
	writer->timestamp_so_far = Max(writer->timestamp_so_far,
								   row->max_timestamp);

	values[Anum_segment_partition - 1] = Int32GetDatum(partition);
	values[Anum_segment_record_count - 1] = Int32GetDatum(row->record_count);
	values[Anum_segment_base_offset - 1] = Int64GetDatum(row->base_offset);
	values[Anum_segment_last_offset - 1] = Int64GetDatum(row->last_offset);
	values[Anum_segment_max_timestamp - 1] =
		Int64GetDatum(row->max_timestamp);
	values[Anum_segment_timestamp_so_far - 1] =
		Int64GetDatum(writer->timestamp_so_far);
	values[Anum_segment_stable_offset - 1] =
		Int64GetDatum(writer->next_offset);
	values[Anum_segment_batch - 1] = PointerGetDatum(batch);
	bulk_inserter_insert(&writer->inserter, values, nulls);

	segment_stats_add(writer->stats, partition, row->record_count,
					  row->max_timestamp, length,
					  record_batch_raw_size(VARDATA(batch), length));
	writer->next_offset = row->last_offset + 1;
}

SegmentStats *
segment_writer_end(SegmentWriter *writer, int64 *disk_bytes)
{
	bulk_inserter_end(&writer->inserter);
	*disk_bytes = segment_disk_bytes(RelationGetRelid(writer->relation));
	table_close(writer->relation, NoLock);
	return writer->stats;
}
