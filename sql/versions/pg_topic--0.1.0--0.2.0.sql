\echo Use "ALTER EXTENSION pg_topic UPDATE" to load this file. \quit

-- First, as the library of 0.1.0 does not have it: a server that still runs that
-- one is to be restarted before it is updated.
CREATE FUNCTION topic.library_version()
RETURNS text
AS 'MODULE_PATHNAME', 'topic_library_version'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION topic.library_version() IS
'Version of the library that this session has loaded; that of the extension is in pg_extension.';

-- fetch in FROM is a scan that streams.
CREATE FUNCTION topic.fetch_support(request internal) RETURNS internal
AS 'MODULE_PATHNAME', 'topic_fetch_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION topic.fetch_support(internal) IS
'What the planner asks about topic.fetch().';
ALTER FUNCTION topic.fetch(text, int, bigint, bigint, timestamptz, timestamptz, int)
	SUPPORT topic.fetch_support;
ALTER FUNCTION topic.fetch_text(text, int, bigint, bigint, timestamptz, timestamptz, int)
	SUPPORT topic.fetch_support;
ALTER FUNCTION topic.fetch_json(text, int, bigint, bigint, timestamptz, timestamptz, int)
	SUPPORT topic.fetch_support;
