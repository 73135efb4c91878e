-- Whose rights a capture needs: of the table's owner, who may produce to the
-- topic; of nobody else.
BEGIN;
SELECT no_plan();
SET client_min_messages = warning;

CREATE ROLE regress_topic_super SUPERUSER;
CREATE ROLE regress_topic_owner;
CREATE ROLE regress_topic_member IN ROLE regress_topic_owner;
CREATE ROLE regress_topic_trigger;
CREATE ROLE regress_topic_user;
CREATE ROLE regress_topic_writer;
CREATE ROLE regress_topic_nobody;
CREATE TEMP TABLE roles AS SELECT unnest(ARRAY['super', 'owner', 'member', 'trigger', 'user', 'writer', 'nobody']) AS name;
CREATE SCHEMA shop;
GRANT CREATE, USAGE ON SCHEMA shop TO PUBLIC;

-- The table's owner may produce to 'mine', not to 'others'; writer may to both.
SELECT topic.create_topic(t) FROM unnest(ARRAY['mine', 'others']) t;
SELECT topic.create_topic('compacted', cleanup_policy => 'compact');
GRANT INSERT ON topics.mine, topics.compacted TO regress_topic_owner;
GRANT INSERT ON topics.mine, topics.others TO regress_topic_writer;
SET ROLE regress_topic_owner;
CREATE TABLE shop.item (id int PRIMARY KEY, n int);
CREATE TABLE shop.part (id int PRIMARY KEY) PARTITION BY LIST (id);
GRANT ALL ON shop.item TO regress_topic_trigger;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON shop.item, shop.part TO regress_topic_user, regress_topic_writer;
RESET ROLE;

CREATE FUNCTION outcome(role text, command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE regress_topic_%s', role);
	EXECUTE command;
	RAISE SQLSTATE 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'ok';
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END
$$;

-- Who may capture and release.
SELECT is(outcome(name, 'SELECT topic.capture_table(''shop.item'', ''mine'', snapshot => true)'),
		CASE WHEN name IN ('super', 'owner', 'member') THEN 'ok' ELSE '42501' END, name || ': capture_table')
	FROM roles;
SELECT is(outcome(name, 'SELECT topic.capture_table(''shop.item'', ''others'')'), '42501', name || ': capture_table into others')
	FROM roles;
SELECT is(outcome('nobody', 'SELECT topic.capture_table(''shop.item'', ''missing'', ''{none}'')'), '42501', 'the table comes first');
SELECT is(outcome(name, format(command, 'mine')),
		CASE WHEN name IN ('super', 'owner', 'member') THEN 'ok' ELSE '42501' END, name || ': ' || command)
	FROM roles, unnest(ARRAY[
		'CREATE TRIGGER capture AFTER INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION topic.capture_change(%L, ''row'')',
		'CREATE OR REPLACE TRIGGER capture AFTER INSERT ON shop.item EXECUTE FUNCTION topic.capture_change(%L, ''row'')',
		'CREATE TRIGGER capture AFTER INSERT ON shop.item EXECUTE FUNCTION topic.capture_change()']) command;
SET ROLE regress_topic_owner;
SELECT topic.capture_table('shop.item', 'mine');
SELECT topic.capture_table('shop.part', 'mine');
SELECT topic.capture_table('shop.item', 'compacted', payload => 'row');
RESET ROLE;
SELECT is(outcome(name, 'SELECT topic.release_table(''shop.item'')'),
		CASE WHEN name IN ('super', 'owner', 'member') THEN 'ok' ELSE '42501' END, name || ': release_table')
	FROM roles;
SELECT is(outcome(name, 'TABLE topic.captured_tables'), 'ok', name || ': captured_tables') FROM roles;
-- A trigger that the owner made can be replaced with what TRIGGER allows, but
-- not with another that captures.
SELECT is(outcome('trigger', format('CREATE OR REPLACE TRIGGER %I AFTER INSERT ON shop.item FOR EACH ROW EXECUTE FUNCTION topic.capture_change(''mine'', ''row'')', tgname)),
		'42501', 'TRIGGER is not enough to replace ' || tgname)
	FROM pg_trigger WHERE tgrelid = 'shop.item'::regclass;
-- So does the owner of a partition's table.
SELECT is(outcome('owner', 'CREATE TABLE shop.part_1 PARTITION OF shop.part FOR VALUES IN (1)'), 'ok', 'new partition');

-- Who changes the table needs no more than that takes.
SELECT is(outcome(name, command),
		CASE WHEN name = 'nobody' THEN '42501' ELSE 'ok' END, name || ': ' || command)
	FROM roles, unnest(ARRAY[
		'INSERT INTO shop.item VALUES (1)',
		'INSERT INTO shop.item VALUES (1); UPDATE shop.item SET n = 5',
		'INSERT INTO shop.item VALUES (1); DELETE FROM shop.item',
		'INSERT INTO shop.item VALUES (1); TRUNCATE shop.item']) command;
SELECT is(outcome('user', 'SELECT topic.produce(''mine'', ''value'')'), '42501', 'and gets no right to produce');
SELECT is(outcome('user', 'INSERT INTO shop.item VALUES (1); SELECT topic.produce(''mine'', ''value'')'), '42501', 'afterwards, either');
-- Without USAGE on the schemas, too.
REVOKE USAGE ON SCHEMA topic, topics FROM PUBLIC;
SELECT is(outcome('user', 'INSERT INTO shop.item VALUES (1)'), 'ok', 'no USAGE');
-- Whoever creates a trigger of another kind does not notice ours.
CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
SELECT is(outcome('owner', 'CREATE TRIGGER nothing AFTER INSERT ON shop.item EXECUTE FUNCTION shop.nothing()'), 'ok', 'no USAGE: another trigger');
GRANT USAGE ON SCHEMA topic, topics TO PUBLIC;
-- Rows are captured whatever policies show the user.
ALTER TABLE shop.item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.item FOR INSERT WITH CHECK (true);
SELECT is(outcome('user', 'INSERT INTO shop.item VALUES (1)'), 'ok', 'row-level security');
ALTER TABLE shop.item NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

-- The owner's right is asked for at each statement; nobody else's helps.
REVOKE INSERT ON topics.mine FROM regress_topic_owner;
SELECT is(outcome(name, 'INSERT INTO shop.item VALUES (1)'), '42501', name || ': the owner may not produce any more')
	FROM roles;
SELECT throws_like('INSERT INTO shop.item VALUES (1)', 'permission denied for topic "mine"', 'the error');
SELECT is(outcome('owner', 'SELECT topic.release_table(''shop.item'', ''mine''); INSERT INTO shop.item VALUES (1)'), 'ok', 'released');
GRANT INSERT ON topics.mine TO regress_topic_owner;
-- So it is the new owner's if there is one.
ALTER TABLE shop.item OWNER TO regress_topic_nobody;
SELECT is(outcome('user', 'INSERT INTO shop.item VALUES (1)'), '42501', 'the new owner may not produce');
GRANT INSERT ON topics.mine, topics.compacted TO regress_topic_nobody;
SELECT is(outcome('user', 'INSERT INTO shop.item VALUES (1)'), 'ok', 'the new owner may');

-- Values become text with the rights of who changes the table.
CREATE TYPE shop.thing AS ENUM ('any');
CREATE FUNCTION shop.thing_json(shop.thing) RETURNS json LANGUAGE sql AS $$
	SELECT to_json(set_config('regress_topic.user', current_user, true)) $$;
CREATE CAST (shop.thing AS json) WITH FUNCTION shop.thing_json(shop.thing);
SET ROLE regress_topic_owner;
CREATE TABLE shop.things (id int PRIMARY KEY, thing shop.thing);
GRANT INSERT ON shop.things TO regress_topic_user;
SELECT topic.capture_table('shop.things', 'mine');
SET ROLE regress_topic_user;
INSERT INTO shop.things VALUES (1, 'any');
RESET ROLE;
SELECT is(current_setting('regress_topic.user'), 'regress_topic_user', 'who casts to json');

SELECT finish();
ROLLBACK;
