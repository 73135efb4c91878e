-- DROP EXTENSION and CREATE EXTENSION, in a database of their own.
\set database :DBNAME
CREATE DATABASE regress_topic_extension TEMPLATE template0;
\c regress_topic_extension
CREATE EXTENSION pg_topic;
SELECT extname, nspname, extrelocatable FROM pg_extension
	JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_topic';
-- Without topics it goes as it came; its schema stays, as any extension's.
DROP EXTENSION pg_topic;
SELECT nspname FROM pg_namespace WHERE nspname ~ '^topic';

-- Topics are in the way, and CASCADE takes them along.
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t', 2), topic.create_topic('bytes', value_format => 'bytes');
SELECT topic.produce('t', repeat('x', 10000), key => 'k');
SELECT topic.roll_segment('t');
SELECT topic.produce('t', 'v', key => 'k');
SELECT record_offset FROM topic.consume('g', 't', commit => true);
\set VERBOSITY terse
DROP EXTENSION pg_topic;
SELECT count(*) FROM topics.t;
-- also before a member's sign of life could be written, or a producer's epoch looked at
SELECT count(*) FROM topic.join_group('members', ARRAY['t'], 'a');
SET client_min_messages = warning;
BEGIN;
SELECT count(*) FROM topic.heartbeat('members', 'a', 1);
SELECT topic.produce('t', 'v', partition => 0, producer_id => producer_id, producer_epoch => producer_epoch, sequence => 0) > 0
	FROM topic.init_producer('p');
DROP EXTENSION pg_topic CASCADE;
COMMIT;
RESET client_min_messages;
\set VERBOSITY default
SELECT nspname, relname FROM pg_namespace n LEFT JOIN pg_class c ON relnamespace = n.oid
	WHERE nspname ~ '^topic';
SELECT count(*) FROM pg_class WHERE relname ~ 'segment' AND relname !~ '^pg_';
SELECT count(*) FROM pg_foreign_data_wrapper;
SELECT count(*) FROM pg_event_trigger;

-- The same session, and a new one, can begin again.
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'after');
SELECT record_offset, value FROM topic.consume_text('g', 't', commit => true);
\c regress_topic_extension
SELECT topic.produce('t', 'more');
SELECT record_offset, value FROM topics.t;

-- Created and dropped in one transaction, and rolled back
BEGIN;
SELECT topic.drop_topic('t');
DROP EXTENSION pg_topic;
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'other');
ROLLBACK;
SELECT record_offset, value FROM topics.t;

-- What belongs to the extension is not dropped alone.
DROP SCHEMA topic_log;
DROP SCHEMA topics;
DROP TABLE topic.topics;
-- Every function has a comment, and none is executable by accident.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
	WHERE nspname = 'topic' AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
	WHERE nspname = 'topic' AND NOT has_function_privilege('pg_monitor', p.oid, 'EXECUTE')
	ORDER BY 1;
-- So has every relation and every column.
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE relnamespace = 'topic'::regnamespace AND relkind IN ('r', 'v')
	AND attnum > 0 AND NOT attisdropped AND col_description(c.oid, attnum) IS NULL;
SELECT relname FROM pg_class WHERE relnamespace = 'topic'::regnamespace
	AND relkind IN ('r', 'v') AND obj_description(oid, 'pg_class') IS NULL;
-- With a higher estimate than one row, the planner would leave out calls of
-- functions that change something.
SELECT proname, array_agg(DISTINCT prorows) AS rows,
		array_agg(DISTINCT provolatile) AS volatility,
		array_agg(DISTINCT proparallel) AS parallel
	FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
	WHERE nspname = 'topic'
	AND proname ~ '^(produce.*|init_producer|send|consume.*|poll.*|commit(_polled)?|reset_offsets|delete_offsets|fetch.*|.*_topic|.*_group|heartbeat|roll_segment|first_time|dead_letter)$'
	GROUP BY proname ORDER BY proname;

-- A schema of that name that was there before is used, but not if others can put
-- functions into it, for the extension's users to call by mistake.
\set VERBOSITY terse
SET client_min_messages = warning;
DROP EXTENSION pg_topic CASCADE;
CREATE ROLE regress_topic_squatter;
GRANT CREATE ON SCHEMA topic TO PUBLIC;
CREATE EXTENSION pg_topic;
REVOKE CREATE ON SCHEMA topic FROM PUBLIC;
GRANT CREATE ON SCHEMA topic TO regress_topic_squatter;
CREATE EXTENSION pg_topic;
REVOKE CREATE ON SCHEMA topic FROM regress_topic_squatter;
ALTER SCHEMA topic OWNER TO regress_topic_squatter;
CREATE EXTENSION pg_topic;
-- nor if they have
SET ROLE regress_topic_squatter;
CREATE FUNCTION topic.produce(text, varchar) RETURNS void LANGUAGE sql AS 'SELECT';
RESET ROLE;
ALTER SCHEMA topic OWNER TO CURRENT_USER;
CREATE EXTENSION pg_topic;
DROP FUNCTION topic.produce;
DROP SCHEMA topic;
CREATE SCHEMA topics AUTHORIZATION regress_topic_squatter;
CREATE EXTENSION pg_topic;
DROP SCHEMA topics;
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t');

\c :database
DROP DATABASE regress_topic_extension;
DROP ROLE regress_topic_squatter;
