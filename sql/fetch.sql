-- fetch, fetch_text, fetch_json: every argument and its bounds.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('f', 3);
-- Partitions 0 and 1 have ten records each, one a second; 2 has none. They
-- stand in several batches and segments.
SELECT base_offset, record_count FROM generate_series(0, 1) p, LATERAL topic.produce_batch('f',
	ARRAY(SELECT format('%s/%s', p, i) FROM generate_series(0, 3) i), partition => p,
	record_timestamps => ARRAY(SELECT timestamptz '2024-01-01' + i * interval '1 s' FROM generate_series(0, 3) i)) b;
SELECT topic.roll_segment('f');
SELECT topic.produce('f', format('%s/%s', p, i), partition => p,
		record_timestamp => timestamptz '2024-01-01' + i * interval '1 s')
	FROM generate_series(0, 1) p, generate_series(4, 5) i;
SELECT topic.roll_segment('f');
SELECT base_offset, record_count FROM generate_series(0, 1) p, LATERAL topic.produce_batch('f',
	ARRAY(SELECT format('%s/%s', p, i) FROM generate_series(6, 9) i), partition => p,
	record_timestamps => ARRAY(SELECT timestamptz '2024-01-01' + i * interval '1 s' FROM generate_series(6, 9) i)) b;

-- What a call returns, in one line
CREATE FUNCTION got(partition int DEFAULT NULL, from_offset bigint DEFAULT NULL,
	to_offset bigint DEFAULT NULL, from_time timestamptz DEFAULT NULL,
	to_time timestamptz DEFAULT NULL, max_records int DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(value, ' ') FROM topic.fetch_text('f', got.partition, got.from_offset,
		got.to_offset, got.from_time, got.to_time, got.max_records)
$$;
SELECT partition, record_offset, record_timestamp, key, value, headers FROM topic.fetch('f', 0);
SELECT * FROM topic.fetch_text('f', 1, max_records => 1);

-- Partitions
SELECT got();
SELECT got(0), got(1), got(2);
SELECT * FROM topic.fetch('f', 3);
SELECT * FROM topic.fetch('f', -1);
SELECT * FROM topic.fetch('f', 2147483647);
-- Offsets: from is included, to is not, in batches and across segments.
SELECT f, got(1, f) FROM unnest(ARRAY[0, 1, 3, 4, 5, 6, 9, 10, 11, 9223372036854775807]) f;
SELECT t, got(1, to_offset => t) FROM unnest(ARRAY[0, 1, 4, 5, 9, 10, 11, 9223372036854775807]) t;
SELECT f, f + 2 AS t, got(1, f, f + 2) FROM generate_series(0, 10) f;
SELECT got(1, 5, 5), got(1, 7, 3), got(from_offset => 8), got(to_offset => 2);
SELECT * FROM topic.fetch('f', from_offset => -1);
SELECT * FROM topic.fetch('f', to_offset => -1);
SELECT * FROM topic.fetch('f', from_offset => -9223372036854775808);
-- Times: likewise. Records have milliseconds, so what lies between two of
-- them means the later one, for both.
SELECT got(1, from_time => '2024-01-01 00:00:07'), got(1, to_time => '2024-01-01 00:00:02'),
	got(1, from_time => '2024-01-01 00:00:03', to_time => '2024-01-01 00:00:06');
SELECT got(1, from_time => '2024-01-01 00:00:07.000001'), got(1, from_time => '2024-01-01 00:00:06.999999'),
	got(1, from_time => '2024-01-01 00:00:06.9990005'), got(1, from_time => '2024-01-01 00:00:07.001');
SELECT got(1, to_time => '2024-01-01 00:00:02.000001'), got(1, to_time => '2024-01-01 00:00:01.999999'),
	got(1, to_time => '2024-01-01 00:00:02.0005');
SELECT got(1, from_time => '-infinity', to_time => 'infinity'), got(1, from_time => 'infinity'),
	got(1, to_time => '-infinity'), got(1, from_time => '1900-01-01', to_time => '294276-01-01');
SELECT got(1, from_time => '2024-01-01 00:00:05', to_time => '2024-01-01 00:00:03');
SELECT got(NULL, 1, 8, '2024-01-01 00:00:03', '2024-01-01 00:00:09', 3);
-- max_records counts over the partitions.
SELECT n, got(max_records => n) FROM unnest(ARRAY[1, 4, 5, 10, 13, 20, 21, 2147483647]) n;
SELECT * FROM topic.fetch('f', max_records => 0);
SELECT * FROM topic.fetch('f', max_records => -1);
-- What is not a topic
SELECT * FROM topic.fetch('missing');
SELECT * FROM topic.fetch(NULL);
SELECT * FROM topic.fetch('');

-- Anywhere in a query
SELECT topic.fetch_text('f', 0, 9);
SELECT (topic.fetch_text('f', 0, 9)).value;
SELECT count(*) FROM topic.fetch('f', 0) a JOIN topic.fetch('f', 1) b USING (record_offset);
SELECT p, f.value FROM generate_series(0, 2) p LEFT JOIN LATERAL topic.fetch_text('f', p, max_records => 1) f ON true;
SELECT * FROM ROWS FROM (topic.fetch_text('f', 0, 9), topic.fetch_text('f', 1, 8)) r;
BEGIN READ ONLY;
SELECT count(*) FROM topic.fetch('f');
DECLARE c CURSOR FOR SELECT value FROM topic.fetch_text('f', 0);
FETCH 2 FROM c;
COMMIT;

-- A value that does not convert: an error that names the record, from
-- fetch_text and fetch_json; fetch returns the bytes.
SELECT topic.create_topic('raw', 2, value_format => 'bytes');
SELECT topic.produce('raw', v, partition => 1)
	FROM unnest(ARRAY['\x7b7d', '\x66', '\xff', '\x6100', '\x225c753030303022']::bytea[]) v;
SELECT topic.produce('raw', '{}', key => '\xc328'::bytea, partition => 1);
SELECT topic.produce('raw', '{}', headers => '[["h", {"hex": "ff"}]]', partition => 1);
SELECT record_offset, key, value, headers FROM topic.fetch('raw');
SELECT value FROM topic.fetch_text('raw', 1, 0, 2);
SELECT value FROM topic.fetch_text('raw', 1, 2, 3);
SELECT value FROM topic.fetch_text('raw', 1, 3, 4);
SELECT value FROM topic.fetch_text('raw', 1, 4, 5);
SELECT key, value FROM topic.fetch_text('raw', 1, 5, 6);
SELECT value, headers FROM topic.fetch_text('raw', 1, 6);
SELECT value FROM topic.fetch_json('raw', 1, 0, 1);
SELECT value FROM topic.fetch_json('raw', 1, 1, 2);
SELECT value FROM topic.fetch_json('raw', 1, 2, 3);
SELECT value FROM topic.fetch_json('raw', 1, 4, 5);
SELECT key, value FROM topic.fetch_json('raw', 1, 5, 6);
SELECT value, headers FROM topic.fetch_json('raw', 1, 6);
SELECT value FROM topic.consume_text('g', 'raw');
SELECT value FROM topic.consume_json('g', 'raw');
SELECT count(*) FROM topic.committed('g', 'raw');
SELECT count(value) FROM topic.consume('g', 'raw', commit => true);

SELECT topic.drop_topic('f'), topic.drop_topic('raw');
DROP FUNCTION got(int, bigint, bigint, timestamptz, timestamptz, int);
