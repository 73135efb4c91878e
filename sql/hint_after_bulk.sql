-- After a transaction that leaves more rows than appends judge one by one, the
-- hint for readers (stable_offset.c) is at the end again after a few appends.
SELECT topic.create_topic('loaded');
DO $$ BEGIN
	FOR i IN 1..2000 LOOP
		PERFORM topic.produce('loaded', 'a row of its own');
	END LOOP;
END $$;
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics
WHERE topic = 'loaded' \gset
CREATE TEMPORARY VIEW hints AS
	SELECT base_offset, stable_offset FROM :segment;
SELECT max(base_offset), max(stable_offset) FROM hints;

-- Transactions of other sessions, that are open now, have to end first.
CREATE PROCEDURE produce_until_stable(most int) LANGUAGE plpgsql AS $$
DECLARE
	behind bigint;
BEGIN
	FOR i IN 1..most LOOP
		PERFORM topic.produce('loaded', 'another');
		COMMIT;
		SELECT max(base_offset) - max(stable_offset) INTO behind FROM hints;
		EXIT WHEN behind = 0;
		PERFORM pg_sleep(0.01);
	END LOOP;
	RAISE NOTICE 'the hint is % behind', behind;
END $$;
CALL produce_until_stable(20);

DROP PROCEDURE produce_until_stable;
DROP VIEW hints;
SELECT topic.drop_topic('loaded');
