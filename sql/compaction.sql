-- Compaction: of each key in the sealed segments the latest record is left,
-- as it was.
CREATE VIEW segments AS
	SELECT topic, segment, generation, rows, record_counts, compacted, delete_horizon IS NOT NULL AS tombstones
	FROM topic.segments JOIN topic.topics USING (topic_id)
	WHERE retired_at IS NULL AND sealed_at IS NOT NULL ORDER BY topic, segment;
CREATE VIEW steps AS
	SELECT topic, compacted, merged FROM topic.maintenance_totals JOIN topic.topics USING (topic_id) ORDER BY topic;
-- Everything that was ever produced, and where the active segment began.
CREATE TABLE produced (partition int, record_offset bigint, record_timestamp timestamptz, key text, value text, headers jsonb);

-- What is in the log and should not be, or should be and is not.
CREATE FUNCTION differences(wanted text) RETURNS TABLE (which text, n bigint)
LANGUAGE sql AS $$
	WITH active AS (
		SELECT base_offsets FROM topic.segments JOIN topic.topics USING (topic_id)
		WHERE topic = wanted AND sealed_at IS NULL AND retired_at IS NULL
	), expected AS (
		(SELECT DISTINCT ON (partition, key) * FROM produced, active
			WHERE key IS NOT NULL AND record_offset < base_offsets[partition + 1]
			ORDER BY partition, key, record_offset DESC)
		UNION ALL
		SELECT * FROM produced, active WHERE key IS NULL OR record_offset >= base_offsets[partition + 1]
	), kept AS (
		SELECT partition, record_offset, record_timestamp, key, value, headers FROM expected
	), found AS (
		SELECT * FROM topic.fetch_text(wanted)
	)
	SELECT 'lost', count(*) FROM (TABLE kept EXCEPT ALL TABLE found) l HAVING count(*) > 0
	UNION ALL
	SELECT 'left', count(*) FROM (TABLE found EXCEPT ALL TABLE kept) l HAVING count(*) > 0
$$;
-- Updates of some keys, with gaps, tombstones, headers and times of all sorts.
CREATE PROCEDURE update_keys(wanted text, keys int, updates int, seed int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..updates LOOP
		BEGIN
			PERFORM topic.produce(wanted,
				CASE WHEN i / keys % 2 > 0 OR i % 5 > 0 THEN repeat('value ' || i, i % 20) END,
				'key ' || (i + seed) * 7919 % keys,
				headers => CASE WHEN i % 3 = 0 THEN jsonb_build_object('i', i::text) END,
				record_timestamp => timestamptz '2024-01-01Z' + i * 7919 % 1000 * interval '1 ms');
			IF i % 50 < 3 THEN
				RAISE SQLSTATE 'ZZ000';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		END;
	END LOOP;
END
$$;

SELECT topic.create_topic('c', 3, cleanup_policy => 'compact');
CALL update_keys('c', 40, 1000, 1);
SELECT topic.roll_segment('c');
-- What is in the active segment is left alone, and does not count.
CALL update_keys('c', 40, 100, 2);
INSERT INTO produced SELECT * FROM topics.c;
SELECT count(*) > 900 AS updates FROM produced;
SELECT topic.commit('group', 'c', 0, 10);
CALL topic.maintain();
SELECT segment, generation, rows, compacted, tombstones, (SELECT sum(n) FROM unnest(record_counts) n) AS records FROM segments;
SELECT * FROM differences('c');
TABLE steps;
-- A group whose position is in a gap goes on with the next record.
SELECT count(*) = (SELECT count(*) FROM topics.c WHERE partition = 0 AND record_offset >= 10) AS all
	FROM topic.consume_text('group', 'c', partitions => '{0}');
-- Offsets go on.
SELECT o.partition, high_watermark - next_offset AS gap
	FROM topic.offsets('c') o JOIN (SELECT partition, max(record_offset) + 1 AS next_offset FROM produced GROUP BY 1) p USING (partition);

-- More: a clean segment and a dirty one become one.
CALL update_keys('c', 60, 900, 3);
TRUNCATE produced;
INSERT INTO produced SELECT * FROM topics.c;
SELECT topic.roll_segment('c');
CALL topic.maintain();
SELECT segment, generation, compacted FROM segments;
SELECT * FROM differences('c');
TABLE steps;
-- Where there is little to gain nothing is done.
SELECT topic.produce('c', 'one', 'key 1') > 0 AS produced;
INSERT INTO produced SELECT * FROM topics.c WHERE value = 'one';
SELECT topic.roll_segment('c');
CALL topic.maintain();
SELECT segment, generation, compacted FROM segments;
SELECT * FROM (SELECT count(*) FROM topics.c EXCEPT SELECT count(*) FROM produced) p;
TABLE steps;
-- Also what delete_records deleted goes, when it is done.
SELECT topic.delete_records('c', 1, (SELECT record_offset FROM topics.c WHERE partition = 1 ORDER BY 1 OFFSET 5 LIMIT 1)) > 0 AS deleted;
CALL update_keys('c', 50, 900, 4);
SELECT topic.roll_segment('c');
TRUNCATE produced;
INSERT INTO produced SELECT * FROM topics.c;
CALL topic.maintain();
SELECT segment, generation, compacted FROM segments;
SELECT * FROM differences('c');
SELECT topic.drop_topic('c');

-- A record without a key is refused, but one from before is kept. So is an
-- empty key: it is a key.
SELECT topic.create_topic('k');
SELECT topic.produce('k', v, k) FROM (VALUES (1, 'none 1', NULL), (2, 'empty 1', ''), (3, 'a 1', 'a'),
	(4, 'none 2', NULL), (5, 'empty 2', ''), (6, 'a 2', 'a'), (7, NULL, NULL)) r (n, v, k) ORDER BY n;
SELECT topic.alter_topic('k', cleanup_policy => 'compact');
SELECT topic.produce('k', 'x');
SELECT topic.roll_segment('k');
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.k;
SELECT segment, generation, record_counts, compacted, tombstones FROM segments;
-- Turned off, what comes is merged only.
SELECT topic.alter_topic('k', cleanup_policy => 'delete');
SELECT count(topic.produce('k', 'v', 'a')) FROM generate_series(1, 30);
SELECT topic.roll_segment('k');
CALL topic.maintain();
SELECT segment, generation, rows, record_counts, compacted FROM segments;
-- And on again: it is dirty.
SELECT topic.alter_topic('k', cleanup_policy => 'compact,delete');
CALL topic.maintain();
SELECT segment, generation, rows, record_counts, compacted FROM segments;
SELECT record_offset, key, value FROM topics.k;
SELECT topic.drop_topic('k');

-- Tombstones. With tombstone_retention 0 they go at once, what they delete too.
SELECT topic.create_topic('t0', cleanup_policy => 'compact', tombstone_retention => '0');
SELECT topic.create_topic('t', cleanup_policy => 'compact', tombstone_retention => '1 hour');
SELECT topic.produce(t, v, k) FROM (VALUES (1, 'a 1', 'a'), (2, 'b 1', 'b'), (3, NULL, 'a'), (4, 'c 1', 'c'),
	(5, NULL, 'b'), (6, 'b 2', 'b')) r (n, v, k), (VALUES ('t'), ('t0')) t (t) ORDER BY t, n;
SELECT topic.roll_segment('t0'), topic.roll_segment('t');
CALL topic.maintain();
SELECT topic, segment, generation, record_counts, compacted, tombstones FROM segments;
SELECT record_offset, key, value FROM topics.t0;
SELECT record_offset, key, value FROM topics.t;
SELECT delete_horizon BETWEEN extract(epoch FROM s.sealed_at + tombstone_retention) * 1000 - 1
	AND extract(epoch FROM clock_timestamp() + tombstone_retention) * 1000 AS horizon
	FROM topic.segments s JOIN topic.topics USING (topic_id) WHERE delete_horizon IS NOT NULL AND retired_at IS NULL;
-- A horizon stays over the next compaction.
CREATE TABLE horizon AS SELECT delete_horizon FROM topic.segments WHERE delete_horizon IS NOT NULL AND retired_at IS NULL;
SELECT topic.alter_topic('t', tombstone_retention => '1 day');
SELECT topic.produce('t', v, k) FROM (VALUES (1, 'd 1', 'd'), (2, NULL, 'c'), (3, 'd 2', 'd'), (4, 'e', 'e')) r (n, v, k) ORDER BY n;
SELECT topic.roll_segment('t');
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.t;
SELECT segment, generation, record_counts, delete_horizon = (TABLE horizon) AS horizon_kept
	FROM topic.segments WHERE delete_horizon IS NOT NULL AND retired_at IS NULL;
-- A tombstone goes when it is due, whatever newer ones are given.
SELECT topic.create_topic('due', cleanup_policy => 'compact', tombstone_retention => '100 ms');
SELECT topic.produce('due', v, k) FROM (VALUES (1, NULL, 'a'), (2, 'b', 'b')) r (n, v, k) ORDER BY n;
SELECT topic.roll_segment('due');
CALL topic.maintain();
SELECT topic.alter_topic('due', tombstone_retention => '1 day');
SELECT topic.produce('due', v, k) FROM (VALUES (1, NULL, 'c'), (2, 'd', 'd')) r (n, v, k) ORDER BY n;
SELECT topic.roll_segment('due');
DO $$
BEGIN
	WHILE EXISTS (SELECT FROM topics.due WHERE key = 'a') LOOP
		PERFORM pg_sleep(0.1);
		CALL topic.maintain();
	END LOOP;
END
$$;
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.due;
SELECT topic, record_counts, compacted, tombstones FROM segments WHERE topic = 'due';
SELECT topic.drop_topic('due');
-- The last record of a partition stays, until another one follows; the log's
-- end is where it was.
SELECT topic.produce('t0', v, k) FROM (VALUES (1, 'd', 'd'), (2, NULL, 'b'), (3, NULL, 'd')) r (n, v, k) ORDER BY n;
SELECT topic.roll_segment('t0');
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.t0;
SELECT * FROM topic.offsets('t0');
SELECT topic, segment, generation, record_counts, compacted, tombstones FROM segments WHERE topic = 't0';
SELECT count(topic.produce('t0', 'e', 'e')) FROM generate_series(1, 5);
SELECT topic.roll_segment('t0');
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.t0;
SELECT topic.drop_topic('t0'), topic.drop_topic('t');

-- Tombstones that are kept for ever, or nearly so
SELECT topic.create_topic('t', cleanup_policy => 'compact', tombstone_retention => '170000000 years');
SELECT topic.produce('t', v, 'a') FROM (VALUES (1, 'a'), (2, NULL)) r (n, v) ORDER BY n;
SELECT topic.roll_segment('t');
CALL topic.maintain();
SELECT record_offset, key, value FROM topics.t;
SELECT topic.drop_topic('t');

-- Records that are younger than min_compaction_lag are left alone, with all
-- that came after them.
SELECT topic.create_topic('l', cleanup_policy => 'compact', min_compaction_lag => '1 day', segment_bytes => 1);
SELECT topic.produce('l', 'a ' || i, 'a', record_timestamp => now() - (2 - i / 4) * interval '1 day') FROM generate_series(0, 2) i;
SELECT topic.roll_segment('l');
SELECT topic.produce('l', 'a ' || i, 'a', record_timestamp => now()) FROM generate_series(3, 4) i;
SELECT topic.roll_segment('l');
SELECT topic.produce('l', 'a ' || i, 'a', record_timestamp => now() - interval '2 days') FROM generate_series(5, 6) i;
SELECT topic.roll_segment('l');
CALL topic.maintain();
SELECT segment, generation, record_counts, compacted FROM segments;
SELECT record_offset, value FROM topics.l;
SELECT topic.alter_topic('l', min_compaction_lag => '0');
CALL topic.maintain();
SELECT segment, generation, record_counts, compacted FROM segments;
SELECT record_offset, value FROM topics.l;
SELECT topic.drop_topic('l');

-- With little memory it goes on dirty segment by dirty segment; compressed,
-- with records larger than a page, in many partitions.
SELECT topic.create_topic('w', 50, cleanup_policy => 'compact', compression => 'zstd', segment_bytes => 100000);
SET maintenance_work_mem = '1MB';
CREATE PROCEDURE many_keys(seed int, keys int) LANGUAGE plpgsql AS $$
DECLARE
	names text[];
	vals text[];
BEGIN
	SELECT array_agg(format('key %s %s', i, repeat('-', 100)) ORDER BY i),
		array_agg(CASE WHEN i = 500 THEN (SELECT string_agg(md5((seed + j)::text), '') FROM generate_series(1, 1000) j)
			WHEN i % 10 > 0 THEN format('value %s %s', seed, i) END ORDER BY i)
		INTO names, vals FROM generate_series(seed, seed + keys - 1) i;
	PERFORM topic.produce_batch('w', vals, names);
	PERFORM topic.roll_segment('w');
END
$$;
CALL many_keys(0, 10000);
CALL many_keys(100, 10000);
CALL many_keys(8000, 10000);
CALL many_keys(5000, 30000);
TRUNCATE produced;
INSERT INTO produced SELECT * FROM topics.w;
SELECT count(*) FROM produced;
CALL topic.maintain();
SELECT compacted > 1 AS in_steps, records_removed, bytes_rewritten > 0 AS rewritten FROM topic.maintenance WHERE topic = 'w';
SELECT count(*), bool_and(compacted) AS compacted FROM segments;
SELECT count(*) FROM topics.w;
SELECT * FROM differences('w');
RESET maintenance_work_mem;
SELECT topic.drop_topic('w');

DROP PROCEDURE many_keys, update_keys;
DROP FUNCTION differences;
DROP VIEW steps, segments;
DROP TABLE produced, horizon;
DELETE FROM topic.groups;
