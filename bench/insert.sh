#!/bin/bash
# Producing through SQL's own doors: 1,000,000 records of 100 bytes in one
# transaction by INSERT ... SELECT into the topic's relation, by COPY from a
# file, and by send(), each beside produce_batch of 1,000. Prints the medians
# of interleaved runs, and their ratios to produce_batch.
#
# usage: bench/insert.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin_bench "$@"
runs=${1:-5}

declare -A commands=(
	[produce_batch]=$(produce_bulk bench 1000000)
	[insert]="INSERT INTO topics.bench (value)
		SELECT repeat('x', 100) FROM generate_series(1, 1000000)"
	[copy]="COPY topics.bench (value) FROM '$workspace/values'"
	[send]="SELECT count(topic.send('bench', repeat('x', 100)))
		FROM generate_series(1, 1000000)"
)

sql "COPY (SELECT repeat('x', 100) FROM generate_series(1, 1000000))
	TO '$workspace/values'"
for ((run = 1; run <= runs; run++)); do
	for way in produce_batch insert copy send; do
		sql "SELECT topic.drop_topic('bench', if_exists => true);
			SELECT topic.create_topic('bench')" >/dev/null
		timed $way "${commands[$way]}"
	done
done

row "" seconds "times produce_batch" ""
for way in produce_batch insert copy send; do
	seconds=$(median $way.seconds)
	row $way "$seconds" "$(ratio "$seconds" "$(median produce_batch.seconds)")" ""
done
