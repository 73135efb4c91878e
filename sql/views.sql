-- What the views and offsets() show.
SELECT topic.create_topic('v', 3), topic.create_topic('empty');
SELECT base_offset, record_count FROM topic.produce_batch('v', ARRAY['a', 'b', 'c', 'd'], partition => 0);
SELECT topic.produce('v', 'e', partition => 1);

-- lag: every partition of the topics that a group has committed in, also the
-- ones it never committed.
SELECT count(*) FROM topic.lag;
SELECT count(*) FROM topic.consume('v1', 'v', 3, ARRAY[0], commit => true);
SELECT group_id, topic, partition, committed_offset, last_stable_offset, high_watermark, lag,
		open_producer_pid, claimed_by_pid, committed_at IS NOT NULL AS has_time
	FROM topic.lag ORDER BY 1, 2, 3;
SELECT topic.commit('v2', 'v', 1, 1), topic.commit('v2', 'empty', 0, 0);
SELECT group_id, topic, partition, committed_offset, high_watermark, lag FROM topic.lag ORDER BY 1, 2, 3;
-- A claim shows whose it is.
BEGIN;
SELECT count(*) FROM topic.consume('v1', 'v', 1, ARRAY[1]);
SELECT partition, committed_offset, lag, claimed_by_pid = pg_backend_pid() AS claimed_here
	FROM topic.lag WHERE group_id = 'v1' ORDER BY partition;
SELECT topic.claim_key('v1', 'v') = (database::bigint << 32) | objid::bigint AS key, objsubid, classid::regclass
	FROM pg_locks WHERE classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
SELECT topic.claim_key('v1', 'missing');
COMMIT;
SELECT count(claimed_by_pid) FROM topic.lag;

-- open_producers: this session's open transaction, and what it holds back.
-- It reads its own records, so for itself they are stable.
SELECT count(*) FROM topic.open_producers;
BEGIN;
SELECT topic.produce('v', 'open', partition => 1), topic.produce('v', 'open too', partition => 1),
	topic.produce('v', 'open', partition => 2);
SELECT topic, partition, pid = pg_backend_pid() AS this_session, prepared_transaction,
		since = now() AS since_begin, first_offset
	FROM topic.open_producers ORDER BY partition;
SELECT * FROM topic.offsets('v');
SELECT partition, lag, open_producer_pid = pg_backend_pid() AS this_session
	FROM topic.lag WHERE group_id = 'v1' ORDER BY partition;
SAVEPOINT s;
SELECT topic.produce('v', 'undone', partition => 1);
SELECT * FROM topic.offsets('v') WHERE partition = 1;
ROLLBACK TO s;
SELECT * FROM topic.offsets('v') WHERE partition = 1;
ROLLBACK;
SELECT count(*) FROM topic.open_producers;
SELECT * FROM topic.offsets('v');
SELECT count(open_producer_pid) FROM topic.lag;
-- also within a subtransaction, which has an id of its own
BEGIN;
SAVEPOINT s;
SELECT topic.produce('v', 'in a savepoint', partition => 2);
SELECT topic, partition, pid = pg_backend_pid() AS this_session, first_offset FROM topic.open_producers;
SELECT topic.produce('v', 'in it, too', partition => 1);
RELEASE s;
SELECT topic, partition, pid = pg_backend_pid() AS this_session, first_offset FROM topic.open_producers
	ORDER BY partition;
SELECT topic.produce('v', 'after it', partition => 2);
SELECT topic, partition, pid = pg_backend_pid() AS this_session, first_offset FROM topic.open_producers
	ORDER BY partition;
SELECT partition, open_producer_pid = pg_backend_pid() AS this_session
	FROM topic.lag WHERE group_id = 'v1' ORDER BY partition;
ROLLBACK;

-- topic_stats
SELECT topic, owner = current_user AS own, partitions, segments, total_bytes > 0 AS has_bytes,
		log_start_offset, last_stable_offset, high_watermark, created_at IS NOT NULL AS has_time
	FROM topic.topic_stats ORDER BY topic;
SELECT topic.roll_segment('v');
SELECT topic, partitions, segments, high_watermark FROM topic.topic_stats ORDER BY topic;

-- group_info
SELECT group_id, owner::text = current_user AS own, topics, last_commit IS NOT NULL AS has_commit
	FROM topic.group_info WHERE group_id ~ '^v' ORDER BY group_id;
-- A group that only consumed is known, too.
SELECT count(*) FROM topic.consume('v3', 'v');
SELECT group_id, topics, last_commit FROM topic.group_info WHERE group_id = 'v3';
SELECT topic.drop_topic('empty');
SELECT group_id, topics FROM topic.group_info WHERE group_id ~ '^v' ORDER BY group_id;

-- offsets() over segments, gaps and growth
BEGIN;
SELECT count(*) FROM topic.produce_batch('v', ARRAY['x', 'y'], partition => 0);
ROLLBACK;
SELECT * FROM topic.offsets('v');
SELECT topic.produce('v', 'after the gap', partition => 0);
SELECT * FROM topic.offsets('v');
SELECT partition, committed_offset, high_watermark, lag FROM topic.lag WHERE group_id = 'v1' ORDER BY partition;
SELECT * FROM topic.offsets('missing');
SELECT * FROM topic.offsets(NULL);
SELECT * FROM topic.open_transactions('missing');
-- A REPEATABLE READ, READ ONLY transaction may look at everything.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT (SELECT count(*) FROM topic.lag) > 0 AS lag, (SELECT count(*) FROM topic.topic_stats) AS topics,
	(SELECT count(*) FROM topic.open_producers) AS producers, (SELECT count(*) FROM topic.group_info) > 0 AS groups;
COMMIT;

SELECT topic.drop_topic('v');
SELECT count(*) FROM topic.lag;
SELECT count(*) FROM topic.topic_stats;
