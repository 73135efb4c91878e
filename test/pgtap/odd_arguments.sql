-- Every function of the extension with every kind of odd argument: what comes is a
-- result, or an error that says what is wrong; never an internal one, and the
-- server lives.
BEGIN;
SELECT no_plan();
SET client_min_messages = error;

SELECT topic.create_topic('t', 2);
SELECT topic.produce('t', '1', 'k', partition => 0);
SELECT topic.create_group('g');
SELECT count(*) FROM topic.join_group('members', ARRAY['t'], 'm');
CREATE TABLE captured (a int PRIMARY KEY);
CREATE ROLE regress_topic_other;

-- What a call of any kind takes if all is well, and what it may be given instead
CREATE TEMP TABLE benign AS SELECT * FROM (VALUES
	('topic', 'text', 't'), ('group_id', 'text', 'g'), ('member_id', 'text', 'm'), ('partition', 'integer', '0'),
	('partitions', 'integer', '2'), ('value', 'json', '1'), ('value', 'jsonb', '1'), ('record_offset', 'bigint', '0'),
	('topics', 'text[]', '{t}'), ('from_offset', 'bigint', '0'), ('next_offset', 'bigint', '0'), ('sequence', 'integer', NULL),
	('record_values', 'jsonb[]', '{1}'), ('record_values', 'text[]', '{1}'), ('record_values', 'bytea[]', '{1}'),
	('query', 'text', 'SELECT 1::text AS value'), ('table_name', 'regclass', 'captured'),
	('role', 'regrole', 'regress_topic_other'), ('max_records', 'integer', '1')) AS v (argument, type, value);
CREATE TEMP TABLE odd AS SELECT * FROM (VALUES
	('text', ARRAY[NULL, '', ' ', 'missing', E'\n', repeat('x', 100000), '__consumer_offsets', 't.dlq']),
	('integer', ARRAY[NULL, '-1', '1001', '2147483647', '-2147483648']),
	('smallint', ARRAY[NULL, '-1', '32767', '-32768']),
	('bigint', ARRAY[NULL, '-1', '9223372036854775807', '-9223372036854775808']),
	('boolean', ARRAY[NULL, 'true', 'false']),
	('interval', ARRAY[NULL, '0', '-1 s', '178000000 years', '-178000000 years', '2147483647 days']),
	('timestamp with time zone', ARRAY[NULL, 'infinity', '-infinity', '4714-11-24 BC', '294276-12-31', '1970-01-01']),
	('text[]', ARRAY[NULL, '{}', '{NULL}', '{{a,b},{c,d}}', '[5:6]={a,b}', '{t,t}']),
	('integer[]', ARRAY[NULL, '{}', '{NULL}', '{{0,1},{0,1}}', '[-5:-4]={0,1}', '{0,0}', '{-1}']),
	('bigint[]', ARRAY[NULL, '{}', '{NULL}', '{{0,1},{0,1}}', '{-1}', '{9223372036854775807}']),
	('bytea', ARRAY[NULL, '', '\x00', '\xff']),
	('bytea[]', ARRAY[NULL, '{}', '{NULL}', '{{a},{b}}', '{"\\xff"}']),
	('jsonb', ARRAY[NULL, 'null', '{}', '[]', '1', '"x"', '[[1,2]]', '[["a"]]', '{"a": null}', '{"a": {}}', '[["a", "b", "c"]]']),
	('json', ARRAY[NULL, 'null', '1', '"\u0000"', '{"a":1,"a":2}']),
	('jsonb[]', ARRAY[NULL, '{}', '{NULL}', '{{"{}"},{"{}"}}', '{1}']),
	('timestamp with time zone[]', ARRAY[NULL, '{}', '{NULL}', '{infinity}', '{{now},{now}}']),
	('uuid', ARRAY[NULL, '00000000-0000-0000-0000-000000000000']),
	('regclass', ARRAY[NULL, '0', 'topics.t', 'topic.topics', 'pg_catalog.pg_class', 'topic.topics_pkey', 'topic.lag', '4294967295']),
	('regrole', ARRAY[NULL, '0', '4294967295']),
	('oid', ARRAY[NULL, '0', '4294967295']),
	('topic.header[]', ARRAY[NULL, '{}', '{NULL}', '{"(,)"}', '{"(a,)","(,\\\\x00)"}', '{{"(a,)"},{"(b,)"}}'])) AS v (type, "values");

-- The calls: of each function all arguments as above, left out, or NULL; then each
-- in turn with each odd value of its type; and all NULL. Functions of members are
-- called for the group that has one.
CREATE TEMP TABLE arguments AS
	SELECT p.oid AS function, proname, pronargs, position, argument, type,
		CASE WHEN argument = 'group_id' AND 'member_id' = ANY (proargnames[:pronargs]) THEN 'members' ELSE b.value END AS value,
		position > pronargs - pronargdefaults AS has_default
	FROM pg_depend JOIN pg_proc p ON p.oid = objid,
		unnest(proargtypes::regtype[]::text[], proargnames[:pronargs]) WITH ORDINALITY a (type, argument, position)
		LEFT JOIN benign b USING (argument, type)
	WHERE classid = 'pg_proc'::regclass AND deptype = 'e' AND prokind = 'f' AND NOT 'internal'::regtype = ANY (proargtypes::regtype[])
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_topic');
SELECT is_empty('SELECT DISTINCT type FROM arguments EXCEPT SELECT type FROM odd', 'there are odd values of all types');
CREATE TEMP TABLE calls AS
	SELECT a.function, format('SELECT * FROM topic.%I(%s)', a.proname, string_agg(
		format('%s => %L::%s', b.argument, CASE WHEN a.position = b.position THEN odd_value ELSE b.value END, b.type), ', ')) AS call
	FROM arguments a JOIN odd ON odd.type = a.type
		CROSS JOIN LATERAL (SELECT unnest("values") UNION ALL SELECT a.value) v (odd_value)
		JOIN arguments b ON b.function = a.function
	WHERE a.position = b.position OR NOT b.has_default OR b.value IS NOT NULL
	GROUP BY a.function, a.proname, a.position, odd_value
	UNION ALL
	SELECT function, format('SELECT * FROM topic.%I(%s)', proname, string_agg(format('NULL::%s', type), ', ' ORDER BY position))
	FROM arguments GROUP BY function, proname;

-- How a call ends; it is undone.
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result record;
BEGIN
	FOR result IN EXECUTE call LOOP
	END LOOP;
	RAISE SQLSTATE 'ZZ000';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE outcomes AS SELECT function, call, outcome(call) FROM calls;
SELECT is(string_agg(outcome || ': ' || call, E'\n') FILTER (WHERE outcome ~ '^(XX|58|53|42883)'), NULL, function::regprocedure::text)
	FROM outcomes GROUP BY function ORDER BY function;
-- All but those that need something to commit or to release
SELECT is_empty($$
	SELECT function::regprocedure FROM outcomes GROUP BY function HAVING NOT bool_or(outcome = 'ZZ000')
	EXCEPT SELECT unnest('{"topic.commit(text,text)","topic.release_table(regclass,text)"}'::regprocedure[])
	$$, 'each function has been right');

SELECT finish();
ROLLBACK;
