-- Topics end, and begin, with their relation: drop_topic, plain DROP, and
-- transactions that roll either back.
CREATE VIEW leftovers AS
	SELECT (SELECT count(*) FROM topic.topics) AS topics,
		(SELECT count(*) FROM topic.segments) AS segments,
		(SELECT count(*) FROM topic.consumer_offsets) AS consumer_offsets,
		(SELECT count(*) FROM pg_class WHERE relnamespace = 'topics'::regnamespace) AS relations,
		(SELECT count(*) FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace
			AND relkind = 'r') AS tables;
TABLE leftovers;

-- drop_topic takes the records, the segments and the groups' offsets with it.
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'one');
SELECT topic.roll_segment('t');
SELECT topic.produce('t', 'two');
SELECT value FROM topic.consume_text('g', 't', commit => true);
TABLE leftovers;
SELECT topic.drop_topic('t');
TABLE leftovers;
SELECT topic.produce('t', 'three');
SELECT * FROM topic.fetch('t');
SELECT * FROM topics.t;

-- A topic of the same name is a new one: offset 0, and no group knows it.
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'anew');
SELECT * FROM topic.committed('g', 't');
SELECT record_offset, value FROM topic.consume_text('g', 't', commit => true);
SELECT partition, committed_offset FROM topic.committed('g', 't');

-- What is not there
SELECT topic.drop_topic('missing');
SELECT topic.drop_topic('missing', if_exists => true);
SELECT topic.drop_topic('missing', if_exists => false);
SELECT topic.drop_topic(repeat('x', 64), if_exists => true);
SELECT topic.drop_topic(NULL);
SELECT topic.drop_topic(NULL, true);

-- Plain DROP does the same.
DROP FOREIGN TABLE topics.t;
TABLE leftovers;

-- DROP OWNED, with a role's other things
CREATE ROLE regress_topic_owner;
GRANT CREATE ON SCHEMA topics TO regress_topic_owner;
SET ROLE regress_topic_owner;
SELECT topic.create_topic('owned1'), topic.create_topic('owned2');
SELECT topic.produce('owned1', 'v');
SELECT value FROM topic.consume_text('owners group', 'owned1', commit => true);
RESET ROLE;
SELECT topic.create_topic('kept');
DROP OWNED BY regress_topic_owner;
SELECT topic FROM topic.topics;
SELECT topic.drop_topic('kept');
TABLE leftovers;

-- With the schema that the relation was moved to, or what it hangs on
CREATE SCHEMA elsewhere;
SELECT topic.create_topic('moved');
ALTER FOREIGN TABLE topics.moved SET SCHEMA elsewhere;
SELECT topic.produce('moved', 'v');
SELECT value FROM elsewhere.moved;
DROP SCHEMA elsewhere CASCADE;
TABLE leftovers;
CREATE TABLE parent (partition int NOT NULL, record_offset bigint NOT NULL,
	record_timestamp timestamptz, key text, value text, headers jsonb);
SELECT topic.create_topic('child');
SELECT topic.produce('child', 'v');
ALTER FOREIGN TABLE topics.child INHERIT parent;
SELECT value FROM parent;
DROP TABLE parent CASCADE;
TABLE leftovers;
CREATE TABLE parent (partition int NOT NULL, record_offset bigint NOT NULL,
	record_timestamp timestamptz, key text, value text, headers jsonb)
	PARTITION BY LIST (partition);
SELECT topic.create_topic('child');
SELECT topic.produce('child', 'v');
ALTER TABLE parent ATTACH PARTITION topics.child DEFAULT;
SELECT value FROM parent;
DROP TABLE parent;
TABLE leftovers;
CREATE TYPE of_records AS (partition int, record_offset bigint,
	record_timestamp timestamptz, key text, value text, headers jsonb);
CREATE TABLE parent OF of_records;
SELECT topic.create_topic('child');
SELECT topic.produce('child', 'v');
ALTER FOREIGN TABLE topics.child INHERIT parent;
SELECT value FROM parent;
DROP TYPE of_records CASCADE;
TABLE leftovers;

-- Where event triggers are off, what is left is of no effect, and goes with
-- the next topic of that name.
SELECT topic.create_topic('dead');
SELECT topic.produce('dead', 'v');
SELECT value FROM topic.consume_text('g', 'dead', commit => true);
ALTER EVENT TRIGGER pg_topic_on_sql_drop DISABLE;
DROP FOREIGN TABLE topics.dead;
SELECT * FROM topic.fetch('dead');
SELECT topic.produce('dead', 'v');
SELECT topic.drop_topic('dead');
SELECT count(*) FROM topic.lag;
SELECT count(*) FROM topic.topic_stats;
SELECT count(*) FROM topic.open_producers;
SELECT topic.create_topic('dead');
SELECT * FROM topic.offsets('dead');
SELECT * FROM topic.committed('g', 'dead');
TABLE leftovers;
SELECT topic.drop_topic('dead');
ALTER EVENT TRIGGER pg_topic_on_sql_drop ENABLE;
TABLE leftovers;

-- A view on the relation is in the way, as with any table.
SELECT topic.create_topic('viewed');
CREATE VIEW dependent AS SELECT value FROM topics.viewed;
SELECT topic.drop_topic('viewed');
DROP FOREIGN TABLE topics.viewed;
SELECT topic.produce('viewed', 'still there');
TABLE dependent;
DROP VIEW dependent;
SELECT topic.drop_topic('viewed');

-- The relation may be renamed; the topic keeps its name.
SELECT topic.create_topic('before');
SELECT topic.produce('before', 'v0');
ALTER FOREIGN TABLE topics.before RENAME TO after;
SELECT topic.produce('before', 'v1');
SELECT value FROM topics.after;
SELECT topic, relation FROM topic.topics;
SELECT topic.create_topic('before');
SELECT topic.create_topic('after');
SELECT topic.produce('after', 'v');
SELECT topic.alter_topic('before', value_format => 'bytes');
SELECT value FROM topics.after;
SELECT topic.drop_topic('before');
TABLE leftovers;

-- A topic is created and dropped with its transaction.
BEGIN;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'v');
SELECT value FROM topics.t;
ROLLBACK;
SELECT topic.produce('t', 'v');
TABLE leftovers;
BEGIN;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'v');
SELECT value FROM topic.consume_text('g', 't');
SELECT * FROM topic.commit('g', 't');
SELECT topic.drop_topic('t');
SELECT topic.produce('t', 'v');
ROLLBACK;
BEGIN;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'v');
SELECT topic.drop_topic('t');
COMMIT;
TABLE leftovers;
-- of a subtransaction that is rolled back
BEGIN;
SAVEPOINT s;
SELECT topic.create_topic('t', 2);
SELECT topic.produce('t', 'undone', partition => 1);
ROLLBACK TO s;
SELECT topic.produce('t', 'v');
ROLLBACK TO s;
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'done');
COMMIT;
SELECT partition, record_offset, value FROM topics.t;
-- a drop that is rolled back
BEGIN;
SELECT topic.drop_topic('t');
SELECT topic.produce('t', 'v');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT topic.drop_topic('t');
ROLLBACK TO s;
SELECT topic.produce('t', 'next');
COMMIT;
BEGIN;
DROP FOREIGN TABLE topics.t;
ROLLBACK;
SELECT record_offset, value FROM topic.fetch_text('t');
-- dropped and created again, in one transaction
BEGIN;
SELECT topic.drop_topic('t');
SELECT topic.create_topic('t', value_format => 'json');
SELECT topic.produce('t', '{"again": 1}');
SELECT record_offset, value FROM topics.t;
ROLLBACK;
SELECT record_offset, value FROM topics.t;
BEGIN;
SELECT topic.drop_topic('t');
SELECT topic.create_topic('t', value_format => 'json');
SELECT topic.produce('t', '{"again": 1}');
COMMIT;
SELECT record_offset, value FROM topics.t;
-- from PL/pgSQL, with an exception caught
DO $$
BEGIN
	BEGIN
		PERFORM topic.create_topic('caught');
		PERFORM topic.produce('caught', 'v');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		PERFORM topic.create_topic('caught', 3);
	END;
	PERFORM topic.produce('caught', 'v', partition => 2);
END
$$;
SELECT partition, record_offset, value FROM topics.caught;

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
TABLE leftovers;
DROP VIEW leftovers;
DROP OWNED BY regress_topic_owner;
DROP ROLE regress_topic_owner;
