-- produce_batch: arrays in, contiguous runs out.
SELECT topic.create_topic('batch', 4);

-- Records of one partition are one run; its offsets follow the array's order.
SELECT * FROM topic.produce_batch('batch', ARRAY['a', 'b', 'c'], partition => 2);
SELECT * FROM topic.produce_batch('batch', ARRAY['d', 'e'], partition => 2);
SELECT partition, record_offset, key, value FROM topics.batch;
-- Keys choose partitions, as produce does; null keys share one.
SELECT * FROM topic.produce_batch('batch', ARRAY['x', 'y', 'z', 'x again'], ARRAY['k1', 'k2', 'k3', 'k1']);
SELECT count(DISTINCT partition), count(*) FROM topics.batch WHERE key IN ('k1');
SELECT bool_and(partition = topic.partition_for_key('batch', key)) AS as_hashed
	FROM topics.batch WHERE key IS NOT NULL;
SELECT count(*), sum(record_count) FROM topic.produce_batch('batch', ARRAY['n1', 'n2', 'n3']);
SELECT count(DISTINCT partition), count(*) FROM topics.batch WHERE value ~ '^n';
-- A partition that is given beats the key's.
SELECT partition, record_count FROM topic.produce_batch('batch', ARRAY['given', 'given'],
	ARRAY['k1', 'k2'], partition => 0);

-- NULL elements: tombstones, and records without key, headers or time.
SELECT topic.create_topic('nulls');
SELECT * FROM topic.produce_batch('nulls', ARRAY[NULL, 'v', NULL], ARRAY['k', NULL, NULL],
	ARRAY[NULL, jsonb '{"h": 1}', '{}'], 0, ARRAY[NULL, '2024-01-01', NULL]::timestamptz[]);
SELECT record_offset, key, value, headers, record_timestamp = '2024-01-01' AS given FROM topics.nulls;

-- Empty arrays produce nothing.
SELECT * FROM topic.produce_batch('nulls', '{}'::text[]);
SELECT * FROM topic.produce_batch('nulls', '{}'::text[], '{}', '{}', 0, '{}');
SELECT * FROM topic.produce_batch('nulls', '{}'::jsonb[]);
SELECT * FROM topic.produce_batch('nulls', '{}'::bytea[]);
-- Whole arrays may be NULL, but not the values.
SELECT * FROM topic.produce_batch('nulls', ARRAY['v'], NULL, NULL, NULL, NULL);
SELECT * FROM topic.produce_batch('nulls', NULL::text[]);
SELECT * FROM topic.produce_batch(NULL, ARRAY['v']);
-- Arrays of several dimensions are read in their storage order.
SELECT * FROM topic.produce_batch('nulls', ARRAY[['a', 'b'], ['c', 'd']], ARRAY['1', '2', '3', '4']);
SELECT * FROM topic.produce_batch('nulls', '[5:6]={e,f}'::text[], '[-1:0]={5,6}'::text[]);
SELECT record_offset, key, value FROM topics.nulls WHERE record_offset >= 4;

-- Arrays of different length
SELECT * FROM topic.produce_batch('nulls', ARRAY['a', 'b'], ARRAY['k']);
SELECT * FROM topic.produce_batch('nulls', ARRAY['a'], ARRAY['k', 'l']);
SELECT * FROM topic.produce_batch('nulls', ARRAY['a'], '{}');
SELECT * FROM topic.produce_batch('nulls', '{}'::text[], ARRAY['k']);
SELECT * FROM topic.produce_batch('nulls', ARRAY['a', 'b'], headers => ARRAY[jsonb '{}']);
SELECT * FROM topic.produce_batch('nulls', ARRAY['a', 'b'], record_timestamps => ARRAY[now()]);
-- A partition that is not there
SELECT * FROM topic.produce_batch('nulls', ARRAY['a'], partition => 1);
SELECT * FROM topic.produce_batch('nulls', ARRAY['a'], partition => -1);
SELECT * FROM topic.produce_batch('nulls', '{}'::text[], partition => 1);
SELECT topic.produce('nulls', 'a', partition => 1);
SELECT topic.produce('nulls', 'a', partition => -1);
SELECT topic.produce('nulls', 'a', partition => 2147483647);
-- None of these stored anything.
SELECT * FROM topic.offsets('nulls');

-- A hundred thousand records over the partitions: every one counted in a run,
-- every run contiguous, every partition's records in the array's order.
SELECT topic.create_topic('bulk', 8);
SELECT topic.produce('bulk', 'before', partition => p) FROM generate_series(0, 7) p;
CREATE TABLE runs AS
	SELECT * FROM topic.produce_batch('bulk',
		ARRAY(SELECT format('value %s', i) FROM generate_series(1, 100000) i),
		ARRAY(SELECT format('key %s', i % 977) FROM generate_series(1, 100000) i));
SELECT count(*) AS runs, count(DISTINCT partition) AS partitions, sum(record_count) AS records FROM runs;
SELECT bool_and(base_offset = expected) AS contiguous
	FROM (SELECT base_offset, 1 + coalesce(sum(record_count) OVER (PARTITION BY partition
			ORDER BY base_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS expected
		FROM runs) r;
SELECT bool_and(r.records = o.high_watermark - 1) AS runs_are_offsets
	FROM (SELECT partition, sum(record_count) AS records FROM runs GROUP BY partition) r
	JOIN topic.offsets('bulk') o USING (partition);
SELECT count(*), count(DISTINCT value), bool_and(partition = topic.partition_for_key('bulk', key)) AS as_hashed
	FROM topics.bulk WHERE record_offset > 0;
SELECT count(*) AS out_of_order
	FROM (SELECT substr(value, 7)::int < lag(substr(value, 7)::int) OVER (PARTITION BY partition
			ORDER BY record_offset) AS descends
		FROM topics.bulk WHERE record_offset > 0) t
	WHERE descends;
-- Large values in one batch, more than one hold of the append lock writes
SELECT count(*) AS runs, sum(record_count), min(base_offset) FROM topic.produce_batch('nulls',
	ARRAY(SELECT repeat(chr(64 + i), i * 20000) FROM generate_series(1, 20) i));
SELECT count(*), bool_and(value = repeat(chr(64 + n), n * 20000)) AS intact
	FROM (SELECT value, record_offset::int - 9 AS n FROM topics.nulls WHERE record_offset >= 10) t;

-- One call a row: LATERAL over equal arguments leaves none out.
SELECT topic.create_topic('lateral');
CREATE TABLE repeated AS SELECT i % 3 AS n FROM generate_series(1, 3000) i;
ANALYZE repeated;
SELECT count(*), count(DISTINCT base_offset)
	FROM repeated, LATERAL topic.produce_batch('lateral', ARRAY['same', n::text]) b;
SELECT count(*) FROM topics.lateral;
-- A failed call stores nothing of what came before the failure.
SELECT * FROM topic.produce_batch('lateral',
	ARRAY(SELECT CASE WHEN i < 50000 THEN 'v' ELSE repeat('x', 2000000) END FROM generate_series(1, 50000) i));
SELECT count(*) FROM topics.lateral;

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
DROP TABLE runs, repeated;
