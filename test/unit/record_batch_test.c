/*-------------------------------------------------------------------------
 *
 * record_batch_test.c
 *		Tests of the record batch codec, without a server.
 *
 * What is compared with bytes that other programs made says that we speak
 * Kafka's format; the round trips only say that we understand ourselves.
 * Every batch is decoded from memory of exactly its size, so that the address
 * sanitizer sees a read past its end.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "records.h"
#include "tap.h"

/* Build a batch in memory of exactly its size. */
static Bytes
encode(const RecordInput *inputs, int count, CompressionCodec codec,
	   int16 attributes)
{
	RecordBatchBuilder builder;
	Bytes		batch;
	int			i;

	record_batch_builder_init(&builder, 4);
	for (i = 0; i < count; i++)
		add_record(&builder, &inputs[i]);
	batch = finish_batch(&builder, codec, attributes);
	record_batch_builder_free(&builder);
	return batch;
}

/*
 * Decode a batch to its end, headers too.  Returns what is wrong with it, or
 * NULL.
 */
static const char *
decode(Bytes bytes)
{
	RecordBatch batch;
	Record		record;
	RecordHeader header;

	if (!record_batch_open(&batch, 0, bytes.data, bytes.length))
		return batch.error;
	while (record_batch_next(&batch, &record))
	{
		RecordBytes headers = record.headers;
		int			count = 0;

		while (record_next_header(&headers, &header))
			count++;
		if (count != record.header_count)
			return "headers are fewer than their count";
	}
	record_batch_close(&batch);
	return batch.error;
}

/* Does a batch decode to exactly these records, from base_offset on? */
static bool
decodes_to(Bytes bytes, int64 base_offset, const RecordInput *inputs,
		   int count)
{
	RecordBatch batch;
	Record		record;
	int			i;

	if (!record_batch_open(&batch, base_offset, bytes.data, bytes.length))
		return false;
	for (i = 0; i < count; i++)
	{
		if (!record_batch_next(&batch, &record) ||
			record.offset != base_offset + i ||
			record.timestamp != inputs[i].timestamp ||
			!same_record(&inputs[i], &record))
			return false;
	}
	if (record_batch_next(&batch, &record) || batch.error != NULL)
		return false;
	record_batch_close(&batch);
	return batch.records_count == count &&
		batch.last_offset_delta == count - 1;
}

static void
round_trip(const char *name, const RecordInput *inputs, int count)
{
	static const CompressionCodec codecs[] = {
		COMPRESSION_NONE, COMPRESSION_LZ4, COMPRESSION_ZSTD
	};
	size_t		i;

	for (i = 0; i < lengthof(codecs); i++)
	{
		Bytes		batch = encode(inputs, count, codecs[i], 0);

		ok(decodes_to(batch, INT64CONST(5000000000), inputs, count),
		   "round trip, codec %d: %s", codecs[i], name);
		free(batch.data);
	}
}

/*
 * The producer fields of a finished batch.  Those that another program wrote
 * come out as they were, to the byte, when they are set again.
 */
static void
test_producer_fields(Bytes bytes)
{
	Bytes		copy = copy_bytes(bytes.data, bytes.length);
	RecordBatch batch;
	RecordBatch changed;

	record_batch_open(&batch, 0, bytes.data, bytes.length);
	record_batch_set_producer(copy.data, copy.length,
							  INT64CONST(0x1122334455667788), 0x1234,
							  0x12345678);
	ok(record_batch_open(&changed, 0, copy.data, copy.length) &&
	   changed.producer_id == INT64CONST(0x1122334455667788) &&
	   changed.producer_epoch == 0x1234 && changed.base_sequence == 0x12345678,
	   "producer fields are set, and the CRC with them");
	record_batch_set_producer(copy.data, copy.length, batch.producer_id,
							  batch.producer_epoch, batch.base_sequence);
	ok(memcmp(copy.data, bytes.data, bytes.length) == 0,
	   "CodeCrafters: the same bytes with the same producer");
	free(copy.data);
}

/*
 * Batches that others wrote.
 */
static void
test_published_batches(void)
{
	/* sarama, record_test.go: "uncompressed record" */
	static const char sarama_record[] =
		"000000460000000002547961fd00000000000000000158"
		"8dcd5938000000000000000000000000000000000000000000000000000128000a"
		"0008010203040605060702060809"
		"0a040b0c";

	/* sarama, record_test.go: "empty record" */
	static const char sarama_empty[] =
		"000000310000000002595fb7dd0000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000";

	/* sarama, record_test.go: "control batch" */
	static const char sarama_control[] =
		"000000310000000002512e43d90020000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000";

	/* sarama, record_test.go: "snappy compressed record" */
	static const char sarama_snappy[] =
		"00000048000000000215009f61000200000000000001588dcd5938000000000000"
		"00000000000000000000000000000000000000011550"
		"28000a00080102030406050607020608090a040b0c";

	/* A batch of the cluster metadata log in CodeCrafters' Kafka course */
	static const char metadata_log[] =
		"0000009a000000010286832f7300000000000100000191e05b2d1500000191"
		"e05b2d15ffffffffffffffffffffffffffff000000023c0000000130010200"
		"04666f6f000000000000400080000000000000850000900100000201820101"
		"03010000000000000000000040008000000000000085020000000102000000"
		"01010100000001000000000000000002100000000000400080000000000000"
		"010000";

	/* A topic's batch in the same course, by a producer with id 0 */
	static const char hello_kafka[] =
		"000000440000000002abfd049100000000000000000191e05b6d8b00000191"
		"e05b6d8b00000000000000000000000000000000000124000000011848656c"
		"6c6f204b61666b612100";

	Bytes		bytes;
	RecordBatch batch;
	Record		records[2];
	RecordInput input;
	RecordBatchBuilder builder;

	{
		const RecordHeader header = {
			STRING_BYTES("\x08\x09\x0a"), STRING_BYTES("\x0b\x0c")
		};
		const RecordInput input =
			RECORD(INT64CONST(1479847795005), STRING_BYTES("\x01\x02\x03\x04"),
				   STRING_BYTES("\x05\x06\x07"), &header, 1);

		bytes = from_hex(sarama_record);
		ok(decodes_to(bytes, 0, &input, 1), "sarama: a record with a header");
		free(bytes.data);

		bytes = from_hex(sarama_snappy);
		ok(decodes_to(bytes, 0, &input, 1), "sarama: compressed by snappy");
		free(bytes.data);
	}

	bytes = from_hex(sarama_empty);
	ok(decode(bytes) == NULL, "sarama: a batch without records");
	free(bytes.data);

	bytes = from_hex(sarama_control);
	ok(!record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   strcmp(batch.error, "control batch not supported") == 0,
	   "sarama: a control batch is rejected");
	free(bytes.data);

	{
		const RecordInput input =
			RECORD(INT64CONST(1726045973899), NULL_BYTES,
				   STRING_BYTES("Hello Kafka!"), NULL, 0);

		bytes = from_hex(hello_kafka);
		ok(decodes_to(bytes, 0, &input, 1), "CodeCrafters: a topic's batch");
		test_producer_fields(bytes);
		free(bytes.data);
	}

	bytes = from_hex(metadata_log);
	ok(record_batch_open(&batch, 2, bytes.data, bytes.length) &&
	   batch.partition_leader_epoch == 1 && batch.attributes == 0 &&
	   batch.last_offset_delta == 1 && batch.records_count == 2 &&
	   batch.base_timestamp == INT64CONST(1726045957397) &&
	   batch.max_timestamp == INT64CONST(1726045957397) &&
	   batch.producer_id == RECORD_BATCH_NO_PRODUCER_ID &&
	   batch.producer_epoch == RECORD_BATCH_NO_PRODUCER_EPOCH &&
	   batch.base_sequence == RECORD_BATCH_NO_SEQUENCE,
	   "CodeCrafters: the metadata log's batch header");
	ok(record_batch_next(&batch, &records[0]) && records[0].offset == 2 &&
	   records[0].key.length == -1 && records[0].value.length == 24 &&
	   memcmp(records[0].value.data, "\x01\x02\x00\x04" "foo", 7) == 0 &&
	   record_batch_next(&batch, &records[1]) && records[1].offset == 3 &&
	   records[1].value.length == 65 && records[1].header_count == 0 &&
	   !record_batch_next(&batch, &records[1]) && batch.error == NULL,
	   "CodeCrafters: the metadata log's records");

	/* Written again by us, it must be the same to the byte. */
	record_batch_open(&batch, 2, bytes.data, bytes.length);
	record_batch_builder_init(&builder, 0);
	while (record_batch_next(&batch, &records[0]))
	{
		record_input_from(&input, &records[0]);
		add_record(&builder, &input);
	}
	record_batch_finish(&builder, 1, 0);
	ok(builder.size == bytes.length &&
	   memcmp(builder.buffer, bytes.data, bytes.length) == 0,
	   "CodeCrafters: we write the same bytes");
	record_batch_builder_free(&builder);
	free(bytes.data);
}

static void
test_round_trips(void)
{
	static const RecordHeader headers[] = {
		{STRING_BYTES("trace"), STRING_BYTES("1")},
		{STRING_BYTES("trace"), STRING_BYTES("2")},
		{STRING_BYTES("null"), NULL_BYTES},
		{STRING_BYTES("empty"), EMPTY_BYTES},
		{EMPTY_BYTES, STRING_BYTES("empty key")}
	};
	static const RecordInput nulls[] = {
		RECORD(0, NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(0, EMPTY_BYTES, EMPTY_BYTES, NULL, 0),
		RECORD(0, NULL_BYTES, EMPTY_BYTES, NULL, 0),
		RECORD(0, EMPTY_BYTES, NULL_BYTES, NULL, 0),
		RECORD(0, STRING_BYTES("k"), STRING_BYTES("v"), NULL, 0)
	};
	static const RecordInput with_headers[] = {
		RECORD(1, STRING_BYTES("k"), STRING_BYTES("v"), headers, 5),
		RECORD(1, STRING_BYTES("k"), NULL_BYTES, headers + 2, 1),
		RECORD(1, NULL_BYTES, STRING_BYTES("v"), NULL, 0)
	};
	static const RecordInput timestamps[] = {
		RECORD(INT64CONST(1700000000000), NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(INT64CONST(1699999999999), NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(INT64CONST(1800000000000), NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(0, NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(-1, NULL_BYTES, NULL_BYTES, NULL, 0)
	};
	static const RecordInput extremes[] = {
		RECORD(PG_INT64_MIN, NULL_BYTES, NULL_BYTES, NULL, 0),
		RECORD(PG_INT64_MIN + PG_INT64_MAX / 2, NULL_BYTES, NULL_BYTES, NULL, 0)
	};
	RecordInput large[3];
	RecordInput *many;
	RecordHeader *many_headers;
	char	   *text;
	int			i;
	int			count = 100000;

	round_trip("one record", nulls, 1);
	round_trip("null and empty keys and values", nulls, lengthof(nulls));
	round_trip("headers", with_headers, lengthof(with_headers));
	round_trip("timestamps that go back", timestamps, lengthof(timestamps));
	round_trip("the widest timestampDelta", extremes, lengthof(extremes));

	/* Lengths on both sides of where their varint grows by a byte. */
	text = malloc(1024 * 1024);
	many = calloc(count, sizeof(RecordInput));
	many_headers = calloc(1000, sizeof(RecordHeader));
	if (text == NULL || many == NULL || many_headers == NULL)
		abort();
	for (i = 0; i < 1024 * 1024; i++)
		text[i] = (char) random_below(256);
	for (i = 0; i < 300; i++)
	{
		many[i].key = bytes_at(text, i);
		many[i].value = bytes_at(text + i, 8150 + i);
	}
	round_trip("lengths around varint bounds", many, 300);

	memset(large, 0, sizeof(large));
	for (i = 0; i < 3; i++)
	{
		large[i].key = bytes_at(text, 7);
		large[i].value = bytes_at(text, 1024 * 1024 - i);
	}
	round_trip("1 MB values", large, 3);

	for (i = 0; i < 1000; i++)
	{
		many_headers[i].key = bytes_at(text + i, i % 70);
		many_headers[i].value = bytes_at(text, i % 130 - 1);
	}
	large[1].headers = many_headers;
	large[1].header_count = 1000;
	round_trip("1000 headers", large, 3);

	for (i = 0; i < count; i++)
	{
		many[i].timestamp = INT64CONST(1700000000000) + random_below(100000);
		many[i].key = bytes_at(text + i, (int32) random_below(20) - 1);
		many[i].value = bytes_at(text, (int32) random_below(200) - 1);
		many[i].headers = many_headers + random_below(900);
		many[i].header_count = random_below(10) == 0 ? random_below(50) : 0;
	}
	round_trip("100000 records", many, count);

	free(text);
	free(many);
	free(many_headers);
}

static void
test_builder(void)
{
	static const RecordHeader header = {STRING_BYTES("h"), NULL_BYTES};
	static const RecordInput input =
		RECORD(INT64CONST(1700000000000), STRING_BYTES("key"),
			   STRING_BYTES("some value"), &header, 1);
	RecordInput record = input;
	RecordHeader huge[3];
	RecordBatchBuilder builder;
	RecordBatch batch;
	Record		first;
	Bytes		bytes;
	bool		sizes_match = true;
	int			i;

	record_batch_builder_init(&builder, 4);
	for (i = 0; i < 5000; i++)
	{
		size_t		expected;

		record.timestamp += (int64) random_below(100000) - 50000;
		record.offset_delta += 1 + random_below(1000);
		expected = record_batch_size_with(&builder, &record);
		record_batch_add(&builder, &record);
		if (builder.size - builder.reserve != expected)
			sizes_match = false;
	}
	ok(sizes_match, "record_batch_size_with() foretells the size");

	record_batch_builder_reset(&builder);
	record_batch_add(&builder, &input);
	record_batch_finish(&builder, -1, 0);
	bytes = copy_bytes(builder.buffer + 4, builder.size - 4);
	ok(decodes_to(bytes, 0, &input, 1), "a builder can be used again");
	free(bytes.data);

	/* From here on the builder holds one record, at 1700000000000. */
	record.timestamp = PG_INT64_MIN;
	ok(record_batch_size_with(&builder, &record) == SIZE_MAX,
	   "a timestampDelta of more than 64 bits is refused");
	record.timestamp = input.timestamp + PG_INT64_MAX / 2;
	ok(record_batch_size_with(&builder, &record) < SIZE_MAX,
	   "one of 63 bits is accepted");
	record.timestamp++;
	ok(record_batch_size_with(&builder, &record) == SIZE_MAX,
	   "a greater one is refused");

	record = input;
	record.value.length = 0x3fffff00 - 1000;
	ok(record_batch_size_with(&builder, &record) < 0x3fffff00,
	   "nearly 1 GB is accepted");
	record.value.length = 0x3fffff00 - 20;
	ok(record_batch_size_with(&builder, &record) == SIZE_MAX,
	   "a batch of 1 GB is refused");
	record.key.length = record.value.length = PG_INT32_MAX;
	for (i = 0; i < 3; i++)
		huge[i].key = huge[i].value = record.key;
	record.headers = huge;
	record.header_count = 3;
	ok(record_batch_size_with(&builder, &record) == SIZE_MAX,
	   "lengths that add up to more than 32 bits are refused");
	record_batch_builder_free(&builder);

	/* timestampType */
	record = input;
	record_batch_builder_init(&builder, 1);
	add_record(&builder, &record);
	record.timestamp -= 1000;
	add_record(&builder, &record);
	ok(builder.base_timestamp == input.timestamp &&
	   builder.max_timestamp == input.timestamp,
	   "baseTimestamp is the first one, maxTimestamp the greatest");
	builder.max_timestamp = INT64CONST(1800000000000);
	record_batch_finish(&builder, 0, RECORD_BATCH_LOG_APPEND_TIME);
	bytes = copy_bytes(builder.buffer + 1, builder.size - 1);
	ok(record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   batch.attributes == RECORD_BATCH_LOG_APPEND_TIME &&
	   record_batch_next(&batch, &first) &&
	   first.timestamp == INT64CONST(1800000000000) &&
	   record_batch_next(&batch, &first) &&
	   first.timestamp == INT64CONST(1800000000000),
	   "with LogAppendTime every record has maxTimestamp");
	free(bytes.data);
	record_batch_builder_free(&builder);
}

/*
 * Who writes the log anew leaves out records, also the last ones of a batch.
 */
static void
test_offsets(void)
{
	static const int32 deltas[] = {3, 4, 100, PG_INT32_MAX - 1};
	RecordBatchBuilder builder;
	RecordBatch batch;
	Record		record;
	Bytes		bytes;
	bool		right = true;
	size_t		i;

	record_batch_builder_init(&builder, 0);
	for (i = 0; i < lengthof(deltas); i++)
	{
		RecordInput input = RECORD(1000, NULL_BYTES, STRING_BYTES("v"), NULL, 0);

		input.offset_delta = deltas[i];
		record_batch_add(&builder, &input);
	}
	builder.last_offset_delta = PG_INT32_MAX;
	bytes = finish_batch(&builder, COMPRESSION_NONE, 0);
	record_batch_builder_free(&builder);

	right = record_batch_open(&batch, 10, bytes.data, bytes.length);
	for (i = 0; i < lengthof(deltas); i++)
		right = right && record_batch_next(&batch, &record) &&
			record.offset == 10 + (int64) deltas[i];
	ok(right && !record_batch_next(&batch, &record) && batch.error == NULL,
	   "offsets with gaps");
	ok(batch.last_offset_delta == PG_INT32_MAX &&
	   batch.records_count == lengthof(deltas),
	   "lastOffsetDelta beyond the last record");
	free(bytes.data);
}

/* Write two records with a delete horizon, and read them. */
static bool
horizon_round_trip(const RecordInput *inputs, int64 horizon,
				   int64 expected_horizon)
{
	RecordBatchBuilder builder;
	RecordBatch batch;
	Bytes		bytes;
	bool		right;
	int			i;

	record_batch_builder_init(&builder, 0);
	record_batch_set_delete_horizon(&builder, horizon);
	for (i = 0; i < 2; i++)
	{
		size_t		size = record_batch_size_with(&builder, &inputs[i]);

		add_record(&builder, &inputs[i]);
		if (builder.size != size)
			return false;
	}
	bytes = finish_batch(&builder, COMPRESSION_NONE, 0);
	record_batch_builder_free(&builder);

	right = decodes_to(bytes, 0, inputs, 2) &&
		record_batch_open(&batch, 0, bytes.data, bytes.length) &&
		record_batch_delete_horizon(&batch) == expected_horizon &&
		batch.max_timestamp == Max(inputs[0].timestamp, inputs[1].timestamp);
	free(bytes.data);
	return right;
}

/* KIP-534 */
static void
test_delete_horizon(void)
{
	static const RecordInput with_tombstone[] = {
		RECORD(INT64CONST(1700000000000), STRING_BYTES("k"), EMPTY_BYTES, NULL, 0),
		RECORD(INT64CONST(1699999999000), STRING_BYTES("k"), NULL_BYTES, NULL, 0)
	};
	static const RecordInput without_tombstone[] = {
		RECORD(INT64CONST(1700000000000), STRING_BYTES("k"), EMPTY_BYTES, NULL, 0),
		RECORD(INT64CONST(1699999999000), STRING_BYTES("k"), STRING_BYTES("v"), NULL, 0)
	};
	RecordInput early = with_tombstone[1];
	RecordBatchBuilder builder;

	ok(horizon_round_trip(with_tombstone, INT64CONST(1800000000000),
						  INT64CONST(1800000000000)),
	   "a delete horizon");
	ok(horizon_round_trip(with_tombstone, 0, 0), "a delete horizon of 1970");
	ok(horizon_round_trip(without_tombstone, INT64CONST(1800000000000),
						  RECORD_BATCH_NO_DELETE_HORIZON),
	   "no delete horizon without a tombstone");
	ok(horizon_round_trip(with_tombstone, RECORD_BATCH_NO_DELETE_HORIZON,
						  RECORD_BATCH_NO_DELETE_HORIZON),
	   "no delete horizon unless told");

	record_batch_builder_init(&builder, 0);
	record_batch_set_delete_horizon(&builder, PG_INT64_MAX);
	early.timestamp = -2;
	ok(record_batch_size_with(&builder, &early) == SIZE_MAX,
	   "a timestamp too far from the delete horizon is refused");
	record_batch_builder_free(&builder);
}

/*
 * A batch cut in two at any record is the same records, and each half is as
 * if it had been made of its own.
 */
static void
test_split(void)
{
	static const RecordHeader header = {STRING_BYTES("h"), STRING_BYTES("1")};
	RecordInput inputs[200];
	Bytes		text = random_bytes(1000);
	RecordBatchBuilder builder;
	RecordBatchBuilder rest;
	size_t		whole = 0;
	bool		right = true;
	size_t		max_size;
	int			cuts = 0;
	int			i;

	memset(inputs, 0, sizeof(inputs));
	for (i = 0; i < (int) lengthof(inputs); i++)
	{
		inputs[i].timestamp = random_below(1000000);
		inputs[i].key = bytes_at(text.data, (int) random_below(10) - 1);
		inputs[i].value = bytes_at(text.data, (int) random_below(300) - 1);
		inputs[i].headers = &header;
		inputs[i].header_count = random_below(2);
		inputs[i].offset_delta = i;
	}

	record_batch_builder_init(&builder, 4);
	record_batch_builder_init(&rest, 8);
	for (max_size = 0; whole == 0 || max_size <= whole; max_size += 97)
	{
		Bytes		first;
		Bytes		second;
		size_t		boundary;
		int			count;

		record_batch_builder_reset(&builder);
		record_batch_builder_reset(&rest);
		builder.base_offset = 1000;
		for (i = 0; i < (int) lengthof(inputs); i++)
			add_record(&builder, &inputs[i]);
		whole = builder.size - builder.reserve;

		boundary = record_batch_boundary(&builder, max_size);
		record_batch_split(&builder, boundary, &rest);
		count = builder.record_count;
		right = right && builder.size - builder.reserve == boundary &&
			(boundary <= max_size || count == 1) &&
			count + rest.record_count == (int) lengthof(inputs);
		if (rest.record_count > 0)
		{
			cuts++;
			right = right && rest.base_offset == 1000 + count &&
				record_batch_size_with(&builder, &inputs[count]) > max_size;
			second = finish_batch(&rest, COMPRESSION_NONE, 0);
			right = right && decodes_to(second, 1000 + count, inputs + count,
										lengthof(inputs) - count);
			free(second.data);
			second = encode(inputs + count, lengthof(inputs) - count,
							COMPRESSION_NONE, 0);
			right = right && memcmp(second.data, rest.buffer + rest.reserve,
									second.length) == 0;
			free(second.data);
		}
		first = encode(inputs, count, COMPRESSION_NONE, 0);
		record_batch_finish(&builder, 7, 0);
		right = right && first.length == builder.size - builder.reserve &&
			memcmp(first.data, builder.buffer + builder.reserve,
				   first.length) == 0;
		free(first.data);
	}
	ok(right && cuts > 100, "a batch cut in two, %d times", cuts);

	/* The tombstone, and with it the horizon, is in one half. */
	for (i = 0; i < 2; i++)
	{
		RecordInput input = RECORD(5, STRING_BYTES("k"), STRING_BYTES("v"), NULL, 0);
		RecordInput tombstone = RECORD(6, STRING_BYTES("k"), NULL_BYTES, NULL, 0);

		record_batch_builder_reset(&builder);
		record_batch_builder_reset(&rest);
		record_batch_set_delete_horizon(&builder, 1000);
		add_record(&builder, i == 0 ? &tombstone : &input);
		add_record(&builder, i == 0 ? &input : &tombstone);
		record_batch_split(&builder, record_batch_boundary(&builder, 0), &rest);
		ok(builder.has_tombstone == (i == 0) && rest.has_tombstone == (i == 1) &&
		   builder.delete_horizon == 1000 && rest.delete_horizon == 1000 &&
		   builder.max_timestamp == (i == 0 ? 6 : 5) &&
		   rest.max_timestamp == (i == 0 ? 5 : 6),
		   "a tombstone in half %d", i);
	}
	record_batch_builder_free(&builder);
	record_batch_builder_free(&rest);
	free(text.data);
}

static void
test_raw_size(void)
{
	RecordInput input = RECORD(1, NULL_BYTES, NULL_BYTES, NULL, 0);
	char	   *text = allocate(50000);
	Bytes		plain;
	Bytes		lz4;
	Bytes		zstd;

	memset(text, 'x', 50000);
	input.value = bytes_at(text, 50000);
	plain = encode(&input, 1, COMPRESSION_NONE, 0);
	lz4 = encode(&input, 1, COMPRESSION_LZ4, 0);
	zstd = encode(&input, 1, COMPRESSION_ZSTD, 0);
	ok(record_batch_raw_size(plain.data, plain.length) == plain.length &&
	   record_batch_raw_size(lz4.data, lz4.length) == plain.length &&
	   record_batch_raw_size(zstd.data, zstd.length) == plain.length,
	   "the uncompressed size of a batch");
	ok(record_batch_raw_size(zstd.data, 10) == 10 &&
	   record_batch_raw_size(zstd.data, RECORD_BATCH_HEADER_SIZE + 3) ==
	   RECORD_BATCH_HEADER_SIZE + 3,
	   "of a batch that is cut off, its length");

	/* Frame_Content_Size of eight bytes: 1 TB */
	memcpy(zstd.data + RECORD_BATCH_HEADER_SIZE,
		   "\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\1\0\0", 13);
	ok(record_batch_raw_size(zstd.data, zstd.length) == zstd.length,
	   "a size that no batch can have is not believed");
	free(text);
	free(plain.data);
	free(lz4.data);
	free(zstd.data);
}

/*
 * Records made by hand, good and bad.  A record with nothing in it is
 * "0c 00 00 00 01 01 00": length 6, attributes, timestampDelta, offsetDelta,
 * keyLength -1, valueLen -1, headersCount.
 */
static void
test_records_by_hand(void)
{
	static const struct
	{
		const char *name;
		const char *records;
		uint32		records_count;
		uint32		last_offset_delta;
		const char *error;
	}			cases[] = {
		{"the smallest record", "0c000000010100", 1, 0, NULL},
		{"no record", "", 0, 0, NULL},
		{"a padded length", "8c80808000" "000000010100", 1, 0, NULL},
		{"padded headersCount", "100000000101" "808000", 1, 0, NULL},

		{"a byte after the last record", "0c00000001010000", 1, 0,
		"bytes after the last record"},
		{"a record more than recordsCount", "0c0000000101000c000002010100",
		1, 1, "bytes after the last record"},
		{"recordsCount without records", "", 1, 0,
		"recordsCount out of range"},
		{"negative recordsCount", "0c000000010100", (uint32) -1, 0,
		"recordsCount out of range"},
		{"recordsCount beyond the bytes", "0c000000010100", 2, 1,
		"recordsCount out of range"},
		{"more records than offsets", "0c0000000101000c000002010100", 2, 0,
		"recordsCount out of range"},
		{"negative lastOffsetDelta", "", 0, (uint32) -1,
		"offsets out of range"},

		{"a length beyond the batch", "0e000000010100", 1, 0,
		"record length out of range"},
		{"a negative length", "0b000000010100", 1, 0,
		"record length out of range"},
		{"a length that does not end", "8c8c8c8c8c8c8c", 1, 0,
		"record length out of range"},
		{"a length cut off by the end", "180000000c616161616161" "0100" "80",
		2, 1, "record length out of range"},
		{"a length of six bytes", "8c8080808000000000010100", 1, 0,
		"record length out of range"},
		{"a length of 33 bits", "8c80808010000000010100", 1, 0,
		"record length out of range"},
		{"no attributes", "00000000000000", 1, 0, "record is too short"},
		{"no timestampDelta", "0200" "0000000000", 1, 0,
		"timestampDelta out of range"},
		{"no offsetDelta", "040000" "00000000", 1, 0,
		"offsetDelta out of range"},
		{"no key", "06000000" "000000", 1, 0, "record key out of range"},
		{"no value", "0800000001" "0000", 1, 0, "record value out of range"},
		{"no headersCount", "0a0000000101" "00", 1, 0,
		"record headers out of range"},
		{"a byte after the headers", "0e00000001010000", 1, 0,
		"record headers out of range"},

		{"a timestampDelta of ten bytes", "1e00ffffffffffffffffff01"
		"00010100", 1, 0, NULL},
		{"a timestampDelta of 65 bits", "1e00ffffffffffffffffff02"
		"00010100", 1, 0, "timestampDelta out of range"},
		{"a timestampDelta of eleven bytes", "2000ffffffffffffffffff8100"
		"00010100", 1, 0, "timestampDelta out of range"},

		{"a negative offsetDelta", "0c000001010100", 1, 0,
		"offsetDelta out of range"},
		{"an offsetDelta after lastOffsetDelta", "0c000004010100", 1, 1,
		"offsetDelta out of range"},
		{"an offsetDelta twice", "0c0000000101000c000000010100", 2, 1,
		"offsetDelta out of range"},
		{"offsetDeltas that go back", "0c0000040101000c000002010100", 2, 2,
		"offsetDelta out of range"},

		{"a keyLength of -2", "0c000000030100", 1, 0,
		"record key out of range"},
		{"a key beyond its record", "0c000000060100", 1, 0,
		"record key out of range"},
		{"the longest key", "14000000" "feffffff0f" "0100", 1, 0,
		"record key out of range"},
		{"a keyLength of INT32_MIN", "14000000" "ffffffff0f" "0100", 1, 0,
		"record key out of range"},
		{"a valueLen of -2", "0c000000010300", 1, 0,
		"record value out of range"},
		{"a value beyond its record", "0c000000010400", 1, 0,
		"record value out of range"},
		{"a value over the next record", "0c0000000112000c000002010100", 2, 1,
		"record value out of range"},

		{"a header", "1200000001010202" "6101", 1, 0, NULL},
		{"a headersCount of -1", "0c000000010101", 1, 0,
		"record headers out of range"},
		{"more headers than bytes", "14000000010106" "00000000", 1, 0,
		"record headers out of range"},
		{"a header cut off by its record", "16000000010104" "0261026200", 1,
		0, "record headers out of range"},
		{"the most headers", "140000000101" "feffffff0f", 1, 0,
		"record headers out of range"},
		{"a header with a null key", "10000000010102" "0101", 1, 0,
		"record headers out of range"},
		{"a headerValueLength of -2", "10000000010102" "0003", 1, 0,
		"record headers out of range"},
		{"a header value beyond its record", "10000000010102" "0002", 1, 0,
		"record headers out of range"}
	};
	static const RecordInput input = RECORD(0, NULL_BYTES, NULL_BYTES, NULL, 0);
	Bytes		header = encode(&input, 1, COMPRESSION_NONE, 0);
	size_t		i;

	for (i = 0; i < lengthof(cases); i++)
	{
		Bytes		records = from_hex(cases[i].records);
		Bytes		batch;
		const char *error;

		batch.length = RECORD_BATCH_HEADER_SIZE + records.length;
		batch.data = malloc(batch.length);
		if (batch.data == NULL)
			abort();
		memcpy(batch.data, header.data, RECORD_BATCH_HEADER_SIZE);
		memcpy(batch.data + RECORD_BATCH_HEADER_SIZE,
			   records.data, records.length);
		store_int32(batch.data + LAST_OFFSET_DELTA_POS,
					cases[i].last_offset_delta);
		store_int32(batch.data + RECORDS_COUNT_POS, cases[i].records_count);
		seal(batch);

		error = decode(batch);
		if (!ok(cases[i].error == NULL ? error == NULL :
				error != NULL && strcmp(error, cases[i].error) == 0,
				"by hand: %s", cases[i].name))
			diag("%s", error == NULL ? "no error" : error);
		free(records.data);
		free(batch.data);
	}
	free(header.data);
}

static void
test_batch_fields(void)
{
	static const RecordInput inputs[] = {
		RECORD(1000, NULL_BYTES, STRING_BYTES("a"), NULL, 0),
		RECORD(1001, NULL_BYTES, STRING_BYTES("b"), NULL, 0)
	};
	Bytes		good = encode(inputs, 2, COMPRESSION_NONE, 0);
	Bytes		bytes = copy_bytes(good.data, good.length);
	RecordBatch batch;
	Record		record;

	ok(record_batch_open(&batch, PG_INT64_MAX - 2, bytes.data, bytes.length) &&
	   record_batch_next(&batch, &record) &&
	   record_batch_next(&batch, &record) &&
	   record.offset == PG_INT64_MAX - 1,
	   "the greatest offset leaves one to follow");
	ok(!record_batch_open(&batch, PG_INT64_MAX - 1, bytes.data, bytes.length),
	   "offsets beyond 64 bits are rejected");
	ok(!record_batch_open(&batch, -1, bytes.data, bytes.length),
	   "a negative offset is rejected");

	/* The second record moves to offsetDelta 5: compaction leaves holes. */
	bytes.data[RECORD_BATCH_HEADER_SIZE + 8 + 3] = 5 * 2;
	bytes.data[LAST_OFFSET_DELTA_POS + 3] = 9;
	seal(bytes);
	ok(record_batch_open(&batch, 100, bytes.data, bytes.length) &&
	   record_batch_next(&batch, &record) && record.offset == 100 &&
	   record_batch_next(&batch, &record) && record.offset == 105 &&
	   !record_batch_next(&batch, &record) && batch.error == NULL,
	   "offsets with holes");

	/* baseTimestamp plus 1 must not wrap around. */
	memcpy(bytes.data, good.data, good.length);
	memset(bytes.data + BASE_TIMESTAMP_POS, 0xff, 8);
	bytes.data[BASE_TIMESTAMP_POS] = 0x7f;
	seal(bytes);
	ok(record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   record_batch_next(&batch, &record) &&
	   record.timestamp == PG_INT64_MAX &&
	   !record_batch_next(&batch, &record) &&
	   strcmp(batch.error, "timestampDelta out of range") == 0,
	   "a timestamp of more than 64 bits is rejected");
	ok(!record_batch_next(&batch, &record) && batch.error != NULL,
	   "and stays rejected");

	memcpy(bytes.data, good.data, good.length);
	bytes.data[ATTRIBUTES_POS + 1] = COMPRESSION_ZSTD + 1;
	seal(bytes);
	ok(!record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   strcmp(batch.error, "unknown compression codec") == 0,
	   "an unknown compression codec is rejected");

	memcpy(bytes.data, good.data, good.length);
	bytes.data[8] = 1;
	ok(!record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   strcmp(batch.error, "magic is not 2") == 0,
	   "another magic is rejected");

	memcpy(bytes.data, good.data, good.length);
	bytes.data[CRC_POS] ^= 1;
	ok(!record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   strcmp(batch.error, "CRC does not match") == 0 &&
	   !record_batch_next(&batch, &record),
	   "no record is read of a batch with a wrong CRC");

	free(good.data);
	free(bytes.data);
}

/*
 * Whatever single bit is wrong, the batch is rejected, but for
 * partitionLeaderEpoch, which a server may rewrite and no CRC covers.  Cut
 * off or with a byte more it is rejected, too.
 */
static void
test_damage(CompressionCodec codec)
{
	static const RecordHeader headers[] = {
		{STRING_BYTES("trace"), STRING_BYTES("0123456789")},
		{STRING_BYTES("null"), NULL_BYTES}
	};

	/* so much of the same that it gets smaller */
	static const RecordInput inputs[] = {
		RECORD(INT64CONST(1700000000000), STRING_BYTES("key"),
			   STRING_BYTES("some value"), headers, 2),
		RECORD(INT64CONST(1700000001000), NULL_BYTES, EMPTY_BYTES, NULL, 0),
		RECORD(INT64CONST(1699999999000), STRING_BYTES("k"), NULL_BYTES, headers, 1),
		RECORD(INT64CONST(1700000000000), STRING_BYTES("key"),
			   STRING_BYTES("some value, some value, some value"), headers, 2)
	};
	Bytes		good = encode(inputs, lengthof(inputs), codec, 0);
	bool		rejected = true;
	bool		accepted = true;
	size_t		i;
	int			value;
	int			step = codec == COMPRESSION_NONE ? 1 : 8;

	ok(good.data[ATTRIBUTES_POS + 1] == (char) codec,
	   "a batch to damage, codec %d", codec);
	for (i = 0; i < good.length * 8; i++)
	{
		Bytes		bad = copy_bytes(good.data, good.length);

		bad.data[i / 8] ^= (char) (1 << i % 8);
		if (i / 8 >= 4 && i / 8 < 8)
			accepted = accepted && decode(bad) == NULL;
		else
			rejected = rejected && decode(bad) != NULL;
		free(bad.data);
	}
	ok(rejected, "every flipped bit is noticed");
	ok(accepted, "but for those of partitionLeaderEpoch");

	rejected = true;
	for (i = 0; i < good.length; i++)
	{
		Bytes		bad = copy_bytes(good.data, i);

		rejected = rejected && decode(bad) != NULL;
		/* also if the lengths agree and the CRC is right */
		if (i >= RECORD_BATCH_HEADER_SIZE)
		{
			seal(bad);
			rejected = rejected && decode(bad) != NULL;
		}
		free(bad.data);
	}
	ok(rejected, "every truncation is noticed");

	rejected = true;
	for (value = 0; value < 256; value++)
	{
		Bytes		bad;

		bad.length = good.length + 1;
		bad.data = malloc(bad.length);
		if (bad.data == NULL)
			abort();
		memcpy(bad.data, good.data, good.length);
		bad.data[good.length] = (char) value;
		rejected = rejected && decode(bad) != NULL;
		seal(bad);
		rejected = rejected && decode(bad) != NULL;
		free(bad.data);
	}
	ok(rejected, "every byte too much is noticed");

	/* With a right CRC anything may be accepted, but must not crash. */
	for (i = ATTRIBUTES_POS; i < good.length; i++)
	{
		for (value = (int) (i % step); value < 256; value += step)
		{
			Bytes		bad = copy_bytes(good.data, good.length);

			bad.data[i] = (char) value;
			seal(bad);
			decode(bad);
			free(bad.data);
		}
	}
	ok(true, "%s byte at every place is survived",
	   step == 1 ? "every" : "many a");
	free(good.data);
}

int
main(void)
{
	test_published_batches();
	test_round_trips();
	test_builder();
	test_offsets();
	test_delete_horizon();
	test_split();
	test_raw_size();
	test_records_by_hand();
	test_batch_fields();
	test_damage(COMPRESSION_NONE);
	test_damage(COMPRESSION_LZ4);
	test_damage(COMPRESSION_ZSTD);
	return tap_done();
}
