# Bytes of WAL and on disk for each byte of payload (keys and values): records
# of 100 bytes, produced by the thousand, beside INSERT ... SELECT; and the
# flights of demo/ with zstd.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

# No fewer in quick runs: what a topic takes without records would count.
count=1000000
payload=$((count * 100))
load_flights
flights_payload=$(flights_bytes)

sql "SELECT topic.create_topic('bench');
	SELECT topic.create_topic('zstd', compression => 'zstd');
	CREATE TABLE inserted (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		created_at timestamptz NOT NULL DEFAULT now(), value text)" >/dev/null
timed insert "INSERT INTO inserted (value)
	SELECT repeat('x', 100) FROM generate_series(1, $count)"
timed produce "$(produce_bulk bench $count)"
timed zstd "$(produce_flights zstd)"
keep insert.disk "$(sql "SELECT pg_total_relation_size('inserted')")"
keep produce.disk "$(topic_bytes bench)"
keep zstd.disk "$(topic_bytes zstd)"

judge "WAL per byte" "payload" "<= 1.08" bytes produce.wal "$payload"
judge "WAL per byte: INSERT ... SELECT" "payload" - bytes insert.wal "$payload"
judge "disk per byte" "payload" "<= 1.12" bytes produce.disk "$payload"
judge "disk per byte: INSERT ... SELECT" "payload" - bytes insert.disk "$payload"
judge "WAL per byte of flights, zstd" "payload" "<= 0.30" bytes zstd.wal "$flights_payload"
judge "disk per byte of flights, zstd" "payload" "<= 0.30" bytes zstd.disk "$flights_payload"
