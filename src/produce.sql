-- Producing.
--
-- At most one overload per type of value may have a default for its key, else
-- a call without a key would be ambiguous.

CREATE FUNCTION topic.produce(
	topic text, value text, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, text, text, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value text, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, text, bytea, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value text, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, text, bigint, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value text, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, text, uuid, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value json, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, json, text, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value json, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, json, bytea, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value json, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, json, bigint, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value json, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, json, uuid, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value jsonb, key text DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, jsonb, text, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value jsonb, key bytea, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, jsonb, bytea, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value jsonb, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, jsonb, bigint, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value jsonb, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, jsonb, uuid, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value bytea, key bytea DEFAULT NULL, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, bytea, bytea, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value bytea, key text, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, bytea, text, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value bytea, key bigint, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, bytea, bigint, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce(
	topic text, value bytea, key uuid, headers jsonb DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamp timestamptz DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL,
	idempotency_key text DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_produce'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.produce(text, bytea, uuid, jsonb, int, timestamptz, bigint, int, int, text) IS
'Append a record to a topic and return its offset. One that comes again, with the same sequence of its producer or the same idempotency_key, is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce_batch(
	topic text, record_values text[], keys text[] DEFAULT NULL, headers jsonb[] DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamps timestamptz[] DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL)
RETURNS TABLE (partition int, base_offset bigint, record_count int)
AS 'MODULE_PATHNAME', 'topic_produce_batch'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.produce_batch(text, text[], text[], jsonb[], int, timestamptz[], bigint, int, int) IS
'Append many records to a topic; returns a row per run of contiguous offsets. A batch that comes again with the same sequence of its producer is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce_batch(
	topic text, record_values jsonb[], keys text[] DEFAULT NULL, headers jsonb[] DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamps timestamptz[] DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL)
RETURNS TABLE (partition int, base_offset bigint, record_count int)
AS 'MODULE_PATHNAME', 'topic_produce_batch'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.produce_batch(text, jsonb[], text[], jsonb[], int, timestamptz[], bigint, int, int) IS
'Append many records to a topic; returns a row per run of contiguous offsets. A batch that comes again with the same sequence of its producer is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.produce_batch(
	topic text, record_values bytea[], keys bytea[] DEFAULT NULL, headers jsonb[] DEFAULT NULL,
	partition int DEFAULT NULL, record_timestamps timestamptz[] DEFAULT NULL,
	producer_id bigint DEFAULT NULL, producer_epoch int DEFAULT NULL, sequence int DEFAULT NULL)
RETURNS TABLE (partition int, base_offset bigint, record_count int)
AS 'MODULE_PATHNAME', 'topic_produce_batch'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.produce_batch(text, bytea[], bytea[], jsonb[], int, timestamptz[], bigint, int, int) IS
'Append many records to a topic; returns a row per run of contiguous offsets. A batch that comes again with the same sequence of its producer is not appended again. Needs INSERT on the topic.';

CREATE FUNCTION topic.partition_for_key(topic text, key text)
RETURNS int
AS 'MODULE_PATHNAME', 'topic_partition_for_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.partition_for_key(text, text) IS
'The partition that produce chooses for a key: that of Kafka''s default partitioner.';

CREATE FUNCTION topic.partition_for_key(topic text, key bytea)
RETURNS int
AS 'MODULE_PATHNAME', 'topic_partition_for_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.partition_for_key(text, bytea) IS
'The partition that produce chooses for a key: that of Kafka''s default partitioner.';

CREATE FUNCTION topic.partition_for_key(topic text, key bigint)
RETURNS int
AS 'MODULE_PATHNAME', 'topic_partition_for_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.partition_for_key(text, bigint) IS
'The partition that produce chooses for a key: that of Kafka''s default partitioner.';

CREATE FUNCTION topic.partition_for_key(topic text, key uuid)
RETURNS int
AS 'MODULE_PATHNAME', 'topic_partition_for_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.partition_for_key(text, uuid) IS
'The partition that produce chooses for a key: that of Kafka''s default partitioner.';
