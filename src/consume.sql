-- Consuming in a group.
--
-- ROWS 1: a higher estimate lets the planner memoize LATERAL calls with equal
-- arguments, and so skip some.

CREATE FUNCTION topic.consume_support(request internal) RETURNS internal
AS 'MODULE_PATHNAME', 'topic_consume_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION topic.consume_support(internal) IS
'What the planner asks about topic.consume() and topic.poll().';

CREATE FUNCTION topic.consume(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_consume'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.consume(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key and value as bytea, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';

CREATE FUNCTION topic.consume_text(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value text, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_consume_text'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.consume_text(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key and value as text, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';

CREATE FUNCTION topic.consume_json(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value jsonb, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_consume_json'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
SUPPORT topic.consume_support;
COMMENT ON FUNCTION topic.consume_json(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key as text, value as jsonb, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';
