\echo Use "CREATE EXTENSION pg_topic" to load this file. \quit

-- The schema may have been there before the extension.
CREATE FUNCTION topic.check_schema() RETURNS void
AS 'MODULE_PATHNAME', 'topic_check_schema'
LANGUAGE C;
SELECT topic.check_schema();
DROP FUNCTION topic.check_schema();
