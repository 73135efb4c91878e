-- compression: what goes in comes out, whatever the codec, and takes less room.
CREATE TABLE flights (number int PRIMARY KEY, key text, value text);
INSERT INTO flights
	SELECT i, origin, CASE WHEN i % 1000 <> 500 THEN format('{"date":"2001/01/%s %s:%s","delay":%s,"distance":%s,"origin":"%s","destination":"%s"}',
		to_char(1 + i / 700, 'FM00'), to_char(i / 30 % 24, 'FM00'), to_char(i * 7919 % 60, 'FM00'),
		i * 104729 % 97 - 20, i * 7919 % 2711, origin, airports[1 + i * 31 % 20]) END
	FROM (SELECT i, airports, airports[1 + i * 104729 % 20] AS origin
		FROM generate_series(1, 20000) i,
			string_to_array('ATL BOS BUR DEN DFW DTW HNL IAH JFK LAS LAX MIA OAK ORD PHL PHX SEA SFO SJC SLC', ' ') airports) f;
-- The codecs of a topic's rows: how many rows, and whether they are as full as
-- pages can be but for the last one of a call.
CREATE FUNCTION codecs(name text, OUT codec text, OUT batches bigint, OUT records numeric, OUT full_pages boolean)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE (SELECT format('
		SELECT (ARRAY[''none'', ''gzip'', ''snappy'', ''lz4'', ''zstd''])[1 + (get_byte(batch, 14) & 7)],
			count(*), sum(record_count)::numeric, avg(octet_length(batch)) > 7400 AND max(octet_length(batch)) < 8160
		FROM topic_log.segment_%s_0 GROUP BY 1 ORDER BY 1', topic_id) FROM topic.topics WHERE topic = name);
END
$$;
CREATE FUNCTION log_bytes(name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT total_bytes::bigint FROM topic.topic_stats WHERE topic = name
$$;

-- By the thousand, in several partitions, with headers and times
SELECT count(topic.create_topic('flights_' || codec, 3, value_format => 'json', compression => codec))
	FROM unnest(ARRAY['none', 'lz4', 'zstd']) codec;
SELECT topic, compression FROM topic.topics ORDER BY topic;
SELECT codec, sum(record_count)
	FROM unnest(ARRAY['none', 'lz4', 'zstd']) codec,
		(SELECT array_agg(value ORDER BY number) AS record_values, array_agg(key ORDER BY number) AS keys,
			array_agg(jsonb_build_object('number', number::text) ORDER BY number) AS headers,
			array_agg(timestamptz '2001-01-01' + number * interval '1 min' ORDER BY number) AS times
			FROM flights GROUP BY number / 1000 ORDER BY min(number)) chunk,
		LATERAL topic.produce_batch('flights_' || codec, record_values, keys, headers, NULL, times)
	GROUP BY codec ORDER BY codec;
-- (the last batch of a call may be one record that does not get smaller)
SELECT codec, batches > 0 AS some FROM unnest(ARRAY['none', 'lz4', 'zstd']) name, codecs('flights_' || name)
	WHERE records > 19900;
SELECT log_bytes('flights_lz4') < log_bytes('flights_none') * 0.5 AS lz4_is_small,
	log_bytes('flights_zstd') < log_bytes('flights_none') * 0.4 AS zstd_is_small;
CREATE VIEW expected AS
	SELECT topic.partition_for_key('flights_none', key) AS partition,
		timestamptz '2001-01-01' + number * interval '1 min' AS record_timestamp,
		key, value::jsonb, jsonb_build_array(jsonb_build_array('number', number::text)) AS headers,
		row_number() OVER (PARTITION BY topic.partition_for_key('flights_none', key) ORDER BY number) - 1 AS record_offset
	FROM flights;
-- The same by every way of reading
SELECT count(*) FILTER (WHERE f.value IS NOT DISTINCT FROM e.value) FROM topics.flights_lz4 f
	JOIN expected e USING (partition, record_offset, record_timestamp, key, headers);
SELECT count(*) FILTER (WHERE f.value IS NOT DISTINCT FROM e.value) FROM topics.flights_zstd f
	JOIN expected e USING (partition, record_offset, record_timestamp, key, headers);
SELECT count(*) FILTER (WHERE f.value IS NOT DISTINCT FROM e.value) FROM topic.fetch_json('flights_zstd') f
	JOIN expected e USING (partition, record_offset, record_timestamp, key, headers);
CREATE TEMP TABLE consumed AS
	SELECT * FROM topic.consume_json('g', 'flights_zstd', max_records => 100000, commit => true);
ANALYZE consumed;
SELECT count(*) FILTER (WHERE f.value IS NOT DISTINCT FROM e.value) FROM consumed f
	JOIN expected e USING (partition, record_offset, record_timestamp, key, headers);
SELECT count(*) FROM topic.consume('g', 'flights_zstd');
-- Parts of it: offsets inside of a batch, times, LIMIT
SELECT p, o, count(*), min(record_offset), max(record_offset)
	FROM generate_series(0, 2) p, unnest(ARRAY[0, 1, 777, 1500]) o,
		LATERAL topic.fetch('flights_zstd', p, from_offset => o, max_records => 100)
	GROUP BY p, o ORDER BY p, o;
SELECT key, headers FROM topic.fetch_json('flights_lz4', from_time => '2001-01-05 10:00',
	to_time => '2001-01-05 10:05') ORDER BY record_timestamp;
SELECT record_offset, value IS NULL AS tombstone FROM topics.flights_zstd
	WHERE partition = 1 AND record_offset >= 1000 LIMIT 2;

-- One run of records fills the pages.
SELECT count(topic.create_topic('full_' || codec, compression => codec))
	FROM unnest(ARRAY['none', 'lz4', 'zstd']) codec;
SELECT name, sum(r.record_count)
	FROM unnest(ARRAY['full_none', 'full_lz4', 'full_zstd']) name,
		(SELECT array_agg(value ORDER BY number) AS record_values FROM flights) a,
		LATERAL topic.produce_batch(name, record_values) r
	GROUP BY name ORDER BY name;
SELECT codec, records, full_pages FROM unnest(ARRAY['none', 'lz4', 'zstd']) name, codecs('full_' || name);
SELECT bool_and(f.value IS NOT DISTINCT FROM e.value), count(*) FROM topics.full_zstd f
	JOIN flights e ON f.record_offset = e.number - 1;
SELECT bool_and(f.value IS NOT DISTINCT FROM e.value), count(*) FROM topics.full_lz4 f
	JOIN flights e ON f.record_offset = e.number - 1;

-- A change of codec is for new batches; all are read.
SELECT topic.create_topic('mixed');
SELECT topic.produce('mixed', repeat('none ', 100));
SELECT topic.alter_topic('mixed', compression => 'zstd');
SELECT topic.produce('mixed', repeat('zstd ', 100));
SELECT topic.alter_topic('mixed', compression => 'lz4');
SELECT topic.produce('mixed', repeat('lz4 ', 100));
SELECT topic.alter_topic('mixed', reset => ARRAY['compression']);
SELECT topic.produce('mixed', repeat('none again ', 100));
-- A transaction's own change, and its end
BEGIN;
SELECT topic.alter_topic('mixed', compression => 'zstd');
SELECT * FROM topic.produce_batch('mixed', ARRAY[repeat('zstd ', 100), repeat('zstd ', 101)]);
ROLLBACK;
SELECT * FROM topic.produce_batch('mixed', ARRAY[repeat('none ', 100), repeat('none ', 101)]);
SELECT codec, records FROM codecs('mixed');
-- A record that does not get smaller is stored as it is.
SELECT topic.alter_topic('mixed', compression => 'zstd');
SELECT topic.produce('mixed', 'short'), topic.produce('mixed', NULL, 'k'), topic.produce('mixed', '');
SELECT topic.alter_topic('mixed', compression => 'lz4');
SELECT topic.produce('mixed', 'short', headers => '{"h": "1"}');
SELECT record_offset, left(value, 12) AS value, length(value), key, headers FROM topics.mixed ORDER BY 1;
SELECT codec, records FROM codecs('mixed');

-- Records larger than a page, which become smaller than one, or do not
SELECT topic.create_topic('large', value_format => 'bytes', max_record_bytes => 5000000, compression => 'zstd');
CREATE FUNCTION noise(size int) RETURNS bytea LANGUAGE sql IMMUTABLE AS
	$$ SELECT substr(string_agg(sha256(i::text::bytea), NULL), 1, size) FROM generate_series(0, size / 32) i $$;
SELECT topic.produce('large', convert_to(repeat('page ', 10000), 'UTF8')), topic.produce('large', noise(20000)),
	topic.produce('large', convert_to(repeat('much ', 900000), 'UTF8')), topic.produce('large', noise(2000000));
SELECT * FROM topic.produce_batch('large', ARRAY[noise(10), noise(30000), convert_to(repeat('page ', 10000), 'UTF8'), noise(20)]);
SELECT topic.alter_topic('large', compression => 'lz4');
SELECT * FROM topic.produce_batch('large', ARRAY[noise(10), noise(30000), convert_to(repeat('page ', 10000), 'UTF8'), noise(20)]);
SELECT record_offset, octet_length(value), value = noise(octet_length(value)) AS is_noise FROM topics.large ORDER BY 1;
SELECT codec, records FROM codecs('large');
-- What does not compress still fills its pages.
SELECT topic.create_topic('noise', value_format => 'bytes', compression => 'lz4');
SELECT * FROM topic.produce_batch('noise', ARRAY(SELECT sha256(i::text::bytea) FROM generate_series(1, 5000) i));
SELECT sum(records), bool_and(full_pages) AS full_pages FROM codecs('noise');
SELECT count(*) FROM topics.noise WHERE value = sha256((record_offset + 1)::text::bytea);

-- Codecs that are not offered
SELECT topic.create_topic('bad', compression => 'gzip');
SELECT topic.alter_topic('mixed', compression => 'snappy');
SELECT topic.alter_topic('mixed', compression => 'ZSTD');
\set VERBOSITY terse
UPDATE topic.topics SET compression = 'gzip' WHERE topic = 'mixed';
\set VERBOSITY default

-- Batches as Kafka producers make them: gzip, snappy, the framing of
-- snappy-java, lz4 and zstd without the content size
SELECT topic.create_topic('kafka');
SELECT format('topic_log.segment_%s_0', topic_id) AS segment FROM topic.topics WHERE topic = 'kafka' \gset
INSERT INTO :segment VALUES
	(0, 1, 0, 0, 1700000000000, 1700000000000, 0, '\x0000005400000007020b6d09ff0001000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff000000011f8b08000000000002039361606060cae64baa5448afca2c6000006cfdd6c40f000000'),
	(0, 1, 1, 1, 1700000000000, 1700000000000, 0, '\x000000440000000702e5e7227d0002000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff00000001114020000000026b12627920736e6170707900'),
	(0, 1, 2, 2, 1700000000000, 1700000000000, 0, '\x0000005d0000000702d6fdad4a0002000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff0000000182534e415050590000000001000000010000001816542a000000026b1c627920736e617070792d6a61766100'),
	(0, 1, 3, 3, 1700000000000, 1700000000000, 0, '\x0000004e00000007028937e1a20003000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff0000000104224d186040820e0000801a000000026b0c6279206c7a340000000000'),
	(0, 1, 4, 4, 1700000000000, 1700000000000, 0, '\x0000004900000007022485109a0004000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff0000000128b52ffd00007900001c000000026b0e6279207a73746400');
SELECT record_offset, record_timestamp = to_timestamp(1700000000) AS in_time, key, value FROM topics.kafka;
-- A batch that was cut off before its CRC was made, and one that claims to
-- hold a terabyte
INSERT INTO :segment VALUES
	(0, 1, 5, 5, 1700000000000, 1700000000000, 0, '\x000000480000000702799286a70004000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff0000000128b52ffd00007900001c000000026b0e6279207a737464'),
	(0, 1, 6, 6, 1700000000000, 1700000000000, 0, '\x0000004500000007029fea91270004000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff0000000128b52ffde0000000000001000021000061626364');
SELECT count(*) FROM topic.fetch('kafka', to_offset => 5);
SELECT count(*) FROM topic.fetch('kafka');
\echo :LAST_ERROR_SQLSTATE
SELECT value FROM topics.kafka WHERE record_offset = 5;
SELECT value FROM topics.kafka WHERE record_offset = 6;
SELECT value FROM topics.kafka WHERE record_offset = 4;

SELECT count(topic.drop_topic(topic)) FROM topic.topics;
DROP VIEW expected;
DROP TABLE flights, consumed;
DROP FUNCTION codecs(text), log_bytes(text), noise(int);
DELETE FROM topic.groups;
