-- Calls of fetch in FROM, which the planner makes scans of.

SELECT topic.create_topic('scan', partitions => 2, value_format => 'text');
SELECT count(topic.produce('scan', 'value ' || i, key => 'key ' || i, partition => i % 2))
	FROM generate_series(0, 9) i;

-- Also the first call in a session.
\c
EXPLAIN (COSTS OFF) SELECT value FROM topic.fetch_text('scan', max_records => 3) WHERE key <> 'key 0';
SELECT value FROM topic.fetch_text('scan', max_records => 3) WHERE key <> 'key 0';
SELECT count(*) FROM topic.fetch('scan');
SELECT count(*), min(partition), max(record_offset), count(record_timestamp), count(headers)
	FROM topic.fetch('scan', from_offset => 1);
SELECT value, key, value FROM topic.fetch_text('scan', partition => 1) LIMIT 2;
SELECT record_offset FROM topic.fetch('scan', max_records => 7) LIMIT ALL;
SELECT count(*) FROM topic.fetch('scan', max_records => 7) a JOIN topic.fetch('scan') b USING (partition, record_offset);

-- What the function is left for.
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN string_agg(node[1], ', ' ORDER BY node[1]) FROM regexp_matches(plan, '"Node Type": "([^"]*Scan)"', 'g') node;
END $$;
CREATE TEMP TABLE plain (id int);
SELECT query, plan_of(query) FROM (VALUES
	('SELECT key FROM topic.fetch(''scan'')'),
	('SELECT f FROM topic.fetch(''scan'') f'),
	('SELECT * FROM topic.fetch(''scan'') WITH ORDINALITY'),
	('SELECT * FROM ROWS FROM (topic.fetch(''scan''), generate_series(1, 3)) f'),
	('SELECT f.key FROM topic.topics, topic.fetch(''scan'') f FOR UPDATE OF topics'),
	('SELECT key FROM topic.fetch(''scan'', max_records => 1 + (random() * 9)::int)'),
	('SELECT (topic.fetch(''scan'')).key'),
	('SELECT key FROM topic.fetch(''scan'') UNION ALL SELECT value FROM topic.fetch(''scan'')'),
	('UPDATE plain SET id = n FROM (SELECT 1 AS n FROM topic.fetch(''scan'') UNION ALL SELECT 2 FROM topic.fetch(''scan'')) f')) queries (query);
-- How many rows it expects, and how soon.
CREATE FUNCTION estimate_of(query text, OUT "rows" int, OUT startup_cost float) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	"rows" := plan->0->'Plan'->'Plan Rows';
	startup_cost := plan->0->'Plan'->'Startup Cost';
END $$;
SELECT query, estimate.* FROM (VALUES
	('SELECT key FROM topic.fetch(''scan'')'),
	('SELECT key FROM topic.fetch(''scan'', max_records => 7)'),
	('SELECT key FROM topic.fetch(''scan'', max_records => (SELECT 7))')) queries (query), estimate_of(query) estimate;
DROP FUNCTION estimate_of(text);
SELECT (f).value FROM topic.fetch_text('scan', partition => 0, max_records => 1) f;
SELECT f FROM topic.fetch_text('scan', partition => 0, max_records => 1) f (a, b) WHERE (f IS NULL) IS NULL;
SELECT value, ordinality FROM topic.fetch_text('scan', partition => 1) WITH ORDINALITY WHERE ordinality > 3;

-- Arguments that other relations give, and a pass for each of them.
SELECT p, n, value FROM generate_series(0, 1) p, generate_series(3, 4) n,
	LATERAL topic.fetch_text('scan', partition => p, from_offset => n, max_records => 1);
SELECT p, (SELECT string_agg(value, ', ' ORDER BY record_offset) FROM topic.fetch_text('scan', partition => p))
	FROM generate_series(0, 1) p;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT count(*) FROM generate_series(1, 3) JOIN topic.fetch('scan') ON true;
-- A volatile argument has one value for all rows that it is joined to.
CREATE TEMP SEQUENCE calls;
SELECT n, count(*) FROM generate_series(1, 3) n JOIN topic.fetch('scan', max_records => nextval('calls')::int) ON true GROUP BY 1 ORDER BY 1;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
PREPARE fetch_from(text, bigint) AS SELECT value FROM topic.fetch_text($1, from_offset => $2);
SET plan_cache_mode = force_generic_plan;
EXECUTE fetch_from('scan', 4);
EXECUTE fetch_from('scan', 3);
EXECUTE fetch_from('none', 3);
RESET plan_cache_mode;
SELECT key, value FROM topic.fetch_text('scan', max_records => 1) UNION ALL SELECT value || '!', key FROM topic.fetch_text('scan', partition => 1) LIMIT 3;
SELECT value FROM topic.fetch_text((SELECT topic FROM topic.topics WHERE topic = 'scan'), max_records => 1);

-- Errors.
SELECT value FROM topic.fetch_text(NULL);
SELECT value FROM topic.fetch_text('scan', partition => 2);
SELECT value FROM topic.fetch_text('scan', max_records => 0);

-- Cursors, also over other commands of the transaction.
BEGIN;
DECLARE forward CURSOR FOR SELECT value FROM topic.fetch_text('scan', partition => 0);
DECLARE scroll_both SCROLL CURSOR FOR SELECT value FROM topic.fetch_text('scan', partition => 0);
FETCH 2 FROM forward;
FETCH 2 FROM scroll_both;
SELECT topic.produce('scan', 'new', partition => 0);
FETCH BACKWARD 1 FROM scroll_both;
FETCH ALL FROM forward;
SAVEPOINT s;
FETCH FROM scroll_both;
SELECT topic.drop_topic('scan');
ROLLBACK TO s;
FETCH ALL FROM scroll_both;
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT value FROM topic.fetch_text('scan', partition => 0, max_records => 2);
COMMIT;
FETCH ALL FROM held;
CLOSE held;

-- Records of the command itself are not read.
SELECT count(topic.produce('scan', value || ' again', partition => partition)) FROM topic.fetch_text('scan');
INSERT INTO topics.scan (value, partition) SELECT value, partition FROM topic.fetch_text('scan', max_records => 20);
SELECT count(*) FROM topic.fetch('scan');
DO $$
DECLARE
	r record;
	n int := 0;
BEGIN
	FOR r IN SELECT value FROM topic.fetch_text('scan', partition => 1) LOOP
		PERFORM topic.produce('scan', r.value, partition => 1);
		n := n + 1;
	END LOOP;
	RAISE NOTICE '%', n;
END $$;

-- Rights: of the topic, and of the function.
CREATE ROLE regress_topic_fetch_reader;
SET ROLE regress_topic_fetch_reader;
SELECT key FROM topic.fetch('scan');
RESET ROLE;
GRANT SELECT ON topics.scan TO regress_topic_fetch_reader;
SET ROLE regress_topic_fetch_reader;
SELECT count(key) FROM topic.fetch('scan', max_records => 2);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION topic.fetch FROM PUBLIC;
SET ROLE regress_topic_fetch_reader;
EXPLAIN SELECT key FROM topic.fetch('scan');
SELECT count(key) FROM topic.fetch('scan', max_records => 2);
RESET ROLE;
GRANT EXECUTE ON FUNCTION topic.fetch TO PUBLIC;

-- A subquery that is run again as a row is checked again.
SELECT plan_of('SELECT EXISTS (SELECT FROM topic.fetch(''scan'', from_offset => segment) WHERE key IS NULL) FROM topic.segments FOR UPDATE');

REVOKE SELECT ON topics.scan FROM regress_topic_fetch_reader;
DROP ROLE regress_topic_fetch_reader;
DROP FUNCTION plan_of(text);
SELECT topic.drop_topic('scan');
