# Eight groups that read one topic at once, 1,000 records a commit, beside eight
# consumers of a queue table each, that every record is inserted into, by the
# thousand.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

copies=8
count=$((records / 5))

sql "CREATE PROCEDURE read_topic(reader int) LANGUAGE plpgsql AS \$\$
	DECLARE
		handled int;
	BEGIN
		FOR i IN 1..$((count / 1000)) LOOP
			SELECT count(value) INTO handled
				FROM topic.consume_text('group ' || reader, 'bench', max_records => 1000, commit => true);
			IF handled <> 1000 THEN
				RAISE EXCEPTION '% records', handled;
			END IF;
			COMMIT;
		END LOOP;
	END \$\$"
queues=
fill=
for ((reader = 1; reader <= copies; reader++)); do
	queues+=${queues:+, }queue_$reader
	fill+="INSERT INTO queue_$reader (value) SELECT unnest(batch);"
	sql "CREATE TABLE queue_$reader (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value text);
		CREATE PROCEDURE read_queue_$reader() LANGUAGE plpgsql AS \$\$
		DECLARE
			handled int;
		BEGIN
			FOR i IN 1..$((count / 1000)) LOOP
				WITH taken AS (
					DELETE FROM queue_$reader WHERE id = ANY (ARRAY(
						SELECT id FROM queue_$reader ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED))
					RETURNING value)
				SELECT count(value) INTO handled FROM taken;
				IF handled <> 1000 THEN
					RAISE EXCEPTION '% records', handled;
				END IF;
				COMMIT;
			END LOOP;
		END \$\$"
done

# All readers at once: keep NAME.read, the records that all of them read a
# second; and NAME, the same with the seconds of producing, too.
#
# usage: read_at_once NAME CALL
read_at_once()
{
	local name=$1 reader begun ended readers=()

	begun=$(date +%s.%N)
	for ((reader = 1; reader <= copies; reader++)); do
		sql "CALL ${2//%/$reader}" &
		readers+=($!)
	done
	for reader in "${readers[@]}"; do
		wait "$reader"
	done
	ended=$(date +%s.%N)
	awk -v records=$((copies * count)) -v begun="$begun" -v ended="$ended" \
		-v produced="$(tail -n 1 "$figures/$name.produce.seconds")" \
		'BEGIN { print records / (ended - begun), records / (ended - begun + produced) }' \
		>"$workspace/speeds"
	keep "$name.read" "$(cut -d ' ' -f 1 "$workspace/speeds")"
	keep "$name" "$(cut -d ' ' -f 2 "$workspace/speeds")"
}

for ((round = 1; round <= rounds; round++)); do
	sql "SELECT topic.drop_topic('bench', if_exists => true);
		SELECT topic.create_topic('bench')" >/dev/null
	timed topic.produce "$(produce_bulk bench $count)"
	read_at_once topic "read_topic(%)"

	sql "TRUNCATE $queues"
	timed queues.produce "DO \$\$
		DECLARE
			batch text[] := array_fill(repeat('x', 100), ARRAY[1000]);
		BEGIN
			FOR i IN 1..$((count / 1000)) LOOP
				$fill
			END LOOP;
		END \$\$"
	for ((reader = 1; reader <= copies; reader++)); do
		sql "VACUUM (ANALYZE) queue_$reader"
	done
	read_at_once queues "read_queue_%()"
done

judge "8 groups read a topic" "8 queue tables" ">= 6" records/s topic.read queues.read
judge "8 groups read a topic, producing included" "8 queue tables" ">= 6" records/s topic queues
