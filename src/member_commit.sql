-- Committing what a member's polls have returned.

CREATE FUNCTION topic.commit_polled(
	group_id text, member_id text, member_epoch int DEFAULT NULL)
RETURNS TABLE (topic text, partition int, committed_offset bigint)
AS 'MODULE_PATHNAME', 'topic_commit_polled'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.commit_polled(text, text, int) IS
'Commit what a member''s polls have returned so far, in this transaction and in earlier ones; takes effect with the transaction. Error TP003 if the group has no such member.';
