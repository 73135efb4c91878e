-- send: records that are appended when the transaction commits
SET TimeZone = 'UTC';
SELECT topic.create_topic('sent', partitions => 2);
-- Those of the transaction that runs, not in parallel
CREATE FUNCTION temporary_files() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pg_ls_tmpdir()
$$;

-- Every overload resolves as produce's does.
SELECT topic.send('sent', 'text');
SELECT topic.send('sent', NULL);
SELECT topic.send('sent', 'text', 'key', '{"h": 1}', 1, '2024-01-02');
SELECT topic.send('sent', value => 'named', key => 7, partition => 1);
SELECT topic.send('sent', '{"a": 1}'::jsonb, 'key'::bytea);
SELECT topic.send('sent', '{"a":  1}'::json, '00000000-0000-0000-0000-000000000001'::uuid);
SELECT topic.send('sent', 'bytea'::bytea, 1::bigint, partition => 0);
PREPARE send AS SELECT topic.send('sent', $1, $2);
EXECUTE send('prepared', 'key');
SELECT key, value, headers FROM topics.sent ORDER BY value COLLATE "C", key COLLATE "C";
SELECT record_timestamp FROM topics.sent WHERE headers IS NOT NULL;
SELECT count(*) AS overloads FROM pg_proc s
	WHERE pronamespace = 'topic'::regnamespace AND proname = 'send';
-- Each is one of produce's, without what makes that idempotent.
SELECT pg_get_function_arguments(oid) FROM pg_proc
	WHERE pronamespace = 'topic'::regnamespace AND proname = 'send'
EXCEPT
SELECT split_part(pg_get_function_arguments(oid), ', producer_id', 1) FROM pg_proc
	WHERE pronamespace = 'topic'::regnamespace AND proname = 'produce';

-- In the log from the commit on; then in the order of the calls, in full
-- batches.
SELECT topic.drop_topic('sent');
SELECT topic.create_topic('sent', partitions => 2);
CREATE VIEW sent AS
	SELECT partition, record_offset, key, value, headers FROM topics.sent;
BEGIN;
SELECT topic.send('sent', 'a', partition => 1);
SELECT count(*) FROM topics.sent;
SELECT topic.produce('sent', 'produced', partition => 1);
SELECT topic.send('sent', 'b', partition => 1);
SELECT value FROM sent;
SELECT high_watermark FROM topic.offsets('sent');
COMMIT;
TABLE sent;
-- Not at all if it is rolled back
BEGIN;
SELECT topic.send('sent', 'never');
ROLLBACK;
TABLE sent;
-- Without a key, records of a transaction go to one partition.
BEGIN;
SELECT count(topic.send('sent', 'v' || i)) FROM generate_series(1, 1000) i;
COMMIT;
SELECT count(DISTINCT partition) AS partitions, count(*) AS records,
	bool_and(value = 'v' || number) AS in_order
	FROM (SELECT *, row_number() OVER (ORDER BY partition, record_offset) AS number
		FROM sent WHERE value LIKE 'v%') s;
SELECT format('topic_log.segment_%s_0', topic_id) AS segment
	FROM topic.topics WHERE topic = 'sent' \gset
SELECT count(*) AS batches FROM :segment WHERE record_count > 1;

-- Savepoints
SELECT topic.create_topic('saved');
CREATE VIEW saved AS
	SELECT string_agg(value, ' ' ORDER BY record_offset) AS records FROM topics.saved;
BEGIN;
SELECT topic.send('saved', '1');
SAVEPOINT a;
SELECT topic.send('saved', 'no');
ROLLBACK TO a;
SELECT topic.send('saved', '2');
SAVEPOINT b;
SELECT topic.send('saved', '3');
SAVEPOINT c;
SELECT topic.send('saved', 'no');
SAVEPOINT d;
SELECT topic.send('saved', 'no');
RELEASE d;
ROLLBACK TO c;
SELECT topic.send('saved', '4');
RELEASE c;
RELEASE b;
SELECT topic.send('saved', '5');
COMMIT;
TABLE saved;
-- What a savepoint kept goes with the one around it.
BEGIN;
SELECT topic.send('saved', '6');
SAVEPOINT a;
SAVEPOINT b;
SAVEPOINT c;
SELECT topic.send('saved', 'no');
RELEASE c;
SELECT topic.send('saved', 'no');
RELEASE b;
ROLLBACK TO a;
SAVEPOINT b;
SELECT topic.send('saved', '7');
RELEASE b;
SAVEPOINT b;
SELECT topic.send('saved', 'no');
ROLLBACK TO b;
RELEASE a;
COMMIT;
TABLE saved;
-- Nothing but a savepoint that is rolled back
BEGIN;
SAVEPOINT a;
SELECT topic.send('saved', 'no');
ROLLBACK TO a;
COMMIT;
BEGIN;
SAVEPOINT a;
SELECT topic.create_topic('short_lived');
SELECT topic.send('short_lived', 'no');
ROLLBACK TO a;
SELECT topic.send('saved', '8');
COMMIT;
TABLE saved;
-- A statement that fails ends the transaction.
BEGIN;
SELECT topic.send('saved', 'no');
SELECT 1 / 0;
COMMIT;
TABLE saved;

-- Exceptions in PL/pgSQL
DO $$
BEGIN
	FOR i IN 1..6 LOOP
		BEGIN
			PERFORM topic.send('saved', 'e' || i);
			IF i % 2 = 0 THEN
				RAISE EXCEPTION 'even';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			PERFORM topic.send('saved', 'caught');
		END;
	END LOOP;
END $$;
TABLE saved;
-- A procedure that commits
DO $$
BEGIN
	FOR i IN 1..4 LOOP
		PERFORM topic.send('saved', 'c' || i);
		IF i % 2 = 0 THEN
			ROLLBACK;
		ELSE
			COMMIT;
		END IF;
	END LOOP;
END $$;
TABLE saved;

-- Random savepoints over several topics, against a table that goes through
-- the same
SELECT topic.create_topic('random' || i, partitions => i) FROM generate_series(1, 3) i;
CREATE TABLE model (id int GENERATED ALWAYS AS IDENTITY, topic text, value text);
CREATE PROCEDURE act(depth int) LANGUAGE plpgsql AS $$
DECLARE
	number int := (random() * 2)::int + 1;
	contents text := repeat(md5(random()::text), (random() * 20)::int);
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM topic.send('random' || number, contents || i, partition => 0);
		INSERT INTO model (topic, value) VALUES ('random' || number, contents || i);
		IF depth > 0 THEN
			BEGIN
				CALL act(depth - 1);
				IF random() < 0.4 THEN
					RAISE EXCEPTION 'undo';
				END IF;
			EXCEPTION WHEN raise_exception THEN
			END;
		END IF;
	END LOOP;
END
$$;
CREATE VIEW differences AS
	(SELECT 'random1' AS topic, value, row_number() OVER (ORDER BY record_offset) FROM topics.random1
	UNION ALL SELECT 'random2', value, row_number() OVER (ORDER BY record_offset) FROM topics.random2
	UNION ALL SELECT 'random3', value, row_number() OVER (ORDER BY record_offset) FROM topics.random3)
	EXCEPT ALL
	SELECT topic, value, row_number() OVER (PARTITION BY topic ORDER BY id) FROM model;
CREATE VIEW same_count AS
	SELECT (SELECT count(*) FROM model) =
		(SELECT sum(high_watermark)
		FROM generate_series(1, 3) i, topic.offsets('random' || i)) AS same_count;
BEGIN;
CALL act(4);
COMMIT;
TABLE differences;
TABLE same_count;
SET pg_topic.send_buffer = 64;
BEGIN;
CALL act(5);
CALL act(5);
COMMIT;
TABLE differences;
TABLE same_count;

-- Beyond pg_topic.send_buffer, temporary files
\set VERBOSITY sqlstate
SET pg_topic.send_buffer = 1;
\set VERBOSITY default
SET pg_topic.send_buffer = '64kB';
SHOW pg_topic.send_buffer;
SELECT topic.create_topic('big', partitions => 3), topic.create_topic('small');
SELECT temporary_files();
BEGIN;
SELECT count(topic.send('big', i || repeat('x', 1000), key => i)) FROM generate_series(1, 500) i;
SELECT count(topic.send('small', 's' || i)) FROM generate_series(1, 10) i;
SELECT temporary_files();
-- In a savepoint, which ends before the file is needed no more
SAVEPOINT a;
SELECT count(topic.send('small', repeat('s', 10000) || i)) FROM generate_series(11, 20) i;
SELECT count(topic.send('big', i || repeat('x', 1000), key => i)) FROM generate_series(501, 600) i;
RELEASE a;
SAVEPOINT b;
SELECT count(topic.send('small', repeat('no', 10000))) FROM generate_series(1, 20) i;
SELECT count(topic.send('big', 'no')) FROM generate_series(1, 10000) i;
ROLLBACK TO b;
SELECT count(topic.send('small', 's' || i)) FROM generate_series(21, 30) i;
-- Larger than the buffer
SELECT topic.send('small', repeat('l', 200000), headers => jsonb_build_object('h', repeat('h', 100000), 'n', NULL));
SELECT topic.send('small', 'the last');
SELECT temporary_files();
COMMIT;
SELECT temporary_files();
SELECT count(*), count(DISTINCT key), bool_and(value = key || repeat('x', 1000)) FROM topics.big;
SELECT record_offset, left(value, 1), length(value), length(headers->0->>1) AS header, headers->1
	FROM topics.small WHERE record_offset > 7;
-- Files go with a rollback, too.
BEGIN;
SELECT count(topic.send('big', repeat('x', 1000))) FROM generate_series(1, 500) i;
SELECT temporary_files();
ROLLBACK;
SELECT temporary_files();
BEGIN;
SAVEPOINT a;
SELECT count(topic.send('big', repeat('x', 1000))) FROM generate_series(1, 500) i;
ROLLBACK TO a;
SELECT count(topic.send('big', 'y')) FROM generate_series(1, 1000) i;
COMMIT;
SELECT temporary_files();
SELECT count(*), count(*) FILTER (WHERE value = 'y') FROM topics.big;
SET temp_file_limit = '100kB';
\set VERBOSITY sqlstate
SELECT count(topic.send('big', repeat('x', 1000))) FROM generate_series(1, 500) i;
\set VERBOSITY default
SELECT temporary_files();
-- An error in the middle of writing a file leaves the queue as it was.
SET pg_topic.send_buffer = '1MB';
SET temp_file_limit = '600kB';
SELECT topic.create_topic('limited');
DO $$
BEGIN
	PERFORM topic.send('limited', i || repeat('kept', 1000)) FROM generate_series(1, 175) i;
	FOR i IN 1..3 LOOP
		BEGIN
			PERFORM topic.send('limited', repeat('no', 10000)) FROM generate_series(1, 100);
		EXCEPTION WHEN configuration_limit_exceeded THEN
			PERFORM topic.send('limited', 'caught ' || i);
		END;
	END LOOP;
END $$;
SELECT count(*), bool_and(value = record_offset + 1 || repeat('kept', 1000))
	FROM topics.limited WHERE record_offset < 175;
SELECT value FROM topics.limited OFFSET 175;
RESET temp_file_limit;
RESET pg_topic.send_buffer;

-- Deferred triggers send at COMMIT, before it is too late.
CREATE TABLE customer (id int);
CREATE FUNCTION send_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM topic.send('saved', 'customer ' || NEW.id);
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER send_customer AFTER INSERT ON customer
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION send_customer();
BEGIN;
INSERT INTO customer VALUES (1), (2);
SELECT topic.send('saved', 'sent');
COMMIT;
SELECT right(records, 26) FROM saved;
INSERT INTO customer VALUES (3);
SELECT right(records, 10) FROM saved;
-- Cursors; one with hold runs at COMMIT.
BEGIN;
DECLARE cursor CURSOR FOR SELECT topic.send('saved', 'row ' || i) FROM generate_series(1, 3) i;
FETCH 2 FROM cursor;
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT topic.send('saved', 'held ' || i) FROM generate_series(1, 2) i;
COMMIT;
CLOSE held;
SELECT right(records, 25) FROM saved;

-- A switch of segments in the same transaction follows the records.
BEGIN;
SELECT topic.send('small', 'before the switch');
SELECT topic.roll_segment('small');
SELECT topic.send('small', 'also');
COMMIT;
SELECT base_offsets, (SELECT high_watermark FROM topic.offsets('small'))
	FROM topic.segments JOIN topic.topics USING (topic_id)
	WHERE topic = 'small' ORDER BY segment DESC LIMIT 1;

-- The topic as it is at COMMIT
BEGIN;
SELECT topic.send('saved', 'lost');
SELECT topic.drop_topic('small');
SELECT topic.send('small', 'too late');
COMMIT;
BEGIN;
SELECT topic.send('saved', 'lost');
SELECT topic.send('small', 'lost');
SELECT topic.drop_topic('small');
COMMIT;
SELECT count(*) FROM topic.topics WHERE topic = 'small';
BEGIN;
SELECT topic.send('small', 'lost');
SELECT topic.drop_topic('small');
SELECT topic.create_topic('small');
COMMIT;
-- but not if what was sent is taken back
BEGIN;
SAVEPOINT a;
SELECT topic.send('small', 'lost');
ROLLBACK TO a;
SELECT topic.drop_topic('small');
COMMIT;
SELECT topic.create_topic('small', max_record_bytes => 100);
BEGIN;
SELECT topic.send('small', repeat('x', 100));
SELECT topic.send('saved', 'lost');
SELECT topic.alter_topic('small', max_record_bytes => 99);
COMMIT;
BEGIN;
SELECT topic.send('small', 'no key');
SELECT topic.alter_topic('small', cleanup_policy => 'compact');
COMMIT;
BEGIN;
SELECT topic.send('small', 'v' || i, key => i) FROM generate_series(1, 20) i LIMIT 1;
SELECT count(topic.send('small', 'v' || i, key => i)) FROM generate_series(2, 20) i;
SET LOCAL client_min_messages = warning;
SELECT topic.alter_topic('small', partitions => 5, compression => 'zstd',
	timestamp_type => 'LogAppendTime');
COMMIT;
SELECT count(*), bool_and(partition = topic.partition_for_key('small', key))
	FROM topics.small;
SELECT right(records, 10) FROM saved;

-- CreateTime is the time of the call, LogAppendTime that of the commit.
SELECT topic.create_topic('append_time', timestamp_type => 'LogAppendTime');
BEGIN;
SELECT topic.send('saved', 'timed'), topic.send('append_time', 'timed', record_timestamp => '2024-01-01');
SELECT clock_timestamp() AS between_them, pg_sleep(0.01) \gset
COMMIT;
SELECT record_timestamp < :'between_them' FROM topics.saved WHERE value = 'timed';
SELECT record_timestamp >= :'between_them' FROM topics.append_time;

-- What is refused is refused at the call.
SELECT topic.send('nowhere', 'v');
SELECT topic.send(NULL, 'v');
SELECT topic.send('sent', 'v', partition => 2);
SELECT topic.send('sent', 'v', partition => -1);
SELECT topic.send('sent', repeat('x', 2000000));
SELECT topic.send('sent', 'v', headers => '3');
SELECT topic.send('sent', '\xff'::bytea);
SELECT topic.send('sent', 'v', record_timestamp => 'infinity');
SELECT topic.create_topic('json', value_format => 'json');
\set VERBOSITY sqlstate
SELECT topic.send('json', '{');
\set VERBOSITY default
SELECT topic.create_topic('keyed', cleanup_policy => 'compact');
SELECT topic.send('keyed', 'v');
BEGIN READ ONLY;
SELECT topic.send('sent', 'v');
ROLLBACK;
-- A transaction that becomes read only still commits what it has sent.
BEGIN;
SELECT topic.send('saved', 'then read only');
SET TRANSACTION READ ONLY;
COMMIT;
SELECT right(records, 14) FROM saved;
-- A parallel worker's queue would be nobody's.
CREATE FUNCTION send_in_parallel(value text) RETURNS void
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT topic.send('saved', value) $$;
CREATE TABLE numbers AS SELECT i FROM generate_series(1, 1000) i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\set VERBOSITY terse
SELECT count(send_in_parallel('parallel')) FROM numbers;
\set VERBOSITY default
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Under the snapshot of a REPEATABLE READ or SERIALIZABLE transaction
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT topic.send('saved', 'repeatable');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT topic.send('saved', 'serializable');
COMMIT;
SELECT right(records, 23) FROM saved;

-- The extension dropped in the transaction
BEGIN;
SELECT topic.send('saved', 'lost');
SET LOCAL client_min_messages = warning;
DROP EXTENSION pg_topic CASCADE;
COMMIT;
SELECT right(records, 23) FROM saved;

-- Many topics
SELECT count(topic.create_topic('many' || i)) FROM generate_series(1, 50) i;
SET pg_topic.send_buffer = 64;
BEGIN;
SELECT count(topic.send('many' || 1 + i % 50, 'v' || i)) FROM generate_series(0, 9999) i;
COMMIT;
SELECT temporary_files();
SELECT sum(high_watermark), min(high_watermark), max(high_watermark)
	FROM generate_series(1, 50) i, topic.offsets('many' || i);

SET client_min_messages = warning;
DROP VIEW sent, saved, differences, same_count;
SELECT count(topic.drop_topic(topic)) > 0 AS dropped FROM topic.topics;
DROP PROCEDURE act;
DROP FUNCTION temporary_files, send_customer CASCADE;
DROP FUNCTION send_in_parallel;
DROP TABLE model, customer, numbers;
