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
