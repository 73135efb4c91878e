-- Capture: topics that follow tables.

-- Anybody may use it in a trigger: so that owners of captured tables can create
-- partitions, and restore a dump. Who may create such a trigger is for the event
-- trigger to say.
CREATE FUNCTION topic.capture_change()
RETURNS trigger
AS 'MODULE_PATHNAME', 'topic_capture_change'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.capture_change() IS
'Trigger function of captured tables: sends a row''s change to a topic, with the rights of the table''s owner. topic.capture_table() creates the triggers.';

CREATE FUNCTION topic.on_create_trigger()
RETURNS event_trigger
AS 'MODULE_PATHNAME', 'topic_on_create_trigger'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.on_create_trigger() IS
'Has triggers that capture created by owners of tables only, and depend on their topics.';
REVOKE EXECUTE ON FUNCTION topic.on_create_trigger() FROM PUBLIC;

CREATE EVENT TRIGGER pg_topic_on_create_trigger ON ddl_command_end
	WHEN TAG IN ('CREATE TRIGGER', 'CREATE SCHEMA')
	EXECUTE FUNCTION topic.on_create_trigger();
COMMENT ON EVENT TRIGGER pg_topic_on_create_trigger IS
'Only a table''s owner has its changes captured; a topic that a table is captured into is not dropped.';

CREATE FUNCTION topic.capture_table(
	table_name regclass,
	topic text,
	key text[] DEFAULT NULL,
	events text[] DEFAULT '{insert,update,delete,truncate}',
	payload text DEFAULT 'debezium',
	snapshot boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_capture_table'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.capture_table(regclass, text, text[], text[], text, boolean) IS
'From now on, send a record of each change of a table to a topic, at commit. key: columns, the primary key by default. payload: debezium (before, after, op, source, ts_ms), or row (the new row; a tombstone for a deleted one). snapshot: first send the rows that are there. Owner of the table only, who needs INSERT on the topic.';

CREATE FUNCTION topic.release_table(table_name regclass, topic text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_release_table'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.release_table(regclass, text) IS
'End what topic.capture_table() began, for one topic or all. Owner of the table only.';

CREATE VIEW topic.captured_tables AS
SELECT t.table_name,
	t.arguments[1] AS topic,
	(SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.position)
		FROM pg_catalog.pg_trigger g
		CROSS JOIN LATERAL pg_catalog.unnest(g.tgattr::pg_catalog.int2[]) WITH ORDINALITY k (number, position)
		JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) g.tgrelid
			AND a.attnum OPERATOR(pg_catalog.=) k.number
		WHERE g.oid OPERATOR(pg_catalog.=) ANY (t.triggers)) AS key,
	(SELECT pg_catalog.array_agg(e.event ORDER BY e.position)
		FROM (VALUES (1, 4, 'insert'), (2, 16, 'update'), (3, 8, 'delete'), (4, 32, 'truncate')) e (position, bit, event)
		WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger g
			WHERE g.oid OPERATOR(pg_catalog.=) ANY (t.triggers)
			AND g.tgqual IS NULL
			AND (g.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) e.bit) OPERATOR(pg_catalog.<>) 0)) AS events,
	t.arguments[2] AS payload,
	t.enabled
FROM (
	SELECT g.tgrelid::regclass AS table_name,
		pg_catalog.string_to_array(pg_catalog.encode(g.tgargs, 'escape'), '\000') AS arguments,
		pg_catalog.array_agg(g.oid) AS triggers,
		pg_catalog.bool_and(g.tgenabled OPERATOR(pg_catalog.<>) 'D') AS enabled
	FROM pg_catalog.pg_trigger g
	WHERE g.tgfoid OPERATOR(pg_catalog.=) 'topic.capture_change()'::regprocedure
	AND g.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
	GROUP BY 1, 2) t;
GRANT SELECT ON topic.captured_tables TO PUBLIC;
COMMENT ON VIEW topic.captured_tables IS
'The tables whose changes are captured, as their triggers say.';
COMMENT ON COLUMN topic.captured_tables.table_name IS 'The table; its partitions are captured with it.';
COMMENT ON COLUMN topic.captured_tables.topic IS 'The topic that its changes are sent to.';
COMMENT ON COLUMN topic.captured_tables.key IS 'The columns that are the records'' key.';
COMMENT ON COLUMN topic.captured_tables.events IS 'Which of insert, update, delete and truncate are captured.';
COMMENT ON COLUMN topic.captured_tables.payload IS 'What a record''s value is: debezium or row.';
COMMENT ON COLUMN topic.captured_tables.enabled IS 'False if one of the triggers is disabled.';
