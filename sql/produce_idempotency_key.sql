-- produce(..., idempotency_key => ...): the topic remembers keys.
SELECT topic.create_topic('t', 3), topic.create_topic('u');

SELECT topic.produce('t', 'a', idempotency_key => 'one', partition => 2);
SELECT topic.produce('t', 'b', partition => 2);
SELECT topic.produce('t', 'a', idempotency_key => 'one', partition => 2);
-- It is the key that counts: neither the record, nor its partition.
SELECT topic.produce('t', 'something else', 'k', idempotency_key => 'one');
SELECT topic.produce('t', 'c', idempotency_key => 'two', partition => 2);
-- Keys are a topic's own, and no group's.
SELECT topic.produce('u', 'a', idempotency_key => 'one');
SELECT topic.first_time('g', 'one');
SELECT topic.produce('t', '\x64'::bytea, 'k', partition => 2, idempotency_key => 'bytea'), topic.produce('t', '{}'::jsonb, 1, partition => 2, idempotency_key => 'jsonb'),
	topic.produce('t', '{}'::json, NULL, NULL, 2, NULL, NULL, NULL, NULL, 'by position');
-- Once in a statement, too
SELECT k, topic.produce('u', k, idempotency_key => k) FROM unnest(ARRAY['x', 'x', 'y', 'x']) k;
SELECT partition, record_offset, value FROM topics.t ORDER BY 1, 2;
SELECT record_offset, value FROM topics.u;
SELECT topic, idempotency_key, partition, record_offset FROM topic.produced_keys JOIN topic.topics USING (topic_id) ORDER BY 1, 2;
-- They go with the transaction and with savepoints.
BEGIN;
SELECT topic.produce('u', 'undone', idempotency_key => 'r');
ROLLBACK;
BEGIN;
SELECT topic.produce('u', 'f', idempotency_key => 'f') AS f \gset
SELECT topic.produce('u', 'f', idempotency_key => 'f') = :f AS same;
SAVEPOINT s;
SELECT topic.produce('u', 'f', idempotency_key => 'f') = :f AS same, topic.produce('u', 'undone', idempotency_key => 'h') > :f AS new;
ROLLBACK TO s;
SELECT topic.produce('u', 'h', idempotency_key => 'h') > :f AS new, topic.produce('u', 'r', idempotency_key => 'r') > :f AS new;
COMMIT;
SELECT value FROM topics.u ORDER BY record_offset;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT topic.produce('u', 'f', idempotency_key => 'f') = :f AS same;
SELECT topic.produce('u', 'i', idempotency_key => 'i') = topic.produce('u', 'i', idempotency_key => 'i') AS same;
COMMIT;

-- How long
SELECT topic, idempotency_window FROM topic.topics ORDER BY topic;
SELECT bool_and(expires_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours') AS a_day FROM topic.produced_keys;
SELECT topic.alter_topic('t', idempotency_window => '10 minutes');
SELECT topic.produce('t', 'd', partition => 0, idempotency_key => 'ten');
SELECT expires_at BETWEEN now() + interval '9 minutes' AND now() + interval '11 minutes' AS ten FROM topic.produced_keys WHERE idempotency_key = 'ten';
SELECT topic.alter_topic('t', idempotency_window => '100000000 years');
SELECT topic.produce('t', 'e', partition => 0, idempotency_key => 'for ever');
SELECT topic.produce('t', 'e', partition => 0, idempotency_key => 'for ever');
SELECT expires_at FROM topic.produced_keys WHERE idempotency_key = 'for ever';
SELECT topic.alter_topic('t', reset => '{idempotency_window}');
SELECT idempotency_window FROM topic.topics WHERE topic = 't';
-- What has expired is new, once, and maintenance deletes it.
UPDATE topic.produced_keys SET expires_at = now() - interval '1 second' WHERE idempotency_key = 'ten';
SELECT topic.produce('t', 'd again', partition => 0, idempotency_key => 'ten'), topic.produce('t', 'd again', partition => 0, idempotency_key => 'ten');
UPDATE topic.produced_keys SET expires_at = now() - interval '1 second' WHERE idempotency_key IN ('ten', 'one');
CALL topic.maintain();
SELECT count(*) FROM topic.produced_keys WHERE idempotency_key IN ('ten', 'one');

-- Bad arguments
SELECT topic.produce('t', 'x', idempotency_key => '');
SELECT topic.produce('t', 'x', idempotency_key => repeat('x', 1025));
SELECT topic.produce('t', 'x', partition => 0, idempotency_key => (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 32) i));
SELECT topic.produce('t', 'x', partition => 3, idempotency_key => 'not remembered');
SELECT topic.create_topic('new', idempotency_window => '0');
SELECT topic.alter_topic('t', idempotency_window => '-1 s');
SELECT topic.create_topic('new', idempotency_window => NULL);
SELECT count(*) FROM topic.produced_keys WHERE idempotency_key = 'not remembered';

-- Plans are kept, so they are the same for many keys as for few: no command scans the table.
VACUUM topic.produced_keys;
\c -
BEGIN;
SELECT topic.produce('u', 'new', idempotency_key => 'new') = topic.produce('u', 'new', idempotency_key => 'new') AS same;
SELECT seq_scan, idx_scan > 0 AS index_scans FROM pg_stat_xact_all_tables WHERE relid = 'topic.produced_keys'::regclass;
COMMIT;

-- What a topic has goes with it.
SELECT topic.drop_topic('t');
SELECT topic, count(*) FROM topic.produced_keys LEFT JOIN topic.topics USING (topic_id) GROUP BY topic;
SELECT topic.drop_topic('u');
SELECT count(*) FROM topic.produced_keys;
SELECT topic.delete_group('g');
