/*-------------------------------------------------------------------------
 *
 * batch_packer.h
 *		Cutting a stream of records into batches that fill a page.
 *
 * For producers, whose records have consecutive offsets, counted from zero
 * since the log gives the real ones; and for whoever writes records of the log
 * anew, with the offsets that they have.
 *
 * As the record batch codec, this knows no SQL and can be linked alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_BATCH_PACKER_H
#define TOPIC_BATCH_PACKER_H

#include "record_batch.h"

/*
 * The finished batches are batches[0] to batches[count - 1]; they begin with
 * a varlena header.
 *
 * All memory is from the context that is current at each call.
 */
typedef struct BatchPacker
{
	RecordBatchBuilder *batches;
	int			count;
	size_t		bytes;			/* of the finished batches */

	/* The rest is the packer's own. */
	int			capacity;		/* of `batches` */
	CompressionCodec codec;
	size_t		max_size;		/* of a batch that fills a page */
	int32		partition_leader_epoch;
	int16		attributes;
	int64		delete_horizon;
	RecordBatchBuilder open;	/* the records of no finished batch */
	RecordBatchBuilder rest;	/* what is carried over, while `open` is cut */
	size_t		target;			/* size at which `open` is to be finished */
	int			attempts;		/* compressions of `open` that were too small */
	double		ratio;			/* of raw to compressed bytes, as last seen */
} BatchPacker;

/*
 * max_size is that of a batch, without the varlena header, that fills a page.
 * A single record that is larger gets a batch of its own.
 */
extern void batch_packer_init(BatchPacker *packer, CompressionCodec codec,
							  size_t max_size);

/*
 * What batches carry from now on; at first no leader epoch, no attributes and
 * no delete horizon.  If that is something else than before, the open batch
 * ends here.
 *
 * With RECORD_BATCH_LOG_APPEND_TIME all records of a batch have the greatest
 * timestamp of them.
 */
extern void batch_packer_set(BatchPacker *packer, int32 partition_leader_epoch,
							 int16 attributes, int64 delete_horizon);

/*
 * Add a record, whose offset must be greater than that of the one before; its
 * offset_delta is the packer's to fill in.  False if it is too large for any
 * batch.
 */
extern bool batch_packer_add(BatchPacker *packer, RecordInput *record,
							 int64 offset);

/*
 * Finish all records that were added.  The last batch extends to last_offset
 * if its last record does not: compaction may have dropped those behind it.
 */
extern void batch_packer_finish(BatchPacker *packer, int64 last_offset);

/* Forget the finished batches; their memory is used again. */
extern void batch_packer_clear(BatchPacker *packer);
extern void batch_packer_free(BatchPacker *packer);

#endif							/* TOPIC_BATCH_PACKER_H */
