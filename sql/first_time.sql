-- first_time: the idempotent consumer.
CREATE ROLE regress_topic_stranger;

SELECT topic.first_time('g', 'a'), topic.first_time('g', 'b');
SELECT topic.first_time('g', 'a'), topic.first_time('g', 'b'), topic.first_time('g', 'c');
-- Keys are a group's own; the group is the caller's from then on.
SELECT topic.first_time('h', 'a');
SELECT group_id, owner::text = current_user AS own FROM topic.group_info ORDER BY group_id;
-- Once in a statement, too
SELECT k, topic.first_time('g', k) FROM unnest(ARRAY['d', 'd', 'e', 'd']) k;
INSERT INTO topic.idempotency_keys VALUES ('g', 'by hand', 'infinity');
SELECT topic.first_time('g', 'by hand', '1 second');
-- What it remembers goes with the transaction and with savepoints.
BEGIN;
SELECT topic.first_time('g', 'f');
SELECT topic.first_time('g', 'f');
ROLLBACK;
BEGIN;
SELECT topic.first_time('g', 'f');
SAVEPOINT s;
SELECT topic.first_time('g', 'f'), topic.first_time('g', 'h');
ROLLBACK TO s;
SELECT topic.first_time('g', 'f'), topic.first_time('g', 'h');
COMMIT;
SELECT topic.first_time('g', 'f'), topic.first_time('g', 'h');

-- How long
SELECT topic.first_time('g', 'default');
SELECT topic.first_time('g', 'long', '100 years');
SELECT idempotency_key, expires_at > now() + interval '6 days' AND expires_at < now() + interval '8 days' AS a_week,
		expires_at > now() + interval '99 years' AS long
	FROM topic.idempotency_keys WHERE idempotency_key IN ('default', 'long') ORDER BY 1;
-- What has expired is new, once.
UPDATE topic.idempotency_keys SET expires_at = now() - interval '1 second' WHERE idempotency_key = 'default';
SELECT topic.first_time('g', 'default'), topic.first_time('g', 'default');
BEGIN;
UPDATE topic.idempotency_keys SET expires_at = now() WHERE idempotency_key = 'default';
SELECT topic.first_time('g', 'default');
ROLLBACK;
SELECT topic.first_time('g', 'default');

-- A condition beside it that is false spares the call.
SELECT k FROM unnest(ARRAY['p', 'q']) k WHERE topic.first_time('g', k) AND k = 'p';
SELECT topic.first_time('g', 'p'), topic.first_time('g', 'q');
-- It is not called once for equal arguments.
SELECT f FROM (VALUES ('r'), ('r')) v(k) CROSS JOIN LATERAL topic.first_time('g', k) f;
-- Any text is a key, up to 1024 bytes.
SELECT topic.first_time('g', 'payments/0/17'), topic.first_time('g', 'PAYMENTS/0/17'), topic.first_time('g', ' ');
SELECT topic.first_time(repeat('g', 255), string_agg(md5(i::text), '')) FROM generate_series(1, 32) i;
SELECT topic.first_time('g', repeat('x', 1025));
SELECT topic.first_time('g', '');
SELECT topic.first_time('g', NULL);
SELECT topic.first_time(NULL, 'k');
SELECT topic.first_time('', 'k');
SELECT topic.first_time('g', 'k', NULL);
SELECT topic.first_time('g', 'k', '0');
SELECT topic.first_time('g', 'k', '-1 day');
SELECT topic.first_time('g', 'k', '300000 years');
SELECT topic.first_time('g', 'k');
BEGIN READ ONLY;
SELECT topic.first_time('g', 'k');
ROLLBACK;
SET ROLE regress_topic_stranger;
SELECT topic.first_time('g', 'a');
TABLE topic.idempotency_keys;
RESET ROLE;
SELECT topic.grant_group('g', 'regress_topic_stranger');
SET ROLE regress_topic_stranger;
SELECT topic.first_time('g', 'a'), topic.first_time('g', 's');
RESET ROLE;
-- The plan is kept, and survives what changes the table.
ALTER TABLE topic.idempotency_keys ADD COLUMN note text DEFAULT 'x';
SELECT topic.first_time('g', 'a'), topic.first_time('g', 'u');
ALTER TABLE topic.idempotency_keys DROP COLUMN note;
SELECT topic.first_time('g', 'a'), topic.first_time('g', 'v');

SELECT count(topic.delete_group(group_id)) FROM topic.groups;
SELECT count(*) FROM topic.idempotency_keys;
DROP ROLE regress_topic_stranger;
