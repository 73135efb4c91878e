-- alter_topic: changing options, putting them back, and growing partitions.
SELECT topic.create_topic('alter', 2);
CREATE VIEW options AS
	SELECT partitions, retention, retention_bytes, cleanup_policy, value_format,
		max_record_bytes, compression, segment_bytes, segment_age, timestamp_type
	FROM topic.topics WHERE topic = 'alter';

-- Nothing given, nothing changed.
SELECT topic.alter_topic('alter');
TABLE options;

-- Each option alone
SELECT topic.alter_topic('alter', retention => '1 hour');
SELECT topic.alter_topic('alter', retention_bytes => 1000);
SELECT topic.alter_topic('alter', cleanup_policy => 'delete');
SELECT topic.alter_topic('alter', max_record_bytes => 100);
SELECT topic.alter_topic('alter', compression => 'none');
SELECT topic.alter_topic('alter', segment_bytes => 2000);
SELECT topic.alter_topic('alter', segment_age => '2 hours');
SELECT topic.alter_topic('alter', timestamp_type => 'LogAppendTime');
SELECT topic.alter_topic('alter', value_format => 'json');
TABLE options;
-- Several at once
SELECT topic.alter_topic('alter', retention => '3 hours', retention_bytes => 3000,
	max_record_bytes => 300, segment_bytes => 3000, segment_age => '4 hours');
TABLE options;
-- They take effect at once.
SELECT topic.produce('alter', to_jsonb(repeat('x', 300)), partition => 0);
SELECT topic.produce('alter', '"no json', partition => 0);
SELECT topic.produce('alter', '{"a": 1}', key => 'k', partition => 0,
	headers => '{"h": "v"}', record_timestamp => '2001-01-01');
SELECT record_timestamp > '2020-01-01' AS of_append FROM topics.alter;

-- The relation's columns follow value_format; what is stored stays as it is.
SELECT attname, atttypid::regtype FROM pg_attribute
	WHERE attrelid = 'topics.alter'::regclass AND attnum > 3 ORDER BY attnum;
SELECT key, value, headers FROM topics.alter;
SELECT topic.alter_topic('alter', value_format => 'bytes');
SELECT attname, atttypid::regtype FROM pg_attribute
	WHERE attrelid = 'topics.alter'::regclass AND attnum > 3 ORDER BY attnum;
SELECT key, value, headers FROM topics.alter;
SELECT topic.produce('alter', '\xff'::bytea, partition => 1);
SELECT topic.alter_topic('alter', value_format => 'text');
SELECT key, value, headers FROM topics.alter WHERE partition = 0;
-- A value of before may not be what the new format asks for.
SELECT key, value, headers FROM topics.alter WHERE partition = 1;
SELECT topic.alter_topic('alter', value_format => 'bytes');
-- Not while something depends on a column's type.
CREATE VIEW uses_value AS SELECT value FROM topics.alter;
SELECT topic.alter_topic('alter', value_format => 'json', max_record_bytes => 7);
SELECT value_format, max_record_bytes FROM options;
DROP VIEW uses_value;

-- reset puts options back to their default.
SELECT topic.alter_topic('alter', reset => ARRAY['retention', 'max_record_bytes',
	'segment_age', 'timestamp_type', 'value_format']);
TABLE options;
SELECT topic.alter_topic('alter', retention => '1 day',
	reset => ARRAY['retention_bytes', 'segment_bytes', 'cleanup_policy', 'compression']);
TABLE options;
SELECT topic.alter_topic('alter', reset => '{}');
SELECT topic.alter_topic('alter', retention => '1 day', reset => '{retention}');
SELECT topic.alter_topic('alter', reset => '{topic}');
SELECT topic.alter_topic('alter', reset => '{retention,nonsense}');
SELECT topic.alter_topic('alter', reset => ARRAY[NULL]);
TABLE options;

-- Partitions grow.
SELECT topic.produce('alter', 'old ' || p, partition => p) FROM generate_series(0, 1) p;
SELECT topic.consume('g', 'alter');
BEGIN;
SELECT partition, record_offset FROM topic.consume('g', 'alter') ORDER BY 1, 2;
SELECT * FROM topic.commit('g', 'alter');
COMMIT;
SELECT topic.alter_topic('alter', partitions => 4);
SELECT topic.produce('alter', 'new ' || p, partition => p) FROM generate_series(0, 3) p;
SELECT * FROM topic.offsets('alter');
SELECT partition, committed_offset, lag FROM topic.lag WHERE topic = 'alter' ORDER BY partition;
BEGIN;
SELECT partition, record_offset, value FROM topic.consume_text('g', 'alter') ORDER BY 1, 2;
SELECT * FROM topic.commit('g', 'alter');
COMMIT;
-- In a transaction that has claimed partitions before
BEGIN;
SELECT count(*) FROM topic.consume('g', 'alter');
SELECT topic.alter_topic('alter', partitions => 5);
SELECT topic.produce('alter', 'newest', partition => 4);
SELECT partition, record_offset, value FROM topic.consume_text('g', 'alter');
SELECT * FROM topic.commit('g', 'alter');
ROLLBACK;
SELECT count(*) FROM topic.offsets('alter');
SELECT topic.produce('alter', 'no such partition', partition => 4);
-- as many as there are: no notice
SELECT topic.alter_topic('alter', partitions => 4);
-- and they grow in a segment that is rolled later, too
SELECT topic.roll_segment('alter');
SELECT topic.alter_topic('alter', partitions => 5);
SELECT topic.produce('alter', 'fifth', partition => 4);
SELECT topic.roll_segment('alter');
SELECT topic.produce('alter', 'fifth', partition => 4);
SELECT * FROM topic.offsets('alter');
-- They do not shrink.
SELECT topic.alter_topic('alter', partitions => 3);
SELECT topic.alter_topic('alter', reset => '{partitions}');
SELECT topic.alter_topic('alter', partitions => 0);
SELECT topic.alter_topic('alter', partitions => 1001);

-- Bad values change nothing, not even what stands beside them.
SELECT topic.alter_topic('alter', retention => '9 days', retention_bytes => 0);
SELECT topic.alter_topic('alter', retention => '-1 day');
SELECT topic.alter_topic('alter', cleanup_policy => 'none');
SELECT topic.alter_topic('alter', value_format => 'avro');
SELECT topic.alter_topic('alter', max_record_bytes => 0);
SELECT topic.alter_topic('alter', compression => 'gzip9');
SELECT topic.alter_topic('alter', segment_bytes => -1);
SELECT topic.alter_topic('alter', segment_age => '0');
SELECT topic.alter_topic('alter', timestamp_type => 'NoTimestampType');
SELECT topic.alter_topic('missing', partitions => 2);
SELECT topic.alter_topic(NULL, partitions => 2);
BEGIN READ ONLY;
SELECT topic.alter_topic('alter', max_record_bytes => 5);
ROLLBACK;
TABLE options;

-- A change is rolled back with its transaction, or savepoint.
BEGIN;
SELECT topic.alter_topic('alter', max_record_bytes => 3);
SELECT topic.produce('alter', 'too long', partition => 0);
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT topic.alter_topic('alter', max_record_bytes => 3, value_format => 'json');
ROLLBACK TO s;
SELECT topic.produce('alter', 'not too long, nor json', partition => 0);
COMMIT;
TABLE options;

DROP VIEW options;
SELECT topic.drop_topic('alter');
