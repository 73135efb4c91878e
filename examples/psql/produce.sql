-- Produce the flights of standard input, one JSON object a line.
--
--      psql -f produce.sql <flights.jsonl
--
-- In one transaction, 1,000 records a call.  COPY's text format would take the
-- backslashes in JSON for its own; as CSV whose quote and delimiter are bytes
-- that JSON cannot have, a line is a value, as it is.
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMPORARY TABLE line (
    number int GENERATED ALWAYS AS IDENTITY, flight jsonb
) ON COMMIT DROP;
\copy line (flight) FROM pstdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

SELECT sum(record_count) AS produced
FROM (
    SELECT array_agg(flight ORDER BY number) AS flights,
        array_agg(flight ->> 'origin' ORDER BY number) AS origins
    FROM line GROUP BY (number - 1) / 1000 ORDER BY min(number)
) AS batch, topic.produce_batch('flights', flights, keys => origins);
COMMIT;
