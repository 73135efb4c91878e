-- The views show rights, not what is behind them: a function in WHERE, however
-- cheap it says it is, gets no row that its caller may not see.
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_nobody;
CREATE FUNCTION tell(seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
	$$ BEGIN RAISE NOTICE 'seen: %', seen; RETURN true; END $$;
SELECT topic.create_topic('secret');
SELECT topic.create_topic('shared');
GRANT SELECT, INSERT ON topics.secret, topics.shared TO regress_topic_owner;
GRANT SELECT ON topics.shared TO regress_topic_nobody;
SET ROLE regress_topic_owner;
SELECT topic.produce('secret', 'v'), topic.produce('shared', 'v');
SELECT topic.commit('secret group', 'secret', 0, 1), topic.commit('secret group', 'shared', 0, 1);
SELECT * FROM topic.join_group('secret members', ARRAY['secret', 'shared'], 'secret member');

-- The owner of the group sees all, a role without rights one topic's size.
BEGIN;
SELECT topic.produce('secret', 'open'), topic.produce('shared', 'open');
CREATE FUNCTION pg_temp.look() RETURNS TABLE (what text, rows bigint)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT 'lag', count(*) FROM topic.lag WHERE tell(group_id);
	RETURN QUERY SELECT 'lag', count(*) FROM topic.lag WHERE tell(topic);
	RETURN QUERY SELECT 'lag', count(*) FROM topic.lag WHERE tell(committed_offset::text);
	RETURN QUERY SELECT 'group_info', count(*) FROM topic.group_info WHERE tell(group_id);
	RETURN QUERY SELECT 'group_info', count(*) FROM topic.group_info WHERE tell(topics::text);
	RETURN QUERY SELECT 'members', count(*) FROM topic.members WHERE tell(group_id);
	RETURN QUERY SELECT 'members', count(*) FROM topic.members WHERE tell(member_id);
	RETURN QUERY SELECT 'assignments', count(*) FROM topic.assignments WHERE tell(group_id);
	RETURN QUERY SELECT 'assignments', count(*) FROM topic.assignments WHERE tell(member_id);
	RETURN QUERY SELECT 'topic_stats', count(*) FROM topic.topic_stats WHERE tell(topic);
	RETURN QUERY SELECT 'topic_stats', count(*) FROM topic.topic_stats WHERE tell(segments::text);
	RETURN QUERY SELECT 'partition_stats', count(*) FROM topic.partition_stats WHERE tell(records::text);
	RETURN QUERY SELECT 'maintenance', count(*) FROM topic.maintenance WHERE tell(topic);
	RETURN QUERY SELECT 'open_producers', count(*) FROM topic.open_producers WHERE tell(topic);
END
$$;
GRANT ALL ON FUNCTION pg_temp.look() TO PUBLIC;
RESET ROLE;
SET ROLE regress_topic_nobody;
SELECT * FROM pg_temp.look();
RESET ROLE;
SET LOCAL client_min_messages = warning;
SET ROLE regress_topic_owner;
SELECT * FROM pg_temp.look();
ROLLBACK;
RESET ROLE;

DROP FUNCTION tell(text);
SELECT topic.drop_topic('secret'), topic.drop_topic('shared');
DELETE FROM topic.groups;
DELETE FROM topic.group_members;
DELETE FROM topic.member_heartbeats;
DROP OWNED BY regress_topic_owner, regress_topic_nobody;
DROP ROLE regress_topic_owner, regress_topic_nobody;
