-- The foreign-data wrapper behind the relations topics.<topic>.

CREATE FUNCTION topic.fdw_handler()
RETURNS pg_catalog.fdw_handler
AS 'MODULE_PATHNAME', 'topic_fdw_handler'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.fdw_handler() IS
'Handler of foreign-data wrapper pg_topic.';
REVOKE EXECUTE ON FUNCTION topic.fdw_handler() FROM PUBLIC;

CREATE FUNCTION topic.fdw_validator(options text[], catalog oid)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_fdw_validator'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.fdw_validator(text[], oid) IS
'Validator of foreign-data wrapper pg_topic: it has no options.';
REVOKE EXECUTE ON FUNCTION topic.fdw_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER pg_topic
	HANDLER topic.fdw_handler
	VALIDATOR topic.fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER pg_topic IS
'Shows the records of topics as relations topics.<topic>.';

CREATE SERVER pg_topic FOREIGN DATA WRAPPER pg_topic;
COMMENT ON SERVER pg_topic IS 'The topics of this database.';
-- Whoever creates a topic creates its relation, as himself.
GRANT USAGE ON FOREIGN SERVER pg_topic TO PUBLIC;
