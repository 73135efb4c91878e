#!/bin/bash
# The flights of demo/ by produce_batch of 1,000, without compression, with lz4
# and with zstd: seconds, and bytes of WAL and on disk for each byte of keys and
# values.  Then reading them: seconds of count and sum of lengths by fetch.
#
# usage: bench/compression.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

codecs=(none lz4 zstd)

begin_bench "$@"
runs=${1:-5}

load_flights
raw_bytes=$(flights_bytes)
for ((run = 1; run <= runs; run++)); do
	for codec in "${codecs[@]}"; do
		sql "SELECT topic.drop_topic('$codec', if_exists => true);
			SELECT topic.create_topic('$codec', compression => '$codec')" >/dev/null
		timed "produce_$codec" "$(produce_flights "$codec")"
		timed "read_$codec" "DO \$\$ BEGIN
			PERFORM count(*), sum(length(value)) FROM topic.fetch('$codec'); END \$\$"
		keep "$codec.disk" "$(topic_bytes "$codec")"
		[ "$(sql "SELECT count(*) FROM topic.fetch_text('$codec') WHERE value IN (SELECT value FROM line)")" = $flights ] ||
			die "not what was produced"
	done
done

echo "$flights flights, $raw_bytes bytes of keys and values, medians of $runs interleaved runs"
printf '%-28s %14s %14s %14s\n' "" "${codecs[@]}"
table_row()
{
	local name=$1 prefix=$2 kind=$3 divisor=$4 codec

	printf '%-28s' "$name"
	for codec in "${codecs[@]}"; do
		printf ' %14s' "$(awk -v a="$(median "$prefix$codec.$kind")" -v b="$divisor" \
			'BEGIN { printf "%.3f", a / b }')"
	done
	echo
}
table_row "produce: seconds" produce_ seconds 1
table_row "WAL bytes per byte" produce_ wal "$raw_bytes"
table_row "disk bytes per byte" "" disk "$raw_bytes"
table_row "read: seconds" read_ seconds 1
