-- Consumer groups and their owners.

CREATE TABLE topic.groups (
	group_id text COLLATE "C" NOT NULL,
	owner regrole NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT groups_pkey PRIMARY KEY (group_id)
);
SELECT pg_catalog.pg_extension_config_dump('topic.groups', '');

COMMENT ON TABLE topic.groups IS 'Consumer groups.';
COMMENT ON COLUMN topic.groups.group_id IS 'The group''s name: 1 to 255 bytes.';
COMMENT ON COLUMN topic.groups.owner IS 'Who used the group first. Only the owner and members of that role may use it.';
COMMENT ON COLUMN topic.groups.created_at IS 'When the group was first used.';
