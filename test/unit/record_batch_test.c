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

#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "../../src/record_batch.h"
#include "tap.h"

/* Positions in a batch that tests write to, counted from batchLength. */
#define CRC_POS					9
#define ATTRIBUTES_POS			13
#define LAST_OFFSET_DELTA_POS	15
#define BASE_TIMESTAMP_POS		19
#define RECORDS_COUNT_POS		49

#define NULL_BYTES				{NULL, -1}
#define EMPTY_BYTES				{"", 0}
#define STRING_BYTES(s)			{s, sizeof(s) - 1}

/* Bytes of a test's own, and how many they are. */
typedef struct Bytes
{
	char	   *data;
	size_t		length;
} Bytes;

static Bytes
copy_bytes(const char *data, size_t length)
{
	Bytes		copy;

	copy.length = length;
	copy.data = malloc(Max(length, 1));
	if (copy.data == NULL)
		abort();
	memcpy(copy.data, data, length);
	return copy;
}

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static Bytes
from_hex(const char *hex)
{
	Bytes		bytes = copy_bytes(hex, strlen(hex) / 2);
	size_t		i;

	for (i = 0; i < bytes.length; i++)
		bytes.data[i] = (char) (hex_digit(hex[2 * i]) << 4 |
								hex_digit(hex[2 * i + 1]));
	return bytes;
}

static void
put_int32(char *pos, uint32 value)
{
	uint32		raw = pg_hton32(value);

	memcpy(pos, &raw, sizeof(raw));
}

/* Make batchLength and CRC right again after a test has changed a batch. */
static void
seal(Bytes bytes)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes.data + ATTRIBUTES_POS,
				bytes.length - ATTRIBUTES_POS);
	FIN_CRC32C(crc);
	put_int32(bytes.data, (uint32) (bytes.length - 4));
	put_int32(bytes.data + CRC_POS, crc);
}

/* A small generator of our own, so that a failure can be repeated. */
static uint64 random_state = 42;

static uint32
random_below(uint32 limit)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (uint32) (random_state >> 33) % limit;
}

static RecordBytes
bytes_at(const char *data, int length)
{
	RecordBytes bytes;

	bytes.data = data;
	bytes.length = length;
	return bytes;
}

static bool
same_bytes(const RecordBytes *a, const RecordBytes *b)
{
	if (a->length != b->length)
		return false;
	return a->length <= 0 || memcmp(a->data, b->data, a->length) == 0;
}

/* Is `record` what `input` was, but for its timestamp? */
static bool
same_record(const RecordInput *input, const Record *record)
{
	RecordBytes headers = record->headers;
	RecordHeader header;
	int			i;

	if (!same_bytes(&input->key, &record->key) ||
		!same_bytes(&input->value, &record->value) ||
		input->header_count != record->header_count)
		return false;
	for (i = 0; i < input->header_count; i++)
	{
		if (!record_next_header(&headers, &header) ||
			!same_bytes(&input->headers[i].key, &header.key) ||
			!same_bytes(&input->headers[i].value, &header.value))
			return false;
	}
	return !record_next_header(&headers, &header);
}

/* Build a batch in memory of exactly its size. */
static Bytes
encode(const RecordInput *inputs, int count, int16 attributes)
{
	RecordBatchBuilder builder;
	Bytes		batch;
	int			i;

	record_batch_builder_init(&builder, 4);
	for (i = 0; i < count; i++)
		record_batch_add(&builder, &inputs[i]);
	record_batch_finish(&builder, 7, attributes);
	batch = copy_bytes(builder.buffer + builder.reserve,
					   builder.size - builder.reserve);
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
	return !record_batch_next(&batch, &record) && batch.error == NULL &&
		batch.records_count == count && batch.last_offset_delta == count - 1;
}

static void
round_trip(const char *name, const RecordInput *inputs, int count)
{
	Bytes		batch = encode(inputs, count, 0);

	ok(decodes_to(batch, INT64CONST(5000000000), inputs, count),
	   "round trip: %s", name);
	free(batch.data);
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
	RecordInput inputs[2];
	RecordBatchBuilder builder;

	{
		const RecordHeader header = {
			STRING_BYTES("\x08\x09\x0a"), STRING_BYTES("\x0b\x0c")
		};
		const RecordInput input = {
			INT64CONST(1479847795005), STRING_BYTES("\x01\x02\x03\x04"),
			STRING_BYTES("\x05\x06\x07"), &header, 1
		};

		bytes = from_hex(sarama_record);
		ok(decodes_to(bytes, 0, &input, 1), "sarama: a record with a header");
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

	bytes = from_hex(sarama_snappy);
	ok(!record_batch_open(&batch, 0, bytes.data, bytes.length) &&
	   strcmp(batch.error, "compression codec not supported") == 0,
	   "sarama: a compressed batch is rejected");
	free(bytes.data);

	{
		const RecordInput input = {
			INT64CONST(1726045973899), NULL_BYTES,
			STRING_BYTES("Hello Kafka!"), NULL, 0
		};

		bytes = from_hex(hello_kafka);
		ok(decodes_to(bytes, 0, &input, 1), "CodeCrafters: a topic's batch");
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
	memset(inputs, 0, sizeof(inputs));
	record_batch_open(&batch, 2, bytes.data, bytes.length);
	record_batch_builder_init(&builder, 0);
	while (record_batch_next(&batch, &records[0]))
	{
		inputs[0].timestamp = records[0].timestamp;
		inputs[0].key = records[0].key;
		inputs[0].value = records[0].value;
		record_batch_add(&builder, &inputs[0]);
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
		{0, NULL_BYTES, NULL_BYTES, NULL, 0},
		{0, EMPTY_BYTES, EMPTY_BYTES, NULL, 0},
		{0, NULL_BYTES, EMPTY_BYTES, NULL, 0},
		{0, EMPTY_BYTES, NULL_BYTES, NULL, 0},
		{0, STRING_BYTES("k"), STRING_BYTES("v"), NULL, 0}
	};
	static const RecordInput with_headers[] = {
		{1, STRING_BYTES("k"), STRING_BYTES("v"), headers, 5},
		{1, STRING_BYTES("k"), NULL_BYTES, headers + 2, 1},
		{1, NULL_BYTES, STRING_BYTES("v"), NULL, 0}
	};
	static const RecordInput timestamps[] = {
		{INT64CONST(1700000000000), NULL_BYTES, NULL_BYTES, NULL, 0},
		{INT64CONST(1699999999999), NULL_BYTES, NULL_BYTES, NULL, 0},
		{INT64CONST(1800000000000), NULL_BYTES, NULL_BYTES, NULL, 0},
		{0, NULL_BYTES, NULL_BYTES, NULL, 0},
		{-1, NULL_BYTES, NULL_BYTES, NULL, 0}
	};
	static const RecordInput extremes[] = {
		{PG_INT64_MIN, NULL_BYTES, NULL_BYTES, NULL, 0},
		{-1, NULL_BYTES, NULL_BYTES, NULL, 0}
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
	static const RecordInput input = {
		INT64CONST(1700000000000), STRING_BYTES("key"),
		STRING_BYTES("some value"), &header, 1
	};
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
	record_batch_add(&builder, &record);
	record.timestamp -= 1000;
	record_batch_add(&builder, &record);
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
	static const RecordInput input = {0, NULL_BYTES, NULL_BYTES, NULL, 0};
	Bytes		header = encode(&input, 1, 0);
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
		put_int32(batch.data + LAST_OFFSET_DELTA_POS,
				  cases[i].last_offset_delta);
		put_int32(batch.data + RECORDS_COUNT_POS, cases[i].records_count);
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
		{1000, NULL_BYTES, STRING_BYTES("a"), NULL, 0},
		{1001, NULL_BYTES, STRING_BYTES("b"), NULL, 0}
	};
	Bytes		good = encode(inputs, 2, 0);
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
	bytes.data[ATTRIBUTES_POS + 1] = 5;
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
test_damage(void)
{
	static const RecordHeader headers[] = {
		{STRING_BYTES("trace"), STRING_BYTES("0123456789")},
		{STRING_BYTES("null"), NULL_BYTES}
	};
	static const RecordInput inputs[] = {
		{INT64CONST(1700000000000), STRING_BYTES("key"),
		STRING_BYTES("some value"), headers, 2},
		{INT64CONST(1700000001000), NULL_BYTES, EMPTY_BYTES, NULL, 0},
		{INT64CONST(1699999999000), STRING_BYTES("k"), NULL_BYTES, headers, 1}
	};
	Bytes		good = encode(inputs, lengthof(inputs), 0);
	bool		rejected = true;
	bool		accepted = true;
	size_t		i;
	int			value;

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
		for (value = 0; value < 256; value++)
		{
			Bytes		bad = copy_bytes(good.data, good.length);

			bad.data[i] = (char) value;
			seal(bad);
			decode(bad);
			free(bad.data);
		}
	}
	ok(true, "every byte at every place is survived");
	free(good.data);
}

int
main(void)
{
	test_published_batches();
	test_round_trips();
	test_builder();
	test_records_by_hand();
	test_batch_fields();
	test_damage();
	return tap_done();
}
