# Does it stay as fast while another session holds a snapshot, so that nothing
# can be vacuumed?  The loop of exactly-once consumers; one record a transaction;
# commits of offsets; and for comparison the loop over a SKIP LOCKED queue.  What
# is compared is the last minute with the first; the curves are kept for a
# plot.
#
# There is no baseline to run in turn with, so what varies by itself must not
# count: nobody waits for the disk at commit, and speed is by the CPU time of the
# server's processes.
# shellcheck shell=bash disable=SC2154 source-path=SCRIPTDIR source=../loops.sh
source bench/loops.sh

prepare_loops $records
create_cpu_seconds
sql "SELECT topic.create_topic('single'), topic.create_topic('committed')" >/dev/null
sql "$(produce_bulk committed "$commits")"

# Points of curves: seconds since the start; operations since the last point;
# and the seconds of CPU time that they took.

# Run a loop for $held_seconds, time and again from its start, which does not
# count.
#
# usage: held_loop LOOP RECORDS
held_loop()
{
	local loop=$1

	sql "TRUNCATE sink, queue"
	psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL
		DO \$\$
		DECLARE
			batch_size int := 1000;
			handled int;
			first_id bigint;
			start timestamptz := clock_timestamp();
			point timestamptz := start;
			begun float := cpu_seconds();
			used float := 0;
			done int := 0;
		BEGIN
			WHILE clock_timestamp() < start + interval '$held_seconds s' LOOP
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
				IF clock_timestamp() > point + interval '$point s' THEN
					used := used + cpu_seconds() - begun;
					RAISE NOTICE 'point % % %', extract(epoch FROM clock_timestamp() - start),
						done, used;
					point := clock_timestamp();
					begun := cpu_seconds();
					used := 0;
					done := 0;
				END IF;
			END LOOP;
		END \$\$;
	SQL
}

# Commit each offset of a partition, one after the other.
held_commits()
{
	psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL
		DO \$\$
		DECLARE
			start timestamptz := clock_timestamp();
			begun float := cpu_seconds();
		BEGIN
			FOR i IN 1..$commits LOOP
				PERFORM topic.commit('bench', 'committed', 0, i);
				COMMIT;
				IF i % ($commits / 50) = 0 THEN
					RAISE NOTICE 'point % % %', extract(epoch FROM clock_timestamp() - start),
						$commits / 50, cpu_seconds() - begun;
					begun := cpu_seconds();
				END IF;
			END LOOP;
		END \$\$;
	SQL
}

held_singles()
{
	local clients status=0

	echo "SELECT topic.produce('single', repeat('x', 100))" >"$workspace/script.sql"
	pgbench -n -M prepared -c 16 -j 2 -T $((2 * held_seconds)) -f "$workspace/script.sql" \
		>"$workspace/pgbench.log" 2>&1 &
	clients=$!
	psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL || status=$?
		DO \$\$
		DECLARE
			start timestamptz := clock_timestamp();
			begun float;
			used float;
			begun_at bigint;
			done bigint;
		BEGIN
			WHILE clock_timestamp() < start + interval '$held_seconds s' LOOP
				-- Each transaction looks at pg_stat_activity anew.
				COMMIT;
				SELECT sum(cpu_seconds(pid::text)), (SELECT high_watermark FROM topic.offsets('single'))
					INTO used, done
					FROM pg_stat_activity WHERE application_name = 'pgbench' HAVING count(*) = 16;
				IF done > begun_at THEN
					RAISE NOTICE 'point % % %', extract(epoch FROM clock_timestamp() - start),
						done - begun_at, used - begun;
				END IF;
				begun := used;
				begun_at := done;
				PERFORM pg_sleep($point);
			END LOOP;
		END \$\$;
	SQL
	kill $clients
	wait $clients || true
	return $status
}

# Keep a curve, and the mean speeds of its first and last $window seconds, but
# not more than a tenth of it if it was shorter than it may be.
#
# usage: curve NAME TITLE FUNCTION [ARGUMENT...]
curve()
{
	local name=$1 title=$2 points=$figures/$1.points span

	"${@:3}" >"$workspace/output" || die "$(tail -n 5 "$workspace/output")"
	sed -n 's/.*NOTICE: *point //p' "$workspace/output" >"$points"
	awk -v title="$title" '$3 > 0 { printf "curve\t%s\t%s\t%.9g\n", title, $1, $2 / $3 }' \
		"$points" >>"$results/$workload.tsv"
	span=$(tail -n 1 "$points" | awk -v window=$window -v all=$held_seconds \
		'{ print $1 < all / 2 ? $1 * window / all : window }')
	keep "$name.first" "$(awk -v span="$span" '$1 <= span { sum += $2; seconds += $3 }
		END { print sum / seconds }' "$points")"
	keep "$name.last" "$(tac "$points" | awk -v span="$span" 'NR == 1 { end = $1 }
		$1 > end - span { sum += $2; seconds += $3 } END { print sum / seconds }')"
}

hold_snapshot
export PGOPTIONS="-c synchronous_commit=off"
curve consume "exactly once, 1,000 records a commit" held_loop by_consume $records
curve single "one record a transaction" held_singles
curve commit "commits of offsets" held_commits
curve queue "SKIP LOCKED queue" held_loop by_queue $((records / 10))
unset PGOPTIONS
release_snapshot

held="under a held snapshot"
judge "exactly once, 1,000 records a commit, $held" "its start" ">= 0.95" "records/CPU s" consume.last consume.first
judge "one record a transaction, 16 clients, $held" "its start" ">= 0.95" "records/CPU s" single.last single.first
judge "$(thousands "$commits") commits of offsets, $held" "its start" ">= 0.95" "commits/CPU s" commit.last commit.first
judge "SKIP LOCKED queue, $held" "its start" - "records/CPU s" queue.last queue.first
