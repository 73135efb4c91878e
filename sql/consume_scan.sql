-- Calls of consume and poll in FROM, which the planner makes scans of.

SELECT topic.create_topic('scan', partitions => 2, value_format => 'text');
SELECT count(topic.produce('scan', 'value ' || i, key => 'key ' || i, partition => i % 2,
	headers => ARRAY[('number', i::text::bytea)]::topic.header[])) FROM generate_series(0, 9) i;

-- Also the first call in a session.  To explain a call is not to make it.
\c
EXPLAIN (COSTS OFF) SELECT value FROM topic.consume_text('scan', 'scan') WHERE key <> 'key 0';
EXPLAIN (COSTS OFF) SELECT value FROM topic.poll_text('scan', 'member');
SELECT count(*) FROM topic.committed('scan', 'scan');

-- What the functions are left for.
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN string_agg(node[1], ', ' ORDER BY node[1]) FROM regexp_matches(plan, '"Node Type": "([^"]*Scan)"', 'g') node;
END $$;
SELECT query, plan_of(query) FROM (VALUES
	('SELECT key FROM topic.consume(''scan'', ''scan'')'),
	('SELECT key, value FROM topic.consume_json(''scan'', ''scan'') OFFSET 0'),
	('SELECT topic, value FROM topic.poll_json(''scan'', ''member'')'),
	('WITH c AS (SELECT value FROM topic.consume(''scan'', ''scan'')) SELECT count(*) FROM c, c d'),
	('SELECT c FROM topic.consume(''scan'', ''scan'') c'),
	('SELECT key FROM topic.consume(''scan'', ''scan'') WITH ORDINALITY'),
	('SELECT key FROM ROWS FROM (topic.consume(''scan'', ''scan''), generate_series(1, 3)) c'),
	('UPDATE topic.groups SET owner = owner FROM topic.consume(''scan'', ''scan'') c WHERE c.record_offset = 0')
	) queries (query);

-- All that was asked for is consumed, whatever of it the query looks at.
BEGIN;
SELECT value FROM topic.consume_text('scan', 'scan', max_records => 3, partitions => '{0}') LIMIT 1;
SELECT * FROM topic.commit('scan', 'scan');
SELECT value FROM topic.consume_text('scan', 'scan', max_records => 1, partitions => '{0}') WHERE key IS NULL;
SELECT * FROM topic.commit('scan', 'scan');
SELECT value, record_offset, value FROM topic.consume_text('scan', 'scan', partitions => '{0}');
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.consume('scan', 'scan');
SELECT count(*) FROM topic.consume('scan', 'scan');
ROLLBACK;
BEGIN;
SELECT partition, record_offset, record_timestamp IS NULL, key, value, headers
	FROM topic.consume_text('scan', 'scan', partitions => '{1}', max_records => 2);
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.consume('scan', 'scan', partitions => '{1}', max_records => 2) a,
	topic.consume('scan', 'scan', partitions => '{1}', max_records => 2) b
	WHERE a.record_offset + b.record_offset >= 0;
SELECT * FROM topic.commit('scan', 'scan');
ROLLBACK;

-- A rescan returns the same rows, and makes no other call.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
BEGIN;
SELECT n, value FROM generate_series(1, 2) n
	LEFT JOIN topic.consume_text('scan', 'scan', max_records => 2, partitions => '{0}') ON true;
SELECT n, (SELECT value FROM topic.consume_text('scan', 'scan', max_records => 2, partitions => '{0}') WHERE record_offset = n)
	FROM generate_series(2, 4) n;
SELECT * FROM topic.commit('scan', 'scan');
ROLLBACK;
-- though parameters change that have the numbers of the statement's
BEGIN;
PREPARE count_some(text) AS SELECT (SELECT count(*) FROM topic.consume($1, 'scan', max_records => 2, partitions => '{0}') c
	WHERE c.partition >= p.a AND c.record_offset >= p.b)
	FROM (VALUES (0, 0), (0, 0)) p(a, b);
SET LOCAL plan_cache_mode = force_generic_plan;
EXECUTE count_some('scan');
SELECT * FROM topic.commit('scan', 'scan');
ROLLBACK;
DEALLOCATE count_some;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- Other arguments do.
BEGIN;
SELECT n, value FROM generate_series(1, 3) n,
	LATERAL topic.consume_text('scan', 'scan', max_records => n, partitions => '{0}');
ROLLBACK;
BEGIN;
PREPARE consume_some(int) AS SELECT value FROM topic.consume_text('scan', 'scan', max_records => $1, partitions => '{0}');
SET LOCAL plan_cache_mode = force_generic_plan;
EXECUTE consume_some(1);
EXECUTE consume_some(2);
EXECUTE consume_some(0);
ROLLBACK;
DEALLOCATE consume_some;

-- Cursors, forward and back; another call goes on behind what the first read.
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topic.consume_text('scan', 'scan', max_records => 3, partitions => '{0}');
FETCH 2 FROM c;
SELECT value FROM topic.consume_text('scan', 'scan', partitions => '{0}');
SELECT * FROM topic.commit('scan', 'scan');
FETCH 2 FROM c;
FETCH BACKWARD ALL FROM c;
FETCH ALL FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;

-- The same beyond work_mem; and as many again.
SELECT topic.create_topic('long', value_format => 'text');
SELECT count(*) FROM generate_series(1, 10) i, topic.produce_batch('long', array_fill(i || repeat('x', 1000), ARRAY[100]));
SET work_mem = '64kB';
BEGIN;
DECLARE c CURSOR FOR SELECT record_offset, left(value, 3) FROM topic.consume_text('scan', 'long', max_records => 1000);
FETCH 2 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH ABSOLUTE 1000 FROM c;
FETCH 1 FROM c;
FETCH PRIOR FROM c;
FETCH ABSOLUTE 500 FROM c;
FETCH BACKWARD 1 FROM c;
SELECT * FROM topic.commit('scan', 'long');
ROLLBACK;
BEGIN;
SET LOCAL enable_material = off;
SELECT n, count(*), sum(record_offset), count(DISTINCT left(value, 2)), sum(length(value)), count(key)
	FROM generate_series(1, 2) n LEFT JOIN topic.consume_text('scan', 'long', max_records => 1000) ON true GROUP BY n ORDER BY n;
ROLLBACK;
RESET work_mem;
CREATE TEMP TABLE sink (id bigint, value text);
DO $$
BEGIN
	FOR i IN 1..4 LOOP
		INSERT INTO sink SELECT record_offset, value FROM topic.consume_text('scan', 'long', max_records => 250, commit => true);
	END LOOP;
END $$;
SELECT count(*), count(DISTINCT id), sum(length(value)) FROM sink;

-- An error leaves the position where it was, if it is not the transaction's.
SELECT topic.create_topic('bytes', value_format => 'bytes');
SELECT topic.produce('bytes', v, key => 'key') FROM unnest(ARRAY['first', '\xff', 'third']::bytea[]) v;
BEGIN;
SAVEPOINT s;
SELECT value FROM topic.consume_text('scan', 'bytes') LIMIT 1;
ROLLBACK TO s;
SELECT key FROM topic.consume_text('scan', 'bytes', max_records => 2);
SELECT * FROM topic.commit('scan', 'bytes');
SELECT value FROM topic.consume_text('scan', 'bytes');
ROLLBACK;

-- Members, whose records come with the name of their topic.
CREATE TEMP TABLE member AS SELECT DISTINCT member_id FROM topic.join_group('members', ARRAY['scan', 'bytes']);
SELECT topic, count(*), count(value), min(partition), max(record_offset)
	FROM topic.poll('members', (SELECT member_id FROM member)) GROUP BY topic ORDER BY topic;
SELECT count(*) FROM topic.poll('members', (SELECT member_id FROM member));
SELECT value FROM topic.poll('members', 'nobody');

-- Rights to the function.
CREATE ROLE regress_topic_scan_reader;
REVOKE EXECUTE ON FUNCTION topic.consume FROM PUBLIC;
SET ROLE regress_topic_scan_reader;
SELECT key FROM topic.consume('scan', 'scan');
RESET ROLE;
GRANT EXECUTE ON FUNCTION topic.consume TO PUBLIC;
SET ROLE regress_topic_scan_reader;
SELECT key FROM topic.consume('scan', 'scan');
SELECT (topic.consume('scan', 'scan')).key;
RESET ROLE;
DROP ROLE regress_topic_scan_reader;

DROP FUNCTION plan_of(text);
SELECT topic.leave_group('members', (SELECT member_id FROM member));
SELECT topic.delete_group(g) FROM unnest('{scan,members}'::text[]) g;
SELECT topic.drop_topic(t) FROM unnest('{scan,long,bytes}'::text[]) t;
