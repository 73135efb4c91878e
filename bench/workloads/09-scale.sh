# Does it stay as fast when there is much?  The time to fetch 100 records at a
# random offset, to produce one, and to consume 100, in a topic of many records,
# of 1,000 partitions, and in one of 500 topics, beside one topic of 1,000,000
# records in one partition.  And the time to produce one record and consume it,
# by a group that has read all else.
#
# Before, everything is in the state that maintenance and VACUUM leave it in, and
# written to disk; and no measurement begins while one of these is at work.
#
# The disk is not measured, nor what the kernel keeps of it in memory: here the
# server has shared_buffers of 60 percent of the machine's memory, into which all
# goes if that is 24 GB.  The kernel should have huge pages for that (vm.nr_hugepages):
# else each of many small pages is a fault to the process that looks at it first, and
# there are more of them in the large topic.
#
# Times are medians over the transactions of one client, which do not wait for
# the disk.  The cases take turns, some tenths of a second long.  The client goes
# round the topics, and the first round of a turn does not count, but has lines of
# its own: a session that has not used a topic reads the catalog for it.  What
# going round costs PostgreSQL, whatever the extension does, is told by INSERTs
# round as many tables.
#
# How many pages a call looks at, and how many of them are not in shared_buffers,
# is counted apart from that.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

small=1000000
partitions=1000
topics=500
topic_records=2000

restart_server "$(awk '/^MemTotal/ { printf "shared_buffers=%dMB", $2 / 1024 * 0.6 }' /proc/meminfo)"
sql "SELECT topic.create_topic('small'), topic.create_topic('large'),
	topic.create_topic('partitions', partitions => $partitions);
	SELECT count(topic.create_topic('topic_' || i)) FROM generate_series(1, $topics) i" >/dev/null
sql "$(produce_bulk small $small)"
sql "$(produce_bulk large "$large")"
sql "DO \$\$
	DECLARE
		batch text[] := array_fill(repeat('x', 100), ARRAY[1000]);
	BEGIN
		FOR i IN 1..$partitions LOOP
			PERFORM topic.produce_batch('partitions', batch, partition => i - 1);
		END LOOP;
		FOR i IN 1..$topics LOOP
			FOR j IN 1..$((topic_records / 1000)) LOOP
				PERFORM topic.produce_batch('topic_' || i, batch);
			END LOOP;
		END LOOP;
		FOR i IN 1..$topics LOOP
			EXECUTE format('CREATE TABLE table_%s (
				id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
				created_at timestamptz NOT NULL DEFAULT now(), value text)', i);
		END LOOP;
	END \$\$"

# Wait until neither VACUUM nor maintenance is at work.
wait_until_quiet()
{
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'
			OR backend_type = 'pg_topic maintenance' AND state = 'active'")" = 0 ]; do
		sleep 0.1
	done
}

# Note the milliseconds of a pgbench script's transactions in this round under a
# name; but of the first ones as NAME.first.
#
# usage: latency NAME SCRIPT FIRST
latency()
{
	local first=$3

	echo "$2" >"$workspace/script.sql"
	rm -f "$workspace"/latency.*
	PGOPTIONS="-c synchronous_commit=off" pgbench -n -M prepared -c 1 -t $((first + samples)) -l \
		-D number=0 --log-prefix="$workspace/latency" -f "$workspace/script.sql" \
		>"$workspace/pgbench.log" 2>&1 || die "$(cat "$workspace/pgbench.log")"
	cut -d ' ' -f 3 "$workspace"/latency.* | awk '{ print $1 / 1000 }' >"$workspace/latencies"
	tail -n +$((first + 1)) "$workspace/latencies" >>"$times/$1"
	head -n "$first" "$workspace/latencies" >>"$times/$1.first"
}

# Note the milliseconds of INSERTs by as many prepared statements as there are
# topics, round so many tables, but not of the first round.
#
# usage: insert_latency NAME TABLES
insert_latency()
{
	local tables=$2

	{
		for ((i = 0; i < topics; i++)); do
			echo "PREPARE insert_$i AS
				INSERT INTO table_$((i % tables + 1)) (value) VALUES (repeat('x', 100));"
		done
		for ((i = 0; i < topics + samples; i++)); do
			[ $i != "$topics" ] || echo '\timing on'
			echo "EXECUTE insert_$((i % topics));"
		done
	} | PGOPTIONS="-c synchronous_commit=off" psql -X -q -v ON_ERROR_STOP=1 |
		sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' >>"$times/$1"
}

# Keep the pages that a command looks at, and NAME.missed, those of them that
# are not in shared_buffers: means of some transactions in a session that has
# used the topic before.
#
# usage: pages NAME COMMAND
pages()
{
	local counts

	counts=$(psql -X -q -v ON_ERROR_STOP=1 2>&1 <<-SQL
		DO \$\$
		DECLARE
			plan json;
			hit int := 0;
			missed int := 0;
		BEGIN
			FOR i IN -9..100 LOOP
				EXECUTE \$command\$EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $2\$command\$ INTO plan;
				COMMIT;
				CONTINUE WHEN i <= 0;
				hit := hit + (plan #>> '{0,Plan,Shared Hit Blocks}')::int;
				missed := missed + (plan #>> '{0,Plan,Shared Read Blocks}')::int;
			END LOOP;
			RAISE NOTICE 'pages % %', (hit + missed) / 100.0, missed / 100.0;
		END \$\$;
	SQL
	) || die "$counts"
	counts=${counts##*pages }
	keep "$1" "${counts% *}"
	keep "$1.missed" "${counts#* }"
}

# Set pgbench variables to a partition of a case, its records, and the name of
# the topic.
#
# usage: choose CASE
choose()
{
	case $1 in
		partitions) echo "\\set partition random(0, $((partitions - 1)))
			\\set records 1000" ;;
		topics) echo "\\set partition 0
			\\set records $topic_records
			\\set number :number % $topics + 1" ;;
		*) echo "\\set partition 0
			\\set records ${!1}" ;;
	esac
}

# The SQL of a call, with pgbench's variables.
#
# usage: statement CALL TOPIC
statement()
{
	case $1 in
		fetch) echo "SELECT count(value) FROM topic.fetch($2, partition => :partition,
			from_offset => :from_offset, max_records => 100)" ;;
		produce) echo "SELECT topic.produce($2, repeat('x', 100), partition => :partition)" ;;
		consume) echo "SELECT count(value) FROM topic.consume('bench', $2,
			max_records => 100, commit => true)" ;;
		news) echo "SELECT topic.produce($2, repeat('x', 100), partition => :partition);
			SELECT count(value) FROM topic.consume('idle', $2,
				max_records => 100, commit => true)" ;;
	esac
}

# Have the consumers of a case begin anew, but for the large topic, which they do
# not come to the end of: who has read all has nothing to do.
#
# usage: begin_anew CASE
begin_anew()
{
	local topic="'$1'" number=""

	[ "$1" != large ] || return 0
	[ "$1" != topics ] || topic="'topic_' || i" number="FROM generate_series(1, $topics) i"
	sql "SELECT topic.reset_offsets('bench', $topic, to_position => 'earliest') $number" >/dev/null
}

# Measure a call in a case, for one turn.
#
# usage: measure CALL CASE
measure()
{
	local call=$1 name=$2 topic="'$2'" first=$((samples / 10))

	[ "$name" != topics ] || topic="'topic_' || :number" first=$topics
	[ "$call" != consume ] || begin_anew "$name"
	latency "$call.$name" "$(choose "$name")
		\\set from_offset random(0, :records - 100)
		$(statement "$call" "$topic")" "$first"
}

# Count the pages of a call in a topic that is not one of many.
#
# usage: measure_pages CALL CASE PARTITIONS RECORDS
measure_pages()
{
	local command

	[ "$1" != consume ] || begin_anew "$2"
	command=$(statement "$1" "'$2'")
	command=${command//:partition/floor(random() * $3)::int}
	pages "$1.$2.pages" "${command//:from_offset/floor(random() * ($4 - 100))::bigint}"
}

for name in small large partitions; do
	sql "SELECT topic.reset_offsets('idle', '$name', to_position => 'latest')" >/dev/null
done
sql "CALL topic.maintain()"
sql "VACUUM (ANALYZE)"
sql "CHECKPOINT"
for ((round = 1; round <= rounds; round++)); do
	times=$workspace/times.$round
	mkdir "$times"
	for ((turn = 1; turn <= turns; turn++)); do
		wait_until_quiet
		insert_latency insert.one 1
		insert_latency insert.topics $topics
		for call in fetch produce consume news; do
			wait_until_quiet
			for name in small large partitions topics; do
				[ $call.$name = news.topics ] || measure $call $name
			done
		done
	done
	for file in "$times"/*; do
		keep "$(basename "$file")" "$(percentile 50 <"$file")"
	done
	for call in fetch produce consume; do
		measure_pages $call small 1 $small
		measure_pages $call large 1 "$large"
		measure_pages $call partitions $partitions 1000
	done
done

# Judge a call in a case.
#
# usage: judge_call TITLE CALL CASE
judge_call()
{
	judge "$1" "the small case" "<= 1.2" ms $2.$3 $2.small
	[ -f "$figures/$2.$3.pages" ] || return 0
	judge "... pages that it looks at" "the small case" - pages $2.$3.pages $2.small.pages
	judge "... of these not in shared_buffers" "1 page" - pages $2.$3.pages.missed
}

while read -r name title; do
	judge_call "fetch of 100 records, $title" fetch $name
	judge_call "produce, $title" produce $name
	judge_call "consume of 100 records, $title" consume $name
	[ $name = topics ] || judge_call "produce and consume of 1 record, $title" news $name
done <<-TABLE
	large $(thousands "$large") records
	partitions 1,000 partitions
	topics 500 topics
TABLE
for call in fetch produce consume; do
	judge "$call, pages not in shared_buffers, the small case" "1 page" - pages $call.small.pages.missed
done
for call in fetch produce consume; do
	judge "$call, 500 topics, each for the first time" "the small case" - ms $call.topics.first $call.small
done
keep huge_pages "$(grep -c anon_hugepage "/proc/$(head -n 1 "$server/postmaster.pid")/maps")"
judge "shared_buffers in huge pages: 1; else 0" "1" - "" huge_pages
judge "INSERT, 500 tables" "one table" - ms insert.topics insert.one
restart_server
