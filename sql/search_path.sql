-- A hostile search_path: operators, functions, types and tables in front that
-- look like those which the extension uses. None of them is ever called.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.refuse(a anyelement, b anyelement) RETURNS boolean LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile operator called'; END $$;
DO $$
DECLARE
	type text;
	operator text;
BEGIN
	FOREACH type IN ARRAY ARRAY['text', 'int', 'bigint', 'oid', 'name', 'xid', 'regclass', 'interval', 'timestamptz'] LOOP
		EXECUTE format('CREATE FUNCTION hostile.refuse_%1$s(a %1$s, b %1$s) RETURNS boolean LANGUAGE plpgsql
			AS $f$ BEGIN RAISE EXCEPTION ''hostile operator called''; END $f$', type);
		FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>=', '~', '-', '||'] LOOP
			EXECUTE format('CREATE OPERATOR hostile.%1$s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = hostile.refuse_%2$s)',
				operator, type);
		END LOOP;
	END LOOP;
	FOREACH operator IN ARRAY ARRAY['=', '<>'] LOOP
		EXECUTE format('CREATE OPERATOR hostile.%s (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = hostile.refuse)', operator);
	END LOOP;
END
$$;
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.count() RETURNS bigint LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.format(text, int, int) RETURNS text LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.has_table_privilege(regclass, text) RETURNS boolean LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.pg_has_role(oid, text) RETURNS boolean LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.round(numeric, int) RETURNS numeric LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.unnest(int[]) RETURNS SETOF int LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.age(xid) RETURNS int LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.pg_get_userbyid(oid) RETURNS name LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE FUNCTION hostile.pg_event_trigger_dropped_objects(OUT objid oid, OUT classid oid, OUT objsubid int)
	RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hostile function called'; END $$;
CREATE DOMAIN hostile.text AS int;
CREATE DOMAIN hostile.jsonb AS int;
CREATE DOMAIN hostile.bytea AS int;
CREATE DOMAIN hostile.int4 AS int;
CREATE DOMAIN hostile.int8 AS int;
CREATE DOMAIN hostile.interval AS int;
CREATE DOMAIN hostile.regclass AS int;
CREATE DOMAIN hostile.regrole AS int;
CREATE DOMAIN hostile.name AS int;
CREATE DOMAIN hostile.header AS int;
CREATE TABLE hostile.topics (topic pg_catalog.text, topic_id int);
CREATE TABLE hostile.segments (a int);
CREATE TABLE hostile.groups (a int);
CREATE TABLE hostile.consumer_offsets (a int);
CREATE TABLE hostile.pg_class (a int);
CREATE TABLE hostile.pg_locks (a int);
CREATE TABLE hostile.pg_stat_activity (a int);
CREATE TABLE hostile.pg_prepared_xacts (a int);
CREATE TABLE hostile.maintenance_totals (a int);
CREATE TABLE hostile.producers (a int);
CREATE TABLE hostile.producer_states (a int);
CREATE TABLE hostile.produced_keys (a int);
CREATE TABLE hostile.pg_proc (a int);
CREATE TABLE hostile.pg_namespace (a int);

CREATE ROLE regress_topic_hostile;
GRANT CREATE ON SCHEMA topics TO regress_topic_hostile;
GRANT USAGE ON SCHEMA hostile TO regress_topic_hostile;
GRANT ALL ON ALL TABLES IN SCHEMA hostile TO regress_topic_hostile;
SET search_path = hostile, pg_catalog, pg_temp;
SET ROLE regress_topic_hostile;
-- The trap works.
SELECT 1 = 1;
SELECT 'a'::pg_catalog.text = 'a'::pg_catalog.text;
SELECT now();
SELECT 'a'::text;

-- All of the extension does, too.
SELECT topic.create_topic('h', 2, retention => '1 day'::pg_catalog.interval);
SELECT topic.create_topic('h', if_not_exists => true);
SELECT topic.alter_topic('h', value_format => 'json', segment_age => '1 day'::pg_catalog.interval);
SELECT topic.alter_topic('h', value_format => 'bytes');
SELECT topic.alter_topic('h', value_format => 'text', reset => ARRAY['retention']::pg_catalog.text[]);
SELECT topic.alter_topic('h', 3);
SELECT topic.produce('h', 'v', 'k', '{"h": 1}', 0);
SELECT topic.produce('h', '\x76'::pg_catalog.bytea, 'k'::pg_catalog.text, partition => 0);
SELECT * FROM topic.produce_batch('h', ARRAY['a', 'b']::pg_catalog.text[], partition => 1);
SELECT topic.produce('h', 'once', partition => 2, idempotency_key => 'k'), topic.produce('h', 'once', partition => 2, idempotency_key => 'k');
SELECT producer_epoch FROM topic.init_producer('hp');
SELECT producer_epoch, topic.produce('h', 'p', partition => 2, producer_id => producer_id, producer_epoch => producer_epoch, sequence => 0)
	FROM topic.init_producer('hp');
SELECT * FROM topic.produce_query('h', 'SELECT ''q'' AS value, 2 AS partition');
SELECT topic.partition_for_key('h', 'k');
SELECT topic.roll_segment('h');
SELECT topic.produce('h', 'w', partition => 0);
SELECT record_offset, value, headers FROM topic.fetch_text('h', 0);
SELECT record_offset, value, headers FROM topic.fetch('h', 0);
SELECT record_offset, value FROM topics.h;
SELECT record_offset, value FROM topic.consume_text('hg', 'h', commit => true, partitions => ARRAY[0]);
SELECT topic.commit('hg', 'h', 1, 1);
SELECT * FROM topic.reset_offsets('hg', 'h', shift_by => -1, partitions => ARRAY[0]);
SELECT partition, committed_offset FROM topic.committed('hg', 'h');
BEGIN;
SELECT value FROM topic.consume_text('hg', 'h', 1, ARRAY[0]);
SELECT * FROM topic.commit('hg', 'h');
SELECT topic.produce('h', 'open', partition => 2);
SELECT partition, first_offset FROM topic.open_producers;
SELECT partition, committed_offset, high_watermark, lag FROM topic.lag ORDER BY partition;
COMMIT;
SELECT * FROM topic.offsets('h');
SELECT topic, owner, partitions, segments, high_watermark FROM topic.topic_stats;
SELECT group_id, owner, topics FROM topic.group_info;
SELECT topic, partition FROM topic.join_group('hm', ARRAY['h'], 'm');
SELECT pg_catalog.count(*) FROM topic.poll_text('hm', 'm');
SELECT partition, committed_offset FROM topic.commit_polled('hm', 'm') ORDER BY partition;
SELECT topic.commit('hm', 'h', 0, 1, member_id => 'm');
SELECT pg_catalog.count(*) FROM topic.heartbeat('hm', 'm');
SELECT member_id, partitions FROM topic.members;
SELECT member_id, partition, position FROM topic.assignments ORDER BY partition;
SELECT topic.leave_group('hm', 'm');
SELECT topic, partition, records, compression_ratio FROM topic.partition_stats;
SELECT topic.delete_records('h', 0, 1);
SELECT topic.offset_for_time('h', 0, '2024-01-01');
SELECT topic.alter_topic('h', retention => '1 day'::pg_catalog.interval, segment_bytes => 1);
SELECT step, segment FROM topic.maintenance_due('h');
CALL topic.maintain();
SELECT topic, rolled, last_error FROM topic.maintenance;
SELECT topic.grant_group('hg', 'regress_topic_hostile'), topic.revoke_group('hg', 'regress_topic_hostile');
SELECT topic.first_time('hg', 'k'), topic.first_time('hg', 'k', '1 day'::pg_catalog.interval);
SELECT topic.dead_letter('hg', 'h', 1, 0, 'r', max_attempts => 2), topic.dead_letter('hg', 'h', 1, 0, 'r', max_attempts => 2);
SELECT record_offset, value FROM topics."h.dlq";
SELECT topic.drop_topic('h.dlq');
SELECT topic.create_group('hh');
SELECT topic.delete_group('hh');
-- What is done with others' rights has others' event triggers find nothing of it.
RESET ROLE;
CREATE FUNCTION note_path() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% with search_path %', tg_tag, pg_catalog.current_setting('search_path');
END $$;
CREATE EVENT TRIGGER regress_note_path ON ddl_command_start EXECUTE FUNCTION note_path();
SET ROLE regress_topic_hostile;
SELECT topic.dead_letter('hg', 'h', 1, 0, 'r');
SELECT topic.drop_topic('h.dlq');
SHOW search_path;
RESET ROLE;
DROP EVENT TRIGGER regress_note_path;
DROP FUNCTION note_path();
SET pg_topic.offsets_topic = on;
SELECT * FROM topic.delete_offsets('hg', 'h');
SELECT topic.commit('hg', 'h', 1, 1);
SELECT topic.delete_group('hg');
SELECT partition, record_offset, value IS NULL AS tombstone FROM topics.__consumer_offsets;
SELECT topic.drop_topic('__consumer_offsets');
RESET pg_topic.offsets_topic;
SET ROLE regress_topic_hostile;
SELECT ARRAY[('a', '\x31')]::topic.header[]::pg_catalog.jsonb;
DROP FOREIGN TABLE topics.h;
SELECT topic.create_topic('h');
SELECT topic.drop_topic('h');
SELECT topic FROM topic.topics;
RESET ROLE;

-- So do DROP EXTENSION and CREATE EXTENSION.
BEGIN;
DROP EXTENSION pg_topic;
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('h');
SELECT topic.produce('h', 'v');
SELECT value FROM topics.h;
ROLLBACK;

RESET search_path;
DELETE FROM topic.producers;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
DROP OWNED BY regress_topic_hostile;
DROP ROLE regress_topic_hostile;
