/*-------------------------------------------------------------------------
 *
 * compression.h
 *		Compression of records, in the encodings of Kafka's batches.
 *
 * lz4 is an LZ4 frame and zstd a Zstandard frame, each with the content size
 * in it; both are written and read.  Batches that came from elsewhere may
 * also have gzip, and snappy: a raw block or the framing of snappy-java,
 * which Kafka's Java client writes.
 *
 * As the record batch codec, this knows no SQL and can be linked alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_COMPRESSION_H
#define TOPIC_COMPRESSION_H

/* The numbers are those of a batch's attributes. */
typedef enum CompressionCodec
{
	COMPRESSION_NONE = 0,
	COMPRESSION_GZIP = 1,
	COMPRESSION_SNAPPY = 2,
	COMPRESSION_LZ4 = 3,
	COMPRESSION_ZSTD = 4
} CompressionCodec;

/* The codec of that name, of those that we write. */
extern CompressionCodec compression_codec_from_name(const char *name);

/*
 * Compress by lz4 or zstd.  The result is palloc'd, *size bytes long; NULL if
 * it would not have fewer bytes than the data.
 */
extern char *compress_bytes(CompressionCodec codec,
							const char *data, size_t length, size_t *size);

/*
 * Decompress.  *result then is palloc'd and has *size bytes.  Returns NULL,
 * or what is wrong with the data; more than `limit` bytes coming out of it is
 * wrong, too.
 *
 * Memory grows with the bytes that come out, whatever the data claim to hold.
 */
extern const char *decompress_bytes(CompressionCodec codec,
									const char *data, size_t length,
									size_t limit, char **result, size_t *size);

/*
 * How many bytes would come out, as the data claim; false if they do not.
 * Never believe it: only decompressing tells.
 */
extern bool decompressed_size(CompressionCodec codec,
							  const char *data, size_t length, uint64 *size);

#endif							/* TOPIC_COMPRESSION_H */
