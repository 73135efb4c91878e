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
