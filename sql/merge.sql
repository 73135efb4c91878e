-- Merging of small batches: sealed segments are written anew with full rows,
-- and everything that can be read is as it was before.
CREATE VIEW segments AS
	SELECT topic, segment, generation, rows, record_counts, compacted,
		frozen_at >= settled_at AS frozen, base_offsets
	FROM topic.segments JOIN topic.topics USING (topic_id)
	WHERE retired_at IS NULL AND sealed_at IS NOT NULL ORDER BY topic, segment;

-- What is wrong with the rows of a topic's sealed segments, or with what the
-- catalog says of them.
CREATE FUNCTION wrong(wanted text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	s record;
BEGIN
	FOR s IN
		SELECT *, format('topic_log.segment_%s_%s', topic_id, segment)
			|| CASE WHEN generation > 0 THEN '_' || generation ELSE '' END AS name,
			lead(base_offsets) OVER (ORDER BY segment) AS next_offsets
		FROM topic.segments JOIN topic.topics USING (topic_id)
		WHERE topic = wanted AND retired_at IS NULL
	LOOP
		CONTINUE WHEN s.sealed_at IS NULL;
		RETURN QUERY EXECUTE format($q$
			SELECT concat_ws(' ', 'row', segment, partition, base_offset) FROM (
				SELECT %L AS segment, *,
					coalesce(lag(last_offset + 1) OVER w, $1[partition + 1], 0) AS floor,
					max(max_timestamp) OVER w AS so_far
				FROM %s WINDOW w AS (PARTITION BY partition ORDER BY base_offset)) r
			WHERE base_offset < floor OR last_offset < base_offset OR last_offset >= $2[partition + 1]
				OR record_count NOT BETWEEN 1 AND last_offset - base_offset + 1
				OR timestamp_so_far <> so_far OR stable_offset > base_offset
				OR (%L::boolean AND stable_offset <> floor)$q$, s.name, s.name, s.generation > 0)
		USING s.base_offsets, s.next_offsets;
		RETURN QUERY EXECUTE format($q$
			SELECT concat_ws(' ', 'statistics', %L, partition)
			FROM (SELECT partition, sum(record_count) AS records, sum(octet_length(batch)) AS bytes,
					max(max_timestamp) AS latest FROM %s GROUP BY 1) a
			FULL JOIN (SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS s (records, bytes, latest, n)
				WHERE records > 0) b ON n = partition + 1
			WHERE (a.records, a.bytes, a.latest) IS DISTINCT FROM (b.records, b.bytes, b.latest)$q$, s.name, s.name)
		USING s.record_counts, s.batch_bytes, s.max_timestamps;
	END LOOP;
END
$$;

-- Everything that a topic shows: its records, those from any offset on, and
-- the offsets for times.
CREATE FUNCTION seen(wanted text) RETURNS TABLE (what text, partition int, record_offset bigint, record text)
LANGUAGE sql AS $$
	SELECT 'record', f.partition, f.record_offset, f::text FROM topic.fetch(wanted) f
	UNION ALL
	SELECT 'from', o.partition, i, f.record_offset::text
	FROM topic.offsets(wanted) o, generate_series(log_start_offset, high_watermark) i,
		topic.fetch(wanted, o.partition, i, max_records => 1) f
	UNION ALL
	SELECT 'time', o.partition, NULL, t || ' ' || coalesce(topic.offset_for_time(wanted, o.partition, t)::text, 'none')
	FROM topic.offsets(wanted) o, (SELECT DISTINCT record_timestamp FROM topic.fetch(wanted)) r (t)
$$;
CREATE TABLE before (what text, partition int, record_offset bigint, record text);
CREATE FUNCTION differences(wanted text) RETURNS TABLE (which text, n bigint) LANGUAGE sql AS $$
	SELECT 'lost', count(*) FROM (SELECT * FROM before EXCEPT ALL SELECT * FROM seen(wanted)) b HAVING count(*) > 0
	UNION ALL
	SELECT 'new', count(*) FROM (SELECT * FROM seen(wanted) EXCEPT ALL SELECT * FROM before) a HAVING count(*) > 0
$$;

-- Records of all kinds, each a batch of its own: no key or an empty one, a null
-- value, headers, times that go back and forth; gaps where transactions were
-- rolled back, in the middle and at the end.
SELECT topic.create_topic('m', 3, value_format => 'bytes');
DO $$
BEGIN
	FOR i IN 1..500 LOOP
		BEGIN
			PERFORM topic.produce('m',
				CASE WHEN i % 11 > 0 THEN convert_to('value ' || i, 'UTF8') END,
				CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE convert_to('key ' || i % 100, 'UTF8') END,
				headers => CASE WHEN i % 3 = 0 THEN jsonb_build_array(jsonb_build_array('n', i::text), jsonb_build_array('n', NULL)) END,
				partition => i * i % 3,
				record_timestamp => timestamptz '2024-01-01Z' + i * 7919 % 1000 * interval '1 ms');
			IF i % 50 < 3 THEN
				RAISE SQLSTATE 'ZZ000';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		END;
		IF i = 200 THEN
			PERFORM topic.alter_topic('m', timestamp_type => 'LogAppendTime');
		ELSIF i = 300 THEN
			PERFORM topic.alter_topic('m', timestamp_type => 'CreateTime');
		END IF;
	END LOOP;
END
$$;
-- One that is larger than a page.
SELECT topic.produce('m', convert_to(string_agg(md5(i::text), ''), 'UTF8'), ''::bytea, partition => 1) > 0 AS large FROM generate_series(1, 1000) i;
SELECT topic.produce('m', '\x00', '\x00'::bytea, partition => p) > 0 AS last FROM generate_series(0, 1) p;
BEGIN;
SELECT topic.produce('m', 'undone', ''::bytea, partition => 0) > 0 AS gap;
ROLLBACK;
-- A group in the middle, one at a gap, one that has read all.
SELECT topic.commit('middle', 'm', 0, 50), topic.commit('gap', 'm', 1, 2), topic.commit('all', 'm', 0, o.high_watermark)
	FROM topic.offsets('m') o WHERE partition = 0;
SELECT topic.roll_segment('m');
INSERT INTO before SELECT * FROM seen('m');
SELECT count(*) > 2000 AS many FROM before;
CALL topic.maintain();
TABLE segments;
SELECT * FROM differences('m');
SELECT * FROM wrong('m');
SELECT min(record_offset), count(*) FROM topic.consume('middle', 'm', partitions => '{0}');
SELECT min(record_offset), count(*) FROM topic.consume('gap', 'm', partitions => '{1}');
SELECT min(record_offset), count(*) FROM topic.consume('all', 'm', partitions => '{0}');
-- At the end there is but a gap for who has read all: nothing to wait for.
SELECT o.high_watermark - committed_offset AS gap, lag
	FROM topic.lag l JOIN topic.offsets('m') o USING (partition) WHERE group_id = 'all' AND partition = 0;
SELECT count(*) FROM topic.consume('all', 'm', commit => true);
CALL topic.wait_for_records('all', 'm', max_wait => '0');
SELECT partition, lag FROM topic.lag WHERE group_id = 'all' ORDER BY partition;
-- It is done once.
CALL topic.maintain();
SELECT merged, compacted FROM topic.maintenance_totals JOIN topic.topics USING (topic_id) WHERE topic = 'm';
-- Offsets go on, and the next segment is merged by itself.
SELECT count(topic.produce('m', 'more', ''::bytea, partition => i % 3)) FROM generate_series(1, 300) i;
SELECT topic.roll_segment('m');
TRUNCATE before;
INSERT INTO before SELECT * FROM seen('m');
CALL topic.maintain();
TABLE segments;
SELECT * FROM differences('m');
SELECT * FROM wrong('m');
SELECT topic.drop_topic('m');

-- Full batches are left as they are, and few of them; so is a topic that
-- merge_small_batches is off for.
SELECT topic.create_topic('full'), topic.create_topic('few', 8), topic.create_topic('off', merge_small_batches => false);
SELECT sum(record_count) FROM topic.produce_batch('full', array_fill(repeat('x', 100), ARRAY[5000]));
SELECT count(topic.produce('few', 'x', partition => i)) FROM generate_series(0, 7) i;
SELECT count(topic.produce('off', 'x')) FROM generate_series(1, 100) i;
SELECT topic.roll_segment('full'), topic.roll_segment('few'), topic.roll_segment('off');
CALL topic.maintain();
SELECT topic, segment, generation, frozen FROM segments;
-- Turned on, it is done for the segments that are there.
SELECT topic.alter_topic('off', merge_small_batches => true);
CALL topic.maintain();
SELECT topic, segment, generation, rows, record_counts FROM segments WHERE topic = 'off';
SELECT topic.drop_topic(t) FROM unnest('{full,few,off}'::text[]) t;

-- Several small segments become one, up to segment_bytes; the log begins where
-- it did, or later.
SELECT topic.create_topic('s', 2, segment_bytes => 20000, merge_small_batches => false);
SELECT topic.alter_topic('s', partitions => 3);
DO $$
BEGIN
	FOR i IN 1..6 LOOP
		PERFORM topic.produce('s', repeat('s', 50), partition => i % 3) FROM generate_series(1, 50);
		PERFORM topic.roll_segment('s');
		COMMIT;
	END LOOP;
END
$$;
CALL topic.maintain();
SELECT segment, generation, rows, record_counts, base_offsets FROM segments;
SELECT topic.delete_records('s', 1, 30);
TRUNCATE before;
INSERT INTO before SELECT * FROM seen('s');
SELECT topic.alter_topic('s', merge_small_batches => true, compression => 'lz4');
CALL topic.maintain();
SELECT segment, generation, rows, record_counts, base_offsets FROM segments;
SELECT * FROM differences('s');
SELECT * FROM wrong('s');
-- Where records are deleted by age, no segment is of a longer time than one
-- that segment_age lets be.
SELECT topic.create_topic('aged', retention => '1 hour', segment_age => '1 ms');
SELECT count(topic.produce('aged', 'a', record_timestamp => now())) FROM generate_series(1, 50);
SELECT topic.roll_segment('aged');
SELECT count(topic.produce('aged', 'b', record_timestamp => now())) FROM generate_series(1, 50);
SELECT topic.roll_segment('aged');
CALL topic.maintain();
SELECT segment, generation, record_counts FROM segments WHERE topic = 'aged';

-- Whatever the session's isolation level.
SET default_transaction_isolation = 'serializable';
SELECT count(topic.produce('s', 'x', partition => 0)) FROM generate_series(1, 50);
SELECT topic.roll_segment('s');
CALL topic.maintain();
RESET default_transaction_isolation;
SELECT segment, generation, rows, record_counts, base_offsets FROM segments WHERE topic = 's';

SELECT topic.drop_topic(t) FROM unnest('{s,aged}'::text[]) t;

-- A batch with a producer id, from a Kafka producer, stays as it is.
SELECT topic.create_topic('p');
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics WHERE topic = 'p' \gset
\set merged :segment _1
SELECT count(topic.produce('p', 'before')) FROM generate_series(1, 10);
INSERT INTO :segment SELECT 0, 2, 10, 12, 1700000000005, max(timestamp_so_far), 0,
	'\x0000004c0000000702af54ea910010000000020000018bcfe568000000018bcfe5680500000000000012670003000000110000000218000000026b0a6669727374001a000a04026c0c7365636f6e6400' FROM :segment;
SELECT count(topic.produce('p', 'after')) FROM generate_series(1, 10);
SELECT topic.roll_segment('p');
CALL topic.maintain();
SELECT record_count, base_offset, last_offset, substr(batch, 36, 8) AS producer_id FROM :merged;
SELECT record_offset, key, value, record_timestamp AT TIME ZONE 'UTC' AS time FROM topics.p WHERE key IS NOT NULL;
SELECT * FROM wrong('p');
SELECT topic.drop_topic('p');

-- What is damaged stays as it is, and is told of; so does a segment that has
-- not the records that were counted.
SET client_min_messages = error;
SELECT topic.create_topic('d', 2);
SELECT count(topic.produce('d', 'v', partition => i % 2)) FROM generate_series(0, 19) i;
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics WHERE topic = 'd' \gset
CREATE TABLE intact AS TABLE :segment;
SELECT topic.roll_segment('d');
TRUNCATE :segment;
INSERT INTO :segment SELECT partition, record_count, base_offset, last_offset, max_timestamp, timestamp_so_far, stable_offset,
	CASE WHEN base_offset = 5 THEN set_byte(batch, 60, get_byte(batch, 60) # 1) ELSE batch END FROM intact;
CALL topic.maintain();
SELECT last_error, merged, settled, frozen FROM topic.maintenance WHERE topic = 'd';
TRUNCATE :segment;
INSERT INTO :segment SELECT * FROM intact LIMIT 10;
CALL topic.maintain();
SELECT regexp_replace(last_error, '\d+', 'N') AS last_error, merged FROM topic.maintenance WHERE topic = 'd';
-- Mended, it goes on.
TRUNCATE :segment;
INSERT INTO :segment SELECT * FROM intact;
CALL topic.maintain();
SELECT merged FROM topic.maintenance WHERE topic = 'd';
SELECT count(*) FROM topics.d;
RESET client_min_messages;
SELECT topic.drop_topic('d');
DROP TABLE intact;

DROP FUNCTION wrong, differences, seen;
DROP VIEW segments;
DROP TABLE before;
DELETE FROM topic.groups;
