\echo Use "CREATE EXTENSION pg_topic" to load this file. \quit

-- Record headers.

CREATE TYPE topic.header AS (key text, value bytea);
COMMENT ON TYPE topic.header IS
'A record header: a key and a value, which may be NULL. A record has an ordered list of them, in which keys may repeat (KIP-82).';
COMMENT ON COLUMN topic.header.key IS 'The header''s key.';
COMMENT ON COLUMN topic.header.value IS 'The header''s value, any bytes.';

CREATE FUNCTION topic.headers_to_jsonb(headers topic.header[])
RETURNS jsonb
AS 'MODULE_PATHNAME', 'topic_headers_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION topic.headers_to_jsonb(topic.header[]) IS
'Headers as a JSON array of [key, value] pairs. A value that is not UTF-8 text becomes {"hex": "..."}.';

CREATE CAST (topic.header[] AS jsonb)
	WITH FUNCTION topic.headers_to_jsonb(topic.header[]) AS IMPLICIT;
COMMENT ON CAST (topic.header[] AS jsonb) IS
'So that the headers that topic.fetch() and topic.consume() return can be produced again.';
-- The foreign-data wrapper behind the relations topics.<topic>.

CREATE FUNCTION topic.fdw_handler()
RETURNS pg_catalog.fdw_handler
AS 'MODULE_PATHNAME', 'topic_fdw_handler'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.fdw_handler() IS
'Handler of foreign-data wrapper pg_topic.';
REVOKE EXECUTE ON FUNCTION topic.fdw_handler() FROM PUBLIC;

CREATE FUNCTION topic.fdw_validator(options text[], catalog oid)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_fdw_validator'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.fdw_validator(text[], oid) IS
'Validator of foreign-data wrapper pg_topic: it has no options.';
REVOKE EXECUTE ON FUNCTION topic.fdw_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER pg_topic
	HANDLER topic.fdw_handler
	VALIDATOR topic.fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER pg_topic IS
'Shows the records of topics as relations topics.<topic>.';

CREATE SERVER pg_topic FOREIGN DATA WRAPPER pg_topic;
COMMENT ON SERVER pg_topic IS 'The topics of this database.';
-- Whoever creates a topic creates its relation, as himself.
GRANT USAGE ON FOREIGN SERVER pg_topic TO PUBLIC;
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
-- Segments: the catalog of the tables that hold the log.

CREATE TABLE topic.segments (
	topic_id int NOT NULL,
	segment int NOT NULL,
	generation int NOT NULL DEFAULT 0,
	base_offsets bigint[] NOT NULL,
	retired_at timestamptz,
	settled_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	sealed_at timestamptz,
	frozen_at timestamptz,
	rows bigint,
	batch_bytes bigint[],
	record_counts bigint[],
	raw_bytes bigint[],
	max_timestamps bigint[],
	delete_horizon bigint,
	compacted boolean NOT NULL DEFAULT false,
	CONSTRAINT segments_pkey PRIMARY KEY (topic_id, segment, generation)
);
SELECT pg_catalog.pg_extension_config_dump('topic.segments', '');

COMMENT ON TABLE topic.segments IS
'The segments of each topic, tables topic_log.segment_<topic_id>_<segment>[_<generation>].';
COMMENT ON COLUMN topic.segments.topic_id IS 'The topic''s number in topic.topics.';
COMMENT ON COLUMN topic.segments.segment IS 'Number of the segment, from 0.';
COMMENT ON COLUMN topic.segments.generation IS 'How often it was rewritten, by compaction or to merge small batches; a rewritten segment may stand for several in a row.';
COMMENT ON COLUMN topic.segments.base_offsets IS 'base_offsets[p + 1]: the next offset of partition p when the segment was opened; 0 beyond the array''s end.';
COMMENT ON COLUMN topic.segments.retired_at IS 'When it was taken out of the log; it is dropped when no snapshot needs it.';
COMMENT ON COLUMN topic.segments.created_at IS 'When the segment was opened.';
COMMENT ON COLUMN topic.segments.sealed_at IS 'When the next segment took over; NULL: this is the active segment.';
COMMENT ON COLUMN topic.segments.settled_at IS 'When its last producer had ended and the columns from rows on were filled in.';
COMMENT ON COLUMN topic.segments.frozen_at IS 'When it was frozen: VACUUM has nothing left to do.';
COMMENT ON COLUMN topic.segments.rows IS 'Number of record batches.';
COMMENT ON COLUMN topic.segments.batch_bytes IS 'batch_bytes[p + 1]: bytes of the record batches of partition p as stored.';
COMMENT ON COLUMN topic.segments.record_counts IS 'record_counts[p + 1]: number of records of partition p.';
COMMENT ON COLUMN topic.segments.raw_bytes IS 'raw_bytes[p + 1]: bytes of the record batches of partition p before compression.';
COMMENT ON COLUMN topic.segments.max_timestamps IS 'max_timestamps[p + 1]: greatest timestamp of partition p''s records, in milliseconds since 1970; NULL: none.';
COMMENT ON COLUMN topic.segments.delete_horizon IS 'When the first of the tombstones may be removed, in milliseconds since 1970; NULL: there are none.';
COMMENT ON COLUMN topic.segments.compacted IS 'Whether compaction has looked for newer records of the same keys up to the end of this segment.';

CREATE FUNCTION topic.roll_segment(topic text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'topic_roll_segment'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.roll_segment(text) IS
'Seal the active segment and open a new one; false if the active one is empty. Takes effect when the transaction commits. Owner only.';
-- Retention.

CREATE FUNCTION topic.delete_records(topic text, partition int,
	before_offset bigint DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_delete_records'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.delete_records(text, int, bigint) IS
'Delete the records of a partition before an offset, by default all that consumers can reach; returns the log start offset. Takes effect for all readers when the transaction commits; the space comes back with the segment. Owner only.';
-- Idempotent producers.

CREATE TABLE topic.producers (
	producer_id bigint GENERATED ALWAYS AS IDENTITY,
	producer_epoch int NOT NULL DEFAULT 0
		CONSTRAINT producers_producer_epoch_check CHECK (
			producer_epoch OPERATOR(pg_catalog.>=) 0
			AND producer_epoch OPERATOR(pg_catalog.<=) 32767),
	transactional_id text COLLATE "C",
	owner regrole NOT NULL,
	initialized_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CONSTRAINT producers_pkey PRIMARY KEY (producer_id),
	CONSTRAINT producers_transactional_id_key UNIQUE (transactional_id)
);
SELECT pg_catalog.pg_extension_config_dump('topic.producers', '');
SELECT pg_catalog.pg_extension_config_dump('topic.producers_producer_id_seq', '');

COMMENT ON TABLE topic.producers IS
'Idempotent producers.';
COMMENT ON COLUMN topic.producers.producer_id IS 'Never given again.';
COMMENT ON COLUMN topic.producers.producer_epoch IS 'Who produces with another one has been fenced.';
COMMENT ON COLUMN topic.producers.transactional_id IS 'The producer''s name: 1 to 255 bytes; NULL: it has none, and nobody fences it.';
COMMENT ON COLUMN topic.producers.owner IS 'Who initialized it first; members of that role may use it.';
COMMENT ON COLUMN topic.producers.initialized_at IS 'When it got its epoch.';

CREATE FUNCTION topic.init_producer(transactional_id text DEFAULT NULL,
	OUT producer_id bigint, OUT producer_epoch smallint)
AS 'MODULE_PATHNAME', 'topic_init_producer'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.init_producer(text) IS
'Get a producer id and a new epoch, with which sequences begin at 0. As soon as this is committed, no transaction of an older epoch of the same transactional_id can commit. Without a transactional_id: a new producer.';
-- What idempotent producers have appended.
--
-- A batch inserts a row with the next state_number and deletes the one before,
-- as a commit of an offset does.

CREATE TABLE topic.producer_states (
	producer_id bigint NOT NULL,
	producer_epoch int NOT NULL,
	topic_id int NOT NULL,
	partition int NOT NULL,
	state_number bigint NOT NULL,
	first_sequences int[] NOT NULL,
	record_counts int[] NOT NULL,
	base_offsets bigint[] NOT NULL,
	written_at timestamptz NOT NULL,
	CONSTRAINT producer_states_pkey
		PRIMARY KEY (producer_id, producer_epoch, topic_id, partition, state_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
SELECT pg_catalog.pg_extension_config_dump('topic.producer_states', '');

COMMENT ON TABLE topic.producer_states IS
'The last batches of each idempotent producer: one visible row per producer, epoch, topic and partition.';
COMMENT ON COLUMN topic.producer_states.producer_id IS 'The producer.';
COMMENT ON COLUMN topic.producer_states.producer_epoch IS 'Its epoch.';
COMMENT ON COLUMN topic.producer_states.topic_id IS 'The topic''s number in topic.topics.';
COMMENT ON COLUMN topic.producer_states.partition IS 'The partition.';
COMMENT ON COLUMN topic.producer_states.state_number IS 'Counts the batches.';
COMMENT ON COLUMN topic.producer_states.first_sequences IS 'Sequence numbers of the first records of the last batches, five at the most, the latest last.';
COMMENT ON COLUMN topic.producer_states.record_counts IS 'How many records they have.';
COMMENT ON COLUMN topic.producer_states.base_offsets IS 'Offsets of their first records.';
COMMENT ON COLUMN topic.producer_states.written_at IS 'When the latest of them was appended.';
-- Keys with which records were produced.

CREATE TABLE topic.produced_keys (
	topic_id int NOT NULL,
	idempotency_key text COLLATE "C" NOT NULL,
	expires_at timestamptz NOT NULL,
	partition int NOT NULL DEFAULT -1,
	record_offset bigint NOT NULL DEFAULT -1,
	CONSTRAINT produced_keys_pkey PRIMARY KEY (topic_id, idempotency_key)
);
CREATE INDEX produced_keys_expires_at ON topic.produced_keys (expires_at);
SELECT pg_catalog.pg_extension_config_dump('topic.produced_keys', '');

COMMENT ON TABLE topic.produced_keys IS
'The idempotency keys with which records were produced.';
COMMENT ON COLUMN topic.produced_keys.topic_id IS 'The topic''s number in topic.topics.';
COMMENT ON COLUMN topic.produced_keys.idempotency_key IS 'The key, 1 to 1024 bytes.';
COMMENT ON COLUMN topic.produced_keys.expires_at IS 'When it is forgotten; topic.maintain() deletes it then.';
COMMENT ON COLUMN topic.produced_keys.partition IS 'The record''s partition.';
COMMENT ON COLUMN topic.produced_keys.record_offset IS 'The record''s offset.';
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
-- Producing what a query returns.

CREATE FUNCTION topic.produce_query(topic text, query text)
RETURNS TABLE (partition int, record_count bigint)
AS 'MODULE_PATHNAME', 'topic_produce_query'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.produce_query(text, text) IS
'Append a record for each row of a query, whose columns are named value and, if need be, key, headers, partition, timestamp; returns how many went to each partition. Runs the query with the caller''s rights. Needs INSERT on the topic.';
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
-- Reading without a consumer group.

CREATE FUNCTION topic.fetch(
	topic text, partition int DEFAULT NULL,
	from_offset bigint DEFAULT NULL, to_offset bigint DEFAULT NULL,
	from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	max_records int DEFAULT NULL)
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_fetch'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000;
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
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000;
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
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000;
COMMENT ON FUNCTION topic.fetch_json(text, int, bigint, bigint, timestamptz, timestamptz, int) IS
'Records of a topic, key as text, value as jsonb; to_offset and to_time are exclusive. Needs SELECT on the topic.';
-- Finding offsets by time.

CREATE FUNCTION topic.offset_for_time(topic text, partition int, at_time timestamptz)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_offset_for_time'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.offset_for_time(text, int, timestamptz) IS
'The offset of the first record that consumers can reach whose timestamp is at or after a time; NULL if there is none. Does not scan the log. Needs SELECT on the topic.';
-- Consumer groups: who owns them and who may use them.

CREATE TABLE topic.groups (
	group_id text COLLATE "C" NOT NULL,
	owner regrole NOT NULL,
	grantees regrole[] NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT groups_pkey PRIMARY KEY (group_id)
);
SELECT pg_catalog.pg_extension_config_dump('topic.groups', '');

COMMENT ON TABLE topic.groups IS 'Consumer groups.';
COMMENT ON COLUMN topic.groups.group_id IS 'The group''s name: 1 to 255 bytes.';
COMMENT ON COLUMN topic.groups.owner IS 'Who created the group or used it first; members of that role may use, grant and delete it.';
COMMENT ON COLUMN topic.groups.grantees IS 'Other roles whose members may use it.';
COMMENT ON COLUMN topic.groups.created_at IS 'When the group was created or first used.';

CREATE FUNCTION topic.create_group(group_id text, if_not_exists boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_create_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.create_group(text, boolean) IS
'Create a consumer group, owned by the caller. A group also comes into being when it is first used.';

CREATE FUNCTION topic.grant_group(group_id text, role regrole)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_grant_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.grant_group(text, regrole) IS
'Let a role and its members use a group: consume, commit, reset and delete its offsets. Owner only.';

CREATE FUNCTION topic.revoke_group(group_id text, role regrole)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_revoke_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.revoke_group(text, regrole) IS
'Take back what topic.grant_group() gave. Owner only.';

CREATE FUNCTION topic.delete_group(group_id text)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_delete_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.delete_group(text) IS
'Delete a group with its committed offsets, idempotency keys and counts of attempts. Owner only. Error 55P03 if another transaction is using it.';
-- Committed offsets.
--
-- A commit inserts a row with the next commit_number and deletes the one
-- before; the newest row is found first by reading the key backwards. Updating
-- one row again and again would, under a snapshot that is held, grow a chain
-- of versions that each commit has to walk.

CREATE TABLE topic.consumer_offsets (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	commit_number bigint NOT NULL,
	committed_offset bigint NOT NULL,
	metadata text,
	committed_at timestamptz NOT NULL,
	CONSTRAINT consumer_offsets_pkey
		PRIMARY KEY (group_id, topic, partition, commit_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
SELECT pg_catalog.pg_extension_config_dump('topic.consumer_offsets', '');

COMMENT ON TABLE topic.consumer_offsets IS
'Committed offsets: one visible row per group, topic and partition.';
COMMENT ON COLUMN topic.consumer_offsets.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.consumer_offsets.topic IS 'The topic.';
COMMENT ON COLUMN topic.consumer_offsets.partition IS 'The partition.';
COMMENT ON COLUMN topic.consumer_offsets.commit_number IS 'Counts the commits of this group, topic and partition.';
COMMENT ON COLUMN topic.consumer_offsets.committed_offset IS 'Offset of the next record to read.';
COMMENT ON COLUMN topic.consumer_offsets.metadata IS 'What the consumer said with its commit.';
COMMENT ON COLUMN topic.consumer_offsets.committed_at IS 'When the offset was committed.';
-- Consuming in a group.
--
-- ROWS 1: a higher estimate lets the planner memoize LATERAL calls with equal
-- arguments, and so skip some.

CREATE FUNCTION topic.consume(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_consume'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.consume(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key and value as bytea, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';

CREATE FUNCTION topic.consume_text(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value text, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_consume_text'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.consume_text(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key and value as text, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';

CREATE FUNCTION topic.consume_json(
	group_id text, topic text, max_records int DEFAULT 500,
	partitions int[] DEFAULT NULL, max_partitions int DEFAULT NULL,
	commit boolean DEFAULT false, offset_reset text DEFAULT 'earliest')
RETURNS TABLE (partition int, record_offset bigint, record_timestamp timestamptz,
	key text, value jsonb, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_consume_json'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.consume_json(text, text, int, int[], int, boolean, text) IS
'The group''s next records, key as text, value as jsonb, from partitions that this transaction claims. Needs SELECT on the topic, and the group.';
-- Committing, moving and deleting offsets.

CREATE FUNCTION topic.commit(group_id text, topic text)
RETURNS TABLE (partition int, committed_offset bigint)
AS 'MODULE_PATHNAME', 'topic_commit'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.commit(text, text) IS
'Commit what this transaction has consumed; takes effect with the transaction. Error 55000 if it has not called consume for this group and topic.';

CREATE FUNCTION topic.commit(
	group_id text, topic text, partition int, next_offset bigint,
	metadata text DEFAULT NULL, member_id text DEFAULT NULL,
	member_epoch int DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_commit_offset'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.commit(text, text, int, bigint, text, text, int) IS
'Commit an offset: that of the next record to read. Never moves it back; returns what is committed then. Error 55P03 if another transaction has claimed the partition, TP002 if it is not, or was not in member_epoch, the member''s, TP003 if the group has no such member, TP007 if member_id is null and the group has members.';

CREATE FUNCTION topic.reset_offsets(
	group_id text, topic text, to_position text DEFAULT NULL,
	to_offset bigint DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	shift_by bigint DEFAULT NULL, partitions int[] DEFAULT NULL,
	dry_run boolean DEFAULT false)
RETURNS TABLE (partition int, old_offset bigint, new_offset bigint)
AS 'MODULE_PATHNAME', 'topic_reset_offsets'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.reset_offsets(text, text, text, bigint, timestamptz, bigint, int[], boolean) IS
'Move a group''s committed offsets, also back: to earliest or latest, to an offset, to the first record at or after a time, or by a number of offsets. Error 55P03 if a partition is claimed by another transaction, TP007 if the group has members.';

CREATE FUNCTION topic.delete_offsets(group_id text, topic text, partitions int[] DEFAULT NULL)
RETURNS TABLE (partition int, deleted_offset bigint)
AS 'MODULE_PATHNAME', 'topic_delete_offsets'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.delete_offsets(text, text, int[]) IS
'Delete a group''s committed offsets in a topic, as if it had never consumed it. Error 55P03 if a partition is claimed by another transaction, TP007 if the group has members.';

CREATE FUNCTION topic.committed(group_id text, topic text)
RETURNS TABLE (partition int, committed_offset bigint, metadata text,
	committed_at timestamptz)
AS 'MODULE_PATHNAME', 'topic_committed'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION topic.committed(text, text) IS
'The group''s committed offsets in a topic, of partitions that have one.';
-- Members of consumer groups, and what is assigned to them.
--
-- These tables describe sessions: they are not dumped. Rows are replaced rather
-- than updated, as in topic.consumer_offsets: a new one has the next number.

CREATE TABLE topic.group_members (
	group_id text COLLATE "C" NOT NULL,
	state_number bigint NOT NULL,
	ordinal int NOT NULL,
	member_count int NOT NULL,
	group_epoch int NOT NULL,
	member_id text,
	instance_id text,
	fenced_member_id text,
	topics text[],
	assignor text,
	offset_reset text,
	session_timeout interval,
	auto_commit_interval interval,
	joined_at timestamptz,
	left_at timestamptz,
	owned_topic_ids int[],
	owned_partitions int[],
	owned_epochs int[],
	target_topic_ids int[],
	target_partitions int[],
	CONSTRAINT group_members_pkey PRIMARY KEY (group_id, state_number, ordinal)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.group_members IS
'Members of consumer groups: one row for each, or one that says that a group has none.';
COMMENT ON COLUMN topic.group_members.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.group_members.state_number IS 'Counts the changes of this group''s rows, which are all written anew.';
COMMENT ON COLUMN topic.group_members.ordinal IS 'The member''s place, from 1 on, in the order in which partitions are assigned; 0 if the group has no members.';
COMMENT ON COLUMN topic.group_members.member_count IS 'Number of members, that is of the group''s rows, or 0.';
COMMENT ON COLUMN topic.group_members.group_epoch IS 'Counts the assignments that the group was given.';
COMMENT ON COLUMN topic.group_members.member_id IS 'The member.';
COMMENT ON COLUMN topic.group_members.instance_id IS 'Who the member is when it comes back; NULL: a dynamic member.';
COMMENT ON COLUMN topic.group_members.fenced_member_id IS 'The member of the same instance_id whose place this one took.';
COMMENT ON COLUMN topic.group_members.topics IS 'Topics to which the member subscribes.';
COMMENT ON COLUMN topic.group_members.assignor IS 'How partitions are assigned in the group: uniform or range.';
COMMENT ON COLUMN topic.group_members.offset_reset IS 'Where the member begins in a partition with no committed offset: earliest, latest or none.';
COMMENT ON COLUMN topic.group_members.session_timeout IS 'For how long the member may be silent.';
COMMENT ON COLUMN topic.group_members.auto_commit_interval IS 'How often its polls commit what earlier ones returned; NULL: they do not.';
COMMENT ON COLUMN topic.group_members.joined_at IS 'When it joined.';
COMMENT ON COLUMN topic.group_members.left_at IS 'When it left; a static member keeps its place for session_timeout.';
COMMENT ON COLUMN topic.group_members.owned_topic_ids IS 'Topics of the partitions that the member owns.';
COMMENT ON COLUMN topic.group_members.owned_partitions IS 'These partitions.';
COMMENT ON COLUMN topic.group_members.owned_epochs IS 'And the group_epoch in which it got each.';
COMMENT ON COLUMN topic.group_members.target_topic_ids IS 'Topics of the partitions that it shall own.';
COMMENT ON COLUMN topic.group_members.target_partitions IS 'These partitions.';

CREATE TABLE topic.member_heartbeats (
	group_id text COLLATE "C" NOT NULL,
	member_id text COLLATE "C" NOT NULL,
	heartbeat_number bigint NOT NULL,
	heartbeat_at timestamptz NOT NULL,
	acknowledged_epoch int NOT NULL,
	auto_committed_at timestamptz NOT NULL,
	CONSTRAINT member_heartbeats_pkey PRIMARY KEY (group_id, member_id, heartbeat_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.member_heartbeats IS
'Signs of life of members: one row for each.';
COMMENT ON COLUMN topic.member_heartbeats.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.member_heartbeats.member_id IS 'The member.';
COMMENT ON COLUMN topic.member_heartbeats.heartbeat_number IS 'Grows with each heartbeat.';
COMMENT ON COLUMN topic.member_heartbeats.heartbeat_at IS 'When the member was last heard of, to a tenth of its session_timeout.';
COMMENT ON COLUMN topic.member_heartbeats.acknowledged_epoch IS 'The last group_epoch that the member is known to go by.';
COMMENT ON COLUMN topic.member_heartbeats.auto_committed_at IS 'When a poll last committed what earlier ones had returned.';

CREATE TABLE topic.member_positions (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	position_number bigint NOT NULL,
	position bigint NOT NULL,
	assigned_epoch int NOT NULL,
	CONSTRAINT member_positions_pkey PRIMARY KEY (group_id, topic, partition, position_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.member_positions IS
'How far members have polled: one row per group, topic and partition.';
COMMENT ON COLUMN topic.member_positions.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.member_positions.topic IS 'The topic.';
COMMENT ON COLUMN topic.member_positions.partition IS 'The partition.';
COMMENT ON COLUMN topic.member_positions.position_number IS 'Counts the polls of this group, topic and partition.';
COMMENT ON COLUMN topic.member_positions.position IS 'Offset of the next record to poll.';
COMMENT ON COLUMN topic.member_positions.assigned_epoch IS 'The group_epoch in which the member who polled got the partition; whoever gets it in another one begins at the committed offset.';

CREATE FUNCTION topic.join_group(
	group_id text, topics text[], member_id text DEFAULT NULL,
	instance_id text DEFAULT NULL, session_timeout interval DEFAULT '45 s',
	assignor text DEFAULT 'uniform', auto_commit_interval interval DEFAULT NULL,
	offset_reset text DEFAULT 'earliest')
RETURNS TABLE (member_id text, member_epoch int, topic text, partition int)
AS 'MODULE_PATHNAME', 'topic_join_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.join_group(text, text[], text, text, interval, text, interval, text) IS
'Join a consumer group as a member that polls topics; returns the partitions that it owns so far. Waits for others who are joining or leaving. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.heartbeat(
	group_id text, member_id text, member_epoch int DEFAULT NULL)
RETURNS TABLE (member_epoch int, topic text, partition int, revoked boolean)
AS 'MODULE_PATHNAME', 'topic_heartbeat'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.heartbeat(text, text, int) IS
'Say that a member is alive, and learn what it owns. With the group''s current epoch as member_epoch it gives up what is revoked, otherwise nothing. Error TP003 if the group has no such member. Needs the group.';

CREATE FUNCTION topic.leave_group(group_id text, member_id text)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_leave_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.leave_group(text, text) IS
'Leave a consumer group: others get the member''s partitions, at once or, if it has an instance_id and does not come back, after its session_timeout. Error TP003 if the group has no such member. Needs the group.';
-- Reading as a member of a consumer group.
--
-- ROWS 1, as for consume.

CREATE FUNCTION topic.poll(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key bytea, value bytea, headers topic.header[])
AS 'MODULE_PATHNAME', 'topic_poll'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.poll(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key and value as bytea. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.poll_text(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key text, value text, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_poll_text'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.poll_text(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key and value as text. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.poll_json(
	group_id text, member_id text, max_records int DEFAULT 500,
	commit boolean DEFAULT false)
RETURNS TABLE (topic text, partition int, record_offset bigint,
	record_timestamp timestamptz, key text, value jsonb, headers jsonb)
AS 'MODULE_PATHNAME', 'topic_poll_json'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.poll_json(text, text, int, boolean) IS
'The next records of the partitions that a member owns, key as text, value as jsonb. Says that the member is alive and has finished what earlier polls returned. Error TP003 if the group has no such member. Needs SELECT on the topics, and the group.';
-- Committing what a member's polls have returned.

CREATE FUNCTION topic.commit_polled(
	group_id text, member_id text, member_epoch int DEFAULT NULL)
RETURNS TABLE (topic text, partition int, committed_offset bigint)
AS 'MODULE_PATHNAME', 'topic_commit_polled'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.commit_polled(text, text, int) IS
'Commit what a member''s polls have returned so far, in this transaction and in earlier ones; takes effect with the transaction. Error TP003 if the group has no such member.';
-- The idempotent consumer.

CREATE TABLE topic.idempotency_keys (
	group_id text COLLATE "C" NOT NULL,
	idempotency_key text COLLATE "C" NOT NULL,
	expires_at timestamptz NOT NULL,
	CONSTRAINT idempotency_keys_pkey PRIMARY KEY (group_id, idempotency_key)
);
CREATE INDEX idempotency_keys_expires_at ON topic.idempotency_keys (expires_at);
SELECT pg_catalog.pg_extension_config_dump('topic.idempotency_keys', '');

COMMENT ON TABLE topic.idempotency_keys IS
'What topic.first_time() remembers.';
COMMENT ON COLUMN topic.idempotency_keys.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.idempotency_keys.idempotency_key IS 'The key, 1 to 1024 bytes.';
COMMENT ON COLUMN topic.idempotency_keys.expires_at IS 'When it is forgotten; topic.maintain() deletes it then.';

-- COST: a condition beside it in WHERE, which may spare the call, comes first.
CREATE FUNCTION topic.first_time(
	group_id text, idempotency_key text, remember interval DEFAULT '7 days')
RETURNS boolean
AS 'MODULE_PATHNAME', 'topic_first_time'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION topic.first_time(text, text, interval) IS
'True if the group has not given this key before, or so long ago that it is forgotten. Takes effect with the transaction; waits for another that has just given the same key. Needs the group.';
-- Dead letters.

CREATE TABLE topic.failed_attempts (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	record_offset bigint NOT NULL,
	attempts int NOT NULL,
	last_attempt_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CONSTRAINT failed_attempts_pkey
		PRIMARY KEY (group_id, topic, partition, record_offset)
);
SELECT pg_catalog.pg_extension_config_dump('topic.failed_attempts', '');

COMMENT ON TABLE topic.failed_attempts IS
'Records that a group has failed to process, as counted by topic.dead_letter() with max_attempts.';
COMMENT ON COLUMN topic.failed_attempts.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.failed_attempts.topic IS 'The topic.';
COMMENT ON COLUMN topic.failed_attempts.partition IS 'The partition.';
COMMENT ON COLUMN topic.failed_attempts.record_offset IS 'The record''s offset.';
COMMENT ON COLUMN topic.failed_attempts.attempts IS 'How often the group has failed so far.';
COMMENT ON COLUMN topic.failed_attempts.last_attempt_at IS 'When it failed last.';

CREATE FUNCTION topic.dead_letter(
	group_id text, topic text, partition int, record_offset bigint, reason text,
	dead_letter_topic text DEFAULT NULL, max_attempts int DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'topic_dead_letter'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.dead_letter(text, text, int, bigint, text, text, int) IS
'Copy a record that a group cannot process to a dead-letter topic, by default <topic>.dlq, with headers that tell where it is from and why. With max_attempts: only with the call of that number for the record; false before. Needs SELECT on the topic, the group, and, if the dead-letter topic is named, INSERT on it.';
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
-- Capture: topics that follow tables.

-- Anybody may use it in a trigger: so that owners of captured tables can create
-- partitions, and restore a dump. Who may create such a trigger is for the event
-- trigger to say.
CREATE FUNCTION topic.capture_change()
RETURNS trigger
AS 'MODULE_PATHNAME', 'topic_capture_change'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.capture_change() IS
'Trigger function of captured tables: sends a row''s change to a topic, with the rights of the table''s owner. topic.capture_table() creates the triggers.';

CREATE FUNCTION topic.on_create_trigger()
RETURNS event_trigger
AS 'MODULE_PATHNAME', 'topic_on_create_trigger'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.on_create_trigger() IS
'Has triggers that capture created by owners of tables only, and depend on their topics.';
REVOKE EXECUTE ON FUNCTION topic.on_create_trigger() FROM PUBLIC;

CREATE EVENT TRIGGER pg_topic_on_create_trigger ON ddl_command_end
	WHEN TAG IN ('CREATE TRIGGER', 'CREATE SCHEMA')
	EXECUTE FUNCTION topic.on_create_trigger();
COMMENT ON EVENT TRIGGER pg_topic_on_create_trigger IS
'Only a table''s owner has its changes captured; a topic that a table is captured into is not dropped.';

CREATE FUNCTION topic.capture_table(
	table_name regclass,
	topic text,
	key text[] DEFAULT NULL,
	events text[] DEFAULT '{insert,update,delete,truncate}',
	payload text DEFAULT 'debezium',
	snapshot boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_capture_table'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.capture_table(regclass, text, text[], text[], text, boolean) IS
'From now on, send a record of each change of a table to a topic, at commit. key: columns, the primary key by default. payload: debezium (before, after, op, source, ts_ms), or row (the new row; a tombstone for a deleted one). snapshot: first send the rows that are there. Owner of the table only, who needs INSERT on the topic.';

CREATE FUNCTION topic.release_table(table_name regclass, topic text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_release_table'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.release_table(regclass, text) IS
'End what topic.capture_table() began, for one topic or all. Owner of the table only.';

CREATE VIEW topic.captured_tables AS
SELECT t.table_name,
	t.arguments[1] AS topic,
	(SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.position)
		FROM pg_catalog.pg_trigger g
		CROSS JOIN LATERAL pg_catalog.unnest(g.tgattr::pg_catalog.int2[]) WITH ORDINALITY k (number, position)
		JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) g.tgrelid
			AND a.attnum OPERATOR(pg_catalog.=) k.number
		WHERE g.oid OPERATOR(pg_catalog.=) ANY (t.triggers)) AS key,
	(SELECT pg_catalog.array_agg(e.event ORDER BY e.position)
		FROM (VALUES (1, 4, 'insert'), (2, 16, 'update'), (3, 8, 'delete'), (4, 32, 'truncate')) e (position, bit, event)
		WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger g
			WHERE g.oid OPERATOR(pg_catalog.=) ANY (t.triggers)
			AND g.tgqual IS NULL
			AND (g.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) e.bit) OPERATOR(pg_catalog.<>) 0)) AS events,
	t.arguments[2] AS payload,
	t.enabled
FROM (
	SELECT g.tgrelid::regclass AS table_name,
		pg_catalog.string_to_array(pg_catalog.encode(g.tgargs, 'escape'), '\000') AS arguments,
		pg_catalog.array_agg(g.oid) AS triggers,
		pg_catalog.bool_and(g.tgenabled OPERATOR(pg_catalog.<>) 'D') AS enabled
	FROM pg_catalog.pg_trigger g
	WHERE g.tgfoid OPERATOR(pg_catalog.=) 'topic.capture_change()'::regprocedure
	AND g.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
	GROUP BY 1, 2) t;
GRANT SELECT ON topic.captured_tables TO PUBLIC;
COMMENT ON VIEW topic.captured_tables IS
'The tables whose changes are captured, as their triggers say.';
COMMENT ON COLUMN topic.captured_tables.table_name IS 'The table; its partitions are captured with it.';
COMMENT ON COLUMN topic.captured_tables.topic IS 'The topic that its changes are sent to.';
COMMENT ON COLUMN topic.captured_tables.key IS 'The columns that are the records'' key.';
COMMENT ON COLUMN topic.captured_tables.events IS 'Which of insert, update, delete and truncate are captured.';
COMMENT ON COLUMN topic.captured_tables.payload IS 'What a record''s value is: debezium or row.';
COMMENT ON COLUMN topic.captured_tables.enabled IS 'False if one of the triggers is disabled.';
-- Maintenance of segments.

CREATE TABLE topic.maintenance_totals (
	topic_id int NOT NULL,
	rolled bigint NOT NULL DEFAULT 0,
	settled bigint NOT NULL DEFAULT 0,
	frozen bigint NOT NULL DEFAULT 0,
	retired bigint NOT NULL DEFAULT 0,
	compacted bigint NOT NULL DEFAULT 0,
	merged bigint NOT NULL DEFAULT 0,
	dropped bigint NOT NULL DEFAULT 0,
	bytes_dropped bigint NOT NULL DEFAULT 0,
	bytes_rewritten bigint NOT NULL DEFAULT 0,
	records_removed bigint NOT NULL DEFAULT 0,
	last_step text,
	last_step_at timestamptz,
	last_error text,
	last_error_at timestamptz,
	CONSTRAINT maintenance_totals_pkey PRIMARY KEY (topic_id)
);
COMMENT ON TABLE topic.maintenance_totals IS
'What maintenance has done for each topic; view topic.maintenance shows it.';
COMMENT ON COLUMN topic.maintenance_totals.topic_id IS 'The topic''s number in topic.topics.';
COMMENT ON COLUMN topic.maintenance_totals.rolled IS 'Segments rolled.';
COMMENT ON COLUMN topic.maintenance_totals.settled IS 'Sealed segments counted after their last producer had ended.';
COMMENT ON COLUMN topic.maintenance_totals.frozen IS 'Segments frozen.';
COMMENT ON COLUMN topic.maintenance_totals.retired IS 'Segments taken out of the log by retention.';
COMMENT ON COLUMN topic.maintenance_totals.compacted IS 'Compactions.';
COMMENT ON COLUMN topic.maintenance_totals.merged IS 'Rewrites that merged small batches.';
COMMENT ON COLUMN topic.maintenance_totals.dropped IS 'Segments dropped.';
COMMENT ON COLUMN topic.maintenance_totals.bytes_dropped IS 'Bytes on disk that dropped segments gave back.';
COMMENT ON COLUMN topic.maintenance_totals.bytes_rewritten IS 'Bytes on disk of the segments that compaction and merging wrote.';
COMMENT ON COLUMN topic.maintenance_totals.records_removed IS 'Records that compaction and merging removed.';
COMMENT ON COLUMN topic.maintenance_totals.last_step IS 'What was done last.';
COMMENT ON COLUMN topic.maintenance_totals.last_step_at IS 'When that was.';
COMMENT ON COLUMN topic.maintenance_totals.last_error IS 'The last error.';
COMMENT ON COLUMN topic.maintenance_totals.last_error_at IS 'When that was.';

CREATE PROCEDURE topic.maintain()
AS 'MODULE_PATHNAME', 'topic_maintain'
LANGUAGE C;
COMMENT ON PROCEDURE topic.maintain() IS
'Roll, settle, freeze, compact, merge, retire and drop segments of the topics that the caller owns, where that is due. Commits after each step.';

CREATE FUNCTION topic.maintenance_due(topic text)
RETURNS TABLE (step text, segment int, waits_for_xid xid, blocked_by int[])
AS 'MODULE_PATHNAME', 'topic_maintenance_due'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.maintenance_due(text) IS
'What topic.maintain() has to do for a topic now: waits_for_xid, if snapshots older than this transaction must be released first; blocked_by, pids of those whose locks it waits for, 0 for a prepared transaction. Needs SELECT on the topic.';
-- Monitoring.
--
-- Views show topics that the caller may SELECT from. Groups are shown to those
-- who may use them and to members of pg_monitor.

CREATE FUNCTION topic.offsets(topic text)
RETURNS TABLE (partition int, log_start_offset bigint, last_stable_offset bigint,
	high_watermark bigint)
AS 'MODULE_PATHNAME', 'topic_offsets'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION topic.offsets(text) IS
'Where each partition of a topic stands now: its first offset, the next offset that consumers can reach, and 1 + the last committed record''s offset. Needs SELECT on the topic.';

CREATE FUNCTION topic.partition_sizes(topic text)
RETURNS TABLE (partition int, records bigint, batch_bytes bigint, raw_bytes bigint,
	oldest_timestamp timestamptz, newest_timestamp timestamptz)
AS 'MODULE_PATHNAME', 'topic_partition_sizes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION topic.partition_sizes(text) IS
'What each partition of a topic holds. Reads the segments that maintenance has not counted yet, such as the active one. Needs SELECT on the topic.';

CREATE FUNCTION topic.disk_bytes(topic text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_disk_bytes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.disk_bytes(text) IS
'Bytes that a topic''s segments take on disk, indexes and TOAST included; but for those that somebody is about to drop or change. Needs SELECT on the topic.';

CREATE FUNCTION topic.time_for_offset(topic text, partition int, record_offset bigint)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'topic_time_for_offset'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.time_for_offset(text, int, bigint) IS
'The timestamp of the first committed record at or after an offset, also one that an open transaction holds back; NULL if there is none, or, with a warning, if the log is damaged there. Needs SELECT on the topic.';

CREATE FUNCTION topic.open_transactions(topic text)
RETURNS TABLE (partition int, transaction xid, first_offset bigint)
AS 'MODULE_PATHNAME', 'topic_open_transactions'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.open_transactions(text) IS
'Open transactions that have produced to a topic, and the first offset of each in each partition. Needs SELECT on the topic.';

CREATE FUNCTION topic.claim_key(group_id text, topic text)
RETURNS oid
AS 'MODULE_PATHNAME', 'topic_claim_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.claim_key(text, text) IS
'The objid under which pg_locks shows the claims of a group on a topic (classid: topic.consumer_offsets, objsubid: the partition).';

CREATE VIEW topic.open_producers WITH (security_barrier) AS
SELECT t.topic,
	o.partition,
	l.pid,
	p.gid AS prepared_transaction,
	COALESCE(a.xact_start, p.prepared) AS since,
	o.first_offset
FROM topic.topics t
CROSS JOIN LATERAL topic.open_transactions(t.topic) o
LEFT JOIN pg_catalog.pg_locks l
	ON l.locktype OPERATOR(pg_catalog.=) 'transactionid'
	AND l.transactionid OPERATOR(pg_catalog.=) o.transaction
	AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
	AND l.granted
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) o.transaction
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.open_producers IS
'Open transactions that have produced and hold back the last stable offset of a partition.';
COMMENT ON COLUMN topic.open_producers.topic IS 'The topic.';
COMMENT ON COLUMN topic.open_producers.partition IS 'The partition.';
COMMENT ON COLUMN topic.open_producers.pid IS 'The process to look at in pg_stat_activity; NULL for a prepared transaction.';
COMMENT ON COLUMN topic.open_producers.prepared_transaction IS 'Name of the prepared transaction, if it is one.';
COMMENT ON COLUMN topic.open_producers.since IS 'When the transaction began, or was prepared.';
COMMENT ON COLUMN topic.open_producers.first_offset IS 'The first offset that it holds back.';

CREATE VIEW topic.partition_stats WITH (security_barrier) AS
SELECT t.topic,
	o.partition,
	s.records,
	s.batch_bytes,
	s.raw_bytes,
	pg_catalog.round(s.raw_bytes::pg_catalog.numeric
		OPERATOR(pg_catalog./) NULLIF(s.batch_bytes, 0), 2) AS compression_ratio,
	s.oldest_timestamp,
	s.newest_timestamp,
	o.log_start_offset,
	o.last_stable_offset,
	o.high_watermark
FROM topic.topics t
CROSS JOIN LATERAL topic.partition_sizes(t.topic) s
JOIN LATERAL topic.offsets(t.topic) o ON o.partition OPERATOR(pg_catalog.=) s.partition
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.partition_stats IS
'What each partition of each topic holds, and its offsets.';
COMMENT ON COLUMN topic.partition_stats.topic IS 'The topic.';
COMMENT ON COLUMN topic.partition_stats.partition IS 'The partition.';
COMMENT ON COLUMN topic.partition_stats.records IS 'Number of committed records, those included that delete_records has deleted and whose segment is still there.';
COMMENT ON COLUMN topic.partition_stats.batch_bytes IS 'Bytes of the record batches as stored.';
COMMENT ON COLUMN topic.partition_stats.raw_bytes IS 'Bytes of the record batches before compression.';
COMMENT ON COLUMN topic.partition_stats.compression_ratio IS 'raw_bytes / batch_bytes.';
COMMENT ON COLUMN topic.partition_stats.oldest_timestamp IS 'Timestamp of the first record.';
COMMENT ON COLUMN topic.partition_stats.newest_timestamp IS 'The greatest timestamp of a record.';
COMMENT ON COLUMN topic.partition_stats.log_start_offset IS 'The first offset of the log.';
COMMENT ON COLUMN topic.partition_stats.last_stable_offset IS 'Offset up to which consumers can read now.';
COMMENT ON COLUMN topic.partition_stats.high_watermark IS '1 + the last committed record''s offset.';

CREATE VIEW topic.topic_stats WITH (security_barrier) AS
SELECT t.topic,
	pg_catalog.pg_get_userbyid(c.relowner) AS owner,
	t.partitions,
	p.records,
	s.segments,
	topic.disk_bytes(t.topic) AS total_bytes,
	p.batch_bytes,
	p.raw_bytes,
	pg_catalog.round(p.raw_bytes::pg_catalog.numeric
		OPERATOR(pg_catalog./) NULLIF(p.batch_bytes, 0), 2) AS compression_ratio,
	p.oldest_timestamp,
	p.newest_timestamp,
	p.log_start_offset,
	p.last_stable_offset,
	p.high_watermark,
	t.created_at
FROM topic.topics t
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relation
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) AS segments
	FROM topic.segments s
	WHERE s.topic_id OPERATOR(pg_catalog.=) t.topic_id) s
CROSS JOIN LATERAL (
	SELECT pg_catalog.sum(p.records)::pg_catalog.int8 AS records,
		pg_catalog.sum(p.batch_bytes)::pg_catalog.int8 AS batch_bytes,
		pg_catalog.sum(p.raw_bytes)::pg_catalog.int8 AS raw_bytes,
		pg_catalog.min(p.oldest_timestamp) AS oldest_timestamp,
		pg_catalog.max(p.newest_timestamp) AS newest_timestamp,
		pg_catalog.sum(p.log_start_offset)::pg_catalog.int8 AS log_start_offset,
		pg_catalog.sum(p.last_stable_offset)::pg_catalog.int8 AS last_stable_offset,
		pg_catalog.sum(p.high_watermark)::pg_catalog.int8 AS high_watermark
	FROM topic.partition_stats p
	WHERE p.topic OPERATOR(pg_catalog.=) t.topic) p
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.topic_stats IS
'Each topic''s size and, over all its partitions, what it holds and its offsets.';
COMMENT ON COLUMN topic.topic_stats.topic IS 'The topic.';
COMMENT ON COLUMN topic.topic_stats.owner IS 'Its owner.';
COMMENT ON COLUMN topic.topic_stats.partitions IS 'Number of partitions.';
COMMENT ON COLUMN topic.topic_stats.records IS 'Number of records; see partition_stats.';
COMMENT ON COLUMN topic.topic_stats.segments IS 'Number of segments, those included that are only waiting to be dropped.';
COMMENT ON COLUMN topic.topic_stats.total_bytes IS 'Bytes of all segments on disk, indexes and TOAST included.';
COMMENT ON COLUMN topic.topic_stats.batch_bytes IS 'Bytes of the record batches as stored.';
COMMENT ON COLUMN topic.topic_stats.raw_bytes IS 'Bytes of the record batches before compression.';
COMMENT ON COLUMN topic.topic_stats.compression_ratio IS 'raw_bytes / batch_bytes.';
COMMENT ON COLUMN topic.topic_stats.oldest_timestamp IS 'The least of the timestamps of the partitions'' first records.';
COMMENT ON COLUMN topic.topic_stats.newest_timestamp IS 'The greatest timestamp of a record.';
COMMENT ON COLUMN topic.topic_stats.log_start_offset IS 'Sum of the log start offsets.';
COMMENT ON COLUMN topic.topic_stats.last_stable_offset IS 'Sum of the last stable offsets.';
COMMENT ON COLUMN topic.topic_stats.high_watermark IS 'Sum of the high watermarks.';
COMMENT ON COLUMN topic.topic_stats.created_at IS 'When the topic was created.';

CREATE VIEW topic.lag WITH (security_barrier) AS
SELECT s.group_id,
	t.topic,
	o.partition,
	c.committed_offset,
	o.last_stable_offset,
	o.high_watermark,
	o.high_watermark OPERATOR(pg_catalog.-)
		GREATEST(c.committed_offset, o.log_start_offset) AS lag,
	CASE WHEN o.high_watermark OPERATOR(pg_catalog.<=)
			GREATEST(c.committed_offset, o.log_start_offset)
			OR u.age OPERATOR(pg_catalog.<) '0'::pg_catalog.interval
		THEN '0'::pg_catalog.interval
		ELSE u.age END AS time_lag,
	p.pid AS open_producer_pid,
	l.pid AS claimed_by_pid,
	c.committed_at
FROM (SELECT group_id, topic FROM topic.consumer_offsets
	UNION
	SELECT m.group_id, t COLLATE "C" FROM topic.group_members m, pg_catalog.unnest(m.topics) t) s
-- Nobody owns a group yet whose first user's transaction is still open.
LEFT JOIN topic.groups g ON g.group_id OPERATOR(pg_catalog.=) s.group_id
JOIN topic.topics t ON t.topic OPERATOR(pg_catalog.=) s.topic
CROSS JOIN LATERAL topic.offsets(t.topic) o
LEFT JOIN topic.consumer_offsets c
	ON c.group_id OPERATOR(pg_catalog.=) s.group_id
	AND c.topic OPERATOR(pg_catalog.=) s.topic
	AND c.partition OPERATOR(pg_catalog.=) o.partition
LEFT JOIN LATERAL (
	SELECT pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
		topic.time_for_offset(t.topic, o.partition,
			GREATEST(c.committed_offset, o.log_start_offset)) AS age
	WHERE o.high_watermark OPERATOR(pg_catalog.>)
		GREATEST(c.committed_offset, o.log_start_offset)) u ON true
LEFT JOIN LATERAL (
	SELECT p.pid FROM topic.open_producers p
	WHERE p.topic OPERATOR(pg_catalog.=) t.topic
	AND p.partition OPERATOR(pg_catalog.=) o.partition
	ORDER BY p.first_offset LIMIT 1) p ON true
LEFT JOIN pg_catalog.pg_locks l
	ON l.locktype OPERATOR(pg_catalog.=) 'object'
	AND l.database OPERATOR(pg_catalog.=)
		(SELECT d.oid FROM pg_catalog.pg_database d
		 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	AND l.classid OPERATOR(pg_catalog.=) 'topic.consumer_offsets'::pg_catalog.regclass
	AND l.objid OPERATOR(pg_catalog.=) topic.claim_key(s.group_id, s.topic)
	AND l.objsubid OPERATOR(pg_catalog.=) o.partition::pg_catalog.int2
	AND l.granted
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT')
AND (pg_catalog.pg_has_role('pg_monitor', 'USAGE')
	OR EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.array_append(g.grantees, g.owner)) r
		WHERE pg_catalog.pg_has_role(r, 'USAGE')));
COMMENT ON VIEW topic.lag IS
'How far each group is behind in each partition of the topics it has committed offsets for, or its members subscribe to.';
COMMENT ON COLUMN topic.lag.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.lag.topic IS 'The topic.';
COMMENT ON COLUMN topic.lag.partition IS 'The partition.';
COMMENT ON COLUMN topic.lag.committed_offset IS 'Offset of the next record to read; NULL: never committed.';
COMMENT ON COLUMN topic.lag.last_stable_offset IS 'Offset up to which consumers can read now.';
COMMENT ON COLUMN topic.lag.high_watermark IS '1 + the last committed record''s offset.';
COMMENT ON COLUMN topic.lag.lag IS 'Offsets between committed_offset and high_watermark.';
COMMENT ON COLUMN topic.lag.time_lag IS 'Age of the first record in between, by its timestamp; 0: there is none; NULL: not known.';
COMMENT ON COLUMN topic.lag.open_producer_pid IS 'The process whose open transaction holds back last_stable_offset.';
COMMENT ON COLUMN topic.lag.claimed_by_pid IS 'The process that is consuming the partition for the group.';
COMMENT ON COLUMN topic.lag.committed_at IS 'When committed_offset was committed.';

CREATE VIEW topic.group_info WITH (security_barrier) AS
SELECT g.group_id,
	g.owner,
	g.grantees,
	g.created_at,
	COALESCE(c.topics, '{}') AS topics,
	c.last_commit,
	(SELECT pg_catalog.count(*) FROM topic.group_members m
	 WHERE m.group_id OPERATOR(pg_catalog.=) g.group_id
	 AND m.member_count OPERATOR(pg_catalog.>) 0) AS members
FROM topic.groups g
LEFT JOIN (
	SELECT group_id, pg_catalog.array_agg(DISTINCT topic) AS topics,
		pg_catalog.max(committed_at) AS last_commit
	FROM topic.consumer_offsets GROUP BY group_id) c
	ON c.group_id OPERATOR(pg_catalog.=) g.group_id
WHERE pg_catalog.pg_has_role('pg_monitor', 'USAGE')
OR EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.array_append(g.grantees, g.owner)) r
	WHERE pg_catalog.pg_has_role(r, 'USAGE'));
COMMENT ON VIEW topic.group_info IS 'Consumer groups.';
COMMENT ON COLUMN topic.group_info.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.group_info.owner IS 'The role whose members may use, grant and delete it.';
COMMENT ON COLUMN topic.group_info.grantees IS 'Other roles whose members may use it.';
COMMENT ON COLUMN topic.group_info.created_at IS 'When the group was created or first used.';
COMMENT ON COLUMN topic.group_info.topics IS 'Topics in which the group has committed offsets.';
COMMENT ON COLUMN topic.group_info.last_commit IS 'When the group last committed an offset.';
COMMENT ON COLUMN topic.group_info.members IS 'How many members it has.';

CREATE VIEW topic.members WITH (security_barrier) AS
SELECT m.group_id,
	m.member_id,
	m.instance_id,
	m.topics,
	m.assignor,
	m.session_timeout,
	m.auto_commit_interval,
	m.joined_at,
	m.left_at,
	h.heartbeat_at,
	m.group_epoch,
	h.acknowledged_epoch,
	pg_catalog.cardinality(m.owned_partitions) AS partitions,
	pg_catalog.cardinality(m.target_partitions) AS target_partitions
FROM topic.group_members m
JOIN topic.group_info g ON g.group_id OPERATOR(pg_catalog.=) m.group_id
LEFT JOIN topic.member_heartbeats h
	ON h.group_id OPERATOR(pg_catalog.=) m.group_id
	AND h.member_id OPERATOR(pg_catalog.=) m.member_id
WHERE m.member_count OPERATOR(pg_catalog.>) 0;
COMMENT ON VIEW topic.members IS
'Members of consumer groups. One whose session has timed out is shown until another member calls.';
COMMENT ON COLUMN topic.members.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.members.member_id IS 'The member.';
COMMENT ON COLUMN topic.members.instance_id IS 'Who it is when it comes back; NULL: a dynamic member.';
COMMENT ON COLUMN topic.members.topics IS 'Topics to which it subscribes.';
COMMENT ON COLUMN topic.members.assignor IS 'How partitions are assigned in the group.';
COMMENT ON COLUMN topic.members.session_timeout IS 'For how long it may be silent.';
COMMENT ON COLUMN topic.members.auto_commit_interval IS 'How often its polls commit what earlier ones returned; NULL: they do not.';
COMMENT ON COLUMN topic.members.joined_at IS 'When it joined.';
COMMENT ON COLUMN topic.members.left_at IS 'When it left; a static member keeps its place for session_timeout.';
COMMENT ON COLUMN topic.members.heartbeat_at IS 'When it was last heard of, to a tenth of session_timeout.';
COMMENT ON COLUMN topic.members.group_epoch IS 'The group''s epoch.';
COMMENT ON COLUMN topic.members.acknowledged_epoch IS 'The last epoch that it is known to go by.';
COMMENT ON COLUMN topic.members.partitions IS 'Number of partitions that it owns.';
COMMENT ON COLUMN topic.members.target_partitions IS 'Number of partitions that it shall own.';

CREATE VIEW topic.assignments WITH (security_barrier) AS
SELECT g.group_id,
	t.topic,
	s.partition,
	o.member_id,
	o.assigned_epoch,
	s.member_id AS target_member_id,
	p.position
FROM (
	SELECT m.group_id, m.member_id, s.topic_id, s.partition
	FROM topic.group_members m
	CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(m.target_topic_ids),
		pg_catalog.unnest(m.target_partitions)) s(topic_id, partition)) s
JOIN topic.group_info g ON g.group_id OPERATOR(pg_catalog.=) s.group_id
JOIN topic.topics t ON t.topic_id OPERATOR(pg_catalog.=) s.topic_id
LEFT JOIN (
	SELECT m.group_id, m.member_id, o.topic_id, o.partition, o.assigned_epoch
	FROM topic.group_members m
	CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(m.owned_topic_ids),
		pg_catalog.unnest(m.owned_partitions), pg_catalog.unnest(m.owned_epochs))
		o(topic_id, partition, assigned_epoch)) o
	ON o.group_id OPERATOR(pg_catalog.=) s.group_id
	AND o.topic_id OPERATOR(pg_catalog.=) s.topic_id
	AND o.partition OPERATOR(pg_catalog.=) s.partition
LEFT JOIN topic.member_positions p
	ON p.group_id OPERATOR(pg_catalog.=) s.group_id
	AND p.topic OPERATOR(pg_catalog.=) t.topic
	AND p.partition OPERATOR(pg_catalog.=) s.partition
	AND p.assigned_epoch OPERATOR(pg_catalog.=) o.assigned_epoch;
COMMENT ON VIEW topic.assignments IS
'Partitions of the topics that members of groups subscribe to, and whose they are.';
COMMENT ON COLUMN topic.assignments.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.assignments.topic IS 'The topic.';
COMMENT ON COLUMN topic.assignments.partition IS 'The partition.';
COMMENT ON COLUMN topic.assignments.member_id IS 'The member that owns it; NULL: nobody yet.';
COMMENT ON COLUMN topic.assignments.assigned_epoch IS 'The group''s epoch in which it got it.';
COMMENT ON COLUMN topic.assignments.target_member_id IS 'The member that shall own it; another one than member_id: it is revoked.';
COMMENT ON COLUMN topic.assignments.position IS 'Offset of the next record that the owner polls; NULL: it goes on at the committed offset.';

CREATE VIEW topic.maintenance WITH (security_barrier) AS
SELECT t.topic,
	m.last_step,
	m.last_step_at,
	COALESCE(m.rolled, 0) AS rolled,
	COALESCE(m.settled, 0) AS settled,
	COALESCE(m.frozen, 0) AS frozen,
	COALESCE(m.retired, 0) AS retired,
	COALESCE(m.compacted, 0) AS compacted,
	COALESCE(m.merged, 0) AS merged,
	COALESCE(m.dropped, 0) AS dropped,
	COALESCE(m.bytes_dropped, 0) AS bytes_dropped,
	COALESCE(m.bytes_rewritten, 0) AS bytes_rewritten,
	COALESCE(m.records_removed, 0) AS records_removed,
	m.last_error,
	m.last_error_at,
	COALESCE(d.due, '{}') AS due,
	COALESCE(d.held_up, '{}') AS held_up,
	COALESCE(d.held_up_by, '{}') AS held_up_by
FROM topic.topics t
LEFT JOIN topic.maintenance_totals m ON m.topic_id OPERATOR(pg_catalog.=) t.topic_id
CROSS JOIN LATERAL (
	SELECT pg_catalog.array_agg(DISTINCT d.step) AS due,
		pg_catalog.array_agg(DISTINCT d.step) FILTER (WHERE b.pid IS NOT NULL
			OR d.waits_for_xid IS NOT NULL) AS held_up,
		pg_catalog.array_agg(DISTINCT b.pid) FILTER (WHERE b.pid IS NOT NULL) AS held_up_by
	FROM topic.maintenance_due(t.topic) d
	LEFT JOIN LATERAL (
		SELECT pg_catalog.unnest(d.blocked_by) AS pid
		UNION ALL
		-- A transaction with an xid counts, also while it has no snapshot.
		SELECT a.pid
		FROM pg_catalog.pg_stat_activity a
		WHERE GREATEST(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))
			OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)
		AND COALESCE(a.datname, pg_catalog.current_database())
			OPERATOR(pg_catalog.=) pg_catalog.current_database()
		AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
		UNION ALL
		SELECT 0
		FROM pg_catalog.pg_prepared_xacts p
		WHERE pg_catalog.age(p.transaction) OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)
		AND p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
		UNION ALL
		SELECT COALESCE(r.active_pid, 0)
		FROM pg_catalog.pg_replication_slots r
		WHERE pg_catalog.age(r.xmin) OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)) b ON true) d
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.maintenance IS
'What maintenance has done for each topic, what it has to do, and what holds it up.';
COMMENT ON COLUMN topic.maintenance.topic IS 'The topic.';
COMMENT ON COLUMN topic.maintenance.last_step IS 'What was done last.';
COMMENT ON COLUMN topic.maintenance.last_step_at IS 'When that was.';
COMMENT ON COLUMN topic.maintenance.rolled IS 'Segments rolled.';
COMMENT ON COLUMN topic.maintenance.settled IS 'Sealed segments counted after their last producer had ended.';
COMMENT ON COLUMN topic.maintenance.frozen IS 'Segments frozen.';
COMMENT ON COLUMN topic.maintenance.retired IS 'Segments taken out of the log by retention.';
COMMENT ON COLUMN topic.maintenance.compacted IS 'Compactions.';
COMMENT ON COLUMN topic.maintenance.merged IS 'Rewrites that merged small batches.';
COMMENT ON COLUMN topic.maintenance.dropped IS 'Segments dropped.';
COMMENT ON COLUMN topic.maintenance.bytes_dropped IS 'Bytes on disk that dropped segments gave back.';
COMMENT ON COLUMN topic.maintenance.bytes_rewritten IS 'Bytes on disk of the segments that compaction and merging wrote.';
COMMENT ON COLUMN topic.maintenance.records_removed IS 'Records that compaction and merging removed, those that delete_records had deleted included.';
COMMENT ON COLUMN topic.maintenance.last_error IS 'The last error.';
COMMENT ON COLUMN topic.maintenance.last_error_at IS 'When that was.';
COMMENT ON COLUMN topic.maintenance.due IS 'Steps that the next run has to do.';
COMMENT ON COLUMN topic.maintenance.held_up IS 'Those of them that wait for somebody''s lock or snapshot.';
COMMENT ON COLUMN topic.maintenance.held_up_by IS 'Processes to look at in pg_stat_activity: whose locks and snapshots these are; 0: a prepared transaction, or a replication slot that is not in use.';

GRANT SELECT ON topic.open_producers, topic.partition_stats, topic.topic_stats, topic.lag,
	topic.group_info, topic.members, topic.assignments, topic.maintenance TO PUBLIC;
