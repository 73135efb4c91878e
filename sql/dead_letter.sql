-- dead_letter: putting aside records that cannot be processed.
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_reader;
CREATE ROLE regress_topic_squatter;
GRANT CREATE ON SCHEMA topics TO regress_topic_owner, regress_topic_squatter;
SET ROLE regress_topic_owner;
SELECT topic.create_topic('orders', 3, value_format => 'json');
SELECT topic.produce('orders', '{"bad": 1}', 'k', '[["h", "1"], ["h", null]]', 2, '2024-01-02 03:04:05.678+00');
SELECT topic.produce('orders', NULL::jsonb, 'k', partition => 2);
SELECT topic.produce('orders', '[]', partition => 0);
GRANT SELECT ON topics.orders TO regress_topic_reader;
RESET ROLE;

-- A copy, with where it is from and why; in a topic that is the owner's.
SET ROLE regress_topic_reader;
SELECT topic.dead_letter('g', 'orders', 2, 0, 'no amount');
RESET ROLE;
SELECT partition, record_offset, record_timestamp = '2024-01-02 03:04:05.678+00' AS same_time, key, value
	FROM topics."orders.dlq";
SELECT h.* FROM topics."orders.dlq", jsonb_array_elements(headers) h;
SELECT topic, owner, partitions FROM topic.topic_stats WHERE topic ~ 'orders' ORDER BY topic;
SELECT value_format FROM topic.topics WHERE topic = 'orders.dlq';
-- The reader wrote it, and cannot read it, or write anything else.
SET ROLE regress_topic_reader;
SELECT * FROM topic.fetch('orders.dlq');
SELECT topic.produce('orders.dlq', '1');
SELECT topic.dead_letter('g', 'orders', 2, 1, 'a tombstone'), topic.dead_letter('g', 'orders', 0, 0, '');
RESET ROLE;
SELECT partition, record_offset, key, value, headers -> -1 AS reason FROM topics."orders.dlq";
-- In the caller's transaction
BEGIN;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'undone');
ROLLBACK;
SELECT count(*) FROM topics."orders.dlq";
-- What can be put aside can be produced again.
SELECT topic.produce('orders', value, key, headers) FROM topics."orders.dlq" WHERE record_offset = 0 AND partition = 2;
SELECT headers FROM topics.orders WHERE record_offset = 3 - partition / 2;

-- Records that are not there
SELECT topic.produce('orders', '1', partition => 1);
BEGIN;
SELECT topic.produce('orders', '2', partition => 1);
ROLLBACK;
SELECT topic.produce('orders', '3', partition => 1);
SELECT topic.dead_letter('g', 'orders', 1, 1, 'rolled back');
SELECT topic.dead_letter('g', 'orders', 1, 3, 'not yet');
SELECT topic.dead_letter('g', 'orders', 1, 9223372036854775807, 'never');
SELECT topic.dead_letter('g', 'orders', 1, -1, 'never');
SELECT count(*) FROM topic.delete_records('orders', 1, 1);
SELECT topic.dead_letter('g', 'orders', 1, 0, 'deleted');
SELECT topic.dead_letter('g', 'orders', 3, 0, 'no partition');
SELECT topic.dead_letter('g', 'missing', 0, 0, 'no topic');
-- This transaction's own records are.
BEGIN;
SELECT topic.produce('orders', '"own"', partition => 1);
SELECT topic.dead_letter('g', 'orders', 1, 3, 'own');
ROLLBACK;

-- max_attempts
SELECT topic.dead_letter('g', 'orders', 0, 0, 'first', max_attempts => 3);
SELECT topic.dead_letter('g', 'orders', 0, 0, 'second', max_attempts => 3);
BEGIN;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'undone', max_attempts => 3);
ROLLBACK;
-- Each group, and each record, has a count of its own.
SELECT topic.dead_letter('h', 'orders', 0, 0, 'other group', max_attempts => 3),
	topic.dead_letter('g', 'orders', 2, 0, 'other record', max_attempts => 3);
SELECT group_id, topic, partition, record_offset, attempts FROM topic.failed_attempts ORDER BY 1, 3, 4;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'third', max_attempts => 3);
SELECT headers -> -2 AS attempts, headers -> -1 AS reason FROM topics."orders.dlq"
	WHERE partition = 0 ORDER BY record_offset DESC LIMIT 1;
SELECT group_id, attempts FROM topic.failed_attempts ORDER BY 1, 2;
-- It begins anew then; and at once without max_attempts.
SELECT topic.dead_letter('g', 'orders', 0, 0, 'again', max_attempts => 2);
SELECT topic.dead_letter('g', 'orders', 0, 0, 'now');
SELECT topic.dead_letter('g', 'orders', 0, 0, 'now', max_attempts => 1);
SELECT count(*) FROM topic.failed_attempts WHERE group_id = 'g' AND partition = 0;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'x', max_attempts => 0);
-- Whose offset is deleted has never failed.
SELECT topic.dead_letter('deleted', 'orders', p, 0, 'x', max_attempts => 3) FROM generate_series(0, 2, 2) p;
SELECT topic.commit('deleted', 'orders', 0, 0);
SELECT * FROM topic.delete_offsets('deleted', 'orders', ARRAY[0, 1]);
SELECT partition FROM topic.failed_attempts WHERE group_id = 'deleted';
SELECT * FROM topic.delete_offsets('deleted', 'orders');
SELECT partition FROM topic.failed_attempts WHERE group_id = 'deleted';
-- An attempt at a record that is not there is none.
SELECT topic.dead_letter('g', 'orders', 1, 1, 'x', max_attempts => 3);

-- A dead-letter topic of one's own: INSERT on it is needed.
SELECT topic.create_topic('dead'), topic.create_topic('dead.json', value_format => 'json'),
	topic.create_topic('dead.compact', cleanup_policy => 'compact'),
	topic.create_topic('dead.now', timestamp_type => 'LogAppendTime');
SET ROLE regress_topic_reader;
SELECT topic.dead_letter('reader', 'orders', 2, 0, 'x', 'dead');
RESET ROLE;
GRANT INSERT ON topics.dead TO regress_topic_reader;
SET ROLE regress_topic_reader;
SELECT topic.dead_letter('reader', 'orders', 2, 0, 'x', 'dead');
-- Also where it is only counted
SELECT topic.dead_letter('reader', 'orders', 2, 0, 'x', 'dead.json', 5);
RESET ROLE;
SELECT partition, key, value, headers -> 2 AS origin FROM topics.dead;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'x', 'missing');
SELECT topic.dead_letter('g', 'orders', 0, 0, 'x', 'orders');
SELECT topic.dead_letter('g', 'orders', 0, 0, 'no key', 'dead.compact');
SELECT topic.dead_letter('g', 'orders', 2, 0, 'a key', 'dead.compact');
SELECT topic.dead_letter('g', 'orders', 2, 0, 'late', 'dead.now');
SELECT record_timestamp > now() - interval '1 day' AS now, value FROM topics."dead.now";
-- It takes what its format takes.
SELECT topic.produce('dead', 'not JSON');
SELECT topic.dead_letter('g', 'dead', 0, 1, 'x', 'dead.json');
SELECT topic.dead_letter('g', 'dead', 0, 1, 'x');
SELECT value FROM topics."dead.dlq";

-- A reason of any length is taken, and cut.
SELECT topic.dead_letter('g', 'dead', 0, 1, 'x' || repeat(U&'\00E4', 5000), 'dead.now');
SELECT octet_length(headers -> -1 ->> 1) AS bytes, length(headers -> -1 ->> 1) AS characters
FROM topics."dead.now" WHERE record_offset = 1;

-- The own one takes everything that its topic has, or had.
SELECT topic.create_topic('any', value_format => 'bytes');
SELECT topic.produce('any', '\x00ff'::bytea, '\xff'::bytea), topic.produce('any', convert_to(repeat('x', 100), 'UTF8'));
SELECT topic.alter_topic('any', value_format => 'json', max_record_bytes => 10);
SELECT topic.dead_letter('g', 'any', 0, 0, 'no JSON'), topic.dead_letter('g', 'any', 0, 1, repeat('long', 100));
SELECT record_offset, key, length(value) FROM topic.fetch('any.dlq');
SELECT value_format FROM topic.topics WHERE topic = 'any.dlq';
-- Grown partitions share those of the dead letters.
SELECT topic.alter_topic('any', 3);
SELECT topic.produce('any', '1'::jsonb, partition => 2);
SELECT topic.dead_letter('g', 'any', 2, 0, 'x');
SELECT partition, record_offset, length(value) FROM topic.fetch('any.dlq', from_offset => 2);

-- A name that is too long, and one that is taken
SELECT topic.create_topic(repeat('l', 59)), topic.create_topic(repeat('l', 60));
SELECT topic.produce(repeat('l', 59), 'v'), topic.produce(repeat('l', 60), 'v');
SELECT topic.dead_letter('g', repeat('l', 59), 0, 0, 'x');
SELECT topic.dead_letter('g', repeat('l', 60), 0, 0, 'x');
SELECT topic.dead_letter('g', repeat('l', 60), 0, 0, 'x', 'dead');
SET ROLE regress_topic_owner;
SELECT topic.create_topic('coveted');
SELECT topic.produce('coveted', 'secret');
SET ROLE regress_topic_squatter;
SELECT topic.create_topic('coveted.dlq');
GRANT INSERT ON topics."coveted.dlq" TO PUBLIC;
SET ROLE regress_topic_owner;
SELECT topic.dead_letter('o', 'coveted', 0, 0, 'x');
RESET ROLE;
ALTER FOREIGN TABLE topics."coveted.dlq" OWNER TO regress_topic_owner;
SELECT topic.dead_letter('g', 'coveted', 0, 0, 'x');
-- The owner can have none.
REVOKE INSERT ON topics."coveted.dlq" FROM regress_topic_owner, PUBLIC;
SELECT topic.dead_letter('g', 'coveted', 0, 0, 'x');
SELECT count(*) FROM topics."coveted.dlq";
-- The owner may not create topics any more.
SELECT topic.drop_topic('coveted.dlq');
REVOKE CREATE ON SCHEMA topics FROM regress_topic_owner;
SELECT topic.dead_letter('g', 'coveted', 0, 0, 'x');
SELECT current_user = session_user AS same_user;

-- NULLs
SELECT topic.dead_letter(NULL, 'orders', 0, 0, 'x');
SELECT topic.dead_letter('g', NULL, 0, 0, 'x');
SELECT topic.dead_letter('g', 'orders', NULL, 0, 'x');
SELECT topic.dead_letter('g', 'orders', 0, NULL, 'x');
SELECT topic.dead_letter('g', 'orders', 0, 0, NULL);
BEGIN READ ONLY;
SELECT topic.dead_letter('g', 'orders', 0, 0, 'x');
ROLLBACK;

-- A topic's counts go with it.
SELECT count(*) FROM topic.failed_attempts WHERE topic = 'orders';
SELECT topic.drop_topic('orders');
SELECT count(*) FROM topic.failed_attempts;
SELECT count(topic.drop_topic(topic)) FROM topic.topics;
SELECT count(topic.delete_group(group_id)) FROM topic.groups;
REVOKE CREATE ON SCHEMA topics FROM regress_topic_squatter;
DROP ROLE regress_topic_owner, regress_topic_reader, regress_topic_squatter;
