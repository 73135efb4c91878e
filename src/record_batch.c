/*-------------------------------------------------------------------------
 *
 * record_batch.c
 *		Write and read Kafka record batches, version 2 (magic 2).
 *
 * This is the only code that knows the format; everything else goes through
 * record_batch.h.  It assumes nothing about the bytes that it reads: each
 * field is checked against the bytes that are left before it is read, and
 * each count before it is believed.
 *
 * Integers of fixed size are big-endian.  A varint is the least significant
 * seven bits first, the eighth bit telling that more follow, of the number in
 * zigzag form (0, -1, 1, -2, ...), as in Protocol Buffers.
 *
 * A record:
 *
 *		length			varint	bytes of the record after this field
 *		attributes		int8	unused
 *		timestampDelta	varlong
 *		offsetDelta		varint
 *		keyLength		varint	-1 is null
 *		key
 *		valueLen		varint	-1 is null
 *		value
 *		headersCount	varint
 *		headers, each
 *			headerKeyLength		varint
 *			headerKey
 *			headerValueLength	varint	-1 is null
 *			headerValue
 *
 *-------------------------------------------------------------------------
 */
#include "standalone.h"

#include "common/int.h"
#include "port/pg_bswap.h"
#include "port/pg_crc32c.h"

#include "record_batch.h"

/* Where the fields of the batch header are, counted from batchLength. */
#define BATCH_LENGTH_POS			0
#define PARTITION_LEADER_EPOCH_POS	4
#define MAGIC_POS					8
#define CRC_POS						9
#define ATTRIBUTES_POS				13
#define LAST_OFFSET_DELTA_POS		15
#define BASE_TIMESTAMP_POS			19
#define MAX_TIMESTAMP_POS			27
#define PRODUCER_ID_POS				35
#define PRODUCER_EPOCH_POS			43
#define BASE_SEQUENCE_POS			45
#define RECORDS_COUNT_POS			49

#define RECORD_BATCH_MAGIC			2

/*
 * batchLength does not count itself, and the CRC covers what follows it.
 */
#define UNCOUNTED_BYTES				sizeof(int32)
#define CRC_COVERS_FROM				ATTRIBUTES_POS

/*
 * The largest batch that we write: with the varlena header in front of it,
 * it must fit into one allocation of Postgres (MaxAllocSize).
 */
#define MAX_BATCH_SIZE				((size_t) 0x3fffff00)

/* No batch that we wrote decompresses to more.  (The fuzzer allows less.) */
#ifndef MAX_DECOMPRESSED_SIZE
#define MAX_DECOMPRESSED_SIZE		MAX_BATCH_SIZE
#endif

/* A batch that fills a heap page never has to grow its buffer. */
#define INITIAL_CAPACITY			8192

/*
 * The fewest bytes that a record and a header can have: every varint one
 * byte, nothing in key and value.
 */
#define MIN_RECORD_SIZE				7
#define MIN_HEADER_SIZE				2

#define MAX_VARINT_SIZE				5

/*
 * The greatest timestampDelta that we write: half of what the field holds, so
 * that each record's timestamp can also be told from any other's of the batch
 * (record_batch_split).
 */
#define MAX_TIMESTAMP_DELTA			(PG_INT64_MAX / 2)

/*
 * Fixed-size integers.  The caller knows that the bytes are there.
 */
static inline void
put_int16(char *pos, int16 value)
{
	uint16		raw = pg_hton16((uint16) value);

	memcpy(pos, &raw, sizeof(raw));
}

static inline void
put_int32(char *pos, int32 value)
{
	uint32		raw = pg_hton32((uint32) value);

	memcpy(pos, &raw, sizeof(raw));
}

static inline void
put_int64(char *pos, int64 value)
{
	uint64		raw = pg_hton64((uint64) value);

	memcpy(pos, &raw, sizeof(raw));
}

static inline int16
get_int16(const char *pos)
{
	uint16		raw;

	memcpy(&raw, pos, sizeof(raw));
	return (int16) pg_ntoh16(raw);
}

static inline int32
get_int32(const char *pos)
{
	uint32		raw;

	memcpy(&raw, pos, sizeof(raw));
	return (int32) pg_ntoh32(raw);
}

static inline int64
get_int64(const char *pos)
{
	uint64		raw;

	memcpy(&raw, pos, sizeof(raw));
	return (int64) pg_ntoh64(raw);
}

/*
 * Zigzag form: small numbers stay small whatever their sign.  A varint is a
 * varlong whose value fits into 32 bits, so that writing needs one form.
 */
static inline uint64
zigzag(int64 value)
{
	uint64		doubled = (uint64) value << 1;

	return value < 0 ? ~doubled : doubled;
}

static inline int64
unzigzag(uint64 raw)
{
	uint64		half = raw >> 1;

	return (int64) ((raw & 1) != 0 ? ~half : half);
}

static inline size_t
varint_size(int64 value)
{
	uint64		raw = zigzag(value);
	size_t		size = 1;

	while (raw >= 0x80)
	{
		raw >>= 7;
		size++;
	}
	return size;
}

static inline char *
put_varint(char *pos, int64 value)
{
	uint64		raw = zigzag(value);

	while (raw >= 0x80)
	{
		*pos++ = (char) (raw | 0x80);
		raw >>= 7;
	}
	*pos++ = (char) raw;
	return pos;
}

/*
 * Read a varint of up to `bits` bits and move *pos past it.  False if it ends
 * after `end`, or its value needs more bits.
 */
static inline bool
get_varint_raw(const char **pos, const char *end, int bits, uint64 *raw)
{
	uint64		value = 0;
	int			shift;

	for (shift = 0; shift < bits; shift += 7)
	{
		unsigned char byte;

		if (*pos >= end)
			return false;
		byte = (unsigned char) *(*pos)++;

		/* The last byte has room for fewer than seven bits. */
		if (bits - shift < 7 && (byte >> (bits - shift)) != 0)
			return false;
		value |= (uint64) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
		{
			*raw = value;
			return true;
		}
	}
	return false;
}

static inline bool
get_varint(const char **pos, const char *end, int32 *value)
{
	uint64		raw;

	if (!get_varint_raw(pos, end, 32, &raw))
		return false;
	*value = (int32) unzigzag(raw);
	return true;
}

static inline bool
get_varlong(const char **pos, const char *end, int64 *value)
{
	uint64		raw;

	if (!get_varint_raw(pos, end, 64, &raw))
		return false;
	*value = unzigzag(raw);
	return true;
}

/*
 * Bytes preceded by their length, which is -1 for null.
 */
static inline size_t
bytes_size(const RecordBytes *bytes)
{
	if (bytes->length < 0)
		return varint_size(-1);
	return varint_size(bytes->length) + (size_t) bytes->length;
}

static inline char *
put_bytes(char *pos, const RecordBytes *bytes)
{
	if (bytes->length < 0)
		return put_varint(pos, -1);
	pos = put_varint(pos, bytes->length);
	/* data may be NULL if there is nothing to copy */
	if (bytes->length > 0)
		memcpy(pos, bytes->data, bytes->length);
	return pos + bytes->length;
}

static inline bool
get_bytes(const char **pos, const char *end, RecordBytes *bytes)
{
	int32		length;

	if (!get_varint(pos, end, &length) || length < -1)
		return false;
	if (length == -1)
	{
		bytes->data = NULL;
		bytes->length = -1;
		return true;
	}
	if (length > end - *pos)
		return false;
	bytes->data = *pos;
	bytes->length = length;
	*pos += length;
	return true;
}

static bool
get_header(const char **pos, const char *end, RecordHeader *header)
{
	if (!get_bytes(pos, end, &header->key) || header->key.length < 0)
		return false;
	return get_bytes(pos, end, &header->value);
}

/*
 * The record's `length`: its bytes without that field itself.
 */
static inline uint64
record_body_size(const RecordInput *record, int64 delta)
{
	uint64		size;
	int			i;

	size = 1 + varint_size(delta) + varint_size(record->offset_delta);
	size += bytes_size(&record->key);
	size += bytes_size(&record->value);
	size += varint_size(record->header_count);
	if (record->headers == NULL)
		return size + Max(record->packed_headers.length, 0);
	for (i = 0; i < record->header_count; i++)
	{
		size += bytes_size(&record->headers[i].key);
		size += bytes_size(&record->headers[i].value);
	}
	return size;
}

/*
 * Make room for `needed` more bytes.  The buffer at least doubles, so that a
 * byte is copied a bounded number of times on average.
 */
static void
enlarge_buffer(RecordBatchBuilder *builder, size_t needed)
{
	size_t		limit = builder->reserve + MAX_BATCH_SIZE;
	size_t		capacity = builder->capacity;

	while (capacity - builder->size < needed)
		capacity *= 2;
	/* record_batch_size_with() has made sure that the limit is enough */
	capacity = Min(capacity, limit);
	Assert(capacity - builder->size >= needed);

	builder->buffer = repalloc(builder->buffer, capacity);
	builder->capacity = capacity;
}

/*
 * Start a batch.  The buffer belongs to the memory context that is current
 * now, whichever is current when it grows.
 */
void
record_batch_builder_init(RecordBatchBuilder *builder, size_t reserve)
{
	builder->reserve = reserve;
	builder->capacity = reserve + INITIAL_CAPACITY;
	builder->buffer = palloc(builder->capacity);
	record_batch_builder_reset(builder);
}

void
record_batch_builder_free(RecordBatchBuilder *builder)
{
	pfree(builder->buffer);
	builder->buffer = NULL;
}

void
record_batch_builder_reset(RecordBatchBuilder *builder)
{
	builder->size = builder->reserve + RECORD_BATCH_HEADER_SIZE;
	builder->base_offset = 0;
	builder->record_count = 0;
	builder->last_offset_delta = -1;
	builder->base_timestamp = 0;
	builder->max_timestamp = 0;
	builder->delete_horizon = RECORD_BATCH_NO_DELETE_HORIZON;
	builder->has_tombstone = false;
}

void
record_batch_set_delete_horizon(RecordBatchBuilder *builder,
								int64 delete_horizon)
{
	Assert(builder->record_count == 0);
	builder->delete_horizon = delete_horizon;
}

/*
 * baseTimestamp, from which timestampDelta counts: the delete horizon, or
 * else the first record's timestamp, which `record` will be if there is none
 * yet.
 */
static inline int64
base_timestamp_with(const RecordBatchBuilder *builder,
					const RecordInput *record)
{
	if (builder->record_count > 0)
		return builder->base_timestamp;
	if (builder->delete_horizon != RECORD_BATCH_NO_DELETE_HORIZON)
		return builder->delete_horizon;
	return record->timestamp;
}

size_t
record_batch_size_with(const RecordBatchBuilder *builder,
					   const RecordInput *record)
{
	int64		delta;
	uint64		size;

	if (pg_sub_s64_overflow(record->timestamp,
							base_timestamp_with(builder, record), &delta) ||
		delta > MAX_TIMESTAMP_DELTA || delta < -MAX_TIMESTAMP_DELTA)
		return SIZE_MAX;

	size = record_body_size(record, delta);
	size += varint_size((int64) size) + builder->size - builder->reserve;
	return size > MAX_BATCH_SIZE ? SIZE_MAX : (size_t) size;
}

void
record_batch_add(RecordBatchBuilder *builder, const RecordInput *record)
{
	int64		base_timestamp = base_timestamp_with(builder, record);
	int64		delta = record->timestamp - base_timestamp;
	size_t		body_size;
	char	   *pos;
	int			i;

	Assert(record->offset_delta > builder->last_offset_delta);
	body_size = (size_t) record_body_size(record, delta);
	if (builder->capacity - builder->size < body_size + MAX_VARINT_SIZE)
		enlarge_buffer(builder, varint_size((int64) body_size) + body_size);

	pos = builder->buffer + builder->size;
	pos = put_varint(pos, (int64) body_size);
	*pos++ = 0;					/* attributes */
	pos = put_varint(pos, delta);
	pos = put_varint(pos, record->offset_delta);
	pos = put_bytes(pos, &record->key);
	pos = put_bytes(pos, &record->value);
	pos = put_varint(pos, record->header_count);
	if (record->headers == NULL)
	{
		if (record->packed_headers.length > 0)
		{
			memcpy(pos, record->packed_headers.data,
				   record->packed_headers.length);
			pos += record->packed_headers.length;
		}
	}
	else
	{
		for (i = 0; i < record->header_count; i++)
		{
			Assert(record->headers[i].key.length >= 0);
			pos = put_bytes(pos, &record->headers[i].key);
			pos = put_bytes(pos, &record->headers[i].value);
		}
	}
	builder->size = pos - builder->buffer;

	if (builder->record_count == 0 ||
		record->timestamp > builder->max_timestamp)
		builder->max_timestamp = record->timestamp;
	builder->base_timestamp = base_timestamp;
	builder->last_offset_delta = record->offset_delta;
	builder->has_tombstone |= record->value.length < 0;
	builder->record_count++;
}

/*
 * The CRC of a batch of `length` bytes as its field `crc` should have it.
 */
static uint32
batch_crc(const char *data, size_t length)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, data + CRC_COVERS_FROM, length - CRC_COVERS_FROM);
	FIN_CRC32C(crc);
	return crc;
}

void
record_batch_finish(RecordBatchBuilder *builder, int32 partition_leader_epoch,
					int16 attributes)
{
	char	   *batch = builder->buffer + builder->reserve;
	size_t		length = builder->size - builder->reserve;

	/* Kafka knows no batch that never had a record. */
	Assert(builder->record_count > 0);

	/* Without the bit, baseTimestamp is only what deltas count from. */
	if (builder->delete_horizon != RECORD_BATCH_NO_DELETE_HORIZON &&
		builder->has_tombstone)
		attributes |= RECORD_BATCH_DELETE_HORIZON;

	put_int32(batch + BATCH_LENGTH_POS, (int32) (length - UNCOUNTED_BYTES));
	put_int32(batch + PARTITION_LEADER_EPOCH_POS, partition_leader_epoch);
	batch[MAGIC_POS] = RECORD_BATCH_MAGIC;
	put_int16(batch + ATTRIBUTES_POS, attributes);
	put_int32(batch + LAST_OFFSET_DELTA_POS, builder->last_offset_delta);
	put_int64(batch + BASE_TIMESTAMP_POS, builder->base_timestamp);
	put_int64(batch + MAX_TIMESTAMP_POS, builder->max_timestamp);
	put_int64(batch + PRODUCER_ID_POS, RECORD_BATCH_NO_PRODUCER_ID);
	put_int16(batch + PRODUCER_EPOCH_POS, RECORD_BATCH_NO_PRODUCER_EPOCH);
	put_int32(batch + BASE_SEQUENCE_POS, RECORD_BATCH_NO_SEQUENCE);
	put_int32(batch + RECORDS_COUNT_POS, builder->record_count);
	put_int32(batch + CRC_POS, (int32) batch_crc(batch, length));
}

void
record_batch_set_producer(char *data, size_t length, int64 producer_id,
						  int16 producer_epoch, int32 base_sequence)
{
	put_int64(data + PRODUCER_ID_POS, producer_id);
	put_int16(data + PRODUCER_EPOCH_POS, producer_epoch);
	put_int32(data + BASE_SEQUENCE_POS, base_sequence);
	put_int32(data + CRC_POS, (int32) batch_crc(data, length));
}

void
record_batch_finish_compressed(RecordBatchBuilder *builder,
							   const RecordBatchBuilder *records,
							   CompressionCodec codec, RecordBytes compressed,
							   int32 partition_leader_epoch,
							   int16 attributes)
{
	Assert(builder->record_count == 0);
	if (builder->capacity - builder->size < (size_t) compressed.length)
		enlarge_buffer(builder, compressed.length);
	memcpy(builder->buffer + builder->size, compressed.data,
		   compressed.length);
	builder->size += compressed.length;

	builder->base_offset = records->base_offset;
	builder->record_count = records->record_count;
	builder->last_offset_delta = records->last_offset_delta;
	builder->base_timestamp = records->base_timestamp;
	builder->max_timestamp = records->max_timestamp;
	builder->delete_horizon = records->delete_horizon;
	builder->has_tombstone = records->has_tombstone;
	record_batch_finish(builder, partition_leader_epoch,
						attributes | (int16) codec);
}

/*
 * Check everything about a batch that can be told before its records are
 * decompressed.  Returns what is wrong, or NULL.
 */
static const char *
check_batch(const RecordBatch *batch, const char *data, size_t length)
{
	int			codec = batch->attributes & RECORD_BATCH_COMPRESSION_MASK;

	if (batch->batch_length < 0 ||
		(size_t) batch->batch_length != length - UNCOUNTED_BYTES)
		return "batchLength does not match the bytes of the batch";
	if (data[MAGIC_POS] != RECORD_BATCH_MAGIC)
		return "magic is not 2";
	if ((uint32) get_int32(data + CRC_POS) != batch_crc(data, length))
		return "CRC does not match";
	if (codec > COMPRESSION_ZSTD)
		return "unknown compression codec";
	if ((batch->attributes & RECORD_BATCH_CONTROL) != 0)
		return "control batch not supported";

	/* The offset after the batch must be a number, too. */
	if (batch->last_offset_delta < 0 || batch->base_offset < 0 ||
		batch->base_offset >= PG_INT64_MAX - batch->last_offset_delta)
		return "offsets out of range";
	return NULL;
}

/*
 * Find the records of a batch whose header is right, which may have to be
 * decompressed, and check how many they are said to be.  Returns what is
 * wrong, or NULL.
 */
static const char *
find_records(RecordBatch *batch, const char *data, size_t length)
{
	CompressionCodec codec = batch->attributes & RECORD_BATCH_COMPRESSION_MASK;
	const char *records = data + RECORD_BATCH_HEADER_SIZE;
	size_t		size = length - RECORD_BATCH_HEADER_SIZE;

	if (codec != COMPRESSION_NONE)
	{
		const char *error = decompress_bytes(codec, records, size,
											 MAX_DECOMPRESSED_SIZE,
											 &batch->decompressed, &size);

		if (error != NULL)
			return error;
		records = batch->decompressed;
	}
	batch->next = records;
	batch->end = records + size;

	/*
	 * Compaction may leave fewer records than offsets, down to none.
	 */
	if (batch->records_count < 0 ||
		batch->records_count > (batch->end - batch->next) / MIN_RECORD_SIZE ||
		batch->records_count - 1 > batch->last_offset_delta)
		return "recordsCount out of range";
	return NULL;
}

bool
record_batch_open(RecordBatch *batch, int64 base_offset,
				  const char *data, size_t length)
{
	memset(batch, 0, sizeof(*batch));
	batch->base_offset = base_offset;
	if (length < RECORD_BATCH_HEADER_SIZE)
	{
		batch->error = "batch is shorter than its header";
		return false;
	}

	batch->batch_length = get_int32(data + BATCH_LENGTH_POS);
	batch->partition_leader_epoch =
		get_int32(data + PARTITION_LEADER_EPOCH_POS);
	batch->attributes = get_int16(data + ATTRIBUTES_POS);
	batch->last_offset_delta = get_int32(data + LAST_OFFSET_DELTA_POS);
	batch->base_timestamp = get_int64(data + BASE_TIMESTAMP_POS);
	batch->max_timestamp = get_int64(data + MAX_TIMESTAMP_POS);
	batch->producer_id = get_int64(data + PRODUCER_ID_POS);
	batch->producer_epoch = get_int16(data + PRODUCER_EPOCH_POS);
	batch->base_sequence = get_int32(data + BASE_SEQUENCE_POS);
	batch->records_count = get_int32(data + RECORDS_COUNT_POS);
	batch->last_delta = -1;
	batch->error = check_batch(batch, data, length);
	if (batch->error == NULL)
		batch->error = find_records(batch, data, length);
	if (batch->error != NULL)
		record_batch_close(batch);
	return batch->error == NULL;
}

void
record_batch_close(RecordBatch *batch)
{
	if (batch->decompressed != NULL)
		pfree(batch->decompressed);
	batch->decompressed = NULL;
	batch->next = batch->end = NULL;
}

size_t
record_batch_raw_size(const char *data, size_t length)
{
	int			codec;
	uint64		size;

	if (length < RECORD_BATCH_HEADER_SIZE)
		return length;
	codec = get_int16(data + ATTRIBUTES_POS) & RECORD_BATCH_COMPRESSION_MASK;
	if (!decompressed_size(codec, data + RECORD_BATCH_HEADER_SIZE,
						   length - RECORD_BATCH_HEADER_SIZE, &size) ||
		size > MAX_DECOMPRESSED_SIZE)
		return length;
	return RECORD_BATCH_HEADER_SIZE + (size_t) size;
}

/*
 * Check the headers of a record, whose count is at *pos and which must fill
 * it to its end, and point the record at them.
 */
static bool
get_headers(const char *pos, const char *end, Record *record)
{
	int32		count;
	int32		i;
	RecordHeader header;

	if (!get_varint(&pos, end, &count) ||
		count < 0 || count > (end - pos) / MIN_HEADER_SIZE)
		return false;
	record->header_count = count;
	record->headers.data = pos;
	record->headers.length = (int32) (end - pos);
	for (i = 0; i < count; i++)
	{
		if (!get_header(&pos, end, &header))
			return false;
	}
	return pos == end;
}

/*
 * Read the record at batch->next.  Returns what is wrong with it, or NULL.
 */
static const char *
read_record(RecordBatch *batch, Record *record)
{
	const char *pos = batch->next;
	const char *end;
	int32		length;
	int64		delta;
	int32		offset_delta;

	if (!get_varint(&pos, batch->end, &length) ||
		length < 0 || length > batch->end - pos)
		return "record length out of range";
	end = pos + length;

	/* the record's attributes say nothing yet */
	if (pos == end)
		return "record is too short";
	pos++;

	if (!get_varlong(&pos, end, &delta))
		return "timestampDelta out of range";
	if ((batch->attributes & RECORD_BATCH_LOG_APPEND_TIME) != 0)
		record->timestamp = batch->max_timestamp;
	else if (pg_add_s64_overflow(batch->base_timestamp, delta,
								 &record->timestamp))
		return "timestampDelta out of range";

	if (!get_varint(&pos, end, &offset_delta) ||
		offset_delta <= batch->last_delta ||
		offset_delta > batch->last_offset_delta)
		return "offsetDelta out of range";
	record->offset = batch->base_offset + offset_delta;

	if (!get_bytes(&pos, end, &record->key))
		return "record key out of range";
	if (!get_bytes(&pos, end, &record->value))
		return "record value out of range";
	if (!get_headers(pos, end, record))
		return "record headers out of range";

	batch->next = end;
	batch->last_delta = offset_delta;
	batch->records_read++;
	return NULL;
}

bool
record_batch_next(RecordBatch *batch, Record *record)
{
	if (batch->error != NULL)
		return false;
	if (batch->records_read == batch->records_count)
	{
		if (batch->next != batch->end)
			batch->error = "bytes after the last record";
		return false;
	}
	batch->error = read_record(batch, record);
	return batch->error == NULL;
}

void
record_input_from(RecordInput *input, const Record *record)
{
	memset(input, 0, sizeof(*input));
	input->timestamp = record->timestamp;
	input->key = record->key;
	input->value = record->value;
	input->header_count = record->header_count;
	input->packed_headers = record->headers;
}

/*
 * Read what a builder has collected.
 */
static void
open_builder(RecordBatch *batch, const RecordBatchBuilder *builder)
{
	memset(batch, 0, sizeof(*batch));
	batch->base_offset = builder->base_offset;
	batch->last_offset_delta = builder->last_offset_delta;
	batch->base_timestamp = builder->base_timestamp;
	batch->records_count = builder->record_count;
	batch->next = record_batch_records(builder);
	batch->end = builder->buffer + builder->size;
	batch->last_delta = -1;
}

size_t
record_batch_boundary(const RecordBatchBuilder *builder, size_t max_size)
{
	const char *batch = builder->buffer + builder->reserve;
	const char *end = builder->buffer + builder->size;
	const char *boundary = record_batch_records(builder);

	while (boundary < end)
	{
		const char *next = boundary;
		int32		length = 0;

		(void) get_varint(&next, end, &length);
		next += length;
		if ((size_t) (next - batch) > max_size &&
			boundary > record_batch_records(builder))
			break;
		boundary = next;
	}
	return boundary - batch;
}

void
record_batch_split(RecordBatchBuilder *builder, size_t size,
				   RecordBatchBuilder *rest)
{
	const char *boundary = builder->buffer + builder->reserve + size;
	RecordBatch batch;
	Record		record;

	Assert(rest->record_count == 0);
	open_builder(&batch, builder);
	builder->record_count = 0;
	builder->has_tombstone = false;
	while (batch.next < boundary && record_batch_next(&batch, &record))
	{
		if (builder->record_count == 0 ||
			record.timestamp > builder->max_timestamp)
			builder->max_timestamp = record.timestamp;
		builder->last_offset_delta = batch.last_delta;
		builder->has_tombstone |= record.value.length < 0;
		builder->record_count++;
	}

	while (record_batch_next(&batch, &record))
	{
		RecordInput input;

		record_input_from(&input, &record);
		if (rest->record_count == 0)
		{
			rest->base_offset = record.offset;
			rest->delete_horizon = builder->delete_horizon;
		}
		input.offset_delta = (int32) (record.offset - rest->base_offset);
		record_batch_add(rest, &input);
	}
	Assert(batch.error == NULL);
	builder->size = builder->reserve + size;
}

bool
record_next_header(RecordBytes *headers, RecordHeader *header)
{
	const char *pos = headers->data;
	const char *end;

	if (headers->length <= 0)
		return false;
	end = pos + headers->length;
	if (!get_header(&pos, end, header))
		return false;
	headers->data = pos;
	headers->length = (int32) (end - pos);
	return true;
}
