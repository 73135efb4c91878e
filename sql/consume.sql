-- Consuming in a group: what a call returns, and where the next one goes on.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('c', 3);
SELECT base_offset, record_count FROM generate_series(0, 2) p, LATERAL topic.produce_batch('c',
	ARRAY(SELECT format('%s/%s', p, i) FROM generate_series(0, 3) i), partition => p,
	keys => ARRAY(SELECT 'k' || i FROM generate_series(0, 3) i),
	record_timestamps => ARRAY(SELECT timestamptz '2024-01-01' + i * interval '1 s' FROM generate_series(0, 3) i)) b;
CREATE VIEW committed AS
	SELECT group_id, partition, committed_offset FROM topic.consumer_offsets
	WHERE topic = 'c' ORDER BY group_id, partition;

-- The three forms return what their fetch returns.
BEGIN;
SELECT * FROM topic.consume('forms', 'c', 2, ARRAY[0]);
SELECT * FROM topic.consume_text('forms', 'c', 2, ARRAY[1]);
ROLLBACK;
SELECT count(*) FROM (SELECT * FROM topic.fetch('c') EXCEPT SELECT * FROM topic.consume('forms', 'c')) d;
SELECT count(*) FROM (SELECT * FROM topic.fetch_text('c') EXCEPT SELECT * FROM topic.consume_text('forms', 'c')) d;
SELECT topic.create_topic('j', value_format => 'json');
SELECT topic.produce('j', '{"a": 1}', 'k', '{"h": "v"}', record_timestamp => '2024-01-01');
SELECT * FROM topic.consume_json('forms', 'j');

-- A second call of a transaction goes on; partitions it has come first.
BEGIN;
SELECT value FROM topic.consume_text('g', 'c', 2, ARRAY[1]);
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[1]);
SELECT value FROM topic.consume_text('g', 'c', 3) ORDER BY value = '1/3' DESC LIMIT 1;
SELECT count(*) FROM topic.consume('g', 'c');
SELECT count(*) FROM topic.consume('g', 'c');
-- Another group is not concerned.
SELECT count(*) FROM topic.consume('other', 'c');
-- Nothing is committed unless commit is called.
SELECT * FROM committed;
COMMIT;
SELECT * FROM committed;
-- So a new transaction begins where the last committed one did.
SELECT value FROM topic.consume_text('g', 'c', 2, ARRAY[1]);
SELECT value FROM topic.consume_text('g', 'c', 2, ARRAY[1]);

-- commit, in the transaction that consumed
BEGIN;
SELECT value FROM topic.consume_text('g', 'c', 2, ARRAY[1]);
SELECT * FROM topic.commit('g', 'c');
SELECT * FROM topic.commit('g', 'c');
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[1]);
SELECT * FROM topic.commit('g', 'c');
COMMIT;
SELECT * FROM committed;
SELECT value FROM topic.consume_text('g', 'c', partitions => ARRAY[1]);
-- rolled back with it
BEGIN;
SELECT count(*) FROM topic.consume('g', 'c');
SELECT * FROM topic.commit('g', 'c');
ROLLBACK;
SELECT * FROM committed;
-- Consuming nothing is no error, and commits nothing.
BEGIN;
SELECT value FROM topic.consume_text('g', 'c', partitions => ARRAY[1]);
SELECT * FROM topic.commit('g', 'c');
SELECT value FROM topic.consume_text('g', 'c', partitions => ARRAY[1]);
SELECT * FROM topic.commit('g', 'c');
COMMIT;
BEGIN;
SELECT value FROM topic.consume_text('g', 'c', partitions => ARRAY[1]);
SELECT * FROM topic.commit('g', 'c');
COMMIT;
SELECT * FROM committed;

-- commit => true: at most once, or exactly once in one statement.
SELECT value FROM topic.consume_text('once', 'c', 3, ARRAY[2], commit => true);
SELECT value FROM topic.consume_text('once', 'c', 3, ARRAY[2], commit => true);
SELECT value FROM topic.consume_text('once', 'c', 3, ARRAY[2], commit => true);
CREATE TABLE sink (partition int, record_offset bigint, value text);
INSERT INTO sink SELECT partition, record_offset, value FROM topic.consume_text('pipeline', 'c', 5, commit => true);
INSERT INTO sink SELECT partition, record_offset, value FROM topic.consume_text('pipeline', 'c', 5, commit => true);
INSERT INTO sink SELECT partition, record_offset, value FROM topic.consume_text('pipeline', 'c', 5, commit => true);
INSERT INTO sink SELECT partition, record_offset, value FROM topic.consume_text('pipeline', 'c', 5, commit => true);
SELECT partition, array_agg(record_offset ORDER BY record_offset) AS offsets FROM sink GROUP BY 1 ORDER BY 1;
SELECT * FROM committed;
-- A statement that fails takes its commit back.
INSERT INTO sink SELECT 1 / (record_offset - 2), record_offset, value
	FROM topic.consume_text('failing', 'c', commit => true);
SELECT * FROM committed WHERE group_id = 'failing';
-- Kafka to Kafka
SELECT topic.create_topic('out');
SELECT count(topic.produce('out', upper(value), key)) FROM topic.consume_text('copy', 'c', commit => true);
SELECT count(topic.produce('out', upper(value), key)) FROM topic.consume_text('copy', 'c', commit => true);
SELECT count(*) FROM topics.out;

-- partitions and max_partitions
BEGIN;
SELECT DISTINCT partition FROM topic.consume('p', 'c', partitions => ARRAY[0, 2, 0]) ORDER BY 1;
SELECT DISTINCT partition FROM topic.consume('p', 'c') ORDER BY 1;
ROLLBACK;
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_partitions => 1);
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_partitions => 2);
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_partitions => 9);
BEGIN;
SELECT count(*) FROM topic.consume('p', 'c', 1, max_partitions => 1);
SELECT count(*) FROM topic.consume('p', 'c', max_partitions => 1);
SELECT count(*) FROM topic.consume('p', 'c', max_partitions => 1);
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_partitions => 2);
ROLLBACK;
-- A call claims no further partition once it has its records.
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_records => 4);
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_records => 5);
SELECT count(DISTINCT partition), count(*) FROM topic.consume('p', 'c', max_records => 1);
BEGIN;
SELECT count(*) FROM topic.consume('p', 'c', max_records => 2);
SELECT count(*) FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
SELECT count(*) FROM topic.consume('p', 'c', max_records => 2147483647);
SELECT count(*) FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
COMMIT;
-- What gave nothing is not held.
SELECT topic.create_topic('idle', 5);
BEGIN;
SELECT count(*) FROM topic.consume('p', 'idle');
SELECT count(*) FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
COMMIT;

-- offset_reset, where nothing is committed
SELECT count(*) FROM topic.consume('early', 'c', offset_reset => 'earliest');
SELECT * FROM topic.consume('none', 'c', partitions => ARRAY[1], offset_reset => 'none');
-- latest: what it means is stored at once, also without commit
SELECT count(*) FROM topic.consume('late', 'c', offset_reset => 'latest');
SELECT * FROM committed WHERE group_id = 'late';
SELECT topic.produce('c', 'new', partition => 0);
SELECT value FROM topic.consume_text('late', 'c', offset_reset => 'latest');
SELECT value FROM topic.consume_text('late', 'c', offset_reset => 'earliest');
SELECT value FROM topic.consume_text('late', 'c', offset_reset => 'none');
-- and taken back with its transaction
BEGIN;
SELECT count(*) FROM topic.consume('late again', 'c', offset_reset => 'latest');
ROLLBACK;
SELECT count(*) FROM committed WHERE group_id = 'late again';

-- One's own records of the same transaction
BEGIN;
SELECT topic.produce('idle', 'own', partition => 3);
SELECT partition, record_offset, value FROM topic.consume_text('own', 'idle');
SELECT * FROM topic.commit('own', 'idle');
SELECT topic.produce('idle', 'own too', partition => 3);
SELECT partition, record_offset, value FROM topic.consume_text('own', 'idle', commit => true);
COMMIT;
SELECT partition, committed_offset FROM topic.committed('own', 'idle');

-- Group names
BEGIN;
SELECT count(*) FROM topic.consume('a group with spaces, "quotes" & ''more''', 'j');
SELECT count(*) FROM topic.consume(repeat('g', 255), 'j');
ROLLBACK;
-- Nowhere but in FROM
SELECT topic.consume('g', 'c');
SELECT (topic.consume_text('g', 'c')).value;
SELECT topic.consume_json('g', 'j') LIMIT 1;
SELECT 1 WHERE EXISTS (SELECT topic.consume('g', 'c'));
DO $$ BEGIN PERFORM topic.consume('g', 'c'); END $$;
SELECT count(*) FROM (SELECT 1 FROM topic.consume('g', 'c') LIMIT 1) t;
-- Not in a read-only transaction
BEGIN READ ONLY;
SELECT * FROM topic.consume('g', 'c');
ROLLBACK;

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
DROP VIEW committed;
DROP TABLE sink;
SELECT count(*) FROM topic.consumer_offsets;
