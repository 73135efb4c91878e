/*-------------------------------------------------------------------------
 *
 * partitioner_test.c
 *		Do keys go to the partitions that Kafka's Java client chooses?
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "../../src/partitioner.h"
#include "tap.h"

int
main(void)
{
	static const struct
	{
		const char *key;
		uint32		hash;
	}			vectors[] = {
		/* Apache Kafka, UtilsTest.testMurmur2 */
		{"21", (uint32) -973932308},
		{"foobar", (uint32) -790332482},
		{"a-little-bit-long-string", (uint32) -985981536},
		{"a-little-bit-longer-string", (uint32) -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
		(uint32) -58897971},
		{"abc", 479470107},
		/* librdkafka, unittest_murmur2 */
		{"kafka", 0xd067cf64},
		{"giberish123456789", 0x8f552b0c},
		{"1234", 0x9fc97b14},
		{"234", 0xe7c009ca},
		{"34", 0x873930da},
		{"4", 0x5a4b5ca1},
		{"PreAmbleWillBeRemoved,ThePrePartThatIs", 0x78424f1c},
		{"reAmbleWillBeRemoved,ThePrePartThatIs", 0x4a62b377},
		{"eAmbleWillBeRemoved,ThePrePartThatIs", 0xe0e4e09e},
		{"AmbleWillBeRemoved,ThePrePartThatIs", 0x62b8b43f},
		{"", 0x106e08d9}
	};
	size_t		i;

	for (i = 0; i < lengthof(vectors); i++)
		ok(kafka_murmur2(vectors[i].key, (int32) strlen(vectors[i].key)) ==
		   vectors[i].hash, "murmur2 of \"%s\"", vectors[i].key);

	/* The sign bit is cleared: -973932308 becomes 1173551340. */
	ok(partition_for_key("21", 2, 16) == 1173551340 % 16,
	   "partition of a key with a negative hash");
	ok(partition_for_key("abc", 3, 1000) == 107,
	   "partition of a key with a positive hash");
	ok(partition_for_key("", 0, 1) == 0, "partition of the only one");
	return tap_done();
}
