-- Every way to write a call of produce that must resolve to an overload.
-- After each group of calls, what was stored.
SET TimeZone = 'UTC';
SELECT topic.create_topic('calls');
CREATE FUNCTION stored_since(from_offset bigint)
RETURNS TABLE (record_offset bigint, key text, value text, headers jsonb)
LANGUAGE sql AS $$
	SELECT record_offset, key, value, headers
	FROM topic.fetch_text('calls', from_offset => stored_since.from_offset)
$$;

-- String literals and NULL
SELECT topic.produce('calls', 'value');
SELECT topic.produce('calls', 'value', 'key');
SELECT topic.produce('calls', 'value', NULL);
SELECT topic.produce('calls', NULL);
SELECT topic.produce('calls', NULL, 'key');
SELECT topic.produce('calls', NULL, NULL);
SELECT topic.produce('calls', NULL, NULL, NULL, NULL, NULL);
SELECT topic.produce('calls', 'value', 'key', '{"h": 1}');
SELECT topic.produce('calls', 'value', 'key', '{"h": 1}', 0);
SELECT topic.produce('calls', 'value', 'key', '{"h": 1}', 0, '2024-01-02');
SELECT * FROM stored_since(0);

-- By name, in any order, with any left out
SELECT topic.produce(topic => 'calls', value => 'value');
SELECT topic.produce(value => 'value', topic => 'calls');
SELECT topic.produce('calls', value => 'value', key => 'key');
SELECT topic.produce('calls', 'value', key => 'key');
SELECT topic.produce('calls', 'value', partition => 0);
SELECT topic.produce('calls', 'value', headers => '[["h", null]]');
SELECT topic.produce('calls', 'value', record_timestamp => '2024-01-02');
SELECT topic.produce('calls', 'value', record_timestamp => '2024-01-02',
	partition => 0, headers => NULL, key => NULL);
SELECT topic.produce('calls', 'value', key => 7, partition => 0);
SELECT topic.produce('calls', value => NULL, key => 'tombstone');
SELECT * FROM stored_since(10);

-- Types of the value
SELECT topic.produce('calls', 'text'::text);
SELECT topic.produce('calls', 'varchar'::varchar(20));
SELECT topic.produce('calls', 'char'::char(6));
SELECT topic.produce('calls', 'name'::name);
SELECT topic.produce('calls', 'a' || 'b');
SELECT topic.produce('calls', 1::text);
SELECT topic.produce('calls', '{"json":  1, "json": 2}'::json);
SELECT topic.produce('calls', '{"jsonb":  1, "jsonb": 2}'::jsonb);
SELECT topic.produce('calls', jsonb_build_object('a', 1) || '{"b": 2}');
SELECT topic.produce('calls', '{"a": {"b": 1}}'::jsonb->'a');
SELECT topic.produce('calls', '{"a": {"b": 1}}'::jsonb->>'a');
SELECT topic.produce('calls', json_build_array(1, 2));
SELECT topic.produce('calls', to_jsonb(now() > '2000-01-01'));
SELECT topic.produce('calls', 'bytea'::bytea);
SELECT topic.produce('calls', NULL::jsonb), topic.produce('calls', NULL::bytea),
	topic.produce('calls', NULL::json), topic.produce('calls', NULL::text);
SELECT topic.produce('calls', row_to_json(x)) FROM (VALUES (1, 'one'), (2, NULL)) x(id, name);
SELECT topic.produce('calls', to_jsonb(x), key => x.id) FROM (VALUES (1, 'one')) x(id, name);
SELECT * FROM stored_since(20);

-- Types of the key
SELECT topic.produce('calls', 'text', 'k'::text);
SELECT topic.produce('calls', 'varchar', 'k'::varchar);
SELECT topic.produce('calls', 'smallint', 1::smallint);
SELECT topic.produce('calls', 'int', 2);
SELECT topic.produce('calls', 'bigint', 9223372036854775807);
SELECT topic.produce('calls', 'negative', -9223372036854775808);
SELECT topic.produce('calls', 'uuid', '0190163d-8694-739b-aea5-966c26f8ad91'::uuid);
SELECT topic.produce('calls', 'bytea', '\x6b'::bytea);
SELECT topic.produce('calls', '{}'::jsonb, key)
	FROM (VALUES ('text'::text)) v(key);
SELECT topic.produce('calls', '{}'::jsonb, 3), topic.produce('calls', '{}'::json, 4),
	topic.produce('calls', '\x78'::bytea, 5);
SELECT topic.produce('calls', '{}'::jsonb, key => '0190163d-8694-739b-aea5-966c26f8ad92'::uuid),
	topic.produce('calls', '{}'::json, key => '0190163d-8694-739b-aea5-966c26f8ad93'::uuid),
	topic.produce('calls', '\x78'::bytea, key => '0190163d-8694-739b-aea5-966c26f8ad94'::uuid);
SELECT topic.produce('calls', '{}'::jsonb, key => '\x6b'::bytea),
	topic.produce('calls', '{}'::json, key => '\x6b'::bytea),
	topic.produce('calls', '\x78'::bytea, key => '\x6b'::bytea),
	topic.produce('calls', '\x78'::bytea, key => 'k'::text),
	topic.produce('calls', '\x78'::bytea, key => 'k');
SELECT * FROM stored_since(41);
-- A type that no overload takes is refused, and can be cast.
SELECT topic.produce('calls', 'v', 1.5);
SELECT topic.produce('calls', 'v', 1.5::text);
SELECT topic.produce('calls', 1);
SELECT topic.produce('calls', 'v', current_date);

-- From a trigger
CREATE TABLE orders (id bigint PRIMARY KEY, number int, small smallint, ref uuid,
	code varchar(10), customer text);
CREATE FUNCTION produce_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		PERFORM topic.produce('calls', NULL, key => OLD.id);
		RETURN OLD;
	END IF;
	PERFORM topic.produce('calls', to_jsonb(NEW), key => NEW.id);
	PERFORM topic.produce('calls', row_to_json(NEW), key => NEW.number);
	PERFORM topic.produce('calls', NEW.customer, key => NEW.small);
	PERFORM topic.produce('calls', NEW.code, key => NEW.ref);
	PERFORM topic.produce('calls', NEW::text, key => NEW.code,
		headers => jsonb_build_object('op', TG_OP, 'table', TG_TABLE_NAME));
	RETURN NEW;
END
$$;
CREATE TRIGGER produce_order BEFORE INSERT OR UPDATE OR DELETE ON orders
	FOR EACH ROW EXECUTE FUNCTION produce_order();
INSERT INTO orders VALUES (1, 2, 3, '0190163d-8694-739b-aea5-966c26f8ad91', 'code', 'Ann');
DELETE FROM orders;
SELECT * FROM stored_since(62);

-- Through PREPARE, with parameters of types given or left to be found out
PREPARE untyped AS SELECT topic.produce($1, $2, $3);
EXECUTE untyped('calls', 'untyped', 'k');
EXECUTE untyped('calls', NULL, NULL);
PREPARE untyped_one AS SELECT topic.produce('calls', $1);
EXECUTE untyped_one('untyped_one');
PREPARE untyped_named AS SELECT topic.produce('calls', $1, key => $2, headers => $3,
	partition => $4, record_timestamp => $5);
EXECUTE untyped_named('untyped_named', 'k', '{"h": "v"}', 0, '2024-01-02');
PREPARE typed(text, jsonb, bigint) AS SELECT topic.produce($1, $2, key => $3);
EXECUTE typed('calls', '{"typed": true}', 8);
PREPARE typed_bytes(bytea, bytea) AS SELECT topic.produce('calls', $1, $2);
EXECUTE typed_bytes('typed_bytes', '\x6b');
PREPARE typed_uuid(json, uuid) AS SELECT topic.produce('calls', $1, $2);
EXECUTE typed_uuid('"typed_uuid"', '0190163d-8694-739b-aea5-966c26f8ad91');
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
SELECT * FROM stored_since(68);
DEALLOCATE ALL;

-- In an INSERT's RETURNING, as a default, and once per row
CREATE TABLE numbers (n int, at_offset bigint DEFAULT topic.produce('calls', 'from a default'));
INSERT INTO numbers (n) VALUES (1) RETURNING n, at_offset, topic.produce('calls', 'returning ' || n, n);
SELECT topic.produce('calls', 'row ' || i, i) FROM generate_series(1, 3) i;
SELECT * FROM stored_since(75);

-- produce_batch and partition_for_key resolve likewise.
SELECT * FROM topic.produce_batch('calls', '{a,b}'::text[]);
SELECT * FROM topic.produce_batch('calls', ARRAY['a', 'b']);
SELECT * FROM topic.produce_batch('calls', ARRAY['a', 'b'], ARRAY['k', NULL]);
SELECT * FROM topic.produce_batch('calls', ARRAY['a', 'b']::varchar[], keys => '{k1,k2}');
SELECT * FROM topic.produce_batch('calls', ARRAY[jsonb '1', '"b"'], ARRAY['k', NULL]);
SELECT * FROM topic.produce_batch('calls', ARRAY['a', 'b']::bytea[], ARRAY['k', NULL]::bytea[]);
SELECT * FROM topic.produce_batch('calls', ARRAY(SELECT 'v' || i FROM generate_series(1, 2) i),
	ARRAY(SELECT i::text FROM generate_series(1, 2) i));
PREPARE batch AS SELECT * FROM topic.produce_batch($1, $2::text[], $3);
EXECUTE batch('calls', '{p,q}', '{k,l}');
PREPARE bytes_batch(text, bytea[]) AS SELECT * FROM topic.produce_batch($1, $2, keys => $3);
EXECUTE bytes_batch('calls', '{"\\x78"}', '{"\\x6b"}');
DEALLOCATE ALL;
SELECT * FROM stored_since(80);
SELECT topic.partition_for_key('calls', 'k'), topic.partition_for_key('calls', 1),
	topic.partition_for_key('calls', 1::smallint), topic.partition_for_key('calls', '\x6b'::bytea),
	topic.partition_for_key('calls', '0190163d-8694-739b-aea5-966c26f8ad91'::uuid),
	topic.partition_for_key('calls', NULL);

SELECT topic.drop_topic('calls');
DROP TABLE numbers, orders;
DROP FUNCTION stored_since(bigint), produce_order();
