-- The extension's tables with more than it knows of: columns that a newer
-- version adds, and a DBA's indexes, constraints and triggers.

-- The main flows; what they answer does not depend on any of that.
CREATE FUNCTION flows(INOUT topic text, OUT records text, OUT committed bigint, OUT segments bigint)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM topic.create_topic(flows.topic, 1);
	PERFORM topic.alter_topic(flows.topic, partitions => 2);
	PERFORM topic.produce(flows.topic, 'a', partition => 0);
	PERFORM topic.produce(flows.topic, repeat('b', 20000), partition => 1);
	PERFORM topic.produce_batch(flows.topic, ARRAY['c', 'd'], partition => 0);
	PERFORM FROM topic.consume('g', flows.topic, 1, ARRAY[0], commit => true);
	PERFORM FROM topic.consume('g', flows.topic, commit => true);
	PERFORM topic.commit('g', flows.topic, 1, 1, 'metadata');
	PERFORM topic.reset_offsets('g', flows.topic, 'earliest');
	PERFORM FROM topic.consume('g', flows.topic);
	PERFORM FROM topic.commit('g', flows.topic);
	SELECT string_agg(left(value, 2), ' ' ORDER BY partition, record_offset) INTO records
		FROM topic.fetch_text(flows.topic);
	SELECT sum(c.committed_offset) INTO committed FROM topic.committed('g', flows.topic) c;
	SELECT s.segments INTO segments FROM topic.topic_stats s WHERE s.topic = flows.topic;
END
$$;
SELECT * FROM flows('before');
SELECT topic.roll_segment('before');
SELECT format('topic_log.segment_%s_0', topic_id) AS sealed,
		format('topic_log.segment_%s_1', topic_id) AS active
	FROM topic.topics WHERE topic = 'before' \gset

-- Columns: many, so that what overruns a buffer overruns it by far.
CREATE FUNCTION add_columns(tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY tables LOOP
		FOR i IN 1 .. 40 LOOP
			EXECUTE format('ALTER TABLE %s ADD COLUMN future%s text', t, i);
		END LOOP;
		EXECUTE format('ALTER TABLE %s ADD COLUMN future int DEFAULT 7', t);
	END LOOP;
END
$$;
CREATE FUNCTION drop_columns(tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY tables LOOP
		FOR i IN 1 .. 40 LOOP
			EXECUTE format('ALTER TABLE %s DROP COLUMN future%s', t, i);
		END LOOP;
		EXECUTE format('ALTER TABLE %s DROP COLUMN future', t);
	END LOOP;
END
$$;
SELECT ARRAY['topic.topics', 'topic.segments', 'topic.groups', 'topic.consumer_offsets',
	:'sealed', :'active'] AS tables \gset
SELECT add_columns(:'tables');
SELECT * FROM flows('added');
SELECT topic.produce('before', 'e', partition => 0);
SELECT topic.roll_segment('before');
SELECT partition, record_offset, left(value, 2) AS value FROM topics.before ORDER BY 1, 2;
SELECT partition, record_offset, left(value, 2) AS value FROM topic.consume_text('g', 'before', commit => true) ORDER BY 1, 2;
-- in a new session, with rows that have values there
UPDATE topic.topics SET future40 = 'from a newer version';
UPDATE topic.segments SET future40 = 'from a newer version';
UPDATE topic.groups SET future40 = 'from a newer version';
UPDATE topic.consumer_offsets SET future40 = 'from a newer version';
\c -
SELECT * FROM flows('new.session');
SELECT partition, committed_offset, metadata FROM topic.committed('g', 'before');
SELECT topic.commit('g', 'before', 0, 2, 'm'), topic.reset_offsets('g', 'before', 'latest');
SELECT partition, record_offset, left(value, 2) AS value FROM topics.before ORDER BY 1, 2;
-- Dropped, they stay behind as dropped attributes.
SELECT drop_columns(:'tables');
SELECT * FROM flows('dropped');
\c -
SELECT * FROM flows('dropped.new.session');
SELECT topic.produce('before', 'f', partition => 0);
SELECT topic.roll_segment('before');
SELECT partition, record_offset, left(value, 2) AS value FROM topics.before ORDER BY 1, 2;
SELECT topic.drop_topic('before');

-- Indexes with predicates and expressions on the table of committed offsets
CREATE INDEX even ON topic.consumer_offsets (committed_offset)
	WHERE committed_offset % 2 = 0 AND metadata IS NOT NULL;
CREATE INDEX by_length ON topic.consumer_offsets (length(metadata));
SELECT topic.create_topic('t');
SELECT count(topic.produce('t', 'v')) FROM generate_series(1, 9);
SELECT topic.commit('g', 't', 0, n, repeat('m', n)) FROM generate_series(1, 4) n;
SELECT topic.commit('h', 't', 0, 6, 'six'), topic.commit('i', 't', 0, 7, 'seven'), topic.commit('j', 't', 0, 8);
ANALYZE topic.consumer_offsets;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT group_id, committed_offset FROM topic.consumer_offsets
	WHERE committed_offset % 2 = 0 AND metadata IS NOT NULL ORDER BY committed_offset;
SELECT group_id, committed_offset FROM topic.consumer_offsets
	WHERE committed_offset % 2 = 0 AND metadata IS NOT NULL ORDER BY committed_offset;
EXPLAIN (COSTS OFF) SELECT group_id, committed_offset FROM topic.consumer_offsets
	WHERE length(metadata) >= 3 ORDER BY length(metadata);
SELECT group_id, committed_offset FROM topic.consumer_offsets
	WHERE length(metadata) >= 3 ORDER BY length(metadata), group_id;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;
DROP INDEX topic.even, topic.by_length;
-- A unique one refuses.
CREATE UNIQUE INDEX one ON topic.consumer_offsets (lower(metadata)) WHERE partition = 0;
SELECT topic.commit('k', 't', 0, 1, 'SIX');
SELECT topic.commit('k', 't', 0, 1, 'one');
DROP INDEX topic.one;

-- A constraint
\set VERBOSITY terse
ALTER TABLE topic.consumer_offsets ADD CONSTRAINT not_five CHECK (committed_offset <> 5);
SELECT topic.commit('g', 't', 0, 5);
SELECT count(*) FROM topic.consume('g', 't', 1, commit => true);
SELECT topic.commit('g', 't', 0, 6);
ALTER TABLE topic.consumer_offsets DROP CONSTRAINT not_five;
-- A column that must have a value
UPDATE topic.consumer_offsets SET metadata = '' WHERE metadata IS NULL;
ALTER TABLE topic.consumer_offsets ALTER COLUMN metadata SET NOT NULL;
SELECT topic.commit('n', 't', 0, 6);
SELECT topic.commit('n', 't', 0, 6, 'm');
ALTER TABLE topic.consumer_offsets ALTER COLUMN metadata DROP NOT NULL;
\set VERBOSITY default

-- Triggers, foreign keys among them
CREATE FUNCTION on_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % of %: %', TG_WHEN, TG_OP, NEW.group_id, NEW.committed_offset;
	IF TG_WHEN = 'BEFORE' AND NEW.metadata IS NULL THEN
		NEW.metadata := 'by trigger';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER a BEFORE INSERT ON topic.consumer_offsets FOR EACH ROW EXECUTE FUNCTION on_commit();
CREATE TRIGGER b AFTER INSERT ON topic.consumer_offsets FOR EACH ROW EXECUTE FUNCTION on_commit();
SELECT topic.commit('g', 't', 0, 7);
BEGIN;
SELECT record_offset FROM topic.consume('g', 't', 1, commit => true);
SELECT record_offset FROM topic.consume('g', 't');
SELECT * FROM topic.commit('g', 't');
COMMIT;
SELECT partition, committed_offset, metadata FROM topic.committed('g', 't');
SELECT count(*) FROM topic.consumer_offsets WHERE group_id = 'g' AND topic = 't';
DROP TRIGGER a ON topic.consumer_offsets;
DROP TRIGGER b ON topic.consumer_offsets;
CREATE TABLE known_groups (group_id text COLLATE "C" PRIMARY KEY);
INSERT INTO known_groups SELECT DISTINCT group_id FROM topic.consumer_offsets;
ALTER TABLE topic.consumer_offsets ADD CONSTRAINT known
	FOREIGN KEY (group_id) REFERENCES known_groups;
SELECT topic.commit('stranger', 't', 0, 1);
SELECT topic.commit('g', 't', 0, 9);
ALTER TABLE topic.consumer_offsets DROP CONSTRAINT known;
DROP TABLE known_groups;
-- A trigger that suppresses the row is an error: the offset would be lost.
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER a BEFORE INSERT ON topic.consumer_offsets FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT topic.commit('h', 't', 0, 7);
SELECT * FROM topic.consume('h', 't', 1, commit => true);
DROP TRIGGER a ON topic.consumer_offsets;
SELECT partition, committed_offset FROM topic.committed('h', 't');

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
SELECT count(*) FROM topic.consumer_offsets;
DELETE FROM topic.groups;
DROP FUNCTION flows(text), add_columns(regclass[]), drop_columns(regclass[]), on_commit(), suppress();
