-- What the library says of itself.

CREATE FUNCTION topic.library_version()
RETURNS text
AS 'MODULE_PATHNAME', 'topic_library_version'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION topic.library_version() IS
'Version of the library that this session has loaded; that of the extension is in pg_extension.';
