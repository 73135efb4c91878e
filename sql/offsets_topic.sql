-- pg_topic.offsets_topic: commits of offsets as records of __consumer_offsets.
SELECT topic.create_topic('t', 2), topic.create_topic('u');
SELECT count(*) FROM topic.produce_batch('t', ARRAY['a', 'b', 'c'], partition => 0);
SELECT topic.produce('t', 'd', partition => 1), topic.produce('u', 'e');
CREATE ROLE regress_topic_creator;
GRANT CREATE ON SCHEMA topics TO regress_topic_creator;

-- Off, unless a superuser says otherwise
SHOW pg_topic.offsets_topic;
SELECT topic.commit('g', 't', 0, 1);
SELECT topic FROM topic.topics WHERE topic ~ '^__';
SET ROLE regress_topic_creator;
SET pg_topic.offsets_topic = on;
-- The name is the extension's owner's.
SELECT topic.create_topic('__consumer_offsets');
SELECT topic.create_topic('__consumer_offsets', if_not_exists => true);
RESET ROLE;
SET pg_topic.offsets_topic = on;

-- The first commit creates it. Nobody else may read it.
SELECT topic.commit('g', 't', 0, 2);
SELECT partitions, cleanup_policy, value_format, relation::text,
		(SELECT relowner FROM pg_class WHERE oid = relation) =
		(SELECT nspowner FROM pg_namespace WHERE nspname = 'topic_log') AS extensions_owner
	FROM topic.topics WHERE topic = '__consumer_offsets';
SET ROLE regress_topic_creator;
SELECT count(*) FROM topics.__consumer_offsets;
SELECT topic.create_topic('__consumer_offsets', if_not_exists => true);
RESET ROLE;

-- OffsetCommitKey 1: group, topic, partition. OffsetCommitValue 3: offset,
-- leaderEpoch, metadata, commitTimestamp.
CREATE FUNCTION read_int(bytes bytea, start int, size int) RETURNS bigint LANGUAGE sql AS $$
	SELECT ('x' || encode(substr(bytes, start + 1, size), 'hex'))::bit(64)::bigint >> (64 - 8 * size)
$$;
CREATE FUNCTION read_string(bytes bytea, start int) RETURNS text LANGUAGE sql AS $$
	SELECT convert_from(substr(bytes, start + 3, read_int(bytes, start, 2)::int), 'UTF8')
$$;
CREATE VIEW commits AS
	SELECT partition AS p, record_offset AS o, read_int(key, 0, 2) AS key_version, read_string(key, 2) AS group_id,
		read_string(key, at) AS topic, read_int(key, at + 2 + read_int(key, at, 2)::int, 4) AS partition,
		read_int(value, 0, 2) AS version, read_int(value, 2, 8) AS committed, read_int(value, 10, 4) AS epoch,
		read_string(value, 14) AS metadata,
		to_timestamp(read_int(value, 16 + read_int(value, 14, 2)::int, 8) / 1000.0) AS commit_time
	FROM topics.__consumer_offsets, LATERAL (SELECT 4 + read_int(key, 2, 2)::int) s(at);
SELECT key, length(value) FROM topics.__consumer_offsets;
SELECT topic.commit('g', 't', 0, 2, 'meta');
SELECT p, o, key_version, group_id, topic, c.partition, version, committed, epoch, metadata,
		commit_time = (SELECT date_trunc('milliseconds', committed_at) FROM topic.committed('g', 't')) AS same_time
	FROM commits c ORDER BY o;

-- Each way to commit
CREATE TABLE seen (p int, o bigint);
CREATE VIEW latest AS SELECT group_id, topic, partition, committed FROM commits
	WHERE (p, o) NOT IN (SELECT p, o FROM seen) ORDER BY p, o;
CREATE PROCEDURE seen() LANGUAGE sql AS $$
	TRUNCATE seen;
	INSERT INTO seen SELECT p, o FROM commits
$$;
CALL seen();
SELECT record_offset FROM topic.consume_text('g', 't', 1, ARRAY[0], commit => true);
TABLE latest;
CALL seen();
BEGIN;
SELECT count(*) FROM topic.consume('g', 't');
SELECT count(*) FROM topic.commit('g', 't');
-- nothing yet
TABLE latest;
COMMIT;
TABLE latest;
CALL seen();
SELECT * FROM topic.reset_offsets('g', 't', 'earliest');
TABLE latest;
CALL seen();
SELECT * FROM topic.reset_offsets('g', 't', 'latest', dry_run => true);
TABLE latest;
-- latest is committed by the first call
SELECT count(*) FROM topic.consume('l', 'u', offset_reset => 'latest');
TABLE latest;
CALL seen();
-- and deletion is a tombstone.
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[1]);
TABLE latest;
CALL seen();
SELECT topic.delete_group('l');
TABLE latest;
CALL seen();

-- A transaction records the last commit of each partition, of those that it
-- did not roll back.
BEGIN;
SELECT topic.commit('g', 't', 0, 1);
SELECT topic.commit('g', 't', 0, 2);
SAVEPOINT a;
SELECT topic.commit('g', 't', 0, 3);
SELECT topic.commit('g', 't', 1, 1);
SAVEPOINT b;
SELECT topic.commit('h', 'u', 0, 1);
RELEASE b;
ROLLBACK TO a;
SAVEPOINT c;
SELECT topic.commit('i', 'u', 0, 0);
SAVEPOINT d;
SELECT topic.commit('i', 'u', 0, 1);
RELEASE d;
RELEASE c;
COMMIT;
TABLE latest;
CALL seen();
BEGIN;
SELECT topic.commit('g', 't', 0, 3);
ROLLBACK;
TABLE latest;
-- One record, whatever was rolled back in between
BEGIN;
SELECT topic.commit('k', 'u', 0, 0);
SAVEPOINT a;
SELECT topic.commit('k', 'u', 0, 1, 'undone');
ROLLBACK TO a;
SELECT topic.commit('k', 'u', 0, 1);
RELEASE a;
COMMIT;
SELECT topic, partition, committed, metadata FROM commits WHERE group_id = 'k';
BEGIN;
SELECT topic.commit('j', 'u', 0, 1);
SELECT topic.delete_group('j');
COMMIT;
TABLE latest;
CALL seen();
-- Groups of one transaction may be in different partitions of the topic.
BEGIN;
SELECT count(topic.commit('group ' || i, 'u', 0, 1)) FROM generate_series(1, 100) i;
COMMIT;
SELECT count(*), count(DISTINCT p) > 1 AS partitions FROM commits WHERE group_id ~ '^group ';
-- As Kafka's coordinator would have it: abs(hashCode) % 50
SELECT DISTINCT group_id, p FROM commits WHERE group_id IN ('g', 'i', 'group 1') ORDER BY 1;
SELECT topic.commit('polygenelubricants', 'u', 0, 1), topic.commit('foobar', 'u', 0, 1);
SELECT group_id, p FROM commits WHERE group_id ~ '^(poly|foo)' ORDER BY 1;
-- Long metadata is cut.
SELECT topic.commit('long', 'u', 0, 1, repeat('x', 40000));
SELECT length(metadata) FROM commits WHERE group_id = 'long';
SELECT count(topic.delete_group(group_id)) FROM topic.groups WHERE group_id NOT IN ('g', 'i');
CALL seen();

-- The topic's own consumers are not recorded: they come to its end.
SELECT count(*) > 100 AS records FROM topic.consume('audit', '__consumer_offsets', NULL, commit => true);
SELECT count(*) FROM topic.consume('audit', '__consumer_offsets', NULL, commit => true);
TABLE latest;
SELECT topic.delete_group('audit');
TABLE latest;

-- drop_topic
SELECT topic.drop_topic('u');
TABLE latest;
-- Turned off
CALL seen();
SET pg_topic.offsets_topic = off;
SELECT topic.commit('g', 't', 1, 1);
TABLE latest;
SET pg_topic.offsets_topic = on;
-- Dropped: the next commit creates it, a deletion does not.
SELECT topic.drop_topic('__consumer_offsets', true);
DROP VIEW commits CASCADE;
SELECT topic.drop_topic('__consumer_offsets');
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[1]);
SELECT count(*) FROM topic.topics WHERE topic = '__consumer_offsets';
BEGIN;
SELECT topic.commit('g', 't', 1, 1);
SELECT topic.commit('g', 't', 0, 3);
COMMIT;
SELECT count(*) FROM topics.__consumer_offsets;
-- Dropped in the transaction that commits
BEGIN;
SELECT * FROM topic.reset_offsets('g', 't', 'earliest');
SELECT topic.drop_topic('__consumer_offsets');
COMMIT;
SELECT count(*) FROM topics.__consumer_offsets;
BEGIN;
SELECT * FROM topic.reset_offsets('g', 't', 'latest');
SELECT topic.drop_topic('t');
COMMIT;
SELECT count(*) FROM topics.__consumer_offsets WHERE value IS NULL;
-- A segment switch in the same transaction
SELECT topic.create_topic('t');
BEGIN;
SELECT topic.commit('g', 't', 0, 0);
SELECT topic.roll_segment('__consumer_offsets');
COMMIT;
SELECT topic.commit('g', 't', 0, 0, 'x');
SELECT count(*) FROM topics.__consumer_offsets;
-- Something else has the name of its relation.
SELECT topic.drop_topic('__consumer_offsets');
CREATE TABLE topics.__consumer_offsets (a int);
SELECT topic.commit('g', 't', 0, 0, 'y');
DROP TABLE topics.__consumer_offsets;
SELECT topic.commit('g', 't', 0, 0, 'y');
-- Nothing to record where nothing is written
SELECT topic.commit('g', 't', 0, 0);
BEGIN READ ONLY;
SELECT partition, committed_offset, metadata FROM topic.committed('g', 't');
COMMIT;
SELECT count(*) FROM topics.__consumer_offsets;
RESET pg_topic.offsets_topic;
DO $$
BEGIN
	PERFORM topic.drop_topic(topic) FROM topic.topics;
	DELETE FROM topic.groups;
END $$;
DROP FUNCTION read_int, read_string;
DROP PROCEDURE seen;
DROP TABLE seen;
REVOKE CREATE ON SCHEMA topics FROM regress_topic_creator;
DROP ROLE regress_topic_creator;

-- The extension goes, with a commit that was not recorded yet; in a database of
-- its own, since tests that follow go on with this one's.
\set database :DBNAME
CREATE DATABASE regress_topic_offsets TEMPLATE template0;
\c regress_topic_offsets
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t');
SET pg_topic.offsets_topic = on;
BEGIN;
SELECT topic.commit('g', 't', 0, 0, 'z');
SET LOCAL client_min_messages = warning;
DROP EXTENSION pg_topic CASCADE;
COMMIT;
\c :database
DROP DATABASE regress_topic_offsets;
