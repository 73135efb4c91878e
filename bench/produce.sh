#!/bin/bash
# Bulk produce: 1,000,000 records of 100 bytes in one session, produce_batch of
# 1,000, beside INSERT ... SELECT of the same values into a table with an
# identity primary key.  Prints the medians of interleaved runs, their ratio,
# and the bytes of WAL and disk per byte of payload.
#
# usage: bench/produce.sh [runs]

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

begin_bench "$@"

insert()
{
	measure "INSERT INTO baseline (value)
		SELECT repeat('x', 100) FROM generate_series(1, 1000000)"
}

produce()
{
	measure "$produce_million"
}

for ((run = 1; run <= runs; run++)); do
	sql "DROP TABLE IF EXISTS baseline;
		CREATE TABLE baseline (
			id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			created_at timestamptz NOT NULL DEFAULT now(), value text)"
	sql "SELECT topic.drop_topic('bench', if_exists => true);
		SELECT topic.create_topic('bench')" >/dev/null
	record insert insert
	record produce produce
done

insert_disk=$(sql "SELECT pg_total_relation_size('baseline')")
produce_disk=$(sql "SELECT total_bytes FROM topic.topic_stats WHERE topic = 'bench'")
payload=100000000

row "" "INSERT ... SELECT" produce_batch ratio
row seconds "$(median insert seconds)" "$(median produce seconds)" \
	"$(ratio "$(median insert seconds)" "$(median produce seconds)") times as fast"
row "WAL bytes per payload byte" \
	"$(ratio "$(median insert wal)" $payload)" \
	"$(ratio "$(median produce wal)" $payload)" ""
row "disk bytes per payload byte" \
	"$(ratio "$insert_disk" $payload)" "$(ratio "$produce_disk" $payload)" ""
