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
