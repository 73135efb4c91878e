-- capture_table, release_table: topics that follow tables.

-- What was sent and not shown yet, without what differs from run to run.
CREATE TABLE shown (topic text PRIMARY KEY, next_offset bigint);
CREATE FUNCTION news(topic text, OUT key text, OUT op text, OUT before text, OUT after text) RETURNS SETOF record
LANGUAGE sql AS $$
	WITH now_shown AS (
		INSERT INTO shown SELECT $1, last_stable_offset FROM topic.offsets($1)
		ON CONFLICT (topic) DO UPDATE SET next_offset = EXCLUDED.next_offset)
	SELECT f.key, value::json->>'op', value::json->>'before',
		CASE WHEN value::json->'op' IS NULL THEN value ELSE value::json->>'after' END
	FROM topic.fetch_text($1, 0, COALESCE((SELECT next_offset FROM shown s WHERE s.topic = $1), 0)) f
	ORDER BY record_offset
$$;

SELECT topic.create_topic('plain', value_format => 'json');
SELECT topic.create_topic('mirror', value_format => 'json', cleanup_policy => 'compact');

-- Both payloads.
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric(8, 2));
INSERT INTO item VALUES (1, 'before', 1);
SELECT topic.capture_table('item', 'plain');
SELECT topic.capture_table('item', 'mirror', payload => 'row', snapshot => true);
SELECT * FROM topic.captured_tables ORDER BY topic;
SELECT * FROM news('mirror');
INSERT INTO item VALUES (2, 'two', 2), (3, E'quo"ted\n', NULL);
UPDATE item SET price = 2.5 WHERE id = 2;
UPDATE item SET id = 4 WHERE id = 3;
DELETE FROM item WHERE id = 2;
SELECT * FROM news('plain');
SELECT * FROM news('mirror');

-- What is rolled back is not sent.
BEGIN;
SAVEPOINT a;
UPDATE item SET name = 'undone' WHERE id = 1;
ROLLBACK TO a;
UPDATE item SET name = 'done' WHERE id = 1;
COMMIT;
BEGIN;
DELETE FROM item;
ROLLBACK;
SELECT * FROM news('plain');
SELECT * FROM news('mirror');

-- All ways to change rows.
\copy item from stdin
5	copied	5.00
\.
INSERT INTO item VALUES (5, 'again', 5), (6, 'six', 6) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name;
WITH gone AS (DELETE FROM item WHERE id = 6 RETURNING *)
INSERT INTO item SELECT id + 1, name, price FROM gone;
MERGE INTO item USING (VALUES (5, 'merged'), (8, 'eight')) v (id, name) ON item.id = v.id
	WHEN MATCHED THEN UPDATE SET name = v.name
	WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.name, 0);
SELECT * FROM news('plain');

-- TRUNCATE: without a key in each partition; a compacted topic has all keys.
SELECT topic.alter_topic('plain', partitions => 2);
TRUNCATE item;
SELECT partition, key, value->'op' AS op, value->'before' AS before, value->'after' AS after
FROM topics.plain WHERE value->>'op' = 't';
SELECT * FROM news('mirror');
SELECT topic.release_table('item', 'mirror');
SELECT topic.capture_table('item', 'mirror');
INSERT INTO item VALUES (1, 'one', 1);
TRUNCATE item;
SELECT * FROM news('mirror');

-- The source; times are milliseconds.
SELECT (value->'source') - '{txId,ts_ms,db}'::text[] AS source,
	value->'source'->>'db' = current_database() AS db,
	(value->'source'->>'txId')::xid8 < pg_current_xact_id() AS "txId",
	to_timestamp((value->>'ts_ms')::float8 / 1000) BETWEEN now() - interval '1 hour' AND now() AS ts_ms,
	(value->'source'->>'ts_ms')::bigint <= (value->>'ts_ms')::bigint AS "source.ts_ms"
FROM topics.plain WHERE partition = 1;
SELECT DISTINCT jsonb_object_keys(value) FROM topics.plain ORDER BY 1;
DROP TABLE item;
SELECT * FROM topic.captured_tables;

-- All types, as row_to_json() shows them, whatever the session's settings; and
-- so to_jsonb().
SELECT topic.create_topic('types', value_format => 'json');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy "quoted"');
CREATE TYPE pair AS (a int, b timestamptz);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN times AS timestamptz[];
CREATE DOMAIN pairs AS pair;
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE types (
	id bigint PRIMARY KEY,
	f_bool bool, f_int2 int2, f_int4 int4, f_int8 int8, f_numeric numeric, f_float4 float4, f_float8 float8,
	f_money money, f_text text, f_varchar varchar(20), f_char char(5), f_quoted_char "char", f_name name,
	f_bytea bytea, f_date date, f_time time, f_timetz timetz, f_timestamp timestamp, f_timestamptz timestamptz,
	f_interval interval, f_uuid uuid, f_json json, f_jsonb jsonb, f_jsonpath jsonpath, f_inet inet, f_cidr cidr,
	f_macaddr macaddr, f_macaddr8 macaddr8, f_bit bit(4), f_varbit varbit, f_tsvector tsvector, f_tsquery tsquery,
	f_point point, f_line line, f_lseg lseg, f_box box, f_path path, f_polygon polygon, f_circle circle,
	f_int4range int4range, f_tstzrange tstzrange, f_datemultirange datemultirange, f_span span, f_oid oid,
	f_regtype regtype, f_pg_lsn pg_lsn, f_xid8 xid8, f_mood mood, f_pair pair, f_positive positive, f_times times, f_pairs pairs,
	f_ints int[], f_texts text[], f_times2 timestamptz[][], f_moods mood[], f_pairs2 pair[], f_jsons json[], f_bytea2 bytea[],
	f_float8s float8[], "a ""name"", ü" text,
	f_generated int GENERATED ALWAYS AS (f_int4 * 2) STORED);
SELECT topic.capture_table('types', 'types', key => '{id,f_timestamptz,f_float8}', payload => 'row');
CREATE FUNCTION insert_types(id int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO types VALUES (id,
		true, -2, -4, -8, 1.500, 1.1, 0.1::float8 + 0.2,
		12.34, E'te"xt\\ \t\u00fc', 'varchar', 'ch', 'c', 'name',
		'\xdeadbeef', '2022-02-02', '12:34:56.789', '12:34:56+02', '2022-02-02 12:34:56.789', '2022-02-02 12:34:56.789+01',
		'1 year 2 days 03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"b" : 1,  "a":[1.0, null], "b": 2}', '{"b": 1, "a": 1e3}',
		'$.a', '10.0.0.1/8', '10.0.0.0/8',
		'08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '1010', '101', 'a fat cat', 'fat & rat',
		'(1,2)', '{1,2,3}', '((1,2),(3,4))', '((1,2),(3,4))', '((1,2),(3,4))', '((1,2),(3,4),(5,6))', '<(1,2),3>',
		'[1,5)', '[2022-02-02 12:00+01,)', '{[2022-02-02,2022-02-05)}', '[0.1,0.3]', 42,
		'int4', '16/B374D848', '42', 'happy "quoted"', '(1,"2022-02-02 12:00+01")', 7, '{2022-02-02 12:00+01,NULL}', '(2,"2022-02-02 12:00+01")',
		'{{1,2},{3,NULL}}', '{"a","b \"q\"",NULL}', '{{2022-02-02 12:00+01}}', '{sad,ok}', '{"(1,\"2022-02-02 12:00+01\")",NULL}', ARRAY['{"a":  1}'::json], '{"\\x01"}',
		'{0.1,NaN,Infinity}', 'named')
$$;
SELECT insert_types(1);
INSERT INTO types (id, f_numeric, f_float4, f_float8, f_date, f_timestamp, f_timestamptz)
	VALUES (2, 'NaN', '-Infinity', 'Infinity', 'infinity', '-infinity', 'infinity');
INSERT INTO types (id, f_numeric, f_float8, f_date, f_timestamptz)
	VALUES (3, 1e40, 1e-300, '0044-03-15 BC', '0044-03-15 12:00+00 BC');
BEGIN;
SET LOCAL TimeZone = 'Asia/Kolkata';
SET LOCAL DateStyle = 'German';
SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL extra_float_digits = -3;
SET LOCAL bytea_output = 'escape';
UPDATE types SET f_bool = false WHERE id = 1;
SELECT insert_types(4);
SHOW TimeZone;
SHOW IntervalStyle;
COMMIT;
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SELECT f.key, f.value = row_to_json(t)::text AS as_row_to_json, f.value::jsonb = to_jsonb(t) AS as_to_jsonb
FROM types t
JOIN (SELECT DISTINCT ON (key) key, value FROM topic.fetch_text('types') ORDER BY key, record_offset DESC) f
	ON t.id = (f.key::json->>'id')::int
ORDER BY t.id;
SELECT f_text, f_generated, f_float8, value->'f_timestamptz' AS f_timestamptz, value->'f_times' AS f_times, value->'a "name", ü' AS name
FROM types, topics.types WHERE record_offset = 0 AND id = 1;
COMMIT;
-- The key did not change in other settings.
SELECT DISTINCT key FROM topics.types ORDER BY key;
DROP TABLE types;

-- A type with a cast to json; what json admits and jsonb does not.
CREATE TYPE shape AS ENUM ('circle');
CREATE FUNCTION shape_json(shape) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT json_build_object('shape', $1::text) $$;
CREATE CAST (shape AS json) WITH FUNCTION shape_json(shape);
CREATE TABLE shapes (id shape PRIMARY KEY, doc json);
SELECT topic.capture_table('shapes', 'types', payload => 'row');
INSERT INTO shapes VALUES ('circle', '{"a" : 1}');
SELECT key, value FROM topic.fetch_text('types') ORDER BY record_offset DESC LIMIT 1;
UPDATE shapes SET doc = '"\u0000"';
SELECT topic.create_topic('text');
SELECT topic.release_table('shapes'), topic.capture_table('shapes', 'text', payload => 'row');
UPDATE shapes SET doc = '"\u0000"';
SELECT key, value FROM topics.text;
DROP TABLE shapes;

-- Large values, compressed and out of line, also if an UPDATE does not touch them.
SELECT topic.create_topic('large', value_format => 'bytes');
CREATE TABLE large (id int PRIMARY KEY, small int, large text);
ALTER TABLE large ALTER large SET STORAGE EXTERNAL;
INSERT INTO large VALUES (1, 1, repeat('x', 100000)), (2, 2, repeat('y', 100000));
SELECT topic.capture_table('large', 'large', snapshot => true);
UPDATE large SET small = 3 WHERE id = 1;
DELETE FROM large WHERE id = 2;
SELECT v->>'op' AS op, length(v->'before'->>'large') AS before, length(v->'after'->>'large') AS after
FROM (SELECT convert_from(value, 'UTF8')::json AS v FROM topics.large) large;
SELECT topic.alter_topic('large', max_record_bytes => 1000);
\set VERBOSITY sqlstate
UPDATE large SET small = 4;
\set VERBOSITY default
SELECT small FROM large;
DROP TABLE large;

-- Columns come, go and get other names.
CREATE TABLE moving (junk int, a int, b int, c int, PRIMARY KEY (b, a));
ALTER TABLE moving DROP junk;
SELECT topic.capture_table('moving', 'mirror', payload => 'row');
INSERT INTO moving VALUES (1, 2, 3);
ALTER TABLE moving RENAME a TO "A one";
ALTER TABLE moving DROP c;
ALTER TABLE moving ADD d text DEFAULT 'new', ADD e int GENERATED ALWAYS AS (b * 10) STORED;
UPDATE moving SET d = 'newer';
SELECT * FROM news('mirror');
SELECT table_name, key FROM topic.captured_tables;
ALTER TABLE moving RENAME TO moved;
ALTER TABLE moved DROP CONSTRAINT moving_pkey;
UPDATE moved SET d = 'newest';
SELECT * FROM news('mirror');
SELECT table_name, key FROM topic.captured_tables;
\set VERBOSITY terse
ALTER TABLE moved ALTER "A one" TYPE bigint;
BEGIN;
SELECT topic.release_table('moved');
ALTER TABLE moved ALTER "A one" TYPE bigint;
SELECT topic.capture_table('moved', 'mirror', '{b,A one}', payload => 'row');
COMMIT;
UPDATE moved SET d = 'of another type';
SELECT * FROM news('mirror');
ALTER TABLE moved DROP b;
ALTER TABLE moved DROP b CASCADE;
\set VERBOSITY default
UPDATE moved SET d = 'without a key';
SELECT topic.release_table('moved');
DROP TABLE moved;

-- Partitions, whose columns stand elsewhere; rows that move among them.
CREATE TABLE part (id int, region text, n int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE part_north (n int, junk int, region text NOT NULL, id int NOT NULL);
ALTER TABLE part_north DROP junk;
ALTER TABLE part ATTACH PARTITION part_north FOR VALUES IN ('north');
CREATE TABLE part_south PARTITION OF part FOR VALUES IN ('south') PARTITION BY RANGE (id);
CREATE TABLE part_south_1 PARTITION OF part_south FOR VALUES FROM (0) TO (100);
INSERT INTO part VALUES (1, 'north', 1), (1, 'south', 1);
SELECT topic.capture_table('part', 'mirror', payload => 'row', snapshot => true);
CREATE TABLE part_south_2 PARTITION OF part_south FOR VALUES FROM (100) TO (200);
SELECT * FROM topic.captured_tables;
INSERT INTO part VALUES (2, 'north', 2), (150, 'south', 150);
INSERT INTO part_north (id, region, n) VALUES (3, 'north', 3);
UPDATE part SET n = n + 1 WHERE id = 1;
UPDATE part SET region = 'south' WHERE id = 3;
UPDATE part SET id = 151 WHERE id = 150;
UPDATE part SET id = 50 WHERE id = 151;
SELECT * FROM news('mirror');
ALTER TABLE part DETACH PARTITION part_north;
INSERT INTO part_north (id, region, n) VALUES (4, 'north', 4);
ALTER TABLE part ATTACH PARTITION part_north FOR VALUES IN ('north');
DELETE FROM part WHERE id = 4;
SELECT * FROM news('mirror');
SELECT topic.capture_table('part_north', 'mirror');
SELECT topic.release_table('part_north');
TRUNCATE part;
SELECT * FROM news('mirror');
SELECT topic.release_table('part');
SELECT topic.capture_table('part', 'plain');
INSERT INTO part VALUES (1, 'north', 1);
SELECT value->'after' AS after, value->'source'->'table' AS "table" FROM topics.plain WHERE key LIKE '%north%';
DROP TABLE part;

-- A foreign table has no rows that could be read for a snapshot.
CREATE TABLE far (id int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE far_1 PARTITION OF far FOR VALUES IN (1) SERVER pg_topic;
SELECT topic.capture_table('far', 'plain', '{id}', snapshot => true);
DROP TABLE far;

-- Tables that inherit are captured for themselves.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1);
SELECT topic.capture_table('parent', 'mirror', payload => 'row', snapshot => true);
UPDATE parent SET id = id + 10;
INSERT INTO parent VALUES (2);
SELECT * FROM news('mirror');
DROP TABLE parent CASCADE;

-- Other triggers change what they are called for, or what is called for later;
-- or nothing. The last record of a key says what is in the table.
CREATE TABLE busy (id int PRIMARY KEY, n int, parent int REFERENCES busy ON DELETE CASCADE ON UPDATE CASCADE);
CREATE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE busy SET n = n + 100 WHERE pg_trigger_depth() = 1 AND id <> 5;
	UPDATE busy SET id = 30 WHERE id = 3 AND NEW.id = 1;
	DELETE FROM busy WHERE id = 4 AND NEW.id = 1;
	RETURN NULL;
END
$$;
CREATE TRIGGER "  disturb" AFTER INSERT OR UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION disturb();
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.n = COALESCE(NEW.n, 0);
	RETURN CASE WHEN NEW.n >= 0 THEN NEW END;
END
$$;
CREATE TRIGGER change BEFORE INSERT OR UPDATE ON busy FOR EACH ROW EXECUTE FUNCTION change();
CREATE FUNCTION compare(topic text, tab regclass) RETURNS TABLE (wrong text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH latest AS (SELECT DISTINCT ON (key) value FROM topic.fetch_text(%L) WHERE key LIKE '{"id":%%' ORDER BY key, record_offset DESC),
			folded AS (SELECT value FROM latest WHERE value IS NOT NULL),
			rows AS (SELECT row_to_json(t)::text AS value FROM %s t)
		(TABLE folded EXCEPT TABLE rows) UNION ALL (TABLE rows EXCEPT TABLE folded)$q$, topic, tab);
END
$$;
SELECT topic.create_topic('busy', value_format => 'json', cleanup_policy => 'compact');
SELECT topic.capture_table('busy', 'busy', payload => 'row');
INSERT INTO busy VALUES (1, 1), (2, NULL), (3, 3), (4, 4), (5, -1), (6, 6);
TABLE busy ORDER BY id;
SELECT * FROM compare('busy', 'busy');
INSERT INTO busy VALUES (7, 0, 1), (8, 0, 7);
UPDATE busy SET n = n + 1;
SELECT * FROM compare('busy', 'busy');
UPDATE busy SET id = 10 WHERE id = 1;
SELECT * FROM compare('busy', 'busy');
DELETE FROM busy WHERE id = 10;
TABLE busy ORDER BY id;
SELECT * FROM compare('busy', 'busy');
SELECT count(*) > 0 AS captured FROM topics.busy WHERE value IS NULL AND key = '{"id":8}';
-- If there are no records of deleted rows, those of updates still come last.
SELECT topic.create_topic('not_deleted', value_format => 'json', cleanup_policy => 'compact');
SELECT topic.release_table('busy'), topic.capture_table('busy', 'not_deleted', events => '{insert,update}', payload => 'row');
INSERT INTO busy VALUES (1, 1), (4, 4), (9, 9);
SELECT * FROM compare('not_deleted', 'busy');
DROP TABLE busy;

-- What a trigger changes and takes back does not count.
CREATE TABLE taken_back (id int PRIMARY KEY, times timestamptz[]);
CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM taken_back;
	RAISE EXCEPTION 'not so';
EXCEPTION WHEN raise_exception THEN
	RETURN NULL;
END
$$;
CREATE TRIGGER "  take_back" AFTER INSERT ON taken_back FOR EACH ROW EXECUTE FUNCTION take_back();
SELECT topic.capture_table('taken_back', 'mirror', payload => 'row');
SET TimeZone = 'Asia/Kolkata';
INSERT INTO taken_back VALUES (1, '{2022-02-02 12:00+00}');
RESET TimeZone;
SELECT * FROM news('mirror');
DROP TABLE taken_back;
DROP FUNCTION take_back;

-- Some events only: an outbox.
CREATE TABLE outbox (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL, event jsonb);
SELECT topic.capture_table('outbox', 'mirror', key => '{customer}', events => '{insert}', payload => 'row');
SELECT * FROM topic.captured_tables;
WITH added AS (INSERT INTO outbox (customer, event) VALUES ('ann', '{"a": 1}'), ('ann', '{"a": 2}') RETURNING id)
SELECT count(*) FROM added;
DELETE FROM outbox;
TRUNCATE outbox;
SELECT * FROM news('mirror');
DROP TABLE outbox;
CREATE TABLE few (id int PRIMARY KEY);
SELECT topic.capture_table('few', 'mirror', events => '{truncate,delete}', payload => 'row');
SELECT events FROM topic.captured_tables;
INSERT INTO few VALUES (1), (2);
DELETE FROM few WHERE id = 1;
TRUNCATE few;
SELECT * FROM news('mirror');

-- Disabled triggers; triggers by hand.
SELECT topic.release_table('few');
SELECT topic.capture_table('few', 'mirror', payload => 'row');
ALTER TABLE few DISABLE TRIGGER USER;
INSERT INTO few VALUES (3);
SELECT table_name, enabled FROM topic.captured_tables;
SELECT * FROM news('mirror');
SELECT topic.release_table('few');
CREATE TRIGGER wrong BEFORE INSERT ON few FOR EACH ROW EXECUTE FUNCTION topic.capture_change('mirror', 'row');
INSERT INTO few VALUES (4);
DROP TRIGGER wrong ON few;
CREATE TRIGGER wrong AFTER INSERT ON few FOR EACH ROW EXECUTE FUNCTION topic.capture_change('mirror', 'row');
INSERT INTO few VALUES (4);
CREATE TRIGGER wrong_key AFTER UPDATE OF id ON few FOR EACH ROW WHEN (false) EXECUTE FUNCTION topic.capture_change('mirror', 'column');
INSERT INTO few VALUES (4);
SELECT topic.release_table('few');
CREATE TRIGGER wrong AFTER INSERT ON few FOR EACH ROW EXECUTE FUNCTION topic.capture_change();
INSERT INTO few VALUES (4);
SELECT topic.release_table('few');
SELECT topic.capture_change();

-- A topic is not dropped from under its tables.
SELECT topic.create_topic('short');
SELECT topic.capture_table('few', 'short');
\set VERBOSITY terse
SELECT topic.drop_topic('short');
INSERT INTO few VALUES (5);
DROP FOREIGN TABLE topics.short CASCADE;
\set VERBOSITY default
INSERT INTO few VALUES (6);
SELECT * FROM topic.captured_tables;

-- Wrong arguments.
CREATE TABLE no_key (a int, b int);
CREATE VIEW a_view AS TABLE no_key;
SELECT topic.capture_table('no_key', 'plain');
SELECT topic.capture_table('no_key', 'missing', '{a}');
SELECT topic.capture_table('no_key', 'plain', '{c}');
SELECT topic.capture_table('no_key', 'plain', '{ctid}');
\set VERBOSITY terse
SELECT topic.capture_table('no_key', 'plain', '{a,a}');
SELECT topic.capture_table('pg_class', 'plain');
\set VERBOSITY default
SELECT topic.capture_table('no_key', 'plain', '{}');
SELECT topic.capture_table('no_key', 'plain', '{NULL}');
SELECT topic.capture_table('no_key', 'plain', '{a}', events => '{upsert}');
SELECT topic.capture_table('no_key', 'plain', '{a}', events => '{}');
SELECT topic.capture_table('no_key', 'plain', '{a}', events => NULL);
SELECT topic.capture_table('no_key', 'plain', '{a}', payload => 'avro');
SELECT topic.capture_table('no_key', 'plain', '{a}', snapshot => NULL);
SELECT topic.capture_table('no_key', NULL, '{a}');
SELECT topic.capture_table(NULL, 'plain', '{a}');
SELECT topic.capture_table(0, 'plain', '{a}');
SELECT topic.capture_table('a_view', 'plain', '{a}');
SELECT topic.capture_table('topics.plain', 'plain', '{key}');
SELECT topic.release_table('no_key');
SELECT topic.release_table('no_key', 'plain');
SELECT topic.release_table(NULL);
SELECT topic.capture_table('no_key', 'plain', '{b,a}');
SELECT topic.capture_table('no_key', 'plain', '{a}');
SELECT topic.release_table('no_key', 'mirror');
INSERT INTO no_key VALUES (1);
SELECT key FROM topics.plain WHERE key LIKE '{"b"%';
BEGIN READ ONLY;
SELECT topic.release_table('no_key');
ROLLBACK;
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
SELECT topic.capture_table('late', 'plain');

DROP VIEW a_view;
DROP TABLE few, late, no_key;
DROP TABLE shown;
DROP FUNCTION news, compare, insert_types, disturb, change;
DROP CAST (shape AS json);
DROP FUNCTION shape_json;
DROP TYPE shape, mood, pairs, times, positive, pair, span;
SELECT topic.drop_topic(topic) FROM topic.topics ORDER BY topic;
