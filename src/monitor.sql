-- Monitoring.
--
-- Views show topics that the caller may SELECT from. Groups are shown to those
-- who may use them and to members of pg_monitor.

CREATE FUNCTION topic.offsets(topic text)
RETURNS TABLE (partition int, log_start_offset bigint, last_stable_offset bigint,
	high_watermark bigint)
AS 'MODULE_PATHNAME', 'topic_offsets'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION topic.offsets(text) IS
'Where each partition of a topic stands now: its first offset, the next offset that consumers can reach, and 1 + the last committed record''s offset. Needs SELECT on the topic.';

CREATE FUNCTION topic.partition_sizes(topic text)
RETURNS TABLE (partition int, records bigint, batch_bytes bigint, raw_bytes bigint,
	oldest_timestamp timestamptz, newest_timestamp timestamptz)
AS 'MODULE_PATHNAME', 'topic_partition_sizes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION topic.partition_sizes(text) IS
'What each partition of a topic holds. Reads the segments that maintenance has not counted yet, such as the active one. Needs SELECT on the topic.';

CREATE FUNCTION topic.disk_bytes(topic text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_disk_bytes'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.disk_bytes(text) IS
'Bytes that a topic''s segments take on disk, indexes and TOAST included; but for those that somebody is about to drop or change. Needs SELECT on the topic.';

CREATE FUNCTION topic.time_for_offset(topic text, partition int, record_offset bigint)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'topic_time_for_offset'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.time_for_offset(text, int, bigint) IS
'The timestamp of the first committed record at or after an offset, also one that an open transaction holds back; NULL if there is none, or, with a warning, if the log is damaged there. Needs SELECT on the topic.';

CREATE FUNCTION topic.open_transactions(topic text)
RETURNS TABLE (partition int, transaction xid, first_offset bigint)
AS 'MODULE_PATHNAME', 'topic_open_transactions'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.open_transactions(text) IS
'Open transactions that have produced to a topic, and the first offset of each in each partition. Needs SELECT on the topic.';

CREATE FUNCTION topic.claim_key(group_id text, topic text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_claim_key_bigint'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.claim_key(text, text) IS
'The number under which pg_locks shows the claims of a group on a topic: its upper half as database, its lower half as objid (classid: topic.consumer_offsets, objsubid: the partition).';

CREATE VIEW topic.open_producers WITH (security_barrier) AS
SELECT t.topic,
	o.partition,
	l.pid,
	p.gid AS prepared_transaction,
	COALESCE(a.xact_start, p.prepared) AS since,
	o.first_offset
FROM topic.topics t
CROSS JOIN LATERAL topic.open_transactions(t.topic) o
LEFT JOIN pg_catalog.pg_locks l
	ON l.locktype OPERATOR(pg_catalog.=) 'transactionid'
	AND l.transactionid OPERATOR(pg_catalog.=) o.transaction
	AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
	AND l.granted
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) o.transaction
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.open_producers IS
'Open transactions that have produced and hold back the last stable offset of a partition.';
COMMENT ON COLUMN topic.open_producers.topic IS 'The topic.';
COMMENT ON COLUMN topic.open_producers.partition IS 'The partition.';
COMMENT ON COLUMN topic.open_producers.pid IS 'The process to look at in pg_stat_activity; NULL for a prepared transaction.';
COMMENT ON COLUMN topic.open_producers.prepared_transaction IS 'Name of the prepared transaction, if it is one.';
COMMENT ON COLUMN topic.open_producers.since IS 'When the transaction began, or was prepared.';
COMMENT ON COLUMN topic.open_producers.first_offset IS 'The first offset that it holds back.';

CREATE VIEW topic.partition_stats WITH (security_barrier) AS
SELECT t.topic,
	o.partition,
	s.records,
	s.batch_bytes,
	s.raw_bytes,
	pg_catalog.round(s.raw_bytes::pg_catalog.numeric
		OPERATOR(pg_catalog./) NULLIF(s.batch_bytes, 0), 2) AS compression_ratio,
	s.oldest_timestamp,
	s.newest_timestamp,
	o.log_start_offset,
	o.last_stable_offset,
	o.high_watermark
FROM topic.topics t
CROSS JOIN LATERAL topic.partition_sizes(t.topic) s
JOIN LATERAL topic.offsets(t.topic) o ON o.partition OPERATOR(pg_catalog.=) s.partition
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.partition_stats IS
'What each partition of each topic holds, and its offsets.';
COMMENT ON COLUMN topic.partition_stats.topic IS 'The topic.';
COMMENT ON COLUMN topic.partition_stats.partition IS 'The partition.';
COMMENT ON COLUMN topic.partition_stats.records IS 'Number of committed records, those included that delete_records has deleted and whose segment is still there.';
COMMENT ON COLUMN topic.partition_stats.batch_bytes IS 'Bytes of the record batches as stored.';
COMMENT ON COLUMN topic.partition_stats.raw_bytes IS 'Bytes of the record batches before compression.';
COMMENT ON COLUMN topic.partition_stats.compression_ratio IS 'raw_bytes / batch_bytes.';
COMMENT ON COLUMN topic.partition_stats.oldest_timestamp IS 'Timestamp of the first record.';
COMMENT ON COLUMN topic.partition_stats.newest_timestamp IS 'The greatest timestamp of a record.';
COMMENT ON COLUMN topic.partition_stats.log_start_offset IS 'The first offset of the log.';
COMMENT ON COLUMN topic.partition_stats.last_stable_offset IS 'Offset up to which consumers can read now.';
COMMENT ON COLUMN topic.partition_stats.high_watermark IS '1 + the last committed record''s offset.';

CREATE VIEW topic.topic_stats WITH (security_barrier) AS
SELECT t.topic,
	pg_catalog.pg_get_userbyid(c.relowner) AS owner,
	t.partitions,
	p.records,
	s.segments,
	topic.disk_bytes(t.topic) AS total_bytes,
	p.batch_bytes,
	p.raw_bytes,
	pg_catalog.round(p.raw_bytes::pg_catalog.numeric
		OPERATOR(pg_catalog./) NULLIF(p.batch_bytes, 0), 2) AS compression_ratio,
	p.oldest_timestamp,
	p.newest_timestamp,
	p.log_start_offset,
	p.last_stable_offset,
	p.high_watermark,
	t.created_at
FROM topic.topics t
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relation
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) AS segments
	FROM topic.segments s
	WHERE s.topic_id OPERATOR(pg_catalog.=) t.topic_id) s
CROSS JOIN LATERAL (
	SELECT pg_catalog.sum(p.records)::pg_catalog.int8 AS records,
		pg_catalog.sum(p.batch_bytes)::pg_catalog.int8 AS batch_bytes,
		pg_catalog.sum(p.raw_bytes)::pg_catalog.int8 AS raw_bytes,
		pg_catalog.min(p.oldest_timestamp) AS oldest_timestamp,
		pg_catalog.max(p.newest_timestamp) AS newest_timestamp,
		pg_catalog.sum(p.log_start_offset)::pg_catalog.int8 AS log_start_offset,
		pg_catalog.sum(p.last_stable_offset)::pg_catalog.int8 AS last_stable_offset,
		pg_catalog.sum(p.high_watermark)::pg_catalog.int8 AS high_watermark
	FROM topic.partition_stats p
	WHERE p.topic OPERATOR(pg_catalog.=) t.topic) p
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.topic_stats IS
'Each topic''s size and, over all its partitions, what it holds and its offsets.';
COMMENT ON COLUMN topic.topic_stats.topic IS 'The topic.';
COMMENT ON COLUMN topic.topic_stats.owner IS 'Its owner.';
COMMENT ON COLUMN topic.topic_stats.partitions IS 'Number of partitions.';
COMMENT ON COLUMN topic.topic_stats.records IS 'Number of records; see partition_stats.';
COMMENT ON COLUMN topic.topic_stats.segments IS 'Number of segments, those included that are only waiting to be dropped.';
COMMENT ON COLUMN topic.topic_stats.total_bytes IS 'Bytes of all segments on disk, indexes and TOAST included.';
COMMENT ON COLUMN topic.topic_stats.batch_bytes IS 'Bytes of the record batches as stored.';
COMMENT ON COLUMN topic.topic_stats.raw_bytes IS 'Bytes of the record batches before compression.';
COMMENT ON COLUMN topic.topic_stats.compression_ratio IS 'raw_bytes / batch_bytes.';
COMMENT ON COLUMN topic.topic_stats.oldest_timestamp IS 'The least of the timestamps of the partitions'' first records.';
COMMENT ON COLUMN topic.topic_stats.newest_timestamp IS 'The greatest timestamp of a record.';
COMMENT ON COLUMN topic.topic_stats.log_start_offset IS 'Sum of the log start offsets.';
COMMENT ON COLUMN topic.topic_stats.last_stable_offset IS 'Sum of the last stable offsets.';
COMMENT ON COLUMN topic.topic_stats.high_watermark IS 'Sum of the high watermarks.';
COMMENT ON COLUMN topic.topic_stats.created_at IS 'When the topic was created.';

CREATE VIEW topic.lag WITH (security_barrier) AS
SELECT s.group_id,
	t.topic,
	o.partition,
	c.committed_offset,
	o.last_stable_offset,
	o.high_watermark,
	o.high_watermark OPERATOR(pg_catalog.-)
		GREATEST(c.committed_offset, o.log_start_offset) AS lag,
	CASE WHEN o.high_watermark OPERATOR(pg_catalog.<=)
			GREATEST(c.committed_offset, o.log_start_offset)
			OR u.age OPERATOR(pg_catalog.<) '0'::pg_catalog.interval
		THEN '0'::pg_catalog.interval
		ELSE u.age END AS time_lag,
	o.open_producer_pid,
	l.pid AS claimed_by_pid,
	c.committed_at
FROM (SELECT group_id, topic FROM topic.consumer_offsets
	UNION
	SELECT m.group_id, t COLLATE "C" FROM topic.group_members m, pg_catalog.unnest(m.topics) t) s
-- Nobody owns a group yet whose first user's transaction is still open.
LEFT JOIN topic.groups g ON g.group_id OPERATOR(pg_catalog.=) s.group_id
JOIN topic.topics t ON t.topic OPERATOR(pg_catalog.=) s.topic
CROSS JOIN LATERAL (
	SELECT o.*, p.pid AS open_producer_pid
	FROM topic.offsets(t.topic) o
	-- Once for all partitions: it looks at each.
	LEFT JOIN (
		SELECT DISTINCT ON (partition) partition, pid
		FROM topic.open_producers p
		WHERE p.topic OPERATOR(pg_catalog.=) t.topic
		ORDER BY partition, first_offset) p ON p.partition OPERATOR(pg_catalog.=) o.partition) o
LEFT JOIN topic.consumer_offsets c
	ON c.group_id OPERATOR(pg_catalog.=) s.group_id
	AND c.topic OPERATOR(pg_catalog.=) s.topic
	AND c.partition OPERATOR(pg_catalog.=) o.partition
LEFT JOIN LATERAL (
	SELECT pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
		topic.time_for_offset(t.topic, o.partition,
			GREATEST(c.committed_offset, o.log_start_offset)) AS age
	WHERE o.high_watermark OPERATOR(pg_catalog.>)
		GREATEST(c.committed_offset, o.log_start_offset)) u ON true
LEFT JOIN pg_catalog.pg_locks l
	ON l.locktype OPERATOR(pg_catalog.=) 'object'
	AND l.classid OPERATOR(pg_catalog.=) 'topic.consumer_offsets'::pg_catalog.regclass
	AND (l.database::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)
		OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8
		OPERATOR(pg_catalog.=) topic.claim_key(s.group_id, s.topic)
	AND l.objsubid OPERATOR(pg_catalog.=) o.partition::pg_catalog.int2
	AND l.granted
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT')
AND (pg_catalog.pg_has_role('pg_monitor', 'USAGE')
	OR EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.array_append(g.grantees, g.owner)) r
		WHERE pg_catalog.pg_has_role(r, 'USAGE')));
COMMENT ON VIEW topic.lag IS
'How far each group is behind in each partition of the topics it has committed offsets for, or its members subscribe to.';
COMMENT ON COLUMN topic.lag.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.lag.topic IS 'The topic.';
COMMENT ON COLUMN topic.lag.partition IS 'The partition.';
COMMENT ON COLUMN topic.lag.committed_offset IS 'Offset of the next record to read; NULL: never committed.';
COMMENT ON COLUMN topic.lag.last_stable_offset IS 'Offset up to which consumers can read now.';
COMMENT ON COLUMN topic.lag.high_watermark IS '1 + the last committed record''s offset.';
COMMENT ON COLUMN topic.lag.lag IS 'Offsets between committed_offset and high_watermark.';
COMMENT ON COLUMN topic.lag.time_lag IS 'Age of the first record in between, by its timestamp; 0: there is none; NULL: not known.';
COMMENT ON COLUMN topic.lag.open_producer_pid IS 'The process whose open transaction holds back last_stable_offset.';
COMMENT ON COLUMN topic.lag.claimed_by_pid IS 'The process that is consuming the partition for the group.';
COMMENT ON COLUMN topic.lag.committed_at IS 'When committed_offset was committed.';

CREATE VIEW topic.group_info WITH (security_barrier) AS
SELECT g.group_id,
	g.owner,
	g.grantees,
	g.created_at,
	COALESCE(c.topics, '{}') AS topics,
	c.last_commit,
	(SELECT pg_catalog.count(*) FROM topic.group_members m
	 WHERE m.group_id OPERATOR(pg_catalog.=) g.group_id
	 AND m.member_count OPERATOR(pg_catalog.>) 0) AS members
FROM topic.groups g
LEFT JOIN (
	SELECT group_id, pg_catalog.array_agg(DISTINCT topic) AS topics,
		pg_catalog.max(committed_at) AS last_commit
	FROM topic.consumer_offsets GROUP BY group_id) c
	ON c.group_id OPERATOR(pg_catalog.=) g.group_id
WHERE pg_catalog.pg_has_role('pg_monitor', 'USAGE')
OR EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.array_append(g.grantees, g.owner)) r
	WHERE pg_catalog.pg_has_role(r, 'USAGE'));
COMMENT ON VIEW topic.group_info IS 'Consumer groups.';
COMMENT ON COLUMN topic.group_info.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.group_info.owner IS 'The role whose members may use, grant and delete it.';
COMMENT ON COLUMN topic.group_info.grantees IS 'Other roles whose members may use it.';
COMMENT ON COLUMN topic.group_info.created_at IS 'When the group was created or first used.';
COMMENT ON COLUMN topic.group_info.topics IS 'Topics in which the group has committed offsets.';
COMMENT ON COLUMN topic.group_info.last_commit IS 'When the group last committed an offset.';
COMMENT ON COLUMN topic.group_info.members IS 'How many members it has.';

CREATE VIEW topic.claims WITH (security_barrier) AS
SELECT c.group_id,
	c.topic,
	l.objsubid::pg_catalog.int4 AS partition,
	l.pid,
	p.gid AS prepared_transaction,
	COALESCE(a.xact_start, p.prepared) AS since
FROM pg_catalog.pg_locks l
LEFT JOIN (
	SELECT g.group_id, t.topic, topic.claim_key(g.group_id, t.topic) AS key
	FROM topic.group_info g
	CROSS JOIN topic.topics t
	WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT')) c
	ON c.key OPERATOR(pg_catalog.=)
		((l.database::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32)
		OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
-- A prepared transaction has no process, but a lock on its own number.
LEFT JOIN pg_catalog.pg_locks x
	ON x.virtualtransaction OPERATOR(pg_catalog.=) l.virtualtransaction
	AND x.locktype OPERATOR(pg_catalog.=) 'transactionid'
	AND x.pid IS NULL
	AND l.pid IS NULL
LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) x.transactionid
WHERE l.locktype OPERATOR(pg_catalog.=) 'object'
AND l.classid OPERATOR(pg_catalog.=) 'topic.consumer_offsets'::pg_catalog.regclass
AND l.granted
-- Another database may have a table of the same number.
AND COALESCE(a.datname, p.database) OPERATOR(pg_catalog.=) pg_catalog.current_database()
AND (c.group_id IS NOT NULL OR pg_catalog.pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON VIEW topic.claims IS
'Partitions that open transactions consume, poll or commit for a group.';
COMMENT ON COLUMN topic.claims.group_id IS 'The consumer group; NULL: one that is not there until the transaction is committed, or that the caller may not see.';
COMMENT ON COLUMN topic.claims.topic IS 'The topic; NULL if group_id is.';
COMMENT ON COLUMN topic.claims.partition IS 'The partition.';
COMMENT ON COLUMN topic.claims.pid IS 'The process to look at in pg_stat_activity; NULL for a prepared transaction.';
COMMENT ON COLUMN topic.claims.prepared_transaction IS 'Name of the prepared transaction, if it is one.';
COMMENT ON COLUMN topic.claims.since IS 'When the transaction began, or was prepared.';

CREATE VIEW topic.members WITH (security_barrier) AS
SELECT m.group_id,
	m.member_id,
	m.instance_id,
	m.topics,
	m.assignor,
	m.session_timeout,
	m.auto_commit_interval,
	m.joined_at,
	m.left_at,
	h.heartbeat_at,
	m.group_epoch,
	h.acknowledged_epoch,
	pg_catalog.cardinality(m.owned_partitions) AS partitions,
	pg_catalog.cardinality(m.target_partitions) AS target_partitions
FROM topic.group_members m
JOIN topic.group_info g ON g.group_id OPERATOR(pg_catalog.=) m.group_id
LEFT JOIN topic.member_heartbeats h
	ON h.group_id OPERATOR(pg_catalog.=) m.group_id
	AND h.member_id OPERATOR(pg_catalog.=) m.member_id
WHERE m.member_count OPERATOR(pg_catalog.>) 0;
COMMENT ON VIEW topic.members IS
'Members of consumer groups. One whose session has timed out is shown until another member calls.';
COMMENT ON COLUMN topic.members.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.members.member_id IS 'The member.';
COMMENT ON COLUMN topic.members.instance_id IS 'Who it is when it comes back; NULL: a dynamic member.';
COMMENT ON COLUMN topic.members.topics IS 'Topics to which it subscribes.';
COMMENT ON COLUMN topic.members.assignor IS 'How partitions are assigned in the group.';
COMMENT ON COLUMN topic.members.session_timeout IS 'For how long it may be silent.';
COMMENT ON COLUMN topic.members.auto_commit_interval IS 'How often its polls commit what earlier ones returned; NULL: they do not.';
COMMENT ON COLUMN topic.members.joined_at IS 'When it joined.';
COMMENT ON COLUMN topic.members.left_at IS 'When it left; a static member keeps its place for session_timeout.';
COMMENT ON COLUMN topic.members.heartbeat_at IS 'When it was last heard of, to a tenth of session_timeout.';
COMMENT ON COLUMN topic.members.group_epoch IS 'The group''s epoch.';
COMMENT ON COLUMN topic.members.acknowledged_epoch IS 'The last epoch that it is known to go by.';
COMMENT ON COLUMN topic.members.partitions IS 'Number of partitions that it owns.';
COMMENT ON COLUMN topic.members.target_partitions IS 'Number of partitions that it shall own.';

CREATE VIEW topic.assignments WITH (security_barrier) AS
SELECT g.group_id,
	t.topic,
	s.partition,
	o.member_id,
	o.assigned_epoch,
	s.member_id AS target_member_id,
	p.position
FROM (
	SELECT m.group_id, m.member_id, s.topic_id, s.partition
	FROM topic.group_members m
	CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(m.target_topic_ids),
		pg_catalog.unnest(m.target_partitions)) s(topic_id, partition)) s
JOIN topic.group_info g ON g.group_id OPERATOR(pg_catalog.=) s.group_id
JOIN topic.topics t ON t.topic_id OPERATOR(pg_catalog.=) s.topic_id
LEFT JOIN (
	SELECT m.group_id, m.member_id, o.topic_id, o.partition, o.assigned_epoch
	FROM topic.group_members m
	CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(m.owned_topic_ids),
		pg_catalog.unnest(m.owned_partitions), pg_catalog.unnest(m.owned_epochs))
		o(topic_id, partition, assigned_epoch)) o
	ON o.group_id OPERATOR(pg_catalog.=) s.group_id
	AND o.topic_id OPERATOR(pg_catalog.=) s.topic_id
	AND o.partition OPERATOR(pg_catalog.=) s.partition
LEFT JOIN topic.member_positions p
	ON p.group_id OPERATOR(pg_catalog.=) s.group_id
	AND p.topic OPERATOR(pg_catalog.=) t.topic
	AND p.partition OPERATOR(pg_catalog.=) s.partition
	AND p.assigned_epoch OPERATOR(pg_catalog.=) o.assigned_epoch;
COMMENT ON VIEW topic.assignments IS
'Partitions of the topics that members of groups subscribe to, and whose they are.';
COMMENT ON COLUMN topic.assignments.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.assignments.topic IS 'The topic.';
COMMENT ON COLUMN topic.assignments.partition IS 'The partition.';
COMMENT ON COLUMN topic.assignments.member_id IS 'The member that owns it; NULL: nobody yet.';
COMMENT ON COLUMN topic.assignments.assigned_epoch IS 'The group''s epoch in which it got it.';
COMMENT ON COLUMN topic.assignments.target_member_id IS 'The member that shall own it; another one than member_id: it is revoked.';
COMMENT ON COLUMN topic.assignments.position IS 'Offset of the next record that the owner polls; NULL: it goes on at the committed offset.';

CREATE VIEW topic.maintenance WITH (security_barrier) AS
SELECT t.topic,
	m.last_step,
	m.last_step_at,
	COALESCE(m.rolled, 0) AS rolled,
	COALESCE(m.settled, 0) AS settled,
	COALESCE(m.frozen, 0) AS frozen,
	COALESCE(m.retired, 0) AS retired,
	COALESCE(m.compacted, 0) AS compacted,
	COALESCE(m.merged, 0) AS merged,
	COALESCE(m.dropped, 0) AS dropped,
	COALESCE(m.bytes_dropped, 0) AS bytes_dropped,
	COALESCE(m.bytes_rewritten, 0) AS bytes_rewritten,
	COALESCE(m.records_removed, 0) AS records_removed,
	m.last_error,
	m.last_error_at,
	COALESCE(d.due, '{}') AS due,
	COALESCE(d.held_up, '{}') AS held_up,
	COALESCE(d.held_up_by, '{}') AS held_up_by
FROM topic.topics t
LEFT JOIN topic.maintenance_totals m ON m.topic_id OPERATOR(pg_catalog.=) t.topic_id
CROSS JOIN LATERAL (
	SELECT pg_catalog.array_agg(DISTINCT d.step) AS due,
		pg_catalog.array_agg(DISTINCT d.step) FILTER (WHERE b.pid IS NOT NULL
			OR d.waits_for_xid IS NOT NULL) AS held_up,
		pg_catalog.array_agg(DISTINCT b.pid) FILTER (WHERE b.pid IS NOT NULL) AS held_up_by
	FROM topic.maintenance_due(t.topic) d
	LEFT JOIN LATERAL (
		SELECT pg_catalog.unnest(d.blocked_by) AS pid
		UNION ALL
		-- A transaction with an xid counts, also while it has no snapshot.
		SELECT a.pid
		FROM pg_catalog.pg_stat_activity a
		WHERE GREATEST(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))
			OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)
		AND COALESCE(a.datname, pg_catalog.current_database())
			OPERATOR(pg_catalog.=) pg_catalog.current_database()
		AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
		UNION ALL
		SELECT 0
		FROM pg_catalog.pg_prepared_xacts p
		WHERE pg_catalog.age(p.transaction) OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)
		AND p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
		UNION ALL
		SELECT COALESCE(r.active_pid, 0)
		FROM pg_catalog.pg_replication_slots r
		WHERE pg_catalog.age(r.xmin) OPERATOR(pg_catalog.>=) pg_catalog.age(d.waits_for_xid)) b ON true) d
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.maintenance IS
'What maintenance has done for each topic, what it has to do, and what holds it up.';
COMMENT ON COLUMN topic.maintenance.topic IS 'The topic.';
COMMENT ON COLUMN topic.maintenance.last_step IS 'What was done last.';
COMMENT ON COLUMN topic.maintenance.last_step_at IS 'When that was.';
COMMENT ON COLUMN topic.maintenance.rolled IS 'Segments rolled.';
COMMENT ON COLUMN topic.maintenance.settled IS 'Sealed segments counted after their last producer had ended.';
COMMENT ON COLUMN topic.maintenance.frozen IS 'Segments frozen.';
COMMENT ON COLUMN topic.maintenance.retired IS 'Segments taken out of the log by retention.';
COMMENT ON COLUMN topic.maintenance.compacted IS 'Compactions.';
COMMENT ON COLUMN topic.maintenance.merged IS 'Rewrites that merged small batches.';
COMMENT ON COLUMN topic.maintenance.dropped IS 'Segments dropped.';
COMMENT ON COLUMN topic.maintenance.bytes_dropped IS 'Bytes on disk that dropped segments gave back.';
COMMENT ON COLUMN topic.maintenance.bytes_rewritten IS 'Bytes on disk of the segments that compaction and merging wrote.';
COMMENT ON COLUMN topic.maintenance.records_removed IS 'Records that compaction and merging removed, those that delete_records had deleted included.';
COMMENT ON COLUMN topic.maintenance.last_error IS 'The last error.';
COMMENT ON COLUMN topic.maintenance.last_error_at IS 'When that was.';
COMMENT ON COLUMN topic.maintenance.due IS 'Steps that the next run has to do.';
COMMENT ON COLUMN topic.maintenance.held_up IS 'Those of them that wait for somebody''s lock or snapshot.';
COMMENT ON COLUMN topic.maintenance.held_up_by IS 'Processes to look at in pg_stat_activity: whose locks and snapshots these are; 0: a prepared transaction, or a replication slot that is not in use.';

GRANT SELECT ON topic.open_producers, topic.claims, topic.partition_stats, topic.topic_stats, topic.lag,
	topic.group_info, topic.members, topic.assignments, topic.maintenance TO PUBLIC;
