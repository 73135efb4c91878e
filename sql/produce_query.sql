-- produce_query: the rows of a query as records.
SET TimeZone = 'UTC';
SELECT topic.create_topic('t', 2), topic.create_topic('j', value_format => 'json'), topic.create_topic('b', value_format => 'bytes');
CREATE TABLE source (id int, name text, payload jsonb, at timestamptz);
INSERT INTO source SELECT i, 'name ' || i, jsonb_build_object('id', i), '2024-01-01'::timestamptz + i * interval '1 hour'
	FROM generate_series(1, 6) i;

SELECT * FROM topic.produce_query('j', 'SELECT payload AS value FROM source ORDER BY id');
SELECT * FROM topic.produce_query('t', $$SELECT name AS value, id AS key, payload AS headers, id % 2 AS partition, at AS timestamp FROM source ORDER BY id$$);
SELECT partition, record_offset, record_timestamp, key, value, headers FROM topics.t;
-- Columns in any order, and without those that produce can do without
SELECT * FROM topic.produce_query('t', $$SELECT NULL::int AS partition, 'k' AS key, 'v' AS value$$);
SELECT * FROM topic.produce_query('t', $$SELECT 'v' AS value, NULL::timestamptz AS timestamp, NULL AS key, 1 AS partition$$);
SELECT * FROM topic.produce_query('t', $$SELECT NULL AS value, 'tombstone' AS key$$);
-- What a topic's relation returns can be produced.
SELECT * FROM topic.produce_query('j', 'SELECT key, value, headers, record_timestamp FROM topics.j WHERE record_offset < 2');
SELECT value, record_timestamp = lag(record_timestamp, 6) OVER (ORDER BY record_offset) AS same FROM topics.j OFFSET 6;
SELECT * FROM topic.produce_query('b', $$SELECT * FROM (VALUES ('\x00'::bytea, '\x01'::bytea)) v(value, key)$$);
SELECT * FROM topic.produce_query('b', $$SELECT key, value, headers FROM topics.b$$);
SELECT * FROM topic.produce_query('b', $$SELECT key, value, ARRAY[('h', '\xff')::topic.header] AS headers FROM topics.b LIMIT 1$$);
SELECT record_offset, key, value, headers FROM topics.b;
-- A topic into itself: what is there when it begins
SELECT * FROM topic.produce_query('t', 'SELECT partition, key, value FROM topics.t');
SELECT count(*) FROM topics.t;
SELECT * FROM topic.produce_query('t', $$SELECT partition, key, value FROM topic.fetch_text('t') WHERE partition = 0$$);
SELECT * FROM topic.produce_query('t', $$SELECT partition, value FROM topics.t, LATERAL (SELECT topic.produce('t', 'side', partition => 1)) s$$);

-- Types, as produce takes them
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
SELECT topic.create_topic('types');
SELECT * FROM topic.produce_query('types', $$SELECT 'varchar'::varchar(20) AS value, 1::smallint AS key, 0::smallint AS partition$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'char'::char(6) AS value, 2::bigint AS key, '2024-01-01'::date AS timestamp$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'name'::name AS value, 3::positive AS key, '2024-01-01'::timestamp AS timestamp$$);
SELECT * FROM topic.produce_query('types', $$SELECT '{"a":  1}'::json AS value, 'varchar'::varchar AS key$$);
SELECT * FROM topic.produce_query('types', $$SELECT '{"a":  1}'::jsonb AS value, '0190163d-8694-739b-aea5-966c26f8ad91'::uuid AS key$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'bytea'::bytea AS value, '\x6b'::bytea AS key$$);
SELECT record_offset, key, value, record_timestamp < '2025-01-01' AS dated FROM topics.types;
SELECT * FROM topic.produce_query('types', 'SELECT 1 AS value');
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, 1.5 AS key$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, 0::bigint AS partition$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, '{}'::json AS headers$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, '2024-01-01' AS timestamp$$);

-- Queries
SELECT * FROM topic.produce_query('types', $$WITH w AS (SELECT 'with' AS value) SELECT * FROM w$$);
SELECT * FROM topic.produce_query('types', $$WITH moved AS (DELETE FROM source RETURNING payload, id) SELECT payload AS value, id AS key FROM moved ORDER BY id$$);
SELECT count(*) FROM source;
SELECT key, value FROM topics.types OFFSET 7;
SELECT * FROM topic.produce_query('types', $$SELECT payload AS value FROM source$$);
SELECT * FROM topic.produce_query('types', $$TABLE topics.j$$);
SELECT * FROM topic.produce_query('types', 'VALUES (1)');
SELECT * FROM topic.produce_query('types', 'SELECT');
SELECT * FROM topic.produce_query('types', $$SELECT 1 AS value, 2 AS value$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, now() AS timestamp, now() AS record_timestamp$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'k' AS key$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS "Value"$$);
SELECT * FROM topic.produce_query('types', '');
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value; SELECT 'w' AS value$$);
SELECT * FROM topic.produce_query('types', $$INSERT INTO source VALUES (1) RETURNING name AS value$$);
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value INTO made$$);
SELECT * FROM topic.produce_query('types', $$EXPLAIN SELECT 'v' AS value$$);
SELECT * FROM topic.produce_query('types', 'COMMIT');
SELECT * FROM topic.produce_query('types', 'SELEC');
SELECT * FROM topic.produce_query('types', 'SELECT $1 AS value');
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value FROM missing$$);
SELECT * FROM topic.produce_query('missing', $$SELECT 'v' AS value$$);
SELECT * FROM topic.produce_query(NULL, $$SELECT 'v' AS value$$);
SELECT * FROM topic.produce_query('types', NULL);
-- An error in a row leaves nothing behind.
SELECT count(*) FROM topics.types;
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value, CASE i WHEN 5000 THEN 7 END AS partition FROM generate_series(1, 5000) i$$);
SELECT * FROM topic.produce_query('types', $$SELECT (1 / (5000 - i))::text AS value FROM generate_series(1, 5000) i$$);
SELECT * FROM topic.produce_query('j', $$SELECT CASE i WHEN 3 THEN '{' ELSE '{}' END AS value FROM generate_series(1, 5) i$$);
SELECT count(*) FROM topics.types;
-- It runs as the caller, under the caller's search_path.
CREATE SCHEMA regress_topic_schema;
CREATE TABLE regress_topic_schema.source AS SELECT 'of the search_path' AS value;
SET search_path = regress_topic_schema;
SELECT * FROM topic.produce_query('types', 'SELECT * FROM source');
RESET search_path;
CREATE ROLE regress_topic_producer;
GRANT INSERT ON topics.types TO regress_topic_producer;
SET ROLE regress_topic_producer;
SELECT * FROM topic.produce_query('types', $$SELECT name AS value FROM source$$);
SELECT * FROM topic.produce_query('types', $$SELECT value FROM topics.types$$);
SELECT * FROM topic.produce_query('t', $$SELECT 'v' AS value$$);
SELECT * FROM topic.produce_query('types', $$SELECT current_user AS value$$);
RESET ROLE;
BEGIN READ ONLY;
SELECT * FROM topic.produce_query('types', $$SELECT 'v' AS value$$);
ROLLBACK;
SELECT value FROM topics.types ORDER BY record_offset DESC LIMIT 2;

-- Many rows, stored densely, and of large ones
SELECT topic.create_topic('many', 3);
SELECT sum(record_count) FROM topic.produce_query('many', $$SELECT 'value ' || i AS value, i AS key FROM generate_series(1, 100000) i$$);
SELECT count(*), count(DISTINCT value), bool_and(partition = topic.partition_for_key('many', key)) AS right FROM topics.many;
SELECT * FROM topic.produce_query('many', $$SELECT repeat('x', 100000) AS value, 0 AS partition FROM generate_series(1, 30)$$);
SELECT length(value), count(*) FROM topics.many WHERE length(value) > 1000 GROUP BY 1;

-- The query cannot drop what it produces to.
SELECT * FROM topic.produce_query('many', $$SELECT topic.drop_topic('many')::text AS value$$);

SELECT topic.drop_topic(topic) FROM topic.topics;
DROP TABLE source;
DROP DOMAIN positive;
DROP SCHEMA regress_topic_schema CASCADE;
DROP ROLE regress_topic_producer;
