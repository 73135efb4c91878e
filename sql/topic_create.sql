-- create_topic: its options, the names it takes, and what it makes.

-- Every option has the documented default.
SELECT topic.create_topic('plain');
SELECT topic, relation, partitions, retention, retention_bytes, cleanup_policy,
		value_format, max_record_bytes, compression, segment_bytes, segment_age,
		timestamp_type, created_at <= now() AS has_time
	FROM topic.topics;
\d topics.plain
SELECT segment, base_offsets, sealed_at
	FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'plain';
SELECT * FROM topic.offsets('plain');

-- Every option can be given.
SELECT topic.create_topic('full', partitions => 3, retention => '7 days',
	retention_bytes => 1000000, cleanup_policy => 'delete',
	value_format => 'json', max_record_bytes => 1000, compression => 'none',
	segment_bytes => 100000, segment_age => '1 day',
	timestamp_type => 'LogAppendTime', if_not_exists => false);
SELECT topic, relation, partitions, retention, retention_bytes, cleanup_policy,
		value_format, max_record_bytes, compression, segment_bytes, segment_age,
		timestamp_type
	FROM topic.topics WHERE topic = 'full';
SELECT * FROM topic.offsets('full');
\d topics.full
SELECT topic.create_topic('raw', value_format => 'bytes');
\d topics.raw
-- The greatest and smallest numbers.
SELECT topic.create_topic('widest', 1000, max_record_bytes => 536870912,
	retention_bytes => 9223372036854775807, segment_bytes => 9223372036854775807);
SELECT count(*), min(partition), max(partition) FROM topic.offsets('widest');
SELECT topic.create_topic('smallest', 1, max_record_bytes => 1,
	retention_bytes => 1, segment_bytes => 1, retention => '1 microsecond',
	segment_age => '1 microsecond');

-- Values that an option cannot have
SELECT topic.create_topic('bad', partitions => 0);
SELECT topic.create_topic('bad', partitions => -1);
SELECT topic.create_topic('bad', partitions => 1001);
SELECT topic.create_topic('bad', partitions => NULL);
SELECT topic.create_topic('bad', retention => '0');
SELECT topic.create_topic('bad', retention => '-1 day');
SELECT topic.create_topic('bad', retention_bytes => 0);
SELECT topic.create_topic('bad', retention_bytes => -1);
SELECT topic.create_topic('bad', cleanup_policy => 'shred');
SELECT topic.create_topic('bad', cleanup_policy => NULL);
SELECT topic.create_topic('bad', value_format => 'xml');
SELECT topic.create_topic('bad', value_format => 'TEXT');
SELECT topic.create_topic('bad', value_format => '');
SELECT topic.create_topic('bad', value_format => NULL);
SELECT topic.create_topic('bad', max_record_bytes => 0);
SELECT topic.create_topic('bad', max_record_bytes => 536870913);
SELECT topic.create_topic('bad', max_record_bytes => NULL);
SELECT topic.create_topic('bad', compression => 'brotli');
SELECT topic.create_topic('bad', compression => NULL);
SELECT topic.create_topic('bad', segment_bytes => 0);
SELECT topic.create_topic('bad', segment_bytes => NULL);
SELECT topic.create_topic('bad', segment_age => '-1 second');
SELECT topic.create_topic('bad', timestamp_type => 'createtime');
SELECT topic.create_topic('bad', timestamp_type => NULL);

-- Names: Kafka's alphabet, up to Postgres's length.
SELECT topic.create_topic(name)
	FROM unnest(ARRAY['a', 'A', 'orders.eu-west_1', '-', '_', '...', '.a', '0',
		'select', 'Mixed.Case', repeat('x', 63)]) name;
SELECT topic, relation FROM topic.topics ORDER BY topic;
SELECT topic.produce('orders.eu-west_1', 'dots'), topic.produce('A', 'capital'),
	topic.produce(repeat('x', 63), 'long'), topic.produce('select', 'keyword');
SELECT value FROM topics."orders.eu-west_1";
SELECT value FROM topics."A";
SELECT value FROM topic.fetch_text('a');
SELECT value FROM topics."select";
SELECT value FROM topic.fetch_text(repeat('x', 63));
SELECT topic.create_topic('');
SELECT topic.create_topic('.');
SELECT topic.create_topic('..');
SELECT topic.create_topic(repeat('x', 64));
SELECT topic.create_topic('a b');
SELECT topic.create_topic('a/b');
SELECT topic.create_topic('a"b');
SELECT topic.create_topic('a''b');
SELECT topic.create_topic('a;DROP TABLE x');
SELECT topic.create_topic(E'a\n');
SELECT topic.create_topic(NULL);
-- a letter outside of ASCII
\set VERBOSITY sqlstate
SELECT topic.create_topic(convert_from('\xc3a9', 'UTF8'));
-- a very long name
SELECT topic.create_topic(repeat('x', 100000));
\set VERBOSITY default
-- A longer name is not cut to one that exists.
SELECT topic.produce(repeat('x', 64), 'v');

-- A topic that exists
SELECT topic.create_topic('plain');
SELECT topic.create_topic('plain', if_not_exists => true);
SELECT topic.create_topic('plain', 7, if_not_exists => true);
SELECT partitions FROM topic.topics WHERE topic = 'plain';
SELECT topic.create_topic('new', if_not_exists => true);
-- what if_not_exists passes over is checked all the same
SELECT topic.create_topic('plain', 0, if_not_exists => true);

-- A relation of that name that is no topic is in the way.
CREATE TABLE topics.occupied (a int);
SELECT topic.create_topic('occupied');
SELECT topic.create_topic('occupied', if_not_exists => true);
SELECT count(*) FROM topic.topics WHERE topic = 'occupied';
DROP TABLE topics.occupied;

-- Not in a read-only transaction.
BEGIN READ ONLY;
SELECT topic.create_topic('bad');
ROLLBACK;

-- Nothing is left of what failed.
SELECT count(*) FROM topic.topics WHERE topic IN ('bad', 'occupied');
SELECT count(*) = (SELECT count(*) FROM topic.topics) AS one_segment_each
	FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
SELECT count(*) = (SELECT count(*) FROM topic.topics) AS one_relation_each
	FROM pg_class WHERE relnamespace = 'topics'::regnamespace;

-- The extension's tables refuse what the functions refuse.
\set VERBOSITY terse
UPDATE topic.topics SET partitions = 0 WHERE topic = 'plain';
UPDATE topic.topics SET topic = 'a b' WHERE topic = 'plain';
UPDATE topic.topics SET topic = '..' WHERE topic = 'plain';
UPDATE topic.topics SET max_record_bytes = 536870913 WHERE topic = 'plain';
UPDATE topic.topics SET retention = '-1 day' WHERE topic = 'plain';
UPDATE topic.topics SET value_format = 'xml' WHERE topic = 'plain';

\set VERBOSITY default

-- A segment's storage is as the log needs it.
SELECT reloptions FROM pg_class, topic.topics
	WHERE oid = ('topic_log.segment_' || topic_id || '_0')::regclass AND topic = 'plain';
SELECT attstorage FROM pg_attribute, topic.topics
	WHERE attrelid = ('topic_log.segment_' || topic_id || '_0')::regclass
	AND attname = 'batch' AND topic = 'plain';

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
SELECT count(*) FROM pg_class
	WHERE relnamespace IN ('topics'::regnamespace, 'topic_log'::regnamespace);
