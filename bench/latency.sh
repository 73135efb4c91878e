#!/bin/bash
# The time from a producer's COMMIT to the waiting consumer's row, at 100
# records a second: with topic.wait_for_records, pg_topic preloaded and not,
# beside LISTEN/NOTIFY and beside a consumer who asks every 10 ms.  Prints the
# median and the 99th percentile over interleaved runs, and those of COMMIT alone:
# all of them include it, and on a busy disk it takes what time it likes.
#
# And what it costs producers that they could wake somebody: CPU time of a
# transaction that produces one record, while nobody waits, with pg_topic
# preloaded and not.
#
# usage: bench/latency.sh [runs]

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# shellcheck disable=SC2034 # begin_bench installs them
bench_packages=(python3 python3-psycopg2)
records=1000
transactions=50000

begin_bench "$@"

# Besides the server that is there, a copy of it with pg_topic preloaded.
pg_ctl stop -w -m fast -D "$server" >/dev/null
cp -a "$server" "$workspace/preloaded"
for directory in "$server" "$workspace/preloaded"; do
	echo "unix_socket_directories = '$directory'" >>"$directory/postgresql.conf"
	echo "listen_addresses = ''" >>"$directory/postgresql.conf"
done
echo "shared_preload_libraries = 'pg_topic'" >>"$workspace/preloaded/postgresql.conf"
for directory in "$server" "$workspace/preloaded"; do
	pg_ctl start -w -D "$directory" -l "$directory.log" >/dev/null
	PGHOST=$directory sql "
		SELECT topic.create_topic('latency'), topic.create_topic('bench')" >/dev/null
done

# usage: latencies NAME METHOD
latencies()
{
	/usr/bin/python3 bench/latency.py "$2" $records >>"$workspace/$1.latencies"
}

# What the server's process spends on a transaction, in microseconds of CPU
# time, which other work on the machine disturbs less than what the clock says.
# Commits do not wait for the disk.
transactions()
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 >>"$workspace/$1.cpu" <<-SQL
		SET synchronous_commit = off;
		CREATE TEMP VIEW ticks AS SELECT fields[14]::int + fields[15]::int AS ticks
			FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') fields;
		CREATE TEMP TABLE before AS TABLE ticks;
		DO \$\$
		BEGIN
			FOR i IN 1..$transactions LOOP
				PERFORM topic.produce('bench', 'a record');
				COMMIT;
			END LOOP;
		END \$\$;
		SELECT 1000000.0 * (a.ticks - b.ticks) / $(getconf CLK_TCK) / $transactions
		FROM ticks a, before b;
	SQL
}

# The value below which so many percent of the figures in a column are.
#
# usage: percentile NAME COLUMN PERCENT
percentile()
{
	cut -d ' ' -f "$2" "$workspace/$1.latencies" | sort -n |
		awk -v p="$3" '{ v[NR] = $1 } END { printf "%.2f", v[int((NR - 1) * p / 100) + 1] }'
}

for ((run = 1; run <= runs; run++)); do
	export PGHOST=$workspace/preloaded
	latencies preloaded wait
	latencies listen listen
	latencies poll poll
	export PGHOST=$server
	latencies alone wait
done
for ((run = 1; run <= 6 * runs; run++)); do
	PGHOST=$workspace/preloaded transactions preloaded
	PGHOST=$server transactions alone
done

row milliseconds median "99th percentile" ""
while read -r name column title; do
	row "$title" "$(percentile "$name" "$column" 50)" "$(percentile "$name" "$column" 99)" ""
done <<-'TABLE'
	preloaded 1 wait_for_records
	alone 1 ... not preloaded
	listen 1 LISTEN/NOTIFY
	poll 1 asking every 10 ms
	preloaded 2 COMMIT alone
TABLE
echo
row "" preloaded "not preloaded" ratio
row "CPU us per transaction" "$(median preloaded cpu)" "$(median alone cpu)" \
	"$(ratio "$(median preloaded cpu)" "$(median alone cpu)")"
