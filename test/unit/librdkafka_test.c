/*-------------------------------------------------------------------------
 *
 * librdkafka_test.c
 *		Does librdkafka read what we write, and do we read what it writes?
 *
 * librdkafka brings a broker of its own for tests, which listens on loopback
 * and keeps produced batches as they came.  We speak to it as bare as
 * possible, a ProduceRequest and a FetchRequest made by hand, so that
 * librdkafka's producer and consumer are the only code beside ours that
 * touches the batches.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/partitioner.h"
#include "records.h"
#include "tap.h"

#define API_KEY_PRODUCE		0
#define PRODUCE_VERSION		3
#define API_KEY_FETCH		1
#define FETCH_VERSION		4

#define TIMEOUT_MS			10000
#define MAX_MESSAGE_SIZE	(8 * 1024 * 1024)

#define BASE_TIMESTAMP		INT64CONST(1700000000000)
#define LARGE_VALUE_SIZE	200000

/* librdkafka's names of codecs; also those of topics */
static const char *const codec_names[] = {
	"none", "gzip", "snappy", "lz4", "zstd"
};

static char large_value[LARGE_VALUE_SIZE];

static const RecordHeader some_headers[] = {
	{STRING_BYTES("trace"), STRING_BYTES("1")},
	{STRING_BYTES("trace"), STRING_BYTES("\0\1\2")},
	{STRING_BYTES("null"), NULL_BYTES},
	{STRING_BYTES("empty"), EMPTY_BYTES}
};

#define LARGE_BYTES			{large_value, LARGE_VALUE_SIZE}

/* The records that go both ways. */
static const RecordInput records[] = {
	RECORD(BASE_TIMESTAMP, STRING_BYTES("key"), STRING_BYTES("value"), NULL, 0),
	RECORD(BASE_TIMESTAMP + 1, NULL_BYTES, STRING_BYTES("no key"), NULL, 0),
	RECORD(BASE_TIMESTAMP + 2, EMPTY_BYTES, EMPTY_BYTES, NULL, 0),
	RECORD(BASE_TIMESTAMP + 3, STRING_BYTES("tombstone"), NULL_BYTES, NULL, 0),
	RECORD(BASE_TIMESTAMP - 5000, STRING_BYTES("older"), STRING_BYTES("v"),
		   NULL, 0),
	RECORD(BASE_TIMESTAMP + 86400000, STRING_BYTES("\0\377"),
		   STRING_BYTES("\0\0"), some_headers, lengthof(some_headers)),
	RECORD(BASE_TIMESTAMP, STRING_BYTES("one header"), NULL_BYTES,
		   some_headers + 2, 1),
	RECORD(BASE_TIMESTAMP, STRING_BYTES("large"), LARGE_BYTES, NULL, 0)
};

#define RECORDS_COUNT	((int) lengthof(records))

/* A request that is being made, or a response that is being read. */
typedef struct Message
{
	char	   *data;
	size_t		size;
	size_t		pos;			/* where a response is read */
} Message;

/* Give up: something other than what is tested does not work. */
static void
bail_out(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void
put_bytes(Message *message, const void *data, size_t length)
{
	if (message->size + length > MAX_MESSAGE_SIZE)
		bail_out("request too large");
	memcpy(message->data + message->size, data, length);
	message->size += length;
}

static void
put_int8(Message *message, int8 value)
{
	put_bytes(message, &value, sizeof(value));
}

static void
put_int16(Message *message, int16 value)
{
	uint16		raw = pg_hton16((uint16) value);

	put_bytes(message, &raw, sizeof(raw));
}

static void
put_int32(Message *message, int32 value)
{
	uint32		raw = pg_hton32((uint32) value);

	put_bytes(message, &raw, sizeof(raw));
}

static void
put_int64(Message *message, int64 value)
{
	uint64		raw = pg_hton64((uint64) value);

	put_bytes(message, &raw, sizeof(raw));
}

static void
put_string(Message *message, const char *string)
{
	put_int16(message, (int16) strlen(string));
	put_bytes(message, string, strlen(string));
}

static const char *
get_bytes(Message *message, size_t length)
{
	const char *bytes = message->data + message->pos;

	if (length > message->size - message->pos)
		bail_out("response is too short");
	message->pos += length;
	return bytes;
}

static int16
get_int16(Message *message)
{
	uint16		raw;

	memcpy(&raw, get_bytes(message, sizeof(raw)), sizeof(raw));
	return (int16) pg_ntoh16(raw);
}

static int32
get_int32(Message *message)
{
	uint32		raw;

	memcpy(&raw, get_bytes(message, sizeof(raw)), sizeof(raw));
	return (int32) pg_ntoh32(raw);
}

static int64
get_int64(Message *message)
{
	uint64		raw;

	memcpy(&raw, get_bytes(message, sizeof(raw)), sizeof(raw));
	return (int64) pg_ntoh64(raw);
}

/* Connect to the mock broker, whose address is 127.0.0.1:<port>. */
static int
connect_to(const char *bootstrap)
{
	struct sockaddr_in address;
	const char *colon = strrchr(bootstrap, ':');
	int			sock = socket(AF_INET, SOCK_STREAM, 0);

	if (sock < 0 || colon == NULL || strchr(bootstrap, ',') != NULL)
		bail_out("no single mock broker");
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16) atoi(colon + 1));
	if (connect(sock, (struct sockaddr *) &address, sizeof(address)) != 0)
		bail_out("cannot connect to the mock broker");
	return sock;
}

static void
send_all(int sock, const char *data, size_t length)
{
	while (length > 0)
	{
		ssize_t		sent = send(sock, data, length, 0);

		if (sent <= 0)
			bail_out("cannot send to the mock broker");
		data += sent;
		length -= sent;
	}
}

static void
receive_all(int sock, char *data, size_t length)
{
	while (length > 0)
	{
		ssize_t		received = recv(sock, data, length, 0);

		if (received <= 0)
			bail_out("cannot receive from the mock broker");
		data += received;
		length -= received;
	}
}

/* Start a request: Size, which call() fills in, and the request header. */
static void
start_request(Message *message, int16 api_key, int16 version)
{
	message->size = 0;
	put_int32(message, 0);
	put_int16(message, api_key);
	put_int16(message, version);
	put_int32(message, 1);		/* CorrelationId */
	put_string(message, "pg_topic");	/* ClientId */
}

/* Send a request and put the response's body in its place. */
static void
call(int sock, Message *message)
{
	uint32		size = pg_hton32((uint32) (message->size - sizeof(size)));

	memcpy(message->data, &size, sizeof(size));
	send_all(sock, message->data, message->size);

	receive_all(sock, (char *) &size, sizeof(size));
	size = pg_ntoh32(size);
	if (size > MAX_MESSAGE_SIZE)
		bail_out("response too large");
	receive_all(sock, message->data, size);
	message->size = size;
	message->pos = 0;
	if (get_int32(message) != 1)
		bail_out("response to another request");
}

/*
 * Produce a batch of ours to partition 0.  Returns the offset that the broker
 * gave it.
 */
static int64
produce_batch(int sock, Message *message, const char *topic, Bytes batch)
{
	start_request(message, API_KEY_PRODUCE, PRODUCE_VERSION);
	put_int16(message, -1);		/* TransactionalId: null */
	put_int16(message, -1);		/* Acks: all */
	put_int32(message, TIMEOUT_MS);
	put_int32(message, 1);		/* topics */
	put_string(message, topic);
	put_int32(message, 1);		/* partitions */
	put_int32(message, 0);
	put_int32(message, (int32) (sizeof(int64) + batch.length));
	put_int64(message, 0);		/* baseOffset */
	put_bytes(message, batch.data, batch.length);
	call(sock, message);

	get_int32(message);			/* topics */
	get_bytes(message, get_int16(message));
	get_int32(message);			/* partitions */
	get_int32(message);
	if (get_int16(message) != 0)
		bail_out("the mock broker refused the batch");
	return get_int64(message);
}

/*
 * Fetch partition 0 from an offset on.  Returns the length of the batches,
 * which message->pos then points to.
 */
static int32
fetch_batches(int sock, Message *message, const char *topic, int64 offset)
{
	int32		aborted;

	start_request(message, API_KEY_FETCH, FETCH_VERSION);
	put_int32(message, -1);		/* ReplicaId */
	put_int32(message, TIMEOUT_MS);
	put_int32(message, 1);		/* MinBytes */
	put_int32(message, MAX_MESSAGE_SIZE / 2);
	put_int8(message, 0);		/* IsolationLevel */
	put_int32(message, 1);		/* topics */
	put_string(message, topic);
	put_int32(message, 1);		/* partitions */
	put_int32(message, 0);
	put_int64(message, offset);
	put_int32(message, MAX_MESSAGE_SIZE / 2);
	call(sock, message);

	get_int32(message);			/* ThrottleTimeMs */
	get_int32(message);			/* topics */
	get_bytes(message, get_int16(message));
	get_int32(message);			/* partitions */
	get_int32(message);
	if (get_int16(message) != 0)
		bail_out("the mock broker refused the fetch");
	get_int64(message);			/* HighWatermark */
	get_int64(message);			/* LastStableOffset */
	for (aborted = get_int32(message); aborted > 0; aborted--)
		get_bytes(message, 2 * sizeof(int64));
	return get_int32(message);
}

static rd_kafka_t *
new_client(rd_kafka_type_t type, const char *bootstrap, const char *codec)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *client;
	char		error[256];

	/*
	 * The client that only owns the mock cluster needs no broker, and no
	 * notice (5) about that.
	 */
	if (bootstrap == NULL)
	{
		if (rd_kafka_conf_set(conf, "log_level", "4",
							  error, sizeof(error)) != RD_KAFKA_CONF_OK)
			bail_out(error);
	}
	else if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap,
							   error, sizeof(error)) != RD_KAFKA_CONF_OK)
		bail_out(error);
	if (type == RD_KAFKA_PRODUCER &&
		(rd_kafka_conf_set(conf, "linger.ms", "1000",
						   error, sizeof(error)) != RD_KAFKA_CONF_OK ||
		 rd_kafka_conf_set(conf, "compression.codec", codec,
						   error, sizeof(error)) != RD_KAFKA_CONF_OK))
		bail_out(error);
	if (type == RD_KAFKA_CONSUMER &&
		rd_kafka_conf_set(conf, "check.crcs", "true",
						  error, sizeof(error)) != RD_KAFKA_CONF_OK)
		bail_out(error);
	client = rd_kafka_new(type, conf, error, sizeof(error));
	if (client == NULL)
		bail_out(error);
	return client;
}

/* Does what librdkafka returned have the same bytes, or the same null? */
static bool
returned_bytes(const RecordBytes *expected, const void *data, size_t length)
{
	if (expected->length < 0)
		return data == NULL;
	return data != NULL && length == (size_t) expected->length &&
		memcmp(data, expected->data, length) == 0;
}

static bool
same_headers(const RecordInput *expected, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t		size;
	int			i;

	if (rd_kafka_message_headers(message, &headers) !=
		RD_KAFKA_RESP_ERR_NO_ERROR)
		return expected->header_count == 0;
	if (rd_kafka_header_cnt(headers) != (size_t) expected->header_count)
		return false;
	for (i = 0; i < expected->header_count; i++)
	{
		const RecordHeader *header = &expected->headers[i];

		if (rd_kafka_header_get_all(headers, i, &name, &value, &size) !=
			RD_KAFKA_RESP_ERR_NO_ERROR ||
			!returned_bytes(&header->key, name, strlen(name)) ||
			!returned_bytes(&header->value, value, size))
			return false;
	}
	return true;
}

/*
 * Our batches, read by librdkafka's consumer: those with the records' own
 * timestamps, and one with LogAppendTime.
 */
static void
test_consumer_reads_ours(int sock, Message *request, const char *bootstrap)
{
	static const char topic_name[] = "ours";
	static const struct
	{
		CompressionCodec codec;
		int16		attributes;
	}			kinds[] = {
		{COMPRESSION_NONE, 0},
		{COMPRESSION_LZ4, 0},
		{COMPRESSION_ZSTD, 0},
		{COMPRESSION_NONE, RECORD_BATCH_LOG_APPEND_TIME}
	};
	RecordBatchBuilder builder;
	rd_kafka_t *consumer;
	rd_kafka_topic_t *topic;
	int			count = RECORDS_COUNT * (int) lengthof(kinds);
	int			i;

	record_batch_builder_init(&builder, 4);
	for (i = 0; i < RECORDS_COUNT; i++)
		add_record(&builder, &records[i]);
	for (i = 0; i < (int) lengthof(kinds); i++)
	{
		Bytes		batch;

		if (kinds[i].attributes != 0)
			builder.max_timestamp = BASE_TIMESTAMP * 2;
		batch = finish_batch(&builder, kinds[i].codec, kinds[i].attributes);
		ok((batch.data[ATTRIBUTES_POS + 1] & RECORD_BATCH_COMPRESSION_MASK) ==
		   (int) kinds[i].codec &&
		   produce_batch(sock, request, topic_name, batch) ==
		   i * RECORDS_COUNT,
		   "the broker takes our batch, codec %d", kinds[i].codec);
		free(batch.data);
	}
	record_batch_builder_free(&builder);

	consumer = new_client(RD_KAFKA_CONSUMER, bootstrap, NULL);
	topic = rd_kafka_topic_new(consumer, topic_name, NULL);
	if (topic == NULL || rd_kafka_consume_start(topic, 0, 0) != 0)
		bail_out("cannot start the consumer");
	for (i = 0; i < count; i++)
	{
		const RecordInput *expected = &records[i % RECORDS_COUNT];
		rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_CREATE_TIME;
		rd_kafka_timestamp_type_t actual_type;
		int64		timestamp = expected->timestamp;
		rd_kafka_message_t *message = rd_kafka_consume(topic, 0, TIMEOUT_MS);

		if (message == NULL)
			bail_out("librdkafka returned no record");
		if (kinds[i / RECORDS_COUNT].attributes != 0)
		{
			type = RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
			timestamp = BASE_TIMESTAMP * 2;
		}
		if (!ok(message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
				message->offset == i &&
				rd_kafka_message_timestamp(message, &actual_type) ==
				timestamp &&
				actual_type == type &&
				returned_bytes(&expected->key, message->key, message->key_len) &&
				returned_bytes(&expected->value, message->payload, message->len) &&
				same_headers(expected, message),
				"librdkafka reads our record %d", i))
			diag("%s", rd_kafka_err2str(message->err));
		rd_kafka_message_destroy(message);
	}
	rd_kafka_consume_stop(topic, 0);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(consumer);
}

/*
 * Until it knows the partition, the producer keeps records elsewhere, and then
 * a flush can catch them on the way, so that each gets a batch of its own.
 */
static void
wait_for_metadata(rd_kafka_t *producer, const char *topic_name)
{
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, topic_name, NULL);
	const		rd_kafka_metadata_t *metadata;

	if (!topic ||
		rd_kafka_metadata(producer, 0, topic, &metadata, TIMEOUT_MS) !=
		RD_KAFKA_RESP_ERR_NO_ERROR)
		bail_out("cannot find the topic");
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(topic);
}

/* Hand a record to librdkafka's producer. */
static void
produce_record(rd_kafka_t *producer, const char *topic,
			   const RecordInput *record)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
	rd_kafka_resp_err_t error;
	int			i;

	for (i = 0; i < record->header_count; i++)
	{
		const RecordHeader *header = &record->headers[i];

		rd_kafka_header_add(headers, header->key.data, header->key.length,
							header->value.data,
							Max(header->value.length, 0));
	}
	error = rd_kafka_producev(producer,
							  RD_KAFKA_V_TOPIC(topic),
							  RD_KAFKA_V_PARTITION(0),
							  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							  RD_KAFKA_V_TIMESTAMP(record->timestamp),
							  RD_KAFKA_V_KEY(record->key.data,
											 Max(record->key.length, 0)),
							  RD_KAFKA_V_VALUE((void *) record->value.data,
											   Max(record->value.length, 0)),
							  RD_KAFKA_V_HEADERS(headers),
							  RD_KAFKA_V_END);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
		bail_out(rd_kafka_err2str(error));
}

/*
 * librdkafka's batches, read by us.  The producer decides how many records a
 * batch has, so that all batches are read that it takes for all records.
 */
static void
test_we_read_producers(int sock, Message *request, const char *bootstrap,
					   CompressionCodec codec)
{
	const char *topic_name = codec_names[codec];
	rd_kafka_t *producer = new_client(RD_KAFKA_PRODUCER, bootstrap,
									  codec_names[codec]);
	bool		opened = true;
	bool		compressed = false;
	int			batches = 0;
	int			i;

	wait_for_metadata(producer, topic_name);
	for (i = 0; i < RECORDS_COUNT; i++)
		produce_record(producer, topic_name, &records[i]);
	if (rd_kafka_flush(producer, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		bail_out("cannot flush the producer");
	rd_kafka_destroy(producer);

	i = 0;
	while (opened && i < RECORDS_COUNT)
	{
		int32		left = fetch_batches(sock, request, topic_name, i);

		if (left <= 0)
			bail_out("the mock broker returned no batch");
		while (opened && left > 0)
		{
			RecordBatch batch;
			Record		record;
			int64		base_offset = get_int64(request);
			int32		length = get_int32(request);
			const char *data;

			/* The stored form begins at batchLength itself. */
			request->pos -= sizeof(length);
			data = get_bytes(request, sizeof(length) + length);
			left -= (int32) sizeof(base_offset) + (int32) sizeof(length) +
				length;

			batches++;
			opened = base_offset == i &&
				record_batch_open(&batch, base_offset, data,
								  sizeof(length) + length);
			while (opened && record_batch_next(&batch, &record))
			{
				ok(i < RECORDS_COUNT && record.offset == i &&
				   record.timestamp == records[i].timestamp &&
				   same_record(&records[i], &record),
				   "we read librdkafka's record %d, %s", i,
				   codec_names[codec]);
				i++;
			}
			opened = opened && batch.error == NULL;
			if ((batch.attributes & RECORD_BATCH_COMPRESSION_MASK) ==
				(int) codec)
				compressed = true;
			record_batch_close(&batch);
		}
	}
	ok(opened, "we read librdkafka's batches to their end");
	ok(batches < RECORDS_COUNT, "some batch had several records");
	ok(compressed, "some batch was compressed by %s", codec_names[codec]);
}

/* Keys go where librdkafka's Java compatible partitioner sends them. */
static void
test_partitioner(void)
{
	bool		same = true;
	unsigned int seed = 42;
	int			i;

	for (i = 0; i < 100000; i++)
	{
		char		key[40];
		int			length = rand_r(&seed) % (int) sizeof(key);
		int			partitions = 1 + rand_r(&seed) % 1000;
		int			j;

		for (j = 0; j < length; j++)
			key[j] = (char) rand_r(&seed);
		if (partition_for_key(key, length, partitions) !=
			rd_kafka_msg_partitioner_murmur2(NULL, key, length, partitions,
											 NULL, NULL))
			same = false;
	}
	ok(same, "keys go to librdkafka's partitions");
}

int
main(void)
{
	rd_kafka_t *owner = new_client(RD_KAFKA_PRODUCER, NULL, "none");
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(owner, 1);
	const char *bootstrap;
	Message		message;
	int			sock;
	int			codec;

	memset(large_value, 'x', sizeof(large_value));
	memset(&message, 0, sizeof(message));
	message.data = malloc(MAX_MESSAGE_SIZE);
	if (cluster == NULL || message.data == NULL)
		bail_out("no mock cluster");
	if (rd_kafka_mock_topic_create(cluster, "ours", 1, 1) !=
		RD_KAFKA_RESP_ERR_NO_ERROR)
		bail_out("cannot create a topic");
	for (codec = 0; codec < (int) lengthof(codec_names); codec++)
	{
		if (rd_kafka_mock_topic_create(cluster, codec_names[codec], 1, 1) !=
			RD_KAFKA_RESP_ERR_NO_ERROR)
			bail_out("cannot create a topic");
	}
	bootstrap = rd_kafka_mock_cluster_bootstraps(cluster);
	sock = connect_to(bootstrap);

	test_partitioner();
	test_consumer_reads_ours(sock, &message, bootstrap);
	for (codec = 0; codec < (int) lengthof(codec_names); codec++)
		test_we_read_producers(sock, &message, bootstrap, codec);

	close(sock);
	free(message.data);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	return tap_done();
}
