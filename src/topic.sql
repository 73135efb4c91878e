-- Topics: the schemas, the catalog of topics, and the functions that change it.

GRANT USAGE ON SCHEMA topic TO PUBLIC;
COMMENT ON SCHEMA topic IS
'pg_topic: the functions that produce and consume, and the catalog of topics.';

CREATE SCHEMA topics;
GRANT USAGE ON SCHEMA topics TO PUBLIC;
COMMENT ON SCHEMA topics IS
'One foreign table per topic: SELECT from it, GRANT on it. Whoever may CREATE here may create topics.';

CREATE SCHEMA topic_log;
COMMENT ON SCHEMA topic_log IS
'The segments of pg_topic''s logs. Nothing here is for users.';

CREATE TABLE topic.topics (
	topic text COLLATE "C" NOT NULL
		CONSTRAINT topics_topic_check CHECK (
			topic OPERATOR(pg_catalog.~) '^[A-Za-z0-9._-]{1,63}$'
			AND topic OPERATOR(pg_catalog.<>) '.'
			AND topic OPERATOR(pg_catalog.<>) '..'),
	topic_id int GENERATED ALWAYS AS IDENTITY,
	relation regclass NOT NULL,
	partitions int NOT NULL
		CONSTRAINT topics_partitions_check CHECK (
			partitions OPERATOR(pg_catalog.>=) 1
			AND partitions OPERATOR(pg_catalog.<=) 1000),
	retention interval
		CONSTRAINT topics_retention_check CHECK (
			retention OPERATOR(pg_catalog.>) '0'::pg_catalog.interval),
	retention_bytes bigint
		CONSTRAINT topics_retention_bytes_check CHECK (
			retention_bytes OPERATOR(pg_catalog.>) 0),
	cleanup_policy text NOT NULL
		CONSTRAINT topics_cleanup_policy_check CHECK (
			cleanup_policy OPERATOR(pg_catalog.=) ANY ('{delete,compact,"compact,delete"}'::pg_catalog.text[])),
	value_format text NOT NULL
		CONSTRAINT topics_value_format_check CHECK (
			value_format OPERATOR(pg_catalog.=) ANY ('{text,json,bytes}'::pg_catalog.text[])),
	max_record_bytes int NOT NULL
		CONSTRAINT topics_max_record_bytes_check CHECK (
			max_record_bytes OPERATOR(pg_catalog.>=) 1
			AND max_record_bytes OPERATOR(pg_catalog.<=) 536870912),
	compression text NOT NULL
		CONSTRAINT topics_compression_check CHECK (
			compression OPERATOR(pg_catalog.=) ANY ('{none,lz4,zstd}'::pg_catalog.text[])),
	segment_bytes bigint NOT NULL
		CONSTRAINT topics_segment_bytes_check CHECK (
			segment_bytes OPERATOR(pg_catalog.>) 0),
	segment_age interval
		CONSTRAINT topics_segment_age_check CHECK (
			segment_age OPERATOR(pg_catalog.>) '0'::pg_catalog.interval),
	timestamp_type text NOT NULL
		CONSTRAINT topics_timestamp_type_check CHECK (
			timestamp_type OPERATOR(pg_catalog.=) ANY ('{CreateTime,LogAppendTime}'::pg_catalog.text[])),
	tombstone_retention interval NOT NULL
		CONSTRAINT topics_tombstone_retention_check CHECK (
			tombstone_retention OPERATOR(pg_catalog.>=) '0'::pg_catalog.interval),
	min_compaction_lag interval NOT NULL
		CONSTRAINT topics_min_compaction_lag_check CHECK (
			min_compaction_lag OPERATOR(pg_catalog.>=) '0'::pg_catalog.interval),
	merge_small_batches boolean NOT NULL,
	retain_until_consumed text[],
	idempotency_window interval NOT NULL
		CONSTRAINT topics_idempotency_window_check CHECK (
			idempotency_window OPERATOR(pg_catalog.>) '0'::pg_catalog.interval),
	log_start_offsets bigint[],
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT topics_pkey PRIMARY KEY (topic),
	CONSTRAINT topics_topic_id_key UNIQUE (topic_id),
	CONSTRAINT topics_relation_key UNIQUE (relation)
);
-- A row whose relation was dropped while event triggers were off is dead.
SELECT pg_catalog.pg_extension_config_dump('topic.topics',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = relation)');
SELECT pg_catalog.pg_extension_config_dump('topic.topics_topic_id_seq', '');
GRANT SELECT ON topic.topics TO PUBLIC;

COMMENT ON TABLE topic.topics IS 'The topics and their configuration.';
COMMENT ON COLUMN topic.topics.topic IS 'Name: 1 to 63 of A-Z a-z 0-9 . _ -';
COMMENT ON COLUMN topic.topics.topic_id IS 'Number in the names of segments; never given again.';
COMMENT ON COLUMN topic.topics.relation IS 'The foreign table topics.<topic>; its owner is the topic''s owner, its privileges are the topic''s.';
COMMENT ON COLUMN topic.topics.partitions IS 'Number of partitions, counted from 0.';
COMMENT ON COLUMN topic.topics.retention IS 'How long records are kept at least, by their timestamps; NULL: for ever.';
COMMENT ON COLUMN topic.topics.retention_bytes IS 'How many bytes of log are kept at least; NULL: no limit.';
COMMENT ON COLUMN topic.topics.cleanup_policy IS 'delete: retention applies; compact: only the latest record of each key is kept; compact,delete: both.';
COMMENT ON COLUMN topic.topics.value_format IS 'What values are checked to be: text, json or bytes.';
COMMENT ON COLUMN topic.topics.max_record_bytes IS 'Greatest size of a record: key, value and headers, in bytes.';
COMMENT ON COLUMN topic.topics.compression IS 'How new batches are compressed: none, lz4 or zstd.';
COMMENT ON COLUMN topic.topics.segment_bytes IS 'Size at which a segment is due to be rolled.';
COMMENT ON COLUMN topic.topics.segment_age IS 'Age at which a segment is due to be rolled; NULL: never.';
COMMENT ON COLUMN topic.topics.timestamp_type IS 'CreateTime: the producer''s; LogAppendTime: the server''s clock at append.';
COMMENT ON COLUMN topic.topics.tombstone_retention IS 'How long compaction keeps a tombstone after it has removed what the tombstone deletes.';
COMMENT ON COLUMN topic.topics.min_compaction_lag IS 'How long records are kept from compaction, by their timestamps.';
COMMENT ON COLUMN topic.topics.merge_small_batches IS 'Whether sealed segments of small record batches are rewritten with full ones.';
COMMENT ON COLUMN topic.topics.retain_until_consumed IS 'Groups that must have consumed a record before retention removes it; retention_bytes goes before.';
COMMENT ON COLUMN topic.topics.idempotency_window IS 'How long the topic remembers the idempotency_key of a record.';
COMMENT ON COLUMN topic.topics.log_start_offsets IS 'log_start_offsets[p + 1]: what delete_records has made the log start offset of partition p; 0 beyond the array''s end.';
COMMENT ON COLUMN topic.topics.created_at IS 'When the topic was created.';

CREATE FUNCTION topic.create_topic(
	topic text,
	partitions int DEFAULT 1,
	retention interval DEFAULT NULL,
	retention_bytes bigint DEFAULT NULL,
	cleanup_policy text DEFAULT 'delete',
	value_format text DEFAULT 'text',
	max_record_bytes int DEFAULT 1048576,
	compression text DEFAULT 'none',
	segment_bytes bigint DEFAULT 268435456,
	segment_age interval DEFAULT NULL,
	timestamp_type text DEFAULT 'CreateTime',
	tombstone_retention interval DEFAULT '24 hours',
	min_compaction_lag interval DEFAULT '0',
	merge_small_batches boolean DEFAULT true,
	retain_until_consumed text[] DEFAULT NULL,
	idempotency_window interval DEFAULT '1 day',
	if_not_exists boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_create_topic'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.create_topic(text, int, interval, bigint, text, text, int, text, bigint, interval, text, interval, interval, boolean, text[], interval, boolean) IS
'Create a topic and its relation topics.<topic>, owned by the caller, who needs CREATE on schema topics.';

CREATE FUNCTION topic.alter_topic(
	topic text,
	partitions int DEFAULT NULL,
	retention interval DEFAULT NULL,
	retention_bytes bigint DEFAULT NULL,
	cleanup_policy text DEFAULT NULL,
	value_format text DEFAULT NULL,
	max_record_bytes int DEFAULT NULL,
	compression text DEFAULT NULL,
	segment_bytes bigint DEFAULT NULL,
	segment_age interval DEFAULT NULL,
	timestamp_type text DEFAULT NULL,
	tombstone_retention interval DEFAULT NULL,
	min_compaction_lag interval DEFAULT NULL,
	merge_small_batches boolean DEFAULT NULL,
	retain_until_consumed text[] DEFAULT NULL,
	idempotency_window interval DEFAULT NULL,
	reset text[] DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_alter_topic'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.alter_topic(text, int, interval, bigint, text, text, int, text, bigint, interval, text, interval, interval, boolean, text[], interval, text[]) IS
'Change options of a topic: NULL leaves one unchanged, reset names those to put back to their default. Partitions can only grow. Owner only.';

CREATE FUNCTION topic.drop_topic(topic text, if_exists boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_drop_topic'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.drop_topic(text, boolean) IS
'Drop a topic with its records and its groups'' offsets. Owner only.';

-- Whatever command drops the relation topics.<topic> drops the topic: DROP
-- FOREIGN TABLE, DROP OWNED, DROP TABLE of a table that it inherits from, ...
CREATE FUNCTION topic.on_sql_drop()
RETURNS event_trigger
AS 'MODULE_PATHNAME', 'topic_on_sql_drop'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.on_sql_drop() IS
'Removes what is left of a topic whose relation was dropped.';
REVOKE EXECUTE ON FUNCTION topic.on_sql_drop() FROM PUBLIC;

CREATE EVENT TRIGGER pg_topic_on_sql_drop ON sql_drop
	EXECUTE FUNCTION topic.on_sql_drop();
COMMENT ON EVENT TRIGGER pg_topic_on_sql_drop IS
'Drops the topic whose relation topics.<topic> is dropped.';
