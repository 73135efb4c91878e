-- Reading without a consumer group.

CREATE FUNCTION topic.fetch_support(request internal) RETURNS internal
AS 'MODULE_PATHNAME', 'topic_fetch_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION topic.fetch_support(internal) IS
'What the planner asks about topic.fetch().';

CREATE FUNCTION topic.fetch(
	topic text, partition int DEFAULT NULL,
	from_offset bigint DEFAULT NULL, to_offset bigint DEFAULT NULL,
	from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	max_records int DEFAULT NULL)
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_fetch'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
SUPPORT topic.fetch_support;
COMMENT ON FUNCTION topic.fetch(text, int, bigint, bigint, timestamptz, timestamptz, int) IS
'Records of a topic, key and value as bytea; to_offset and to_time are exclusive. Needs SELECT on the topic.';

CREATE FUNCTION topic.fetch_text(
	topic text, partition int DEFAULT NULL,
	from_offset bigint DEFAULT NULL, to_offset bigint DEFAULT NULL,
	from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	max_records int DEFAULT NULL)
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value text, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_fetch_text'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
SUPPORT topic.fetch_support;
COMMENT ON FUNCTION topic.fetch_text(text, int, bigint, bigint, timestamptz, timestamptz, int) IS
'Records of a topic, key and value as text; to_offset and to_time are exclusive. Needs SELECT on the topic.';

CREATE FUNCTION topic.fetch_json(
	topic text, partition int DEFAULT NULL,
	from_offset bigint DEFAULT NULL, to_offset bigint DEFAULT NULL,
	from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	max_records int DEFAULT NULL)
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value jsonb, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_fetch_json'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
SUPPORT topic.fetch_support;
COMMENT ON FUNCTION topic.fetch_json(text, int, bigint, bigint, timestamptz, timestamptz, int) IS
'Records of a topic, key as text, value as jsonb; to_offset and to_time are exclusive. Needs SELECT on the topic.';
