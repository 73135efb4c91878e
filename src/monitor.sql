-- Monitoring.
--
-- Views show topics that the caller may SELECT from. Groups are shown to their
-- owners and to members of pg_monitor.

CREATE FUNCTION topic.offsets(topic text)
RETURNS TABLE (partition int, log_start_offset bigint, last_stable_offset bigint,
	high_watermark bigint)
AS 'MODULE_PATHNAME', 'topic_offsets'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION topic.offsets(text) IS
'Where each partition of a topic stands now: its first offset, the next offset that consumers can reach, and 1 + the last committed record''s offset. Needs SELECT on the topic.';

CREATE FUNCTION topic.open_transactions(topic text)
RETURNS TABLE (partition int, transaction xid, first_offset bigint)
AS 'MODULE_PATHNAME', 'topic_open_transactions'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION topic.open_transactions(text) IS
'Open transactions that have produced to a topic, and the first offset of each in each partition. Needs SELECT on the topic.';

CREATE FUNCTION topic.claim_key(group_id text, topic text)
RETURNS oid
AS 'MODULE_PATHNAME', 'topic_claim_key'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.claim_key(text, text) IS
'The objid under which pg_locks shows the claims of a group on a topic (classid: topic.consumer_offsets, objsubid: the partition).';

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

CREATE VIEW topic.topic_stats WITH (security_barrier) AS
SELECT t.topic,
	pg_catalog.pg_get_userbyid(c.relowner) AS owner,
	t.partitions,
	s.segments,
	s.total_bytes,
	o.log_start_offset,
	o.last_stable_offset,
	o.high_watermark,
	t.created_at
FROM topic.topics t
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.relation
CROSS JOIN LATERAL (
	SELECT pg_catalog.count(*) AS segments,
		pg_catalog.sum(pg_catalog.pg_total_relation_size(r.oid))::bigint AS total_bytes
	FROM topic.segments s
	JOIN pg_catalog.pg_class r
		ON r.relname OPERATOR(pg_catalog.=)
			pg_catalog.format('segment_%s_%s', s.topic_id, s.segment)::pg_catalog.name
		AND r.relnamespace OPERATOR(pg_catalog.=) 'topic_log'::pg_catalog.regnamespace
	WHERE s.topic_id OPERATOR(pg_catalog.=) t.topic_id) s
CROSS JOIN LATERAL (
	SELECT pg_catalog.sum(o.log_start_offset)::bigint AS log_start_offset,
		pg_catalog.sum(o.last_stable_offset)::bigint AS last_stable_offset,
		pg_catalog.sum(o.high_watermark)::bigint AS high_watermark
	FROM topic.offsets(t.topic) o) o
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT');
COMMENT ON VIEW topic.topic_stats IS
'Each topic''s size and, summed over its partitions, its offsets.';
COMMENT ON COLUMN topic.topic_stats.topic IS 'The topic.';
COMMENT ON COLUMN topic.topic_stats.owner IS 'Its owner.';
COMMENT ON COLUMN topic.topic_stats.partitions IS 'Number of partitions.';
COMMENT ON COLUMN topic.topic_stats.segments IS 'Number of segments.';
COMMENT ON COLUMN topic.topic_stats.total_bytes IS 'Bytes on disk, indexes and TOAST included.';
COMMENT ON COLUMN topic.topic_stats.log_start_offset IS 'Sum of the log start offsets.';
COMMENT ON COLUMN topic.topic_stats.last_stable_offset IS 'Sum of the last stable offsets.';
COMMENT ON COLUMN topic.topic_stats.high_watermark IS 'Sum of the high watermarks: less log_start_offset, an upper bound of the number of records.';
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
	p.pid AS open_producer_pid,
	l.pid AS claimed_by_pid,
	c.committed_at
FROM (SELECT DISTINCT group_id, topic FROM topic.consumer_offsets) s
-- Nobody owns a group yet whose first user's transaction is still open.
LEFT JOIN topic.groups g ON g.group_id OPERATOR(pg_catalog.=) s.group_id
JOIN topic.topics t ON t.topic OPERATOR(pg_catalog.=) s.topic
CROSS JOIN LATERAL topic.offsets(t.topic) o
LEFT JOIN topic.consumer_offsets c
	ON c.group_id OPERATOR(pg_catalog.=) s.group_id
	AND c.topic OPERATOR(pg_catalog.=) s.topic
	AND c.partition OPERATOR(pg_catalog.=) o.partition
LEFT JOIN LATERAL (
	SELECT p.pid FROM topic.open_producers p
	WHERE p.topic OPERATOR(pg_catalog.=) t.topic
	AND p.partition OPERATOR(pg_catalog.=) o.partition
	ORDER BY p.first_offset LIMIT 1) p ON true
LEFT JOIN pg_catalog.pg_locks l
	ON l.locktype OPERATOR(pg_catalog.=) 'object'
	AND l.database OPERATOR(pg_catalog.=)
		(SELECT d.oid FROM pg_catalog.pg_database d
		 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	AND l.classid OPERATOR(pg_catalog.=) 'topic.consumer_offsets'::pg_catalog.regclass
	AND l.objid OPERATOR(pg_catalog.=) topic.claim_key(s.group_id, s.topic)
	AND l.objsubid OPERATOR(pg_catalog.=) o.partition::pg_catalog.int2
	AND l.granted
WHERE pg_catalog.has_table_privilege(t.relation, 'SELECT')
AND (pg_catalog.pg_has_role(g.owner, 'USAGE')
	OR pg_catalog.pg_has_role('pg_monitor', 'USAGE'));
COMMENT ON VIEW topic.lag IS
'How far each group is behind in each partition of the topics it has committed offsets for.';
COMMENT ON COLUMN topic.lag.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.lag.topic IS 'The topic.';
COMMENT ON COLUMN topic.lag.partition IS 'The partition.';
COMMENT ON COLUMN topic.lag.committed_offset IS 'Offset of the next record to read; NULL: never committed.';
COMMENT ON COLUMN topic.lag.last_stable_offset IS 'Offset up to which consumers can read now.';
COMMENT ON COLUMN topic.lag.high_watermark IS '1 + the last committed record''s offset.';
COMMENT ON COLUMN topic.lag.lag IS 'Offsets between committed_offset and high_watermark.';
COMMENT ON COLUMN topic.lag.open_producer_pid IS 'The process whose open transaction holds back last_stable_offset.';
COMMENT ON COLUMN topic.lag.claimed_by_pid IS 'The process that is consuming the partition for the group.';
COMMENT ON COLUMN topic.lag.committed_at IS 'When committed_offset was committed.';

CREATE VIEW topic.group_info WITH (security_barrier) AS
SELECT g.group_id,
	g.owner,
	g.created_at,
	COALESCE(c.topics, '{}') AS topics,
	c.last_commit
FROM topic.groups g
LEFT JOIN (
	SELECT group_id, pg_catalog.array_agg(DISTINCT topic) AS topics,
		pg_catalog.max(committed_at) AS last_commit
	FROM topic.consumer_offsets GROUP BY group_id) c
	ON c.group_id OPERATOR(pg_catalog.=) g.group_id
WHERE pg_catalog.pg_has_role(g.owner, 'USAGE')
OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
COMMENT ON VIEW topic.group_info IS 'Consumer groups.';
COMMENT ON COLUMN topic.group_info.group_id IS 'The consumer group.';
COMMENT ON COLUMN topic.group_info.owner IS 'The role that may use it.';
COMMENT ON COLUMN topic.group_info.created_at IS 'When the group was first used.';
COMMENT ON COLUMN topic.group_info.topics IS 'Topics in which the group has committed offsets.';
COMMENT ON COLUMN topic.group_info.last_commit IS 'When the group last committed an offset.';

GRANT SELECT ON topic.open_producers, topic.topic_stats, topic.lag, topic.group_info TO PUBLIC;
