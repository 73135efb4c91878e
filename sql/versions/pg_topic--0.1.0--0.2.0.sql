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

-- consume and poll in FROM are scans, too.
CREATE FUNCTION topic.consume_support(request internal) RETURNS internal
AS 'MODULE_PATHNAME', 'topic_consume_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION topic.consume_support(internal) IS
'What the planner asks about topic.consume() and topic.poll().';
ALTER FUNCTION topic.consume(text, text, int, int[], int, boolean, text)
	SUPPORT topic.consume_support;
ALTER FUNCTION topic.consume_text(text, text, int, int[], int, boolean, text)
	SUPPORT topic.consume_support;
ALTER FUNCTION topic.consume_json(text, text, int, int[], int, boolean, text)
	SUPPORT topic.consume_support;
ALTER FUNCTION topic.poll(text, text, int, boolean) SUPPORT topic.consume_support;
ALTER FUNCTION topic.poll_text(text, text, int, boolean) SUPPORT topic.consume_support;
ALTER FUNCTION topic.poll_json(text, text, int, boolean) SUPPORT topic.consume_support;

-- The locks of claims go by 64 bits.  topic.lag uses the key, and somebody's view
-- may use topic.lag: so it is replaced, and by one without the key first.
CREATE OR REPLACE VIEW topic.lag WITH (security_barrier) AS
SELECT NULL::pg_catalog.text COLLATE "C" AS group_id,
	NULL::pg_catalog.text COLLATE "C" AS topic,
	NULL::pg_catalog.int4 AS partition,
	NULL::pg_catalog.int8 AS committed_offset,
	NULL::pg_catalog.int8 AS last_stable_offset,
	NULL::pg_catalog.int8 AS high_watermark,
	NULL::pg_catalog.int8 AS lag,
	NULL::pg_catalog.interval AS time_lag,
	NULL::pg_catalog.int4 AS open_producer_pid,
	NULL::pg_catalog.int4 AS claimed_by_pid,
	NULL::pg_catalog.timestamptz AS committed_at;
DROP FUNCTION topic.claim_key(text, text);
CREATE FUNCTION topic.claim_key(group_id text, topic text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'topic_claim_key_bigint'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION topic.claim_key(text, text) IS
'The number under which pg_locks shows the claims of a group on a topic: its upper half as database, its lower half as objid (classid: topic.consumer_offsets, objsubid: the partition).';

-- It looks for open producers once a topic, not once a partition.
CREATE OR REPLACE VIEW topic.lag WITH (security_barrier) AS
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

-- Who consumes what.
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
GRANT SELECT ON topic.claims TO PUBLIC;
