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
