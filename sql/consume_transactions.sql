-- Positions follow transactions: savepoints, exceptions, cursors, loops.
SELECT topic.create_topic('t');
SELECT base_offset, record_count FROM topic.produce_batch('t', ARRAY(SELECT 'v' || i FROM generate_series(0, 9) i));

-- ROLLBACK TO puts the position back to where it was.
BEGIN;
SELECT value FROM topic.consume_text('g', 't', 2);
SAVEPOINT s;
SELECT value FROM topic.consume_text('g', 't', 2);
ROLLBACK TO s;
SELECT value FROM topic.consume_text('g', 't', 1);
SAVEPOINT s2;
SELECT value FROM topic.consume_text('g', 't', 1);
RELEASE s2;
SELECT value FROM topic.consume_text('g', 't', 1);
ROLLBACK TO s;
SELECT value FROM topic.consume_text('g', 't', 1);
SELECT * FROM topic.commit('g', 't');
ROLLBACK;
-- A claim of the savepoint is gone with it.
BEGIN;
SAVEPOINT s;
SELECT value FROM topic.consume_text('g', 't', 2);
SELECT count(*) FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
ROLLBACK TO s;
SELECT count(*) FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
SELECT * FROM topic.commit('g', 't');
ROLLBACK TO s;
SELECT value FROM topic.consume_text('g', 't', 1);
SELECT * FROM topic.commit('g', 't');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('g', 't');
-- So is a commit.
BEGIN;
SELECT value FROM topic.consume_text('g', 't', 1);
SAVEPOINT s;
SELECT * FROM topic.commit('g', 't');
SELECT value FROM topic.consume_text('g', 't', 1, commit => true);
ROLLBACK TO s;
SELECT partition, committed_offset FROM topic.committed('g', 't');
SELECT value FROM topic.consume_text('g', 't', 1);
SAVEPOINT s3;
SELECT * FROM topic.commit('g', 't');
RELEASE s3;
ROLLBACK TO s;
SELECT * FROM topic.commit('g', 't');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('g', 't');
-- Deep nesting, in which only some levels consume
BEGIN;
SAVEPOINT a;
SAVEPOINT b;
SELECT value FROM topic.consume_text('deep', 't', 1);
SAVEPOINT c;
SAVEPOINT d;
SELECT value FROM topic.consume_text('deep', 't', 1);
RELEASE d;
RELEASE c;
SAVEPOINT e;
SELECT value FROM topic.consume_text('deep', 't', 1);
ROLLBACK TO e;
SELECT value FROM topic.consume_text('deep', 't', 1);
RELEASE b;
SELECT value FROM topic.consume_text('deep', 't', 1);
SELECT * FROM topic.commit('deep', 't');
ROLLBACK TO a;
SELECT value FROM topic.consume_text('deep', 't', 1);
COMMIT;

-- PL/pgSQL: a loop over consume, and a block for each record, as one handles
-- poison records.
CREATE TABLE sink (value text, note text);
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM topic.consume_text('loop', 't', 6) LOOP
		BEGIN
			INSERT INTO sink VALUES (r.value, 'ok');
			IF r.record_offset = 3 THEN
				RAISE EXCEPTION 'poison';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			INSERT INTO sink VALUES (r.value, SQLERRM);
		END;
	END LOOP;
	PERFORM * FROM topic.commit('loop', 't');
END
$$;
SELECT * FROM sink ORDER BY value;
SELECT partition, committed_offset FROM topic.committed('loop', 't');
-- consume itself within the block: what the block consumed is undone
TRUNCATE sink;
DO $$
DECLARE
	n int;
BEGIN
	FOR i IN 1..4 LOOP
		BEGIN
			INSERT INTO sink SELECT value, 'try ' || i FROM topic.consume_text('block', 't', 2);
			IF i = 2 THEN
				RAISE EXCEPTION 'again';
			END IF;
			PERFORM topic.commit('block', 't');
		EXCEPTION WHEN raise_exception THEN
			RAISE NOTICE 'rolled back';
		END;
	END LOOP;
END
$$;
SELECT * FROM sink ORDER BY value;
SELECT partition, committed_offset FROM topic.committed('block', 't');
-- A procedure that commits in its loop, but not in a loop over consume
CREATE PROCEDURE drain(batch int) LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	LOOP
		INSERT INTO sink SELECT value, 'drained' FROM topic.consume_text('drain', 't', batch, commit => true);
		GET DIAGNOSTICS n = ROW_COUNT;
		COMMIT;
		EXIT WHEN n = 0;
		RAISE NOTICE '% records', n;
	END LOOP;
END
$$;
TRUNCATE sink;
CALL drain(4);
SELECT count(*), count(DISTINCT value) FROM sink;
-- After COMMIT inside the loop, the claim and the position are gone.
CREATE PROCEDURE commit_inside() LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM topic.consume_text('inside', 't', 4) LOOP
		COMMIT;
	END LOOP;
	PERFORM topic.commit('inside', 't');
END
$$;
CALL commit_inside();
SELECT count(*) FROM topic.committed('inside', 't');

-- Functions in SQL and views
CREATE FUNCTION next_values(n int) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT value FROM topic.consume_text('in sql', 't', n, commit => true) $$;
SELECT * FROM next_values(2);
SELECT next_values(2);
SELECT partition, committed_offset FROM topic.committed('in sql', 't');
PREPARE consume_some(int) AS SELECT value FROM topic.consume_text('prepared', 't', $1, commit => true);
EXECUTE consume_some(2);
EXECUTE consume_some(1);
DEALLOCATE consume_some;

-- A cursor consumes when it is first read, all at once.
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topic.consume_text('cursor', 't', 4);
SELECT * FROM topic.commit('cursor', 't');
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topic.consume_text('cursor', 't', 4);
FETCH 1 FROM c;
SELECT * FROM topic.commit('cursor', 't');
FETCH 2 FROM c;
CLOSE c;
SELECT value FROM topic.consume_text('cursor', 't', 1);
COMMIT;
SELECT partition, committed_offset FROM topic.committed('cursor', 't');
-- One WITH HOLD does at COMMIT, if not before.
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT value FROM topic.consume_text('hold', 't', 3, commit => true);
SELECT count(*) FROM topic.committed('hold', 't');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('hold', 't');
FETCH ALL FROM h;
CLOSE h;
-- and a scrolling one keeps what it consumed
BEGIN;
DECLARE s SCROLL CURSOR FOR SELECT value FROM topic.consume_text('scroll', 't', 3);
FETCH ALL FROM s;
FETCH FIRST FROM s;
FETCH LAST FROM s;
SELECT value FROM topic.consume_text('scroll', 't', 1);
ROLLBACK;
-- ROLLBACK TO in the middle of a cursor that was opened before
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topic.consume_text('before', 't', 3);
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
SELECT value FROM topic.consume_text('before', 't', 1);
SELECT * FROM topic.commit('before', 't');
COMMIT;

-- Joined to rows of the producing transaction, in one statement
CREATE TABLE orders (id int PRIMARY KEY, customer text);
BEGIN;
INSERT INTO orders VALUES (1, 'Ann');
SELECT topic.produce('t', '1', 'order');
COMMIT;
SELECT customer FROM topic.consume_text('join', 't', commit => true) r JOIN orders o ON r.key = 'order' AND o.id = r.value::int;
-- Several calls in one statement share the positions.
SELECT a.value, b.value FROM topic.consume_text('two', 't', 1) a, topic.consume_text('two', 't', 1) b;
WITH a AS MATERIALIZED (SELECT value FROM topic.consume_text('ctes', 't', 2)),
	b AS MATERIALIZED (SELECT value FROM topic.consume_text('ctes', 't', 2))
SELECT (SELECT array_agg(value) FROM a) AS a, (SELECT array_agg(value) FROM b) AS b;
CREATE TABLE repeated AS SELECT 1 + i % 2 AS n FROM generate_series(1, 4) i;
INSERT INTO repeated SELECT 1 FROM generate_series(1, 1000);
ANALYZE repeated;
SELECT count(*), count(DISTINCT record_offset) FROM repeated, LATERAL topic.consume('lateral', 't', n);

-- The other isolation levels
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM topic.consume('rr', 't', 4);
SELECT * FROM topic.commit('rr', 't');
SELECT value FROM topic.consume_text('rr', 't', 1, commit => true);
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT value FROM topic.consume_text('rr', 't', 1);
SAVEPOINT s;
SELECT * FROM topic.commit('rr', 't');
ROLLBACK TO s;
SELECT value FROM topic.consume_text('rr', 't', 1);
SELECT * FROM topic.commit('rr', 't');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('rr', 't');

-- A topic dropped and created again under a transaction that consumed it
BEGIN;
SELECT count(*) FROM topic.consume('rr', 't');
SELECT topic.drop_topic('t');
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'new');
SELECT * FROM topic.commit('rr', 't');
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.consume('rr', 't');
SELECT topic.drop_topic('t');
SELECT topic.create_topic('t');
SELECT topic.produce('t', 'new');
SELECT value FROM topic.consume_text('rr', 't');
SELECT * FROM topic.commit('rr', 't');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('rr', 't');

SELECT topic.drop_topic('t');
DROP TABLE sink, orders, repeated;
DROP PROCEDURE drain(int), commit_inside();
DROP FUNCTION next_values(int);
