/*-------------------------------------------------------------------------
 *
 * batch_packer_test.c
 *		Tests of cutting records into batches: nothing is lost, nothing is too
 *		large, and pages are full.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "../../src/batch_packer.h"
#include "records.h"
#include "tap.h"

/* What fills a page of 8 kB, about. */
#define PAGE				8080

#define MAX_RAW_SIZE		(256 * 1024)

#define FLIGHTS				"../../demo/flights-20k.jsonl"
#define FLIGHT_COUNT		20000

static const CompressionCodec codecs[] = {
	COMPRESSION_NONE, COMPRESSION_LZ4, COMPRESSION_ZSTD
};

/* Records with their offsets, and what became of them. */
typedef struct Stream
{
	RecordInput *records;
	int64	   *offsets;
	int			count;

	int			checked;		/* records that were read back */
	int			batches;
	int			single;			/* batches of one record larger than a page */
	int64		next_offset;	/* after the last batch */
	size_t		largest_raw;	/* of batches with several records */
	double		fill;			/* of pages, sum over all batches but the last */
	double		last_fill;
	const char *error;
} Stream;

static void
make_stream(Stream *stream, int count)
{
	int			i;

	memset(stream, 0, sizeof(*stream));
	stream->count = count;
	stream->records = allocate(count * sizeof(RecordInput));
	memset(stream->records, 0, count * sizeof(RecordInput));
	stream->offsets = allocate(count * sizeof(int64));
	for (i = 0; i < count; i++)
	{
		stream->records[i].key.length = -1;
		stream->offsets[i] = i;
	}
}

static void
free_stream(Stream *stream)
{
	free(stream->records);
	free(stream->offsets);
}

/* Is a record the next one of the stream? */
static bool
is_next_record(Stream *stream, const Record *record)
{
	const RecordInput *expected = &stream->records[stream->checked];

	return stream->checked < stream->count &&
		record->offset == stream->offsets[stream->checked] &&
		record->timestamp == expected->timestamp &&
		same_record(expected, record);
}

/* Read a finished batch. */
static void
check_batch(Stream *stream, const RecordBatchBuilder *finished)
{
	Bytes		bytes = copy_bytes(finished->buffer + finished->reserve,
								   finished->size - finished->reserve);
	RecordBatch batch;
	Record		record;

	if (finished->reserve != sizeof(int32))
		stream->error = "not the reserve of a varlena header";
	if (finished->base_offset < stream->next_offset)
		stream->error = "batches overlap";
	if (!record_batch_open(&batch, finished->base_offset, bytes.data,
						   bytes.length))
		stream->error = batch.error;
	while (record_batch_next(&batch, &record))
	{
		if (!is_next_record(stream, &record))
			stream->error = "not the next record";
		stream->checked++;
	}
	if (batch.error != NULL)
		stream->error = batch.error;
	if (batch.records_count != finished->record_count ||
		batch.max_timestamp != finished->max_timestamp ||
		batch.last_offset_delta != finished->last_offset_delta)
		stream->error = "not what the builder says";

	stream->batches++;
	stream->next_offset = batch.base_offset + batch.last_offset_delta + 1;
	if (bytes.length > PAGE)
	{
		if (batch.records_count > 1)
			stream->error = "larger than a page";
		stream->single++;
	}
	else
	{
		stream->fill += stream->last_fill;
		stream->last_fill = (double) bytes.length / PAGE;
	}
	if (batch.records_count > 1)
		stream->largest_raw = Max(stream->largest_raw,
								  record_batch_raw_size(bytes.data,
														bytes.length));
	record_batch_close(&batch);
	free(bytes.data);
}

static void
check_batches(Stream *stream, BatchPacker *packer)
{
	int			i;

	for (i = 0; i < packer->count; i++)
		check_batch(stream, &packer->batches[i]);
	batch_packer_clear(packer);
}

/* Pack a stream, and read it back. */
static void
pack(Stream *stream, CompressionCodec codec, int64 delete_horizon,
	 int64 last_offset)
{
	BatchPacker packer;
	int			i;

	stream->checked = stream->batches = stream->single = 0;
	stream->next_offset = 0;
	stream->largest_raw = 0;
	stream->fill = stream->last_fill = 0;
	batch_packer_init(&packer, codec, PAGE);
	batch_packer_set(&packer, 3, 0, delete_horizon);
	for (i = 0; i < stream->count; i++)
	{
		if (!batch_packer_add(&packer, &stream->records[i],
							  stream->offsets[i]))
			stream->error = "a record was refused";
		if (packer.bytes > 100000)
			check_batches(stream, &packer);
	}
	batch_packer_finish(&packer, last_offset);
	check_batches(stream, &packer);
	batch_packer_free(&packer);
	if (stream->checked != stream->count)
		stream->error = "records are missing";
}

/*
 * Pack a stream and report it as a test: all records must come back, and pages
 * be filled to a degree on average.
 */
static void
packs(Stream *stream, CompressionCodec codec, double min_fill,
	  const char *name)
{
	double		fill;

	pack(stream, codec, RECORD_BATCH_NO_DELETE_HORIZON, 0);
	fill = stream->fill / Max(stream->batches - stream->single - 1, 1);
	if (!ok(stream->error == NULL && fill >= min_fill &&
			stream->largest_raw <= MAX_RAW_SIZE,
			"%s, codec %d: %d batches, mean fill %.3f",
			name, codec, stream->batches, fill) && stream->error != NULL)
		diag("%s", stream->error);
}

/* Real records fill the pages. */
static void
test_flights(void)
{
	FILE	   *file = fopen(FLIGHTS, "r");
	char	   *text = allocate(4 * 1024 * 1024);
	char	   *line = text;
	Stream		flights;
	size_t		i;
	int			count = 0;

	make_stream(&flights, FLIGHT_COUNT);
	while (file != NULL && count < FLIGHT_COUNT && fgets(line, 1000, file))
	{
		flights.records[count].timestamp = INT64CONST(1700000000000) + count;
		flights.records[count].key = bytes_at(strstr(line, "origin") + 9, 3);
		flights.records[count].value = bytes_at(line, (int) strlen(line) - 1);
		line += strlen(line) + 1;
		count++;
	}
	ok(count == FLIGHT_COUNT, "there are %d flights", FLIGHT_COUNT);
	if (file != NULL)
		fclose(file);

	for (i = 0; i < lengthof(codecs); i++)
		packs(&flights, codecs[i], 0.95, "flights");
	free_stream(&flights);
	free(text);
}

/* From what does not compress to what vanishes, in turns. */
static void
test_sizes(void)
{
	Bytes		noise = random_bytes(1024 * 1024);
	char	   *zeros = calloc(1024 * 1024, 1);
	RecordHeader header = {STRING_BYTES("h"), STRING_BYTES("some value")};
	Stream		stream;
	size_t		i;
	int			j;

	if (zeros == NULL)
		abort();
	make_stream(&stream, 3000);
	for (i = 0; i < lengthof(codecs); i++)
	{
		CompressionCodec codec = codecs[i];

		for (j = 0; j < stream.count; j++)
			stream.records[j].value = bytes_at(noise.data + j * 100, 100);
		packs(&stream, codec, 0.95, "noise");

		for (j = 0; j < stream.count; j++)
			stream.records[j].value = bytes_at(zeros, 3000);
		packs(&stream, codec, 0, "zeros");

		for (j = 0; j < stream.count; j++)
			stream.records[j].value =
				bytes_at(j / 100 % 2 ? zeros : noise.data,
						 random_below(2000));
		packs(&stream, codec, 0.5, "noise and zeros");

		for (j = 0; j < stream.count; j++)
		{
			RecordInput *record = &stream.records[j];

			record->timestamp = random_below(PG_INT32_MAX);
			record->key = bytes_at(noise.data, (int) random_below(20) - 1);
			record->value = bytes_at(random_below(2) ? zeros : noise.data,
									 (int) random_below(j % 50 ? 300 : 100000)
									 - 1);
			record->headers = &header;
			record->header_count = random_below(2);
		}
		packs(&stream, codec, 0, "all sorts");

		memset(stream.records, 0, stream.count * sizeof(RecordInput));
		stream.records[1].value = bytes_at(noise.data, 1000000);
		stream.records[3].value = bytes_at(zeros, 1000000);
		packs(&stream, codec, 0, "records larger than a page");
		ok(stream.single == (codec == COMPRESSION_NONE ? 2 : 1),
		   "of which %d need more than a page", stream.single);
	}
	free_stream(&stream);
	free(noise.data);
	free(zeros);
}

/* What compaction leaves of a log. */
static void
test_gaps(void)
{
	Bytes		noise = random_bytes(1000);
	Stream		stream;
	size_t		i;
	int			j;

	make_stream(&stream, 20000);
	for (j = 0; j < stream.count; j++)
	{
		stream.records[j].timestamp = 1000000 + random_below(1000);
		stream.records[j].key = bytes_at(noise.data + random_below(900), 10);
		stream.records[j].value =
			bytes_at(noise.data, j % 1000 ? (int) random_below(100) : -1);
		stream.offsets[j] = j * INT64CONST(3) + j / 5000 * (int64) PG_INT32_MAX;
	}
	for (i = 0; i < lengthof(codecs); i++)
	{
		pack(&stream, codecs[i], 2000000, stream.offsets[19999] + 77);
		ok(stream.error == NULL &&
		   stream.next_offset == stream.offsets[19999] + 78,
		   "offsets with gaps, codec %d", codecs[i]);
		if (stream.error != NULL)
			diag("%s", stream.error);
		pack(&stream, codecs[i], 2000000, PG_INT64_MAX);
		ok(stream.error == NULL,
		   "a batch that should extend too far, codec %d", codecs[i]);
	}
	free_stream(&stream);
	free(noise.data);
}

/* What batches carry can change from one to the next. */
static void
test_properties(void)
{
	RecordInput tombstone = RECORD(1, STRING_BYTES("k"), NULL_BYTES, NULL, 0);
	RecordInput record = RECORD(2, STRING_BYTES("k"), EMPTY_BYTES, NULL, 0);
	RecordBatch batches[3];
	BatchPacker packer;
	bool		right;
	int			i;

	batch_packer_init(&packer, COMPRESSION_NONE, PAGE);
	batch_packer_add(&packer, &tombstone, 10);
	batch_packer_set(&packer, 1, 0, 500);
	batch_packer_add(&packer, &tombstone, 11);
	batch_packer_set(&packer, 1, 0, 500);
	batch_packer_add(&packer, &record, 12);
	batch_packer_set(&packer, 2, RECORD_BATCH_LOG_APPEND_TIME, 500);
	batch_packer_add(&packer, &record, 14);
	batch_packer_finish(&packer, 20);

	right = packer.count == 3;
	for (i = 0; right && i < 3; i++)
		right = record_batch_open(&batches[i], packer.batches[i].base_offset,
								  packer.batches[i].buffer + 4,
								  packer.batches[i].size - 4);
	ok(right, "three batches");
	ok(batches[0].base_offset == 10 && batches[0].records_count == 1 &&
	   batches[0].partition_leader_epoch == RECORD_BATCH_NO_LEADER_EPOCH &&
	   batches[0].attributes == 0,
	   "a batch without properties");
	ok(batches[1].base_offset == 11 && batches[1].records_count == 2 &&
	   batches[1].partition_leader_epoch == 1 &&
	   record_batch_delete_horizon(&batches[1]) == 500,
	   "a batch with a delete horizon");
	ok(batches[2].base_offset == 14 && batches[2].records_count == 1 &&
	   batches[2].last_offset_delta == 6 &&
	   batches[2].partition_leader_epoch == 2 &&
	   batches[2].attributes == RECORD_BATCH_LOG_APPEND_TIME,
	   "a batch with attributes, and offsets after its last record");
	batch_packer_free(&packer);
}

static void
test_refused(void)
{
	RecordInput record = RECORD(1, NULL_BYTES, EMPTY_BYTES, NULL, 0);
	RecordInput huge = RECORD(1, NULL_BYTES, NULL_BYTES, NULL, 0);
	BatchPacker packer;

	huge.value = bytes_at("", PG_INT32_MAX);
	batch_packer_init(&packer, COMPRESSION_ZSTD, PAGE);
	ok(!batch_packer_add(&packer, &huge, 0), "a record of 2 GB is refused");
	ok(batch_packer_add(&packer, &record, 0) &&
	   !batch_packer_add(&packer, &huge, 1),
	   "also after another");
	batch_packer_finish(&packer, 0);
	ok(packer.count == 1 && packer.batches[0].record_count == 1,
	   "the other is there");
	batch_packer_free(&packer);

	batch_packer_init(&packer, COMPRESSION_ZSTD, PAGE);
	batch_packer_finish(&packer, 0);
	ok(packer.count == 0, "no batch without a record");
	batch_packer_free(&packer);
}

int
main(void)
{
	test_flights();
	test_sizes();
	test_gaps();
	test_properties();
	test_refused();
	return tap_done();
}
