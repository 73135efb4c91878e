/*-------------------------------------------------------------------------
 *
 * partitioner_test.c
 *		Do keys go to the partitions that Kafka's Java client chooses, and
 *		offsets to those that its group coordinator chooses?
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
	static const struct
	{
		const char *text;
		int32		hash;
	}			hashes[] = {
		/* As Java's String.hashCode() has them */
		{"", 0},
		{"hello", 99162322},
		{"foobar", -1268878963},
		{"polygenelubricants", PG_INT32_MIN},
		{"gr\303\274n", 3185949},
		{"\342\202\254", 8364},
		{"\360\237\230\200", 1772899}
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

	for (i = 0; i < lengthof(hashes); i++)
		ok(java_string_hash(hashes[i].text, (int32) strlen(hashes[i].text)) ==
		   hashes[i].hash, "hashCode of \"%s\"", hashes[i].text);

	/* The sign is changed, and INT_MIN becomes 0. */
	ok(partition_for_group("", 0, 50) == 0, "partition of an empty group_id");
	ok(partition_for_group("hello", 5, 50) == 99162322 % 50,
	   "partition of a group with a positive hash");
	ok(partition_for_group("foobar", 6, 50) == 1268878963 % 50,
	   "partition of a group with a negative hash");
	ok(partition_for_group("polygenelubricants", 18, 50) == 0,
	   "partition of a group with the least hash");
	return tap_done();
}
