-- What a role without rights tries so as to read others' records, to have its own
-- functions run with others' rights, or to break what is others'. It may do what
-- applications' roles often may: create schemas, tables, functions, types and
-- temporary tables; and it owns a topic.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE ROLE regress_topic_victim;
CREATE ROLE regress_topic_mallory;
GRANT CREATE ON SCHEMA topics TO regress_topic_victim, regress_topic_mallory;
CREATE SCHEMA mallory AUTHORIZATION regress_topic_mallory;
SELECT format('GRANT CREATE, TEMPORARY ON DATABASE %I TO regress_topic_mallory', current_database()) \gexec

SET ROLE regress_topic_victim;
SELECT topic.create_topic('secret', 2, cleanup_policy => 'compact');
SELECT topic.produce('secret', 'treasure', 'key', '{"h": "treasure"}', partition => 0);
SELECT topic.roll_segment('secret');
SELECT count(*) FROM topic.consume('group of victim', 'secret', commit => true);
RESET ROLE;
ANALYZE topics.secret;
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics \gset
ANALYZE :segment;
ANALYZE topic.groups;

-- Who calls this, and with whose rights
CREATE TABLE mallory.calls (who text);
GRANT ALL ON mallory.calls TO PUBLIC;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
SET ROLE regress_topic_mallory;
CREATE FUNCTION mallory.note() RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS
	$$ BEGIN INSERT INTO mallory.calls VALUES (current_user); RETURN true; END $$;
CREATE FUNCTION mallory.see(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS
	$$ BEGIN RAISE SQLSTATE 'ZZ001' USING MESSAGE = $1::text; END $$;
SELECT topic.create_topic('own', 2);
SELECT topic.produce('own', '1', partition => 0);
CREATE TABLE mallory.t (a int PRIMARY KEY, b text);
RESET ROLE;

-- Runs a command as that role; tells how it ended. It is undone.
CREATE FUNCTION outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_topic_mallory;
	EXECUTE command;
	RAISE SQLSTATE 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END
$$;
-- What its query finds
CREATE FUNCTION found(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_topic_mallory;
	RETURN QUERY EXECUTE query;
	RESET ROLE;
END
$$;

-- Reading: the log, statistics of it, and what stands beside it
SELECT is(outcome(command), '42501', command) FROM unnest(ARRAY[
	'SELECT * FROM topics.secret',
	'SELECT count(*) FROM topics.secret',
	'SELECT ctid FROM topics.secret',
	'SELECT s FROM topics.secret s',
	'SELECT 1 FROM topics.own WHERE EXISTS (SELECT FROM topics.secret)',
	'TABLE ' || :'segment',
	'SELECT batch FROM ' || :'segment',
	'SELECT * FROM topic.fetch(''secret'')',
	'SELECT value FROM topic.fetch_text(''secret'', 0, 0) WHERE mallory.see(value)',
	'SELECT topic.fetch(''secret'')',
	'SELECT * FROM ROWS FROM (topic.fetch(''secret''), generate_series(1, 2))',
	'SELECT * FROM topic.fetch(''secret'') WITH ORDINALITY',
	'SELECT f FROM topic.fetch(''secret'') f',
	'SELECT * FROM topic.topics t, topic.fetch(t.topic)',
	'SELECT * FROM topic.consume(''g'', ''secret'')',
	'SELECT * FROM topic.produce_query(''own'', ''SELECT value FROM topics.secret'')',
	'SELECT * FROM topic.produce_query(''own'', ''SELECT value FROM topic.fetch_text($$secret$$)'')',
	'SELECT topic.dead_letter(''g'', ''secret'', 0, 0, ''mine'', ''own'')',
	'PREPARE p AS SELECT * FROM topic.fetch(''secret''); EXECUTE p; DEALLOCATE p',
	'CREATE VIEW mallory.v AS SELECT * FROM topics.secret; SELECT * FROM mallory.v',
	'CREATE VIEW mallory.v AS SELECT * FROM topic.fetch(''secret''); SELECT * FROM mallory.v',
	'CREATE MATERIALIZED VIEW mallory.v AS SELECT * FROM topics.secret',
	'CREATE TABLE mallory.copy AS SELECT * FROM topics.secret',
	'CREATE TABLE mallory.copy (LIKE topics.secret); INSERT INTO mallory.copy SELECT * FROM topics.secret',
	'SELECT topic.capture_table(''' || :'segment' || ''', ''own'')',
	'SELECT topic.capture_table(''topic.consumer_offsets'', ''own'')',
	'CREATE TABLE mallory.child () INHERITS (topic.groups)',
	'CREATE FOREIGN TABLE mallory.child () INHERITS (topics.secret) SERVER pg_topic',
	'CREATE PUBLICATION p FOR TABLE topic.consumer_offsets',
	'CREATE STATISTICS mallory.s ON partition, record_offset FROM topics.secret',
	'SELECT pg_stat_reset()']) command;
-- Statistics: PostgreSQL shows them to whom it shows the columns.
SELECT is_empty($$SELECT * FROM found('SELECT tablename || attname FROM pg_stats
	WHERE schemaname ~ ''^topic'' AND tablename NOT IN (''topics'', ''own'')')$$, 'no statistics');
SELECT is(outcome('TABLE pg_statistic'), '42501', 'nor those as they are stored');
-- What functions cheap enough to come first are shown by views
SELECT is_empty(format($$SELECT found('SELECT topic FROM topic.%I WHERE topic <> ''own'' AND mallory.see(topic)')$$, view),
	view || ' shows nothing') FROM unnest(ARRAY['topic_stats', 'partition_stats', 'maintenance', 'open_producers', 'lag']) view;
SELECT is_empty(format($$SELECT found('SELECT group_id FROM topic.%I WHERE mallory.see(group_id)')$$, view),
	view || ' shows nothing') FROM unnest(ARRAY['group_info', 'lag', 'members', 'assignments']) view;
-- What it may read, it reads.
SELECT results_eq($$SELECT found('SELECT value FROM topics.own')$$, ARRAY['1'], 'its own topic');

-- A view over the relation reads with the rights of the view's owner, one over
-- the function with those of its reader, as a scan or as a call.
CREATE VIEW of_relation AS SELECT value FROM topics.secret;
CREATE VIEW of_scan AS SELECT value FROM topic.fetch_text('secret');
CREATE VIEW of_call AS SELECT value FROM topic.fetch_text('secret') WITH ORDINALITY;
GRANT SELECT ON of_relation, of_scan, of_call TO regress_topic_mallory;
SELECT is(outcome('TABLE of_relation'), 'ok', 'a view over the relation');
SELECT is(outcome('TABLE of_scan'), '42501', 'a view over fetch');
SELECT is(outcome('TABLE of_call'), '42501', 'a view over fetch, called');
-- So do cursors that somebody else has opened: PostgreSQL calls functions with
-- the rights of who fetches.
DECLARE of_relation CURSOR FOR SELECT value FROM topics.secret;
DECLARE of_scan CURSOR FOR SELECT value FROM topic.fetch_text('secret');
DECLARE of_call CURSOR FOR SELECT value FROM topic.fetch_text('secret') WITH ORDINALITY;
SELECT is(outcome('FETCH of_relation'), 'ok', 'a cursor of a superuser over the relation');
SELECT is(outcome('FETCH of_scan'), '42501', 'and over fetch');
SELECT is(outcome('FETCH of_call'), '42501', 'and over fetch, called');
CLOSE ALL;
-- Who may not call fetch may not have it scanned.
GRANT SELECT ON topics.secret TO regress_topic_mallory;
REVOKE EXECUTE ON FUNCTION topic.fetch_text FROM PUBLIC;
SELECT is(outcome('SELECT value FROM topic.fetch_text(''secret'')'), '42501', 'EXECUTE is asked for');
GRANT EXECUTE ON FUNCTION topic.fetch_text TO PUBLIC;
SELECT is(outcome('SELECT value FROM topic.fetch_text(''secret'')'), 'ok', 'and enough');
REVOKE SELECT ON topics.secret FROM regress_topic_mallory;

-- The wrapper: a foreign table of one's own is nobody's topic.
SELECT is(outcome(command), state, state || ': ' || command) FROM (VALUES
	('CREATE FOREIGN TABLE mallory.f (partition int, value text) SERVER pg_topic; SELECT * FROM mallory.f', '42809'),
	('CREATE FOREIGN TABLE mallory.secret (partition int, value text) SERVER pg_topic; SELECT * FROM mallory.secret', '42809'),
	('CREATE FOREIGN TABLE mallory.f (value text) SERVER pg_topic; INSERT INTO mallory.f VALUES (1)', '42809'),
	('CREATE FOREIGN TABLE mallory.f (value text) SERVER pg_topic OPTIONS (topic ''secret'')', 'HV00D'),
	('CREATE FOREIGN TABLE mallory.f (value text OPTIONS (topic ''secret'')) SERVER pg_topic', 'HV00D'),
	('CREATE USER MAPPING FOR regress_topic_mallory SERVER pg_topic OPTIONS (topic ''secret'')', 'HV00D'),
	('CREATE USER MAPPING FOR regress_topic_mallory SERVER pg_topic; SELECT * FROM topics.secret', '42501'),
	('CREATE USER MAPPING FOR regress_topic_victim SERVER pg_topic', '42501'),
	('IMPORT FOREIGN SCHEMA topics FROM SERVER pg_topic INTO mallory', 'HV00P'),
	('CREATE SERVER mine FOREIGN DATA WRAPPER pg_topic', '42501'),
	('CREATE FOREIGN DATA WRAPPER mine HANDLER topic.fdw_handler', '42501'),
	('ALTER SERVER pg_topic OPTIONS (topic ''own'')', '42501'),
	('DROP SERVER pg_topic', '42501'),
	('ALTER FOREIGN TABLE topics.own RENAME TO own2; ALTER FOREIGN TABLE topics.secret RENAME TO own', '42501'),
	('ALTER FOREIGN TABLE topics.own RENAME TO own2; CREATE FOREIGN TABLE topics.own (value text) SERVER pg_topic; SELECT * FROM topics.own', '42809'),
	('ALTER FOREIGN TABLE topics.own SET SCHEMA mallory; SELECT topic.drop_topic(''own'')', 'ok'),
	('ALTER FOREIGN TABLE topics.own ALTER COLUMN value TYPE bytea; SELECT * FROM topics.own', '42804'),
	('ALTER FOREIGN TABLE topics.own ADD COLUMN more text; SELECT * FROM topics.own', '42703'),
	('CREATE DOMAIN mallory.d AS text CHECK (mallory.note()); ALTER FOREIGN TABLE topics.own ALTER COLUMN value TYPE mallory.d; SELECT * FROM topics.own', '42804'),
	('CREATE TABLE mallory.parent (LIKE topics.secret) PARTITION BY LIST (partition);
		ALTER TABLE mallory.parent ATTACH PARTITION topics.secret DEFAULT', '42501')) AS c (command, state);

-- What is others', and the extension's
SELECT is(outcome(command), '42501', command) FROM unnest(ARRAY[
	'DROP EXTENSION pg_topic',
	'ALTER EXTENSION pg_topic UPDATE',
	'COMMENT ON FUNCTION topic.roll_segment(text) IS ''mine''',
	'CREATE FUNCTION topic.produce(text, varchar) RETURNS bigint LANGUAGE sql AS ''SELECT 1::bigint''',
	'CREATE OR REPLACE FUNCTION topic.roll_segment(text) RETURNS boolean LANGUAGE sql AS ''SELECT true''',
	'ALTER FUNCTION topic.roll_segment(text) SECURITY DEFINER',
	'ALTER FUNCTION topic.roll_segment(text) SET search_path = mallory',
	'CREATE FUNCTION mallory.f() RETURNS int LANGUAGE C AS ''$libdir/pg_topic'', ''topic_fetch''',
	'LOAD ''pg_topic''',
	'CREATE OPERATOR topic.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)',
	'CREATE TYPE topic.text AS (a int)',
	'ALTER TYPE topic.header ADD ATTRIBUTE more text',
	'DROP CAST (topic.header[] AS jsonb)',
	'CREATE CAST (topic.header AS text) WITH INOUT AS IMPLICIT',
	'CREATE INDEX ON topic.groups ((mallory.see(group_id)))',
	'CREATE TRIGGER t AFTER INSERT ON topic.consumer_offsets EXECUTE FUNCTION topic.capture_change(''own'', ''row'')',
	'CREATE RULE r AS ON INSERT TO topic.groups DO ALSO SELECT mallory.note()',
	'ALTER TABLE topic.groups ENABLE ROW LEVEL SECURITY',
	'CREATE POLICY p ON topic.groups USING (mallory.note())',
	'ALTER TABLE topic.groups ALTER owner SET DEFAULT ''regress_topic_mallory''::regrole',
	'CREATE TABLE mallory.r (topic text COLLATE "C" REFERENCES topic.topics (topic))',
	'CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION topic.on_sql_drop()',
	'ALTER EVENT TRIGGER pg_topic_on_create_trigger DISABLE',
	'SET session_replication_role = replica',
	'ALTER SCHEMA topic RENAME TO theirs',
	'ALTER SCHEMA topics OWNER TO regress_topic_mallory',
	'GRANT SELECT ON topics.secret TO regress_topic_mallory',
	'SET pg_topic.offsets_topic = on',
	'LOCK TABLE topic.topics IN EXCLUSIVE MODE',
	'LOCK TABLE topic.segments IN ACCESS SHARE MODE',
	'LOCK TABLE ' || :'segment' || ' IN ACCESS SHARE MODE',
	'SELECT * FROM topic.consumer_offsets FOR UPDATE',
	'SELECT * FROM topic.topics FOR SHARE']) command;

-- Operators, functions, casts and tables in front of PostgreSQL's: what the
-- extension does with others' rights never finds them. (sql/search_path.sql has
-- more of this kind.)
SET ROLE regress_topic_mallory;
CREATE FUNCTION mallory.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT mallory.note()';
CREATE OPERATOR mallory.= (LEFTARG = text, RIGHTARG = text, FUNCTION = mallory.eq);
CREATE FUNCTION mallory.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT mallory.note(); SELECT now()';
CREATE FUNCTION mallory.int8(text) RETURNS bigint LANGUAGE sql AS 'SELECT mallory.note(); SELECT 1::bigint';
CREATE TEMP TABLE topics (topic text, topic_id int);
CREATE TEMP TABLE groups (group_id text, owner regrole);
CREATE TEMP TABLE segments (topic_id int);
CREATE TEMP TABLE pg_class (oid oid);
SET search_path = mallory, pg_temp, pg_catalog, public;
SELECT topic.create_topic('mine'), topic.alter_topic('mine', 2, segment_bytes => 1, idempotency_window => '1 h');
SELECT topic.produce('mine', 'v', partition => 0, idempotency_key => 'k'), topic.produce('mine', 'v', partition => 0, idempotency_key => 'k');
SELECT topic.roll_segment('mine'), topic.delete_records('mine', 0, 1), topic.produce('mine', 'w', partition => 0);
SELECT topic.create_group('gm'), topic.commit('gm', 'mine', 0, 1), topic.first_time('gm', 'k');
SELECT topic.dead_letter('gm', 'mine', 0, 1, 'reason', max_attempts => 1);
SELECT pg_catalog.count(*) FROM topic.join_group('gj', ARRAY['mine'], 'm');
SELECT topic.leave_group('gj', 'm');
SELECT topic.init_producer('mine');
SELECT pg_catalog.count(*) FROM topic.lag;
SELECT topic.delete_group('gm'), topic.drop_topic('mine'), topic.drop_topic('mine.dlq');
RESET search_path;
RESET ROLE;
SELECT is_empty('TABLE mallory.calls', 'nothing of mallory''s was called');

-- Functions of the role's own tables and types that others' actions run: those of
-- a trigger that captures, with the rights of who changes the table, as any
-- trigger's. It is the same that makes the records for others' rows.
SET ROLE regress_topic_mallory;
CREATE TYPE mallory.grade AS ENUM ('good');
CREATE FUNCTION mallory.grade_json(mallory.grade) RETURNS json LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO mallory.calls VALUES (current_user); RETURN '1'; END $$;
CREATE CAST (mallory.grade AS json) WITH FUNCTION mallory.grade_json(mallory.grade);
CREATE TABLE mallory.grades (a int PRIMARY KEY, g mallory.grade);
SELECT topic.capture_table('mallory.grades', 'own');
GRANT INSERT ON mallory.grades TO regress_topic_victim;
SET ROLE regress_topic_victim;
INSERT INTO mallory.grades VALUES (1, 'good');
RESET ROLE;
SELECT results_eq('SELECT DISTINCT who FROM mallory.calls', ARRAY['regress_topic_victim'],
	'casts to json run with the rights of who changes the table');
TRUNCATE mallory.calls;
-- Maintenance, ANALYZE and who reads the topic run nothing of its owner's.
SELECT topic.fetch_text('own') IS NOT NULL;
SELECT count(*) FROM topics.own;
ANALYZE topics.own;
SELECT is_empty('TABLE mallory.calls', 'readers run nothing of a topic''s owner');
-- Triggers of a topic's relation are the exception, as on any table: they are
-- for INSERT, and no function of the extension runs them.
SET ROLE regress_topic_mallory;
CREATE FUNCTION mallory.trigger() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN PERFORM mallory.note(); RETURN new; END $$;
CREATE TRIGGER t BEFORE INSERT ON topics.own FOR EACH ROW EXECUTE FUNCTION mallory.trigger();
ALTER FOREIGN TABLE topics.own ALTER key SET DEFAULT mallory.note()::text, ADD CHECK (mallory.note());
RESET ROLE;
SELECT topic.produce('own', 'v'), topic.send('own', 'v');
SELECT topic.produce_batch('own', ARRAY['v']), topic.produce_query('own', 'SELECT 1::text AS value');
SELECT count(*) FROM topic.fetch('own');
SELECT topic.roll_segment('own'), topic.alter_topic('own', segment_bytes => 1000);
SELECT is_empty('TABLE mallory.calls', 'producing and altering run no triggers, defaults or checks');
INSERT INTO topics.own (value) VALUES ('v');
SELECT isnt_empty('TABLE mallory.calls', 'INSERT does, as into any table of mallory''s');
TRUNCATE mallory.calls;

-- Capturing: only one's own tables, into topics that one may produce to; also by
-- hand, by whatever command.
SELECT is(outcome(command), state, state || ': ' || command) FROM (VALUES
	('SELECT topic.capture_table(''mallory.t'', ''secret'')', '42501'),
	('SELECT topic.capture_table(''pg_catalog.pg_authid'', ''own'')', '42501'),
	('SELECT topic.capture_table(''pg_catalog.pg_class'', ''own'')', '42501'),
	('SELECT topic.capture_table(''topics.own'', ''own'')', '42809'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''secret'', ''row'');
		CREATE TRIGGER k AFTER UPDATE OF a ON mallory.t FOR EACH ROW WHEN (false) EXECUTE FUNCTION topic.capture_change(''secret'', ''row'');
		INSERT INTO mallory.t VALUES (1)', '42501'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(); INSERT INTO mallory.t VALUES (1)', '39P01'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(1, 2, 3); INSERT INTO mallory.t VALUES (1)', '39P01'),
	('CREATE TRIGGER t BEFORE INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''own'', ''row''); INSERT INTO mallory.t VALUES (1)', '39P01'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t EXECUTE FUNCTION topic.capture_change(''own'', ''row''); INSERT INTO mallory.t VALUES (1)', '39P01'),
	('CREATE TRIGGER t AFTER TRUNCATE ON mallory.t EXECUTE FUNCTION topic.capture_change(''own'', ''row''); TRUNCATE mallory.t', '39P01'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''own'', ''row''); INSERT INTO mallory.t VALUES (1)', '55000'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''own'', ''nothing'');
		CREATE TRIGGER k AFTER UPDATE OF a ON mallory.t FOR EACH ROW WHEN (false) EXECUTE FUNCTION topic.capture_change(''own'', ''nothing'');
		INSERT INTO mallory.t VALUES (1)', '22023'),
	('CREATE VIEW mallory.v AS SELECT 1 AS a;
		CREATE TRIGGER t INSTEAD OF INSERT ON mallory.v FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''own'', ''row'');
		INSERT INTO mallory.v VALUES (1)', '39P01'),
	('CREATE TRIGGER u AFTER INSERT ON topics.own FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''own'', ''row''); INSERT INTO topics.own (value) VALUES (1)', '55000'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.on_sql_drop()', '42501'),
	('CREATE TRIGGER t AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''"; DROP TABLE x; --'', ''row'')', 'ok'),
	('SELECT topic.capture_change()', '39P01'),
	('SELECT topic.on_create_trigger()', '42501')) AS c (command, state);

-- Functions in places that are not theirs
SELECT is(outcome(command), state, state || ': ' || command) FROM (VALUES
	('CREATE FUNCTION mallory.f(int) RETURNS int LANGUAGE sql SUPPORT topic.fetch_support AS ''SELECT 1''', '42501'),
	('CREATE AGGREGATE mallory.a (text) (SFUNC = topic.roll_segment, STYPE = boolean)', '42883'),
	('CREATE FUNCTION mallory.fi(anyelement) RETURNS boolean IMMUTABLE LANGUAGE sql AS ''SELECT topic.roll_segment($q$own$q$)'';
		CREATE INDEX ON mallory.t (mallory.fi(a)); INSERT INTO mallory.t VALUES (1)', 'ok'),
	('CREATE DOMAIN mallory.d AS text CHECK (topic.produce(''secret'', VALUE) IS NULL); SELECT ''x''::mallory.d', '42501'),
	('ALTER TABLE mallory.t ALTER b SET DEFAULT topic.produce(''secret'', ''v'')::text; INSERT INTO mallory.t VALUES (1)', '42501')) AS c (command, state);

-- SECURITY DEFINER lends what its owner has, no more.
SET ROLE regress_topic_mallory;
CREATE FUNCTION mallory.definer() RETURNS bigint SECURITY DEFINER LANGUAGE sql AS $$ SELECT topic.produce('secret', 'v') $$;
SET ROLE regress_topic_victim;
SELECT throws_ok('SELECT mallory.definer()', '42501', NULL, 'the victim calls mallory''s function');
RESET ROLE;

-- What PostgreSQL's own roles and functions let one do, they let one do here.
SELECT is(outcome('SELECT pg_table_size(oid) FROM pg_catalog.pg_class WHERE relname ~ ''^segment_'''), 'ok', 'sizes of segments');
SELECT is(outcome('SELECT n_tup_ins FROM pg_stat_all_tables WHERE relname ~ ''^segment_'''), 'ok', 'and their statistics');
GRANT pg_read_all_data TO regress_topic_mallory;
SELECT is(outcome('TABLE ' || :'segment'), 'ok', 'pg_read_all_data reads segments');
SELECT is(outcome('SELECT * FROM topic.fetch(''secret'')'), 'ok', 'and topics');
REVOKE pg_read_all_data FROM regress_topic_mallory;
GRANT pg_write_all_data TO regress_topic_mallory;
SELECT is(outcome('DELETE FROM ' || :'segment'), 'ok', 'pg_write_all_data writes segments');
SELECT is(outcome('SELECT topic.produce(''secret'', ''v'', ''k'')'), 'ok', 'and topics');
REVOKE pg_write_all_data FROM regress_topic_mallory;

-- A group, or a producer, whose name mallory was the first to use is mallory's:
-- the victim gets an error, and whoever may change its owner can. It does not
-- let mallory read, or move offsets, of a topic without SELECT on it.
SET ROLE regress_topic_mallory;
SELECT topic.create_group('billing'), topic.grant_group('billing', 'regress_topic_victim'), topic.create_group('shipping');
SELECT topic.init_producer('billing');
SET ROLE regress_topic_victim;
SELECT throws_ok($$SELECT * FROM topic.consume('shipping', 'secret')$$, '42501', NULL, 'a group that is mallory''s');
SELECT throws_ok($$SELECT topic.init_producer('billing')$$, '42501', NULL, 'a producer that is mallory''s');
SELECT count(*) FROM topic.consume('billing', 'secret', commit => true);
SELECT throws_ok($$SELECT topic.delete_group('billing')$$, '42501', NULL, 'granted is not owned');
RESET ROLE;
SELECT is(outcome(command), '42501', 'mallory''s own group: ' || command) FROM unnest(ARRAY[
	'SELECT * FROM topic.consume(''billing'', ''secret'')',
	'SELECT topic.commit(''billing'', ''secret'', 0, 0)',
	'SELECT * FROM topic.reset_offsets(''billing'', ''secret'', ''earliest'')',
	'SELECT * FROM topic.delete_offsets(''billing'', ''secret'')',
	'SELECT * FROM topic.committed(''billing'', ''secret'')']) command;
SELECT is_empty($$SELECT found('SELECT committed_offset::text FROM topic.lag WHERE topic = ''secret''')$$, 'nor see its offsets');
-- What the owner of a group may do to it, he may do to who else uses it.
SELECT is(outcome('SELECT topic.revoke_group(''billing'', ''regress_topic_victim'')'), 'ok', 'mallory revokes it');
SELECT is(outcome('SELECT topic.delete_group(''shipping'')'), 'ok', 'or deletes it');
UPDATE topic.groups SET owner = 'regress_topic_victim' WHERE group_id = 'shipping';
SET ROLE regress_topic_victim;
SELECT lives_ok($$SELECT * FROM topic.consume('shipping', 'secret')$$, 'a superuser gives it to the victim');
RESET ROLE;
SELECT is(outcome('SELECT topic.delete_group(''shipping'')'), '42501', 'then it is mallory''s no more');
-- Where this is not wanted, EXECUTE says so.
REVOKE EXECUTE ON FUNCTION topic.create_group, topic.first_time, topic.init_producer, topic.join_group FROM PUBLIC;
SELECT is(outcome(command), '42501', 'no EXECUTE: ' || command) FROM unnest(ARRAY[
	'SELECT topic.create_group(''g'')',
	'SELECT topic.first_time(''g'', ''k'')',
	'SELECT topic.init_producer(''g'')',
	'SELECT topic.join_group(''g'', ARRAY[''later''])']) command;

-- What is in a topic's way that is not its owner's: views, and triggers that
-- capture. PostgreSQL lets anybody depend on any table; CASCADE is the owner's.
SET ROLE regress_topic_mallory;
CREATE VIEW mallory.in_the_way AS SELECT * FROM topics.secret;
SET ROLE regress_topic_victim;
SELECT throws_ok($$SELECT topic.drop_topic('secret')$$, '2BP01', NULL, 'a view is in the way');
SET ROLE regress_topic_mallory;
CREATE TRIGGER in_the_way AFTER INSERT ON mallory.t FOR EACH ROW EXECUTE FUNCTION topic.capture_change('secret', 'row');
SET ROLE regress_topic_victim;
SELECT throws_ok($$SELECT topic.drop_topic('secret')$$, '2BP01',
	'cannot drop topic "secret" because table mallory.t is captured into it', 'so is a trigger');
SAVEPOINT s;
SELECT lives_ok('DROP FOREIGN TABLE topics.secret CASCADE', 'the owner drops them with the topic');
ROLLBACK TO s;
RESET ROLE;

-- After all this, all is as it was.
SELECT results_eq('SELECT value FROM topics.secret', ARRAY['treasure'], 'the victim''s topic');
SELECT results_eq($$SELECT owner::text FROM topic.groups WHERE group_id = 'group of victim'$$,
	ARRAY['regress_topic_victim'], 'and group');

SELECT finish();
ROLLBACK;
