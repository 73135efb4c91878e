/*-------------------------------------------------------------------------
 *
 * stored_batch.c
 *		The record batch of a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "stored_batch.h"

void
report_damaged_batch(const RecordBatch *batch, const Topic *topic,
					 int partition)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("damaged record batch at offset " INT64_FORMAT
					" of partition %d of topic \"%s\"",
					batch->base_offset, partition, topic->name),
			 errdetail("%s.", batch->error)));
}

void
stored_batch_open(RecordBatch *batch, const Topic *topic, int partition,
				  int64 base_offset, int64 last_offset,
				  const struct varlena *bytes)
{
	if (!record_batch_open(batch, base_offset, VARDATA(bytes),
						   VARSIZE(bytes) - VARHDRSZ))
		report_damaged_batch(batch, topic, partition);
	if (base_offset + batch->last_offset_delta != last_offset)
	{
		batch->error = "last offset is not that of the row";
		report_damaged_batch(batch, topic, partition);
	}
}
