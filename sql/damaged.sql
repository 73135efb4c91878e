-- A log that was damaged: whoever meets the damage gets XX001 and is told
-- where it is; the server, the other partitions and drop_topic go on.
SELECT topic.create_topic('d', 2);
SELECT base_offset, record_count FROM topic.produce_batch('d', ARRAY['a', 'b', 'c'], partition => 0);
SELECT topic.produce('d', 'd', partition => 0), topic.produce('d', 'e', partition => 0),
	topic.produce('d', 'intact', partition => 1);
SELECT count(*) FROM topic.consume('g', 'd', 1, ARRAY[0], commit => true);
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics WHERE topic = 'd' \gset
CREATE TABLE intact AS TABLE :segment;

-- How a command ends; what it did is undone.
CREATE FUNCTION outcome(command text) RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
DECLARE
	message text;
	detail text;
BEGIN
	EXECUTE command;
	RAISE SQLSTATE 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
		RETURN regexp_replace(concat_ws(' ', SQLSTATE, message, detail), 'segment_\d+', 'segment_N');
END
$$;
CREATE TABLE calls (number int GENERATED ALWAYS AS IDENTITY, name text, command text);
INSERT INTO calls (name, command) VALUES
	('fetch', 'SELECT FROM topic.fetch(''d'', 0)'),
	('select', 'SELECT FROM topics.d WHERE partition = 0 ORDER BY record_offset'),
	('select last', 'SELECT FROM topics.d WHERE partition = 0 AND record_offset >= 4'),
	('consume', 'SELECT FROM topic.consume(''g'', ''d'', partitions => ARRAY[0])'),
	('commit', 'SELECT topic.commit(''g'', ''d'', 0, 2)'),
	('reset', 'SELECT topic.reset_offsets(''g'', ''d'', ''latest'', partitions => ARRAY[0])'),
	('offsets', 'SELECT topic.offsets(''d'')'),
	('lag', 'SELECT sum(lag), max(time_lag) FROM topic.lag'),
	('stats', 'SELECT * FROM topic.topic_stats'),
	('producers', 'SELECT * FROM topic.open_producers'),
	('produce', 'SELECT topic.produce(''d'', ''v'', partition => 0)'),
	('roll', 'SELECT topic.roll_segment(''d'')'),
	('drop', 'SELECT topic.drop_topic(''d'')'),
	('fetch 1', 'SELECT FROM topic.fetch(''d'', 1)'),
	('consume 1', 'SELECT FROM topic.consume(''g'', ''d'', partitions => ARRAY[1])'),
	('produce 1', 'SELECT topic.produce(''d'', ''v'', partition => 1)');
CREATE FUNCTION outcomes(OUT outcome text, OUT calls text) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT o, string_agg(name, ', ' ORDER BY number)
	FROM (SELECT name, number, outcome(command) AS o FROM calls ORDER BY number) c
	GROUP BY o ORDER BY min(number)
$$;
-- Write the segment anew, with the rows of partition 0 that begin at an offset
-- changed. Its rows must not be updated: readers would see both versions.
CREATE FUNCTION forge(base bigint, assignment text, others text DEFAULT 'true') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	segment text := (SELECT format('topic_log.segment_%s_0', topic_id) FROM topic.topics WHERE topic = 'd');
BEGIN
	CREATE TEMP TABLE forged ON COMMIT DROP AS TABLE intact;
	EXECUTE format('UPDATE forged SET %s WHERE partition = 0 AND base_offset = %s', assignment, base);
	EXECUTE format('TRUNCATE %s', segment);
	EXECUTE format('INSERT INTO %s SELECT * FROM forged WHERE %s', segment, others);
END
$$;

SELECT forge(0, 'record_count = record_count');
SELECT * FROM outcomes();
-- Offsets of the last row
SELECT forge(4, 'last_offset = -1');
SELECT * FROM outcomes();
SELECT forge(4, 'last_offset = 9223372036854775807');
SELECT * FROM outcomes();
SELECT forge(4, 'last_offset = 100');
SELECT * FROM outcomes();
SELECT forge(4, 'stable_offset = 5');
SELECT * FROM outcomes();
SELECT forge(4, 'stable_offset = -1');
SELECT * FROM outcomes();
-- A row in the middle
SELECT forge(3, 'last_offset = 100');
SELECT * FROM outcomes();
SELECT forge(0, 'last_offset = 1');
SELECT * FROM outcomes();
-- The age of unread records is not known then, and lag is.
SELECT topic.time_for_offset('d', 0, 0);
SELECT partition, lag, time_lag FROM topic.lag WHERE partition = 0;
SELECT forge(0, 'last_offset = -1');
SELECT * FROM outcomes();
SELECT forge(3, 'stable_offset = 9223372036854775807');
SELECT * FROM outcomes();
-- A negative base offset, where the row is the partition's only one
SELECT forge(4, 'base_offset = -5, last_offset = -5, stable_offset = 0',
	'partition = 1 OR base_offset < 0');
SELECT * FROM outcomes();
-- Batches
SELECT forge(3, 'batch = substr(batch, 1, length(batch) - 1)');
SELECT * FROM outcomes();
SELECT forge(3, 'batch = set_bit(batch, 450, 1 - get_bit(batch, 450))');
SELECT * FROM outcomes();
SELECT forge(3, 'batch = ''''');
SELECT * FROM outcomes();
SELECT forge(3, 'batch = decode(repeat(''00'', 100), ''hex'')');
SELECT * FROM outcomes();
SELECT forge(3, 'batch = (SELECT batch FROM intact WHERE partition = 0 AND base_offset = 0)');
SELECT * FROM outcomes();
-- The batch tells how many records there are; the column is not believed.
SELECT forge(0, 'record_count = 1000');
SELECT * FROM outcomes();
SELECT partition, record_offset, value FROM topics.d ORDER BY 1, 2;

-- A segment without its primary key, and one that is gone
SELECT forge(0, 'record_count = record_count');
BEGIN;
SELECT conname AS key FROM pg_constraint WHERE conrelid = :'segment'::regclass AND contype = 'p' \gset
ALTER TABLE :segment DROP CONSTRAINT :key;
SELECT * FROM outcomes();
ROLLBACK;
BEGIN;
DROP TABLE :segment;
SELECT * FROM outcomes();
ROLLBACK;
SELECT topic.roll_segment('d');
SELECT topic.produce('d', 'after', partition => 0);
BEGIN;
DROP TABLE :segment;
SELECT * FROM outcomes();
SELECT record_offset, value FROM topic.fetch_text('d', 0, from_offset => 5);
ROLLBACK;

-- Base offsets, as a new session finds them
CREATE FUNCTION forge_base(number int, base text) RETURNS void LANGUAGE sql AS $$
	UPDATE topic.segments SET base_offsets = base::bigint[]
	WHERE segment = number AND topic_id = (SELECT topic_id FROM topic.topics WHERE topic = 'd')
$$;
SELECT forge_base(1, '{5,NULL}');
\c -
SELECT * FROM outcomes();
SELECT forge_base(1, '{{5,1}}');
\c -
SELECT * FROM outcomes();
SELECT forge_base(1, '{5,-1}');
\c -
SELECT * FROM outcomes();
-- Other topics are read, and the relation can be dropped.
SELECT topic.create_topic('other');
SELECT topic.produce('other', 'v');
BEGIN;
DROP FOREIGN TABLE topics.d;
SELECT topic FROM topic.topics;
ROLLBACK;
BEGIN;
DELETE FROM topic.segments WHERE topic_id = (SELECT topic_id FROM topic.topics WHERE topic = 'd');
SELECT * FROM outcomes();
DROP FOREIGN TABLE topics.d;
SELECT count(*) FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
ROLLBACK;
SELECT forge_base(1, '{5,1}');
\c -
SELECT * FROM outcomes();

-- drop_topic, with the segment gone
DROP TABLE :segment;
SELECT topic.drop_topic('d'), topic.drop_topic('other');
SELECT count(*) FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
DROP TABLE calls, intact;
DROP FUNCTION forge(bigint, text, text), forge_base(int, text), outcome(text), outcomes();
DELETE FROM topic.groups;
