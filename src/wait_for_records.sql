-- Waiting for records.

CREATE PROCEDURE topic.wait_for_records(
	group_id text, topic text, max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL, member_id text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, text, interval, boolean, text) IS
'Wait until there is a record in a partition that the group could claim, or that the member owns, or until max_wait is over: available tells which. A member waits for a third of its session_timeout at most, or until it has something to give up, and is alive then. To be called at the top level, under READ COMMITTED. Needs SELECT on the topic, and the group.';

CREATE PROCEDURE topic.wait_for_records(
	group_id text, topics text[], max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL, member_id text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records_of_topics'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, text[], interval, boolean, text) IS
'The same for several topics: wait for a record in any of them.';

CREATE PROCEDURE topic.wait_for_records(
	topic text, from_offsets bigint[], max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records_from_offsets'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, bigint[], interval, boolean) IS
'The same without a group, for a reader who stands at from_offsets[p + 1] in partition p; at 0 where there is no element. Needs SELECT on the topic.';
