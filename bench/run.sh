#!/bin/bash
# All workloads that pg_topic has targets for, each beside its baselines, on a
# throw-away server.  Prints a table and writes it, with plots and the figures
# behind them, to bench/results, or bench/results/quick.  docs/performance.md
# explains them.
#
# usage: bench/run.sh [--quick] [WORKLOAD...]
#
#	--quick		small sizes, under five minutes in all; else an hour and a quarter
#	WORKLOAD	these only, by the number or the name of a file in
#				bench/workloads; the results of the others stay as they are

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

all_workloads=()
for file in "$tree"/bench/workloads/*.sh; do
	all_workloads+=("$(basename "$file" .sh)")
done

mode=full
workloads=()
for argument in "$@"; do
	if [ "$argument" = --quick ]; then
		mode=quick
	else
		found=$(printf '%s\n' "${all_workloads[@]}" |
			grep -E "^0?$argument-|^[0-9]+-$argument$") ||
			die "no workload $argument; there are: ${all_workloads[*]}"
		workloads+=("$found")
	fi
done
[ ${#workloads[@]} -gt 0 ] || workloads=("${all_workloads[@]}")

# The results come back through a pipe, since who runs the server need not be
# able to write to this tree; after each workload, so that one that fails takes
# no other's with it.
if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	results=$tree/bench/results
	[ $mode = full ] || results+=/quick
	mkdir -p "$results"
	bench_packages=(python3 python3-psycopg2)
	choose_postgres
	! is_available "postgresql-$postgres_major-pgq3" ||
		bench_packages+=("postgresql-$postgres_major-pgq3")
	status=0
	{ (begin_bench "$@") 3>&1 >&4 | tar -x -i -C "$results" --no-same-owner; } 4>&1 || status=$?
	python3 "$tree/bench/report.py" "$results"
	exit $status
fi

# What a workload may take: rounds of all its variants, records to produce or
# read in bulk, transactions to count, seconds to run for, turns in a round,
# transactions in a turn.
# shellcheck disable=SC2034 # the workloads use them
if [ $mode = full ]; then
	rounds=11
	records=1000000
	transactions=20000
	seconds=2
	held_seconds=600 window=60 point=5 commits=1000000
	large=100000000 turns=5 samples=1000
else
	rounds=3
	records=300000
	transactions=1000
	seconds=1
	held_seconds=8 window=2 point=0.5 commits=100000
	large=4000000 turns=3 samples=200
fi

# Write a line of results: the fields, separated by tabs.
result()
{
	local IFS=$'\t'

	echo "$*" >>"$results/$workload.tsv"
}

# Compare the figures of two names, round by round, and write the median of the
# ratios, the least and the greatest, beside what is asked for, "-" if nothing;
# and the medians of the figures.  Without a baseline's name, or with a
# number for it, a figure is divided by 1 or by that.
#
# usage: judge TITLE BASELINE TARGET UNIT NAME [BASELINE_NAME]
judge()
{
	local title=$1 baseline=$2 target=$3 unit=$4 name=$5 base=${6:-1} base_median="" ratios

	if [ -f "$figures/$base" ]; then
		ratios=$(paste "$figures/$name" "$figures/$base")
		base_median=$(median "$base")
	else
		# shellcheck disable=SC2001 # each line
		ratios=$(sed "s/\$/ $base/" "$figures/$name")
	fi
	awk '{ printf "%.9g\n", $1 / $2 }' <<<"$ratios" >"$figures/ratios"
	result row "$title" "$baseline" "$target" "$(median ratios)" \
		"$(percentile 0 <"$figures/ratios")" "$(percentile 100 <"$figures/ratios")" \
		"$unit" "$(median "$name")" "$base_median"
}

# Say that a comparison was not made, and why.
skipped()
{
	result skipped "$1" "$2" "$3" "$4"
}

# A number for a title: 1,000,000.
thousands()
{
	sed -E ':again; s/^([0-9]+)([0-9]{3})/\1,\2/; t again' <<<"$1"
}

load()
{
	cut -d ' ' -f 1 /proc/loadavg
}

# Run a workload in a database of its own.
run_workload()
{
	local begun=$SECONDS load_before

	workload=$1
	echo "$workload ..."
	load_before=$(load)
	createdb "$workload"
	export PGDATABASE=$workload
	sql "CREATE EXTENSION pg_topic"
	begin_figures "$workload"
	# shellcheck disable=SC1090 # one of several
	source "bench/workloads/$workload.sh"
	export PGDATABASE=postgres
	dropdb "$workload"
	result run "$mode" "$(date -u +%F)" "$load_before" "$(load)" "$rounds"
	tar -c -C "$results" . >&3
	echo "    $((SECONDS - begun)) s"
}

# Describe the machine and the server.
describe()
{
	echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores," \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GB;" \
		"$(uname -s) $(uname -r | cut -d - -f 1); $(sql "SELECT split_part(version(), ' on ', 1)")"
	"$(pg_config --bindir)/pg_test_fsync" -s 1 -f "$workspace/fsync" 2>/dev/null |
		sed -n 's|^ *fdatasync *\([0-9.]* ops/sec.*\)|fdatasync of 8 kB: \1|p' | head -n 1
	sql "SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name)
		FROM pg_settings WHERE source = 'command line'
		AND name !~ '^(listen|unix|data_dir|config_file|hba|ident)'"
}

bench_settings=(shared_preload_libraries=pg_topic)
begin_bench "$@"
results=$workspace/results
mkdir "$results"
describe >"$results/machine.txt"
for workload in "${workloads[@]}"; do
	run_workload "$workload"
done

# Nobody needs its data: no checkpoint.
pg_ctl stop -w -m immediate -D "$server" >/dev/null
