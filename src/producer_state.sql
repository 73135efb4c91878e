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
