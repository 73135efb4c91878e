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
 * The records of a batch may be compressed, all of them together; the CRC
 * covers the compressed bytes.
 *
 * The codec knows neither SQL nor the log.  It needs c.h, CRC-32C from
 * libpgport, compression.c and a memory allocator, so that tests and fuzzers
 * link it alone (RECORD_BATCH_STANDALONE, see standalone.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef RECORD_BATCH_H
#define RECORD_BATCH_H

#include "compression.h"

/* Bytes before the first record, counted from batchLength. */
#define RECORD_BATCH_HEADER_SIZE	53

/* attributes; bits 0 to 2 are a CompressionCodec */
#define RECORD_BATCH_COMPRESSION_MASK	0x0007
#define RECORD_BATCH_LOG_APPEND_TIME	0x0008	/* timestampType */
#define RECORD_BATCH_TRANSACTIONAL		0x0010
#define RECORD_BATCH_CONTROL			0x0020
#define RECORD_BATCH_DELETE_HORIZON		0x0040	/* KIP-534 */

#define RECORD_BATCH_NO_LEADER_EPOCH	(-1)
#define RECORD_BATCH_NO_PRODUCER_ID		(-1)
#define RECORD_BATCH_NO_PRODUCER_EPOCH	(-1)
#define RECORD_BATCH_NO_SEQUENCE		(-1)
#define RECORD_BATCH_NO_DELETE_HORIZON	(-1)

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
 * offset_delta, counted from the batch's baseOffset, must be greater than
 * that of the record before.
 */
typedef struct RecordInput
{
	int64		timestamp;
	RecordBytes key;
	RecordBytes value;
	const RecordHeader *headers;	/* NULL: see packed_headers */
	int			header_count;
	int32		offset_delta;
	RecordBytes packed_headers; /* as in Record, without headers_count */
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
 * The input that writes a record again, but for offset_delta, which depends
 * on the batch that it goes to.  Points to what the record points to.
 */
extern void record_input_from(RecordInput *input, const Record *record);

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
	int64		base_offset;	/* the caller's: not among the bytes */
	int32		record_count;
	int32		last_offset_delta;	/* -1: no record yet */
	int64		base_timestamp;
	int64		max_timestamp;
	int64		delete_horizon; /* RECORD_BATCH_NO_DELETE_HORIZON: none */
	bool		has_tombstone;
} RecordBatchBuilder;

extern void record_batch_builder_init(RecordBatchBuilder *builder,
									  size_t reserve);
extern void record_batch_builder_free(RecordBatchBuilder *builder);

/*
 * Give the batch a delete horizon: when its tombstones may be dropped, in
 * milliseconds since 1970 (KIP-534).  To be called before the first record.
 * A batch that gets no tombstone gets no delete horizon either.
 */
extern void record_batch_set_delete_horizon(RecordBatchBuilder *builder,
											int64 delete_horizon);

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
 * The size of the batch (without reserve) if it ended after the last record
 * with which it has at most max_size; it keeps its first record at least.
 */
extern size_t record_batch_boundary(const RecordBatchBuilder *builder,
									size_t max_size);

/*
 * End the batch at such a boundary, and move the records behind it to an
 * empty builder, whose base offset becomes that of the first of them.
 */
extern void record_batch_split(RecordBatchBuilder *builder, size_t size,
							   RecordBatchBuilder *rest);

/*
 * Fill in the header, CRC included.  The batch then is the builder's bytes
 * from `reserve` to `size`.  `attributes` may hold
 * RECORD_BATCH_LOG_APPEND_TIME.  Producer fields are "none".
 *
 * The caller may have raised last_offset_delta, if offsets after the last
 * record belong to the batch, and max_timestamp.
 */
extern void record_batch_finish(RecordBatchBuilder *builder,
								int32 partition_leader_epoch,
								int16 attributes);

/*
 * The same for an empty builder that gets the records of another in
 * compressed form: `compressed` is what compress_bytes() made of
 * record_batch_records().
 */
extern void record_batch_finish_compressed(RecordBatchBuilder *builder,
										   const RecordBatchBuilder *records,
										   CompressionCodec codec,
										   RecordBytes compressed,
										   int32 partition_leader_epoch,
										   int16 attributes);

/*
 * Give a finished batch its producer fields (KIP-98).  `data` and `length` are
 * the batch's bytes.
 */
extern void record_batch_set_producer(char *data, size_t length,
									  int64 producer_id, int16 producer_epoch,
									  int32 base_sequence);

/* The bytes that a batch has after its header. */
static inline const char *
record_batch_records(const RecordBatchBuilder *builder)
{
	return builder->buffer + builder->reserve + RECORD_BATCH_HEADER_SIZE;
}

/* Make the builder empty again, keeping its memory. */
extern void record_batch_builder_reset(RecordBatchBuilder *builder);

/*
 * Reading.
 *
 * record_batch_open() checks the header, every length in it and the CRC, and
 * decompresses the records if they are compressed; record_batch_next() checks
 * each record before it returns it.  Nothing is read outside of
 * [data, data + length), whatever the bytes say, and no more is decompressed
 * than the greatest batch that we write holds.
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

	char	   *decompressed;	/* the records, if they were compressed */
	const char *next;			/* the next record */
	const char *end;			/* the byte after the last record */
	int32		records_read;
	int32		last_delta;		/* offsetDelta of the record before `next` */
	const char *error;			/* what is wrong with the batch, or NULL */
} RecordBatch;

/*
 * False if the batch is damaged; batch->error then says how.  Decompressed
 * records are in the memory context that is current now.
 */
extern bool record_batch_open(RecordBatch *batch, int64 base_offset,
							  const char *data, size_t length);

/*
 * Free what record_batch_open() decompressed, if anything, and with it the
 * records.  The context's reset does as well.
 */
extern void record_batch_close(RecordBatch *batch);

/* The batch's delete horizon, or RECORD_BATCH_NO_DELETE_HORIZON. */
static inline int64
record_batch_delete_horizon(const RecordBatch *batch)
{
	return (batch->attributes & RECORD_BATCH_DELETE_HORIZON) != 0
		? batch->base_timestamp : RECORD_BATCH_NO_DELETE_HORIZON;
}

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

/*
 * For statistics: the bytes that a batch has without compression, header
 * included, as its compressed form tells; its own length if that does not.
 */
extern size_t record_batch_raw_size(const char *data, size_t length);

#endif							/* RECORD_BATCH_H */
