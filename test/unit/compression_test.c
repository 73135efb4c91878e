/*-------------------------------------------------------------------------
 *
 * compression_test.c
 *		Tests of the compression codecs: what they write can be read, and what
 *		is forged does no harm.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "../../src/compression.h"
#include "records.h"
#include "tap.h"

#define NO_LIMIT			((size_t) 0x3fffff00)

/* How data are compressed: by us, or as Kafka clients do. */
typedef enum Form
{
	FORM_LZ4,
	FORM_LZ4_STREAM,			/* linked blocks, no content size */
	FORM_ZSTD,
	FORM_ZSTD_STREAM,			/* no content size */
	FORM_GZIP,
	FORM_SNAPPY,
	FORM_XERIAL,				/* snappy-java's framing */
	FORM_COUNT
} Form;

static const char *const form_names[] = {
	"lz4", "lz4 stream", "zstd", "zstd stream", "gzip", "snappy", "xerial"
};

static const CompressionCodec form_codecs[] = {
	COMPRESSION_LZ4, COMPRESSION_LZ4, COMPRESSION_ZSTD, COMPRESSION_ZSTD,
	COMPRESSION_GZIP, COMPRESSION_SNAPPY, COMPRESSION_SNAPPY
};

/* A condition of the test itself. */
static void
require(bool condition)
{
	if (!condition)
		abort();
}

static size_t
lz4_stream(Bytes data, char *result, size_t capacity)
{
	LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
	size_t		size;

	preferences.frameInfo.blockMode = LZ4F_blockLinked;
	preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	size = LZ4F_compressFrame(result, capacity, data.data, data.length,
							  &preferences);
	require(!LZ4F_isError(size));
	return size;
}

static size_t
zstd_stream(Bytes data, char *result, size_t capacity)
{
	ZSTD_CCtx  *context = ZSTD_createCCtx();
	ZSTD_inBuffer input = {data.data, data.length, 0};
	ZSTD_outBuffer output = {result, capacity, 0};

	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
	require(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) == 0);
	ZSTD_freeCCtx(context);
	return output.pos;
}

static size_t
gzip(Bytes data, char *result, size_t capacity)
{
	z_stream	stream;

	memset(&stream, 0, sizeof(stream));
	require(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16,
						 8, Z_DEFAULT_STRATEGY) == Z_OK);
	stream.next_in = (Bytef *) data.data;
	stream.avail_in = (uInt) data.length;
	stream.next_out = (Bytef *) result;
	stream.avail_out = (uInt) capacity;
	require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&stream);
	return stream.total_out;
}

static size_t
snappy(const char *data, size_t length, char *result, size_t capacity)
{
	require(snappy_compress(data, length, result, &capacity) == SNAPPY_OK);
	return capacity;
}

/* Blocks of 32 kB, as snappy-java makes them. */
static size_t
xerial(Bytes data, char *result, size_t capacity)
{
	size_t		size = 16;
	size_t		done;

	memcpy(result, "\202SNAPPY\0\0\0\0\1\0\0\0\1", 16);
	for (done = 0; done < data.length; done += 32768)
	{
		size_t		block = snappy(data.data + done,
								   Min(data.length - done, 32768),
								   result + size + 4, capacity - size - 4);

		store_int32(result + size, (uint32) block);
		size += 4 + block;
	}
	return size;
}

/* Compress data; not smaller than they are, if they do not get smaller. */
static Bytes
compress_as(Form form, Bytes data)
{
	size_t		capacity = data.length * 2 + 100000;
	char	   *buffer = allocate(capacity);
	size_t		size = 0;
	Bytes		result;

	switch (form)
	{
		case FORM_LZ4:
		case FORM_ZSTD:
			free(buffer);
			result.data = compress_bytes(form_codecs[form], data.data,
										 data.length, &result.length);
			require(result.data != NULL);
			buffer = result.data;
			size = result.length;
			break;
		case FORM_LZ4_STREAM:
			size = lz4_stream(data, buffer, capacity);
			break;
		case FORM_ZSTD_STREAM:
			size = zstd_stream(data, buffer, capacity);
			break;
		case FORM_GZIP:
			size = gzip(data, buffer, capacity);
			break;
		case FORM_SNAPPY:
			size = snappy(data.data, data.length, buffer, capacity);
			break;
		case FORM_XERIAL:
			size = xerial(data, buffer, capacity);
			break;
		case FORM_COUNT:
			abort();
	}
	/* exactly as large as it is, for the address sanitizer */
	result = copy_bytes(buffer, size);
	free(buffer);
	return result;
}

/* Do these bytes decompress to the data within a limit? */
static bool
decompresses_to(Form form, Bytes compressed, size_t limit, Bytes data)
{
	char	   *result;
	size_t		size;
	bool		same;

	if (decompress_bytes(form_codecs[form], compressed.data,
						 compressed.length, limit, &result, &size) != NULL)
		return false;
	same = size == data.length && memcmp(result, data.data, size) == 0;
	free(result);
	return same;
}

/* What is wrong with bytes, or NULL. */
static const char *
decompress(Form form, Bytes compressed, size_t limit)
{
	char	   *result;
	size_t		size;
	const char *error;

	error = decompress_bytes(form_codecs[form], compressed.data,
							 compressed.length, limit, &result, &size);
	if (error == NULL)
		free(result);
	return error;
}

/* Some text that compresses, by any codec. */
static Bytes
some_text(size_t length)
{
	static const char *const words[] = {
		"a topic ", "has partitions, ", "a partition ", "has records; ",
		"and so on, "
	};
	Bytes		text;
	size_t		done = 0;

	text.length = length;
	text.data = allocate(length);
	while (done < length)
	{
		const char *word = words[random_below(lengthof(words))];
		size_t		size = Min(strlen(word), length - done);

		memcpy(text.data + done, word, size);
		done += size;
	}
	return text;
}

static void
test_round_trips(void)
{
	static const size_t lengths[] = {
		200, 1000, 8192, 65536, 65537, 262144, 262145, 5000000
	};
	size_t		i;
	int			form;

	for (form = 0; form < FORM_COUNT; form++)
	{
		bool		right = true;
		bool		limited = true;

		for (i = 0; i < lengthof(lengths); i++)
		{
			Bytes		data = some_text(lengths[i]);
			Bytes		compressed = compress_as(form, data);
			const char *error;

			right = right &&
				decompresses_to(form, compressed, NO_LIMIT, data) &&
				decompresses_to(form, compressed, data.length, data);
			error = decompress(form, compressed, data.length - 1);
			limited = limited && error != NULL &&
				strcmp(error, "compressed records are too large") == 0;
			free(data.data);
			free(compressed.data);
		}
		ok(right, "%s: round trips", form_names[form]);
		ok(limited, "%s: no byte more than the limit", form_names[form]);
	}
}

static void
test_sizes(void)
{
	Bytes		data = some_text(30000);
	Bytes		noise = random_bytes(30000);
	int			form;

	for (form = 0; form < FORM_COUNT; form++)
	{
		bool		ours = form == FORM_LZ4 || form == FORM_ZSTD;
		Bytes		compressed = compress_as(form, data);
		uint64		size;

		ok(decompressed_size(form_codecs[form], compressed.data,
							 compressed.length, &size) ? ours && size == 30000
		   : !ours,
		   "%s: the content size is %s", form_names[form],
		   ours ? "told" : "not told");
		if (ours)
		{
			size_t		length;

			ok(compress_bytes(form_codecs[form], noise.data, noise.length,
							  &length) == NULL,
			   "%s: what does not get smaller is left alone",
			   form_names[form]);
		}
		free(compressed.data);
	}

	ok(compression_codec_from_name("none") == COMPRESSION_NONE &&
	   compression_codec_from_name("lz4") == COMPRESSION_LZ4 &&
	   compression_codec_from_name("zstd") == COMPRESSION_ZSTD,
	   "names of codecs");
	free(data.data);
	free(noise.data);
}

/*
 * A little that becomes much.  Memory must not follow what is claimed: the
 * address sanitizer stops at an allocation of a terabyte, and so does
 * malloc().
 */
static void
test_bombs(void)
{
	/* Claims of 1 TB, then a block of four bytes, and of nothing at all. */
	static const struct
	{
		Form		form;
		const char *hex;
	}			claims[] = {
		{FORM_ZSTD, "28b52ffde0" "0000000000010000" "21000061626364"},
		{FORM_ZSTD, "28b52ffde0" "0000000000010000"},
		/* a window of the greatest size, without content size */
		{FORM_ZSTD, "28b52ffd00f8" "21000061626364"},
		{FORM_LZ4, "04224d186c70" "0000000000010000" "00" "04000080" "61626364"
		"00000000"},
		{FORM_SNAPPY, "ffffffff0f" "0c61626364"},
		{FORM_SNAPPY, "feffffff07" "0c61626364"},
		{FORM_SNAPPY, "82534e4150505900" "0000000100000001" "00000009"
		"ffffffff0f" "0c616263"},
		{FORM_SNAPPY, "82534e4150505900" "0000000100000001" "7fffffff"
		"0c61626364"}
	};
	Bytes		zeros;
	size_t		i;
	int			form;

	zeros.length = 64 * 1024 * 1024;
	zeros.data = calloc(zeros.length, 1);
	require(zeros.data != NULL);
	for (form = 0; form < FORM_COUNT; form++)
	{
		Bytes		bomb = compress_as(form, zeros);
		const char *error = decompress(form, bomb, 1000000);

		ok(error != NULL &&
		   strcmp(error, "compressed records are too large") == 0,
		   "%s: %zu bytes that become 64 MB", form_names[form], bomb.length);
		free(bomb.data);
	}
	free(zeros.data);

	for (i = 0; i < lengthof(claims); i++)
	{
		Bytes		bytes = from_hex(claims[i].hex);

		ok(decompress(claims[i].form, bytes, NO_LIMIT) != NULL,
		   "%s: false claim %zu", form_names[claims[i].form], i);
		free(bytes.data);
	}
}

/*
 * Cut off anywhere, with a byte more, or with any byte changed.  A changed
 * byte may go unnoticed, but not do harm; and whatever it did, the same
 * context must read the next data right.
 */
static void
test_damage(void)
{
	Bytes		data = some_text(700);
	int			form;

	for (form = 0; form < FORM_COUNT; form++)
	{
		Bytes		good = compress_as(form, data);
		Bytes		bad;
		bool		truncated = true;
		bool		recovers = true;
		size_t		i;

		for (i = 0; i < good.length; i++)
		{
			/* Framed blocks end where the bytes do. */
			if (form == FORM_XERIAL && i == 16)
				continue;
			bad = copy_bytes(good.data, i);
			truncated = truncated && decompress(form, bad, NO_LIMIT) != NULL;
			free(bad.data);
		}
		ok(truncated, "%s: every truncation is noticed", form_names[form]);

		bad.length = good.length + 1;
		bad.data = allocate(bad.length);
		memcpy(bad.data, good.data, good.length);
		bad.data[good.length] = 1;
		ok(decompress(form, bad, NO_LIMIT) != NULL,
		   "%s: a byte too much is noticed", form_names[form]);
		free(bad.data);

		for (i = 0; i < good.length; i++)
		{
			bad = copy_bytes(good.data, good.length);
			bad.data[i] ^= (char) (1 + random_below(255));
			decompress(form, bad, 100000);
			free(bad.data);
			recovers = recovers &&
				decompresses_to(form, good, NO_LIMIT, data);
		}
		ok(recovers, "%s: every changed byte is survived", form_names[form]);
		free(good.data);

		for (i = 0; i < 2000; i++)
		{
			bad = random_bytes(random_below(200));
			decompress(form, bad, 100000);
			free(bad.data);
		}
		ok(true, "%s: noise is survived", form_names[form]);
	}
	free(data.data);
}

int
main(void)
{
	test_round_trips();
	test_sizes();
	test_bombs();
	test_damage();
	return tap_done();
}
