-- roll_segment: who may call it and where, and what the catalog says then.
SELECT topic.create_topic('r', 2);
CREATE VIEW segments AS
	SELECT segment, base_offsets, s.created_at IS NOT NULL AS opened,
		sealed_at >= s.created_at AS sealed
	FROM topic.segments s JOIN topic.topics USING (topic_id) WHERE topic = 'r' ORDER BY segment;

-- An empty segment is not rolled.
SELECT topic.roll_segment('r');
TABLE segments;
-- base_offsets are the next offsets, gaps included.
SELECT topic.produce('r', 'a', partition => 0), topic.produce('r', 'b', partition => 0);
BEGIN;
SELECT topic.produce('r', 'undone', partition => 1);
ROLLBACK;
SELECT topic.roll_segment('r');
TABLE segments;
SELECT topic.roll_segment('r');
-- Offsets go on from there, though the new segment is empty.
SELECT * FROM topic.offsets('r');
SELECT topic.produce('r', 'c', partition => 0), topic.produce('r', 'd', partition => 1);
SELECT topic.roll_segment('r');
SELECT topic.produce('r', 'e', partition => 0);
TABLE segments;
SELECT partition, record_offset, value FROM topics.r;
SELECT partition, record_offset, value FROM topic.fetch_text('r', from_offset => 1);
SELECT * FROM topic.offsets('r');
-- Each is a table with its own records.
CREATE FUNCTION records_of(segment int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT sum(record_count) FROM topic_log.segment_%s_%s',
		(SELECT topic_id FROM topic.topics WHERE topic = 'r'), segment) INTO n;
	RETURN n;
END
$$;
SELECT segment, records_of(segment) FROM segments;
-- A consumer reads on over the switch, in one transaction, too.
BEGIN;
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);
SELECT value FROM topic.consume_text('g', 'r', 2, ARRAY[0]);
SELECT value FROM topic.consume_text('g', 'r', 2, ARRAY[0]);
SELECT * FROM topic.commit('g', 'r');
COMMIT;

-- In a transaction block the switch is done at its end, once.
BEGIN;
SELECT topic.roll_segment('r');
SELECT topic.roll_segment('r');
TABLE segments;
SELECT topic.produce('r', 'before the end', partition => 1);
COMMIT;
TABLE segments;
SELECT topic.roll_segment('r');
SELECT topic.produce('r', 'after it', partition => 1);
SELECT record_offset, value FROM topics.r WHERE partition = 1 AND record_offset >= 2;
-- It is rolled back with its transaction, or its savepoint.
BEGIN;
SELECT topic.roll_segment('r');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT topic.roll_segment('r');
ROLLBACK TO s;
COMMIT;
DO $$ BEGIN
	PERFORM topic.roll_segment('r');
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
END $$;
TABLE segments;
BEGIN;
SAVEPOINT s;
SELECT topic.roll_segment('r');
ROLLBACK TO s;
SELECT topic.roll_segment('r');
SAVEPOINT s2;
SELECT topic.produce('r', 'undone', partition => 0);
ROLLBACK TO s2;
COMMIT;
TABLE segments;
SELECT * FROM topic.offsets('r');
BEGIN;
SAVEPOINT s;
SELECT topic.produce('r', 'f', partition => 0);
SELECT topic.roll_segment('r');
RELEASE s;
COMMIT;
TABLE segments;
-- A topic that is new, dropped, changed, or one of several, in the transaction
BEGIN;
SELECT topic.create_topic('s');
SELECT topic.roll_segment('s');
SELECT topic.produce('s', 'v');
SELECT topic.roll_segment('s');
SELECT topic.produce('s', 'w');
SELECT topic.produce('r', 'g', partition => 1);
SELECT topic.roll_segment('r');
COMMIT;
SELECT topic, max(segment) FROM topic.segments JOIN topic.topics USING (topic_id) GROUP BY 1 ORDER BY 1;
SELECT record_offset, value FROM topics.s;
SELECT topic.produce('s', 'x');
BEGIN;
SELECT topic.roll_segment('s');
SELECT topic.alter_topic('s', partitions => 2);
SELECT topic.produce('s', 'y', partition => 1);
COMMIT;
SELECT segment, base_offsets FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 's' ORDER BY 1;
SELECT topic.produce('s', 'z', partition => 1);
SELECT partition, record_offset, value FROM topics.s;
BEGIN;
SELECT topic.roll_segment('s');
SELECT topic.drop_topic('s');
COMMIT;
BEGIN;
SELECT topic.create_topic('s');
SELECT topic.produce('s', 'v');
SELECT topic.roll_segment('s');
SELECT topic.drop_topic('s');
SELECT topic.create_topic('s');
COMMIT;
SELECT segment, base_offsets FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 's' ORDER BY 1;
SELECT topic.drop_topic('s');
SELECT count(*) = (SELECT count(*) FROM topic.segments) AS one_table_each
	FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
-- After and before producing
DO $$ BEGIN
	PERFORM topic.produce('r', 'before', partition => 1);
	PERFORM topic.roll_segment('r');
	PERFORM topic.produce('r', 'after', partition => 1);
END $$;
SELECT value FROM topics.r WHERE partition = 1 AND record_offset >= 5;
-- Under the other isolation levels, and deferred to the end with other things
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT topic.produce('r', 'serializable', partition => 0);
SELECT topic.roll_segment('r');
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[1]);
SELECT * FROM topic.commit('g', 'r');
DECLARE held CURSOR WITH HOLD FOR SELECT value FROM topics.r WHERE partition = 0 AND record_offset < 2;
COMMIT;
FETCH ALL FROM held;
CLOSE held;
SELECT count(*), max(segment) FROM segments;

-- The owner alone
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_other;
ALTER FOREIGN TABLE topics.r OWNER TO regress_topic_owner;
GRANT ALL ON topics.r TO regress_topic_other;
SELECT topic.produce('r', 'f', partition => 1);
SET ROLE regress_topic_other;
SELECT topic.roll_segment('r');
SET ROLE regress_topic_owner;
SELECT topic.roll_segment('r');
SELECT topic.roll_segment('r');
RESET ROLE;
SELECT topic.roll_segment('missing');
SELECT topic.roll_segment(NULL);
SET default_transaction_read_only = on;
SELECT topic.roll_segment('r');
RESET default_transaction_read_only;

DROP VIEW segments;
DROP FUNCTION records_of(int);
SELECT topic.drop_topic('r');
DROP ROLE regress_topic_owner, regress_topic_other;

-- Segments go to the database's tablespace, whatever default_tablespace says
-- to whoever rolls: he may have no right on that one.
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_topic_space LOCATION '';
CREATE ROLE regress_topic_owner;
GRANT CREATE ON SCHEMA topics TO regress_topic_owner;
SET ROLE regress_topic_owner;
SELECT topic.create_topic('r');
SELECT topic.produce('r', 'v');
SET default_tablespace = regress_topic_space;
SELECT topic.roll_segment('r');
RESET ROLE;
SELECT topic.create_topic('s');
RESET default_tablespace;
SELECT topic, count(*) FROM topic.segments JOIN topic.topics USING (topic_id) GROUP BY 1 ORDER BY 1;
SELECT relkind, count(*) FROM pg_class
	WHERE reltablespace = (SELECT oid FROM pg_tablespace WHERE spcname = 'regress_topic_space')
	GROUP BY 1 ORDER BY 1;
SELECT topic.drop_topic('r'), topic.drop_topic('s');
DROP TABLESPACE regress_topic_space;
DROP OWNED BY regress_topic_owner;
DROP ROLE regress_topic_owner;
