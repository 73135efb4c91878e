-- Finding offsets by time.

CREATE FUNCTION topic.offset_for_time(topic text, partition int, at_time timestamptz)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_offset_for_time'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.offset_for_time(text, int, timestamptz) IS
'The offset of the first record that consumers can reach whose timestamp is at or after a time; NULL if there is none. Does not scan the log. Needs SELECT on the topic.';
