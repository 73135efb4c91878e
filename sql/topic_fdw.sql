-- Reading topics as relations: topics.<topic>
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- What a query read, as EXPLAIN ANALYZE tells: partitions, and records before
-- the conditions were checked again.
CREATE FUNCTION what_was_read(query text, OUT partitions bigint, OUT records bigint)
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO plan;
	SELECT sum((scan->>'Partitions Read')::bigint),
		sum(((scan->>'Actual Rows')::numeric +
			coalesce((scan->>'Rows Removed by Filter')::numeric, 0)) *
			(scan->>'Actual Loops')::numeric)
		INTO partitions, records
		FROM jsonb_path_query(plan, 'strict $.** ? (@."Node Type" == "Foreign Scan")') scan;
END
$$;

CREATE FUNCTION buffers_read(query text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
	RETURN (plan#>>'{0,Plan,Shared Hit Blocks}')::bigint +
		(plan#>>'{0,Plan,Shared Read Blocks}')::bigint;
END
$$;

-- Four partitions with ten records each, one an hour.
SELECT topic.create_topic('fdw', partitions => 4);
SELECT b.*
	FROM generate_series(0, 3) p,
		LATERAL topic.produce_batch('fdw',
			ARRAY(SELECT format('p%s r%s', p, r) FROM generate_series(0, 9) r),
			keys => ARRAY(SELECT 'k' || r FROM generate_series(0, 9) r),
			partition => p,
			record_timestamps => ARRAY(
				SELECT timestamptz '2024-01-01 00:00:00+00' + r * interval '1 hour'
				FROM generate_series(0, 9) r)) b;
SELECT count(*) FROM topics.fdw;
SELECT * FROM topics.fdw WHERE record_offset < 2;
SELECT t FROM topics.fdw t WHERE partition = 1 AND record_offset = 5;
SELECT tableoid::regclass, key FROM topics.fdw WHERE partition = 0 LIMIT 1;

-- What is pushed down
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = 1;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition < 3 AND 1 <= partition;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition IN (1, 3);
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = 1 AND record_offset = 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_offset BETWEEN 3 AND 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_timestamp >= '2024-01-01 05:00';
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_timestamp > now() - interval '1 hour';
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE value = 'p1 r1' AND record_offset > 0;
-- and what is not
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition <> 1;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition + 0 = 1;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = record_offset;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_offset < 5 * random();
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_offset < 2 OR partition > 2;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE record_offset = 1.0;

-- Every condition selects what it would from a table, and reads no more than
-- it needs to.
CREATE TABLE fdw_copy AS SELECT * FROM topics.fdw;
CREATE FUNCTION compare(condition text,
	OUT selected bigint, OUT wrong bigint, OUT partitions bigint, OUT records bigint)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format(
		'WITH a AS MATERIALIZED (SELECT * FROM topics.fdw WHERE %1$s),
			b AS MATERIALIZED (SELECT * FROM fdw_copy WHERE %1$s)
		SELECT (SELECT count(*) FROM b),
			(SELECT count(*) FROM ((TABLE a EXCEPT ALL TABLE b) UNION ALL
				(TABLE b EXCEPT ALL TABLE a)) d)', condition)
		INTO selected, wrong;
	SELECT * INTO partitions, records
		FROM what_was_read('SELECT * FROM topics.fdw WHERE ' || condition);
END
$$;
SELECT condition, c.*
	FROM unnest(ARRAY[
		'true',
		'partition = 2',
		'2 = partition',
		'partition = 2::bigint',
		'partition = 2::smallint',
		'partition = 3000000000',
		'partition = -1',
		'partition < 2',
		'partition <= 2',
		'partition > 2',
		'partition >= 2',
		'2 > partition',
		'2 <= partition',
		'partition <= 9223372036854775807',
		'partition > 9223372036854775807',
		'partition IN (0, 2, 7, -3)',
		'partition = ANY (ARRAY[1, NULL])',
		'partition = ANY (ARRAY[]::int[])',
		'partition = ANY (NULL::int[])',
		'partition = ANY (ARRAY[1, 2]::bigint[])',
		'partition IN (0, 1) AND partition IN (1, 2)',
		'partition <> ALL (ARRAY[1, 2])',
		'partition = 1 AND partition > 2',
		'record_offset = 4',
		'record_offset < 4',
		'record_offset <= 4',
		'record_offset > 4',
		'record_offset >= 4',
		'record_offset > -5',
		'record_offset >= 4::smallint AND record_offset < 6::int',
		'record_offset = 9223372036854775807',
		'record_offset > 9223372036854775807',
		'record_offset <= 9223372036854775807',
		'record_offset < (-9223372036854775808)',
		'record_offset BETWEEN 3 AND 5',
		'record_offset BETWEEN 5 AND 3',
		'record_offset > 5 AND record_offset < 5',
		'record_offset IN (2, 4)',
		'record_offset = NULL',
		'record_offset > 4.5',
		'record_timestamp = ''2024-01-01 04:00''',
		'record_timestamp < ''2024-01-01 04:00''',
		'record_timestamp <= ''2024-01-01 04:00''',
		'record_timestamp > ''2024-01-01 04:00''',
		'record_timestamp >= ''2024-01-01 04:00''',
		'record_timestamp > ''2024-01-01 03:59:59.999999''',
		'record_timestamp >= ''2024-01-01 04:00:00.000001''',
		'record_timestamp < ''2024-01-01 04:00:00.000001''',
		'record_timestamp <= ''2024-01-01 03:59:59.999999''',
		'record_timestamp = ''2024-01-01 04:00:00.000001''',
		'record_timestamp >= date ''2024-01-01'' AND record_timestamp < date ''2024-01-02''',
		'record_timestamp >= timestamp ''2024-01-01 08:00''',
		'record_timestamp > date ''5874897-12-31''',
		'record_timestamp < date ''5874897-12-31'' AND partition = 0',
		'record_timestamp < ''infinity'' AND partition = 0',
		'record_timestamp >= ''-infinity'' AND partition = 0',
		'record_timestamp > ''infinity'' AND partition = 0',
		'record_timestamp < ''1900-01-01''',
		'record_timestamp IN (''2024-01-01 04:00'', ''2024-01-01 06:00'')',
		'record_timestamp > ''2024-01-02'' AND record_timestamp < ''2024-01-01''',
		'record_timestamp < now() AND partition = 3',
		'partition >= 2 AND record_offset >= 8 AND record_timestamp < ''2024-01-01 09:00'''
	]) WITH ORDINALITY AS u(condition, n), LATERAL compare(condition) c
	ORDER BY n;

-- dates and timestamps are of the session's time zone
SET TimeZone = 'America/New_York';
SELECT c.* FROM compare('record_timestamp >= timestamp ''2024-01-01 00:00''') c;
SELECT c.* FROM compare('record_timestamp < date ''2024-01-01''') c;
SET TimeZone = 'UTC';

-- LIMIT streams: this topic's only partition has more than 200 pages.
SELECT topic.create_topic('fdw_long');
SELECT sum(record_count)
	FROM topic.produce_batch('fdw_long',
		ARRAY(SELECT repeat('x', 80) || i FROM generate_series(1, 20000) i));
SELECT count(*) FROM topics.fdw_long;
SELECT buffers_read('SELECT * FROM topics.fdw_long') > 200 AS reads_all;
SELECT buffers_read('SELECT * FROM topics.fdw_long LIMIT 1') < 30 AS reads_little;
SELECT buffers_read('SELECT * FROM topics.fdw_long WHERE record_offset >= 19990') < 30 AS reads_little;
SELECT buffers_read('SELECT * FROM topics.fdw_long WHERE record_offset BETWEEN 9000 AND 9010') < 30 AS reads_little;
SELECT buffers_read('SELECT * FROM topics.fdw_long WHERE partition = 0 ORDER BY record_offset LIMIT 3') < 30 AS reads_little;
SELECT record_offset, right(value, 5) FROM topics.fdw_long WHERE record_offset >= 19998;
SELECT what_was_read('SELECT * FROM topics.fdw LIMIT 12');

-- A scan goes over from one segment to the next.
SELECT topic.roll_segment('fdw');
SELECT topic.produce('fdw', 'p2 new', partition => 2,
	record_timestamp => '2024-01-02 00:00');
SELECT partition, record_offset, value FROM topics.fdw
	WHERE partition = 2 AND record_offset >= 8;
SELECT value FROM topics.fdw WHERE record_timestamp >= '2024-01-02';

-- Parameters
SET plan_cache_mode = force_generic_plan;
PREPARE by_offset(int, bigint) AS
	SELECT partition, record_offset, value FROM topics.fdw
	WHERE partition = $1 AND record_offset >= $2;
EXPLAIN (COSTS OFF) EXECUTE by_offset(1, 8);
EXECUTE by_offset(1, 8);
EXECUTE by_offset(2, 9);
EXECUTE by_offset(NULL, 0);
EXECUTE by_offset(1, NULL);
EXECUTE by_offset(9, 0);
SELECT what_was_read('EXECUTE by_offset(1, 8)');
SELECT what_was_read('EXECUTE by_offset(1, NULL)');
PREPARE by_partitions(int[]) AS
	SELECT count(*) FROM topics.fdw WHERE partition = ANY ($1);
EXPLAIN (COSTS OFF) EXECUTE by_partitions('{1,2}');
EXECUTE by_partitions('{1,2}');
EXECUTE by_partitions(NULL);
EXECUTE by_partitions('{NULL}');
EXECUTE by_partitions('{}');
SELECT what_was_read('EXECUTE by_partitions(''{1,2}'')');
RESET plan_cache_mode;

-- A value that a subquery computes
SELECT value FROM topics.fdw
	WHERE partition = (SELECT max(partition) FROM fdw_copy) AND record_offset < 2;
SELECT what_was_read('SELECT value FROM topics.fdw
	WHERE partition = (SELECT max(partition) FROM fdw_copy) AND record_offset < 2');

-- Joins: the scan is repeated for each row of the other side.
CREATE TABLE positions (partition int, record_offset bigint, note text);
INSERT INTO positions VALUES (0, 9, 'a'), (3, 2, 'b'), (1, 99, 'c'), (2, NULL, 'd');
ANALYZE positions;
SELECT note, t.value FROM positions p
	JOIN topics.fdw t ON t.partition = p.partition AND t.record_offset = p.record_offset
	ORDER BY note;
SELECT partitions FROM what_was_read('SELECT note, t.value FROM positions p
	JOIN topics.fdw t ON t.partition = p.partition AND t.record_offset = p.record_offset');
EXPLAIN (COSTS OFF)
SELECT note, t.value FROM positions p
	LEFT JOIN topics.fdw t ON t.partition = p.partition AND t.record_offset = p.record_offset
	ORDER BY note;
SELECT note, t.value FROM positions p
	LEFT JOIN topics.fdw t ON t.partition = p.partition AND t.record_offset = p.record_offset
	ORDER BY note;
EXPLAIN (COSTS OFF)
SELECT note, t.value FROM positions p, LATERAL (
	SELECT * FROM topics.fdw t
	WHERE t.partition = p.partition AND t.record_offset >= p.record_offset LIMIT 2) t;
SELECT note, t.value FROM positions p, LATERAL (
	SELECT * FROM topics.fdw t
	WHERE t.partition = p.partition AND t.record_offset >= p.record_offset LIMIT 2) t
	ORDER BY note, value;
SELECT note, (SELECT count(*) FROM topics.fdw t WHERE t.partition = p.partition)
	FROM positions p ORDER BY note;
SELECT count(*) FROM topics.fdw a JOIN topics.fdw b USING (partition, record_offset);
-- range joins, and types that differ
SELECT note, count(*) FROM positions p
	JOIN topics.fdw t ON t.partition >= p.partition AND t.record_offset < p.record_offset
	GROUP BY note ORDER BY note;
SELECT count(*) FROM (VALUES (1::smallint, 3::int), (2, 4)) v(p, o)
	JOIN topics.fdw t ON t.partition = v.p AND t.record_offset = v.o;

-- Order
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw ORDER BY partition, record_offset LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = 3 ORDER BY record_offset LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = 3 ORDER BY partition, record_offset LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition IN (2, 3) ORDER BY partition LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw ORDER BY record_offset;
EXPLAIN (COSTS OFF) SELECT * FROM topics.fdw WHERE partition = 3 ORDER BY record_offset DESC;
EXPLAIN (COSTS OFF) SELECT partition, count(*) FROM topics.fdw GROUP BY partition ORDER BY partition;
SELECT partition, record_offset FROM topics.fdw WHERE partition IN (3, 1)
	ORDER BY partition, record_offset LIMIT 12;
SELECT min(record_offset), max(record_offset) FROM topics.fdw WHERE partition = 2;

-- Cursors; one that scrolls keeps what it read.
BEGIN;
EXPLAIN (COSTS OFF) DECLARE c SCROLL CURSOR FOR SELECT record_offset FROM topics.fdw WHERE partition = 1;
DECLARE c SCROLL CURSOR FOR SELECT record_offset FROM topics.fdw WHERE partition = 1;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
FETCH NEXT FROM c;
FETCH PRIOR FROM c;
-- a cursor does not see what is produced after it was opened
DECLARE d CURSOR FOR SELECT record_offset FROM topics.fdw WHERE partition = 1 AND record_offset >= 8;
FETCH 1 FROM d;
SELECT topic.produce('fdw', 'p1 later', partition => 1);
FETCH ALL FROM d;
FETCH ALL FROM d;
-- the next statement does, in the same transaction
SELECT value FROM topics.fdw WHERE partition = 1 AND record_offset >= 9;
SAVEPOINT s;
SELECT topic.produce('fdw', 'p1 undone', partition => 1);
SELECT value FROM topics.fdw WHERE partition = 1 AND record_offset >= 10;
ROLLBACK TO s;
SELECT value FROM topics.fdw WHERE partition = 1 AND record_offset >= 10;
DECLARE h CURSOR WITH HOLD FOR SELECT record_offset FROM topics.fdw WHERE partition = 1 AND record_offset >= 8;
COMMIT;
FETCH ALL FROM h;
CLOSE h;

-- Only columns that a query uses are converted.
SELECT topic.create_topic('fdw_bytes', value_format => 'bytes');
SELECT topic.produce('fdw_bytes', '\x41ff'::bytea, key => '\x00'::bytea,
	headers => '[["h", "one"], ["h", null]]', record_timestamp => '2024-01-01');
SELECT * FROM topics.fdw_bytes;
SELECT topic.alter_topic('fdw_bytes', value_format => 'text');
SELECT count(*) FROM topics.fdw_bytes;
SELECT partition, record_offset, headers FROM topics.fdw_bytes;
SELECT record_offset FROM topics.fdw_bytes ORDER BY record_offset DESC;
SELECT value FROM topics.fdw_bytes;
SELECT count(*) FROM topics.fdw_bytes WHERE value = 'x';
SELECT t FROM topics.fdw_bytes t;
SELECT topic.create_topic('fdw_json', value_format => 'json');
SELECT topic.produce('fdw_json', '{"a": 1}'::jsonb, key => 'k', record_timestamp => '2024-01-01');
SELECT topic.produce('fdw_json', NULL::jsonb, key => 'k', record_timestamp => '2024-01-01');
SELECT * FROM topics.fdw_json;
SELECT value->'a' AS a FROM topics.fdw_json WHERE value @> '{"a": 1}';

-- Locking clauses are of no effect, but work.
SELECT count(*) FROM (SELECT value FROM topics.fdw WHERE partition = 0 FOR UPDATE) t;

-- The owner may drop columns, and add them again in another order.
ALTER FOREIGN TABLE topics.fdw_json DROP COLUMN headers, DROP COLUMN partition;
SELECT * FROM topics.fdw_json;
ALTER FOREIGN TABLE topics.fdw_json ADD COLUMN partition int;
SELECT * FROM topics.fdw_json WHERE partition = 0;
-- He may not change what they are.
ALTER FOREIGN TABLE topics.fdw_json ADD COLUMN extra int;
SELECT count(*) FROM topics.fdw_json;
ALTER FOREIGN TABLE topics.fdw_json DROP COLUMN extra;
ALTER FOREIGN TABLE topics.fdw_json RENAME COLUMN value TO payload;
SELECT * FROM topics.fdw_json;
ALTER FOREIGN TABLE topics.fdw_json RENAME COLUMN payload TO value;
ALTER FOREIGN TABLE topics.fdw_json ALTER COLUMN value TYPE text;
SELECT * FROM topics.fdw_json;
ALTER FOREIGN TABLE topics.fdw_json ALTER COLUMN value TYPE jsonb;
ALTER FOREIGN TABLE topics.fdw_json ALTER COLUMN record_timestamp TYPE timestamptz(0);
SELECT * FROM topics.fdw_json;
ALTER FOREIGN TABLE topics.fdw_json ALTER COLUMN record_timestamp TYPE timestamptz;
SELECT * FROM topics.fdw_json;

-- A foreign table of one's own is no topic.
CREATE FOREIGN TABLE own (partition int, value text) SERVER pg_topic;
SELECT * FROM own;
EXPLAIN SELECT * FROM own;
DROP FOREIGN TABLE own;
CREATE FOREIGN TABLE own (value text) SERVER pg_topic OPTIONS (topic 'fdw');
CREATE FOREIGN TABLE own (value text OPTIONS (name 'x')) SERVER pg_topic;
CREATE SERVER own FOREIGN DATA WRAPPER pg_topic OPTIONS (host 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER pg_topic OPTIONS (password 'x');
IMPORT FOREIGN SCHEMA x FROM SERVER pg_topic INTO public;

-- Records are immutable.
UPDATE topics.fdw SET value = 'x';
DELETE FROM topics.fdw;
TRUNCATE topics.fdw;

-- Privileges
CREATE ROLE regress_topic_reader;
CREATE ROLE regress_topic_columns;
CREATE ROLE regress_topic_viewer;
GRANT SELECT ON topics.fdw TO regress_topic_reader;
GRANT SELECT (partition, record_offset) ON topics.fdw TO regress_topic_columns;
CREATE VIEW fdw_view AS SELECT partition, value FROM topics.fdw WHERE partition = 0;
GRANT SELECT ON fdw_view TO regress_topic_viewer;
SET ROLE regress_topic_reader;
SELECT count(*) FROM topics.fdw;
SELECT count(*) FROM fdw_view;
SET ROLE regress_topic_columns;
SELECT count(record_offset) FROM topics.fdw WHERE partition = 1;
SELECT value FROM topics.fdw;
SELECT * FROM topics.fdw;
SELECT count(*) FROM topics.fdw WHERE key = 'k1';
SET ROLE regress_topic_viewer;
SELECT count(*), min(value) FROM fdw_view;
SELECT count(*) FROM topics.fdw;
SELECT count(*) FROM topic_log.segment_1_0;
SELECT topic.fdw_handler();
SELECT topic.fdw_validator('{}', 0);
RESET ROLE;
EXPLAIN (COSTS OFF) SELECT * FROM fdw_view;

-- A prepared statement outlives its topic, if another of that name comes.
PREPARE again AS SELECT count(*) FROM topics.fdw_json WHERE partition = 0;
EXECUTE again;
SELECT topic.drop_topic('fdw_json');
EXECUTE again;
SELECT topic.create_topic('fdw_json');
EXECUTE again;
SELECT topic.produce('fdw_json', 'now text');
EXECUTE again;

-- More partitions
SELECT topic.alter_topic('fdw_json', partitions => 2);
SELECT topic.produce('fdw_json', 'in the new one', partition => 1);
SELECT partition, value FROM topics.fdw_json;

DROP VIEW fdw_view;
DROP FUNCTION compare(text);
DROP FUNCTION what_was_read(text);
DROP FUNCTION buffers_read(text);
DROP TABLE fdw_copy, positions;
SELECT topic.drop_topic(topic) FROM topic.topics WHERE topic LIKE 'fdw%' ORDER BY topic;
DROP ROLE regress_topic_reader, regress_topic_columns, regress_topic_viewer;
