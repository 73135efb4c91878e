-- offset_for_time, and reading by time: the first record at or after a time,
-- though records need not be in the order of their timestamps.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('t', 2);
CREATE FUNCTION at(seconds numeric) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
	$$ SELECT '2024-01-01'::timestamptz + seconds * interval '1 second' $$;
-- What offset_for_time says of some times.
CREATE FUNCTION found(partition int, VARIADIC times numeric[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(COALESCE(topic.offset_for_time('t', partition, at(t))::text, '-'), ' ' ORDER BY n)
	FROM unnest(times) WITH ORDINALITY u(t, n)
$$;

-- Nothing there
SELECT topic.offset_for_time('t', 0, t) FROM unnest(ARRAY['-infinity', '1970-01-01', '2024-01-01', 'infinity']::timestamptz[]) t;
-- In order, and equal ones: the first
SELECT topic.produce('t', i::text, partition => 0, record_timestamp => at(i)) FROM unnest(ARRAY[10, 20, 20, 30]) i;
SELECT found(0, 0, 9.999, 10, 10.001, 15, 20, 20.001, 30, 30.001);
SELECT topic.offset_for_time('t', 0, t) FROM unnest(ARRAY['-infinity', '1970-01-01', '1900-01-01', 'infinity', '294276-12-31']::timestamptz[]) t;
-- Records have whole milliseconds: at or after is the next one.
SELECT found(0, 9.9990001, 10.0000001, 10.0000009, 29.9999999);
-- The other partition has its own.
SELECT found(1, 0);
SELECT topic.produce('t', 'v', partition => 1, record_timestamp => at(15));
SELECT found(1, 0, 15, 16);
-- Out of order: later ones with an earlier timestamp are not the first.
SELECT topic.produce('t', i::text, partition => 0, record_timestamp => at(i)) FROM unnest(ARRAY[5, 25, 40, 35, 50, 1]) i;
SELECT found(0, 0, 1, 5, 25, 30, 31, 35, 40, 41, 50, 51);
-- within a batch, too
SELECT base_offset FROM topic.produce_batch('t', ARRAY['a', 'b', 'c', 'd'], partition => 1,
	record_timestamps => ARRAY[at(12), at(60), at(11), at(20)]);
SELECT found(1, 0, 12, 15, 16, 20, 60, 60.001);
-- NULL, and what is not there
SELECT topic.offset_for_time(NULL, 0, at(0)), topic.offset_for_time('t', NULL, at(0)), topic.offset_for_time('t', 0, NULL);
SELECT topic.offset_for_time('t', 2, at(0));
SELECT topic.offset_for_time('t', -1, at(0));
SELECT topic.offset_for_time('missing', 0, at(0));
-- Who may SELECT
CREATE ROLE regress_topic_reader;
SET ROLE regress_topic_reader;
SELECT topic.offset_for_time('t', 0, now());
RESET ROLE;
GRANT SELECT ON topics.t TO regress_topic_reader;
SET ROLE regress_topic_reader;
SELECT topic.offset_for_time('t', 0, now());
RESET ROLE;
DROP OWNED BY regress_topic_reader;
DROP ROLE regress_topic_reader;

-- Several segments
SELECT topic.roll_segment('t');
SELECT found(0, 0, 35, 50, 51), found(1, 0, 60, 61);
SELECT topic.produce('t', i::text, partition => 0, record_timestamp => at(i)) FROM unnest(ARRAY[45, 70]) i;
SELECT topic.roll_segment('t');
SELECT topic.produce('t', i::text, partition => 0, record_timestamp => at(i)) FROM unnest(ARRAY[65, 80]) i;
SELECT found(0, 0, 45, 50, 51, 65, 70, 71, 80, 81);
-- Some way in, records are deleted: they are not found.
SELECT topic.delete_records('t', 0, 9);
SELECT found(0, 0, 40, 45, 50, 51, 80);
SELECT topic.delete_records('t', 0);
SELECT found(0, 0, 80);
SELECT topic.produce('t', 'v', partition => 0, record_timestamp => at(3));
SELECT found(0, 0, 3, 4, 80);

-- Timestamps of the future that were rolled back: what they said is not heeded.
BEGIN;
SELECT topic.produce('t', 'future', partition => 1, record_timestamp => at(1000));
ROLLBACK;
SELECT topic.produce('t', i::text, partition => 1, record_timestamp => at(i)) FROM unnest(ARRAY[61, 100, 90, 110]) i;
SELECT found(1, 0, 60, 61, 62, 100, 101, 110, 111, 1000);
BEGIN;
SELECT topic.produce('t', 'future', partition => 1, record_timestamp => at(2000));
ROLLBACK;
SELECT found(1, 110, 111, 1000, 2000);
SELECT topic.roll_segment('t');
CALL topic.maintain();
SELECT found(1, 0, 60, 61, 62, 100, 101, 110, 111, 1000, 2000);
SELECT topic.produce('t', 'v', partition => 1, record_timestamp => at(105));
SELECT found(1, 0, 101, 105, 110, 111);

-- The transaction's own records are found, others' open ones are not reached:
-- where consumers would read on.
BEGIN;
SELECT topic.produce('t', 'own', partition => 1, record_timestamp => at(200));
SELECT found(1, 111, 200, 201);
ROLLBACK;
SELECT found(1, 111, 200);

-- The server's clock
SELECT topic.create_topic('append', timestamp_type => 'LogAppendTime');
SELECT topic.produce('append', 'a', record_timestamp => '2100-01-01');
SELECT clock_timestamp() AS between FROM pg_sleep(0.01) \gset
SELECT topic.produce('append', 'b', record_timestamp => '1970-01-01') FROM pg_sleep(0.01);
SELECT topic.offset_for_time('append', 0, '2024-01-01') AS first, topic.offset_for_time('append', 0, :'between') AS second,
	topic.offset_for_time('append', 0, '2100-01-01') AS none;
SELECT topic.drop_topic('append'), topic.drop_topic('t');
DROP FUNCTION found(int, numeric[]);

-- Against a look at every record: random batches whose time goes forward by and
-- large, rollbacks that are far ahead, segments, maintenance and deleted records.
SELECT topic.create_topic('t', 3);
SET client_min_messages = warning;
SELECT setseed(0.3);
DO $$
DECLARE
	p int;
	log_start bigint;
	log_end bigint;
BEGIN
	FOR i IN 1 .. 150 LOOP
		p := floor(random() * 3);
		PERFORM topic.produce_batch('t', array_agg(n::text), partition => p,
			record_timestamps => array_agg(at((i + 100 * random() ^ 3)::numeric)))
		FROM generate_series(1, 1 + (30 * random() ^ 2)::int) n;
		COMMIT;
		IF random() < 0.2 THEN
			PERFORM topic.produce('t', 'undone', partition => p, record_timestamp => at((300 * random())::numeric));
			ROLLBACK;
		END IF;
		IF random() < 0.1 THEN
			PERFORM topic.roll_segment('t');
			COMMIT;
		END IF;
		IF random() < 0.05 THEN
			CALL topic.maintain();
		END IF;
		IF i IN (50, 90) THEN
			SELECT o.log_start_offset, o.last_stable_offset INTO log_start, log_end
			FROM topic.offsets('t') o WHERE o.partition = p;
			PERFORM topic.delete_records('t', p, (log_start + log_end) / 2);
			COMMIT;
		END IF;
	END LOOP;
END
$$;
SELECT count(*) > 500 AS many_records, count(DISTINCT partition) AS partitions FROM topics.t;
SELECT count(*) > 5 AS many_segments FROM topic.segments;
CREATE TABLE records AS SELECT partition, record_offset, record_timestamp FROM topic.fetch('t');
CREATE TABLE times AS SELECT at((random() * 320 - 10)::numeric) AS t FROM generate_series(1, 300)
	UNION ALL SELECT DISTINCT record_timestamp FROM records WHERE record_offset % 7 = 0
	UNION ALL SELECT '-infinity' UNION ALL SELECT 'infinity';
-- What offset_for_time finds
SELECT t, p, topic.offset_for_time('t', p, t) AS found,
	(SELECT min(record_offset) FROM records WHERE partition = p AND record_timestamp >= t) AS first
FROM times, generate_series(0, 2) p
WHERE topic.offset_for_time('t', p, t) IS DISTINCT FROM
	(SELECT min(record_offset) FROM records WHERE partition = p AND record_timestamp >= t);
-- where groups are put
SELECT t, r.partition, r.new_offset
FROM times, topic.reset_offsets('g', 't', to_time => t, dry_run => true) r JOIN topic.offsets('t') o USING (partition)
WHERE new_offset <> COALESCE((SELECT min(record_offset) FROM records
	WHERE partition = r.partition AND record_timestamp >= t), o.last_stable_offset);
-- and what is read between two times
SELECT f.t AS from_time, u.t AS to_time
FROM (SELECT t, row_number() OVER () AS n FROM times) f JOIN (SELECT t, row_number() OVER () AS n FROM times) u
	ON u.n = f.n + 1
WHERE (SELECT array_agg((partition, record_offset)) FROM topic.fetch('t', from_time => f.t, to_time => u.t))
	IS DISTINCT FROM (SELECT array_agg((partition, record_offset) ORDER BY partition, record_offset) FROM records
		WHERE record_timestamp >= f.t AND record_timestamp < u.t);
SELECT t FROM times WHERE
	(SELECT array_agg((partition, record_offset)) FROM topics.t r WHERE record_timestamp >= times.t)
	IS DISTINCT FROM (SELECT array_agg((partition, record_offset) ORDER BY partition, record_offset) FROM records
		WHERE record_timestamp >= times.t);
RESET client_min_messages;
DROP TABLE records, times;
DROP FUNCTION at(numeric);
SELECT topic.drop_topic('t');
DELETE FROM topic.groups;
