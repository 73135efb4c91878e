# What the benchmarks share.  Sourced, never run.
#
# Absolute times say little about another machine, so every benchmark runs a
# baseline beside what it measures, in turn, and prints the ratio of medians.
# shellcheck shell=bash source-path=SCRIPTDIR source=../scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

# 1,000,000 records of 100 bytes into topic bench, produce_batch of 1,000.
# shellcheck disable=SC2034 # for who sources this
produce_million="DO \$\$
	DECLARE
		batch text[] := array_fill(repeat('x', 100), ARRAY[1000]);
	BEGIN
		FOR i IN 1..1000 LOOP
			PERFORM topic.produce_batch('bench', batch);
		END LOOP;
	END \$\$"

# Packages that a benchmark needs besides those to build the extension.
bench_packages=()

# Build, start a server, set `runs`; returns in the workspace.
begin_bench()
{
	if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
		choose_postgres
		install_packages "${postgres_packages[@]}" "${build_packages[@]}" \
			"${bench_packages[@]}"
	fi
	enter_workspace "$@"
	# shellcheck disable=SC2034 # for who sources this
	runs=${1:-5}
	install_extension
	start_server shared_buffers=1GB max_wal_size=8GB checkpoint_timeout=1h
	sql "CREATE EXTENSION pg_topic"
}

# Run SQL and print its result, quietly.
sql()
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 -c "SET client_min_messages = warning" -c "$1"
}

# Run one SQL command after a checkpoint and print its seconds and the bytes
# of WAL that were written meanwhile.
measure()
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 <<SQL
SET client_min_messages = warning;
CHECKPOINT;
SELECT pg_current_wal_insert_lsn() AS lsn, extract(epoch FROM clock_timestamp()) AS start \gset
$1;
SELECT extract(epoch FROM clock_timestamp()) - :start,
	pg_current_wal_insert_lsn() - :'lsn'::pg_lsn;
SQL
}

# Run a function that ends in measure, and keep its figures under a name.
record()
{
	local figures

	figures=$("$2" | tail -n 1)
	echo "${figures%%|*}" >>"$workspace/$1.seconds"
	echo "${figures##*|}" >>"$workspace/$1.wal"
}

# The median of the figures of a name.
median()
{
	sort -n "$workspace/$1.$2" |
		awk '{ v[NR] = $1 } END { printf "%.3f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

row()
{
	printf '%-28s %20s %20s   %s\n' "$@"
}
