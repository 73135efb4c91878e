# Bulk produce in one session: records of 100 bytes, produce_batch of 1,000.
# Beside it: INSERT ... SELECT of the same values into a table with an identity
# primary key; COPY from a file into a table of partition, offset, timestamp
# and value, with a primary key; and PgQ's insert_event, for a tenth of the
# records.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

has_pgq=$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgq'")
if [ "$has_pgq" = 1 ]; then
	sql "CREATE EXTENSION pgq; SELECT pgq.create_queue('bench')" >/dev/null
fi
copy_file=$workspace/copy.data
sql "COPY (SELECT 0, i, clock_timestamp(), repeat('x', 100)
	FROM generate_series(0, $((records - 1))) i) TO '$copy_file'"

for ((round = 1; round <= rounds; round++)); do
	sql "DROP TABLE IF EXISTS inserted, copied;
		CREATE TABLE inserted (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			created_at timestamptz NOT NULL DEFAULT now(), value text);
		CREATE TABLE copied (
			partition int, record_offset bigint, record_timestamp timestamptz, value text,
			PRIMARY KEY (partition, record_offset));
		SELECT topic.drop_topic('bench', if_exists => true);
		SELECT topic.create_topic('bench')" >/dev/null
	timed insert "INSERT INTO inserted (value)
		SELECT repeat('x', 100) FROM generate_series(1, $records)" $records
	timed produce "$(produce_bulk bench $records)" $records
	timed copy "COPY copied FROM '$copy_file'" $records
	[ "$has_pgq" = 0 ] ||
		timed pgq "SELECT count(pgq.insert_event('bench', 'event', repeat('x', 100)))
			FROM generate_series(1, $((records / 10)))" $((records / 10))
done
rm "$copy_file"

title="bulk produce, by the thousand"
judge "$title" "INSERT ... SELECT" ">= 6" records/s produce insert
judge "$title" "COPY" ">= 7" records/s produce copy
if [ "$has_pgq" = 1 ]; then
	judge "$title" "PgQ insert_event" ">= 35" records/s produce pgq
else
	skipped "$title" "PgQ insert_event" ">= 35" "PgQ is not installed"
fi
