-- Producing what a query returns.

CREATE FUNCTION topic.produce_query(topic text, query text)
RETURNS TABLE (partition int, record_count bigint)
AS 'MODULE_PATHNAME', 'topic_produce_query'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.produce_query(text, text) IS
'Append a record for each row of a query, whose columns are named value and, if need be, key, headers, partition, timestamp; returns how many went to each partition. Runs the query with the caller''s rights. Needs INSERT on the topic.';
