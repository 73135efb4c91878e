-- commit: of what was consumed, and of explicit offsets.
SELECT topic.create_topic('c', 2);
SELECT base_offset, record_count FROM generate_series(0, 1) p, LATERAL topic.produce_batch('c',
	ARRAY(SELECT format('%s/%s', p, i) FROM generate_series(0, 9) i), partition => p);

-- Not without consume in this transaction: in autocommit mode there is none.
SELECT * FROM topic.commit('g', 'c');
SELECT count(*) FROM topic.consume('g', 'c');
SELECT * FROM topic.commit('g', 'c');
BEGIN;
SELECT count(*) FROM topic.consume('other', 'c');
SELECT * FROM topic.commit('g', 'c');
ROLLBACK;
\set VERBOSITY sqlstate
SELECT * FROM topic.commit('g', 'c');
SELECT topic.commit('g', 'c', 0, 11);
\set VERBOSITY default

-- An explicit offset, with metadata
SELECT topic.commit('g', 'c', 0, 3, 'where I am');
SELECT partition, committed_offset, metadata, committed_at <= clock_timestamp() AS has_time
	FROM topic.committed('g', 'c');
SELECT topic.commit('g', 'c', partition => 1, next_offset => 0);
-- It never moves back; what is committed then is returned.
SELECT topic.commit('g', 'c', 0, 2, 'back');
SELECT topic.commit('g', 'c', 0, 0);
SELECT topic.commit('g', 'c', 0, 3);
SELECT partition, committed_offset, metadata FROM topic.committed('g', 'c');
-- The same offset may get other metadata, and a commit without loses it.
SELECT topic.commit('g', 'c', 0, 3, 'other');
SELECT partition, committed_offset, metadata FROM topic.committed('g', 'c');
SELECT topic.commit('g', 'c', 0, 4);
SELECT partition, committed_offset, metadata FROM topic.committed('g', 'c');
-- consume goes on from there, in a new transaction and in the same.
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[0]);
BEGIN;
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[0]);
SELECT topic.commit('g', 'c', 0, 7);
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[0]);
-- An offset before the position does not turn that back.
SELECT topic.commit('g', 'c', 0, 7);
SELECT value FROM topic.consume_text('g', 'c', 1, ARRAY[0]);
SELECT * FROM topic.commit('g', 'c');
COMMIT;
-- commit in a transaction that committed offsets, but did not consume
BEGIN;
SELECT topic.commit('g', 'c', 0, 10);
SELECT * FROM topic.commit('g', 'c');
ROLLBACK;

-- Up to the end of the log, not past it
SELECT topic.commit('g', 'c', 0, 10);
SELECT topic.commit('g', 'c', 0, 11);
SELECT topic.commit('g', 'c', 0, 9223372036854775807);
SELECT topic.commit('new', 'c', 1, 11);
SELECT topic.commit('g', 'c', 0, -1);
-- the end that this transaction sees: its own records, but not rolled back ones
BEGIN;
SELECT topic.produce('c', '0/10', partition => 0);
SELECT topic.commit('g', 'c', 0, 11);
SELECT topic.commit('g', 'c', 0, 12);
ROLLBACK;
SELECT topic.commit('g', 'c', 0, 11);
BEGIN;
SAVEPOINT s;
SELECT topic.produce('c', 'undone', partition => 0);
ROLLBACK TO s;
SELECT topic.commit('g', 'c', 0, 11);
ROLLBACK;
SELECT partition, committed_offset FROM topic.committed('g', 'c');

-- Arguments
SELECT topic.commit(NULL, 'c', 0, 1);
SELECT topic.commit('g', NULL, 0, 1);
SELECT topic.commit('g', 'c', NULL, 1);
SELECT topic.commit('g', 'c', 0, NULL);
SELECT topic.commit('g', 'c', 2, 1);
SELECT topic.commit('g', 'c', -1, 1);
SELECT topic.commit('', 'c', 0, 1);
SELECT topic.commit(repeat('g', 256), 'c', 0, 1);
SELECT topic.commit('g', 'missing', 0, 1);
SELECT * FROM topic.commit(NULL, 'c');
SELECT * FROM topic.commit('g', NULL);
SELECT * FROM topic.commit('g', 'missing');
BEGIN READ ONLY;
SELECT topic.commit('g', 'c', 1, 1);
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.consume('read only', 'c');
SET TRANSACTION READ ONLY;
SELECT * FROM topic.commit('read only', 'c');
ROLLBACK;
SELECT * FROM topic.committed('g', 'missing');
SELECT * FROM topic.committed(NULL, 'c');
SELECT * FROM topic.committed('unknown', 'c');
-- Metadata of any length
SELECT topic.commit('g', 'c', 1, 1, '');
SELECT topic.commit('g', 'c', 1, 2, repeat('m', 100000));
SELECT partition, length(metadata) FROM topic.committed('g', 'c');

-- One row stays, however many commits there were.
SELECT count(topic.commit('many', 'c', 0, i % 11)) FROM generate_series(1, 1000) i;
SELECT count(*), max(committed_offset) FROM topic.consumer_offsets WHERE group_id = 'many';
DO $$ BEGIN
	FOR i IN 1..10 LOOP
		PERFORM * FROM topic.consume('loop', 'c', 1, ARRAY[1]);
		PERFORM topic.commit('loop', 'c');
	END LOOP;
END $$;
SELECT committed_offset, commit_number FROM topic.consumer_offsets WHERE group_id = 'loop';

SELECT topic.drop_topic('c');
