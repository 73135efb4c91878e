/*-------------------------------------------------------------------------
 *
 * compression.c
 *		Compression of records, in the encodings of Kafka's batches.
 *
 * The libraries allocate by malloc.  What they keep for their work is made
 * once per backend and used again: that is faster, and nothing is lost when
 * an error of PostgreSQL's allocator leaves a function here in the middle.
 * Whatever state that leaves is reset before the next use.  None of the
 * libraries calls back, so no error passes through them.
 *
 * Sizes in compressed data may be forged.  They are believed up to
 * TRUSTED_SIZE; beyond that the output grows by what really came out.  What
 * the libraries allocate of themselves is bounded by the formats: 8 MB for
 * lz4 (blocks of 4 MB), 40 kB for gzip (a window of 32 kB).  zstd and snappy
 * decompress from buffer to buffer.
 *
 *-------------------------------------------------------------------------
 */
#include "standalone.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "port/pg_bswap.h"

#include "compression.h"

/* The codec's own default: Kafka's, too. */
#define ZSTD_LEVEL				ZSTD_CLEVEL_DEFAULT

/* What an output buffer may have before anything came out. */
#define TRUSTED_SIZE			(256 * 1024)
#define SMALLEST_OUTPUT			1024
#define OUTPUT_GROWTH			4

/* What to guess where the data do not say. */
#define LIKELY_RATIO			4

/* zlib: a window of any size, and gzip's header and trailer. */
#define GZIP_WINDOW_BITS		(15 + 16)

/*
 * The framing of snappy-java: a magic, two version numbers, then blocks with
 * their length before each.
 */
#define XERIAL_MAGIC			"\202SNAPPY"	/* and a zero byte */
#define XERIAL_MAGIC_SIZE		8
#define XERIAL_HEADER_SIZE		(XERIAL_MAGIC_SIZE + 2 * sizeof(int32))

static const char damaged[] = "compressed records are damaged";
static const char too_large[] = "compressed records are too large";

/* What came out so far. */
typedef struct Output
{
	char	   *data;
	size_t		size;
	size_t		capacity;
	size_t		limit;
} Output;

CompressionCodec
compression_codec_from_name(const char *name)
{
	if (strcmp(name, "lz4") == 0)
		return COMPRESSION_LZ4;
	if (strcmp(name, "zstd") == 0)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

/*
 * Blocks are independent: Kafka's Java client reads no others.
 */
static size_t
compress_lz4(const char *data, size_t length, char **result)
{
	LZ4F_preferences_t preferences = {
		.frameInfo = {
			.blockSizeID = LZ4F_max256KB,
			.blockMode = LZ4F_blockIndependent,
			.contentSize = length
		}
	};
	size_t		capacity = LZ4F_compressFrameBound(length, &preferences);
	size_t		size;

	if (capacity > MaxAllocSize)
		return 0;
	*result = palloc(capacity);
	size = LZ4F_compressFrame(*result, capacity, data, length, &preferences);
	if (LZ4F_isError(size))
		report_out_of_memory(); /* nothing else can be wrong */
	return size;
}

static size_t
compress_zstd(const char *data, size_t length, char **result)
{
	static ZSTD_CCtx *context = NULL;
	size_t		size;

	if (context == NULL)
		context = ZSTD_createCCtx();
	if (context == NULL)
		report_out_of_memory();

	*result = palloc(length);
	size = ZSTD_compressCCtx(context, *result, length, data, length,
							 ZSTD_LEVEL);
	if (!ZSTD_isError(size))
		return size;
	if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall)
		report_out_of_memory();
	return length;
}

char *
compress_bytes(CompressionCodec codec, const char *data, size_t length,
			   size_t *size)
{
	char	   *result = NULL;

	*size = codec == COMPRESSION_LZ4
		? compress_lz4(data, length, &result)
		: compress_zstd(data, length, &result);
	if (result != NULL && *size < length)
		return result;
	if (result != NULL)
		pfree(result);
	return NULL;
}

/*
 * Start an output that should take `expected` bytes.
 *
 * It may get one byte more than the limit, which tells an output that is
 * just within it from one that is too large.
 */
static void
start_output(Output *output, uint64 expected, size_t limit)
{
	output->limit = limit;
	output->size = 0;
	output->capacity = Min(Max(expected, SMALLEST_OUTPUT), TRUSTED_SIZE);
	output->capacity = Min(output->capacity, limit + 1);
	output->data = palloc(output->capacity);
}

/*
 * Make room for more than the capacity that turned out to be too small.
 * False if that would be more than the limit.
 */
static bool
enlarge_output(Output *output)
{
	if (output->capacity > output->limit)
		return false;
	output->capacity = output->capacity > output->limit / OUTPUT_GROWTH
		? output->limit + 1 : output->capacity * OUTPUT_GROWTH;
	output->data = repalloc(output->data, output->capacity);
	return true;
}

/* The context for reading lz4 frames, at the start of one. */
static LZ4F_dctx *
lz4_context(void)
{
	static LZ4F_dctx *context = NULL;

	if (context == NULL &&
		LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		report_out_of_memory();
	LZ4F_resetDecompressionContext(context);
	return context;
}

static const char *
decompress_lz4(const char *data, size_t length, Output *output)
{
	LZ4F_dctx  *context = lz4_context();

	for (;;)
	{
		size_t		consumed = length;
		size_t		produced = output->capacity - output->size;
		size_t		result;

		result = LZ4F_decompress(context, output->data + output->size,
								 &produced, data, &consumed, NULL);
		if (LZ4F_isError(result))
		{
			/* Only static linking offers the code of an error. */
			if (strcmp(LZ4F_getErrorName(result),
					   "ERROR_allocation_failed") == 0)
				report_out_of_memory();
			return damaged;
		}
		output->size += produced;
		data += consumed;
		length -= consumed;

		if (result == 0)
			return length == 0 ? NULL : damaged;
		if (output->size < output->capacity)
			return damaged;		/* the data end before the frame */
		if (!enlarge_output(output))
			return too_large;
	}
}

/*
 * From buffer to buffer, again with a larger one where that was too small:
 * zstd's streams would allocate a window as large as the frame's header says.
 */
static const char *
decompress_zstd(const char *data, size_t length, Output *output)
{
	static ZSTD_DCtx *context = NULL;

	if (context == NULL)
		context = ZSTD_createDCtx();
	if (context == NULL)
		report_out_of_memory();

	for (;;)
	{
		size_t		result = ZSTD_decompressDCtx(context, output->data,
												 output->capacity,
												 data, length);

		if (!ZSTD_isError(result))
		{
			output->size = result;
			return length > 0 ? NULL : damaged;
		}
		switch (ZSTD_getErrorCode(result))
		{
			case ZSTD_error_dstSize_tooSmall:
				break;
			case ZSTD_error_memory_allocation:
				report_out_of_memory();
				break;
			default:
				return damaged;
		}
		if (!enlarge_output(output))
			return too_large;
	}
}

static const char *
decompress_gzip(const char *data, size_t length, Output *output)
{
	static z_stream stream;
	static bool initialized = false;

	if (!initialized && inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
		report_out_of_memory();
	initialized = true;
	inflateReset(&stream);
	stream.next_in = (Bytef *) unconstify(char *, data);
	stream.avail_in = (uInt) length;

	for (;;)
	{
		int			result;

		stream.next_out = (Bytef *) output->data + output->size;
		stream.avail_out = (uInt) (output->capacity - output->size);
		result = inflate(&stream, Z_NO_FLUSH);
		output->size = output->capacity - stream.avail_out;

		if (result == Z_STREAM_END)
			return stream.avail_in == 0 ? NULL : damaged;
		if (result == Z_MEM_ERROR)
			report_out_of_memory();
		if (result != Z_OK && result != Z_BUF_ERROR)
			return damaged;
		if (stream.avail_out > 0)
			return damaged;		/* the data end before the stream */
		if (!enlarge_output(output))
			return too_large;
	}
}

/*
 * Append what a snappy block holds.  The block says how much that is, and is
 * tried first, without writing anything, whether that is so.
 */
static const char *
decompress_snappy_block(const char *data, size_t length, Output *output)
{
	size_t		size;

	if (snappy_validate_compressed_buffer(data, length) != SNAPPY_OK ||
		snappy_uncompressed_length(data, length, &size) != SNAPPY_OK)
		return damaged;
	while (output->capacity - output->size < size)
	{
		if (!enlarge_output(output))
			return too_large;
	}
	if (snappy_uncompress(data, length, output->data + output->size,
						  &size) != SNAPPY_OK)
		return damaged;
	output->size += size;
	return NULL;
}

static bool
is_xerial(const char *data, size_t length)
{
	return length >= XERIAL_HEADER_SIZE &&
		memcmp(data, XERIAL_MAGIC, XERIAL_MAGIC_SIZE) == 0;
}

static const char *
decompress_snappy(const char *data, size_t length, Output *output)
{
	const char *end = data + length;

	if (!is_xerial(data, length))
		return decompress_snappy_block(data, length, output);

	data += XERIAL_HEADER_SIZE;
	while (data < end)
	{
		uint32		block_size;
		const char *error;

		if (end - data < (ptrdiff_t) sizeof(block_size))
			return damaged;
		memcpy(&block_size, data, sizeof(block_size));
		block_size = pg_ntoh32(block_size);
		data += sizeof(block_size);
		if (block_size > (size_t) (end - data))
			return damaged;
		error = decompress_snappy_block(data, block_size, output);
		if (error != NULL)
			return error;
		data += block_size;
	}
	return NULL;
}

bool
decompressed_size(CompressionCodec codec, const char *data, size_t length,
				  uint64 *size)
{
	if (codec == COMPRESSION_LZ4)
	{
		LZ4F_frameInfo_t info;

		if (LZ4F_isError(LZ4F_getFrameInfo(lz4_context(), &info, data,
										   &length)))
			return false;
		*size = info.contentSize;
		return *size > 0;		/* zero stands for unknown */
	}
	if (codec == COMPRESSION_ZSTD)
	{
		*size = ZSTD_getFrameContentSize(data, length);
		return *size != ZSTD_CONTENTSIZE_UNKNOWN &&
			*size != ZSTD_CONTENTSIZE_ERROR;
	}
	return false;
}

const char *
decompress_bytes(CompressionCodec codec, const char *data, size_t length,
				 size_t limit, char **result, size_t *size)
{
	Output		output;
	uint64		expected;
	const char *error = damaged;

	if (!decompressed_size(codec, data, length, &expected))
		expected = (uint64) length * LIKELY_RATIO;
	start_output(&output, expected, limit);
	switch (codec)
	{
		case COMPRESSION_GZIP:
			error = decompress_gzip(data, length, &output);
			break;
		case COMPRESSION_SNAPPY:
			error = decompress_snappy(data, length, &output);
			break;
		case COMPRESSION_LZ4:
			error = decompress_lz4(data, length, &output);
			break;
		case COMPRESSION_ZSTD:
			error = decompress_zstd(data, length, &output);
			break;
		case COMPRESSION_NONE:
			break;
	}
	if (error == NULL && output.size > limit)
		error = too_large;
	if (error != NULL)
	{
		pfree(output.data);
		return error;
	}
	*result = output.data;
	*size = output.size;
	return NULL;
}
