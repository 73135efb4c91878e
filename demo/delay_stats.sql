-- One batch of the group delay_stats: take the next flights, add them to the
-- statistics of their airports, commit the offsets.  One transaction: all of
-- it happens, or nothing.
--
-- ON CONFLICT cannot touch a row twice in one statement, hence the GROUP BY.
-- Workers never wait for each other's rows: an airport's flights are in one
-- partition, and a partition is in the hands of one worker at a time.
BEGIN;

INSERT INTO delay_stats AS s (airport, flights, late, minutes)
SELECT key, count(*), count(*) FILTER (WHERE delay >= 15), sum(delay)
FROM topic.consume_json('delay_stats', 'flights', max_records => 250),
	jsonb_to_record(value) AS flight (delay int)
GROUP BY key
ON CONFLICT (airport) DO UPDATE SET
	flights = s.flights + excluded.flights,
	late = s.late + excluded.late,
	minutes = s.minutes + excluded.minutes;

-- Whatever else the worker has to do
SELECT pg_sleep(:seconds);

SELECT * FROM topic.commit('delay_stats', 'flights');
COMMIT;
