-- The main flows where every cache is discarded at every chance, so that what
-- is used after it was freed is found. Only servers that were built for it
-- (--enable-cassert) can do that; on others these are the flows alone.
DO $$ BEGIN
	PERFORM set_config('debug_discard_caches', '1', false)
	FROM pg_settings WHERE name = 'debug_discard_caches' AND max_val::int > 0;
END $$;
SELECT topic.create_topic('t', 2);
SELECT topic.produce('t', 'a', partition => 0), topic.produce('t', repeat('b', 20000), 'key', partition => 1);
SELECT partition, base_offset, record_count FROM topic.produce_batch('t', ARRAY['c', 'd'], partition => 0);
SELECT partition, record_offset, left(value, 2) AS value FROM topics.t WHERE record_offset >= 0 ORDER BY 1, 2;
SELECT record_offset, left(value, 2) AS value FROM topic.consume_text('g', 't', 2, ARRAY[0], commit => true);
CALL topic.wait_for_records('g', ARRAY['t', 't']);
BEGIN;
SELECT partition, record_offset, left(value, 2) AS value FROM topic.consume_text('g', 't') ORDER BY 1, 2;
CALL topic.wait_for_records('g', 't', '5 ms');
SELECT topic.produce('t', 'e', partition => 0);
SELECT topic.roll_segment('t');
SELECT topic.alter_topic('t', max_record_bytes => 2000000);
SELECT * FROM topic.commit('g', 't');
COMMIT;
SELECT topic.produce('t', 'f', partition => 0);
SELECT record_offset, value FROM topic.fetch_text('t', 0, from_offset => 2);
SELECT * FROM topic.offsets('t');
SELECT partition, old_offset, new_offset FROM topic.reset_offsets('g', 't', 'earliest');
SELECT topic.delete_records('t', 0, 3), topic.offset_for_time('t', 0, '2024-01-01');
SELECT topic.alter_topic('t', segment_bytes => 1);
CALL topic.maintain();
SELECT partition, record_offset, left(value, 2) AS value FROM topics.t ORDER BY 1, 2;
SELECT partition, log_start_offset, high_watermark FROM topic.partition_stats ORDER BY 1;
SELECT topic.delete_records('t', p) FROM generate_series(0, 1) p;
CALL topic.maintain();
SELECT * FROM topic.offsets('t');
SELECT rolled, last_error FROM topic.maintenance;
CREATE TABLE captured (id int PRIMARY KEY, value text, times timestamptz[]) PARTITION BY LIST (id);
CREATE TABLE captured_1 PARTITION OF captured DEFAULT;
INSERT INTO captured VALUES (1, 'there');
SELECT topic.capture_table('captured', 't', payload => 'row', snapshot => true);
UPDATE captured SET id = id + 1;
TRUNCATE captured;
SELECT topic.release_table('captured');
SELECT key, value FROM topics.t WHERE key IS NOT NULL ORDER BY partition, record_offset;
DROP TABLE captured;
SELECT topic.drop_topic('t');
RESET debug_discard_caches;
DELETE FROM topic.groups;
