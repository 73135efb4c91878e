# Does it stay as fast when there is much?  The time to fetch 100 records at a
# random offset, to produce one, and to consume 100, in a topic of many records,
# of 1,000 partitions, and in one of 500 topics, beside one topic of 1,000,000
# records in one partition.  And the time to produce one record and consume it,
# by a group that has read all else.
#
# Times are medians over the transactions of one client, which do not wait for
# the disk.  The client goes round the topics, and the first round does not
# count, but has lines of its own: a session that has not used a topic reads
# the catalog for it.  What going round costs PostgreSQL, whatever the
# extension does, is told by INSERTs round as many tables.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

small=1000000
partitions=1000
topics=500
topic_records=2000
samples=$((transactions / 20))

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

# Keep the median milliseconds of a pgbench script's transactions, but for the
# first ones; and, as NAME.first, of these.
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
	cut -d ' ' -f 3 "$workspace"/latency.* | awk '{ print $1 / 1000 }' >"$workspace/times"
	keep "$1" "$(tail -n +$((first + 1)) "$workspace/times" | percentile 50)"
	keep "$1.first" "$(head -n "$first" "$workspace/times" | percentile 50)"
}

# Keep the median milliseconds of INSERTs by as many prepared statements as there
# are topics, round so many tables, but for the first round.
#
# usage: insert_latency NAME TABLES
insert_latency()
{
	local tables=$2

	keep "$1" "$({
		for ((i = 0; i < topics; i++)); do
			echo "PREPARE insert_$i AS
				INSERT INTO table_$((i % tables + 1)) (value) VALUES (repeat('x', 100));"
		done
		for ((i = 0; i < topics + samples; i++)); do
			[ $i != "$topics" ] || echo '\timing on'
			echo "EXECUTE insert_$((i % topics));"
		done
	} | PGOPTIONS="-c synchronous_commit=off" psql -X -q -v ON_ERROR_STOP=1 |
		sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | percentile 50)"
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

for name in small large partitions; do
	sql "SELECT topic.reset_offsets('idle', '$name', to_position => 'latest')" >/dev/null
done
for ((round = 1; round <= rounds; round++)); do
	insert_latency insert.one 1
	insert_latency insert.topics $topics
	for name in small large partitions topics; do
		topic="'$name'"
		first=$((samples / 10))
		[ $name != topics ] || topic="'topic_' || :number" first=$topics
		latency "fetch.$name" "$(choose $name)
			\\set from_offset random(0, :records - 100)
			SELECT count(value) FROM topic.fetch($topic, partition => :partition,
				from_offset => :from_offset, max_records => 100)" $first
		latency "produce.$name" "$(choose $name)
			SELECT topic.produce($topic, repeat('x', 100), partition => :partition)" $first
		latency "consume.$name" "$(choose $name)
			SELECT count(value) FROM topic.consume('bench', $topic,
				max_records => 100, commit => true)" $first
		[ $name = topics ] ||
			latency "news.$name" "$(choose $name)
				SELECT topic.produce($topic, repeat('x', 100), partition => :partition);
				SELECT count(value) FROM topic.consume('idle', $topic,
					max_records => 100, commit => true)" $first
	done
done

while read -r name title; do
	judge "fetch of 100 records, $title" "the small case" "<= 1.2" ms fetch.$name fetch.small
	judge "produce, $title" "the small case" "<= 1.2" ms produce.$name produce.small
	judge "consume of 100 records, $title" "the small case" "<= 1.2" ms consume.$name consume.small
	[ $name = topics ] ||
		judge "produce and consume of 1 record, $title" "the small case" "<= 1.2" ms news.$name news.small
done <<-TABLE
	large $(thousands "$large") records
	partitions 1,000 partitions
	topics 500 topics
TABLE
for call in fetch produce consume; do
	judge "$call, 500 topics, each for the first time" "the small case" - ms $call.topics.first $call.small
done
judge "INSERT, 500 tables" "one table" - ms insert.topics insert.one
