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
