-- Polling as a member of a group, and committing.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('orders', 2), topic.create_topic('payments', value_format => 'json');
SELECT count(topic.produce('orders', p || '/' || i, 'k' || i, '{"h": "v"}', p,
		timestamptz '2024-01-01' + i * interval '1 s'))
	FROM generate_series(0, 1) p, generate_series(0, 4) i;
SELECT count(topic.produce('payments', jsonb_build_object('n', i), 'k' || i,
		record_timestamp => timestamptz '2024-01-01' + i * interval '1 s'))
	FROM generate_series(0, 4) i;
CREATE VIEW committed AS
	SELECT group_id, topic, partition, committed_offset FROM topic.consumer_offsets ORDER BY 1, 2, 3;
CREATE VIEW positions AS
	SELECT group_id, topic, partition, position FROM topic.member_positions ORDER BY 1, 2, 3;

-- Each poll goes on, though nothing is committed; over all topics.
SELECT member_epoch FROM topic.join_group('g', ARRAY['orders', 'payments'], 'a');
SELECT count(*) FROM topic.poll('g', 'a', 7);
SELECT count(*) FROM topic.poll('g', 'a', max_records => 7);
SELECT count(*) FROM topic.poll('g', 'a');
SELECT count(*) FROM topic.poll('g', 'a');
-- A poll that finds nothing keeps no claim.
BEGIN;
SELECT count(*) FROM topic.poll('g', 'a');
SELECT count(*) FROM pg_locks
	WHERE locktype = 'object' AND classid = 'topic.consumer_offsets'::regclass AND pid = pg_backend_pid();
COMMIT;
SELECT * FROM positions;
SELECT topic, partition, position FROM topic.assignments ORDER BY 1, 2;
SELECT * FROM committed;
-- What was polled is committed on demand.
SELECT * FROM topic.commit_polled('g', 'a') ORDER BY topic, partition;
SELECT * FROM topic.commit_polled('g', 'a', member_epoch => 1) ORDER BY topic, partition;
SELECT * FROM committed;
SELECT topic.leave_group('g', 'a');
-- Who joins goes on where that was.
SELECT member_epoch FROM topic.join_group('g', ARRAY['orders', 'payments'], 'b');
SELECT topic.produce('orders', '1/5', partition => 1);
SELECT topic, partition, record_offset, value FROM topic.poll_text('g', 'b');
SELECT * FROM topic.commit_polled('g', 'b');
SELECT topic.leave_group('g', 'b');
-- A member that joins again is at the committed offsets, wherever it was.
SELECT member_epoch FROM topic.join_group('again', ARRAY['orders'], 'a');
SELECT count(*) FROM topic.poll('again', 'a', 500);
SELECT topic.commit('again', 'orders', 1, 3, member_id => 'a');
SELECT count(*) FROM topic.poll('again', 'a', 500);
SELECT DISTINCT member_epoch FROM topic.join_group('again', ARRAY['orders'], 'a');
SELECT partition, min(record_offset), count(*) FROM topic.poll('again', 'a', 500) GROUP BY 1 ORDER BY 1;
SELECT topic.leave_group('again', 'a');

-- The three forms
SELECT DISTINCT member_epoch FROM topic.join_group('forms', ARRAY['orders', 'payments'], 'a');
BEGIN;
SELECT * FROM topic.poll('forms', 'a') WHERE record_offset = 0 ORDER BY topic, partition;
ROLLBACK;
BEGIN;
SELECT * FROM topic.poll_text('forms', 'a') WHERE record_offset = 0 ORDER BY topic, partition;
ROLLBACK;
SELECT DISTINCT member_epoch FROM topic.join_group('forms', ARRAY['payments'], 'a');
SELECT * FROM topic.poll_json('forms', 'a', 2);
SELECT topic.leave_group('forms', 'a');

-- Exactly once: poll, write, commit in one transaction.
CREATE TABLE sink (topic text, partition int, record_offset bigint);
SELECT DISTINCT member_epoch FROM topic.join_group('once', ARRAY['orders'], 'a');
BEGIN;
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', 4);
SELECT count(*) FROM topic.commit_polled('once', 'a');
ROLLBACK;
SELECT * FROM committed WHERE group_id = 'once';
SELECT * FROM positions WHERE group_id = 'once';
BEGIN;
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', 4);
SAVEPOINT s;
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a');
SELECT sum(committed_offset) FROM topic.commit_polled('once', 'a');
ROLLBACK TO s;
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', 4);
SELECT sum(committed_offset) FROM topic.commit_polled('once', 'a');
COMMIT;
SELECT sum(committed_offset) FROM committed WHERE group_id = 'once';
-- In one statement
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', 2, commit => true);
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', commit => true);
INSERT INTO sink SELECT topic, partition, record_offset FROM topic.poll('once', 'a', commit => true);
SELECT * FROM committed WHERE group_id = 'once';
SELECT partition, record_offset FROM topics.orders EXCEPT ALL SELECT partition, record_offset FROM sink;
SELECT count(*) FROM sink;
SELECT topic.leave_group('once', 'a');
DROP TABLE sink;

-- Automatic commit: a poll commits what earlier ones returned.
SELECT DISTINCT member_epoch FROM topic.join_group('auto', ARRAY['orders'], 'a', auto_commit_interval => '0');
SELECT count(*) FROM topic.poll('auto', 'a', 8);
SELECT * FROM committed WHERE group_id = 'auto';
SELECT count(*) FROM topic.poll('auto', 'a', 1);
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
-- also within a transaction
BEGIN;
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT topic.produce('orders', '0/5', partition => 0);
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
ROLLBACK;
-- not before its time has come
SELECT DISTINCT member_epoch FROM topic.join_group('auto', ARRAY['orders'], 'a', auto_commit_interval => '1 hour');
SELECT topic.produce('orders', '0/5', partition => 0);
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
-- unless it is about to lose what it polled
SELECT count(*) FROM topic.join_group('auto', ARRAY['orders'], 'b');
SELECT count(*) FROM topic.poll('auto', 'a');
SELECT sum(committed_offset) FROM committed WHERE group_id = 'auto';
SELECT topic.leave_group('auto', 'a'), topic.leave_group('auto', 'b');

-- after the clock has been set back
SELECT count(*) FROM topic.join_group('clock', ARRAY['orders'], 'a', auto_commit_interval => '1 hour');
SELECT count(*) FROM topic.poll('clock', 'a', 5);
UPDATE topic.member_heartbeats SET heartbeat_at = now() + interval '2 days',
		auto_committed_at = now() + interval '2 days'
	WHERE group_id = 'clock';
SELECT count(*) FROM topic.poll('clock', 'a', 5);
SELECT sum(committed_offset) FROM committed WHERE group_id = 'clock';
SELECT heartbeat_at <= now() AND auto_committed_at <= now() AS is_right FROM topic.member_heartbeats
	WHERE group_id = 'clock';
SELECT topic.leave_group('clock', 'a');

-- Who joins anew, or gets a partition, is at the committed offset, also in the
-- transaction in which it was polled.
SELECT count(*) FROM topic.join_group('anew', ARRAY['orders'], 'a');
SELECT topic.commit('anew', 'orders', 1, 2, member_id => 'a');
BEGIN;
SELECT partition, min(record_offset) FROM topic.poll('anew', 'a', 500) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM topic.join_group('anew', ARRAY['orders'], 'a');
SELECT partition, min(record_offset) FROM topic.poll('anew', 'a', 500) GROUP BY 1 ORDER BY 1;
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.poll('anew', 'a', 500);
SELECT count(*) FROM topic.join_group('anew', ARRAY['orders'], 'a');
SELECT topic.commit('anew', 'orders', 0, 1);
ROLLBACK;
BEGIN;
SELECT count(*) FROM topic.poll('anew', 'a', 500);
SELECT topic.leave_group('anew', 'a');
SELECT count(*) FROM topic.join_group('anew', ARRAY['orders'], 'b');
SELECT partition, min(record_offset) FROM topic.poll('anew', 'b', 500) GROUP BY 1 ORDER BY 1;
COMMIT;
SELECT topic.leave_group('anew', 'b');

-- A poll gives up what is revoked; an earlier one may have returned it.
SELECT count(*) FROM topic.join_group('revoke', ARRAY['orders'], 'a');
SELECT count(*) FROM topic.poll('revoke', 'a', 500);
SELECT count(*) FROM topic.join_group('revoke', ARRAY['orders'], 'b');
SELECT count(*) FROM topic.poll('revoke', 'b');
SELECT topic.commit('revoke', 'orders', 1, 2, member_id => 'a', member_epoch => 1);
SELECT count(*) FROM topic.poll('revoke', 'a');
SELECT partition, min(record_offset) FROM topic.poll('revoke', 'b') GROUP BY 1;
-- Whoever lost it cannot commit it any more, but the rest.
SELECT topic.commit('revoke', 'orders', 1, 5, member_id => 'a');
SELECT topic.commit('revoke', 'orders', 1, 5, member_id => 'a', member_epoch => 2);
SELECT * FROM topic.commit_polled('revoke', 'a');
SELECT * FROM topic.commit_polled('revoke', 'b');
-- b, which gets a's partition, may not commit it as of an epoch before.
SELECT topic.leave_group('revoke', 'a');
SELECT topic.commit('revoke', 'orders', 0, 6, member_id => 'b', member_epoch => 2);
SELECT topic.commit('revoke', 'orders', 0, 6, member_id => 'b', member_epoch => 4);
SELECT topic.commit('revoke', 'orders', 0, 6, 'as b', 'b', 3);
BEGIN;
SELECT count(*) FROM topic.poll('revoke', 'b');
SELECT topic.commit('revoke', 'orders', 0, 6, member_id => 'b', member_epoch => 2);
ROLLBACK;
BEGIN;
SELECT topic.produce('orders', '0/6', partition => 0);
SELECT count(*) FROM topic.poll('revoke', 'b');
SELECT * FROM topic.commit_polled('revoke', 'b', 2);
ROLLBACK;
SELECT * FROM topic.commit_polled('revoke', 'b', 4);
SELECT topic.commit('revoke', 'orders', 0, 6, member_id => 'a');
SELECT * FROM topic.commit_polled('revoke', 'a');
SELECT * FROM topic.poll('revoke', 'a');
SELECT topic.commit('revoke', 'orders', 0, 6);
SELECT topic.leave_group('revoke', 'b');

-- Committing ahead of the position skips; behind it, does not go back.
SELECT count(*) FROM topic.join_group('skip', ARRAY['orders'], 'a');
SELECT topic.commit('skip', 'orders', 0, 4, member_id => 'a');
SELECT partition, min(record_offset) FROM topic.poll('skip', 'a') GROUP BY 1 ORDER BY 1;
SELECT topic.commit('skip', 'orders', 1, 1, member_id => 'a');
SELECT topic.produce('orders', '1/6', partition => 1);
SELECT partition, record_offset FROM topic.poll('skip', 'a');
SELECT topic.commit('skip', 'orders', 1, 99, member_id => 'a');
SELECT topic.commit('skip', 'orders', 2, 0, member_id => 'a');
SELECT topic.leave_group('skip', 'a');

-- Where nothing is committed, and where what was committed is gone
SELECT count(*) FROM topic.join_group('reset', ARRAY['orders'], 'a', offset_reset => 'latest');
SELECT count(*) FROM topic.poll('reset', 'a');
SELECT * FROM committed WHERE group_id = 'reset';
SELECT topic.leave_group('reset', 'a');
SELECT count(*) FROM topic.join_group('none', ARRAY['orders'], 'a', offset_reset => 'none');
SELECT topic.commit('none', 'orders', 0, 0, member_id => 'a');
SELECT * FROM topic.poll('none', 'a', 500);
SELECT topic.leave_group('none', 'a');
SELECT count(*) FROM topic.reset_offsets('gone', 'orders', 'earliest');
SELECT * FROM topic.delete_records('orders', 0, 2);
SELECT count(*) FROM topic.join_group('gone', ARRAY['orders'], 'a');
SELECT partition, min(record_offset) FROM topic.poll('gone', 'a') GROUP BY 1 ORDER BY 1;
SELECT topic.leave_group('gone', 'a');

-- A value that does not convert is named.
SELECT topic.create_topic('bad');
SELECT topic.produce('bad', '{');
SELECT count(*) FROM topic.join_group('bad', ARRAY['bad'], 'a');
SELECT * FROM topic.poll_json('bad', 'a');
SELECT topic.leave_group('bad', 'a');

-- Errors
SELECT * FROM topic.poll(NULL, 'a');
SELECT * FROM topic.poll('', 'a');
SELECT * FROM topic.poll('g', NULL);
SELECT * FROM topic.poll('g', 'nobody');
SELECT * FROM topic.poll('nobodys', 'a');
SELECT * FROM topic.poll('g', 'a', 0);
SELECT * FROM topic.poll('g', 'a', commit => NULL);
SELECT topic.poll('g', 'a');
SELECT topic.poll_text('g', 'a') LIMIT 1;
SELECT * FROM topic.commit_polled(NULL, 'a');
SELECT * FROM topic.commit_polled('g', NULL);
SELECT * FROM topic.commit_polled('g', 'nobody');
SELECT * FROM topic.commit_polled('g', 'a', 0);
SELECT topic.commit('g', 'orders', 0, 0, member_id => 'nobody');
SELECT topic.commit('g', 'orders', 0, 0, member_epoch => 1);
SELECT topic.commit('g', 'orders', 0, 0, member_id => 'a', member_epoch => 0);
BEGIN READ ONLY;
SELECT * FROM topic.poll('g', 'a');
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM topic.commit_polled('g', 'a');
ROLLBACK;
-- max_records NULL: all
SELECT count(*) FROM topic.join_group('all', ARRAY['payments'], 'a');
SELECT count(*) FROM topic.poll('all', 'a', NULL);
SELECT topic.leave_group('all', 'a');

-- Untyped parameters
PREPARE explicit AS SELECT topic.commit($1, $2, $3, $4);
EXECUTE explicit('untyped', 'orders', 0, 1);
PREPARE explicit_member AS SELECT topic.commit($1, $2, $3, $4, $5, $6, $7);
EXECUTE explicit_member('untyped', 'orders', 0, 2, NULL, NULL, NULL);
PREPARE joined AS SELECT count(*) FROM topic.join_group($1, $2, $3);
EXECUTE joined('untyped', ARRAY['orders'], 'a');
PREPARE polled AS SELECT count(*) FROM topic.poll($1, $2, $3);
EXECUTE polled('untyped', 'a', 5);
PREPARE polled_commit AS SELECT count(*) > 0 FROM topic.commit_polled($1, $2, $3);
EXECUTE polled_commit('untyped', 'a', 1);
DEALLOCATE ALL;
SELECT topic.leave_group('untyped', 'a');

-- A topic that nobody may read any more; and one that is dropped while a
-- member has a position in it.
CREATE ROLE regress_topic_poller;
GRANT SELECT ON topics.orders, topics.payments TO regress_topic_poller;
SET ROLE regress_topic_poller;
SELECT count(*) FROM topic.join_group('rights', ARRAY['orders', 'payments'], 'a');
SELECT count(*) FROM topic.poll('rights', 'a');
RESET ROLE;
REVOKE SELECT ON topics.payments FROM regress_topic_poller;
SET ROLE regress_topic_poller;
SELECT count(*) FROM topic.poll('rights', 'a');
SELECT count(*) FROM topic.commit_polled('rights', 'a');
RESET ROLE;
SELECT topic.drop_topic('payments');
SELECT count(*) FROM positions WHERE topic = 'payments';
SET ROLE regress_topic_poller;
SELECT topic, sum(committed_offset) FROM topic.commit_polled('rights', 'a') GROUP BY 1;
SELECT topic.leave_group('rights', 'a');
RESET ROLE;

DROP VIEW committed, positions;
DO $$
BEGIN
	PERFORM topic.drop_topic(topic) FROM topic.topics;
	DELETE FROM topic.group_members;
	DELETE FROM topic.member_heartbeats;
	DELETE FROM topic.groups;
END $$;
DROP ROLE regress_topic_poller;
