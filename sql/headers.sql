-- Record headers: every form that produce takes, and the way back.
SELECT topic.create_topic('headers');

-- An object, or an array of pairs, which keeps order and repeated keys
SELECT topic.produce('headers', 'object', headers => '{"b": "1", "a": "2"}');
SELECT topic.produce('headers', 'pairs', headers => '[["b", "1"], ["a", "2"]]');
SELECT topic.produce('headers', 'repeated', headers => '[["k", "1"], ["k", "2"], ["k", "1"]]');
-- Values: strings, null, numbers, booleans, bytes
SELECT topic.produce('headers', 'values', headers =>
	'{"string": "s", "empty": "", "null": null, "int": 1, "float": 1.50, "true": true, "false": false}');
SELECT topic.produce('headers', 'hex', headers => '[["h", {"hex": "00ff"}], ["none", {"hex": ""}], ["text", {"hex": "6869"}]]');
SELECT topic.produce('headers', 'empty key', headers => '{"": "v"}');
-- No headers, in three ways
SELECT topic.produce('headers', 'none'), topic.produce('headers', 'null', headers => NULL),
	topic.produce('headers', 'empty', headers => '{}'), topic.produce('headers', 'empty', headers => '[]');
SELECT value, headers FROM topics.headers;
SELECT convert_from(value, 'UTF8') AS value, headers FROM topic.fetch('headers');

-- As rows
SELECT h.* FROM topic.fetch('headers', from_offset => 2, to_offset => 4) f, unnest(f.headers) h;
SELECT f.value, h->>0 AS key, h->>1 AS header FROM topic.fetch_text('headers', 0, 2, 4) f,
	jsonb_array_elements(headers) h;

-- What fetch and consume return can be produced again, unchanged.
SELECT topic.create_topic('copy');
SELECT count(topic.produce('copy', value, key, headers)) FROM topic.fetch('headers');
SELECT count(*) FROM (
	SELECT record_offset, value, headers FROM topic.fetch('headers')
	EXCEPT SELECT record_offset, value, headers FROM topic.fetch('copy')) d;
SELECT count(topic.produce('copy', value, key, headers)) FROM topic.fetch_text('headers');
SELECT count(topic.produce('copy', value, headers => headers))
	FROM topic.consume('g', 'headers', commit => true);
SELECT count(*) FROM (
	SELECT record_offset % 10, value, headers FROM topic.fetch('copy')
	EXCEPT SELECT record_offset, value, headers FROM topic.fetch('headers')) d;
SELECT base_offset, record_count FROM topic.produce_batch('copy',
	ARRAY(SELECT value FROM topic.fetch('headers')),
	headers => ARRAY(SELECT headers::jsonb FROM topic.fetch('headers')));
SELECT count(*), count(headers) FROM topic.fetch('copy');

-- topic.header[] made by hand
SELECT ARRAY[('a', '\x31'), ('b', NULL), ('c', '\xff'), ('', '\x')]::topic.header[]::jsonb;
SELECT topic.produce('copy', 'v', headers => ARRAY[('a', '\x31'), ('c', '\xff')]::topic.header[]);
SELECT headers FROM topic.fetch('copy', from_offset => 40);
SELECT '{}'::topic.header[]::jsonb;
SELECT ARRAY[(NULL, '\x31')]::topic.header[]::jsonb;
SELECT ARRAY[NULL]::topic.header[]::jsonb;
SELECT NULL::topic.header[]::jsonb;

-- Many, and large ones
SELECT topic.produce('copy', 'many', headers =>
	(SELECT jsonb_agg(jsonb_build_array('h' || i, i)) FROM generate_series(1, 10000) i));
SELECT jsonb_array_length(headers), headers->9999 FROM topic.fetch_text('copy', from_offset => 41);
SELECT topic.produce('copy', 'large', headers => jsonb_build_object('h', repeat('x', 1000000)));
SELECT length(headers->0->>1) FROM topic.fetch_text('copy', from_offset => 42);

-- What headers cannot be
SELECT topic.produce('headers', 'v', headers => '"string"');
SELECT topic.produce('headers', 'v', headers => '1');
SELECT topic.produce('headers', 'v', headers => 'null');
SELECT topic.produce('headers', 'v', headers => '[1]');
SELECT topic.produce('headers', 'v', headers => '["key", "value"]');
SELECT topic.produce('headers', 'v', headers => '[["key"]]');
SELECT topic.produce('headers', 'v', headers => '[["key", "value", "more"]]');
SELECT topic.produce('headers', 'v', headers => '[[]]');
SELECT topic.produce('headers', 'v', headers => '[{"key": "value"}]');
SELECT topic.produce('headers', 'v', headers => '[[1, "value"]]');
SELECT topic.produce('headers', 'v', headers => '[[null, "value"]]');
SELECT topic.produce('headers', 'v', headers => '[[["k"], "value"]]');
SELECT topic.produce('headers', 'v', headers => '{"key": ["value"]}');
SELECT topic.produce('headers', 'v', headers => '{"key": []}');
SELECT topic.produce('headers', 'v', headers => '{"key": {}}');
SELECT topic.produce('headers', 'v', headers => '{"key": {"a": "b"}}');
SELECT topic.produce('headers', 'v', headers => '{"key": {"hex": "00", "a": "b"}}');
SELECT topic.produce('headers', 'v', headers => '{"key": {"hex": 0}}');
SELECT topic.produce('headers', 'v', headers => '{"key": {"hex": "0"}}');
SELECT topic.produce('headers', 'v', headers => '{"key": {"hex": "zz"}}');
SELECT topic.produce('headers', 'v', headers => '{"key": "a value", "bad": []}');
SELECT * FROM topic.produce_batch('headers', ARRAY['a', 'b'], headers => ARRAY[jsonb '{}', '1']);
-- None of these stored anything.
SELECT high_watermark FROM topic.offsets('headers');

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
