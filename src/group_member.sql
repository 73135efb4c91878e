-- Members of consumer groups, and what is assigned to them.
--
-- These tables describe sessions: they are not dumped. Rows are replaced rather
-- than updated, as in topic.consumer_offsets: a new one has the next number.

CREATE TABLE topic.group_members (
	group_id text COLLATE "C" NOT NULL,
	state_number bigint NOT NULL,
	ordinal int NOT NULL,
	member_count int NOT NULL,
	group_epoch int NOT NULL,
	member_id text,
	instance_id text,
	fenced_member_id text,
	topics text[],
	assignor text,
	offset_reset text,
	session_timeout interval,
	auto_commit_interval interval,
	joined_at timestamptz,
	left_at timestamptz,
	owned_topic_ids int[],
	owned_partitions int[],
	owned_epochs int[],
	target_topic_ids int[],
	target_partitions int[],
	CONSTRAINT group_members_pkey PRIMARY KEY (group_id, state_number, ordinal)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.group_members IS
'Members of consumer groups: one row for each, or one that says that a group has none.';
COMMENT ON COLUMN topic.group_members.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.group_members.state_number IS 'Counts the changes of this group''s rows, which are all written anew.';
COMMENT ON COLUMN topic.group_members.ordinal IS 'The member''s place, from 1 on, in the order in which partitions are assigned; 0 if the group has no members.';
COMMENT ON COLUMN topic.group_members.member_count IS 'Number of members, that is of the group''s rows, or 0.';
COMMENT ON COLUMN topic.group_members.group_epoch IS 'Counts the assignments that the group was given.';
COMMENT ON COLUMN topic.group_members.member_id IS 'The member.';
COMMENT ON COLUMN topic.group_members.instance_id IS 'Who the member is when it comes back; NULL: a dynamic member.';
COMMENT ON COLUMN topic.group_members.fenced_member_id IS 'The member of the same instance_id whose place this one took.';
COMMENT ON COLUMN topic.group_members.topics IS 'Topics to which the member subscribes.';
COMMENT ON COLUMN topic.group_members.assignor IS 'How partitions are assigned in the group: uniform or range.';
COMMENT ON COLUMN topic.group_members.offset_reset IS 'Where the member begins in a partition with no committed offset: earliest, latest or none.';
COMMENT ON COLUMN topic.group_members.session_timeout IS 'For how long the member may be silent.';
COMMENT ON COLUMN topic.group_members.auto_commit_interval IS 'How often its polls commit what earlier ones returned; NULL: they do not.';
COMMENT ON COLUMN topic.group_members.joined_at IS 'When it joined.';
COMMENT ON COLUMN topic.group_members.left_at IS 'When it left; a static member keeps its place for session_timeout.';
COMMENT ON COLUMN topic.group_members.owned_topic_ids IS 'Topics of the partitions that the member owns.';
COMMENT ON COLUMN topic.group_members.owned_partitions IS 'These partitions.';
COMMENT ON COLUMN topic.group_members.owned_epochs IS 'And the group_epoch in which it got each.';
COMMENT ON COLUMN topic.group_members.target_topic_ids IS 'Topics of the partitions that it shall own.';
COMMENT ON COLUMN topic.group_members.target_partitions IS 'These partitions.';

CREATE TABLE topic.member_heartbeats (
	group_id text COLLATE "C" NOT NULL,
	member_id text COLLATE "C" NOT NULL,
	heartbeat_number bigint NOT NULL,
	heartbeat_at timestamptz NOT NULL,
	acknowledged_epoch int NOT NULL,
	auto_committed_at timestamptz NOT NULL,
	CONSTRAINT member_heartbeats_pkey PRIMARY KEY (group_id, member_id, heartbeat_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.member_heartbeats IS
'Signs of life of members: one row for each.';
COMMENT ON COLUMN topic.member_heartbeats.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.member_heartbeats.member_id IS 'The member.';
COMMENT ON COLUMN topic.member_heartbeats.heartbeat_number IS 'Grows with each heartbeat.';
COMMENT ON COLUMN topic.member_heartbeats.heartbeat_at IS 'When the member was last heard of, to a tenth of its session_timeout.';
COMMENT ON COLUMN topic.member_heartbeats.acknowledged_epoch IS 'The last group_epoch that the member is known to go by.';
COMMENT ON COLUMN topic.member_heartbeats.auto_committed_at IS 'When a poll last committed what earlier ones had returned.';

CREATE TABLE topic.member_positions (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition int NOT NULL,
	position_number bigint NOT NULL,
	position bigint NOT NULL,
	assigned_epoch int NOT NULL,
	CONSTRAINT member_positions_pkey PRIMARY KEY (group_id, topic, partition, position_number)
) WITH (
	autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_threshold = 1000
);
COMMENT ON TABLE topic.member_positions IS
'How far members have polled: one row per group, topic and partition.';
COMMENT ON COLUMN topic.member_positions.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.member_positions.topic IS 'The topic.';
COMMENT ON COLUMN topic.member_positions.partition IS 'The partition.';
COMMENT ON COLUMN topic.member_positions.position_number IS 'Counts the polls of this group, topic and partition.';
COMMENT ON COLUMN topic.member_positions.position IS 'Offset of the next record to poll.';
COMMENT ON COLUMN topic.member_positions.assigned_epoch IS 'The group_epoch in which the member who polled got the partition; whoever gets it in another one begins at the committed offset.';

CREATE FUNCTION topic.join_group(
	group_id text, topics text[], member_id text DEFAULT NULL,
	instance_id text DEFAULT NULL, session_timeout interval DEFAULT '45 s',
	assignor text DEFAULT 'uniform', auto_commit_interval interval DEFAULT NULL,
	offset_reset text DEFAULT 'earliest')
RETURNS TABLE (member_id text, member_epoch int, topic text, partition int)
AS 'MODULE_PATHNAME', 'topic_join_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.join_group(text, text[], text, text, interval, text, interval, text) IS
'Join a consumer group as a member that polls topics; returns the partitions that it owns so far. Waits for others who are joining or leaving. Needs SELECT on the topics, and the group.';

CREATE FUNCTION topic.heartbeat(
	group_id text, member_id text, member_epoch int DEFAULT NULL)
RETURNS TABLE (member_epoch int, topic text, partition int, revoked boolean)
AS 'MODULE_PATHNAME', 'topic_heartbeat'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.heartbeat(text, text, int) IS
'Say that a member is alive, and learn what it owns. With the group''s current epoch as member_epoch it gives up what is revoked, otherwise nothing. Error TP003 if the group has no such member. Needs the group.';

CREATE FUNCTION topic.leave_group(group_id text, member_id text)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_leave_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.leave_group(text, text) IS
'Leave a consumer group: others get the member''s partitions, at once or, if it has an instance_id and does not come back, after its session_timeout. Error TP003 if the group has no such member. Needs the group.';
