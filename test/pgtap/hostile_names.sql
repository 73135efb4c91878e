-- Names that would end a string, a name or a command if they were pasted into SQL
-- or into a message, and text in scripts that most code forgets: they are names
-- like others, in every call that takes one.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;
SET pg_topic.offsets_topic = on;

CREATE TABLE canary (a int);
CREATE ROLE "regress_topic_'; DROP TABLE canary; --""\";
CREATE TEMP TABLE names (number int GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO names (name) VALUES
	('''; DROP TABLE canary; --'), ('"; DROP TABLE canary; --'), ('$$; DROP TABLE canary; $$'), ('\''; DROP TABLE canary; --'),
	('''||(SELECT 1/0)||'''), ('$1'), ('%s%n%d%m'), ('%1$s'), ('\'), (''''), (''''''), ('"'), ('{"a": 1}'), ('{a,b}'), ('NULL'), ('null'),
	(E'a\nb'), (E'\n'), (E'\t'), (E'\r\n'), (E'\x01'), (E'\x7f'), (' '), ('  x  '),
	('größe'), ('グループ'), (U&'\202Egpj.exe'), (U&'a\200Bb'), (U&'e\0301'), (U&'\00e9'), (U&'\FFFD'), (U&'\+01F600'),
	(repeat('g', 255)), (repeat('ü', 127)), ('../../etc/passwd'), ('pg_temp.x'), ('topic.groups'), ('-1'), ('0');
SELECT topic.create_topic('t', 2), topic.create_topic('dead');

CREATE FUNCTION use_name(n text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	producer record;
	o bigint;
BEGIN
	-- as key, value, header, idempotency key
	o := topic.produce('t', n, n, jsonb_build_array(jsonb_build_array(n, n)), partition => 0);
	RETURN NEXT results_eq(format('SELECT key, value, headers FROM topic.fetch_text(''t'', 0, %s, max_records => 1)', o),
		format('VALUES (%1$L, %1$L, jsonb_build_array(jsonb_build_array(%1$L, %1$L)))', n), 'a record');
	RETURN NEXT is(topic.produce('t', n, partition => 1, idempotency_key => n),
		topic.produce('t', n, partition => 1, idempotency_key => n), 'idempotency key');
	PERFORM topic.send('t', n, n, partition => 1);
	INSERT INTO topics.t (key, value) VALUES (n, n);
	RETURN NEXT is((SELECT sum(record_count)::int FROM topic.produce_query('t',
		format('SELECT %1$L::text AS value, %1$L::text AS key, 1 AS partition', n))), 1, 'produce_query');
	-- as a producer
	SELECT * INTO producer FROM topic.init_producer(n);
	RETURN NEXT is((topic.init_producer(n)).producer_id, producer.producer_id, 'a producer');
	-- as a group, metadata, reason
	RETURN NEXT is(count(*), 1::bigint, 'consume') FROM topic.consume(n, 't', 1, ARRAY[0]);
	PERFORM topic.commit(n, 't', 0, o, metadata => n);
	RETURN NEXT is(metadata, n, 'metadata') FROM topic.committed(n, 't');
	RETURN NEXT ok(topic.first_time(n, n), 'first_time');
	RETURN NEXT ok(NOT topic.first_time(n, n), 'second time');
	RETURN NEXT ok(NOT topic.dead_letter(n, 't', 0, o, n, max_attempts => 2), 'a failed attempt');
	RETURN NEXT ok(topic.dead_letter(n, 't', 0, o, n, 'dead'), 'a dead letter');
	RETURN NEXT is((SELECT h ->> 1 FROM jsonb_array_elements(d.headers) h WHERE h ->> 0 = '__dlq.errors.group'), n, 'its group')
		FROM topic.fetch_text('dead') d ORDER BY record_offset DESC LIMIT 1;
	RETURN NEXT is((SELECT count(*) FROM topic.reset_offsets(n, 't', 'earliest')), 2::bigint, 'reset_offsets');
	RETURN NEXT ok(topic.claim_key(n, 't') IS NOT NULL, 'claim_key');
	RETURN NEXT is((SELECT count(*) FROM topic.lag WHERE group_id = n), 2::bigint, 'lag');
	PERFORM topic.grant_group(n, (SELECT oid FROM pg_roles WHERE rolname ~ 'canary'));
	RETURN NEXT is(grantees, ARRAY[(SELECT oid::regrole FROM pg_roles WHERE rolname ~ 'canary')], 'group_info')
		FROM topic.group_info WHERE group_id = n;
	PERFORM topic.revoke_group(n, (SELECT oid FROM pg_roles WHERE rolname ~ 'canary'));
	PERFORM topic.delete_offsets(n, 't');
	-- as a member
	RETURN NEXT is((SELECT count(*) FROM topic.join_group(n, ARRAY['t'], n, instance_id => n)), 2::bigint, 'join_group');
	PERFORM topic.heartbeat(n, n);
	PERFORM FROM topic.poll_text(n, n);
	PERFORM topic.commit_polled(n, n);
	RETURN NEXT is(m.instance_id, n, 'members') FROM topic.members m WHERE group_id = n;
	PERFORM topic.leave_group(n, n);
	PERFORM topic.alter_topic('t', retain_until_consumed => ARRAY[n]);
	RETURN NEXT is(retain_until_consumed, ARRAY[n], 'retain_until_consumed') FROM topic.topics WHERE topic = 't';
EXCEPTION WHEN OTHERS THEN
	RETURN NEXT fail(format('%s: %s: %s', n, SQLSTATE, SQLERRM));
END
$$;
SELECT use_name(name) FROM names ORDER BY number;
SELECT set_eq('SELECT group_id::text FROM topic.groups', 'SELECT name FROM names', 'all are groups, by their names');
-- Similar names are other names.
SELECT is(count(DISTINCT topic.claim_key(name, 't')), count(*), 'each has claims of its own') FROM names;

-- Errors quote them, and no more.
SELECT throws_ok(format('SELECT topic.%s', replace(call, '?', quote_literal(name))), state, replace(message, '?', name))
	FROM names, (VALUES
		('produce(?, ''v'')', '42704', 'topic "?" does not exist'),
		('create_group(?)', '42710', 'group "?" already exists'),
		('commit(? || 1, ''t'')', '55000', NULL)) AS c (call, state, message)
	WHERE octet_length(name) < 60;

-- Names of topics that are SQL, or nearly
SELECT lives_ok(format('SELECT topic.create_topic(%L, cleanup_policy => ''compact,delete'', segment_bytes => 1)', name), name)
	FROM unnest(ARRAY['--', 'select', 'A', 'a', '1', '-', '...', 'a.b', 'pg_class', 'topics', '0x00', repeat('x', 59)]) name;
CREATE FUNCTION use_topic(n text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
BEGIN
	PERFORM topic.produce(n, i::text, 'k') FROM generate_series(1, 2) i;
	EXECUTE format('INSERT INTO topics.%I (key, value) VALUES (''k'', ''3'')', n);
	PERFORM topic.roll_segment(n), topic.alter_topic(n, 2, value_format => 'json');
	EXECUTE format('SELECT count(*) FROM topics.%I', n) INTO rows;
	RETURN NEXT is(rows, 2::bigint, n || ': produce and read');
	RETURN NEXT is((SELECT count(*) FROM topic.consume_json('g', n, commit => true)), 2::bigint, n || ': consume');
	RETURN NEXT ok(topic.dead_letter('g', n, 0, 0, 'bad'), n || ': dead_letter');
	EXECUTE format('CREATE TABLE %I (a int PRIMARY KEY)', 'captured into ' || n);
	PERFORM topic.capture_table(quote_ident('captured into ' || n)::regclass, n);
	EXECUTE format('INSERT INTO %I VALUES (1)', 'captured into ' || n);
	RETURN NEXT throws_ok(format('SELECT topic.drop_topic(%L)', n), '2BP01', NULL, n || ': captured');
	PERFORM topic.release_table(quote_ident('captured into ' || n)::regclass, n);
	PERFORM topic.delete_records(n, 0), topic.drop_topic(n || '.dlq'), topic.drop_topic(n);
	RETURN NEXT is((SELECT count(*) FROM topic.topics WHERE topic IN (n, n || '.dlq')), 0::bigint, n || ': gone');
EXCEPTION WHEN OTHERS THEN
	RETURN NEXT fail(format('%s: %s: %s', n, SQLSTATE, SQLERRM));
END
$$;
SELECT use_topic(topic) FROM topic.topics WHERE topic NOT IN ('t', 'dead', '__consumer_offsets') ORDER BY topic;
SELECT has_table('canary');

SELECT finish();
ROLLBACK;
