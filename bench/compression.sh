#!/bin/bash
# The flights of demo/ by produce_batch of 1,000, without compression, with lz4
# and with zstd: seconds, and bytes of WAL and on disk for each byte of keys and
# values.  Then reading them: seconds of count and sum of lengths by fetch.
#
# usage: bench/compression.sh [runs]

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

codecs=(none lz4 zstd)

begin_bench "$@"

# Twenty times the file, so that what a topic takes without a record is little.
load_flights()
{
	sql "CREATE TABLE line (number int GENERATED ALWAYS AS IDENTITY, value text)"
	psql -X -q -c "\copy line (value) FROM 'demo/flights-20k.jsonl' (FORMAT csv, QUOTE e'\x01', DELIMITER e'\x02')"
	sql "CREATE TABLE batch AS
		SELECT array_agg(value ORDER BY number) AS record_values,
			array_agg(value::json ->> 'origin' ORDER BY number) AS keys
		FROM line GROUP BY number / 1000"
	raw_bytes=$(sql "SELECT 20 * sum(length(value) + length(value::json ->> 'origin')) FROM line")
}

produce_flights()
{
	measure "DO \$\$
		BEGIN
			FOR i IN 1..20 LOOP
				PERFORM topic.produce_batch('$codec', record_values, keys) FROM batch;
			END LOOP;
		END \$\$"
}

read_flights()
{
	measure "DO \$\$ BEGIN PERFORM count(*), sum(length(value)) FROM topic.fetch('$codec'); END \$\$"
}

load_flights
for ((run = 1; run <= runs; run++)); do
	for codec in "${codecs[@]}"; do
		sql "SELECT topic.drop_topic('$codec', if_exists => true);
			SELECT topic.create_topic('$codec', compression => '$codec')" >/dev/null
		record "produce_$codec" produce_flights
		record "read_$codec" read_flights
		sql "SELECT total_bytes FROM topic.topic_stats WHERE topic = '$codec'" \
			>>"$workspace/$codec.disk"
		[ "$(sql "SELECT count(*) FROM topic.fetch_text('$codec') WHERE value IN (SELECT value FROM line)")" = 400000 ] ||
			die "not what was produced"
	done
done

echo "400,000 flights, $raw_bytes bytes of keys and values, medians of $runs interleaved runs"
printf '%-28s %14s %14s %14s\n' "" "${codecs[@]}"
table_row()
{
	local name=$1 prefix=$2 kind=$3 divisor=$4 codec

	printf '%-28s' "$name"
	for codec in "${codecs[@]}"; do
		printf ' %14s' "$(awk -v a="$(median "$prefix$codec" "$kind")" -v b="$divisor" \
			'BEGIN { printf "%.3f", a / b }')"
	done
	echo
}
table_row "produce: seconds" produce_ seconds 1
table_row "WAL bytes per byte" produce_ wal "$raw_bytes"
table_row "disk bytes per byte" "" disk "$raw_bytes"
table_row "read: seconds" read_ seconds 1
