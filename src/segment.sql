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
