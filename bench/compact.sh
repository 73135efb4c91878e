#!/bin/bash
# Compaction of 1,000,000 updates of 10,000 keys, and merging of 1,000,000
# batches of one record: seconds, bytes on disk before and after, and the bytes
# of WAL that it takes.  The compacted log must equal SELECT DISTINCT ON (key),
# and the merged one what was there before.  Beside them, as baselines: the
# DISTINCT ON into a table, and a copy of the records into a table.
#
# usage: bench/compact.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin_bench "$@"
runs=${1:-5}

for ((run = 1; run <= runs; run++)); do
	sql "DROP TABLE IF EXISTS latest, copied;
		SELECT topic.drop_topic('updates', if_exists => true),
			topic.drop_topic('singles', if_exists => true);
		SELECT topic.create_topic('updates', cleanup_policy => 'compact');
		DO \$\$
		BEGIN
			FOR i IN 0..999 LOOP
				PERFORM topic.produce_batch('updates',
					array_agg(format('%s %s', i, repeat('x', 90))),
					array_agg(format('key %s', (i * 1000 + j)::bigint * 7919 % 10000)))
				FROM generate_series(1, 1000) j;
			END LOOP;
		END \$\$;
		SELECT topic.roll_segment('updates')" >/dev/null
	timed distinct "CREATE TABLE latest AS
		SELECT DISTINCT ON (key) * FROM topics.updates ORDER BY key, record_offset DESC"
	updates_before=$(topic_bytes updates)
	timed compact "CALL topic.maintain()"
	updates_after=$(topic_bytes updates)
	[ "$(sql "SELECT count(*) FROM (TABLE latest EXCEPT ALL TABLE topics.updates) d")" = 0 ] ||
		die "a latest record is missing"
	[ "$(sql "SELECT count(*) FROM topics.updates")" = 10000 ] ||
		die "records are left that are not the latest"

	sql "SELECT topic.create_topic('singles');
		SELECT count(topic.produce('singles', repeat('x', 100))) FROM generate_series(1, 1000000);
		SELECT topic.roll_segment('singles')" >/dev/null
	timed copy "CREATE TABLE copied AS SELECT * FROM topics.singles"
	singles_before=$(topic_bytes singles)
	timed merge "CALL topic.maintain()"
	singles_after=$(topic_bytes singles)
	[ "$(sql "SELECT count(*) FROM (TABLE copied EXCEPT ALL TABLE topics.singles) d")" = 0 ] ||
		die "a record is missing"
done

row "" compaction merging ""
row seconds "$(median compact.seconds)" "$(median merge.seconds)" ""
row "DISTINCT ON, copy: seconds" "$(median distinct.seconds)" "$(median copy.seconds)" ""
row "bytes on disk before" "$updates_before" "$singles_before" ""
row "bytes on disk after" "$updates_after" "$singles_after" ""
row "WAL bytes" "$(median compact.wal)" "$(median merge.wal)" ""
