-- Segments: the catalog of the tables that hold the log.

CREATE TABLE topic.segments (
	topic_id int NOT NULL,
	segment int NOT NULL,
	base_offsets bigint[] NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	sealed_at timestamptz,
	CONSTRAINT segments_pkey PRIMARY KEY (topic_id, segment)
);
SELECT pg_catalog.pg_extension_config_dump('topic.segments', '');

COMMENT ON TABLE topic.segments IS
'The segments of each topic, tables topic_log.segment_<topic_id>_<segment>.';
COMMENT ON COLUMN topic.segments.topic_id IS 'The topic''s number in topic.topics.';
COMMENT ON COLUMN topic.segments.segment IS 'Number of the segment, from 0.';
COMMENT ON COLUMN topic.segments.base_offsets IS 'base_offsets[p + 1]: the next offset of partition p when the segment was opened; 0 beyond the array''s end.';
COMMENT ON COLUMN topic.segments.created_at IS 'When the segment was opened.';
COMMENT ON COLUMN topic.segments.sealed_at IS 'When the next segment took over; NULL: this is the active segment.';

CREATE FUNCTION topic.roll_segment(topic text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'topic_roll_segment'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.roll_segment(text) IS
'Seal the active segment and open a new one; false if the active one is empty. Takes effect when the transaction commits. Owner only.';
