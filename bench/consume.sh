#!/bin/bash
# Consume exactly once: 1,000,000 records of 100 bytes in batches of 1,000,
# each consumed, inserted into a sink and committed in one transaction, beside
# the same loop over a table by ranges of its primary key, with the position in
# a row that is updated.  Prints the medians of interleaved runs and their
# ratio.
#
# usage: bench/consume.sh [runs]

# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

begin_bench "$@"

sql "
	SELECT topic.create_topic('bench');
	$produce_million;

	CREATE TABLE source (id bigint PRIMARY KEY, value text);
	INSERT INTO source
		SELECT i, repeat('x', 100) FROM generate_series(0, 999999) i;
	CREATE TABLE source_position (next_id bigint);
	CREATE TABLE sink (id bigint, value text);

	CREATE PROCEDURE copy_by_key() LANGUAGE plpgsql AS \$\$
	DECLARE
		first_id bigint;
	BEGIN
		FOR i IN 1..1000 LOOP
			SELECT next_id INTO first_id FROM source_position;
			INSERT INTO sink SELECT id, value FROM source
				WHERE id >= first_id AND id < first_id + 1000;
			UPDATE source_position SET next_id = next_id + 1000;
			COMMIT;
		END LOOP;
	END \$\$;

	CREATE PROCEDURE copy_by_consume() LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR i IN 1..1000 LOOP
			INSERT INTO sink SELECT record_offset, value
				FROM topic.consume_text('bench', 'bench', max_records => 1000);
			PERFORM topic.commit('bench', 'bench');
			COMMIT;
		END LOOP;
	END \$\$" >/dev/null
sql "VACUUM (ANALYZE) source"

# Every record once, or the figure is worth nothing.
check_sink()
{
	[ "$(sql "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM sink")" = \
		"1000000|1000000|0|999999" ] || die "the sink is not the source"
}

by_key()
{
	sql "TRUNCATE sink; TRUNCATE source_position; INSERT INTO source_position VALUES (0)"
	measure "CALL copy_by_key()"
	check_sink
}

by_consume()
{
	sql "TRUNCATE sink;
		SELECT * FROM topic.reset_offsets('bench', 'bench', to_position => 'earliest')" >/dev/null
	measure "CALL copy_by_consume()"
	check_sink
}

for ((run = 1; run <= runs; run++)); do
	record by_key by_key
	record by_consume by_consume
done

row "" "by key range" consume ratio
row seconds "$(median by_key seconds)" "$(median by_consume seconds)" \
	"$(ratio "$(median by_key seconds)" "$(median by_consume seconds)") times the speed"
