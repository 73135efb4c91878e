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
