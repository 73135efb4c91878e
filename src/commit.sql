-- Committing, moving and deleting offsets.

CREATE FUNCTION topic.commit(group_id text, topic text)
RETURNS TABLE (partition int, committed_offset bigint)
AS 'MODULE_PATHNAME', 'topic_commit'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.commit(text, text) IS
'Commit what this transaction has consumed; takes effect with the transaction. Error 55000 if it has not called consume for this group and topic.';

CREATE FUNCTION topic.commit(
	group_id text, topic text, partition int, next_offset bigint,
	metadata text DEFAULT NULL, member_id text DEFAULT NULL,
	member_epoch int DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_commit_offset'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.commit(text, text, int, bigint, text, text, int) IS
'Commit an offset: that of the next record to read. Never moves it back; returns what is committed then. Error 55P03 if another transaction has claimed the partition, TP002 if it is not, or was not in member_epoch, the member''s, TP003 if the group has no such member, TP007 if member_id is null and the group has members.';

CREATE FUNCTION topic.reset_offsets(
	group_id text, topic text, to_position text DEFAULT NULL,
	to_offset bigint DEFAULT NULL, to_time timestamptz DEFAULT NULL,
	shift_by bigint DEFAULT NULL, partitions int[] DEFAULT NULL,
	dry_run boolean DEFAULT false)
RETURNS TABLE (partition int, old_offset bigint, new_offset bigint)
AS 'MODULE_PATHNAME', 'topic_reset_offsets'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.reset_offsets(text, text, text, bigint, timestamptz, bigint, int[], boolean) IS
'Move a group''s committed offsets, also back: to earliest or latest, to an offset, to the first record at or after a time, or by a number of offsets. Error 55P03 if a partition is claimed by another transaction, TP007 if the group has members.';

CREATE FUNCTION topic.delete_offsets(group_id text, topic text, partitions int[] DEFAULT NULL)
RETURNS TABLE (partition int, deleted_offset bigint)
AS 'MODULE_PATHNAME', 'topic_delete_offsets'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.delete_offsets(text, text, int[]) IS
'Delete a group''s committed offsets in a topic, as if it had never consumed it. Error 55P03 if a partition is claimed by another transaction, TP007 if the group has members.';

CREATE FUNCTION topic.committed(group_id text, topic text)
RETURNS TABLE (partition int, committed_offset bigint, metadata text,
	committed_at timestamptz)
AS 'MODULE_PATHNAME', 'topic_committed'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION topic.committed(text, text) IS
'The group''s committed offsets in a topic, of partitions that have one.';
