/*-------------------------------------------------------------------------
 *
 * producer_sequence_test.c
 *		Is each batch of a producer taken once, and in order?
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "../../src/producer_sequence.h"
#include "tap.h"

static bool
is_verdict(const ProducerBatches *batches, int32 first, int32 count,
		   SequenceVerdict expected, int64 expected_offset)
{
	int64		offset = -1;

	return judge_sequence(batches, first, count, &offset) == expected &&
		offset == expected_offset;
}

/* A producer without a history begins at 0. */
static void
test_first(void)
{
	ProducerBatches batches = {0};

	ok(next_sequence(&batches) == 0, "nothing yet: 0 is next");
	ok(is_verdict(&batches, 0, 3, SEQUENCE_NEXT, -1), "0 is taken");
	ok(is_verdict(&batches, 1, 3, SEQUENCE_OUT_OF_ORDER, -1), "1 is not");
	ok(is_verdict(&batches, PG_INT32_MAX, 1, SEQUENCE_OUT_OF_ORDER, -1),
	   "nor is the greatest");
}

/* Batches of 1, 2, 3, ... records: the last five are known. */
static void
test_repeated(void)
{
	ProducerBatches batches = {0};
	int32		sequence = 0;
	int			i;

	for (i = 1; i <= 8; i++)
	{
		ok(is_verdict(&batches, sequence, i, SEQUENCE_NEXT, -1),
		   "batch %d is next", i);
		remember_batch(&batches, sequence, i, 100 * i);
		ok(is_verdict(&batches, sequence, i, SEQUENCE_REPEATED, 100 * i),
		   "batch %d is repeated", i);
		sequence += i;
	}
	ok(batches.count == PRODUCER_BATCHES, "so many are remembered");
	ok(next_sequence(&batches) == sequence, "the next one");

	sequence = 0;
	for (i = 1; i <= 8; i++)
	{
		bool		known = i > 8 - PRODUCER_BATCHES;

		ok(is_verdict(&batches, sequence, i,
					  known ? SEQUENCE_REPEATED : SEQUENCE_OUT_OF_ORDER,
					  known ? 100 * i : -1),
		   "batch %d is %s", i, known ? "known" : "forgotten");
		ok(is_verdict(&batches, sequence, i + 1, SEQUENCE_OUT_OF_ORDER, -1),
		   "one that begins as batch %d and is longer", i);
		sequence += i;
	}
	ok(is_verdict(&batches, sequence + 1, 1, SEQUENCE_OUT_OF_ORDER, -1),
	   "a gap");
	ok(is_verdict(&batches, sequence - 1, 1, SEQUENCE_OUT_OF_ORDER, -1),
	   "the end of a batch is no batch");
}

/* After the greatest int comes 0. */
static void
test_wrap(void)
{
	ProducerBatches batches = {0};

	ok(sequence_after(PG_INT32_MAX, 0) == PG_INT32_MAX, "the greatest");
	ok(sequence_after(PG_INT32_MAX, 1) == 0, "0 after the greatest");
	ok(sequence_after(PG_INT32_MAX - 1, 4) == 2, "2 after the greatest");
	ok(sequence_after(PG_INT32_MAX, PG_INT32_MAX) == PG_INT32_MAX - 1,
	   "as far as a batch can reach");

	remember_batch(&batches, PG_INT32_MAX - 1, 5, 7);
	ok(next_sequence(&batches) == 3, "a batch over the end");
	ok(is_verdict(&batches, 3, 1, SEQUENCE_NEXT, -1), "the one after it");
	ok(is_verdict(&batches, PG_INT32_MAX - 1, 5, SEQUENCE_REPEATED, 7),
	   "itself again");

	remember_batch(&batches, 3, PG_INT32_MAX - 2, 12);
	ok(next_sequence(&batches) == 0, "a batch up to the end");
	ok(is_verdict(&batches, 0, 1, SEQUENCE_NEXT, -1), "0 once more");
}

int
main(void)
{
	test_first();
	test_repeated();
	test_wrap();
	return tap_done();
}
