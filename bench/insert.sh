#!/bin/bash
# Producing through SQL's own doors: 1,000,000 records of 100 bytes in one
# transaction by INSERT ... SELECT into the topic's relation, by COPY from a
# file, by send() and by produce_query, each beside produce_batch of 1,000 of
# the same query's rows. Prints the medians of interleaved runs, and their ratios
# to that. The last row has produce_batch be given the same array again and
# again: no query, and no array made of its rows.
#
# usage: bench/insert.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin_bench "$@"
runs=${1:-5}

rows="SELECT repeat('x', 100) AS value FROM generate_series(1, 1000000) i"
ways=(produce_batch insert copy send produce_query ready_array)
declare -A commands=(
	[produce_batch]="SELECT count(*) FROM (
			SELECT array_agg(value) AS batch FROM (
				SELECT i, repeat('x', 100) AS value FROM generate_series(1, 1000000) i) r
			GROUP BY i / 1000) b,
		LATERAL topic.produce_batch('bench', batch)"
	[insert]="INSERT INTO topics.bench (value) $rows"
	[copy]="COPY topics.bench (value) FROM '$workspace/values'"
	[send]="SELECT count(topic.send('bench', value)) FROM ($rows) r"
	[produce_query]="SELECT count(*) FROM topic.produce_query('bench', \$\$$rows\$\$)"
	[ready_array]=$(produce_bulk bench 1000000)
)

sql "COPY ($rows) TO '$workspace/values'"
for ((run = 1; run <= runs; run++)); do
	for way in "${ways[@]}"; do
		sql "SELECT topic.drop_topic('bench', if_exists => true);
			SELECT topic.create_topic('bench')" >/dev/null
		timed "$way" "${commands[$way]}"
	done
done

row "" seconds "times produce_batch" ""
for way in "${ways[@]}"; do
	seconds=$(median "$way.seconds")
	row "$way" "$seconds" "$(ratio "$seconds" "$(median produce_batch.seconds)")" ""
done
