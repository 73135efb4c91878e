-- Record timestamps: milliseconds since 1970, the producer's or the server's.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT topic.create_topic('times');

-- The producer's clock, if it says so; else the server's, of now and not of
-- the transaction's begin.
SELECT topic.produce('times', 'given', record_timestamp => '2024-02-29 12:34:56.789+00');
BEGIN;
SELECT pg_sleep(0.01);
SELECT topic.produce('times', 'now');
COMMIT;
SELECT record_timestamp FROM topics.times WHERE value = 'given';
SELECT record_timestamp BETWEEN now() - interval '1 minute' AND clock_timestamp() AS recent,
		record_timestamp = date_trunc('milliseconds', record_timestamp) AS milliseconds
	FROM topics.times WHERE value = 'now';

-- Rounded down to milliseconds
SELECT topic.produce('times', t, record_timestamp => t::timestamptz)
	FROM unnest(ARRAY['2024-01-01 00:00:00.000999+00', '2024-01-01 00:00:00.001+00',
		'1999-12-31 23:59:59.999999+00', '1999-12-31 23:59:59.998001+00', '2000-01-01 00:00:00+00',
		'2000-01-01 00:00:00.000001+00', '1970-01-01 00:00:00+00', '1970-01-01 00:00:00.000999+00']) t;
SELECT value, record_timestamp FROM topics.times WHERE record_offset >= 2;

-- The ends of what is possible
SELECT topic.produce('times', 'last', record_timestamp => '294276-12-31 23:59:59.999999+00');
SELECT record_timestamp FROM topics.times WHERE value = 'last';
SELECT topic.produce('times', 'v', record_timestamp => '1969-12-31 23:59:59.999999+00');
SELECT topic.produce('times', 'v', record_timestamp => '4713-01-01 00:00:00+00 BC');
SELECT topic.produce('times', 'v', record_timestamp => 'infinity');
SELECT topic.produce('times', 'v', record_timestamp => '-infinity');
SELECT * FROM topic.produce_batch('times', ARRAY['a', 'b'],
	record_timestamps => ARRAY['2024-01-01', 'infinity']::timestamptz[]);

-- Any order, also within a batch
SELECT base_offset, record_count FROM topic.produce_batch('times', ARRAY['late', 'early', 'none', 'late again'],
	record_timestamps => ARRAY['2030-01-01', '1980-01-01', NULL, '2030-01-01']::timestamptz[]);
SELECT value, CASE WHEN value <> 'none' THEN record_timestamp END AS record_timestamp
	FROM topics.times WHERE record_offset >= 11;

-- LogAppendTime: the server's clock, whatever the producer says
SELECT topic.create_topic('append', timestamp_type => 'LogAppendTime');
SELECT topic.produce('append', 'v', record_timestamp => '2001-01-01');
SELECT topic.produce('append', 'v', record_timestamp => '2101-01-01');
SELECT topic.produce('append', 'v', record_timestamp => 'infinity');
SELECT base_offset, record_count FROM topic.produce_batch('append', ARRAY['a', 'b'],
	record_timestamps => ARRAY['2001-01-01', NULL]::timestamptz[]);
SELECT count(*) FROM topics.append
	WHERE record_timestamp BETWEEN now() - interval '1 minute' AND clock_timestamp();
-- and what was stored before keeps its time when timestamp_type changes
SELECT topic.alter_topic('append', timestamp_type => 'CreateTime');
SELECT topic.produce('append', 'v', record_timestamp => '2001-01-01');
SELECT record_offset FROM topics.append WHERE record_timestamp < '2002-01-01';

SELECT topic.drop_topic('times'), topic.drop_topic('append');
