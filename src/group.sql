-- Consumer groups: who owns them and who may use them.

CREATE TABLE topic.groups (
	group_id text COLLATE "C" NOT NULL,
	owner regrole NOT NULL,
	grantees regrole[] NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT groups_pkey PRIMARY KEY (group_id)
);
SELECT pg_catalog.pg_extension_config_dump('topic.groups', '');

COMMENT ON TABLE topic.groups IS 'Consumer groups.';
COMMENT ON COLUMN topic.groups.group_id IS 'The group''s name: 1 to 255 bytes.';
COMMENT ON COLUMN topic.groups.owner IS 'Who created the group or used it first; members of that role may use, grant and delete it.';
COMMENT ON COLUMN topic.groups.grantees IS 'Other roles whose members may use it.';
COMMENT ON COLUMN topic.groups.created_at IS 'When the group was created or first used.';

CREATE FUNCTION topic.create_group(group_id text, if_not_exists boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_create_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.create_group(text, boolean) IS
'Create a consumer group, owned by the caller. A group also comes into being when it is first used.';

CREATE FUNCTION topic.grant_group(group_id text, role regrole)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_grant_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.grant_group(text, regrole) IS
'Let a role and its members use a group: consume, commit, reset and delete its offsets. Owner only.';

CREATE FUNCTION topic.revoke_group(group_id text, role regrole)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_revoke_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.revoke_group(text, regrole) IS
'Take back what topic.grant_group() gave. Owner only.';

CREATE FUNCTION topic.delete_group(group_id text)
RETURNS void
AS 'MODULE_PATHNAME', 'topic_delete_group'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION topic.delete_group(text) IS
'Delete a group with its committed offsets, idempotency keys and counts of attempts. Owner only. Error 55P03 if another transaction is using it.';
