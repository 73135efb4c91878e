-- Waiting for records.

CREATE PROCEDURE topic.wait_for_records(
	group_id text, topic text, max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, text, interval, boolean) IS
'Wait until there is a record in a partition that the group could claim, or until max_wait is over: available tells which. To be called at the top level, under READ COMMITTED. Needs SELECT on the topic, and the group.';

CREATE PROCEDURE topic.wait_for_records(
	group_id text, topics text[], max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records_of_topics'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, text[], interval, boolean) IS
'The same for several topics: wait for a record in any of them.';

CREATE PROCEDURE topic.wait_for_records(
	topic text, from_offsets bigint[], max_wait interval DEFAULT '30 s',
	INOUT available boolean DEFAULT NULL)
AS 'MODULE_PATHNAME', 'topic_wait_for_records_from_offsets'
LANGUAGE C;
COMMENT ON PROCEDURE topic.wait_for_records(text, bigint[], interval, boolean) IS
'The same without a group, for a reader who stands at from_offsets[p + 1] in partition p; at 0 where there is no element. Needs SELECT on the topic.';
