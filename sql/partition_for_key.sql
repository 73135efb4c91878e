-- The partitioner is that of Kafka's Java client: murmur2 of the key, sign
-- bit off, modulo the number of partitions.

-- Hashes that Kafka publishes in the tests of its Utils.murmur2()
CREATE TABLE published (key text, hash int);
INSERT INTO published VALUES
	('21', -973932308),
	('foobar', -790332482),
	('a-little-bit-long-string', -985981536),
	('a-little-bit-longer-string', -1486304829),
	('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971),
	('abc', 479470107);
SELECT topic.create_topic('p' || n, n) FROM unnest(ARRAY[1, 2, 3, 7, 10, 12, 64, 997, 1000]) n;
SELECT key, topic.partition_for_key('p1000', key) AS p1000,
		topic.partition_for_key('p7', key) AS p7
	FROM published ORDER BY key;
SELECT topic, count(*) AS keys,
		bool_and(topic.partition_for_key(topic, key) = (hash & 2147483647) % partitions) AS as_published,
		bool_and(topic.partition_for_key(topic, convert_to(key, 'UTF8')) = (hash & 2147483647) % partitions) AS as_bytes
	FROM published, topic.topics GROUP BY topic, partitions ORDER BY partitions;

-- produce puts the record there.
SELECT count(topic.produce('p12', hash::text, key => key)) FROM published;
SELECT bool_and(partition = (value::int & 2147483647) % 12) AS as_published FROM topics.p12;

-- Each type of key counts as its text.
SELECT topic.partition_for_key('p1000', 21) = topic.partition_for_key('p1000', '21') AS int,
	topic.partition_for_key('p1000', 21::smallint) = topic.partition_for_key('p1000', '21') AS smallint,
	topic.partition_for_key('p1000', -5::bigint) = topic.partition_for_key('p1000', '-5') AS bigint,
	topic.partition_for_key('p1000', '0190163D-8694-739b-aea5-966c26f8ad91'::uuid)
		= topic.partition_for_key('p1000', '0190163d-8694-739b-aea5-966c26f8ad91') AS uuid;
-- The empty key is a key, and every length has its tail.
SELECT length, topic.partition_for_key('p1000', substr('abcdefghi', 1, length))
	FROM generate_series(0, 9) length;
-- Keys spread.
SELECT count(DISTINCT partition), min(n) > 60 AND max(n) < 140 AS evenly
	FROM (SELECT topic.partition_for_key('p10', 'key ' || i) AS partition, count(*) AS n
		FROM generate_series(1, 1000) i GROUP BY 1) t;

SELECT topic.partition_for_key('p1', NULL), topic.partition_for_key(NULL, 'k');
SELECT topic.partition_for_key('missing', 'k');

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
DROP TABLE published;
