-- What is produced is what is read: nulls, empty strings, sizes, formats.
SELECT topic.create_topic('text');
SELECT topic.create_topic('json', value_format => 'json');
SELECT topic.create_topic('bytes', value_format => 'bytes');

-- A null key or value is not an empty one.
SELECT topic.produce('text', v, k) FROM (VALUES ('v', 'k'), ('v', ''), ('v', NULL),
	('', 'k'), ('', ''), ('', NULL), (NULL, 'k'), (NULL, ''), (NULL, NULL)) t(v, k);
SELECT record_offset, key, key IS NULL AS key_null, value, value IS NULL AS value_null
	FROM topic.fetch_text('text');
SELECT record_offset, key, value FROM topic.fetch('text');
SELECT topic.produce('bytes', '\x'::bytea, '\x'::bytea), topic.produce('bytes', NULL::bytea, '\x00'::bytea);
SELECT record_offset, key, value, headers FROM topics.bytes;
SELECT topic.produce('json', NULL, 'tombstone'), topic.produce('json', 'null', 'json null');
SELECT key, value, value IS NULL AS value_null FROM topics.json;

-- A json topic takes JSON, from whatever type, that jsonb can hold.
SELECT topic.produce('json', '{"a": [1, 2.50, true, null, "\u0041"]}');
SELECT topic.produce('json', ' "a string" '::json);
SELECT topic.produce('json', '{"jsonb": 1}'::jsonb);
SELECT topic.produce('json', '{"bytea": 1}'::bytea);
SELECT topic.produce('json', '1e3');
SELECT topic.produce('json', '');
SELECT topic.produce('json', 'no json');
SELECT topic.produce('json', '{"a": 1} x');
SELECT topic.produce('json', '{"a": "\u0000"}'::json);
SELECT topic.produce('json', '{"a": 1e131072}'::json);
SELECT topic.produce('json', '\xff'::bytea);
SELECT topic.produce('json', '{}', '\xff'::bytea);
SELECT * FROM topic.produce_batch('json', ARRAY['1', 'two']);
SELECT record_offset, value FROM topics.json WHERE record_offset >= 2;
-- Text is stored as it is written, jsonb as it is shown.
SELECT record_offset, value FROM topic.fetch_text('json', from_offset => 2);

-- A text topic takes text.
SELECT topic.produce('text', '\xff'::bytea);
SELECT topic.produce('text', '\x00'::bytea);
SELECT topic.produce('text', 'v', '\xff'::bytea);
SELECT topic.produce('text', '\x74657874'::bytea, '\x6b6579'::bytea);
SELECT key, value FROM topics.text WHERE record_offset > 8;
-- A bytes topic takes anything.
SELECT topic.produce('bytes', 'text', 'key'), topic.produce('bytes', '{"json": 1}'::jsonb),
	topic.produce('bytes', '\x00ff00ff'::bytea, '\xdeadbeef'::bytea);
SELECT record_offset, key, value FROM topics.bytes WHERE record_offset > 1;

-- Every size around a page, alone in its batch and beside others.
SELECT topic.create_topic('sizes', value_format => 'bytes');
CREATE FUNCTION bytes_of(size int) RETURNS bytea LANGUAGE sql IMMUTABLE AS
	$$ SELECT decode(substr(repeat(md5(size::text), size / 16 + 1), 1, size * 2), 'hex') $$;
SELECT count(*), min(o) = 0 AND max(o) = 200 AS in_order
	FROM (SELECT topic.produce('sizes', bytes_of(size)) AS o FROM generate_series(8000, 8200) size) t;
SELECT count(*), bool_and(value = bytes_of((record_offset + 8000)::int)) AS intact
	FROM topics.sizes;
SELECT sum(record_count), min(base_offset) FROM topic.produce_batch('sizes',
	ARRAY(SELECT bytes_of(size) FROM generate_series(8000, 8200) size));
SELECT count(*), bool_and(value = bytes_of((record_offset + 8000 - 201)::int)) AS intact
	FROM topics.sizes WHERE record_offset >= 201;
SELECT sum(record_count), min(base_offset) FROM topic.produce_batch('sizes',
	ARRAY(SELECT bytes_of(size) FROM generate_series(0, 4200, 7) size));
SELECT count(*), bool_and(value = bytes_of(((record_offset - 402) * 7)::int)) AS intact
	FROM topics.sizes WHERE record_offset >= 402;
-- A row of small records fills its page.
SELECT topic.create_topic('small');
SELECT base_offset, record_count FROM topic.produce_batch('small',
	ARRAY(SELECT repeat('x', 100) FROM generate_series(1, 10000)));
SELECT format('segment_%s_0', topic_id) AS segment FROM topic.topics WHERE topic = 'small' \gset
SELECT max(octet_length(batch)) <= 8160 AS none_larger, avg(octet_length(batch)) > 7900 AS full
	FROM topic_log.:segment;

-- Values of megabytes, which do not compress, through TOAST
SELECT topic.produce('sizes', bytes_of(size)) FROM unnest(ARRAY[100000, 1000000, 1048576]) size;
SELECT record_offset, length(value), value = bytes_of(length(value)) AS intact
	FROM topics.sizes WHERE length(value) > 10000;
SELECT topic.alter_topic('sizes', max_record_bytes => 5000000);
SELECT topic.produce('sizes', bytes_of(5000000));
SELECT length(value), value = bytes_of(5000000) AS intact
	FROM topics.sizes WHERE record_offset = (SELECT high_watermark - 1 FROM topic.offsets('sizes'));

-- max_record_bytes counts key, value and headers, to the byte.
SELECT topic.create_topic('limited', max_record_bytes => 10);
SELECT topic.produce('limited', repeat('v', 10));
SELECT topic.produce('limited', repeat('v', 11));
SELECT topic.produce('limited', repeat('v', 5), repeat('k', 5));
SELECT topic.produce('limited', repeat('v', 5), repeat('k', 6));
SELECT topic.produce('limited', NULL, repeat('k', 11));
SELECT topic.produce('limited', 'vv', 'kk', '{"hh": "ww"}');
SELECT topic.produce('limited', 'vv', 'kk', '{"hh": "www"}');
SELECT topic.produce('limited', 'v', 'k', '[["hh", "w"], ["h", null]]');
SELECT topic.produce('limited', 'v', 'k', '[["hh", "w"], ["hh", null]]');
SELECT * FROM topic.produce_batch('limited', ARRAY['short', repeat('v', 11)]);
SELECT record_offset, key, value FROM topics.limited;
SELECT * FROM topic.offsets('limited');

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
DROP FUNCTION bytes_of(int);
