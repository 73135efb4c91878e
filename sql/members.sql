-- Members of a group: joining, heartbeats, leaving, and who gets what.
SELECT topic.create_topic('orders', 4), topic.create_topic('payments', 2);
-- Who owns what, and what is revoked, without a sign of life
CREATE VIEW owned AS
	SELECT group_id, member_id, t.topic, array_agg(o.partition ORDER BY o.partition) AS partitions,
		array_agg(o.partition ORDER BY o.partition) FILTER (WHERE (o.topic_id, o.partition) NOT IN
			(SELECT * FROM unnest(target_topic_ids, target_partitions))) AS revoked
	FROM topic.group_members, unnest(owned_topic_ids, owned_partitions) o(topic_id, partition)
		JOIN topic.topics t USING (topic_id)
	GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- The first member gets everything, at once.
SELECT * FROM topic.join_group('g', ARRAY['orders', 'payments'], 'a');
SELECT member_id, topics, assignor, offset_reset, session_timeout, auto_commit_interval,
	instance_id, left_at, member_count, group_epoch FROM topic.group_members;
-- The second one waits for what is revoked; the first learns of it.
SELECT * FROM topic.join_group('g', ARRAY['orders', 'payments'], member_id => 'b');
SELECT * FROM topic.heartbeat('g', 'a', 1);
-- An old epoch, or none, only says that it is alive.
SELECT * FROM topic.heartbeat('g', 'a', 1);
SELECT count(*) FROM topic.heartbeat('g', 'a');
SELECT * FROM owned;
SELECT topic, partition, member_id, assigned_epoch, target_member_id, position
	FROM topic.assignments ORDER BY 1, 2;
SELECT member_id, instance_id, topics, assignor, session_timeout, auto_commit_interval,
		joined_at <= heartbeat_at AS is_heard, left_at, group_epoch, acknowledged_epoch,
		partitions, target_partitions
	FROM topic.members ORDER BY member_id;
-- The new one says that it has given up what is revoked.
SELECT * FROM topic.heartbeat('g', 'a', 2);
SELECT * FROM topic.heartbeat('g', 'b', member_epoch => 2);
SELECT * FROM owned;
-- A member with nothing to do
SELECT topic, partition FROM topic.join_group('small', ARRAY['payments'], 'a');
SELECT topic, partition FROM topic.join_group('small', ARRAY['payments'], 'b');
SELECT topic, partition FROM topic.join_group('small', ARRAY['payments'], 'c');
SELECT * FROM topic.heartbeat('small', 'a', 3);
SELECT * FROM topic.heartbeat('small', 'c', 3);
-- takes over where somebody leaves, at once.
SELECT topic.leave_group('small', 'b');
SELECT * FROM topic.heartbeat('small', 'c', 3);
SELECT topic.leave_group('small', 'a'), topic.leave_group('small', 'c');
SELECT member_count, group_epoch, member_id FROM topic.group_members WHERE group_id = 'small';
SELECT count(*) FROM topic.members WHERE group_id = 'small';
SELECT count(*) FROM topic.member_heartbeats WHERE group_id = 'small';
-- The epochs go on.
SELECT member_epoch FROM topic.join_group('small', ARRAY['payments'], 'a');

-- Ids are made up where none is given.
SELECT count(DISTINCT member_id), bool_and(member_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
	FROM generate_series(1, 3) i, LATERAL topic.join_group('ids', ARRAY['orders'],
		session_timeout => i * interval '45 s');

-- Errors; nothing comes of them.
SELECT * FROM topic.heartbeat('g', 'nobody', 1);
SELECT * FROM topic.heartbeat('nobodys', 'a', 1);
SELECT * FROM topic.heartbeat('g', 'a', 3);
SELECT * FROM topic.heartbeat('g', 'a', 0);
SELECT * FROM topic.heartbeat('g', NULL, 1);
SELECT * FROM topic.heartbeat(NULL, 'a', 1);
SELECT topic.leave_group('g', 'nobody');
SELECT topic.leave_group('g', NULL);
SELECT topic.leave_group('', 'a');
SELECT * FROM topic.join_group(NULL, ARRAY['orders']);
SELECT * FROM topic.join_group('', ARRAY['orders']);
SELECT * FROM topic.join_group('g', NULL);
SELECT * FROM topic.join_group('g', '{}');
SELECT * FROM topic.join_group('g', ARRAY['orders', NULL]);
SELECT * FROM topic.join_group('g', ARRAY['no topic']);
SELECT * FROM topic.join_group('g', ARRAY['']);
SELECT * FROM topic.join_group('g', ARRAY['orders'], member_id => '');
SELECT * FROM topic.join_group('g', ARRAY['orders'], member_id => repeat('x', 256));
SELECT * FROM topic.join_group('g', ARRAY['orders'], instance_id => '');
SELECT * FROM topic.join_group('g', ARRAY['orders'], session_timeout => '0');
SELECT * FROM topic.join_group('g', ARRAY['orders'], session_timeout => '1 month');
SELECT * FROM topic.join_group('g', ARRAY['orders'], session_timeout => NULL);
SELECT * FROM topic.join_group('g', ARRAY['orders'], assignor => 'sticky');
SELECT * FROM topic.join_group('g', ARRAY['orders'], assignor => NULL);
SELECT * FROM topic.join_group('g', ARRAY['orders'], auto_commit_interval => '-1 s');
SELECT * FROM topic.join_group('g', ARRAY['orders'], offset_reset => 'now');
SELECT * FROM topic.join_group('g', ARRAY['orders'], offset_reset => NULL);
SELECT * FROM topic.join_group('g', ARRAY['orders'], 'c', assignor => 'range');
BEGIN READ ONLY;
SELECT * FROM topic.join_group('g', ARRAY['orders']);
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM topic.heartbeat('g', 'a', 2);
ROLLBACK;
BEGIN READ ONLY;
SELECT topic.leave_group('g', 'a');
ROLLBACK;
BEGIN;
SELECT topic, partition FROM topic.join_group('g', ARRAY['orders'], 'undone');
SELECT * FROM topic.heartbeat('g', 'undone', 3);
SAVEPOINT s;
SELECT topic.leave_group('g', 'a');
ROLLBACK TO s;
SELECT * FROM topic.heartbeat('g', 'a', 2);
ROLLBACK;
SELECT * FROM owned WHERE group_id = 'g';

-- A member that joins again changes what it subscribes to, and the rest.
SELECT * FROM topic.join_group('g', ARRAY['payments', 'payments'], 'a', session_timeout => '10 s',
	auto_commit_interval => '0', offset_reset => 'latest');
SELECT topics, session_timeout, auto_commit_interval, offset_reset FROM topic.group_members
	WHERE group_id = 'g' AND member_id = 'a';
SELECT * FROM topic.heartbeat('g', 'b', 3);
SELECT * FROM topic.heartbeat('g', 'b', 3);
SELECT topic.leave_group('g', 'b');
SELECT * FROM topic.heartbeat('g', 'a', 4);
-- Nobody subscribes to orders any more.
SELECT * FROM owned WHERE group_id = 'g';
-- A member alone may also change the assignor.
SELECT member_epoch FROM topic.join_group('g', ARRAY['payments'], 'a', assignor => 'range');
SELECT topic.leave_group('g', 'a');

-- range: topics alike are partitioned alike, in the order of the members.
SELECT topic.create_topic('shipments', 4);
SELECT topic, partition FROM topic.join_group('r', ARRAY['orders', 'shipments'], 'b', assignor => 'range');
SELECT topic, partition FROM topic.join_group('r', ARRAY['orders', 'shipments'], 'a', assignor => 'range');
SELECT count(*) FROM topic.heartbeat('r', 'b', 2);
SELECT * FROM owned WHERE group_id = 'r';
SELECT topic, partition FROM topic.join_group('r', ARRAY['orders'], 'c', assignor => 'uniform');

-- Topics that come, grow and go
SELECT topic, partition FROM topic.join_group('t', ARRAY['later', 'payments'], 'a');
SELECT topic, partition FROM topic.join_group('t', ARRAY['payments', 'later'], 'b');
SELECT count(*) FROM topic.heartbeat('t', 'a', 2);
SELECT topic.create_topic('later', 2);
SELECT count(*) FROM topic.heartbeat('t', 'b', 2);
SELECT * FROM owned WHERE group_id = 't';
SELECT topic.alter_topic('later', partitions => 4);
SELECT count(*) FROM topic.heartbeat('t', 'b', 3);
SELECT * FROM owned WHERE group_id = 't';
SELECT topic.drop_topic('later');
SELECT * FROM topic.heartbeat('t', 'a', 4);
SELECT * FROM owned WHERE group_id = 't';
-- Another one of that name is not the same.
SELECT topic.create_topic('later');
SELECT * FROM owned WHERE group_id = 't';
SELECT count(*) FROM topic.heartbeat('t', 'a', 5);
SELECT * FROM owned WHERE group_id = 't';
SELECT topic.drop_topic('later');

-- Sessions that time out: whoever calls next removes them.
SELECT member_epoch FROM topic.join_group('e', ARRAY['orders'], 'short', session_timeout => '100 ms');
SELECT pg_sleep(0.2);
-- Nobody else has called: it is still there.
SELECT count(*) FROM topic.heartbeat('e', 'short', 1);
SELECT pg_sleep(0.2);
SELECT topic, partition FROM topic.join_group('e', ARRAY['orders'], 'long');
SELECT count(*) FROM topic.heartbeat('e', 'short', 1);
SELECT * FROM owned WHERE group_id = 'e';
SELECT member_epoch FROM topic.join_group('e', ARRAY['orders'], 'short', session_timeout => '100 ms');
SELECT pg_sleep(0.2);
SELECT count(*) FROM topic.heartbeat('e', 'long', 3);
SELECT count(*) FROM topic.heartbeat('e', 'short', 3);
SELECT count(*) FROM topic.member_heartbeats WHERE group_id = 'e';

-- The clock is set back, so that a heartbeat is from the future: it is dated
-- anew, and who is silent times out after that; who is not stays.
SELECT member_epoch FROM topic.join_group('f', ARRAY['orders'], 'short', session_timeout => '100 ms');
SELECT member_epoch FROM topic.join_group('f', ARRAY['orders'], 'long');
UPDATE topic.member_heartbeats SET heartbeat_at = heartbeat_at + '1 hour' WHERE group_id = 'f';
SELECT count(*) FROM topic.heartbeat('f', 'long', 2);
SELECT member_id, heartbeat_at <= clock_timestamp() AS past FROM topic.member_heartbeats
	WHERE group_id = 'f' ORDER BY 1;
SELECT pg_sleep(0.2);
SELECT count(*) FROM topic.heartbeat('f', 'long', 2);
SELECT * FROM owned WHERE group_id = 'f';

-- Static members: who leaves may come back, and nothing moves.
SELECT topic, partition FROM topic.join_group('s', ARRAY['orders'], 'a1', 'instance a');
SELECT topic, partition FROM topic.join_group('s', ARRAY['orders'], 'b1', 'instance b');
SELECT count(*) FROM topic.heartbeat('s', 'a1', 2);
SELECT topic.leave_group('s', 'a1');
SELECT left_at IS NOT NULL AS has_left, member_id FROM topic.group_members WHERE group_id = 's';
SELECT count(*) FROM topic.heartbeat('s', 'a1', 2);
SELECT topic.leave_group('s', 'a1');
SELECT * FROM owned WHERE group_id = 's';
SELECT member_id, topic, partition FROM topic.join_group('s', ARRAY['orders'], 'a2', 'instance a');
SELECT * FROM topic.heartbeat('s', 'b1', 2);
-- The one before is fenced; also if it never left.
SELECT count(*) FROM topic.heartbeat('s', 'a1', 2);
SELECT member_id, topic, partition FROM topic.join_group('s', ARRAY['orders'], 'a3', 'instance a');
SELECT count(*) FROM topic.heartbeat('s', 'a2', 2);
SELECT topic.leave_group('s', 'a2');
SELECT member_id, count(*) FROM topic.member_heartbeats WHERE group_id = 's' GROUP BY 1 ORDER BY 1;
\set VERBOSITY sqlstate
SELECT topic.leave_group('s', 'a2');
SELECT topic.leave_group('s', 'a1');
SELECT count(*) FROM topic.heartbeat('s', 'a3', 9);
SELECT topic.commit('s', 'orders', 0, 0);
\set VERBOSITY default
-- The same id again
SELECT member_id, topic, partition FROM topic.join_group('s', ARRAY['orders'], 'a3', 'instance a');
SELECT member_id, topic, partition FROM topic.join_group('s', ARRAY['orders'], 'a3');
SELECT instance_id FROM topic.group_members WHERE member_id = 'a3';
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'a3', 'instance c');
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'a3', 'instance b');
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'd');
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'd', 'instance d');
-- Who does not come back in time loses his place.
SELECT topic.leave_group('s', 'd');
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'b2', 'instance b', session_timeout => '100 ms');
SELECT topic.leave_group('s', 'b2');
SELECT pg_sleep(0.2);
SELECT count(*) FROM topic.heartbeat('s', 'a3', 1);
SELECT * FROM owned WHERE group_id = 's';
-- What somebody who has left had is given up without his word.
SELECT topic.leave_group('s', 'a3');
SELECT topic, partition FROM topic.join_group('s', ARRAY['orders'], 'e');

-- Members and consumers that are none do not mix.
SELECT * FROM topic.consume('s', 'orders');
SELECT * FROM topic.commit('s', 'orders');
SELECT topic.commit('s', 'orders', 0, 0);
SELECT * FROM topic.reset_offsets('s', 'orders', 'latest');
SELECT * FROM topic.reset_offsets('s', 'orders', 'latest', dry_run => true);
-- Members that have timed out are none.
SELECT topic.leave_group('s', 'e');
SELECT member_id FROM topic.join_group('s', ARRAY['orders'], 'a4', 'instance a', session_timeout => '100 ms');
SELECT pg_sleep(0.2);
SELECT * FROM topic.consume('s', 'orders');
SELECT count(*) FROM topic.heartbeat('s', 'a4', 1);
SELECT topic.commit('s', 'orders', 0, 0);

-- In one transaction, and rolled back
BEGIN;
SELECT topic, partition FROM topic.join_group('one', ARRAY['orders'], 'a');
SELECT topic, partition FROM topic.join_group('one', ARRAY['orders'], 'b');
SELECT count(*) FROM topic.heartbeat('one', 'a', 2);
SELECT count(*) FROM topic.heartbeat('one', 'b', 2);
ROLLBACK;
SELECT count(*) FROM topic.group_members WHERE group_id = 'one';
BEGIN;
SELECT member_epoch FROM topic.join_group('one', ARRAY['orders'], 'a');
SELECT count(*) FROM topic.heartbeat('one', 'a', 1);
SELECT topic.leave_group('one', 'a');
COMMIT;
SELECT member_count FROM topic.group_members WHERE group_id = 'one';
-- Administration: a group with members is in use.
SELECT topic.create_group('team');
SELECT count(*) FROM topic.join_group('team', ARRAY['orders'], 'a');
SELECT members, topics FROM topic.group_info WHERE group_id = 'team';
SELECT topic, partition, committed_offset, lag FROM topic.lag WHERE group_id = 'team' ORDER BY partition;
SELECT topic.delete_group('team');
SELECT * FROM topic.delete_offsets('team', 'orders');
SELECT topic.leave_group('team', 'a');
SELECT * FROM topic.delete_offsets('team', 'orders');
SELECT topic.delete_group('team');
SELECT (SELECT count(*) FROM topic.group_members WHERE group_id = 'team') AS members,
	(SELECT count(*) FROM topic.member_heartbeats WHERE group_id = 'team') AS heartbeats,
	(SELECT count(*) FROM topic.group_info WHERE group_id = 'team') AS groups;
-- A member whose group was deleted in the same transaction
SELECT member_epoch FROM topic.join_group('team', ARRAY['orders'], 'a', session_timeout => '100 ms');
SELECT pg_sleep(0.2);
BEGIN;
SELECT count(*) FROM topic.heartbeat('team', 'a', 1);
SELECT topic.delete_group('team');
COMMIT;
SELECT (SELECT count(*) FROM topic.group_members WHERE group_id = 'team') AS members,
	(SELECT count(*) FROM topic.member_heartbeats WHERE group_id = 'team') AS heartbeats;

-- A group that the caller may not use; a topic that he may not read
CREATE ROLE regress_topic_member;
SET ROLE regress_topic_member;
SELECT * FROM topic.join_group('g', ARRAY['orders']);
SELECT * FROM topic.join_group('own', ARRAY['orders']);
SELECT * FROM topic.join_group('own', ARRAY['payments', 'none']);
SELECT * FROM topic.heartbeat('g', 'a', 1);
SELECT topic.leave_group('g', 'a');
RESET ROLE;
GRANT SELECT ON topics.payments TO regress_topic_member;
SET ROLE regress_topic_member;
SELECT topic, partition FROM topic.join_group('own', ARRAY['payments', 'none'], 'a');
RESET ROLE;
-- A superuser may use it as well, and who it is granted to.
SELECT topic.grant_group('g', 'regress_topic_member');
SET ROLE regress_topic_member;
SELECT topic, partition FROM topic.join_group('g', ARRAY['payments'], 'granted');
SELECT topic.leave_group('g', 'granted');
RESET ROLE;
SELECT topic.leave_group('own', 'a');

DROP VIEW owned;
DO $$
BEGIN
	PERFORM topic.drop_topic(topic) FROM topic.topics;
	DELETE FROM topic.group_members;
	DELETE FROM topic.member_heartbeats;
	DELETE FROM topic.groups;
END $$;
DROP ROLE regress_topic_member;
