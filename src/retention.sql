-- Retention.

CREATE FUNCTION topic.delete_records(topic text, partition int,
	before_offset bigint DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_delete_records'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.delete_records(text, int, bigint) IS
'Delete the records of a partition before an offset, by default all that consumers can reach; returns the log start offset. Takes effect for all readers when the transaction commits; the space comes back with the segment. Owner only.';
