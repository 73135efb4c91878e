-- Producing by INSERT and COPY into topics.<topic>; ANALYZE
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('ins', partitions => 3);
CREATE VIEW ins AS
	SELECT partition, record_offset, key, value, headers FROM topics.ins;

-- Every column that a producer may give, and none
INSERT INTO topics.ins (key, value, headers, partition, record_timestamp)
	VALUES ('k', 'v', '{"h": "1"}', 2, '2024-01-02 03:04:05.6789');
SELECT * FROM topics.ins;
INSERT INTO topics.ins (value, partition) VALUES ('v1', 0), (NULL, 0), ('v3', NULL);
INSERT INTO topics.ins (partition) VALUES (0);
INSERT INTO topics.ins VALUES (0, NULL, NULL, 'in order');
INSERT INTO topics.ins (partition, record_offset, record_timestamp, key, value)
	VALUES (0, DEFAULT, DEFAULT, DEFAULT, 'defaults');
SELECT key, value FROM ins WHERE partition = 0 AND value IS DISTINCT FROM 'v3';
-- A key goes where Kafka's producer would send it.
INSERT INTO topics.ins (key, value) SELECT 'key' || i, i FROM generate_series(1, 100) i;
SELECT count(*), bool_and(partition = topic.partition_for_key('ins', key))
	FROM ins WHERE key LIKE 'key%';
SELECT count(*) AS recent FROM topics.ins WHERE record_timestamp > now() - interval '1 minute';

-- In the log from the commit on
BEGIN;
INSERT INTO topics.ins (value) VALUES ('not yet');
SELECT count(*) FROM ins WHERE value = 'not yet';
SAVEPOINT a;
INSERT INTO topics.ins (value) VALUES ('never');
ROLLBACK TO a;
COMMIT;
SELECT value FROM ins WHERE value IN ('not yet', 'never');

-- RETURNING what the log gives to a record: appended at once
SELECT topic.create_topic('ret', partitions => 2);
BEGIN;
INSERT INTO topics.ret (value, partition) VALUES ('a', 1), ('b', 0), ('c', 1)
	RETURNING record_offset, partition, value;
SELECT partition, record_offset, value FROM topics.ret;
INSERT INTO topics.ret (value) VALUES ('queued') RETURNING value, key, headers;
SELECT count(*) FROM topics.ret;
INSERT INTO topics.ret (value, partition, record_timestamp)
	VALUES ('d', 0, '2024-01-02 03:04:05.6789') RETURNING *;
INSERT INTO topics.ret AS r (value, key) VALUES ('e', 'k') RETURNING r IS NOT NULL, r.partition;
INSERT INTO topics.ret (value) VALUES ('f')
	RETURNING (SELECT count(*) FROM pg_class WHERE oid = 0), length(value), record_offset IS NOT NULL AS has_offset;
INSERT INTO topics.ret (value) VALUES ('g') RETURNING tableoid::regclass;
COMMIT;
SELECT string_agg(value, ',' ORDER BY value) FROM topics.ret;
WITH i AS (INSERT INTO topics.ret (value, partition) VALUES ('cte', 0) RETURNING record_offset, value)
	SELECT record_offset > 0 AS has_offset, value FROM i;
PREPARE ins AS INSERT INTO topics.ret (value, partition) VALUES ($1, $2) RETURNING record_offset > 0 AS has_offset;
EXECUTE ins('prepared', 0);
EXECUTE ins('prepared', 0);
EXECUTE ins('prepared', 2);

-- What is refused
INSERT INTO topics.ins (record_offset, value) VALUES (7, 'v');
INSERT INTO topics.ins (partition) VALUES (3);
INSERT INTO topics.ins (partition) VALUES (-1);
INSERT INTO topics.ins (record_timestamp) VALUES ('infinity');
INSERT INTO topics.ins (headers) VALUES ('1');
INSERT INTO topics.ins (value) VALUES (repeat('x', 2000000));
INSERT INTO topics.ins (value) SELECT 'lost' FROM generate_series(1, 1 / 0);
UPDATE topics.ins SET value = NULL;
UPDATE topics.ins SET value = NULL WHERE partition = 0 RETURNING *;
DELETE FROM topics.ins;
EXPLAIN DELETE FROM topics.ins WHERE record_offset < 5;
DELETE FROM topics.ins USING topics.ret WHERE ins.value = ret.value;
MERGE INTO topics.ins USING (SELECT 1 AS a) s ON value = 'a'
	WHEN NOT MATCHED THEN INSERT (value) VALUES ('v');
TRUNCATE topics.ins;
INSERT INTO topics.ins (key, value) VALUES ('k', 'v') ON CONFLICT (key) DO UPDATE SET value = 'w';
-- There never is a conflict.
INSERT INTO topics.ins (key, value) VALUES ('k', 'no conflict') ON CONFLICT DO NOTHING;
BEGIN READ ONLY;
INSERT INTO topics.ins (value) VALUES ('v');
ROLLBACK;
-- A relation that is not a topic's
CREATE FOREIGN TABLE hand_made (partition int, value text) SERVER pg_topic;
INSERT INTO hand_made (value) VALUES ('v');
DELETE FROM hand_made;
ANALYZE hand_made;
DROP FOREIGN TABLE hand_made;
SELECT table_name, is_insertable_into FROM information_schema.tables
	WHERE table_schema = 'topics' ORDER BY table_name;
SELECT pg_relation_is_updatable('topics.ins', false) AS events;

-- The other formats
SELECT topic.create_topic('ins_json', value_format => 'json'),
	topic.create_topic('ins_bytes', value_format => 'bytes'),
	topic.create_topic('ins_compacted', cleanup_policy => 'compact');
INSERT INTO topics.ins_json (key, value) VALUES ('k', '{"a":  1}');
INSERT INTO topics.ins_json (value) SELECT to_jsonb(x) FROM (VALUES (1, 'one')) x(id, name)
	RETURNING value->'id' AS id, record_offset;
\set VERBOSITY sqlstate
INSERT INTO topics.ins_json (value) VALUES ('{');
\set VERBOSITY default
SELECT record_offset, key, value FROM topics.ins_json;
INSERT INTO topics.ins_bytes (key, value, headers)
	VALUES ('\x00ff', '\xfe', ARRAY[('h', '\xff00'), ('n', NULL)]::topic.header[]);
-- What is read can be inserted again.
INSERT INTO topics.ins_bytes (record_timestamp, key, value, headers)
	SELECT record_timestamp, key, value, headers FROM topics.ins_bytes;
SELECT record_offset, key, value, headers FROM topics.ins_bytes;
INSERT INTO topics.ins_bytes (headers) VALUES (ARRAY[(NULL, '\x00')::topic.header]);
INSERT INTO topics.ins_compacted (value) VALUES ('no key');
INSERT INTO topics.ins_compacted (key, value) VALUES ('k', 'v'), ('k', NULL);
SELECT key, value FROM topics.ins_compacted;

-- A topic into itself ends, sent or appended.
SELECT topic.create_topic('self', partitions => 2);
INSERT INTO topics.self (value, partition) SELECT i, i % 2 FROM generate_series(1, 10) i;
INSERT INTO topics.self (value, partition) SELECT value || ' again', partition FROM topics.self;
SELECT count(*) FROM topics.self;
WITH i AS (INSERT INTO topics.self (value, partition)
		SELECT value, partition FROM topics.self RETURNING record_offset)
	SELECT count(*) FROM i;
SELECT count(*) FROM topics.self;

-- Full batches
INSERT INTO topics.self (value) SELECT repeat('x', 100) FROM generate_series(1, 10000);
SELECT format('topic_log.segment_%s_0', topic_id) AS segment
	FROM topic.topics WHERE topic = 'self' \gset
SELECT count(*) < 150 AS full_batches FROM :segment WHERE record_count > 50;

-- COPY
COPY topics.ins (key, value) FROM stdin (FORMAT csv);
copied,1
,2
copied,
\.
COPY topics.ins (partition, record_timestamp, key, value, headers) FROM stdin;
1	2024-01-02 00:00:00	copied	all	[["a", "b"]]
\N	\N	copied	\N	\N
\.
\copy topics.ins (key, value) from stdin
copied	by psql
\.
SELECT value, headers FROM ins WHERE key = 'copied' ORDER BY value;
SELECT count(*) FROM ins WHERE value = '2' AND key IS NULL;
COPY topics.ins (partition, value) FROM stdin;
0	lost
3	no such partition
\.
COPY topics.ins (record_offset, value) FROM stdin;
5	v
\.
SELECT count(*) FROM ins WHERE value = 'lost';
COPY topics.ins TO stdout;
COPY (SELECT key, value FROM topics.ins WHERE key = 'copied' AND value = 'all') TO stdout;

-- Defaults, dropped and reordered columns, generated ones
SELECT topic.create_topic('cols', value_format => 'json');
ALTER FOREIGN TABLE topics.cols DROP COLUMN headers;
ALTER FOREIGN TABLE topics.cols DROP COLUMN record_timestamp;
ALTER FOREIGN TABLE topics.cols DROP COLUMN key;
ALTER FOREIGN TABLE topics.cols ADD COLUMN key text GENERATED ALWAYS AS (value->>'id') STORED;
ALTER FOREIGN TABLE topics.cols ALTER COLUMN value SET DEFAULT '{"id": 0}';
INSERT INTO topics.cols (value) VALUES ('{"id": 7}'), (DEFAULT);
INSERT INTO topics.cols VALUES (0, NULL, '{"id": 8}') RETURNING *;
SELECT key, value FROM topics.cols ORDER BY key;
ALTER FOREIGN TABLE topics.cols DROP COLUMN partition;
ALTER FOREIGN TABLE topics.cols DROP COLUMN record_offset;
INSERT INTO topics.cols DEFAULT VALUES RETURNING *;
ALTER FOREIGN TABLE topics.cols ADD COLUMN mine int;
INSERT INTO topics.cols (value) VALUES ('1');
ALTER FOREIGN TABLE topics.cols DROP COLUMN mine;
-- As on any foreign table, constraints are not checked.
ALTER FOREIGN TABLE topics.cols ADD CHECK (value <> '3');
INSERT INTO topics.cols (value) VALUES ('3');

-- Triggers
SELECT topic.create_topic('trig', partitions => 2);
CREATE FUNCTION before_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.value = 'skip' THEN
		RETURN NULL;
	END IF;
	NEW.key := coalesce(NEW.key, 'by trigger');
	NEW.partition := 1;
	RETURN NEW;
END
$$;
CREATE FUNCTION after_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % has %', TG_WHEN, TG_LEVEL, to_jsonb(NEW) - 'record_timestamp';
	RETURN NULL;
END
$$;
CREATE TRIGGER b BEFORE INSERT ON topics.trig FOR EACH ROW EXECUTE FUNCTION before_insert();
INSERT INTO topics.trig (value) VALUES ('a'), ('skip'), ('b');
SELECT partition, key, value FROM topics.trig;
CREATE TRIGGER a AFTER INSERT ON topics.trig FOR EACH ROW EXECUTE FUNCTION after_insert();
CREATE TRIGGER s AFTER INSERT ON topics.trig FOR EACH STATEMENT EXECUTE FUNCTION after_insert();
INSERT INTO topics.trig (value) VALUES ('c'), ('d');
COPY topics.trig (value) FROM stdin;
e
\.
SELECT record_offset, value FROM topics.trig WHERE value > 'b';

-- A view, with a condition on what the log gives
CREATE VIEW second AS SELECT * FROM topics.ins WHERE partition = 1 WITH CHECK OPTION;
INSERT INTO second (partition, value) VALUES (1, 'through a view');
\set VERBOSITY terse
INSERT INTO second (partition, value) VALUES (0, 'wrong partition');
\set VERBOSITY default
SELECT count(*) FROM ins WHERE value IN ('through a view', 'wrong partition');
CREATE VIEW keyed AS SELECT key, value FROM topics.ins WHERE key IS NOT NULL WITH CHECK OPTION;
INSERT INTO keyed VALUES (NULL, 'v');
INSERT INTO keyed VALUES ('k', 'keyed');
SELECT value FROM keyed WHERE value = 'keyed';
-- Only the log knows this one.
CREATE VIEW logged AS SELECT * FROM topics.ins WHERE record_offset >= 0 WITH CHECK OPTION;
INSERT INTO logged (value) VALUES ('logged');
SELECT value FROM logged WHERE value = 'logged';
DROP VIEW second, keyed, logged;

-- A topic as a partition of a table: rows are routed to it.
SELECT topic.create_topic('archive');
CREATE TABLE routed (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value text, headers jsonb) PARTITION BY LIST (key);
CREATE TABLE routed_kept PARTITION OF routed FOR VALUES IN ('keep');
ALTER TABLE routed ATTACH PARTITION topics.archive FOR VALUES IN ('archive');
INSERT INTO routed (key, value) VALUES ('keep', '1'), ('archive', '2');
INSERT INTO routed (key, value) VALUES ('keep', '3'), ('archive', '4')
	RETURNING record_offset, value;
COPY routed (key, value) FROM stdin;
archive	5
keep	6
\.
UPDATE routed_kept SET value = '7' WHERE value = '6';
UPDATE routed SET value = '8' WHERE key = 'keep' AND value = '7';
UPDATE routed SET key = 'archive' WHERE key = 'keep' AND value = '8';
DELETE FROM routed WHERE key = 'archive';
SELECT tableoid::regclass, record_offset, value FROM routed ORDER BY 1, 2, 3;
DROP TABLE routed_kept;
ALTER TABLE routed DETACH PARTITION topics.archive;
DROP TABLE routed;

-- While the statement runs
CREATE FUNCTION roll(topic text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM topic.alter_topic(topic, max_record_bytes => 50);
	RETURN 'altered';
END
$$;
INSERT INTO topics.archive (value) VALUES (roll('archive')), (repeat('x', 51));
INSERT INTO topics.archive (value) VALUES (roll('archive')) RETURNING record_offset;

EXPLAIN (COSTS OFF) INSERT INTO topics.ins (value) SELECT value FROM topics.ret WHERE partition = 1;
EXPLAIN INSERT INTO topics.ret (value) VALUES ('explained') \g /dev/null
EXPLAIN ANALYZE INSERT INTO topics.ret (value) VALUES ('explained and done') \g /dev/null
SELECT value FROM topics.ret WHERE value LIKE 'explained%';

-- ANALYZE
CREATE FUNCTION estimate(query text) RETURNS float LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan#>>'{0,Plan,Plan Rows}';
END
$$;
SELECT topic.create_topic('stats', partitions => 4);
ANALYZE topics.stats;
SELECT reltuples FROM pg_class WHERE oid = 'topics.stats'::regclass;
INSERT INTO topics.stats (partition, key, value)
	SELECT i % 3, i % 100, repeat('x', 20) FROM generate_series(1, 50000) i;
SELECT topic.delete_records('stats', p, 1000) FROM generate_series(0, 2) p;
SELECT count(*) FROM topics.stats;
ANALYZE topics.stats;
-- The sample has about 30,000 records of 47,000.
SELECT reltuples BETWEEN 46000 AND 48000 AS about_right FROM pg_class WHERE oid = 'topics.stats'::regclass;
SELECT estimate('SELECT * FROM topics.stats') BETWEEN 46000 AND 48000 AS about_right;
SELECT estimate($$SELECT * FROM topics.stats WHERE key = '7'$$) BETWEEN 300 AND 700 AS about_right;
SELECT attname, null_frac,
		CASE attname WHEN 'key' THEN n_distinct BETWEEN 95 AND 100
			WHEN 'partition' THEN n_distinct = 3
			WHEN 'value' THEN n_distinct = 1 END AS about_right
	FROM pg_stats WHERE schemaname = 'topics' AND tablename = 'stats'
		AND attname IN ('key', 'value', 'headers', 'partition') ORDER BY attname;
-- A sample as large as the topic
SET default_statistics_target = 1000;
ANALYZE topics.stats;
SELECT reltuples FROM pg_class WHERE oid = 'topics.stats'::regclass;
-- A tiny sample
SET default_statistics_target = 1;
ANALYZE topics.stats;
SELECT reltuples BETWEEN 46000 AND 48000 AS about_right FROM pg_class WHERE oid = 'topics.stats'::regclass;
RESET default_statistics_target;
-- Offsets without records
SELECT topic.create_topic('gaps');
INSERT INTO topics.gaps (value) SELECT i FROM generate_series(1, 100) i;
BEGIN;
SELECT count(topic.produce('gaps', 'never')) FROM generate_series(1, 100);
ROLLBACK;
INSERT INTO topics.gaps (value) SELECT i FROM generate_series(1, 100) i;
ANALYZE topics.gaps;
SELECT reltuples FROM pg_class WHERE oid = 'topics.gaps'::regclass;
SELECT topic.drop_topic('gaps');
-- Records of an open transaction do not count.
BEGIN;
SELECT count(*) FROM topic.produce_batch('stats', array_fill('v'::text, ARRAY[1000]), partition => 3);
ANALYZE topics.stats (partition);
COMMIT;
ANALYZE;

SET client_min_messages = warning;
DROP VIEW ins;
SELECT count(topic.drop_topic(topic)) > 0 AS dropped FROM topic.topics;
DROP FUNCTION before_insert, after_insert, roll, estimate;
