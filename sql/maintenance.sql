-- topic.maintain(): what it does, for whom, where it may be called; what the
-- views say of it; and the options that it goes by.
CREATE FUNCTION outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
-- Maintenance, until nothing is due: autovacuum's snapshot may hold up a step.
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

-- Messages show the numbers of topics.
ALTER SEQUENCE topic.topics_topic_id_seq RESTART 5000;

-- Options: what they may be, what they are by default and after a reset
SELECT topic.create_topic('o');
CREATE VIEW options AS SELECT tombstone_retention, min_compaction_lag, merge_small_batches, retain_until_consumed
	FROM topic.topics WHERE topic = 'o';
TABLE options;
SELECT topic.alter_topic('o', tombstone_retention => '0', min_compaction_lag => '1 hour', merge_small_batches => false,
	retain_until_consumed => '{a,b}');
TABLE options;
SELECT topic.alter_topic('o', tombstone_retention => '1 month', retain_until_consumed => '{}');
TABLE options;
SELECT topic.alter_topic('o');
TABLE options;
SELECT topic.alter_topic('o', min_compaction_lag => '1 day', reset => '{tombstone_retention,merge_small_batches}');
TABLE options;
SELECT topic.alter_topic('o', reset => '{min_compaction_lag,retain_until_consumed}');
TABLE options;
SELECT command, outcome('SELECT topic.' || command) FROM unnest(ARRAY[
	'alter_topic(''o'', tombstone_retention => ''-1 s'')',
	'alter_topic(''o'', min_compaction_lag => ''-1 day'')',
	'alter_topic(''o'', retention => ''-1 day'')',
	'alter_topic(''o'', retention => ''0'')',
	'alter_topic(''o'', segment_age => ''0'')',
	'alter_topic(''o'', retention_bytes => 0)',
	'alter_topic(''o'', segment_bytes => -1)',
	'alter_topic(''o'', retain_until_consumed => ''{g,NULL}'')',
	'alter_topic(''o'', retain_until_consumed => ARRAY[''''])',
	'alter_topic(''o'', retain_until_consumed => ARRAY[repeat(''g'', 256)])',
	'alter_topic(''o'', merge_small_batches => true, reset => ''{merge_small_batches}'')',
	'create_topic(''new'', tombstone_retention => NULL)',
	'create_topic(''new'', min_compaction_lag => NULL)',
	'create_topic(''new'', merge_small_batches => NULL)',
	'create_topic(''new'', segment_bytes => NULL)',
	'create_topic(''new'', retain_until_consumed => ''{NULL}'')',
	'create_topic(''new'', tombstone_retention => ''-1 s'')']) command;
TABLE options;
DROP VIEW options;
SELECT topic.drop_topic('o');

-- It commits between its steps, so it must be called by itself.
BEGIN;
CALL topic.maintain();
ROLLBACK;
CREATE FUNCTION maintain_in_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL topic.maintain(); END $$;
SELECT outcome('CALL topic.maintain()'), outcome('SELECT maintain_in_function()');
SELECT maintain_in_function();
DROP FUNCTION maintain_in_function();
SELECT topic.create_topic('t', 2, segment_bytes => 1, merge_small_batches => false);
SELECT topic.produce('t', 'v', partition => p) FROM generate_series(0, 1) p;
DO $$ BEGIN CALL topic.maintain(); END $$;
SELECT rolled FROM topic.maintenance;
SELECT topic.produce('t', 'v', partition => 0);
CALL maintain();
SELECT rolled FROM topic.maintenance;
SET default_transaction_read_only = on;
CALL topic.maintain();
RESET default_transaction_read_only;
-- At any isolation level
SELECT topic.produce('t', 'v', partition => 0);
SET default_transaction_isolation = 'repeatable read';
CALL topic.maintain();
SET default_transaction_isolation = 'serializable';
SELECT topic.produce('t', 'v', partition => 0);
CALL topic.maintain();
RESET default_transaction_isolation;
SELECT rolled FROM topic.maintenance;
-- A limit of the caller's time ends it, and the session goes on: here a step takes
-- its time.
SELECT topic.produce('t', 'v', partition => 0);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(100); RETURN NEW; END $$;
CREATE TRIGGER wait BEFORE INSERT ON topic.maintenance_totals FOR EACH ROW EXECUTE FUNCTION wait();
SET statement_timeout = '200ms';
\set VERBOSITY terse
CALL topic.maintain();
\set VERBOSITY default
RESET statement_timeout;
SELECT rolled, last_error FROM topic.maintenance;
DROP TRIGGER wait ON topic.maintenance_totals;
DROP FUNCTION wait();
CALL maintain();
SELECT rolled, settled, frozen, due FROM topic.maintenance;

-- What it does, one step after the other: rows of the view
SELECT topic.drop_topic('t');
SELECT topic.create_topic('t', 2, merge_small_batches => false);
SELECT topic.create_topic('idle', merge_small_batches => false);
SELECT topic, last_step, last_step_at, rolled, settled, frozen, retired, dropped, bytes_dropped, last_error, last_error_at,
	due, held_up, held_up_by
FROM topic.maintenance ORDER BY topic;
SELECT * FROM topic.maintenance_due('t');
SELECT topic.produce('t', repeat('x', 10000), partition => 0, record_timestamp => '2024-01-01');
SELECT topic.alter_topic('t', segment_bytes => 1);
SELECT step, segment, waits_for_xid, blocked_by FROM topic.maintenance_due('t');
SELECT due, held_up, held_up_by FROM topic.maintenance WHERE topic = 't';
SELECT topic.roll_segment('t');
SELECT step, segment, waits_for_xid, blocked_by FROM topic.maintenance_due('t');
CALL maintain();
SELECT step FROM topic.maintenance_due('t');
SELECT last_step, last_step_at BETWEEN now() - interval '1 minute' AND now() AS recent,
	rolled, settled, frozen, retired, dropped, bytes_dropped, last_error, last_error_at
FROM topic.maintenance WHERE topic = 't';
SELECT segment, sealed_at >= s.created_at AS sealed, settled_at >= sealed_at AS settled, frozen_at >= settled_at AS frozen,
	rows, batch_bytes[1] > 10000 AS batch_bytes, batch_bytes[2] AS none, record_counts,
	raw_bytes = batch_bytes AS not_compressed, max_timestamps
FROM topic.segments s JOIN topic.topics USING (topic_id) WHERE topic = 't' ORDER BY segment;
SELECT topic.alter_topic('t', retention => '1 day');
SELECT step, segment FROM topic.maintenance_due('t');
CALL maintain();
SELECT last_step, rolled, settled, frozen, retired, dropped, bytes_dropped > 10000 AS bytes_dropped,
	last_error, due, held_up, held_up_by
FROM topic.maintenance WHERE topic = 't';
-- A transaction that produced to a segment must end before it is settled.
SELECT topic.alter_topic('t', reset => '{retention}', segment_bytes => 1000000);
BEGIN;
SELECT topic.produce('t', 'own', partition => 0);
SELECT topic.roll_segment('t');
SELECT step FROM topic.maintenance_due('t');
COMMIT;
SELECT step FROM topic.maintenance_due('t');
CALL maintain();

-- partition_stats and topic_stats: what is there
SET TimeZone = 'UTC';
SELECT topic.create_topic('s', 3, merge_small_batches => false);
SELECT partition, records, batch_bytes, raw_bytes, compression_ratio, oldest_timestamp, newest_timestamp,
	log_start_offset, last_stable_offset, high_watermark
FROM topic.partition_stats WHERE topic = 's' ORDER BY 1;
SELECT topic.produce('s', i::text, partition => 0, record_timestamp => '2024-01-01'::timestamptz + i * interval '1 day')
	FROM generate_series(1, 4) i;
SELECT base_offset FROM topic.produce_batch('s', array_fill(repeat('x', 100), ARRAY[1000]), partition => 1,
	record_timestamps => array_fill('2024-02-01'::timestamptz, ARRAY[1000]));
BEGIN;
SELECT topic.produce('s', 'undone', partition => 0, record_timestamp => '2100-01-01');
ROLLBACK;
CREATE VIEW stats AS
SELECT partition, records, batch_bytes BETWEEN records AND 150 * records AS batch_bytes, raw_bytes = batch_bytes AS not_compressed,
	compression_ratio, oldest_timestamp, newest_timestamp, log_start_offset, last_stable_offset, high_watermark
FROM topic.partition_stats WHERE topic = 's' ORDER BY 1;
TABLE stats;
-- Counted ones and those that are not, together; the same before and after
SELECT topic.roll_segment('s');
SELECT topic.produce('s', 'late', partition => 0, record_timestamp => '2024-01-02');
TABLE stats;
CALL maintain();
TABLE stats;
SELECT topic, partitions, records, segments, total_bytes > batch_bytes AS total_bytes, batch_bytes > 100000 AS batch_bytes,
	raw_bytes = batch_bytes AS not_compressed, compression_ratio, oldest_timestamp, newest_timestamp,
	log_start_offset, last_stable_offset, high_watermark
FROM topic.topic_stats WHERE topic IN ('s', 'idle') ORDER BY topic;
-- What delete_records has deleted counts until its segment goes.
SELECT topic.delete_records('s', 0, 2), topic.delete_records('s', 1, 10);
TABLE stats;
SELECT topic.delete_records('s', 0, 4), topic.delete_records('s', 1);
CALL maintain();
TABLE stats;
SELECT records, segments, log_start_offset, high_watermark FROM topic.topic_stats WHERE topic = 's';
DROP VIEW stats;

-- For whom: the topics that the caller owns
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_other;
ALTER FOREIGN TABLE topics.t OWNER TO regress_topic_owner;
GRANT ALL ON topics.s TO regress_topic_owner;
SELECT topic.alter_topic(t, segment_bytes => 1) FROM unnest(ARRAY['s', 't']) t;
SELECT topic.produce(t, 'v', partition => 0) FROM unnest(ARRAY['s', 't']) t;
SELECT topic, due FROM topic.maintenance ORDER BY 1;
SET ROLE regress_topic_other;
CALL topic.maintain();
SELECT count(*) FROM topic.maintenance;
SELECT count(*) FROM topic.partition_stats;
SELECT * FROM topic.maintenance_due('t');
SELECT * FROM topic.partition_sizes('t');
SELECT * FROM topic.maintenance_totals;
SET ROLE regress_topic_owner;
SELECT topic, due FROM topic.maintenance ORDER BY 1;
CALL topic.maintain();
SELECT topic, due FROM topic.maintenance WHERE NOT due <@ '{freeze,drop}' ORDER BY 1;
RESET ROLE;
CALL maintain();
SELECT topic, due FROM topic.maintenance ORDER BY 1;

-- An error in one topic does not stop the others, is told, and remembered.
SELECT format('topic_log.segment_%s_%s', topic_id, max(segment)) AS segment
	FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 's' GROUP BY topic_id \gset
SELECT topic.alter_topic('idle', segment_bytes => 1);
SELECT topic.produce(t, 'v', partition => 0) FROM unnest(ARRAY['idle', 's', 's', 't']) t;
SELECT topic.produce('s', 'v', partition => 1);
-- one that the switch of segments meets, with other partitions' locks in hand
CREATE TABLE intact AS TABLE :segment;
CREATE TABLE damaged AS TABLE :segment;
UPDATE damaged SET last_offset = -1 WHERE partition = 1;
TRUNCATE :segment;
INSERT INTO :segment TABLE damaged;
CALL topic.maintain();
SELECT topic, rolled, due, last_error,
	last_error_at BETWEEN now() - interval '1 minute' AND now() AS recent
FROM topic.maintenance ORDER BY 1;
-- once more: the others still are maintained
SELECT topic.produce('t', 'v', partition => 0);
CALL topic.maintain();
SELECT topic, rolled FROM topic.maintenance ORDER BY 1;
-- and one in a sealed segment
TRUNCATE :segment;
INSERT INTO :segment TABLE intact;
SELECT topic.roll_segment('s');
TRUNCATE :segment;
INSERT INTO :segment TABLE damaged;
SELECT topic.produce('t', 'v', partition => 0);
CALL topic.maintain();
SELECT topic, rolled FROM topic.maintenance ORDER BY 1;
TRUNCATE :segment;
INSERT INTO :segment TABLE intact;
CALL maintain();
SELECT topic, due, last_step, last_error IS NOT NULL AS last_error FROM topic.maintenance ORDER BY 1;
DROP TABLE intact, damaged;

-- A segment whose table is gone is passed over; when it is retired, its row goes.
SELECT topic.produce('idle', 'v');
SELECT topic.roll_segment('idle');
CALL maintain();
SELECT topic.produce('idle', 'v');
SELECT format('topic_log.segment_%s_%s', topic_id, min(segment)) AS segment
	FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'idle' GROUP BY topic_id \gset
DROP TABLE :segment;
CALL maintain();
SELECT last_step, due, last_error FROM topic.maintenance WHERE topic = 'idle';
SELECT topic.alter_topic('idle', retention => '1 ms');
DO $$ BEGIN PERFORM pg_sleep(0.01); END $$;
CALL maintain();
SELECT last_step, due, last_error FROM topic.maintenance WHERE topic = 'idle';
SELECT count(*) FROM topics.idle;

-- Nothing is left of a topic's numbers when it is dropped.
SELECT topic.drop_topic(topic) FROM topic.topics ORDER BY topic;
SELECT count(*) FROM topic.maintenance_totals;
CALL topic.maintain();

DROP ROLE regress_topic_owner, regress_topic_other;
DROP PROCEDURE maintain();
DROP FUNCTION outcome(text);
