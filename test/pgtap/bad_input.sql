-- Bad input: each call ends with the SQLSTATE it should, and changes nothing:
-- neither what is stored, nor where this transaction stands in its group.
BEGIN;
SELECT no_plan();

CREATE ROLE regress_topic_other;
SELECT topic.create_topic('t', 2), topic.create_topic('j', value_format => 'json'),
	topic.create_topic('small', max_record_bytes => 10);
SELECT topic.produce('t', format('%s/%s', p, i), partition => p)
	FROM generate_series(0, 1) p, generate_series(0, 4) i;
GRANT SELECT, INSERT ON topics.t TO regress_topic_other;
SET ROLE regress_topic_other;
SELECT count(*) FROM topic.consume('other group', 't', 1, commit => true);
RESET ROLE;
CREATE FOREIGN TABLE hand_made (partition int, record_offset bigint, value text) SERVER pg_topic;

-- This transaction has consumed one record.
SELECT is(value, '0/0', 'consumed') FROM topic.consume_text('g', 't', 1, ARRAY[0]);

-- All that the extension has stored
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat(
		(SELECT string_agg(t::text, ',' ORDER BY topic) FROM topic.topics t),
		(SELECT string_agg(s::text, ',' ORDER BY topic_id, segment) FROM topic.segments s),
		(SELECT string_agg(c::text, ',' ORDER BY group_id, topic, partition) FROM topic.consumer_offsets c),
		(SELECT string_agg(g::text, ',' ORDER BY group_id) FROM topic.groups g),
		(SELECT string_agg(k::text, ',') FROM topic.idempotency_keys k),
		(SELECT string_agg(a::text, ',') FROM topic.failed_attempts a),
		(SELECT string_agg(p::text, ',') FROM topic.producers p),
		(SELECT string_agg(s::text, ',') FROM topic.producer_states s),
		(SELECT string_agg(k::text, ',') FROM topic.produced_keys k),
		(SELECT string_agg(r::text, ',') FROM topic.fetch('t') r),
		(SELECT string_agg(o::text, ',') FROM topic.topics, topic.offsets(topic) o),
		(SELECT string_agg(relname, ',' ORDER BY oid) FROM pg_class
			WHERE relnamespace IN ('topics'::regnamespace, 'topic_log'::regnamespace))))
$$;
CREATE TEMP TABLE before AS SELECT state();

-- Runs a command that must fail; tells how it did.
CREATE FUNCTION refused(command text, expected text, role text DEFAULT NULL)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	outcome text := 'ok';
	message text := '';
BEGIN
	BEGIN
		IF role IS NOT NULL THEN
			EXECUTE format('SET LOCAL ROLE %I', role);
		END IF;
		EXECUTE command;
	EXCEPTION WHEN OTHERS THEN
		outcome := SQLSTATE;
		message := SQLERRM;
	END;
	RETURN NEXT is(outcome, expected, format('%s: %s: %s', expected, command, message));
	RETURN NEXT is(state(), (SELECT b.state FROM before b), 'and changes nothing');
END
$$;

-- Topics that are not there
SELECT refused(format(command, 'nowhere'), '42704') FROM unnest(ARRAY[
	'SELECT topic.produce(%L, ''v'')',
	'SELECT topic.send(%L, ''v'')',
	'SELECT * FROM topic.produce_batch(%L, ARRAY[''v''])',
	'SELECT topic.produce(%L, ''v'', idempotency_key => ''k'')',
	'SELECT topic.produce(%L, ''v'', producer_id => 1, producer_epoch => 0, sequence => 0)',
	'SELECT * FROM topic.produce_query(%L, ''SELECT 1::text AS value'')',
	'SELECT * FROM topic.fetch(%L)',
	'SELECT * FROM topic.fetch_text(%L)',
	'SELECT * FROM topic.fetch_json(%L)',
	'SELECT * FROM topic.consume(''g'', %L)',
	'SELECT * FROM topic.consume_text(''g'', %L)',
	'SELECT * FROM topic.consume_json(''g'', %L)',
	'SELECT * FROM topic.commit(''g'', %L)',
	'SELECT topic.commit(''g'', %L, 0, 0)',
	'SELECT * FROM topic.reset_offsets(''g'', %L, ''latest'')',
	'SELECT * FROM topic.delete_offsets(''g'', %L)',
	'SELECT * FROM topic.committed(''g'', %L)',
	'SELECT topic.dead_letter(''g'', %L, 0, 0, ''bad'')',
	'SELECT topic.dead_letter(''g'', ''t'', 0, 0, ''bad'', %L)',
	'SELECT topic.time_for_offset(%L, 0, 0)',
	'SELECT * FROM topic.offsets(%L)',
	'SELECT * FROM topic.open_transactions(%L)',
	'SELECT topic.disk_bytes(%L)',
	'SELECT topic.partition_for_key(%L, ''k'')',
	'SELECT topic.alter_topic(%L, 2)',
	'SELECT topic.drop_topic(%L)',
	'SELECT topic.roll_segment(%L)',
	'SELECT topic.delete_records(%L, 0)',
	'SELECT topic.offset_for_time(%L, 0, now())',
	'SELECT * FROM topic.partition_sizes(%L)',
	'SELECT topic.disk_bytes(%L)',
	'SELECT * FROM topic.maintenance_due(%L)']) command;
-- Names that no topic has
SELECT refused(format('SELECT topic.produce(%L, ''v'')', name), '42704') FROM unnest(ARRAY[
	'', 'T', 't ', ' t', 'topics.t', '"t"', 't;', repeat('t', 63), repeat('t', 64), repeat('t', 100000)]) name;
SELECT refused(format('SELECT topic.create_topic(%L)', name), '22023') FROM unnest(ARRAY[
	'', '.', '..', ' ', 'a b', 'a/b', 'a"', 'a''', 'a%', E'a\n', repeat('x', 64)]) name;
SELECT refused('SELECT topic.create_topic(''t'')', '42710');

-- Partitions out of range
SELECT refused(format(command, partition), '22023') FROM unnest(ARRAY[
	'SELECT topic.produce(''t'', ''v'', partition => %s)',
	'SELECT topic.send(''t'', ''v'', partition => %s)',
	'INSERT INTO topics.t (partition) VALUES (%s)',
	'SELECT * FROM topic.produce_batch(''t'', ARRAY[''v''], partition => %s)',
	'SELECT topic.produce(''t'', ''v'', partition => %s, idempotency_key => ''k'')',
	'SELECT * FROM topic.produce_query(''t'', ''SELECT 1::text AS value, (%s)::int AS partition'')',
	'SELECT * FROM topic.fetch(''t'', %s)',
	'SELECT * FROM topic.fetch_text(''t'', %s)',
	'SELECT * FROM topic.consume(''g'', ''t'', partitions => ARRAY[%s])',
	'SELECT * FROM topic.consume(''g'', ''t'', partitions => ARRAY[0, %s])',
	'SELECT topic.commit(''g'', ''t'', %s, 0)',
	'SELECT topic.dead_letter(''g'', ''t'', %s, 0, ''bad'')',
	'SELECT topic.time_for_offset(''t'', %s, 0)',
	'SELECT * FROM topic.delete_offsets(''g'', ''t'', ARRAY[%s])',
	'SELECT topic.delete_records(''t'', %s)',
	'SELECT topic.offset_for_time(''t'', %s, now())',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', ''latest'', partitions => ARRAY[%s])']) command,
	unnest(ARRAY[-1, 2, 2147483647, -2147483648]) partition;
SELECT refused(format('SELECT topic.create_topic(''new'', %s)', n), '22023')
	FROM unnest(ARRAY[0, -1, 1001, 2147483647]) n;
SELECT refused('SELECT topic.alter_topic(''t'', 1)', '22023');

-- Offsets and numbers out of range
SELECT refused(command, '22023') FROM unnest(ARRAY[
	'SELECT * FROM topic.fetch(''t'', from_offset => -1)',
	'SELECT * FROM topic.fetch(''t'', to_offset => -1)',
	'SELECT * FROM topic.fetch(''t'', max_records => 0)',
	'SELECT * FROM topic.fetch(''t'', max_records => -2147483648)',
	'SELECT * FROM topic.consume(''g'', ''t'', 0)',
	'SELECT * FROM topic.consume(''g'', ''t'', -1)',
	'SELECT * FROM topic.consume(''g'', ''t'', max_partitions => 0)',
	'SELECT * FROM topic.consume(''g'', ''t'', max_partitions => -1)',
	'SELECT * FROM topic.consume(''g'', ''t'', offset_reset => ''beginning'')',
	'SELECT * FROM topic.consume(''g'', ''t'', offset_reset => '''')',
	'SELECT topic.commit(''g'', ''t'', 0, -1)',
	'SELECT topic.delete_records(''t'', 0, -1)',
	'SELECT topic.commit(''g'', ''t'', 0, -9223372036854775808)',
	'SELECT topic.time_for_offset(''t'', 0, -1)',
	'SELECT topic.dead_letter(''g'', ''t'', 0, 0, ''bad'', max_attempts => 0)',
	'SELECT topic.dead_letter(''g'', ''t'', 0, 0, ''bad'', ''t'')',
	'SELECT topic.first_time(''g'', '''')',
	'SELECT topic.produce(''t'', ''v'', idempotency_key => '''')',
	'SELECT topic.produce(''t'', ''v'', idempotency_key => repeat(''k'', 1025))',
	'SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => 1)',
	'SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => 1, producer_epoch => 0, sequence => -1)',
	'SELECT topic.produce(''t'', ''v'', partition => 0, producer_epoch => 0, sequence => 0)',
	'SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => 1, producer_epoch => 0, sequence => 0, idempotency_key => ''k'')',
	'SELECT * FROM topic.produce_batch(''t'', ARRAY[''v''], partition => 0, sequence => 0)',
	'SELECT topic.init_producer('''')',
	'SELECT topic.init_producer(repeat(''p'', 256))',
	'SELECT topic.alter_topic(''t'', idempotency_window => ''0'')',
	'SELECT * FROM topic.produce_query(''t'', '''')',
	'SELECT * FROM topic.produce_query(''t'', ''SELECT 1::text AS key'')',
	'SELECT * FROM topic.produce_query(''t'', ''SELECT 1 AS value'')',
	'SELECT * FROM topic.produce_query(''t'', ''DELETE FROM topic.groups RETURNING group_id AS value'')',
	'SELECT * FROM topic.produce_query(''t'', ''SELECT 1::text AS value; SELECT 1::text AS value'')',
	'SELECT topic.first_time(''g'', ''k'', ''-1 s'')',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', to_offset => -1)',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'')',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', ''earliest'', 1)',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', to_time => now(), shift_by => 1)',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', ''somewhere'')',
	'SELECT topic.alter_topic(''t'', retention => ''0'')',
	'SELECT topic.alter_topic(''t'', segment_age => ''-1 s'')',
	'SELECT topic.alter_topic(''t'', retention_bytes => 0)',
	'SELECT topic.alter_topic(''t'', tombstone_retention => ''-1 s'')',
	'SELECT topic.alter_topic(''t'', min_compaction_lag => ''-1 s'')',
	'SELECT topic.alter_topic(''t'', cleanup_policy => ''delete,compact'')',
	'SELECT topic.alter_topic(''t'', retain_until_consumed => ARRAY[''''])',
	'SELECT topic.alter_topic(''t'', reset => ''{name}'')']) command;
SELECT refused(command, '22003') FROM unnest(ARRAY[
	'SELECT topic.produce(''t'', ''v'', partition => 99999999999999::bigint::int)',
	'SELECT * FROM topic.consume(''g'', ''t'', (2147483647 + 1::bigint)::int)']) command;

-- NULL where none is allowed
SELECT refused(command, '22004') FROM unnest(ARRAY[
	'SELECT topic.create_topic(NULL)',
	'SELECT topic.create_topic(''new'', NULL)',
	'SELECT topic.create_topic(''new'', value_format => NULL)',
	'SELECT topic.alter_topic(NULL, 3)',
	'SELECT topic.alter_topic(''t'', reset => ARRAY[NULL])',
	'SELECT topic.drop_topic(NULL)',
	'SELECT topic.create_topic(''new'', merge_small_batches => NULL)',
	'SELECT topic.alter_topic(''t'', retain_until_consumed => ARRAY[NULL])',
	'SELECT topic.delete_records(NULL, 0)',
	'SELECT topic.delete_records(''t'', NULL)',
	'SELECT topic.produce(NULL, ''v'')',
	'SELECT topic.send(NULL, ''v'')',
	'SELECT * FROM topic.produce_query(NULL, ''SELECT 1::text AS value'')',
	'SELECT * FROM topic.produce_query(''t'', NULL)',
	'SELECT * FROM topic.produce_batch(NULL, ARRAY[''v''])',
	'SELECT * FROM topic.produce_batch(''t'', NULL::text[])',
	'SELECT * FROM topic.produce_batch(''t'', NULL::jsonb[])',
	'SELECT * FROM topic.fetch(NULL)',
	'SELECT * FROM topic.fetch_text(NULL)',
	'SELECT * FROM topic.consume(NULL, ''t'')',
	'SELECT * FROM topic.consume(''g'', NULL)',
	'SELECT * FROM topic.consume(''g'', ''t'', partitions => ARRAY[0, NULL])',
	'SELECT * FROM topic.consume(''g'', ''t'', commit => NULL)',
	'SELECT * FROM topic.consume(''g'', ''t'', offset_reset => NULL)',
	'SELECT * FROM topic.commit(NULL, ''t'')',
	'SELECT * FROM topic.commit(''g'', NULL)',
	'SELECT topic.commit(NULL, ''t'', 0, 0)',
	'SELECT topic.commit(''g'', NULL, 0, 0)',
	'SELECT topic.commit(''g'', ''t'', NULL, 0)',
	'SELECT topic.commit(''g'', ''t'', 0, NULL)',
	'SELECT * FROM topic.reset_offsets(NULL, ''t'', ''latest'')',
	'SELECT * FROM topic.reset_offsets(''g'', NULL, ''latest'')',
	'SELECT * FROM topic.delete_offsets(NULL, ''t'')',
	'SELECT * FROM topic.delete_offsets(''g'', NULL)',
	'SELECT * FROM topic.delete_offsets(''g'', ''t'', ARRAY[NULL]::int[])',
	'SELECT topic.create_group(NULL)',
	'SELECT topic.delete_group(NULL)',
	'SELECT topic.grant_group(NULL, ''pg_monitor'')',
	'SELECT topic.grant_group(''g'', NULL)',
	'SELECT topic.revoke_group(''g'', NULL)',
	'SELECT topic.first_time(NULL, ''k'')',
	'SELECT topic.first_time(''g'', NULL)',
	'SELECT topic.first_time(''g'', ''k'', NULL)',
	'SELECT topic.dead_letter(NULL, ''t'', 0, 0, ''bad'')',
	'SELECT topic.dead_letter(''g'', NULL, 0, 0, ''bad'')',
	'SELECT topic.dead_letter(''g'', ''t'', NULL, 0, ''bad'')',
	'SELECT topic.dead_letter(''g'', ''t'', 0, NULL, ''bad'')',
	'SELECT topic.dead_letter(''g'', ''t'', 0, 0, NULL)',
	'SELECT * FROM topic.committed(NULL, ''t'')',
	'SELECT * FROM topic.committed(''g'', NULL)']) command;
-- Groups that are not there, and one that is
SELECT refused(command, '42704') FROM unnest(ARRAY[
	'SELECT topic.delete_group(''nobody'')',
	'SELECT topic.grant_group(''nobody'', ''pg_monitor'')',
	'SELECT topic.grant_group(''g'', 1)',
	'SELECT topic.revoke_group(''nobody'', ''pg_monitor'')']) command;
SELECT refused('SELECT topic.create_group(''g'')', '42710');
-- Group names
SELECT refused(format(command, name), '22023') FROM unnest(ARRAY[
	'SELECT * FROM topic.consume(%L, ''t'')',
	'SELECT * FROM topic.commit(%L, ''t'')',
	'SELECT topic.commit(%L, ''t'', 0, 0)',
	'SELECT * FROM topic.reset_offsets(%L, ''t'', ''latest'')',
	'SELECT * FROM topic.delete_offsets(%L, ''t'')',
	'SELECT topic.create_group(%L)',
	'SELECT topic.delete_group(%L)',
	'SELECT topic.grant_group(%L, ''pg_monitor'')',
	'SELECT topic.first_time(%L, ''k'')',
	'SELECT topic.dead_letter(%L, ''t'', 0, 0, ''bad'')',
	'SELECT * FROM topic.committed(%L, ''t'')',
	'SELECT topic.claim_key(%L, ''t'')']) command, unnest(ARRAY['', repeat('g', 256)]) name;

-- Arrays of different length, and elements that do not fit
SELECT refused('SELECT * FROM topic.produce_batch(''t'', ' || arguments || ')', '22023') FROM unnest(ARRAY[
	'ARRAY[''a'', ''b''], ARRAY[''k'']',
	'ARRAY[''a''], ARRAY[''k'', ''l'']',
	'ARRAY[''a''], ''{}''',
	'''{}''::text[], ARRAY[''k'']',
	'ARRAY[''a''], headers => ARRAY[]::jsonb[]',
	'ARRAY[''a''], headers => ARRAY[jsonb ''{}'', ''{}'']',
	'ARRAY[''a''], record_timestamps => ARRAY[now(), now()]',
	'ARRAY[jsonb ''1''], ARRAY[''k'', ''l'']',
	'ARRAY[''\x61''::bytea], ARRAY[''\x61'', ''\x62'']::bytea[]',
	'ARRAY[''a'', ''b''], headers => ARRAY[jsonb ''{}'', ''5'']']) arguments;
-- Values
SELECT refused('SELECT topic.produce(''j'', ''no json'')', '22P02');
SELECT refused('SELECT topic.send(''j'', ''no json'')', '22P02');
SELECT refused('SELECT * FROM topic.produce_batch(''j'', ARRAY[''1'', ''{''])', '22P02');
SELECT refused('SELECT topic.produce(''j'', ''"\u0000"''::json)', '22P05');
SELECT refused('SELECT topic.send(''j'', ''"\u0000"''::json)', '22P05');
SELECT refused('SELECT topic.produce(''t'', ''\xff''::bytea)', '22021');
SELECT refused('SELECT topic.send(''t'', ''\xff''::bytea)', '22021');
SELECT refused('SELECT topic.produce(''t'', ''v'', ''\x00''::bytea)', '22021');
SELECT refused('SELECT topic.partition_for_key(''t'', ''\xff''::bytea)', '22021');
-- Producers that are not there, or somewhere else
SELECT refused(format('SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => %s, producer_epoch => %s, sequence => 0)', id, epoch), 'TP006')
	FROM unnest(ARRAY[0, -1, 2147483647, 9223372036854775807]) id, unnest(ARRAY[0, -1, 2147483647]) epoch;
SELECT producer_id FROM topic.init_producer('p') \gset
TRUNCATE before;
INSERT INTO before SELECT state();
SELECT refused(format('SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => %s, producer_epoch => 0, sequence => %s)', :producer_id, sequence), 'TP005')
	FROM unnest(ARRAY[1, 2147483647]) sequence;
SELECT refused(format('SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => %s, producer_epoch => %s, sequence => 0)', :producer_id, epoch), 'TP006')
	FROM unnest(ARRAY[-1, 1, 32768, 65536]) epoch;
SELECT refused(format('SELECT topic.produce(''t'', ''v'', producer_id => %s, producer_epoch => 0, sequence => 0)', :producer_id), '22023');
SELECT refused('SELECT topic.produce(''small'', ''more than ten'')', '54000');
SELECT refused('SELECT topic.send(''small'', ''more than ten'')', '54000');
SELECT refused('INSERT INTO topics.small (value) VALUES (''ten''), (''more than ten'')', '54000');
SELECT refused('SELECT * FROM topic.produce_batch(''small'', ARRAY[''a'', ''more than ten''])', '54000');
SELECT refused('SELECT topic.produce(''t'', ''v'', headers => ' || headers || ')', '22023') FROM unnest(ARRAY[
	'''1''', '''"h"''', '''null''', '''[1]''', '''[["h"]]''', '''[[1, "v"]]''', '''{"h": []}''', '''{"h": {}}''',
	'''{"h": {"hex": "0"}}''', '''{"h": {"hex": "xy"}}''']) headers;
SELECT refused('SELECT topic.produce(''t'', ''v'', record_timestamp => ' || t || ')', '22008') FROM unnest(ARRAY[
	'''infinity''', '''-infinity''', '''1969-12-31''', '''4000-01-01 BC''']) t;

-- Privileges, and another's group
REVOKE ALL ON topics.t FROM regress_topic_other;
SELECT refused(command, '42501', 'regress_topic_other') FROM unnest(ARRAY[
	'SELECT topic.produce(''t'', ''v'')',
	'SELECT * FROM topic.fetch(''t'')',
	'SELECT * FROM topics.t',
	'SELECT * FROM topic.consume(''other group'', ''t'')',
	'SELECT topic.alter_topic(''t'', 3)',
	'SELECT topic.drop_topic(''t'')',
	'SELECT topic.delete_records(''t'', 0)',
	'SELECT topic.create_topic(''new'')']) command;
GRANT SELECT ON topics.t TO regress_topic_other;
SELECT refused(command, '42501', 'regress_topic_other') FROM unnest(ARRAY[
	'SELECT * FROM topic.consume(''g'', ''t'')',
	'SELECT * FROM topic.commit(''g'', ''t'')',
	'SELECT topic.commit(''g'', ''t'', 0, 1)',
	'SELECT * FROM topic.reset_offsets(''g'', ''t'', ''latest'')',
	'SELECT * FROM topic.delete_offsets(''g'', ''t'')',
	'SELECT topic.delete_group(''g'')',
	'SELECT topic.grant_group(''g'', ''regress_topic_other'')',
	'SELECT topic.first_time(''g'', ''k'')',
	'SELECT topic.dead_letter(''g'', ''t'', 0, 0, ''bad'')',
	'SELECT * FROM topic.committed(''g'', ''t'')']) command;

-- Commits of what was not consumed, and past the end
SELECT refused('SELECT * FROM topic.commit(''another'', ''t'')', '55000');
SELECT refused('SELECT * FROM topic.commit(''g'', ''j'')', '55000');
SELECT refused('SELECT topic.commit(''g'', ''t'', 0, 6)', 'TP001');
SELECT refused('SELECT topic.commit(''g'', ''t'', 1, 9223372036854775807)', 'TP001');
SELECT refused('SELECT topic.commit(''g'', ''j'', 0, 1)', 'TP001');
SELECT refused('SELECT * FROM topic.reset_offsets(''g'', ''t'', to_offset => 6)', 'TP001');
SELECT refused(format('SELECT topic.dead_letter(''g'', ''t'', 0, %s, ''bad'')', o), 'TP001')
	FROM unnest(ARRAY[-1, 5, 9223372036854775807]) o;
SELECT refused('SELECT topic.dead_letter(''g'', ''j'', 0, 0, ''bad'', max_attempts => 2)', 'TP001');
SELECT refused('SELECT * FROM topic.consume(''another'', ''t'', offset_reset => ''none'')', 'TP001');
SELECT refused('SELECT topic.delete_records(''t'', 0, 6)', 'TP001');
SELECT refused('SELECT topic.delete_records(''t'', 1, 9223372036854775807)', 'TP001');
SELECT refused('SELECT topic.delete_records(''j'', 0, 1)', 'TP001');

-- Calls in the wrong place
SELECT refused(command, '0A000') FROM unnest(ARRAY[
	'SELECT topic.consume(''g'', ''t'')',
	'SELECT topic.consume_text(''g'', ''t'') LIMIT 1',
	'SELECT (topic.consume_json(''g'', ''t'')).value',
	'SELECT 1 WHERE EXISTS (SELECT topic.consume(''g'', ''t''))']) command;
SELECT refused('SELECT topic.on_sql_drop()', '39P03');
SELECT refused('CALL topic.maintain()', '25001');
SELECT refused('SELECT * FROM hand_made', '42809');
SELECT refused('CREATE FOREIGN TABLE h (v text) SERVER pg_topic OPTIONS (topic ''t'')', 'HV00D');
SELECT refused('UPDATE topics.t SET value = ''x''', '0A000');
SELECT refused('DELETE FROM topics.t', '0A000');
SELECT refused('TRUNCATE topics.t', '0A000');
SELECT refused('INSERT INTO hand_made (value) VALUES (''v'')', '42809');
SELECT refused('INSERT INTO topics.t (record_offset, value) VALUES (7, ''v'')', '428C9');
SELECT refused('INSERT INTO topics.t (value) VALUES (''v'') ON CONFLICT (value) DO NOTHING', '42P10');
SELECT refused('MERGE INTO topics.t USING (SELECT 1 AS a) s ON value = ''a'' WHEN MATCHED THEN DELETE', '0A000');
SELECT refused('CREATE VIEW v AS SELECT * FROM topics.t; SELECT topic.drop_topic(''t'')', '2BP01');

-- After all this the transaction goes on where it was.
SELECT is(value, '0/1', 'consume goes on') FROM topic.consume_text('g', 't', 1, ARRAY[0]);
SELECT results_eq('SELECT * FROM topic.commit(''g'', ''t'')', 'VALUES (0, 2::bigint)', 'commit does what it should');
SELECT is(topic.produce('t', 'next', partition => 0), 5::bigint, 'no offset was given away');

SELECT finish();
ROLLBACK;
