# What the benchmarks share.  Sourced, never run.
#
# Absolute times say little about another machine, so every benchmark runs a
# baseline beside what it measures, in turn, and compares.
# shellcheck shell=bash source-path=SCRIPTDIR source=../scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

# Packages that a benchmark needs besides those to build the extension, and
# settings besides those of every benchmark's server.
bench_packages=()
bench_settings=()

# Build and start a server; returns in the workspace, with nothing measured.
#
# usage: begin_bench "$@"
begin_bench()
{
	if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
		choose_postgres
		install_packages "${postgres_packages[@]}" "${build_packages[@]}" \
			"${bench_packages[@]}"
	fi
	enter_workspace "$@"
	install_extension
	start_server shared_buffers=1GB max_wal_size=8GB checkpoint_timeout=1h \
		"${bench_settings[@]}"
	sql "CREATE EXTENSION pg_topic"
	begin_figures all
}

# Keep figures apart from those before.
begin_figures()
{
	figures=$workspace/figures/$1
	mkdir -p "$figures"
}

# Run SQL and print its result, quietly.
sql()
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 -c "SET client_min_messages = warning" -c "$1"
}

# a / b
quotient()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.9g", a / b }'
}

# The same, to be read by people.
ratio()
{
	printf '%.2f' "$(quotient "$1" "$2")"
}

# Keep a figure of this round under a name.
keep()
{
	[[ $2 =~ ^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$ ]] || die "$1: no figure: $2"
	echo "$2" >>"$figures/$1"
}

# The median of the figures of a name.
median()
{
	sort -g "$figures/$1" |
		awk '{ v[NR] = $1 } END { printf "%.9g", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# The value below which so many percent of the numbers in the input are.
percentile()
{
	sort -g | awk -v p="$1" '{ v[NR] = $1 } END { printf "%.9g", v[int((NR - 1) * p / 100) + 1] }'
}

# Run one SQL command after a checkpoint and keep NAME.seconds, and NAME.wal,
# the bytes of WAL that were written meanwhile; and NAME, the records a second,
# if it is told how many there are.
#
# usage: timed NAME COMMAND [RECORDS]
timed()
{
	local name=$1 command=$2 records=${3-} measured

	measured=$(psql -X -A -t -q -v ON_ERROR_STOP=1 <<-SQL | tail -n 1
		SET client_min_messages = warning;
		CHECKPOINT;
		SELECT pg_current_wal_insert_lsn() AS lsn, extract(epoch FROM clock_timestamp()) AS start \\gset
		$command;
		SELECT extract(epoch FROM clock_timestamp()) - :start,
			pg_current_wal_insert_lsn() - :'lsn'::pg_lsn;
	SQL
	)
	keep "$name.seconds" "${measured%%|*}"
	keep "$name.wal" "${measured##*|}"
	[ -z "$records" ] || keep "$name" "$(quotient "$records" "${measured%%|*}")"
}

# Run a pgbench script by so many clients and keep its transactions a second.
#
# usage: tps NAME CLIENTS SECONDS SCRIPT [OPTION...]
tps()
{
	local name=$1 clients=$2 seconds=$3 log=$workspace/pgbench.log

	echo "$4" >"$workspace/script.sql"
	pgbench -n -M prepared -c "$clients" -j 2 -T "$seconds" "${@:5}" \
		-f "$workspace/script.sql" >"$log" 2>"$log.err" || die "$(cat "$log.err")"
	keep "$name" "$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$log")"
}

# A DO command that produces so many records of 100 bytes, by the thousand.
#
# usage: produce_bulk TOPIC RECORDS
produce_bulk()
{
	echo "DO \$\$
		DECLARE
			batch text[] := array_fill(repeat('x', 100), ARRAY[1000]);
		BEGIN
			FOR i IN 1..$(($2 / 1000)) LOOP
				PERFORM topic.produce_batch('$1', batch);
			END LOOP;
		END \$\$"
}

# Make table batch of the flights of demo/, by the thousand.
load_flights()
{
	sql "CREATE TABLE line (number int GENERATED ALWAYS AS IDENTITY, value text)"
	psql -X -q -c "\copy line (value) FROM 'demo/flights-20k.jsonl' (FORMAT csv, QUOTE e'\x01', DELIMITER e'\x02')"
	sql "CREATE TABLE batch AS
		SELECT array_agg(value ORDER BY number) AS record_values,
			array_agg(value::json ->> 'origin' ORDER BY number) AS keys
		FROM line GROUP BY number / 1000"
}

# Twenty times the flights, so that what a topic takes without a record is
# little; and the bytes of their keys and values.
# shellcheck disable=SC2034 # for who sources this
flights=400000
flights_bytes()
{
	sql "SELECT 20 * sum(length(value) + length(value::json ->> 'origin')) FROM line"
}

# A DO command that produces them.
produce_flights()
{
	echo "DO \$\$
		BEGIN
			FOR i IN 1..20 LOOP
				PERFORM topic.produce_batch('$1', record_values, keys) FROM batch;
			END LOOP;
		END \$\$"
}

# The bytes that a topic takes on disk.
topic_bytes()
{
	sql "SELECT total_bytes FROM topic.topic_stats WHERE topic = '$1'"
}

# Make a function that tells the CPU seconds of a server process, by default the
# session's: other work on the machine disturbs them less than what the clock
# says.  The kernel's scheduler counts nanoseconds, where /proc/PID/stat has
# hundredths of a second.
create_cpu_seconds()
{
	sql "CREATE FUNCTION cpu_seconds(process text DEFAULT 'self') RETURNS float LANGUAGE sql AS \$\$
		SELECT split_part(pg_read_file('/proc/' || process || '/schedstat'), ' ', 1)::float / 1e9 \$\$"
}

# Have another session hold a REPEATABLE READ snapshot, and end it.
hold_snapshot()
{
	psql -X -q >/dev/null 2>&1 <<-SQL &
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT 'holds a snapshot';
		SELECT pg_sleep(86400);
	SQL
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")" = 1 ]; do
		sleep 0.1
	done
}
release_snapshot()
{
	sql "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'" >/dev/null
}

row()
{
	printf '%-28s %20s %20s   %s\n' "$@"
}
