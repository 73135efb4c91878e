#!/bin/bash
# What it is worth to preload pg_topic: the time from a producer's call, and from
# its COMMIT, to the row of a consumer in topic.wait_for_records, at 100 records a
# second, medians of the median and the 99th percentile of interleaved runs.
# bench/latency.py says what is measured, bench/workloads/10-latency.sh has the
# comparison with other ways of waiting.
#
# And what it costs producers that they could wake somebody: CPU time of a
# transaction that produces one record, while nobody waits, with pg_topic
# preloaded and not.
#
# usage: bench/latency.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2034 # begin_bench installs them
bench_packages=(python3 python3-psycopg2)
transactions=50000

begin_bench "$@"
runs=${1:-5}

create_cpu_seconds

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

# Keep the figures of bench/latency.py under a name.
latencies()
{
	local p50 p99 after_p50 after_p99 commit_p50 commit_p99 _

	read -r p50 p99 after_p50 after_p99 commit_p50 commit_p99 _ < <(/usr/bin/python3 bench/latency.py wait 100 10) ||
		die "no latencies"
	keep "$1.p50" "$p50"
	keep "$1.p99" "$p99"
	keep "$1.after.p50" "$after_p50"
	keep "$1.after.p99" "$after_p99"
	keep "$1.commit.p50" "$commit_p50"
	keep "$1.commit.p99" "$commit_p99"
}

# What the server's process spends on a transaction, in microseconds of CPU
# time, which other work on the machine disturbs less than what the clock says.
# Commits do not wait for the disk.
transactions()
{
	keep "$1.cpu" "$(psql -X -A -t -q -v ON_ERROR_STOP=1 <<-SQL
		SET synchronous_commit = off;
		SELECT cpu_seconds() AS begun \\gset
		DO \$\$
		BEGIN
			FOR i IN 1..$transactions LOOP
				PERFORM topic.produce('bench', 'a record');
				COMMIT;
			END LOOP;
		END \$\$;
		SELECT 1000000 * (cpu_seconds() - :begun) / $transactions;
	SQL
	)"
}

for ((run = 1; run <= runs; run++)); do
	for name in preloaded alone; do
		export PGHOST=$server
		[ $name = alone ] || PGHOST=$workspace/preloaded
		latencies $name
		for ((sample = 1; sample <= 6; sample++)); do
			transactions $name
		done
	done
done

row "" preloaded "not preloaded" ratio
while read -r figure title; do
	row "$title" "$(median preloaded.$figure)" "$(median alone.$figure)" \
		"$(ratio "$(median preloaded.$figure)" "$(median alone.$figure)")"
done <<-'TABLE'
	p50 from the call, median, ms
	p99 from the call, 99th percentile, ms
	after.p50 from COMMIT, median, ms
	after.p99 from COMMIT, 99th percentile, ms
	commit.p50 producing alone, median, ms
	commit.p99 producing alone, 99th percentile, ms
	cpu CPU us per transaction
TABLE
