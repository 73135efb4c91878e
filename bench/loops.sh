# Consumers' loops that workloads compare: by_consume, from a topic; by_key,
# from a table by ranges of its key, with the position in a row that is updated;
# by_queue, from a table whose rows are deleted.  Each inserts a batch of
# records into table sink and commits.  And sink_alone, which does no more than
# that.  Sourced, never run.
# shellcheck shell=bash source-path=SCRIPTDIR source=lib.sh

# What a loop does in a transaction, in PL/pgSQL: it handles batch_size records,
# and sets handled to their number.
#
# usage: loop_body LOOP
loop_body()
{
	case $1 in
		by_consume) echo "
			INSERT INTO sink SELECT record_offset, value
				FROM topic.consume_text('bench', 'bench', max_records => batch_size);
			GET DIAGNOSTICS handled = ROW_COUNT;
			PERFORM topic.commit('bench', 'bench')" ;;
		by_key) echo "
			SELECT next_id INTO first_id FROM source_position;
			INSERT INTO sink SELECT id, value FROM source
				WHERE id >= first_id AND id < first_id + batch_size;
			GET DIAGNOSTICS handled = ROW_COUNT;
			UPDATE source_position SET next_id = next_id + batch_size" ;;
		by_queue) echo "
			WITH taken AS (
				DELETE FROM queue WHERE id = ANY (ARRAY(
					SELECT id FROM queue ORDER BY id LIMIT batch_size FOR UPDATE SKIP LOCKED))
				RETURNING id, value)
			INSERT INTO sink SELECT id, value FROM taken;
			GET DIAGNOSTICS handled = ROW_COUNT" ;;
		sink_alone) echo "
			INSERT INTO sink SELECT generate_series((i - 1) * batch_size, i * batch_size - 1),
				repeat('x', 100);
			GET DIAGNOSTICS handled = ROW_COUNT" ;;
	esac
}

# Put a loop back to its start, so many records before it.
#
# usage: loop_start LOOP RECORDS
loop_start()
{
	case $1 in
		by_consume) echo "PERFORM topic.reset_offsets('bench', 'bench', to_position => 'earliest')" ;;
		by_key) echo "UPDATE source_position SET next_id = 0" ;;
		by_queue) echo "INSERT INTO queue (value)
			SELECT repeat('x', 100) FROM generate_series(1, $2)" ;;
		sink_alone) echo "NULL" ;;
	esac
}

# Make topic bench and the tables, with so many records, and procedures of the
# loops' names.
prepare_loops()
{
	local loop

	sql "SELECT topic.create_topic('bench');
		CREATE TABLE source (id bigint PRIMARY KEY, value text);
		INSERT INTO source
			SELECT i, repeat('x', 100) FROM generate_series(0, $(($1 - 1))) i;
		CREATE TABLE source_position (next_id bigint);
		INSERT INTO source_position VALUES (0);
		CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value text);
		CREATE TABLE sink (id bigint, value text)" >/dev/null
	sql "$(produce_bulk bench "$1")"
	sql "VACUUM (ANALYZE) source"
	for loop in by_consume by_key by_queue sink_alone; do
		sql "CREATE PROCEDURE $loop(batch_size int, record_count int) LANGUAGE plpgsql AS \$\$
			DECLARE
				handled int;
				first_id bigint;
			BEGIN
				FOR i IN 1..record_count / batch_size LOOP
					$(loop_body $loop);
					IF handled <> batch_size THEN
						RAISE EXCEPTION '% records, not %', handled, batch_size;
					END IF;
					COMMIT;
				END LOOP;
			END \$\$"
	done
}

# Run a loop from its start and keep its records a second.
#
# usage: run_loop NAME LOOP BATCH_SIZE RECORDS
run_loop()
{
	local name=$1 loop=$2 batch_size=$3 count=$4

	sql "TRUNCATE sink, queue"
	sql "DO \$\$ BEGIN $(loop_start "$loop" "$count"); END \$\$"
	[ "$loop" != by_queue ] || sql "VACUUM (ANALYZE) queue"
	timed "$name" "CALL $loop($batch_size, $count)" "$count"
	# Every record once, in the sink, or the figure is worth nothing.
	[ "$(sql "SELECT count(*), count(DISTINCT id), max(id) - min(id) + 1 FROM sink")" = \
		"$count|$count|$count" ] || die "$loop: the sink is not the source"
}
