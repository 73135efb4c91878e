-- Sending: producing when the transaction commits.  The overloads are those of
-- produce.

CREATE FUNCTION topic.send(
	topic text, value text, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, text, text, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value text, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, text, bytea, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value text, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, text, bigint, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value text, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, text, uuid, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value json, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, json, text, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value json, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, json, bytea, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value json, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, json, bigint, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value json, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, json, uuid, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value jsonb, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, jsonb, text, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value jsonb, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, jsonb, bytea, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value jsonb, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, jsonb, bigint, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value jsonb, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, jsonb, uuid, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value bytea, key bytea DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, bytea, bytea, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value bytea, key text, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, bytea, text, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value bytea, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, bytea, bigint, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';

CREATE FUNCTION topic.send(
	topic text, value bytea, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_send'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.send(text, bytea, uuid, jsonb, int, timestamptz) IS
'Append a record to a topic when the transaction commits. Needs INSERT on the topic.';
