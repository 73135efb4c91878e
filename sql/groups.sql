-- Administration of groups: create_group, grant_group, revoke_group,
-- delete_offsets, delete_group, and what the views show of it.
SELECT topic.create_topic('t', 2), topic.create_topic('u');
SELECT count(*) FROM topic.produce_batch('t', ARRAY['a', 'b', 'c'], partition => 0);
SELECT topic.produce('t', 'd', partition => 1), topic.produce('u', 'e');
CREATE ROLE regress_topic_worker;
CREATE ROLE regress_topic_team;
CREATE ROLE regress_topic_member IN ROLE regress_topic_team;
GRANT SELECT ON topics.t, topics.u TO regress_topic_worker, regress_topic_team;

-- create_group
SELECT topic.create_group('g');
SELECT topic.create_group('g');
SELECT topic.create_group('g', if_not_exists => true);
SELECT topic.create_group('');
SELECT topic.create_group(repeat('x', 256));
SELECT topic.create_group(NULL);
SELECT group_id, owner::text = current_user AS own, grantees, topics, last_commit FROM topic.group_info;
BEGIN;
SELECT topic.create_group('undone');
ROLLBACK;
BEGIN READ ONLY;
SELECT topic.create_group('h');
ROLLBACK;
SELECT group_id FROM topic.group_info;
-- A group that was used is there.
SELECT count(*) FROM topic.consume('used', 't');
SELECT topic.create_group('used');

-- grant_group, revoke_group
SET ROLE regress_topic_worker;
SELECT count(*) FROM topic.consume('g', 't');
RESET ROLE;
SELECT topic.grant_group('g', 'regress_topic_worker');
SELECT topic.grant_group('g', 'regress_topic_worker');
SELECT topic.grant_group('g', 'regress_topic_team');
SELECT group_id, grantees FROM topic.group_info ORDER BY group_id;
SET ROLE regress_topic_worker;
SELECT count(*) FROM topic.consume('g', 't', 1, ARRAY[0], commit => true);
-- It may use the group, and no more.
SELECT topic.grant_group('g', 'regress_topic_team');
SELECT topic.revoke_group('g', 'regress_topic_team');
SELECT topic.delete_group('g');
SELECT group_id, grantees FROM topic.group_info;
SELECT partition, committed_offset, lag FROM topic.lag ORDER BY partition;
-- So may the members of a role.
SET ROLE regress_topic_member;
SELECT record_offset FROM topic.consume_text('g', 't', 1, ARRAY[0], commit => true);
RESET ROLE;
SELECT topic.revoke_group('g', 'regress_topic_team');
SELECT topic.revoke_group('g', 'regress_topic_team');
SET ROLE regress_topic_member;
SELECT record_offset FROM topic.consume_text('g', 't', 1, ARRAY[0], commit => true);
SELECT group_id FROM topic.group_info;
RESET ROLE;
-- Between consume and commit, too
BEGIN;
SET LOCAL ROLE regress_topic_worker;
SELECT record_offset FROM topic.consume_text('g', 't', 1, ARRAY[0]);
RESET ROLE;
SELECT topic.revoke_group('g', 'regress_topic_worker');
SET LOCAL ROLE regress_topic_worker;
SELECT * FROM topic.commit('g', 't');
ROLLBACK;
SELECT topic.grant_group('missing', 'regress_topic_worker');
SELECT topic.revoke_group('missing', 'regress_topic_worker');
SELECT topic.grant_group('g', 'regress_topic_nobody');
SELECT topic.grant_group('g', '-');
SELECT topic.grant_group('g', 4294967295);
SELECT topic.grant_group('g', NULL);
SELECT topic.grant_group(NULL, 'regress_topic_worker');
SELECT topic.revoke_group('g', NULL);
-- A role that is gone leaves a number, which can be revoked.
DROP ROLE regress_topic_member;
REVOKE ALL ON topics.t, topics.u FROM regress_topic_team;
SELECT topic.grant_group('g', 'regress_topic_team');
SELECT oid AS team FROM pg_roles WHERE rolname = 'regress_topic_team' \gset
DROP ROLE regress_topic_team;
SELECT grantees[2] = :team AS a_number FROM topic.groups WHERE group_id = 'g';
SELECT topic.revoke_group('g', :team);
SELECT grantees FROM topic.groups WHERE group_id = 'g';

-- delete_offsets
SELECT topic.commit('g', 't', 1, 1), topic.commit('g', 'u', 0, 1);
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[1]);
SELECT partition, committed_offset FROM topic.committed('g', 't');
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[1]);
SELECT topic.commit('g', 't', 1, 1);
BEGIN;
SELECT * FROM topic.delete_offsets('g', 't');
SELECT partition, committed_offset FROM topic.committed('g', 't');
-- The next records are the first ones, and are committed as such.
SELECT partition, record_offset FROM topic.consume_text('g', 't', 2) ORDER BY 1, 2;
SELECT * FROM topic.commit('g', 't');
SAVEPOINT s;
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[0]);
ROLLBACK TO s;
SELECT partition, committed_offset FROM topic.committed('g', 't');
ROLLBACK;
SELECT partition, committed_offset FROM topic.committed('g', 't');
SELECT partition, committed_offset FROM topic.committed('g', 'u');
SELECT * FROM topic.delete_offsets('missing', 't');
SELECT * FROM topic.delete_offsets('g', 'missing');
SELECT * FROM topic.delete_offsets('g', 't', ARRAY[2]);
SELECT * FROM topic.delete_offsets(NULL, 't');
SELECT * FROM topic.delete_offsets('g', NULL);
BEGIN READ ONLY;
SELECT * FROM topic.delete_offsets('g', 't');
ROLLBACK;
SELECT group_id FROM topic.group_info WHERE group_id = 'missing';

-- delete_group: offsets of all topics, keys, attempts, the group
SELECT topic.first_time('g', 'k'), topic.dead_letter('g', 't', 0, 0, 'bad', max_attempts => 2);
BEGIN;
SELECT topic.delete_group('g');
SELECT (SELECT count(*) FROM topic.groups WHERE group_id = 'g') AS groups,
	(SELECT count(*) FROM topic.consumer_offsets WHERE group_id = 'g') AS offsets,
	(SELECT count(*) FROM topic.idempotency_keys) AS keys,
	(SELECT count(*) FROM topic.failed_attempts) AS attempts;
ROLLBACK;
SELECT topics FROM topic.group_info WHERE group_id = 'g';
-- In the transaction that has just consumed: nothing is left to commit.
BEGIN;
SELECT count(*) FROM topic.consume('g', 't');
SAVEPOINT s;
SELECT topic.delete_group('g');
SELECT * FROM topic.commit('g', 't');
SELECT group_id FROM topic.group_info;
-- and it begins anew, with the group.
SELECT count(*) FROM topic.consume('g', 't');
SELECT * FROM topic.commit('g', 't') ORDER BY partition;
SELECT group_id, grantees FROM topic.group_info ORDER BY group_id;
ROLLBACK TO s;
SELECT * FROM topic.commit('g', 't') ORDER BY partition;
COMMIT;
SELECT partition, committed_offset FROM topic.committed('g', 't');
SELECT topic.delete_group('g');
SELECT topic.delete_group('g');
SELECT topic.delete_group('used');
SELECT topic.delete_group(NULL);
BEGIN READ ONLY;
SELECT topic.delete_group('g');
ROLLBACK;
-- Offsets of a group that has no row, as hands in the catalog may leave them
SELECT topic.commit('orphan', 't', 0, 1);
DELETE FROM topic.groups;
SELECT topic.delete_group('orphan');
SELECT count(*) FROM topic.consumer_offsets;
-- Only its owner may; the owner is gone, then only a superuser.
SET ROLE regress_topic_worker;
SELECT topic.create_group('owned by a worker');
RESET ROLE;
REVOKE ALL ON topics.t, topics.u FROM regress_topic_worker;
DROP ROLE regress_topic_worker;
SELECT owner::text ~ '^\d+$' AS a_number FROM topic.group_info;
SELECT topic.delete_group('owned by a worker');
SELECT count(*) FROM topic.group_info;

-- time_lag: the age of the first unread record
SELECT topic.produce('u', 'old', record_timestamp => now() - interval '1 hour'),
	topic.produce('u', 'older', record_timestamp => now() - interval '1 day'),
	topic.produce('u', 'in the future', record_timestamp => now() + interval '1 day');
CREATE VIEW lag AS SELECT committed_offset, lag, date_trunc('minute', time_lag) AS time_lag FROM topic.lag;
SELECT topic.commit('g', 'u', 0, 1);
SELECT * FROM lag;
SELECT topic.commit('g', 'u', 0, 2);
SELECT * FROM lag;
SELECT topic.commit('g', 'u', 0, 3);
SELECT * FROM lag;
SELECT topic.commit('g', 'u', 0, 4);
SELECT * FROM lag;
SELECT topic.time_for_offset('u', 0, 4);
SELECT topic.time_for_offset('u', 0, 3) - now() > interval '23 hours' AS in_the_future;
SELECT topic.time_for_offset('u', 0, -1);
SELECT topic.time_for_offset('u', 1, 0);
SELECT topic.time_for_offset('missing', 0, 0);
SELECT topic.time_for_offset('u', 0, NULL);
DROP VIEW lag;

SELECT topic.drop_topic('t'), topic.drop_topic('u');
SELECT topic.delete_group('g');
