-- What the programs beside this file work with.
CREATE EXTENSION IF NOT EXISTS pg_topic;

-- Flights, keyed by the airport of origin
SELECT topic.create_topic('flights', partitions => 4, value_format => 'json');

-- What the workers make of them: a row for each flight.  No key would hide that
-- one came twice.
CREATE TABLE arrival (
    partition int NOT NULL,
    record_offset bigint NOT NULL,
    origin text NOT NULL,
    destination text NOT NULL,
    delay int NOT NULL
);

-- What the programs named calls produce to
SELECT topic.create_topic('calls');
