/*-------------------------------------------------------------------------
 *
 * record_batch.h
 *		Kafka's record batch, version 2 (magic 2), as the log stores it.
 *
 * Stored bytes begin at the field batchLength: the eight bytes of baseOffset
 * before it are a column of the row, so that a batch can be built before its
 * offset is known.  Neither baseOffset nor partitionLeaderEpoch is covered
 * by the CRC.
 *
 * Layout and field names: Kafka protocol guide, "Record Batch";
 * introduced by KIP-98.
 *
 * The codec knows neither SQL nor the log.  It needs c.h, CRC-32C from
 * libpgport and a memory allocator, so that tests and fuzzers link it alone
 * (RECORD_BATCH_STANDALONE uses malloc).
 *
 *-------------------------------------------------------------------------
 */
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

/* Bytes before the first record, counted from batchLength. */
#define RECORD_BATCH_HEADER_SIZE	53

/* attributes, bits 0 to 2 */
typedef enum RecordBatchCompression
{
	RECORD_BATCH_NONE = 0,
	RECORD_BATCH_GZIP = 1,
	RECORD_BATCH_SNAPPY = 2,
	RECORD_BATCH_LZ4 = 3,
	RECORD_BATCH_ZSTD = 4
} RecordBatchCompression;

#define RECORD_BATCH_COMPRESSION_MASK	0x0007
#define RECORD_BATCH_LOG_APPEND_TIME	0x0008	/* timestampType */
#define RECORD_BATCH_TRANSACTIONAL		0x0010
#define RECORD_BATCH_CONTROL			0x0020

#define RECORD_BATCH_NO_LEADER_EPOCH	(-1)
#define RECORD_BATCH_NO_PRODUCER_ID		(-1)
#define RECORD_BATCH_NO_PRODUCER_EPOCH	(-1)
#define RECORD_BATCH_NO_SEQUENCE		(-1)

/*
 * Bytes inside somebody else's buffer; length -1 is Kafka's null.
 */
typedef struct RecordBytes
{
	const char *data;
	int32		length;
} RecordBytes;

/* A header's key is never null; its value may be. */
typedef struct RecordHeader
{
	RecordBytes key;
	RecordBytes value;
} RecordHeader;

/*
 * A record to be written.  timestamp is in milliseconds since 1970.
 */
typedef struct RecordInput
{
	int64		timestamp;
	RecordBytes key;
	RecordBytes value;
	const RecordHeader *headers;
	int			header_count;
} RecordInput;

/*
 * A record that was read; everything points into the batch's bytes.  Headers
 * were checked while the record was read and are unpacked on demand by
 * record_next_header().
 */
typedef struct Record
{
	int64		offset;
	int64		timestamp;
	RecordBytes key;
	RecordBytes value;
	int			header_count;
	RecordBytes headers;
} Record;

/*
 * Writing.
 *
 * A builder collects records until the caller finishes the batch, and can
 * then be used again.  `reserve` bytes are left free at the start of the
 * buffer, for a varlena header.
 */
typedef struct RecordBatchBuilder
{
	char	   *buffer;
	size_t		capacity;
	size_t		reserve;		/* bytes left free before batchLength */
	size_t		size;			/* bytes used, reserve included */
	int32		record_count;
	int64		base_timestamp;
	int64		max_timestamp;
} RecordBatchBuilder;

extern void record_batch_builder_init(RecordBatchBuilder *builder,
									  size_t reserve);
extern void record_batch_builder_free(RecordBatchBuilder *builder);

/*
 * The bytes that the batch (without reserve) would have if the record were
 * added to it; SIZE_MAX if the format cannot hold that.
 */
extern size_t record_batch_size_with(const RecordBatchBuilder *builder,
									 const RecordInput *record);

/* Add a record that record_batch_size_with() accepted. */
extern void record_batch_add(RecordBatchBuilder *builder,
							 const RecordInput *record);

/*
 * Fill in the header, CRC included.  The batch then is the builder's bytes
 * from `reserve` to `size`.  `attributes` may hold
 * RECORD_BATCH_LOG_APPEND_TIME.  Producer fields are "none".
 */
extern void record_batch_finish(RecordBatchBuilder *builder,
								int32 partition_leader_epoch,
								int16 attributes);

/* Make the builder empty again, keeping its memory. */
extern void record_batch_builder_reset(RecordBatchBuilder *builder);

/*
 * Reading.
 *
 * record_batch_open() checks the header, every length in it and the CRC;
 * record_batch_next() checks each record before it returns it.  Nothing is
 * read outside of [data, data + length), whatever the bytes say.
 */
typedef struct RecordBatch
{
	int64		base_offset;
	int32		batch_length;
	int32		partition_leader_epoch;
	int16		attributes;
	int32		last_offset_delta;
	int64		base_timestamp;
	int64		max_timestamp;
	int64		producer_id;
	int16		producer_epoch;
	int32		base_sequence;
	int32		records_count;

	const char *next;			/* the next record */
	const char *end;			/* the byte after the last record */
	int32		records_read;
	int32		last_delta;		/* offsetDelta of the record before `next` */
	const char *error;			/* what is wrong with the batch, or NULL */
} RecordBatch;

/* False if the batch is damaged; batch->error then says how. */
extern bool record_batch_open(RecordBatch *batch, int64 base_offset,
							  const char *data, size_t length);

/* The batch's size before compression. */
extern size_t record_batch_raw_size(const char *data, size_t length);

/*
 * False at the end of the batch, and if the batch is damaged; batch->error
 * tells these apart.
 */
extern bool record_batch_next(RecordBatch *batch, Record *record);

/*
 * Unpack the next header of a record.  Start with a copy of record->headers;
 * false when none is left.
 */
extern bool record_next_header(RecordBytes *headers, RecordHeader *header);

#endif							/* RECORD_BATCH_H */
