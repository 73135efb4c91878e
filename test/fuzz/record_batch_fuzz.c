/*-------------------------------------------------------------------------
 *
 * record_batch_fuzz.c
 *		libFuzzer target: any bytes as a record batch.
 *
 * An input is a batch as it is on the wire, baseOffset first.  It is decoded
 * as it is and again with batchLength, magic and CRC put right, else hardly
 * any input would get past them.  What decodes is encoded again and must
 * decode to the same records.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "../../src/partitioner.h"
#include "../../src/record_batch.h"

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

/* Encode records and check that they decode to the same. */
static void
encode_again(const RecordInput *inputs, int count)
{
	RecordBatchBuilder builder;
	RecordBatch batch;
	Record		record;
	RecordHeader header;
	int			i;
	int			j;

	record_batch_builder_init(&builder, 4);
	for (i = 0; i < count; i++)
	{
		size_t		size = record_batch_size_with(&builder, &inputs[i]);

		/* deltas were relative to another timestamp: it may not fit now */
		if (size == SIZE_MAX)
			break;
		record_batch_add(&builder, &inputs[i]);
		check(builder.size - builder.reserve == size);
	}
	count = i;
	record_batch_finish(&builder, 1, 0);

	check(record_batch_open(&batch, 0, builder.buffer + builder.reserve,
							builder.size - builder.reserve));
	check(batch.records_count == count);
	for (i = 0; i < count; i++)
	{
		check(record_batch_next(&batch, &record));
		check(record.offset == i);
		check(record.timestamp == inputs[i].timestamp);
		check(record.timestamp <= batch.max_timestamp);
		check(same_bytes(&record.key, &inputs[i].key));
		check(same_bytes(&record.value, &inputs[i].value));
		check(record.header_count == inputs[i].header_count);
		for (j = 0; j < record.header_count; j++)
		{
			check(record_next_header(&record.headers, &header));
			check(same_bytes(&header.key, &inputs[i].headers[j].key));
			check(same_bytes(&header.value, &inputs[i].headers[j].value));
		}
	}
	check(!record_batch_next(&batch, &record));
	check(batch.error == NULL);
	record_batch_builder_free(&builder);
}

/* Decode a batch, and encode what it holds if all of it is right. */
static void
decode(int64 base_offset, const char *data, size_t length)
{
	RecordBatch batch;
	Record		record;
	RecordInput *inputs;
	int64		last_offset = -1;
	int			count = 0;
	int			i;

	if (!record_batch_open(&batch, base_offset, data, length))
	{
		check(batch.error != NULL);
		check(!record_batch_next(&batch, &record));
		return;
	}
	check(base_offset >= 0);
	last_offset = base_offset - 1;
	check(batch.records_count >= 0 && (size_t) batch.records_count <= length);

	inputs = allocate(batch.records_count * sizeof(RecordInput));
	while (record_batch_next(&batch, &record))
	{
		check(count < batch.records_count);
		check(record.offset > last_offset &&
			  record.offset <= base_offset + batch.last_offset_delta);
		last_offset = record.offset;
		unpack_record(&record, &inputs[count++], data, length);
	}
	check(!record_batch_next(&batch, &record));
	if (batch.error == NULL)
		check(count == batch.records_count);
	if (batch.error == NULL && count > 0)
		encode_again(inputs, count);

	for (i = 0; i < count; i++)
		free(unconstify(RecordHeader *, inputs[i].headers));
	free(inputs);
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
