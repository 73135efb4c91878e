-- An application's own event triggers, row security and triggers: they apply to
-- what they are for, and the topics go on.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE ROLE regress_topic_app;
CREATE ROLE regress_topic_worker;
GRANT CREATE ON SCHEMA topics TO regress_topic_app;
GRANT CREATE ON SCHEMA public TO regress_topic_app;
SET ROLE regress_topic_app;
SELECT topic.create_topic('rules', 2, cleanup_policy => 'compact,delete'), topic.create_topic('plain');
GRANT SELECT, INSERT ON topics.rules TO regress_topic_worker;
CREATE TABLE outbox (id int PRIMARY KEY, tenant text, body text);
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO regress_topic_worker;
SELECT topic.capture_table('outbox', 'rules', payload => 'row');
RESET ROLE;

-- An event trigger that refuses all DDL
CREATE FUNCTION no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'no % today', tg_tag; END $$;
CREATE EVENT TRIGGER regress_no_ddl ON ddl_command_start EXECUTE FUNCTION no_ddl();
SET ROLE regress_topic_app;
-- is in the way of nothing that is not DDL,
SELECT topic.produce('rules', 'a', 'k', partition => 0), topic.produce('rules', 'b', 'k', partition => 0, idempotency_key => 'b');
BEGIN;
SELECT topic.send('rules', 'c', 'k', partition => 0);
INSERT INTO outbox VALUES (1, 'x', 'first');
COMMIT;
SELECT count(*) FROM topic.consume('g', 'rules', commit => true);
SELECT topic.first_time('g', 'k'), topic.create_group('h'), topic.delete_group('h');
SELECT count(*) FROM topic.join_group('members', ARRAY['rules'], 'm');
SELECT count(*) FROM topic.poll('members', 'm');
SELECT count(*) FROM topic.commit_polled('members', 'm');
SELECT producer_epoch FROM topic.init_producer('app');
SELECT topic.alter_topic('rules', 3, segment_bytes => 1);
SELECT topic.delete_records('rules', 1);
-- and what is says so. Maintenance goes on with what else there is to do.
SELECT topic.create_topic('new');
SELECT topic.roll_segment('rules');
SELECT topic.alter_topic('rules', value_format => 'bytes');
SELECT topic.dead_letter('g', 'rules', 0, 0, 'bad');
SELECT topic.drop_topic('plain');
CALL topic.maintain();
SELECT rolled, last_error, due FROM topic.maintenance WHERE topic = 'rules';
SELECT topic.produce('rules', 'd', 'k', partition => 0);
RESET ROLE;
DROP EVENT TRIGGER regress_no_ddl;
SET ROLE regress_topic_app;
CALL topic.maintain();
SELECT rolled FROM topic.maintenance WHERE topic = 'rules';
RESET ROLE;

-- Event triggers that produce, also to the topic that is being rolled, compacted
-- and maintained
CREATE FUNCTION audit() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM topic.produce('rules', tg_tag, tg_event, partition => 2), topic.send('rules', tg_tag, tg_event, partition => 2);
END $$;
CREATE EVENT TRIGGER regress_audit_start ON ddl_command_start EXECUTE FUNCTION audit();
CREATE EVENT TRIGGER regress_audit_end ON ddl_command_end EXECUTE FUNCTION audit();
CREATE EVENT TRIGGER regress_audit_drop ON sql_drop EXECUTE FUNCTION audit();
-- (PostgreSQL 17 has triggers of sessions that begin.)
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 170000 THEN
		CREATE FUNCTION audit_login() RETURNS event_trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM topic.produce(''rules'', tg_tag, ''login'', partition => 2); END';
		CREATE EVENT TRIGGER regress_audit_login ON login EXECUTE FUNCTION audit_login();
		ALTER EVENT TRIGGER regress_audit_login ENABLE ALWAYS;
	END IF;
END $$;
\c
SET client_min_messages = warning;
DROP EVENT TRIGGER IF EXISTS regress_audit_login;
DROP FUNCTION IF EXISTS audit_login;
RESET client_min_messages;
CALL topic.maintain();
SELECT topic.roll_segment('rules');
BEGIN;
SELECT topic.produce('rules', 'e', 'k', partition => 0);
SELECT topic.roll_segment('rules');
SELECT topic.produce('rules', 'f', 'k', partition => 0);
COMMIT;
SELECT topic.create_topic('new'), topic.dead_letter('g', 'rules', 0, (SELECT max(record_offset) FROM topics.rules WHERE partition = 0), 'bad');
SELECT topic.drop_topic('new'), topic.drop_topic('rules.dlq'), topic.drop_topic('plain');
CALL topic.maintain();
CALL topic.maintain();
SELECT last_error FROM topic.maintenance WHERE topic = 'rules';
SELECT count(*) > 6 AS audited FROM topics.rules WHERE partition = 2;
SELECT bool_or(key = 'login') = (current_setting('server_version_num')::int >= 170000) AS login_audited
	FROM topics.rules WHERE partition = 2;
SELECT value FROM topics.rules WHERE partition = 0 ORDER BY record_offset DESC LIMIT 1;
DROP EVENT TRIGGER regress_audit_start;
DROP EVENT TRIGGER regress_audit_end;
DROP EVENT TRIGGER regress_audit_drop;

-- Row security: PostgreSQL has none on foreign tables. On the sink it is the
-- consumer's, and what it refuses is consumed again.
ALTER FOREIGN TABLE topics.rules ENABLE ROW LEVEL SECURITY;
CREATE TABLE sink (tenant text, value text);
ALTER TABLE sink ENABLE ROW LEVEL SECURITY;
ALTER TABLE sink FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON sink TO regress_topic_worker USING (tenant = 'x') WITH CHECK (tenant = 'x');
GRANT SELECT, INSERT ON sink TO regress_topic_worker;
SELECT topic.produce('rules', 'one', 'y', partition => 1);
SET ROLE regress_topic_worker;
INSERT INTO sink SELECT key, value FROM topic.consume_text('w', 'rules', partitions => ARRAY[1], commit => true);
SELECT committed_offset FROM topic.committed('w', 'rules');
INSERT INTO sink SELECT 'x', value FROM topic.consume_text('w', 'rules', partitions => ARRAY[1], commit => true) WHERE value = 'one';
TABLE sink;
-- A captured table's changes are sent whatever the policies of the table are, also
-- those that the table's owner may not see.
RESET ROLE;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON outbox TO regress_topic_worker USING (tenant = 'x');
SET ROLE regress_topic_worker;
INSERT INTO outbox VALUES (2, 'y', 'refused');
INSERT INTO outbox VALUES (3, 'x', 'third');
UPDATE outbox SET body = body || '!' WHERE id = 3;
DELETE FROM outbox;
SET ROLE regress_topic_app;
SELECT key, value FROM topics.rules WHERE key ~ '"id":3' ORDER BY partition, record_offset;

-- Triggers on the captured table, before and after it is captured
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN new.body := upper(new.body); RETURN CASE WHEN new.body <> 'SKIP' THEN new END; END $$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN IF new.body = 'REFUSE' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NULL; END $$;
CREATE TRIGGER change BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION change();
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
SET ROLE regress_topic_worker;
INSERT INTO outbox VALUES (4, 'x', 'fourth'), (5, 'x', 'skip');
INSERT INTO outbox VALUES (6, 'x', 'refuse');
SET ROLE regress_topic_app;
SELECT key, value FROM topics.rules WHERE key ~ '"id":[456]' ORDER BY partition, record_offset;
-- and on a topic's relation: they are called for INSERT and COPY.
CREATE FUNCTION change_record() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN new.value := upper(new.value); RETURN CASE WHEN new.value <> 'SKIP' THEN new END; END $$;
CREATE TRIGGER change BEFORE INSERT ON topics.rules FOR EACH ROW EXECUTE FUNCTION change_record();
INSERT INTO topics.rules (key, value, partition) VALUES ('z', 'inserted', 1), ('z', 'skip', 1);
SELECT topic.produce('rules', 'produced', 'z', partition => 1) > 0;
SELECT value FROM topics.rules WHERE key = 'z' ORDER BY record_offset;

RESET ROLE;
SELECT topic.release_table('outbox');
SELECT topic.leave_group('members', 'm');
SET client_min_messages = warning;
SELECT topic.delete_group(group_id) FROM topic.groups ORDER BY group_id;
SELECT topic.drop_topic('rules');
DELETE FROM topic.producers;
DROP TABLE outbox, sink;
DROP FUNCTION no_ddl, audit, change, refuse, change_record;
DROP OWNED BY regress_topic_app, regress_topic_worker;
DROP ROLE regress_topic_app, regress_topic_worker;
