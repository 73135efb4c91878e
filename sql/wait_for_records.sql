-- wait_for_records: what counts as available, where it can be called, and what
-- it refuses. That and how it waits: test/isolation, test/t.
SELECT topic.create_topic('t', 2);
SELECT topic.create_topic('other');

-- Nothing is there.
CALL topic.wait_for_records('g', 't', max_wait => '0');
CALL topic.wait_for_records('g', 't', '10 ms', NULL);
CALL topic.wait_for_records(group_id => 'g', topic => 't', max_wait => '10 ms');
CALL topic.wait_for_records('g', ARRAY['t', 'other'], '0');
CALL topic.wait_for_records('t', ARRAY[0, 0], '0');

-- Neither is what was rolled back.
BEGIN;
SELECT topic.produce('t', 'rolled back', partition => 1);
ROLLBACK;
CALL topic.wait_for_records('g', 't', '0');

-- A record is: it returns at once. To look changes nothing.
SELECT topic.produce('t', 'a', partition => 1);
CALL topic.wait_for_records('g', 't');
CALL topic.wait_for_records('g', 't', '1000 years');
CALL topic.wait_for_records('g', '{other,t}'::text[]);
CALL topic.wait_for_records('g', '{other}'::text[], '0');
SELECT count(*) FROM topic.consumer_offsets WHERE topic = 't';
CALL topic.wait_for_records('unheard of', 't');
SELECT count(*) FROM topic.groups WHERE group_id = 'unheard of';

-- Until it is consumed, by each group for itself
SELECT value FROM topic.consume_text('g', 't', commit => true);
CALL topic.wait_for_records('g', 't', '0');
CALL topic.wait_for_records('other group', 't', '0');
-- or the offset goes back
SELECT partition, new_offset FROM topic.reset_offsets('g', 't', 'earliest', partitions => ARRAY[1]);
CALL topic.wait_for_records('g', 't', '0');
SELECT value FROM topic.consume_text('g', 't', commit => true);

-- Without a group: from_offsets[p + 1] is that of partition p.
CALL topic.wait_for_records('t', ARRAY[0, 0]);
CALL topic.wait_for_records('t', ARRAY[0, 2], '0');
CALL topic.wait_for_records('t', ARRAY[7, NULL]);
CALL topic.wait_for_records('t', ARRAY[7]);
CALL topic.wait_for_records('t', from_offsets => '{}');
CALL topic.wait_for_records(topic => 't', from_offsets => ARRAY[9223372036854775807, 9223372036854775807], max_wait => '0');

-- A transaction goes on from its own position, and sees its own records, as
-- consume does.
SELECT topic.produce('t', 'b', partition => 1);
BEGIN;
CALL topic.wait_for_records('g', 't');
SELECT value FROM topic.consume_text('g', 't');
CALL topic.wait_for_records('g', 't', '0');
SAVEPOINT s;
SELECT topic.produce('t', 'c', partition => 0);
CALL topic.wait_for_records('g', 't', '0');
ROLLBACK TO s;
SELECT * FROM topic.commit('g', 't');
CALL topic.wait_for_records('g', 't', '0');
ROLLBACK;
CALL topic.wait_for_records('g', 't');
-- So it does from what it has committed explicitly.
BEGIN;
SELECT topic.commit('new group', 't', 1, 0);
CALL topic.wait_for_records('new group', 't', '0');
SELECT topic.commit('new group', 't', 1, 3);
CALL topic.wait_for_records('new group', 't', '0');
ROLLBACK;

-- A topic with many partitions, whose offsets are stored out of line
ALTER TABLE topic.segments ALTER base_offsets SET STORAGE EXTERNAL;
SELECT topic.create_topic('wide', 1000);
SELECT FROM topic.produce('wide', 'a', partition => 999);
SELECT topic.roll_segment('wide');
SELECT FROM topic.produce('wide', 'b', partition => 998);
SELECT topic.roll_segment('wide');
\c -
CALL topic.wait_for_records('wide', array_fill(1, ARRAY[1000]), '0');
CALL topic.wait_for_records('wide', array_fill(1, ARRAY[999]), '0');
SELECT topic.drop_topic('wide');
ALTER TABLE topic.segments ALTER base_offsets SET STORAGE EXTENDED;

-- In PL/pgSQL, which has no default for a result. Nothing is committed by it.
DO $$
DECLARE
	available boolean;
	record_value text;
BEGIN
	FOR i IN 1..3 LOOP
		CALL topic.wait_for_records('g', 't', '0', available);
		RAISE NOTICE 'available: %', available;
		IF available THEN
			SELECT value INTO record_value FROM topic.consume_text('g', 't', commit => true);
			RAISE NOTICE '%', record_value;
			ROLLBACK AND CHAIN;
		END IF;
	END LOOP;
	SELECT value INTO record_value FROM topic.consume_text('g', 't', commit => true);
	CALL topic.wait_for_records('g', 't', '0', available);
	RAISE NOTICE 'available: %', available;
	ROLLBACK;
	CALL topic.wait_for_records('g', 't', '0', available);
	RAISE NOTICE 'available: %', available;
END $$;
CREATE PROCEDURE wait_in_procedure(INOUT available boolean DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
	CALL topic.wait_for_records('g', 't', '0', available);
	COMMIT;
	CALL topic.wait_for_records('g', 't', '0', available);
END $$;
CALL wait_in_procedure();
-- Cursors of the transaction stay open.
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topics.t ORDER BY record_offset;
FETCH c;
SAVEPOINT s;
CALL topic.wait_for_records('g', 't');
FETCH c;
RELEASE s;
CALL topic.wait_for_records('g', 't');
FETCH c;
COMMIT;
-- As one of several statements
CALL topic.wait_for_records('g', 't') \; SELECT value FROM topic.consume_text('g', 't') \; CALL topic.wait_for_records('g', 't', '0');

-- Not where a snapshot must stay
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL topic.wait_for_records('g', 't', '0');
ROLLBACK;
SET default_transaction_isolation = serializable;
CALL topic.wait_for_records('g', 't', '0');
RESET default_transaction_isolation;
CREATE FUNCTION wait_in_function() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	available boolean;
BEGIN
	CALL topic.wait_for_records('g', 't', '0', available);
	RETURN available;
END $$;
SELECT wait_in_function();
CREATE FUNCTION wait_in_cursor() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	c refcursor;
	available boolean;
BEGIN
	OPEN c FOR EXECUTE 'CALL topic.wait_for_records(''g'', ''t'', ''0'')';
	FETCH c INTO available;
	RETURN available;
EXCEPTION WHEN active_sql_transaction THEN
	RAISE NOTICE '%', SQLERRM;
	RETURN NULL;
END $$;
SELECT wait_in_cursor(), count(*) FROM topics.t;
BEGIN;
CALL wait_in_procedure();
ROLLBACK;
DO $$
DECLARE
	available boolean;
BEGIN
	CALL topic.wait_for_records('g', 't', '0', available);
EXCEPTION WHEN division_by_zero THEN
END $$;

-- Arguments
CALL topic.wait_for_records('g', 'missing');
CALL topic.wait_for_records('g', ARRAY['t', 'missing']);
CALL topic.wait_for_records('missing', ARRAY[0]);
CALL topic.wait_for_records('', 't');
CALL topic.wait_for_records(NULL, 't');
CALL topic.wait_for_records('g', NULL::text);
CALL topic.wait_for_records('g', NULL::text[]);
CALL topic.wait_for_records('g', ARRAY['t', NULL]);
CALL topic.wait_for_records('g', '{}'::text[]);
CALL topic.wait_for_records('t', NULL::bigint[]);
CALL topic.wait_for_records(NULL, ARRAY[0]);
CALL topic.wait_for_records('t', ARRAY[0, -1]);
CALL topic.wait_for_records('t', ARRAY[0, 0, 0]);
CALL topic.wait_for_records('g', 't', NULL);
CALL topic.wait_for_records('g', 't', '-1 ms');
CALL topic.wait_for_records('g', 't', '1 month -31 days');
CALL topic.wait_for_records('g', 't', '300000 years');
CALL topic.wait_for_records('g', 't', '0', member_id => 'nobody');
CALL topic.wait_for_records('g', ARRAY['t'], '0', member_id => 'nobody');
-- Nothing is left of an error.
CALL topic.wait_for_records('g', 't');

-- Privileges: SELECT on the topic, and the group
CREATE ROLE regress_topic_reader;
CREATE ROLE regress_topic_writer;
GRANT SELECT ON topics.t TO regress_topic_reader;
GRANT INSERT ON topics.t TO regress_topic_writer;
SET ROLE regress_topic_reader;
CALL topic.wait_for_records('new group', 't');
CALL topic.wait_for_records('g', 't');
CALL topic.wait_for_records('g', '{t}'::text[]);
CALL topic.wait_for_records('new group', ARRAY['t', 'other']);
CALL topic.wait_for_records('t', '{0}'::bigint[]);
SET ROLE regress_topic_writer;
CALL topic.wait_for_records('new group', 't');
CALL topic.wait_for_records('t', '{0}'::bigint[]);
RESET ROLE;

DROP FUNCTION wait_in_function, wait_in_cursor;
DROP PROCEDURE wait_in_procedure;
SELECT topic.drop_topic('t'), topic.drop_topic('other');
DROP ROLE regress_topic_reader, regress_topic_writer;
DELETE FROM topic.groups;
