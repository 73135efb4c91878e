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
