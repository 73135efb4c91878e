-- What a reader sees of its own transaction's records.
SELECT topic.create_topic('v');

-- A record is there for the transaction's next command, not for its own.
BEGIN;
SELECT topic.produce('v', 'first');
SELECT value FROM topic.fetch_text('v');
SELECT topic.produce('v', 'second'), (SELECT count(*) FROM topic.fetch('v'));
WITH p AS (SELECT topic.produce('v', 'third'))
	SELECT (SELECT count(*) FROM p) AS produced, (SELECT count(*) FROM topic.fetch('v')) AS seen;
SELECT value FROM topics.v;
COMMIT;
SELECT value FROM topics.v;

-- So a topic can be copied into itself, and that ends.
SELECT count(topic.produce('v', value || ' copied')) FROM topics.v;
SELECT count(topic.produce('v', value || ' again')) FROM topic.fetch_text('v');
SELECT count(*) FROM topics.v;
SELECT count(b) FROM topics.v, LATERAL topic.produce_batch('v', ARRAY[value, value]) b;
SELECT count(*) FROM topics.v;

-- A cursor reads as of when it was opened; volatile functions begin anew.
BEGIN;
DECLARE c CURSOR FOR SELECT value FROM topics.v WHERE record_offset >= 36;
SELECT topic.produce('v', 'after the cursor');
FETCH ALL FROM c;
SELECT value FROM topics.v WHERE record_offset >= 36;
ROLLBACK;
DO $$
DECLARE
	n bigint;
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM topic.produce('v', 'in a loop');
		SELECT count(*) INTO n FROM topics.v WHERE record_offset >= 36 AND value = 'in a loop';
		RAISE NOTICE '% produced, % seen', i, n;
	END LOOP;
END
$$;

-- What was rolled back to a savepoint is passed over, its offset not given
-- again meanwhile.
BEGIN;
SELECT topic.produce('v', 'kept') AS kept \gset
SAVEPOINT s;
SELECT topic.produce('v', 'undone') - :kept AS after_kept;
SELECT value FROM topics.v WHERE record_offset >= :kept;
ROLLBACK TO s;
SELECT value FROM topics.v WHERE record_offset >= :kept;
SELECT topic.produce('v', 'kept too') - :kept AS after_kept;
SELECT value FROM topics.v WHERE record_offset >= :kept;
SAVEPOINT t;
SELECT topic.produce('v', 'released') - :kept AS after_kept;
RELEASE t;
SELECT record_offset - :kept AS after_kept, value FROM topics.v WHERE record_offset >= :kept;
COMMIT;
SELECT record_offset - :kept AS after_kept, value FROM topics.v WHERE record_offset >= :kept;
-- nested, with the inner one released and the outer one rolled back
BEGIN;
SAVEPOINT outer_one;
SAVEPOINT inner_one;
SELECT topic.produce('v', 'inner') - :kept AS after_kept;
RELEASE inner_one;
SELECT value FROM topics.v WHERE record_offset >= :kept + 4;
ROLLBACK TO outer_one;
SELECT value FROM topics.v WHERE record_offset >= :kept + 4;
COMMIT;
-- exceptions in PL/pgSQL are savepoints
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		BEGIN
			PERFORM topic.produce('v', 'try ' || i);
			IF i = 2 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			PERFORM topic.produce('v', 'caught ' || i);
		END;
	END LOOP;
END
$$;
SELECT value FROM topics.v WHERE record_offset > :kept + 4;

-- A transaction that was rolled back leaves a gap.
SELECT high_watermark AS before FROM topic.offsets('v') \gset
BEGIN;
SELECT count(*) = 1 AS produced FROM topic.produce_batch('v', ARRAY['x', 'y', 'z']);
ROLLBACK;
SELECT last_stable_offset = :before AS lso, high_watermark = :before AS high_watermark FROM topic.offsets('v');
SELECT topic.produce('v', 'after the gap') - :before AS gap;
SELECT value FROM topics.v WHERE record_offset >= :before;
SELECT value FROM topic.fetch_text('v', from_offset => :before + 1);
-- It may be of any length.
BEGIN;
SELECT sum(record_count) FROM topic.produce_batch('v', ARRAY(SELECT repeat('x', 1000) FROM generate_series(1, 5000)));
ROLLBACK;
SELECT topic.produce('v', 'after the long gap') - :before AS gap;
SELECT value FROM topics.v WHERE record_offset >= :before;

-- REPEATABLE READ keeps to its snapshot, but sees what it produced itself.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT value FROM topics.v WHERE record_offset > :before + 3;
SELECT topic.produce('v', 'own') > 0 AS produced;
SELECT value FROM topics.v WHERE record_offset > :before + 3 + 5000;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT topic.produce('v', 'serializable') > 0 AS produced;
SELECT value FROM topics.v WHERE record_offset > :before + 3 + 5000;
COMMIT;

-- Segments: a roll hides nothing, and gaps at its edge stay gaps.
SELECT high_watermark AS before FROM topic.offsets('v') \gset
BEGIN;
SELECT topic.produce('v', 'undone') = :before AS next;
ROLLBACK;
SELECT topic.roll_segment('v');
-- an empty segment is not rolled
SELECT topic.roll_segment('v');
SELECT topic.produce('v', 'in the new segment') - :before AS gap;
SELECT value FROM topics.v WHERE record_offset >= :before - 1;

SELECT topic.drop_topic('v');
