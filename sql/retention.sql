-- Retention by time and by bytes, and delete_records: which segments go, what
-- is left, and what consumers find there.
SET TimeZone = 'UTC';
CREATE VIEW segments AS
	SELECT topic, segment, base_offsets,
		CASE WHEN retired_at IS NOT NULL THEN 'retired' WHEN sealed_at IS NULL THEN 'active'
			WHEN frozen_at IS NOT NULL THEN 'frozen' WHEN settled_at IS NOT NULL THEN 'settled'
			ELSE 'sealed' END AS state
	FROM topic.segments JOIN topic.topics USING (topic_id) ORDER BY topic, segment;
-- Maintenance, until nothing is due: autovacuum's snapshot may hold up a drop.
CREATE PROCEDURE maintain() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 600 LOOP
		CALL topic.maintain();
		EXIT WHEN NOT EXISTS (SELECT FROM topic.maintenance WHERE due <> '{}');
		COMMIT;
		PERFORM pg_sleep(0.1);
	END LOOP;
END
$$;
-- Let time pass for the segments of a topic.
CREATE FUNCTION grow_older(name text, age interval) RETURNS void LANGUAGE sql AS $$
	UPDATE topic.segments SET created_at = created_at - age
	WHERE topic_id = (SELECT topic_id FROM topic.topics WHERE topic = name)
$$;
-- Every way to read gives the same records, which lie where offsets() says.
CREATE FUNCTION inconsistencies(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($query$
		WITH s AS (SELECT partition, record_offset, value FROM topics.%1$I),
		f AS (SELECT partition, record_offset, value FROM topic.fetch_text(%1$L)),
		o AS (SELECT * FROM topic.offsets(%1$L))
		SELECT 'SELECT and fetch differ: ' || d FROM
			((TABLE s EXCEPT TABLE f) UNION ALL (TABLE f EXCEPT TABLE s)) d
		UNION ALL SELECT 'outside of the log: ' || s FROM s JOIN o USING (partition)
			WHERE record_offset < log_start_offset OR record_offset >= high_watermark
		UNION ALL SELECT 'offsets: ' || o FROM o
			WHERE log_start_offset > last_stable_offset OR last_stable_offset > high_watermark
		UNION ALL SELECT 'high watermark: ' || o FROM o
			JOIN (SELECT partition, max(record_offset) + 1 AS next FROM s GROUP BY 1) l USING (partition)
			WHERE high_watermark <> next
		UNION ALL SELECT 'by time: ' || o FROM o
			LEFT JOIN (SELECT partition, min(record_offset) AS first FROM s GROUP BY 1) l USING (partition)
			WHERE topic.offset_for_time(%1$L, partition, '-infinity') IS DISTINCT FROM first
		UNION ALL SELECT 'lag: ' || l FROM topic.lag l JOIN o USING (partition)
			WHERE topic = %1$L AND lag <> o.high_watermark - greatest(committed_offset, log_start_offset)
		UNION ALL SELECT 'stats: ' || p FROM topic.partition_stats p JOIN o USING (partition)
			WHERE topic = %1$L AND (p.log_start_offset, p.high_watermark) <> (o.log_start_offset, o.high_watermark)
	$query$, name);
END
$$;

-- By time: whole segments, if the greatest timestamp in them is older.
SELECT topic.create_topic('t', 2, retention => '1 day', merge_small_batches => false);
SELECT topic.produce('t', 'old', partition => 0, record_timestamp => now() - interval '10 days');
SELECT topic.produce('t', 'old', partition => 1, record_timestamp => now() - interval '25 hours');
SELECT topic.roll_segment('t');
SELECT topic.produce('t', 'old', partition => 0, record_timestamp => now() - interval '10 days');
SELECT topic.produce('t', 'not so old', partition => 1, record_timestamp => now() - interval '23 hours');
SELECT topic.produce('t', 'old', partition => 1, record_timestamp => now() - interval '10 days');
SELECT topic.roll_segment('t');
-- the oldest first: this one waits for the one before it
SELECT topic.produce('t', 'old', partition => 0, record_timestamp => now() - interval '10 days');
SELECT topic.roll_segment('t');
-- never the active one
SELECT topic.produce('t', 'old', partition => 0, record_timestamp => now() - interval '10 days');
SELECT segment, base_offsets, state FROM segments;
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT partition, record_offset, value FROM topics.t;
SELECT * FROM topic.offsets('t');
SELECT inconsistencies('t');
SELECT last_step, rolled, settled, frozen, retired, dropped, bytes_dropped > 0 AS bytes_dropped, last_error
	FROM topic.maintenance;
-- The tables of dropped segments are gone, and no other.
SELECT count(*) = (SELECT count(*) FROM topic.segments) AS one_table_each
	FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
-- A shorter time
SELECT topic.alter_topic('t', retention => '22 hours');
CALL maintain();
SELECT segment, state FROM segments;
SELECT partition, record_offset, value FROM topics.t;
-- The active segment is rolled when it is as old as retention; then all goes,
-- and offsets go on.
SELECT grow_older('t', '22 hours');
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT * FROM topic.offsets('t');
SELECT count(*) FROM topics.t;
SELECT inconsistencies('t');
-- An empty segment is not rolled, however old.
SELECT grow_older('t', '10 years');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.produce('t', 'next', partition => p) FROM generate_series(0, 1) p;
SELECT partition, record_offset, value FROM topics.t;
SELECT * FROM topic.offsets('t');
-- segment_age rolls sooner, or later, than retention would.
SELECT topic.alter_topic('t', segment_age => '20 years');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.alter_topic('t', segment_age => '10 years');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.produce('t', 'v', partition => p) FROM generate_series(0, 1) p;
SELECT topic.alter_topic('t', segment_age => '1 hour');
CALL maintain();
SELECT segment, state FROM segments;
SELECT grow_older('t', '59 minutes');
CALL maintain();
SELECT segment, state FROM segments;
SELECT grow_older('t', '1 minute');
CALL maintain();
SELECT segment, state FROM segments;
SELECT inconsistencies('t');
-- Without retention, or with one that never ends, records stay.
SELECT topic.alter_topic('t', reset => '{retention}');
SELECT grow_older('t', '10 years');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.alter_topic('t', retention => '178000000 years');
CALL maintain();
SELECT count(*) FROM topics.t;
-- Segments of records that were all rolled back
BEGIN;
SELECT topic.produce('t', 'undone', partition => 0);
ROLLBACK;
SELECT topic.roll_segment('t');
CALL maintain();
SELECT * FROM topic.offsets('t');
SELECT inconsistencies('t');
SELECT topic.drop_topic('t');

-- By bytes: the oldest segment goes if what is left is still as large.
SELECT topic.create_topic('b', retention_bytes => 200000, merge_small_batches => false);
CREATE FUNCTION fill(bytes int) RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(record_count) FROM topic.produce_batch('b', array_fill(repeat('x', 1000), ARRAY[bytes / 1000]))
$$;
-- segment_bytes is more than retention_bytes, which therefore rolls.
SELECT fill(100000);
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT fill(100000);
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT fill(150000);
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT fill(50000);
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT total_bytes BETWEEN 200000 AND 400000 AS bytes FROM topic.topic_stats;
-- With smaller segments it comes closer.
SELECT topic.alter_topic('b', segment_bytes => 50000);
DO $$ BEGIN
	FOR i IN 1 .. 10 LOOP
		PERFORM fill(50000);
		COMMIT;
		CALL maintain();
	END LOOP;
END $$;
SELECT max(segment) AS last, count(*) FROM segments;
SELECT total_bytes BETWEEN 200000 AND 300000 AS bytes, log_start_offset, high_watermark FROM topic.topic_stats;
SELECT inconsistencies('b');
-- Both limits: each by itself suffices.
SELECT topic.alter_topic('b', retention => '1 ms');
CALL maintain();
SELECT segment - (SELECT min(segment) FROM segments) AS segment, state FROM segments;
SELECT * FROM topic.offsets('b');
SELECT topic.produce('b', 'next');
SELECT topic.drop_topic('b');
DROP FUNCTION fill(int);

-- delete_records moves the start of the log at once.
SELECT topic.create_topic('d', 2, merge_small_batches => false);
SELECT base_offset, record_count FROM generate_series(0, 1) p, LATERAL
	topic.produce_batch('d', ARRAY(SELECT 'v' || i FROM generate_series(0, 9) i), partition => p);
SELECT topic.delete_records('d', 0, 4);
SELECT partition, min(record_offset), count(*) FROM topics.d GROUP BY 1 ORDER BY 1;
SELECT * FROM topic.offsets('d');
SELECT inconsistencies('d');
SELECT value FROM topic.fetch_text('d', 0, 2, 6);
-- It never moves back, and may stand still.
SELECT topic.delete_records('d', 0, 3), topic.delete_records('d', 0, 0), topic.delete_records('d', 0, 4);
SELECT min(record_offset) FROM topics.d WHERE partition = 0;
-- It is undone with its transaction.
BEGIN;
SELECT topic.delete_records('d', 0, 6);
SELECT min(record_offset) FROM topics.d WHERE partition = 0;
SAVEPOINT s;
SELECT topic.delete_records('d', 0, 8);
ROLLBACK TO s;
SELECT min(record_offset) FROM topics.d WHERE partition = 0;
ROLLBACK;
SELECT min(record_offset) FROM topics.d WHERE partition = 0;
-- By default, all that consumers can reach. A segment goes when nothing in it is
-- left in any partition.
SELECT topic.roll_segment('d');
SELECT topic.produce('d', 'new', partition => 1);
SELECT topic.delete_records('d', 0);
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.delete_records('d', 1, 9);
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.delete_records('d', 1, 10);
CALL maintain();
SELECT segment, state FROM segments;
SELECT partition, record_offset, value FROM topics.d;
SELECT * FROM topic.offsets('d');
SELECT log_start_offsets FROM topic.topics;
SELECT inconsistencies('d');
-- also if what follows what was deleted was rolled back
SELECT topic.produce('d', 'a', partition => 0);
BEGIN;
SELECT topic.produce('d', 'undone', partition => 0);
ROLLBACK;
SELECT topic.delete_records('d', p) FROM generate_series(0, 1) p;
SELECT topic.roll_segment('d');
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT * FROM topic.offsets('d');
SELECT topic.produce('d', 'b', partition => p) FROM generate_series(0, 1) p;
SELECT inconsistencies('d');
-- New partitions have a log of their own, from 0 on.
SELECT topic.alter_topic('d', partitions => 4);
SELECT topic.produce('d', 'new', partition => p) FROM generate_series(1, 3) p;
SELECT topic.delete_records('d', 3), topic.delete_records('d', 1, 12);
SELECT * FROM topic.offsets('d');
SELECT inconsistencies('d');
SELECT topic.roll_segment('d');
SELECT topic.alter_topic('d', partitions => 5);
SELECT topic.produce('d', 'new', partition => p) FROM generate_series(2, 4) p;
SELECT topic.delete_records('d', p) FROM generate_series(0, 4) p;
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
SELECT * FROM topic.offsets('d');
SELECT topic.produce('d', 'after', partition => p) FROM generate_series(0, 4) p;
SELECT inconsistencies('d');
-- A record of the transaction itself
BEGIN;
SELECT topic.produce('d', 'own', partition => 0);
SELECT topic.delete_records('d', 0);
SELECT * FROM topic.offsets('d') WHERE partition = 0;
COMMIT;
SELECT * FROM topic.offsets('d') WHERE partition = 0;

-- Its errors
CREATE FUNCTION outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_other;
SELECT command, outcome('SELECT topic.delete_records(' || command || ')') FROM unnest(ARRAY[
	'''d'', 0, 17', '''d'', 0, 9223372036854775807', '''d'', 0, -1', '''d'', 5, 0', '''d'', -1, 0', '''d'', 5',
	'NULL, 0, 0', '''d'', NULL, 0', '''missing'', 0, 0']) command;
SELECT topic.delete_records('d', 0, 17);
BEGIN READ ONLY;
SELECT topic.delete_records('d', 0, 15);
ROLLBACK;
-- The owner alone
ALTER FOREIGN TABLE topics.d OWNER TO regress_topic_owner;
GRANT ALL ON topics.d TO regress_topic_other;
SET ROLE regress_topic_other;
SELECT topic.delete_records('d', 1, 13);
SET ROLE regress_topic_owner;
SELECT topic.delete_records('d', 1);
RESET ROLE;
SELECT topic.drop_topic('d');
DROP ROLE regress_topic_owner, regress_topic_other;

-- A consumer whose position is gone
SELECT topic.create_topic('c', 2, merge_small_batches => false);
CREATE FUNCTION fill() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(topic.produce('c', i::text, partition => p)) FROM generate_series(0, 1) p, generate_series(0, 9) i
$$;
SELECT fill();
SELECT g, topic.commit(g, 'c', p, 3) FROM unnest(ARRAY['earliest', 'latest', 'none', 'rolled back', 'in time']) g,
	generate_series(0, 1) p ORDER BY 1;
SELECT topic.commit('in time', 'c', 0, 5);
SELECT topic.delete_records('c', 0, 5);
SELECT group_id, partition, committed_offset, lag FROM topic.lag ORDER BY 1, 2;
-- earliest goes on at the start of the log, and says so once.
SELECT partition, min(record_offset), count(*) FROM topic.consume('earliest', 'c', commit => true) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM topic.consume('earliest', 'c', commit => true);
SELECT partition, committed_offset FROM topic.committed('earliest', 'c');
-- Once, also if nothing is committed of what it then reads
SELECT topic.delete_records('c', 0);
SELECT fill();
SELECT topic.delete_records('c', 0, 15);
BEGIN;
SELECT min(record_offset) FROM topic.consume('earliest', 'c', 1, ARRAY[0]);
COMMIT;
SELECT min(record_offset) FROM topic.consume('earliest', 'c', 1, ARRAY[0]);
SELECT partition, committed_offset FROM topic.committed('earliest', 'c');
-- but again if its transaction was rolled back
BEGIN;
SELECT min(record_offset) FROM topic.consume('rolled back', 'c', 1, ARRAY[0], commit => true);
ROLLBACK;
SELECT min(record_offset) FROM topic.consume('rolled back', 'c', 1, ARRAY[0], commit => true);
SELECT min(record_offset) FROM topic.consume('rolled back', 'c', 1, ARRAY[0], commit => true);
-- latest goes on at the end of it.
SELECT count(*) FROM topic.consume('latest', 'c', NULL, ARRAY[0], commit => true, offset_reset => 'latest');
SELECT partition, committed_offset FROM topic.committed('latest', 'c');
SELECT count(*) FROM topic.consume('latest', 'c', NULL, ARRAY[1], commit => true, offset_reset => 'latest');
-- none does not go on.
SELECT outcome($$SELECT * FROM topic.consume('none', 'c', partitions => ARRAY[0], offset_reset => 'none')$$);
SELECT * FROM topic.consume('none', 'c', partitions => ARRAY[0], offset_reset => 'none');
SELECT min(record_offset) FROM topic.consume('none', 'c', 1, ARRAY[1], commit => true, offset_reset => 'none');
SELECT partition, committed_offset FROM topic.committed('none', 'c');
SELECT * FROM topic.reset_offsets('none', 'c', 'earliest', partitions => ARRAY[0]);
SELECT min(record_offset) FROM topic.consume('none', 'c', 1, ARRAY[0], commit => true, offset_reset => 'none');
-- A group that has committed nothing skips nothing.
SELECT partition, min(record_offset) FROM topic.consume('new', 'c', NULL, commit => true) GROUP BY 1 ORDER BY 1;
-- A position at the start of the log is no loss, whether a record is there or not.
SELECT topic.commit('in time', 'c', 0, 15);
SELECT min(record_offset) FROM topic.consume('in time', 'c', 1, ARRAY[0], offset_reset => 'none');
SELECT topic.delete_records('c', 0);
SELECT topic.commit('in time', 'c', 0, 20);
SELECT count(*) FROM topic.consume('in time', 'c', 1, ARRAY[0], offset_reset => 'none');
-- Offsets before the start of the log are no targets.
SELECT outcome($$SELECT topic.reset_offsets('g', 'c', to_offset => 19, partitions => ARRAY[0])$$);
SELECT * FROM topic.reset_offsets('g', 'c', to_offset => 20, partitions => ARRAY[0]);
SELECT * FROM topic.reset_offsets('g', 'c', shift_by => -5, partitions => ARRAY[0]);
SELECT * FROM topic.reset_offsets('g', 'c', to_time => '1970-01-01', dry_run => true);
-- In the middle of a transaction: the position moves on over what is deleted.
SELECT fill();
BEGIN;
SELECT record_offset FROM topic.consume('middle', 'c', 1, ARRAY[0]);
SELECT topic.delete_records('c', 0, 25);
SELECT record_offset FROM topic.consume('middle', 'c', 1, ARRAY[0]);
SELECT * FROM topic.commit('middle', 'c');
COMMIT;
SELECT inconsistencies('c');
-- By retention it is the same.
SELECT topic.roll_segment('c');
SELECT topic.produce('c', 'left', partition => p) FROM generate_series(0, 1) p;
SELECT topic.alter_topic('c', retention => '1 ms', segment_age => '1 day');
DO $$ BEGIN PERFORM pg_sleep(0.01); END $$;
CALL maintain();
SELECT segment, state FROM segments;
SELECT record_offset, value FROM topic.consume_text('earliest', 'c', partitions => ARRAY[0], commit => true);
SELECT record_offset, value FROM topic.consume_text('earliest', 'c', partitions => ARRAY[1], commit => true);
SELECT group_id, partition, committed_offset, lag FROM topic.lag WHERE group_id IN ('earliest', 'none') ORDER BY 1, 2;
SELECT inconsistencies('c');
SELECT topic.drop_topic('c');
DROP FUNCTION fill();

-- retain_until_consumed: the groups it names must have consumed all of a
-- segment, before time removes it.
SELECT topic.create_topic('r', 2, retention => '1 hour', retain_until_consumed => '{one,two}', merge_small_batches => false);
SELECT topic.produce('r', 'old', partition => 0, record_timestamp => '2024-01-01') FROM generate_series(1, 3);
SELECT topic.roll_segment('r');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.commit('one', 'r', 0, 3), topic.commit('two', 'r', 0, 2), topic.commit('three', 'r', 0, 0);
CALL maintain();
SELECT segment, state FROM segments;
-- Partition 1 has no records, so nothing to wait for.
SELECT topic.commit('two', 'r', 0, 3);
CALL maintain();
SELECT segment, state FROM segments;
SELECT * FROM topic.offsets('r');
-- Nor is there where records were rolled back, or deleted.
SELECT topic.produce('r', 'old', partition => 0, record_timestamp => '2024-01-01');
BEGIN;
SELECT topic.produce('r', 'undone', partition => 0), topic.produce('r', 'undone', partition => 1);
ROLLBACK;
SELECT topic.produce('r', 'deleted', partition => 1, record_timestamp => '2024-01-01');
SELECT topic.roll_segment('r');
CALL maintain();
SELECT segment, state FROM segments;
SELECT count(*) FROM unnest(ARRAY['one', 'two']) g, topic.consume(g, 'r', partitions => ARRAY[0], commit => true);
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.delete_records('r', 1);
CALL maintain();
SELECT segment, base_offsets, state FROM segments;
-- retention_bytes goes before; a smaller topic is kept.
SELECT topic.produce('r', 'old', partition => 0, record_timestamp => '2024-01-01') FROM generate_series(1, 3);
SELECT topic.roll_segment('r');
SELECT topic.alter_topic('r', retention_bytes => 1000000);
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.alter_topic('r', retention_bytes => 1);
CALL maintain();
SELECT segment, state FROM segments;
-- Groups that never come hold it up until they are named no more.
SELECT topic.alter_topic('r', reset => '{retention_bytes}', retain_until_consumed => '{never}');
SELECT topic.produce('r', 'old', partition => 0, record_timestamp => '2024-01-01');
SELECT topic.roll_segment('r');
CALL maintain();
SELECT segment, state FROM segments;
SELECT topic.alter_topic('r', retain_until_consumed => '{}');
CALL maintain();
SELECT segment, state FROM segments;
SELECT inconsistencies('r');
SELECT topic.drop_topic('r');

DELETE FROM topic.groups;
DROP PROCEDURE maintain();
DROP VIEW segments;
DROP FUNCTION grow_older(text, interval), inconsistencies(text), outcome(text);
