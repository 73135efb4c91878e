-- Who may do what: every call as every kind of role. And whose a consumer group
-- is. A function of the extension that no command here calls fails the test, and
-- so does an overload of one.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;
SET track_functions = 'all';

CREATE ROLE regress_topic_super SUPERUSER;
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_member IN ROLE regress_topic_owner;
CREATE ROLE regress_topic_reader;
CREATE ROLE regress_topic_writer;
CREATE ROLE regress_topic_columns;
CREATE ROLE regress_topic_creator;
CREATE ROLE regress_topic_nobody;
CREATE ROLE regress_topic_monitor IN ROLE pg_monitor;
CREATE TEMP TABLE roles AS SELECT unnest(ARRAY['super', 'owner', 'member', 'reader',
	'writer', 'columns', 'creator', 'nobody', 'monitor']) AS name;
GRANT CREATE ON SCHEMA topics TO regress_topic_owner, regress_topic_creator;

SET ROLE regress_topic_owner;
SELECT topic.create_topic('t', 2);
SELECT producer_id FROM topic.init_producer('of owner') \gset
RESET ROLE;
GRANT SELECT ON topics.t TO regress_topic_reader;
GRANT INSERT ON topics.t TO regress_topic_writer;
GRANT SELECT (partition, record_offset), INSERT (value) ON topics.t TO regress_topic_columns;
SELECT topic.produce('t', '1', partition => p) FROM generate_series(0, 1) p;
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics \gset
-- To write dead letters to, for the owner of 't'
SELECT topic.create_topic('dead');
SELECT topic.produce('dead', 'v');
GRANT INSERT ON topics.dead TO regress_topic_owner, regress_topic_writer;
GRANT SELECT ON topics.dead TO regress_topic_writer;
-- Tables to capture
CREATE TABLE captured (a int PRIMARY KEY);
CREATE TABLE of_owner (a int PRIMARY KEY);
CREATE TABLE of_reader (a int PRIMARY KEY);
ALTER TABLE captured OWNER TO regress_topic_owner;
ALTER TABLE of_owner OWNER TO regress_topic_owner;
ALTER TABLE of_reader OWNER TO regress_topic_reader;
GRANT INSERT ON captured TO PUBLIC;
GRANT ALL ON of_owner TO PUBLIC;
SELECT topic.create_topic('changes');
GRANT INSERT ON topics.changes TO regress_topic_owner;
SELECT topic.capture_table('captured', 'changes');

-- How a command ends when a role runs it: 'ok' or the SQLSTATE. Its effects
-- are undone.
CREATE FUNCTION outcome(role text, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE regress_topic_%s', role);
	EXECUTE command;
	RAISE SQLSTATE 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END
$$;

-- Each command, and the roles that may run it; the others get 42501.
CREATE TEMP TABLE commands (number int GENERATED ALWAYS AS IDENTITY, command text, allowed text[]);
\set owners '{super,owner,member}'
\set readers '{super,owner,member,reader}'
\set writers '{super,owner,member,writer}'
\set creators '{super,owner,member,creator}'
\set supers '{super}'
\set everybody '{super,owner,member,reader,writer,columns,creator,nobody,monitor}'
INSERT INTO commands (command, allowed) VALUES
	('SELECT topic.create_topic(''new'')', :'creators'),
	('SELECT topic.create_topic(''t'', if_not_exists => true)', :'everybody'),
	('SELECT topic.alter_topic(''t'', max_record_bytes => 5)', :'owners'),
	('SELECT topic.alter_topic(''t'', partitions => 3)', :'owners'),
	('SELECT topic.alter_topic(''t'', value_format => ''bytes'')', :'owners'),
	('SELECT topic.alter_topic(''t'')', :'owners'),
	('SELECT topic.drop_topic(''t'')', :'owners'),
	('SELECT topic.drop_topic(''t'', if_exists => true)', :'owners'),
	('SELECT topic.drop_topic(''missing'', if_exists => true)', :'everybody'),
	('SELECT topic.roll_segment(''t'')', :'owners'),
	('SELECT topic.delete_records(''t'', 0)', :'owners'),
	('SELECT topic.delete_records(''t'', 0, 0)', :'owners'),
	('DROP FOREIGN TABLE topics.t', :'owners'),
	('ALTER FOREIGN TABLE topics.t RENAME TO u', :'owners'),
	('SELECT topic.produce(''t'', ''v'')', :'writers'),
	('SELECT topic.produce(''t'', ''\x76''::bytea)', :'writers'),
	('SELECT topic.produce(''t'', ''1''::jsonb, 1)', :'writers'),
	('SELECT * FROM topic.produce_batch(''t'', ARRAY[''v''])', :'writers'),
	('SELECT * FROM topic.produce_batch(''t'', ''{}''::text[])', :'writers'),
	('SELECT topic.send(''t'', ''v'')', :'writers'),
	('SELECT topic.send(''t'', ''\x76''::bytea)', :'writers'),
	('SELECT topic.send(''t'', ''1''::jsonb, 1)', :'writers'),
	('SET LOCAL pg_topic.send_buffer = 64', :'everybody'),
	('INSERT INTO topics.t (value) VALUES (''v'')', '{super,owner,member,writer,columns}'),
	('INSERT INTO topics.t (key, value) VALUES (''k'', ''v'')', :'writers'),
	('INSERT INTO topics.t (value) VALUES (''v'') RETURNING record_offset', '{super,owner,member,columns}'),
	('INSERT INTO topics.t (value) VALUES (''v'') RETURNING *', :'owners'),
	('SELECT topic.produce(''t'', ''v'', idempotency_key => ''k'')', :'writers'),
	('SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => producer_id, producer_epoch => producer_epoch, sequence => 0)
		FROM topic.init_producer(''new'')', :'writers'),
	('SELECT b.* FROM topic.init_producer() i, LATERAL topic.produce_batch(''t'', ARRAY[''v''], partition => 0,
		producer_id => i.producer_id, producer_epoch => i.producer_epoch, sequence => 0) b', :'writers'),
	('SELECT topic.init_producer(''new'')', :'everybody'),
	('SELECT topic.init_producer()', :'everybody'),
	('SELECT topic.init_producer(''of owner'')', :'owners'),
	('SELECT topic.produce(''t'', ''v'', partition => 0, producer_id => ' || :producer_id || ', producer_epoch => 0, sequence => 0)', :'owners'),
	('SELECT * FROM topic.produce_query(''t'', ''SELECT 1::text AS value'')', :'writers'),
	('SELECT * FROM topic.produce_query(''t'', ''SELECT value FROM topics.t'')', :'owners'),
	('SELECT * FROM topic.produce_query(''t'', ''SELECT group_id AS value FROM topic.groups'')', :'supers'),
	('SELECT topic.partition_for_key(''t'', ''k'')', :'everybody'),
	('SELECT * FROM topic.fetch(''t'')', :'readers'),
	('SELECT * FROM topic.fetch_text(''t'')', :'readers'),
	('SELECT * FROM topic.fetch_json(''t'', from_offset => 5)', :'readers'),
	-- in FROM they are scans, with checks of their own
	('SELECT topic.fetch(''t'')', :'readers'),
	('SELECT topic.fetch_text(''t'')', :'readers'),
	('SELECT topic.fetch_json(''t'', from_offset => 5)', :'readers'),
	('SELECT * FROM topic.consume(''new group'', ''t'') WITH ORDINALITY', :'readers'),
	('SELECT * FROM topic.consume_text(''new group'', ''t'') WITH ORDINALITY', :'readers'),
	('SELECT * FROM topic.consume_json(''new group'', ''t'', offset_reset => ''latest'') WITH ORDINALITY', :'readers'),
	('SELECT * FROM topics.t', :'readers'),
	('COPY (SELECT * FROM topics.t) TO ''/dev/null''', '{super}'),
	('EXPLAIN SELECT * FROM topics.t', :'readers'),
	('EXPLAIN SELECT * FROM topic.fetch(''t'')', :'everybody'),
	('EXPLAIN ANALYZE SELECT * FROM topic.fetch(''t'')', :'readers'),
	('SELECT record_offset FROM topics.t', '{super,owner,member,reader,columns}'),
	('SELECT * FROM topic.consume(''new group'', ''t'')', :'readers'),
	('SELECT * FROM topic.consume_text(''new group'', ''t'', commit => true)', :'readers'),
	('SELECT * FROM topic.consume_json(''new group'', ''t'', offset_reset => ''latest'')', :'readers'),
	('SELECT topic.commit(''new group'', ''t'', 0, 1)', :'readers'),
	('SELECT * FROM topic.reset_offsets(''new group'', ''t'', ''latest'')', :'readers'),
	('SELECT * FROM topic.reset_offsets(''new group'', ''t'', ''latest'', dry_run => true)', :'readers'),
	('SELECT * FROM topic.committed(''new group'', ''t'')', :'readers'),
	('SELECT * FROM topic.delete_offsets(''new group'', ''t'')', :'readers'),
	('SELECT topic.dead_letter(''new group'', ''t'', 0, 0, ''bad'')', :'readers'),
	('SELECT topic.dead_letter(''new group'', ''t'', 0, 0, ''bad'', max_attempts => 9)', :'readers'),
	('SELECT topic.dead_letter(''new group'', ''t'', 0, 0, ''bad'', ''dead'')', '{super,owner,member}'),
	('SELECT topic.dead_letter(''new group'', ''dead'', 0, 0, ''bad'', ''t'')', '{super,writer}'),
	('SELECT topic.first_time(''new group'', ''key'')', :'everybody'),
	('SELECT topic.create_group(''new group'')', :'everybody'),
	('SET LOCAL pg_topic.offsets_topic = on', :'supers'),
	('SELECT * FROM topic.join_group(''new group'', ARRAY[''t''])', :'readers'),
	('SELECT * FROM topic.join_group(''new group'', ARRAY[''later'', ''t''])', :'readers'),
	('SELECT * FROM topic.join_group(''new group'', ARRAY[''later''])', :'everybody'),
	('SELECT * FROM topic.offsets(''t'')', :'readers'),
	('SELECT topic.time_for_offset(''t'', 0, 0)', :'readers'),
	('SELECT * FROM topic.open_transactions(''t'')', :'readers'),
	('SELECT topic.disk_bytes(''t'')', :'readers'),
	('SELECT topic.offset_for_time(''t'', 0, now())', :'readers'),
	('SELECT * FROM topic.partition_sizes(''t'')', :'readers'),
	('SELECT * FROM topic.maintenance_due(''t'')', :'readers'),
	('SELECT topic.claim_key(''g'', ''t'')', :'everybody'),
	('SELECT topic.library_version()', :'everybody'),
	('SELECT topic.headers_to_jsonb(''{}'')', :'everybody'),
	-- capture: with the rights of the table's owner
	('SELECT topic.capture_table(''of_owner'', ''t'')', :'owners'),
	('SELECT topic.capture_table(''of_reader'', ''t'')', '{}'),
	('SELECT topic.release_table(''captured'')', :'owners'),
	('INSERT INTO captured VALUES (1)', :'everybody'),
	('CREATE TRIGGER mine AFTER INSERT ON of_owner FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''t'', ''row'')', :'owners'),
	('TABLE topic.captured_tables', :'everybody'),
	('TABLE topic.lag', :'everybody'),
	('TABLE topic.open_producers', :'everybody'),
	('TABLE topic.claims', :'everybody'),
	('TABLE topic.topic_stats', :'everybody'),
	('TABLE topic.partition_stats', :'everybody'),
	('TABLE topic.maintenance', :'everybody'),
	('TABLE topic.group_info', :'everybody'),
	('TABLE topic.members', :'everybody'),
	('TABLE topic.assignments', :'everybody'),
	-- the catalog and the log
	('TABLE topic.topics', :'everybody'),
	('TABLE topic.segments', :'supers'),
	('TABLE topic.consumer_offsets', :'supers'),
	('TABLE topic.groups', :'supers'),
	('TABLE topic.idempotency_keys', :'supers'),
	('TABLE topic.failed_attempts', :'supers'),
	('TABLE topic.producers', :'supers'),
	('TABLE topic.producer_states', :'supers'),
	('TABLE topic.produced_keys', :'supers'),
	('UPDATE topic.producers SET producer_epoch = 0', :'supers'),
	('DELETE FROM topic.producer_states', :'supers'),
	('DELETE FROM topic.produced_keys', :'supers'),
	('SELECT nextval(''topic.producers_producer_id_seq'')', :'supers'),
	('DELETE FROM topic.idempotency_keys', :'supers'),
	('TABLE topic.group_members', :'supers'),
	('TABLE topic.member_heartbeats', :'supers'),
	('TABLE topic.member_positions', :'supers'),
	('DELETE FROM topic.group_members', :'supers'),
	('TABLE topic.maintenance_totals', :'supers'),
	('DELETE FROM topic.maintenance_totals', :'supers'),
	('UPDATE topic.topics SET partitions = 9', :'supers'),
	('DELETE FROM topic.topics', :'supers'),
	('DELETE FROM topic.segments', :'supers'),
	('INSERT INTO topic.groups VALUES (''mine'', ''regress_topic_nobody'')', :'supers'),
	('UPDATE topic.consumer_offsets SET committed_offset = 0', :'supers'),
	('LOCK TABLE topic.topics IN EXCLUSIVE MODE', :'supers'),
	('SELECT nextval(''topic.topics_topic_id_seq'')', :'supers'),
	('TABLE ' || :'segment', :'supers'),
	('DELETE FROM ' || :'segment', :'supers'),
	('TRUNCATE ' || :'segment', :'supers'),
	('DROP TABLE ' || :'segment', :'supers'),
	('CREATE TABLE topic_log.mine (a int)', :'supers'),
	('CREATE TABLE topic.mine (a int)', :'supers'),
	('CREATE TABLE topics.mine (a int)', :'creators'),
	('SELECT topic.fdw_handler()', :'supers'),
	('SELECT topic.fdw_validator(''{}'', 0)', :'supers');
-- Each overload of what takes values and keys
INSERT INTO commands (command, allowed)
	SELECT format('SELECT * FROM topic.%I(%s)', proname, string_agg(format('%I => %L::%s', argument, sample, type), ', ' ORDER BY position)),
		CASE proname WHEN 'partition_for_key' THEN :'everybody' ELSE :'writers' END::text[]
	FROM pg_proc, unnest(proargtypes::regtype[]::text[], proargnames) WITH ORDINALITY a (type, argument, position),
		jsonb_each_text('{"text": "t", "json": "1", "jsonb": "1", "bytea": "v", "bigint": "1", "text[]": "{v}", "jsonb[]": "{1}",
			"bytea[]": "{v}", "uuid": "01234567-89ab-cdef-0123-456789abcdef"}') s (sample_type, sample)
	WHERE pronamespace = 'topic'::regnamespace AND proname IN ('produce', 'produce_batch', 'send', 'partition_for_key')
		AND argument IN ('topic', 'value', 'key', 'record_values', 'keys') AND sample_type = type
	GROUP BY pg_proc.oid ORDER BY pg_proc.oid;
SELECT is(outcome(name, command),
		CASE WHEN name = ANY (allowed) THEN 'ok' ELSE '42501' END,
		name || ': ' || command)
	FROM commands, roles ORDER BY number, name;
SELECT is(outcome(name, 'SELECT topic.on_sql_drop()'),
		CASE name WHEN 'super' THEN '39P03' ELSE '42501' END, name || ': on_sql_drop')
	FROM roles ORDER BY name;
SELECT topic.release_table('captured');
SELECT topic.drop_topic('dead'), topic.drop_topic('changes');
-- Who owned this topic would read what all groups commit.
SELECT is(outcome(name, 'SELECT topic.create_topic(''__consumer_offsets'')'),
		CASE WHEN name = 'super' THEN 'ok' WHEN name = ANY (:'creators') THEN '42939' ELSE '42501' END,
		name || ': __consumer_offsets')
	FROM roles ORDER BY name;
-- Whose topics are maintained: sql/maintenance.sql. It cannot be called here.
SELECT is(outcome(name, 'CALL topic.maintain()'), '25001', name || ': maintain') FROM roles ORDER BY name;
-- Only the planner can: PostgreSQL has no values of type internal, and since
-- version 17 finds no function for them.
SELECT matches(outcome(name, format('SELECT topic.%s(NULL)', function)), '0A000|42883', name || ': ' || function)
	FROM roles, unnest(ARRAY['fetch_support', 'consume_support']) function ORDER BY function, name;
-- What it needs: sql/wait_for_records.sql. It cannot be called here, either.
SELECT is(outcome(name, command), '25001', name || ': ' || command)
	FROM roles, unnest(ARRAY[
		'CALL topic.wait_for_records(''g'', ''t'')',
		'CALL topic.wait_for_records(''g'', ARRAY[''t''])',
		'CALL topic.wait_for_records(''t'', ARRAY[0])']) command ORDER BY command, name;
-- Privileges come before what else may be wrong with a call.
SELECT is(outcome('nobody', command), '42501', 'nobody: ' || command) FROM unnest(ARRAY[
	'SELECT topic.produce(''t'', ''v'', partition => 9)',
	'SELECT * FROM topic.fetch(''t'', 9)',
	'SELECT * FROM topic.consume(''g'', ''t'', partitions => ARRAY[9])',
	'SELECT topic.commit(''g'', ''t'', 0, 999)',
	'SELECT topic.delete_records(''t'', 9)',
	'SELECT topic.delete_records(''t'', 0, 999)',
	'SELECT topic.offset_for_time(''t'', 9, now())',
	'SELECT topic.alter_topic(''t'', partitions => 1)']) command;

-- Grants and revokes take effect at once.
GRANT INSERT ON topics.t TO regress_topic_nobody;
SELECT is(outcome('nobody', 'SELECT topic.produce(''t'', ''v'')'), 'ok', 'granted');
REVOKE INSERT ON topics.t FROM regress_topic_nobody;
SELECT is(outcome('nobody', 'SELECT topic.produce(''t'', ''v'')'), '42501', 'revoked');
GRANT SELECT ON topics.t TO PUBLIC;
SELECT is(outcome('nobody', 'SELECT * FROM topic.consume(''new group'', ''t'')'), 'ok', 'granted to public');
REVOKE SELECT ON topics.t FROM PUBLIC;
REVOKE SELECT ON topics.t FROM regress_topic_owner;
SELECT is(outcome('owner', 'SELECT * FROM topic.fetch(''t'')'), '42501', 'the owner revoked his own');
SELECT is(outcome('owner', 'SELECT topic.alter_topic(''t'')'), 'ok', 'and is the owner still');
GRANT SELECT ON topics.t TO regress_topic_owner;
-- So does a change of owner.
ALTER FOREIGN TABLE topics.t OWNER TO regress_topic_creator;
SELECT is(outcome('creator', 'SELECT topic.alter_topic(''t'', 3)'), 'ok', 'the new owner');
SELECT is(outcome('owner', 'SELECT topic.alter_topic(''t'', 3)'), '42501', 'the old owner');
SELECT is(outcome('creator', 'SELECT topic.drop_topic(''t'')'), 'ok', 'the new owner');
SELECT is(owner, 'regress_topic_creator', 'topic_stats shows the owner') FROM topic.topic_stats;
ALTER FOREIGN TABLE topics.t OWNER TO regress_topic_owner;
-- Without USAGE on a schema nothing can be called, or created.
REVOKE USAGE ON SCHEMA topic FROM PUBLIC;
SELECT is(outcome('owner', 'SELECT topic.produce(''t'', ''v'')'), '42501', 'no USAGE on schema topic');
GRANT USAGE ON SCHEMA topic TO PUBLIC;
REVOKE USAGE ON FOREIGN SERVER pg_topic FROM PUBLIC;
SELECT is(outcome('creator', 'SELECT topic.create_topic(''new'')'), '42501', 'no USAGE on server pg_topic');
GRANT USAGE ON FOREIGN SERVER pg_topic TO PUBLIC;

-- Functions with the rights of their definer
CREATE FUNCTION produce_for_anybody() RETURNS bigint SECURITY DEFINER SET search_path = pg_catalog
	LANGUAGE sql AS $$ SELECT topic.produce('t', 'by definer') $$;
ALTER FUNCTION produce_for_anybody() OWNER TO regress_topic_writer;
SELECT is(outcome('nobody', 'SELECT produce_for_anybody()'), 'ok', 'SECURITY DEFINER');
-- What a topic's owner makes belongs to him; the log does not.
SELECT is(relowner::regrole::text, 'regress_topic_owner', 'owner of the relation')
	FROM pg_class WHERE oid = 'topics.t'::regclass;
SELECT is(c.relowner, n.nspowner, 'owner of the log is that of the extension')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = :'segment'::regclass;

-- Groups
GRANT SELECT ON topics.t TO regress_topic_nobody, regress_topic_writer;
SET ROLE regress_topic_owner;
SELECT count(*) FROM topic.consume('group of owner', 't', commit => true);
SET ROLE regress_topic_reader;
SELECT count(*) FROM topic.consume('group of reader', 't', commit => true);
SET ROLE regress_topic_owner;
SELECT count(*) FROM topic.join_group('members of owner', ARRAY['t'], 'm');
RESET ROLE;
SELECT is(string_agg(group_id || ': ' || owner, ', ' ORDER BY group_id),
		'group of owner: regress_topic_owner, group of reader: regress_topic_reader, members of owner: regress_topic_owner',
		'a group belongs to who used it first')
	FROM topic.groups;
CREATE TEMP TABLE group_commands (number int GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO group_commands (command) VALUES
	('SELECT * FROM topic.consume(''group of owner'', ''t'')'),
	('SELECT * FROM topic.consume_text(''group of owner'', ''t'', commit => true)'),
	('SELECT * FROM topic.consume_json(''group of owner'', ''t'')'),
	('SELECT topic.commit(''group of owner'', ''t'', 0, 1)'),
	('SELECT * FROM topic.reset_offsets(''group of owner'', ''t'', ''earliest'')'),
	('SELECT * FROM topic.reset_offsets(''group of owner'', ''t'', ''earliest'', dry_run => true)'),
	('SELECT * FROM topic.committed(''group of owner'', ''t'')'),
	('SELECT * FROM topic.join_group(''group of owner'', ARRAY[''t''])'),
	('SELECT * FROM topic.join_group(''members of owner'', ARRAY[''t''], ''m'')'),
	('SELECT * FROM topic.heartbeat(''members of owner'', ''m'')'),
	('SELECT * FROM topic.poll(''members of owner'', ''m'')'),
	('SELECT * FROM topic.poll(''members of owner'', ''m'') WITH ORDINALITY'),
	('SELECT * FROM topic.poll_text(''members of owner'', ''m'') WITH ORDINALITY'),
	('SELECT * FROM topic.poll_json(''members of owner'', ''m'') WITH ORDINALITY'),
	('SELECT * FROM topic.poll_text(''members of owner'', ''m'', commit => true)'),
	('SELECT * FROM topic.poll_json(''members of owner'', ''m'')'),
	('SELECT * FROM topic.commit_polled(''members of owner'', ''m'')'),
	('SELECT topic.commit(''members of owner'', ''t'', 0, 1, member_id => ''m'')'),
	('SELECT topic.leave_group(''members of owner'', ''m'')'),
	('SELECT * FROM topic.delete_offsets(''group of owner'', ''t'')'),
	('SELECT topic.dead_letter(''group of owner'', ''t'', 0, 0, ''bad'')'),
	('SELECT topic.first_time(''group of owner'', ''key'')');
SELECT is(outcome(name, command),
		CASE WHEN name IN ('super', 'owner', 'member') THEN 'ok' ELSE '42501' END,
		name || ': ' || command)
	FROM group_commands, roles ORDER BY number, name;
-- A grant lets use it; it is the owner who administers it.
CREATE TEMP TABLE owner_commands (number int GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO owner_commands (command) VALUES
	('SELECT topic.grant_group(''group of owner'', ''regress_topic_nobody'')'),
	('SELECT topic.revoke_group(''group of owner'', ''regress_topic_nobody'')'),
	('SELECT topic.delete_group(''group of owner'')');
SELECT topic.grant_group(g, 'regress_topic_writer') FROM unnest(ARRAY['group of owner', 'members of owner']) g;
SELECT is(outcome(name, command),
		CASE WHEN name IN ('super', 'owner', 'member', 'writer') THEN 'ok' ELSE '42501' END,
		'granted to writer, ' || name || ': ' || command)
	FROM group_commands, roles ORDER BY number, name;
SELECT is(outcome(name, command),
		CASE WHEN name IN ('super', 'owner', 'member') THEN 'ok' ELSE '42501' END,
		'granted to writer, ' || name || ': ' || command)
	FROM owner_commands, roles ORDER BY number, name;
SELECT topic.revoke_group(g, 'regress_topic_writer') FROM unnest(ARRAY['group of owner', 'members of owner']) g;
SELECT is(outcome('reader', 'SELECT * FROM topic.commit(''group of owner'', ''t'')'), '42501', 'commit of another''s group');
SELECT is(outcome('owner', 'SELECT * FROM topic.commit(''group of owner'', ''t'')'), 'ok', 'commit of one''s own');
-- To use a group, be granted its owner's role.
GRANT regress_topic_owner TO regress_topic_reader;
SELECT is(outcome('reader', 'SELECT * FROM topic.consume(''group of owner'', ''t'')'), 'ok', 'granted the owner''s role');
REVOKE regress_topic_owner FROM regress_topic_reader;
SELECT is(outcome('reader', 'SELECT * FROM topic.consume(''group of owner'', ''t'')'), '42501', 'and revoked');
-- The right to a group is no right to the topic.
REVOKE SELECT ON topics.t FROM regress_topic_reader;
SELECT is(outcome('reader', 'SELECT * FROM topic.consume(''group of reader'', ''t'')'), '42501', 'own group, no SELECT');
SELECT is(outcome('reader', 'SELECT * FROM topic.commit(''group of reader'', ''t'')'), '42501', 'own group, no SELECT: commit');
SELECT is(outcome('reader', 'SELECT * FROM topic.committed(''group of reader'', ''t'')'), '42501', 'own group, no SELECT: committed');
GRANT SELECT ON topics.t TO regress_topic_reader;

-- Views show topics that one may SELECT from, and groups of one's own;
-- pg_monitor sees all groups.
GRANT SELECT ON topics.t TO regress_topic_monitor;
REVOKE ALL ON topics.t FROM regress_topic_nobody, regress_topic_writer;
CREATE FUNCTION seen_by(role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text;
BEGIN
	EXECUTE format('SET LOCAL ROLE regress_topic_%s', role);
	EXECUTE query INTO seen;
	RESET ROLE;
	RETURN seen;
END
$$;
SELECT is(seen_by(name, format('SELECT string_agg(DISTINCT topic, '','') FROM topic.%I', view)),
		CASE WHEN name IN ('super', 'owner', 'member', 'reader', 'monitor') THEN 't' END, name || ': ' || view)
	FROM roles, unnest(ARRAY['topic_stats', 'partition_stats', 'maintenance']) view ORDER BY view, name;
SELECT is(seen_by(name, 'SELECT string_agg(DISTINCT group_id, '','') FROM topic.lag'),
		CASE WHEN name IN ('super', 'monitor') THEN 'group of owner,group of reader,members of owner'
			WHEN name IN ('owner', 'member') THEN 'group of owner,members of owner'
			WHEN name = 'reader' THEN 'group of reader' END, name || ': lag')
	FROM roles ORDER BY name;
SELECT is(seen_by(name, 'SELECT string_agg(group_id, '','' ORDER BY group_id) FROM topic.group_info'),
		CASE WHEN name IN ('super', 'monitor') THEN 'group of owner,group of reader,members of owner'
			WHEN name IN ('owner', 'member') THEN 'group of owner,members of owner'
			WHEN name = 'reader' THEN 'group of reader' END, name || ': group_info')
	FROM roles ORDER BY name;
-- A group is shown to whom it is granted, too.
SELECT topic.grant_group('group of owner', 'regress_topic_reader'), topic.grant_group('group of owner', 'regress_topic_nobody');
SELECT is(seen_by('reader', 'SELECT string_agg(DISTINCT group_id, '','') FROM topic.lag'),
	'group of owner,group of reader', 'reader, granted: lag');
SELECT is(seen_by('reader', 'SELECT string_agg(group_id, '','' ORDER BY group_id) FROM topic.group_info'),
	'group of owner,group of reader', 'reader, granted: group_info');
SELECT is(seen_by('nobody', 'SELECT string_agg(group_id, '','') FROM topic.group_info'),
	'group of owner', 'nobody, granted: group_info');
SELECT is(seen_by('nobody', 'SELECT string_agg(group_id, '','') FROM topic.lag'),
	NULL, 'nobody, granted, without SELECT on the topic: lag');
SELECT is(seen_by(name, format('SELECT string_agg(DISTINCT member_id, '','') FROM topic.%I', view)),
		CASE WHEN name IN ('super', 'monitor', 'owner', 'member') THEN 'm' END, name || ': ' || view)
	FROM roles, unnest(ARRAY['members', 'assignments']) view ORDER BY view, name;
SELECT is(seen_by(name, 'SELECT string_agg(DISTINCT topic, '','') FROM topic.open_producers'),
		CASE WHEN name IN ('super', 'owner', 'member', 'reader', 'monitor') THEN 't' END, name || ': open_producers')
	FROM roles ORDER BY name;

-- Nothing of the extension can be executed by everybody but on purpose.
SELECT set_eq($$
	SELECT p.oid::regprocedure::text FROM pg_proc p
	WHERE pronamespace = 'topic'::regnamespace
	AND NOT has_function_privilege('regress_topic_nobody', p.oid, 'EXECUTE') $$,
	ARRAY['topic.fdw_handler()', 'topic.fdw_validator(text[],oid)', 'topic.on_sql_drop()',
		'topic.on_create_trigger()'],
	'functions that are not for users');
SELECT is(count(*), 0::bigint, 'no function runs with its owner''s rights')
	FROM pg_proc WHERE pronamespace = 'topic'::regnamespace AND prosecdef;

-- What belongs to the extension, all of it
CREATE TEMP VIEW members AS
	SELECT classid, objid FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_topic');
SELECT set_eq('SELECT DISTINCT classid::regclass::text FROM members',
	ARRAY['pg_proc', 'pg_class', 'pg_type', 'pg_cast', 'pg_namespace', 'pg_foreign_data_wrapper',
		'pg_foreign_server', 'pg_event_trigger'],
	'this test knows of all kinds of objects that the extension has');
SELECT set_eq($$
	SELECT objid::regprocedure::text FROM members
	WHERE classid = 'pg_proc'::regclass
	AND objid NOT IN (SELECT funcid FROM pg_stat_xact_user_functions) $$,
	ARRAY['topic.fetch_support(internal)', 'topic.consume_support(internal)'],
	'every function was called here, but those that cannot be');

-- What everybody may do with relations of the extension and of topics, and what
-- with the rest of it.
CREATE TEMP VIEW relations AS
	SELECT oid, relkind, format('%s.%s', relnamespace::regnamespace,
		CASE relnamespace WHEN 'topic_log'::regnamespace THEN 'segment' ELSE relname END) AS name
	FROM pg_class
	WHERE (relnamespace IN ('topics'::regnamespace, 'topic_log'::regnamespace) AND relkind IN ('r', 'f'))
	OR oid IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass);
SELECT set_eq($$
	SELECT name, privilege
	FROM relations, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
		|| CASE WHEN current_setting('server_version_num')::int >= 170000 THEN ARRAY['MAINTAIN'] END) privilege
	WHERE relkind <> 'S' AND (has_table_privilege('regress_topic_nobody', oid, privilege)
	OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND
		has_any_column_privilege('regress_topic_nobody', oid, privilege)) $$,
	$$ SELECT 'topic.' || name, 'SELECT' AS privilege FROM unnest(ARRAY['topics', 'open_producers', 'partition_stats',
		'topic_stats', 'lag', 'group_info', 'claims', 'members', 'assignments', 'maintenance', 'captured_tables']) name $$,
	'everybody may read the views and topic.topics, and nothing else');
SELECT is_empty($$
	SELECT name, privilege FROM relations, unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) privilege
	WHERE relkind = 'S' AND has_sequence_privilege('regress_topic_nobody', oid, privilege) $$,
	'nobody may use sequences');
SELECT set_eq($$
	SELECT nspname::text, privilege FROM pg_namespace, unnest(ARRAY['USAGE', 'CREATE']) privilege
	WHERE nspname ~ '^topic' AND has_schema_privilege('regress_topic_nobody', oid, privilege) $$,
	$$ VALUES ('topic', 'USAGE'), ('topics', 'USAGE') $$,
	'schemas');
SELECT ok(has_server_privilege('regress_topic_nobody', 'pg_topic', 'USAGE'), 'the server: to create topics');
SELECT ok(NOT has_foreign_data_wrapper_privilege('regress_topic_nobody', 'pg_topic', 'USAGE'), 'no server of one''s own');
SELECT is_empty($$
	SELECT name FROM relations JOIN pg_class c USING (oid) JOIN pg_extension e ON extname = 'pg_topic'
	WHERE relowner <> extowner AND relnamespace <> 'topics'::regnamespace $$,
	'all belongs to the owner of the extension, but for topics');
-- A view shows what it shows with its owner's rights: none does without a barrier.
SELECT set_eq($$
	SELECT relname::text FROM relations JOIN pg_class USING (oid)
	WHERE relations.relkind = 'v' AND NOT COALESCE('security_barrier=true' = ANY (reloptions), false) $$,
	ARRAY['captured_tables'],
	'views are barriers; captured_tables shows what pg_trigger shows to everybody');

SELECT finish();
ROLLBACK;
