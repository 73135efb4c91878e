#!/bin/bash
# Producing through SQL's own doors: 1,000,000 records of 100 bytes in one
# transaction by INSERT ... SELECT into the topic's relation, by COPY from a
# file, and by send(), each beside produce_batch of 1,000. Prints the medians
# of interleaved runs, and their ratios to produce_batch.
#
# usage: bench/insert.sh [runs]

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

begin_bench "$@"

produce()
{
	measure "$produce_million"
}

insert()
{
	measure "INSERT INTO topics.bench (value)
		SELECT repeat('x', 100) FROM generate_series(1, 1000000)"
}

copy()
{
	measure "COPY topics.bench (value) FROM '$workspace/values'"
}

send()
{
	measure "SELECT count(topic.send('bench', repeat('x', 100)))
		FROM generate_series(1, 1000000)"
}

sql "COPY (SELECT repeat('x', 100) FROM generate_series(1, 1000000))
	TO '$workspace/values'"
for ((run = 1; run <= runs; run++)); do
	for way in produce insert copy send; do
		sql "SELECT topic.drop_topic('bench', if_exists => true);
			SELECT topic.create_topic('bench')" >/dev/null
		record $way $way
	done
done

produce_seconds=$(median produce seconds)
row "" seconds "times produce_batch" ""
row produce_batch "$produce_seconds" 1.00 ""
for way in insert copy send; do
	seconds=$(median $way seconds)
	row "$way" "$seconds" "$(ratio "$seconds" "$produce_seconds")" ""
done
