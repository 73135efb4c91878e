# Fetch of all records, count and sum of their lengths, beside a SELECT of the
# same rows from a table in the order of its primary key, by a session that has
# read them before: the first time, a process maps each page of shared buffers,
# which costs both the same, and half as much as reading.  And the most memory that
# fetching ten times as many takes.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

sql "SELECT topic.create_topic('bench'), topic.create_topic('more');
	CREATE TABLE source (
		partition int, record_offset bigint, record_timestamp timestamptz,
		key text, value text, headers jsonb, PRIMARY KEY (partition, record_offset));
	CREATE TABLE source_bytes (
		partition int, record_offset bigint, record_timestamp timestamptz,
		key bytea, value bytea, headers topic.header[], PRIMARY KEY (partition, record_offset));
	INSERT INTO source (partition, record_offset, record_timestamp, value)
		SELECT 0, i, clock_timestamp(), repeat('x', 100) FROM generate_series(0, $((records - 1))) i;
	INSERT INTO source_bytes (partition, record_offset, record_timestamp, value)
		SELECT partition, record_offset, record_timestamp, value::bytea FROM source" >/dev/null
sql "$(produce_bulk bench $records)"
sql "$(produce_bulk more $((10 * records)))"
for table in source source_bytes; do
	sql "VACUUM (ANALYZE) $table"
done

# In the order of the index, and alone.
sql "ALTER DATABASE \"$PGDATABASE\" SET max_parallel_workers_per_gather = 0;
	ALTER DATABASE \"$PGDATABASE\" SET enable_seqscan = off;
	ALTER DATABASE \"$PGDATABASE\" SET enable_sort = off"

# Keep the records a second of reading all of them.
#
# usage: read_all NAME RELATION
read_all()
{
	local query="SELECT count(*), sum(length(value)) FROM $2"

	keep "$1" "$(quotient $records "$(psql -X -A -t -q -v ON_ERROR_STOP=1 <<-SQL | tail -n 1
		$query;
		SELECT extract(epoch FROM clock_timestamp()) AS start \gset
		$query;
		SELECT extract(epoch FROM clock_timestamp()) - :start;
	SQL
	)")"
}

for ((round = 1; round <= rounds; round++)); do
	read_all select_bytes "(SELECT * FROM source_bytes ORDER BY partition, record_offset) s"
	read_all fetch "topic.fetch('bench')"
	read_all select_text "(SELECT * FROM source ORDER BY partition, record_offset) s"
	read_all fetch_text "topic.fetch_text('bench')"
	read_all relation topics.bench
done

# Keep the most memory of its own, in kB, that a session has while it fetches a
# topic, and the bytes of its temporary files.
#
# usage: memory TOPIC
memory()
{
	local pid before

	before=$(sql "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")
	PGAPPNAME=fetching sql "SELECT pg_sleep(0.5);
		SELECT count(*), sum(length(value)) FROM topic.fetch('$1')" >/dev/null &
	until pid=$(sql "SELECT pid FROM pg_stat_activity WHERE application_name = 'fetching'") && [ -n "$pid" ]; do
		:
	done
	while sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null; do
		sleep 0.01
	done >"$workspace/memory"
	wait $!
	keep "memory.$1" "$(percentile 100 <"$workspace/memory")"
	keep "temporary.$1" "$(sql "SELECT temp_bytes - $before FROM pg_stat_database WHERE datname = current_database()")"
}
for ((round = 1; round <= rounds; round++)); do
	memory bench
	memory more
done

judge "fetch, bytea" "SELECT, by index" ">= 2" records/s fetch select_bytes
judge "fetch_text" "SELECT, by index" - records/s fetch_text select_text
judge "SELECT from the topic's relation" "SELECT, by index" - records/s relation select_text
judge "memory to fetch 10 times as many" "the fewer" "<= 1.1" kB memory.more memory.bench
judge "temporary files to fetch 10 times as many" "payload" - bytes temporary.more $((records * 1000))
