# Does it stay as fast while another session holds a snapshot, so that nothing
# can be vacuumed?  The loop of exactly-once consumers; one record a transaction;
# commits of offsets; and for comparison the loop over a SKIP LOCKED queue.  What
# is compared is the last minute with the first; the curves are kept for a
# plot.
#
# The machine's own moods over ten minutes must not count.  So each takes turns, a
# fraction of a second long, with INSERTs, which leave nothing to vacuum and
# cannot mind the snapshot; and what is compared is the quotient of the two
# speeds.  Speed is by the CPU time of the server's processes, and nobody waits
# for the disk.  The speeds themselves have lines of their own, without a target.
# shellcheck shell=bash disable=SC2154 source-path=SCRIPTDIR source=../loops.sh
source bench/loops.sh

prepare_loops $records
create_cpu_seconds
sql "SELECT topic.create_topic('single'), topic.create_topic('committed');
	CREATE TABLE reference (id bigint, value text);
	CREATE TABLE reference_row (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		created_at timestamptz NOT NULL DEFAULT now(), value text)" >/dev/null
sql "$(produce_bulk committed "$commits")"
insert_row="INSERT INTO reference_row (value) VALUES (repeat('x', 100))"

# Points of curves: seconds since the start; operations since the last point,
# and the seconds of CPU time that they took; and the same of the INSERTs.

# What a loop in PL/pgSQL that takes turns with INSERTs needs.
turns_declare="
	start timestamptz := clock_timestamp();
	done int := 0;
	used float := 0;
	inserted int := 0;
	insert_used float := 0;
	begun float"
turns_point="
	RAISE NOTICE 'point % % % % %', extract(epoch FROM clock_timestamp() - start),
		done, used, inserted, insert_used;
	done := 0;
	used := 0;
	inserted := 0;
	insert_used := 0"

# Run a loop for $held_seconds, time and again from its start, which does not
# count; by turns with the sink's INSERT alone, in the same batches, for a fifth
# of the time.
#
# usage: held_loop LOOP RECORDS
held_loop()
{
	local loop=$1

	sql "TRUNCATE sink, queue, reference"
	sql "DO \$\$ BEGIN $(loop_start "$loop" "$2"); END \$\$"
	psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL
		DO \$\$
		DECLARE
			batch_size int := 1000;
			handled int;
			first_id bigint;
			turn timestamptz;
			$turns_declare;
			point timestamptz := start;
		BEGIN
			WHILE clock_timestamp() < start + interval '$held_seconds s' LOOP
				turn := clock_timestamp();
				begun := cpu_seconds();
				WHILE clock_timestamp() < turn + interval '0.2 s' LOOP
					$(loop_body "$loop");
					COMMIT;
					done := done + handled;
					IF handled < batch_size THEN
						used := used + cpu_seconds() - begun;
						TRUNCATE sink;
						$(loop_start "$loop" "$2");
						COMMIT;
						begun := cpu_seconds();
					END IF;
				END LOOP;
				used := used + cpu_seconds() - begun;

				turn := clock_timestamp();
				begun := cpu_seconds();
				WHILE clock_timestamp() < turn + interval '0.05 s' LOOP
					INSERT INTO reference
						SELECT number, repeat('x', 100) FROM generate_series(1, batch_size) number;
					COMMIT;
					inserted := inserted + batch_size;
				END LOOP;
				insert_used := insert_used + cpu_seconds() - begun;

				IF clock_timestamp() > point + interval '$point s' THEN
					$turns_point;
					point := clock_timestamp();
					TRUNCATE reference;
					COMMIT;
				END IF;
			END LOOP;
		END \$\$;
	SQL
}

# Commit each offset of a partition, one after the other; by turns with INSERTs
# of a row, each committed, so many that their turn is long enough to measure.
# The first commit of a session, which looks at all that was produced in one
# transaction, does not count.
held_commits()
{
	local turn=500

	psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL
		DO \$\$
		DECLARE
			$turns_declare;
		BEGIN
			PERFORM topic.commit('bench', 'committed', 0, 0);
			COMMIT;
			FOR turn IN 1..$((commits / turn)) LOOP
				begun := cpu_seconds();
				FOR i IN (turn - 1) * $turn + 1..turn * $turn LOOP
					PERFORM topic.commit('bench', 'committed', 0, i);
					COMMIT;
				END LOOP;
				used := used + cpu_seconds() - begun;
				done := done + $turn;

				begun := cpu_seconds();
				FOR i IN 1..4 * $turn LOOP
					$insert_row;
					COMMIT;
				END LOOP;
				insert_used := insert_used + cpu_seconds() - begun;
				inserted := inserted + 4 * $turn;

				IF turn * $turn % ($commits / 50) = 0 THEN
					$turns_point;
				END IF;
			END LOOP;
		END \$\$;
	SQL
}

# Start 16 clients of a pgbench script.  It is left to itself, and the caller
# learns its process id.
#
# usage: start_clients NAME SCRIPT
start_clients()
{
	echo "$2" >"$workspace/$1.sql"
	PGAPPNAME=$1 pgbench -n -M prepared -c 16 -j 2 -T $((2 * held_seconds + 60)) \
		-f "$workspace/$1.sql" >"$workspace/$1.log" 2>&1 &
	clients=$!
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$1'")" = 16 ]; do
		sleep 0.1
	done
}

# Let clients work for a while, who are stopped before and afterwards.
turn_of_clients()
{
	kill -CONT "$1"
	sleep "$2"
	kill -STOP "$1"
}

# Produce by 16 clients, by turns with 16 clients that INSERT, for a fifth of the
# time.  They only ever work in their turns, so that it is enough to look at
# what each has done, and used, once a turn.
held_singles()
{
	local clients producing inserting turn begun=$SECONDS status=0

	start_clients producing "SELECT topic.produce('single', repeat('x', 100))"
	producing=$clients
	kill -STOP "$producing"
	start_clients inserting "$insert_row"
	inserting=$clients
	kill -STOP "$inserting"
	turn=$(quotient "$point" 10)
	while [ $((SECONDS - begun)) -lt "$held_seconds" ]; do
		turn_of_clients "$producing" "$(quotient "$turn" 1.25)"
		turn_of_clients "$inserting" "$(quotient "$turn" 5)"
		sql "SELECT 'total', extract(epoch FROM now()),
			(SELECT high_watermark FROM topic.offsets('single')),
			sum(cpu_seconds(pid::text)) FILTER (WHERE application_name = 'producing'),
			(SELECT last_value FROM pg_sequences WHERE sequencename = 'reference_row_id_seq'),
			sum(cpu_seconds(pid::text)) FILTER (WHERE application_name = 'inserting')
			FROM pg_stat_activity" || exit
	done | awk -F '|' -v point="$point" '
		function keep() { for (i = 2; i <= 6; i++) last[i] = $i }
		NR == 1 { begun = $2; keep() }
		$2 - last[2] >= point {
			print "NOTICE: point", $2 - begun, $3 - last[3], $4 - last[4], $5 - last[5], $6 - last[6]
			keep()
		}' || status=$?
	kill "$producing" "$inserting"
	kill -CONT "$producing" "$inserting"
	wait "$producing" "$inserting" || true
	return $status
}

# Of the first or the last seconds of points: speed, the INSERTs' speed, and
# their quotient.
#
# usage: mean_speeds SECONDS <POINTS
mean_speeds()
{
	awk -v span="$1" 'NR == 1 { begin = $1 } { at = $1 - begin; at = at < 0 ? -at : at }
		at < span { done += $2; used += $3; inserted += $4; insert_used += $5 }
		END { print done / used, inserted / insert_used, done / used / (inserted / insert_used) }'
}

# Keep a curve, and the mean speeds of its first and last $window seconds, but
# not more than a tenth of it if it was shorter than it may be.
#
# usage: curve NAME TITLE FUNCTION [ARGUMENT...]
curve()
{
	local name=$1 title=$2 points=$figures/$1.points span speed inserts relative end

	"${@:3}" >"$workspace/output" || die "$(tail -n 5 "$workspace/output")"
	sed -n 's/.*NOTICE: *point //p' "$workspace/output" >"$points"
	awk -v title="$title" '$2 > 0 && $4 > 0 {
		printf "curve\t%s\t%s\t%.9g\n", title, $1, $2 / $3 / ($4 / $5) }' \
		"$points" >>"$results/$workload.tsv"
	span=$(tail -n 1 "$points" | awk -v window=$window -v all=$held_seconds \
		'{ print $1 < all / 2 ? $1 * window / all : window }')
	for end in first last; do
		read -r speed inserts relative < <(
			if [ $end = first ]; then cat "$points"; else tac "$points"; fi | mean_speeds "$span")
		keep "$name.$end" "$relative"
		keep "$name.$end.speed" "$speed"
		keep "$name.$end.inserts" "$inserts"
	done
}

hold_snapshot
export PGOPTIONS="-c synchronous_commit=off"
curve consume "exactly once, 1,000 records a commit" held_loop by_consume $records
curve single "one record a transaction" held_singles
curve commit "commits of offsets" held_commits
curve queue "SKIP LOCKED queue" held_loop by_queue $((records / 10))
unset PGOPTIONS
release_snapshot

# Judge a curve, and show what it is made of.
#
# usage: judge_curve NAME TITLE TARGET UNIT
judge_curve()
{
	judge "$2, under a held snapshot" "its start" "$3" "of the INSERTs' speed" "$1.last" "$1.first"
	judge "... its speed, whatever the machine's" "its start" - "$4/CPU s" "$1.last.speed" "$1.first.speed"
	judge "... the INSERTs' beside it" "their start" - "rows/CPU s" "$1.last.inserts" "$1.first.inserts"
}
judge_curve consume "exactly once, 1,000 records a commit" ">= 0.95" records
judge_curve single "one record a transaction, 16 clients" ">= 0.95" records
judge_curve commit "$(thousands "$commits") commits of offsets" ">= 0.95" commits
judge_curve queue "SKIP LOCKED queue" - records
