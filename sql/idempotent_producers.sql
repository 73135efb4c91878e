-- Idempotent producers: a batch that comes again is not appended again.
SET TimeZone = 'UTC';
CREATE ROLE regress_topic_stranger;
SELECT topic.create_topic('t', 2), topic.create_topic('other');
GRANT INSERT ON topics.t TO regress_topic_stranger;
-- Whatever producers there were before.
ALTER TABLE topic.producers ALTER producer_id RESTART;

-- A new epoch each time; another name is another producer.
SELECT producer_epoch, pg_typeof(producer_id), pg_typeof(producer_epoch) FROM topic.init_producer('p');
SELECT producer_epoch FROM topic.init_producer('p');
SELECT producer_id AS p, producer_epoch AS e FROM topic.init_producer('p') \gset
SELECT producer_id AS q FROM topic.init_producer('q') \gset
SELECT :p <> :q AS another, :e AS epoch;
-- Without a name, always another
SELECT a.producer_id <> b.producer_id AS another, a.producer_epoch, b.producer_epoch
	FROM topic.init_producer() a, topic.init_producer(NULL) b;
SELECT transactional_id, producer_epoch, owner::text = current_user AS own, initialized_at <= clock_timestamp() AS at
	FROM topic.producers ORDER BY transactional_id, producer_id;

-- What produce's overloads take
PREPARE produce(int, text, int) AS SELECT topic.produce('t', $2, partition => $3,
	producer_id => :p, producer_epoch => :e, sequence => $1);
EXECUTE produce(0, 'a', 0);
EXECUTE produce(0, 'a', 0);
EXECUTE produce(1, 'b', 0);
EXECUTE produce(2, 'c', 0);
EXECUTE produce(1, 'b', 0);
-- A gap, and what does not begin at 0 in another partition, or with another producer
EXECUTE produce(4, 'e', 0);
EXECUTE produce(1, 'x', 1);
SELECT topic.produce('t', 'x', partition => 0, producer_id => :q, producer_epoch => 0, sequence => 3);
-- Sequences are of a partition, a topic and a producer.
EXECUTE produce(0, 'other partition', 1);
SELECT topic.produce('other', 'other topic', partition => 0, producer_id => :p, producer_epoch => :e, sequence => 0);
SELECT topic.produce('t', 'other producer', partition => 0, producer_id => :q, producer_epoch => 0, sequence => 0);
-- Others produce between; what comes again is where it was.
SELECT topic.produce('t', 'plain', partition => 0);
EXECUTE produce(3, 'd', 0);
SELECT topic.produce('t', 'plain', partition => 0);
EXECUTE produce(3, 'd', 0);
-- The last five are known.
EXECUTE produce(4, 'e', 0);
EXECUTE produce(5, 'f', 0);
EXECUTE produce(1, 'b', 0);
EXECUTE produce(0, 'a', 0);
-- Of whatever is sent again only its sequence counts.
EXECUTE produce(5, 'something else', 0);
DEALLOCATE produce;
SELECT record_offset, value FROM topics.t WHERE partition = 0;

-- Batches
SELECT * FROM topic.produce_batch('t', ARRAY['g', 'h', 'i'], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 6);
SELECT * FROM topic.produce_batch('t', ARRAY['g', 'h', 'i'], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 6);
-- A batch that begins or ends elsewhere is another one.
SELECT * FROM topic.produce_batch('t', ARRAY['g', 'h'], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 6);
SELECT * FROM topic.produce_batch('t', ARRAY['h', 'i'], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 7);
SELECT topic.produce('t', 'j', partition => 0, producer_id => :p, producer_epoch => :e, sequence => 9);
SELECT * FROM topic.produce_batch('t', ARRAY[jsonb '1', '2'], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 10);
SELECT * FROM topic.produce_batch('t', '{x,y}'::bytea[], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 12);
-- An empty batch is none.
SELECT * FROM topic.produce_batch('t', '{}'::text[], partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 99);
-- A large one is one run.
SELECT * FROM topic.produce_batch('t', array_fill(repeat('x', 100), ARRAY[20000]), partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 14);
SELECT * FROM topic.produce_batch('t', array_fill(repeat('x', 100), ARRAY[20000]), partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 14);
SELECT topic.produce('t', 'after it', partition => 0, producer_id => :p, producer_epoch => :e, sequence => 20014);

-- A key says the partition, too; all of a batch must go to one.
SELECT topic.partition_for_key('t', 'k1'), topic.partition_for_key('t', 'k2'), topic.partition_for_key('t', 'k3');
SELECT topic.produce('t', 'by key', 'k1', producer_id => :p, producer_epoch => :e, sequence => 1);
SELECT topic.produce('t', 'by key', 'k1', producer_id => :p, producer_epoch => :e, sequence => 1);
SELECT * FROM topic.produce_batch('t', ARRAY['a', 'b'], ARRAY['k1', 'k1'],
	producer_id => :p, producer_epoch => :e, sequence => 2);
SELECT * FROM topic.produce_batch('t', ARRAY['a', 'b', 'c', 'd'], ARRAY['k1', 'k2', 'k3', 'k1'],
	producer_id => :p, producer_epoch => :e, sequence => 4);
SELECT topic.produce('t', 'no key', producer_id => :p, producer_epoch => :e, sequence => 4);
SELECT * FROM topic.produce_batch('t', ARRAY['a', 'b'], ARRAY['k1', NULL],
	producer_id => :p, producer_epoch => :e, sequence => 4);

-- Kafka's fields of the stored batches: producerId, producerEpoch, baseSequence
CREATE FUNCTION stored(partition int) RETURNS TABLE (base_offset bigint, records int, of_p boolean, epoch int, sequence bigint)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT base_offset, record_count, substr(batch, 36, 8) = int8send(%s),
			get_byte(batch, 43) * 256 + get_byte(batch, 44), (''x'' || encode(substr(batch, 46, 4), ''hex''))::bit(32)::int::bigint
		FROM topic_log.segment_%s_0 WHERE partition = %s ORDER BY base_offset',
		(SELECT producer_id FROM topic.producers WHERE transactional_id = 'p'),
		(SELECT topic_id FROM topic.topics WHERE topic = 't'), $1);
END $$;
SELECT * FROM stored(0) WHERE base_offset < 20;
SELECT * FROM stored(1);
-- Those of a call that fills several pages follow each other.
SELECT count(*) > 100 AS many, bool_and(sequence = 14 + base_offset - first) AS right
	FROM (SELECT *, min(base_offset) OVER () AS first FROM stored(0) WHERE sequence BETWEEN 14 AND 20013) b;
SELECT topic.create_topic('zip', compression => 'lz4');
SELECT * FROM topic.produce_batch('zip', ARRAY(SELECT repeat(i::text, 20) FROM generate_series(1, 5000) i), partition => 0,
	producer_id => :p, producer_epoch => :e, sequence => 0);
SELECT count(*), md5(string_agg(value, ',' ORDER BY record_offset)) =
		md5((SELECT string_agg(repeat(i::text, 20), ',' ORDER BY i) FROM generate_series(1, 5000) i)) AS same
	FROM topics.zip;
SELECT topic.drop_topic('zip');

-- The state goes with the transaction and with savepoints.
BEGIN;
SELECT topic.produce('t', 'undone', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 4);
ROLLBACK;
BEGIN;
SELECT topic.produce('t', 'k', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 4);
SAVEPOINT s;
SELECT topic.produce('t', 'undone', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 5);
SELECT topic.produce('t', 'undone', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 5);
ROLLBACK TO s;
SELECT topic.produce('t', 'l', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 5);
RELEASE s;
COMMIT;
SELECT value FROM topics.t WHERE partition = 1 ORDER BY record_offset;
-- In every isolation level, and in one statement
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT topic.produce('t', 'm', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 6);
SELECT topic.produce('t', 'm', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 6);
COMMIT;
SELECT i, topic.produce('t', 'n', partition => 1, producer_id => :p, producer_epoch => :e, sequence => i)
	FROM unnest(ARRAY[7, 7, 8, 9, 8]) i;

-- A new epoch begins at 0, and the old one is over.
SELECT producer_id = :p AS same, producer_epoch - :e AS bumped FROM topic.init_producer('p');
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 10);
-- Nor is it told of what it has produced.
SELECT topic.produce('t', 'n', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 9);
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e + 2, sequence => 0);
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e + 1, sequence => 10);
SELECT topic.produce('t', 'o', partition => 1, producer_id => :p, producer_epoch => :e + 1, sequence => 0);
SELECT * FROM stored(1) OFFSET 9;
-- A producer that is not there
SELECT topic.produce('t', 'x', partition => 1, producer_id => 0, producer_epoch => 0, sequence => 0);
SELECT topic.produce('t', 'x', partition => 1, producer_id => -1, producer_epoch => -1, sequence => 0);
-- A transaction that has ended an epoch does not commit what it produced with that.
BEGIN;
SELECT topic.produce('t', 'undone', partition => 1, producer_id => :p, producer_epoch => :e + 1, sequence => 1);
SELECT producer_epoch - :e FROM topic.init_producer('p');
SELECT topic.produce('t', 'undone', partition => 1, producer_id => :p, producer_epoch => :e + 2, sequence => 0);
COMMIT;
BEGIN;
SELECT topic.produce('t', 'p', partition => 1, producer_id => :p, producer_epoch => :e + 1, sequence => 1);
SAVEPOINT s;
SELECT producer_epoch - :e FROM topic.init_producer('p');
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT producer_epoch - :e FROM topic.init_producer('p');
SELECT topic.produce('t', 'q', partition => 1, producer_id => :p, producer_epoch => :e + 2, sequence => 0);
COMMIT;
-- One that is refused in a savepoint is not in the way.
BEGIN;
SAVEPOINT s;
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 1);
ROLLBACK TO s;
SELECT topic.produce('t', 'r', partition => 1, producer_id => :p, producer_epoch => :e + 2, sequence => 1);
COMMIT;
SELECT value FROM topics.t WHERE partition = 1 ORDER BY record_offset DESC LIMIT 4;
-- A new epoch in a prepared transaction would keep producers waiting.
BEGIN;
SELECT producer_epoch - :e FROM topic.init_producer('p');
PREPARE TRANSACTION 'regress_topic_init';

-- After the last epoch: another id
UPDATE topic.producers SET producer_epoch = 32766 WHERE transactional_id = 'p';
SELECT producer_id = :p AS same, producer_epoch FROM topic.init_producer('p');
SELECT topic.produce('t', 's', partition => 1, producer_id => :p, producer_epoch => 32767, sequence => 0);
SELECT epoch, sequence FROM stored(1) ORDER BY base_offset DESC LIMIT 1;
SELECT producer_id = :p AS same, producer_id > :q AS new, producer_epoch FROM topic.init_producer('p');
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => 32767, sequence => 1);
SELECT topic.produce('t', 't', partition => 1, producer_id => producer_id, producer_epoch => producer_epoch, sequence => 0)
	FROM topic.producers WHERE transactional_id = 'p';
SELECT producer_id AS p, producer_epoch AS e FROM topic.init_producer('p') \gset

-- After the greatest sequence comes 0.
SELECT topic.produce('t', 'a', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 0);
UPDATE topic.producer_states SET first_sequences = ARRAY[2147483646] WHERE producer_id = :p AND producer_epoch = :e;
SELECT * FROM topic.produce_batch('t', ARRAY['b', 'c', 'd'], partition => 1,
	producer_id => :p, producer_epoch => :e, sequence => 2147483647) \gset
SELECT topic.produce('t', 'e', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 2) - :base_offset AS after;
SELECT * FROM topic.produce_batch('t', ARRAY['b', 'c', 'd'], partition => 1,
	producer_id => :p, producer_epoch => :e, sequence => 2147483647) WHERE base_offset <> :base_offset;
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 2147483646) - :base_offset AS repeated;
SELECT topic.produce('t', 'x', partition => 1, producer_id => :p, producer_epoch => :e, sequence => 2147483647);

-- Bad arguments
SELECT topic.produce('t', 'x', partition => 0, producer_id => :p);
SELECT topic.produce('t', 'x', partition => 0, producer_id => :p, producer_epoch => :e);
SELECT topic.produce('t', 'x', partition => 0, sequence => 0);
SELECT * FROM topic.produce_batch('t', ARRAY['x'], partition => 0, producer_epoch => :e, sequence => 0);
SELECT topic.produce('t', 'x', partition => 0, producer_id => :p, producer_epoch => :e, sequence => -1);
SELECT topic.produce('t', 'x', partition => 0, producer_id => :p, producer_epoch => :e, sequence => 0, idempotency_key => 'k');
SELECT topic.init_producer('');
SELECT topic.init_producer(repeat('x', 256));
SELECT producer_epoch FROM topic.init_producer(repeat('x', 255));
DELETE FROM topic.producers WHERE length(transactional_id) = 255;
BEGIN READ ONLY;
SELECT topic.init_producer('r');
ROLLBACK;

-- A producer is its owner's.
SET ROLE regress_topic_stranger;
SELECT topic.init_producer('p');
SELECT topic.produce('t', 'x', partition => 0, producer_id => :p, producer_epoch => :e, sequence => 0);
SELECT producer_epoch FROM topic.init_producer('of stranger');
TABLE topic.producers;
TABLE topic.producer_states;
RESET ROLE;
-- A member of the owner's role may use it, as a superuser may.
SELECT producer_epoch, topic.produce('t', 'by another role', 'k1', producer_id => producer_id, producer_epoch => producer_epoch, sequence => 0) > 0
	FROM topic.init_producer('of stranger');

-- Maintenance deletes states of epochs that are over, and leaves the others.
SELECT count(*) > 0 AS ended FROM topic.producer_states s
	WHERE NOT EXISTS (SELECT FROM topic.producers p WHERE p.producer_id = s.producer_id AND p.producer_epoch = s.producer_epoch);
SELECT count(*) AS current FROM topic.producer_states s JOIN topic.producers USING (producer_id, producer_epoch);
CALL topic.maintain();
SELECT count(*) FROM topic.producer_states;
-- Producers that have not been used for pg_topic.producer_retention go.
SHOW pg_topic.producer_retention;
UPDATE topic.producers SET initialized_at = now() - interval '8 days' WHERE transactional_id <> 'of stranger';
UPDATE topic.producer_states SET written_at = now() - interval '8 days' WHERE producer_id = :q;
CALL topic.maintain();
SELECT transactional_id FROM topic.producers ORDER BY 1;
SELECT count(*) FROM topic.producer_states WHERE producer_id = :q;
SELECT topic.produce('t', 'x', partition => 0, producer_id => :q, producer_epoch => 0, sequence => 1);
SELECT producer_id > :q AS new, producer_epoch FROM topic.init_producer('q');

-- What a topic has goes with it.
SELECT topic.drop_topic('t'), topic.drop_topic('other');
SELECT count(*) FROM topic.producer_states;
DELETE FROM topic.producers;
DROP FUNCTION stored(int);
DROP ROLE regress_topic_stranger;
