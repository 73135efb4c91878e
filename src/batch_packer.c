/*-------------------------------------------------------------------------
 *
 * batch_packer.c
 *		Cutting a stream of records into batches that fill a page.
 *
 * Without compression a batch ends before the record with which it would be
 * too large.  Nothing is copied: the builder that collected the records is
 * the batch.
 *
 * With compression the size is known only afterwards.  Records are collected
 * until they should fill a page by the ratio of the batches before; then they
 * are compressed.  If that turns out clearly too small, collecting goes on; if
 * too large, the batch ends at an earlier record and those behind it are
 * carried over into the next one.  Each is tried a bounded number of times,
 * which suffices: what is not larger than a page without compression always
 * fits.
 *
 *-------------------------------------------------------------------------
 */
#include "standalone.h"

#include "batch_packer.h"

/*
 * No batch of several records is larger than this before compression, so that
 * a reader needs no more memory for a batch.
 */
#define MAX_RAW_SIZE		((size_t) 256 * 1024)

/* How full a batch should be: aim at, and be content with. */
#define AIM_FILL			0.97
#define MIN_FILL			0.92

/* How often records are compressed to grow a batch, and how often to cut it. */
#define MAX_ATTEMPTS		3

/* The ratio of raw to compressed bytes before any is known. */
#define INITIAL_RATIO		3.0

/* Bytes left in front of a batch, for its varlena header. */
#define RESERVE				sizeof(int32)

void
batch_packer_init(BatchPacker *packer, CompressionCodec codec, size_t max_size)
{
	memset(packer, 0, sizeof(*packer));
	packer->codec = codec;
	packer->max_size = max_size;
	packer->partition_leader_epoch = RECORD_BATCH_NO_LEADER_EPOCH;
	packer->delete_horizon = RECORD_BATCH_NO_DELETE_HORIZON;
	packer->ratio = INITIAL_RATIO;
}

/*
 * How large a batch should be to fill a page once it is compressed, if it
 * compresses as well as what was compressed last.
 */
static size_t
raw_size_to_fill(const BatchPacker *packer)
{
	double		size = RECORD_BATCH_HEADER_SIZE + packer->ratio * AIM_FILL *
		(packer->max_size - RECORD_BATCH_HEADER_SIZE);

	if (size < packer->max_size)
		return packer->max_size;
	return size < MAX_RAW_SIZE ? (size_t) size : MAX_RAW_SIZE;
}

static void
set_target(BatchPacker *packer)
{
	packer->attempts = 0;
	packer->target = packer->codec == COMPRESSION_NONE
		? packer->max_size : raw_size_to_fill(packer);
}

/* Start a batch with a record of that offset. */
static void
start_batch(BatchPacker *packer, int64 offset)
{
	RecordBatchBuilder *open = &packer->open;

	if (open->buffer == NULL)
		record_batch_builder_init(open, RESERVE);
	open->base_offset = offset;
	record_batch_set_delete_horizon(open, packer->delete_horizon);
	set_target(packer);
}

/* The next place for a finished batch; its builder may have no buffer yet. */
static RecordBatchBuilder *
next_batch(BatchPacker *packer)
{
	if (packer->count == packer->capacity)
	{
		int			capacity = Max(packer->capacity * 2, 4);
		size_t		size = capacity * sizeof(RecordBatchBuilder);

		packer->batches = packer->batches == NULL
			? palloc(size) : repalloc(packer->batches, size);
		memset(packer->batches + packer->capacity, 0,
			   (capacity - packer->capacity) * sizeof(RecordBatchBuilder));
		packer->capacity = capacity;
	}
	return &packer->batches[packer->count];
}

/* The open batch is finished as it is. */
static void
finish_raw(BatchPacker *packer)
{
	RecordBatchBuilder *batch = next_batch(packer);
	RecordBatchBuilder empty = *batch;

	record_batch_finish(&packer->open, packer->partition_leader_epoch,
						packer->attributes);
	*batch = packer->open;
	packer->open = empty;
	if (empty.buffer != NULL)
		record_batch_builder_reset(&packer->open);
	packer->count++;
	packer->bytes += batch->size;
}

/* The open batch is finished in its compressed form. */
static void
finish_compressed(BatchPacker *packer, const RecordBytes *compressed)
{
	RecordBatchBuilder *batch = next_batch(packer);

	if (batch->buffer == NULL)
		record_batch_builder_init(batch, RESERVE);
	else
		record_batch_builder_reset(batch);
	record_batch_finish_compressed(batch, &packer->open, packer->codec,
								   *compressed, packer->partition_leader_epoch,
								   packer->attributes);
	record_batch_builder_reset(&packer->open);
	packer->count++;
	packer->bytes += batch->size;
}

/*
 * Compress the open batch as if it ended at a size.  Returns the size that it
 * then has, which is the same if it does not get smaller; compressed->data is
 * NULL then, else to be freed.
 */
static size_t
compress_open(BatchPacker *packer, size_t size, RecordBytes *compressed)
{
	size_t		length = size - RECORD_BATCH_HEADER_SIZE;
	size_t		compressed_length;

	compressed->data = compress_bytes(packer->codec,
									  record_batch_records(&packer->open),
									  length, &compressed_length);
	if (compressed->data == NULL)
	{
		packer->ratio = 1.0;
		return size;
	}
	compressed->length = (int32) compressed_length;
	packer->ratio = (double) length / compressed_length;
	return RECORD_BATCH_HEADER_SIZE + compressed_length;
}

static void
free_compressed(RecordBytes *compressed)
{
	if (compressed->data != NULL)
		pfree(unconstify(char *, compressed->data));
}

/*
 * The open batch ends at a size; the records behind it are the open batch
 * then.
 */
static void
finish_open(BatchPacker *packer, size_t size, RecordBytes *compressed)
{
	RecordBatchBuilder *open = &packer->open;
	bool		split = size < open->size - open->reserve;

	if (split)
	{
		if (packer->rest.buffer == NULL)
			record_batch_builder_init(&packer->rest, RESERVE);
		record_batch_split(open, size, &packer->rest);
	}
	if (compressed->data != NULL)
		finish_compressed(packer, compressed);
	else
		finish_raw(packer);
	if (split)
	{
		RecordBatchBuilder empty = *open;

		*open = packer->rest;
		packer->rest = empty;
		set_target(packer);
	}
}

/*
 * Finish the open batch, or as much of it as fits a page.
 *
 * But if it is clearly too small, and the record that did not fit the target
 * could still be part of it, only raise the target.  With that record the
 * batch would have `size_with` bytes; SIZE_MAX if there is none.
 */
static void
close_batch(BatchPacker *packer, size_t size_with)
{
	size_t		raw_size = packer->open.size - packer->open.reserve;
	size_t		cut = raw_size;
	size_t		size;
	int			attempts = 0;
	RecordBytes compressed;

	if (packer->codec == COMPRESSION_NONE)
	{
		finish_raw(packer);
		return;
	}

	size = compress_open(packer, cut, &compressed);
	if (size < packer->max_size * MIN_FILL &&
		size_with <= raw_size_to_fill(packer) &&
		packer->attempts < MAX_ATTEMPTS)
	{
		packer->target = raw_size_to_fill(packer);
		packer->attempts++;
		free_compressed(&compressed);
		return;
	}

	while (size > packer->max_size)
	{
		size_t		too_large = cut;

		cut = record_batch_boundary(&packer->open,
									attempts++ < MAX_ATTEMPTS
									? raw_size_to_fill(packer)
									: packer->max_size);
		if (cut == too_large)
			break;				/* a single record */
		free_compressed(&compressed);
		size = compress_open(packer, cut, &compressed);
	}
	finish_open(packer, cut, &compressed);
	free_compressed(&compressed);
}

bool
batch_packer_add(BatchPacker *packer, RecordInput *record, int64 offset)
{
	RecordBatchBuilder *open = &packer->open;
	size_t		size;

	for (;;)
	{
		if (open->record_count == 0)
			start_batch(packer, offset);
		size = SIZE_MAX;
		if (offset - open->base_offset <= PG_INT32_MAX)
		{
			record->offset_delta = (int32) (offset - open->base_offset);
			size = record_batch_size_with(open, record);
		}
		if (size <= packer->target || open->record_count == 0)
			break;
		close_batch(packer, size);
	}
	if (size == SIZE_MAX)
		return false;
	record_batch_add(open, record);
	return true;
}

void
batch_packer_finish(BatchPacker *packer, int64 last_offset)
{
	RecordBatchBuilder *open = &packer->open;

	while (open->record_count > 0)
	{
		/* A batch cannot extend further than its lastOffsetDelta can tell. */
		if (last_offset > open->base_offset + open->last_offset_delta)
			open->last_offset_delta =
				(int32) Min(last_offset - open->base_offset, PG_INT32_MAX);
		close_batch(packer, SIZE_MAX);
	}
}

void
batch_packer_set(BatchPacker *packer, int32 partition_leader_epoch,
				 int16 attributes, int64 delete_horizon)
{
	if (packer->partition_leader_epoch == partition_leader_epoch &&
		packer->attributes == attributes &&
		packer->delete_horizon == delete_horizon)
		return;
	batch_packer_finish(packer, packer->open.base_offset);
	packer->partition_leader_epoch = partition_leader_epoch;
	packer->attributes = attributes;
	packer->delete_horizon = delete_horizon;
}

void
batch_packer_clear(BatchPacker *packer)
{
	packer->count = 0;
	packer->bytes = 0;
}

static void
free_builder(RecordBatchBuilder *builder)
{
	if (builder->buffer != NULL)
		record_batch_builder_free(builder);
}

void
batch_packer_free(BatchPacker *packer)
{
	int			i;

	for (i = 0; i < packer->capacity; i++)
		free_builder(&packer->batches[i]);
	if (packer->batches != NULL)
		pfree(packer->batches);
	free_builder(&packer->open);
	free_builder(&packer->rest);
	memset(packer, 0, sizeof(*packer));
}
