/*-------------------------------------------------------------------------
 *
 * record_batch_fuzz.c
 *		libFuzzer target: any bytes as a record batch.
 *
 * An input is a batch as it is on the wire, baseOffset first.  It is decoded
 * as it is and again with batchLength, magic and CRC put right, else hardly
 * any input would get past them.  What decodes is encoded again, by the packer
 * with each codec, and must decode to the same records.
 *
 * The Makefile allows few bytes to come out of compressed records
 * (MAX_DECOMPRESSED_SIZE), so that most of the time goes into other things
 * than bombs.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "../../src/batch_packer.h"
#include "../../src/partitioner.h"

/* Positions counted from batchLength. */
#define MAGIC_POS		8
#define CRC_POS			9
#define ATTRIBUTES_POS	13

extern int	LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* A property that must hold; the fuzzer reports the input if not. */
static void
check(bool condition)
{
	if (!condition)
		abort();
}

static void *
allocate(size_t size)
{
	void	   *memory = malloc(Max(size, 1));

	check(memory != NULL);
	return memory;
}

/*
 * Bytes must be inside the batch.  Reading them tells the sanitizer if they
 * are not.
 */
static void
check_bytes(const RecordBytes *bytes, const char *data, size_t length)
{
	int			partition;

	if (bytes->length == -1)
	{
		check(bytes->data == NULL);
		return;
	}
	check(bytes->length >= 0 && bytes->data >= data &&
		  bytes->data + bytes->length <= data + length);
	partition = partition_for_key(bytes->data, bytes->length, 1000);
	check(partition >= 0 && partition < 1000);
}

static bool
same_bytes(const RecordBytes *a, const RecordBytes *b)
{
	if (a->length != b->length)
		return false;
	return a->length <= 0 || memcmp(a->data, b->data, a->length) == 0;
}

/* Make `input` a record that was read.  Its headers are to be freed. */
static void
unpack_record(const Record *record, RecordInput *input, const char *data,
			  size_t length)
{
	RecordBytes rest = record->headers;
	RecordHeader *headers;
	int			i;

	check_bytes(&record->key, data, length);
	check_bytes(&record->value, data, length);
	check(record->header_count >= 0 &&
		  (size_t) record->header_count <= length);
	headers = allocate(record->header_count * sizeof(RecordHeader));
	for (i = 0; i < record->header_count; i++)
	{
		check(record_next_header(&rest, &headers[i]));
		check(headers[i].key.length >= 0);
		check_bytes(&headers[i].key, data, length);
		check_bytes(&headers[i].value, data, length);
	}
	check(!record_next_header(&rest, &headers[i]));

	input->timestamp = record->timestamp;
	input->key = record->key;
	input->value = record->value;
	input->headers = headers;
	input->header_count = record->header_count;
}

/* Is a record what was to be written? */
static void
check_record(const Record *record, const RecordInput *input, int64 offset)
{
	RecordBytes rest = record->headers;
	RecordHeader header;
	int			i;

	check(record->offset == offset);
	check(record->timestamp == input->timestamp);
	check(same_bytes(&record->key, &input->key));
	check(same_bytes(&record->value, &input->value));
	check(record->header_count == input->header_count);
	for (i = 0; i < record->header_count; i++)
	{
		check(record_next_header(&rest, &header));
		check(same_bytes(&header.key, &input->headers[i].key));
		check(same_bytes(&header.value, &input->headers[i].value));
	}
}

/*
 * Encode records with their offsets, in small batches, and check that they
 * decode to the same.
 */
static void
encode_again(RecordInput *inputs, const int64 *offsets, int count,
			 CompressionCodec codec)
{
	BatchPacker packer;
	int			checked = 0;
	int			i;

	batch_packer_init(&packer, codec, 300);
	for (i = 0; i < count; i++)
		check(batch_packer_add(&packer, &inputs[i], offsets[i]));
	batch_packer_finish(&packer, 0);

	for (i = 0; i < packer.count; i++)
	{
		RecordBatchBuilder *finished = &packer.batches[i];
		RecordBatch batch;
		Record		record;

		check(record_batch_open(&batch, finished->base_offset,
								finished->buffer + finished->reserve,
								finished->size - finished->reserve));
		check(batch.records_count == finished->record_count);
		check(batch.records_count == 1 ||
			  finished->size - finished->reserve <= 300);
		while (record_batch_next(&batch, &record))
		{
			check(checked < count);
			check(record.timestamp <= batch.max_timestamp);
			check_record(&record, &inputs[checked], offsets[checked]);
			checked++;
		}
		check(batch.error == NULL);
		record_batch_close(&batch);
	}
	check(checked == count);
	batch_packer_free(&packer);
}

/* Decode a batch, and encode what it holds if all of it is right. */
static void
decode(int64 base_offset, const char *data, size_t length)
{
	RecordBatch batch;
	Record		record;
	RecordInput *inputs;
	int64	   *offsets;
	const char *records;
	size_t		records_length;
	int64		last_offset;
	int			count = 0;
	int			i;

	check(record_batch_raw_size(data, length) <=
		  Max(length, RECORD_BATCH_HEADER_SIZE + MAX_DECOMPRESSED_SIZE));
	if (!record_batch_open(&batch, base_offset, data, length))
	{
		check(batch.error != NULL && batch.decompressed == NULL);
		check(!record_batch_next(&batch, &record));
		return;
	}
	check(base_offset >= 0);
	last_offset = base_offset - 1;
	records = batch.next;
	records_length = batch.end - batch.next;
	check(batch.records_count >= 0 &&
		  (size_t) batch.records_count <= records_length);

	inputs = allocate(batch.records_count * sizeof(RecordInput));
	offsets = allocate(batch.records_count * sizeof(int64));
	while (record_batch_next(&batch, &record))
	{
		check(count < batch.records_count);
		check(record.offset > last_offset &&
			  record.offset <= base_offset + batch.last_offset_delta);
		last_offset = record.offset;
		offsets[count] = record.offset;
		unpack_record(&record, &inputs[count++], records, records_length);
	}
	check(!record_batch_next(&batch, &record));
	if (batch.error == NULL)
		check(count == batch.records_count);

	/* Written again, deltas may be longer, so that they would be too large. */
	if (batch.error == NULL && records_length <= MAX_DECOMPRESSED_SIZE / 4)
	{
		encode_again(inputs, offsets, count, COMPRESSION_NONE);
		encode_again(inputs, offsets, count, COMPRESSION_LZ4);
		encode_again(inputs, offsets, count, COMPRESSION_ZSTD);
	}

	for (i = 0; i < count; i++)
		free(unconstify(RecordHeader *, inputs[i].headers));
	free(inputs);
	free(offsets);
	record_batch_close(&batch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	uint64		base_offset;
	uint32		batch_length;
	size_t		length;
	char	   *data;
	pg_crc32c	crc;

	if (size < sizeof(base_offset))
		return 0;
	memcpy(&base_offset, input, sizeof(base_offset));
	base_offset = pg_ntoh64(base_offset);
	length = size - sizeof(base_offset);
	data = allocate(length);
	memcpy(data, input + sizeof(base_offset), length);
	decode((int64) base_offset, data, length);

	if (length >= RECORD_BATCH_HEADER_SIZE)
	{
		batch_length = pg_hton32((uint32) (length - sizeof(batch_length)));
		memcpy(data, &batch_length, sizeof(batch_length));
		data[MAGIC_POS] = 2;
		INIT_CRC32C(crc);
		COMP_CRC32C(crc, data + ATTRIBUTES_POS, length - ATTRIBUTES_POS);
		FIN_CRC32C(crc);
		crc = pg_hton32(crc);
		memcpy(data + CRC_POS, &crc, sizeof(crc));
		decode((int64) base_offset, data, length);
	}
	free(data);
	return 0;
}
