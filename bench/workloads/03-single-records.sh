# One record of 100 bytes a transaction, by pgbench with prepared statements,
# by 1 client and by 16, into one partition and into 16.  Beside it: a plain
# INSERT of the same values; and an INSERT with an offset from a counter row,
# which is locked until commit.  Then the same without waiting for the disk at
# commit, which tells more of what it costs.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

sql "SELECT topic.create_topic('one'), topic.create_topic('sixteen', partitions => 16);
	CREATE TABLE inserted (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		created_at timestamptz NOT NULL DEFAULT now(), value text);
	CREATE TABLE counter (next_offset bigint);
	INSERT INTO counter VALUES (0);
	CREATE TABLE counted (
		record_offset bigint PRIMARY KEY,
		created_at timestamptz NOT NULL DEFAULT now(), value text)" >/dev/null

value="repeat('x', 100)"
insert="INSERT INTO inserted (value) VALUES ($value)"
counted="WITH n AS (UPDATE counter SET next_offset = next_offset + 1 RETURNING next_offset)
	INSERT INTO counted (record_offset, value) SELECT next_offset, $value FROM n"

for ((round = 1; round <= rounds; round++)); do
	for clients in 1 16; do
		for wait in on off; do
			export PGOPTIONS="-c synchronous_commit=$wait"
			tps "insert.$clients.$wait" $clients $seconds "$insert"
			tps "sixteen.$clients.$wait" $clients $seconds "SELECT topic.produce('sixteen', $value)"
			tps "one.$clients.$wait" $clients $seconds "SELECT topic.produce('one', $value)"
		done
	done
	PGOPTIONS="-c synchronous_commit=on" tps counted 16 $seconds "$counted"
	unset PGOPTIONS
done

for clients in 1 16; do
	title="one record a transaction, $clients client"
	[ $clients = 1 ] || title+=s
	judge "$title, 16 partitions" INSERT ">= 0.95" tps sixteen.$clients.on insert.$clients.on
	judge "$title, 1 partition" INSERT ">= 0.85" tps one.$clients.on insert.$clients.on
	judge "... not waiting for the disk, 16 partitions" INSERT - tps sixteen.$clients.off insert.$clients.off
	judge "... not waiting for the disk, 1 partition" INSERT - tps one.$clients.off insert.$clients.off
done
judge "$title, 1 partition" "counter row" ">= 4" tps one.16.on counted
