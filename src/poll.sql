-- Reading as a member of a consumer group.
--
-- ROWS 1, as for consume.

CREATE FUNCTION topic.poll(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_poll'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.poll(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key and value as bytea. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.poll_text(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key text, value text, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_poll_text'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.poll_text(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key and value as text. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.poll_json(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key text, value jsonb, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_poll_json'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.poll_json(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key as text, value as jsonb. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';
