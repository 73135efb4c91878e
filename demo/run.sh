#!/usr/bin/env bash
# The demonstration: 20,000 flights go through a topic, two groups consume
# them, a worker is terminated and the server crashed meanwhile, and in the end
# every flight has been counted once.  Fails if not.
#
#	demo/run.sh --crash
#
# Makes its tables in the database that PGHOST, PGDATABASE and so on name, with
# pg_topic installed on its server.  It kills a server process with SIGKILL, so
# it must run as the server's user, on a server that may crash: --crash says
# that you know.
set -euo pipefail
cd "$(dirname "$0")"

[ "${1-}" = --crash ] || {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
	exit 2
}

bold='' plain=''
if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

step=0
chapter()
{
	step=$((step + 1))
	printf '\n%s%d  %s%s\n\n' "$bold" $step "$1" "$plain"
}

# Lines of the story
say()
{
	printf '%s\n' "$@" | indented
}

indented()
{
	sed 's/^./   &/; s/ *$//'
}

# SQL from standard input, its answer as a table in the story.
table()
{
	psql -X -q -v ON_ERROR_STOP=1 -P footer=off | indented
}

# The single value that a query returns.
value()
{
	psql -X -qtA -v ON_ERROR_STOP=1 -c "$1"
}

# Wait until a query returns true.
await()
{
	local tries

	for tries in {1..600}; do
		[ "$(value "$1" 2>/dev/null)" != t ] || return 0
		sleep 0.05
	done
	echo "$0: waited in vain, $tries times, for: $1" >&2
	exit 1
}

# What a worker does: a batch, which takes some seconds.
#
# usage: consume_batch NAME SECONDS
consume_batch()
{
	PGAPPNAME=$1 psql -X -q -v ON_ERROR_STOP=1 -v seconds="$2" \
		-f delay_stats.sql >/dev/null 2>&1
}

# A worker: batch after batch until there is no lag.  Where its connection
# breaks, it makes a new one and goes on.
worker()
{
	until [ "$(value "$no_lag" 2>/dev/null)" = t ]; do
		consume_batch "$1" 0.1 || sleep 0.2
	done
}
no_lag="SELECT sum(lag) = 0 FROM topic.lag WHERE group_id = 'delay_stats'"

# A worker that dawdles between writing and committing.  Sets pid to that of
# its server process.
start_slow_worker()
{
	consume_batch slow_worker 300 &
	await "SELECT count(*) = 1 FROM pg_stat_activity
		WHERE application_name = 'slow_worker' AND wait_event = 'PgSleep'"
	pid=$(value "SELECT pid FROM pg_stat_activity WHERE application_name = 'slow_worker'")
}

# How far the group delay_stats is, and who is at work
show_progress()
{
	table <<-'SQL'
		SELECT partition, committed_offset, high_watermark, lag, application_name AS claimed_by
		FROM topic.lag LEFT JOIN pg_stat_activity ON pid = claimed_by_pid
		WHERE group_id = 'delay_stats' ORDER BY partition;
	SQL
}

# Show a moment at which all of so many workers are at work, and none is between
# two batches; if one comes soon.
#
# usage: show_progress_of COUNT
show_progress_of()
{
	local tries progress

	for tries in {1..40}; do
		progress=$(show_progress)
		[ "$(grep -c worker <<<"$progress")" -lt "$1" ] || break
	done
	printf '%s\n\n' "$progress"
}

# What its table and its offsets tell; both in one snapshot.
progress()
{
	value "SELECT format('%s flights in delay_stats, committed offsets add up to %s',
		(SELECT to_char(sum(flights), 'FM99,999') FROM delay_stats),
		(SELECT to_char(sum(committed_offset), 'FM99,999')
		 FROM topic.committed('delay_stats', 'flights')))"
}

# A number with its thousands separated
number()
{
	sed -E 's/([0-9])([0-9]{3})$/\1,\2/' <<<"$1"
}

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

chapter "20,000 flights into a topic of four partitions"

table <<'SQL'
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('flights', partitions => 4, value_format => 'json') \g /dev/null

CREATE TABLE flight_file (line int GENERATED ALWAYS AS IDENTITY, flight jsonb NOT NULL);
\copy flight_file (flight) from flights-20k.jsonl
SQL
say "topic.create_topic('flights', partitions => 4, value_format => 'json')" \
	"topic.produce_batch('flights', ...), 1,000 records at a time" \
	"The key is the airport of origin." ''
started=${EPOCHREALTIME/./}
produced=$(value "
	SELECT sum(record_count)
	FROM (
		SELECT array_agg(flight ORDER BY line) AS flights,
			array_agg(flight->>'origin' ORDER BY line) AS airports,
			array_agg((flight->>'date')::timestamp AT TIME ZONE 'UTC' ORDER BY line) AS times
		FROM flight_file GROUP BY (line - 1) / 1000 ORDER BY min(line)) chunk,
		topic.produce_batch('flights', flights, keys => airports, record_timestamps => times)")
ended=${EPOCHREALTIME/./}
table <<'SQL'
SELECT partition, count(*) AS records, count(DISTINCT key) AS airports,
	min(record_offset) AS first_offset, max(record_offset) AS last_offset
FROM topics.flights GROUP BY partition ORDER BY partition;
SQL
say "$(number "$produced") records produced in $(((ended - started) / 1000)) ms." \
	"A key is always in the same partition: an airport's flights keep their order."

chapter "A worker is terminated between its write and its commit"

table <<'SQL'
CREATE TABLE delay_stats (airport text PRIMARY KEY, flights int, late int, minutes int);
SQL
say "Group delay_stats maintains a table: delays by airport. Each batch is one" \
	"transaction: topic.consume_json(), INSERT ... ON CONFLICT, topic.commit()." \
	"See demo/delay_stats.sql." ''
consume_batch worker 0
say "After one batch:" "    $(progress)" ''
start_slow_worker
say "A slow worker has consumed the next 250 and written its rows, but not" \
	"committed yet:" ''
show_progress
say "Where committed_offset is empty, the group has not committed yet: it begins" \
	"at the first record." ''
value "SELECT pg_terminate_backend($pid)" >/dev/null
await "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)"
say "SELECT pg_terminate_backend($pid)" '' \
	"Afterwards:" "    $(progress)" '' \
	"As if it had never begun. Its partition is free at once: no session timeout," \
	"no rebalance."

chapter "Three workers in parallel, and kill -9 of a server process"

start_slow_worker
for name in worker_1 worker_2 worker_3; do
	worker $name &
done
await "SELECT sum(committed_offset) >= 5000 FROM topic.committed('delay_stats', 'flights')"
say "A slow worker has claimed a partition; three others share the rest. In the" \
	"middle of it:" ''
show_progress_of 4
kill -9 "$pid"
say "kill -9 $pid" '' \
	"PostgreSQL answers the loss of a process by restarting them all, and" \
	"recovers from the WAL. Every open transaction is gone, those of the three" \
	"others too. They connect again, go on from the committed offsets, and come" \
	"to the end:" ''
await "$no_lag"
show_progress
say "$(progress)"

chapter "Another group replays the topic from the start"

table <<'SQL'
CREATE TABLE replayed (partition int, record_offset bigint, flight jsonb,
	PRIMARY KEY (partition, record_offset));
SQL
replay="INSERT INTO replayed SELECT partition, record_offset, value
	FROM topic.consume_json('replay', 'flights', max_records => 100000, commit => true)"
value "$replay"
first=$(value "SELECT count(*) FROM replayed")
value "SELECT FROM topic.reset_offsets('replay', 'flights', to_position => 'earliest');
	TRUNCATE replayed" >/dev/null
value "$replay"
second=$(value "SELECT count(*) FROM replayed")
march=$(value "SELECT FROM topic.reset_offsets('replay', 'flights', to_time => '2001-03-01 00:00+00');
	SELECT count(*) FROM topic.consume_json('replay', 'flights', max_records => 100000, commit => true)" |
	tail -n 1)
say "Consumed records stay. One statement consumes, writes and commits:" "" \
	"INSERT INTO replayed SELECT partition, record_offset, value" \
	"FROM topic.consume_json('replay', 'flights', ..., commit => true);" \
	"    -- $(number "$first") records" \
	"topic.reset_offsets('replay', 'flights', to_position => 'earliest')" \
	"    -- and again $(number "$second")" \
	"topic.reset_offsets('replay', 'flights', to_time => '2001-03-01 ...')" \
	"    -- $(number "$march"), from March on"

chapter "The proof: what the groups wrote, against the file itself"

wrong=0
# A number of differences that has to be zero
expect_none()
{
	local differences

	differences=$(value "$2")
	say "$(printf '%-72s %s' "$1" "$differences")"
	[ "$differences" = 0 ] || wrong=1
}

expect_none "airports whose row in delay_stats differs from the file's aggregate" "
	WITH expected AS (
		SELECT flight->>'origin' AS airport, count(*) AS flights,
			count(*) FILTER (WHERE (flight->>'delay')::int >= 15) AS late,
			sum((flight->>'delay')::int) AS minutes
		FROM flight_file GROUP BY airport)
	SELECT count(*) FROM expected e FULL JOIN delay_stats s USING (airport)
	WHERE (e.flights, e.late, e.minutes) IS DISTINCT FROM (s.flights, s.late, s.minutes)"
expect_none "flights in the file that delay_stats does not count, or counts twice" \
	"SELECT abs(sum(flights) - (SELECT count(*) FROM flight_file)) FROM delay_stats"
expect_none "flights that were lost or repeated in the replay" "
	SELECT count(*) FROM (
		(SELECT flight FROM flight_file EXCEPT ALL SELECT flight FROM replayed) UNION ALL
		(SELECT flight FROM replayed EXCEPT ALL SELECT flight FROM flight_file)) difference"
expect_none "flights of an airport that were replayed out of order" "
	SELECT count(*) FROM (
		SELECT flight->>'date' < lag(flight->>'date') OVER (
			PARTITION BY partition, flight->>'origin' ORDER BY record_offset) AS late
		FROM replayed) flights WHERE late"
if [ $wrong != 0 ]; then
	say "" "${bold}NOT exactly once.${plain}"
	exit 1
fi
say "" "${bold}Every flight exactly once.${plain}" ""
table <<'SQL'
SELECT airport, flights, round(100.0 * late / flights, 1) AS percent_late,
	round(1.0 * minutes / flights, 1) AS mean_delay
FROM delay_stats WHERE flights >= 100 ORDER BY percent_late DESC, airport LIMIT 5;
SQL
say "The lag of all groups, in the view topic.lag:" ""
table <<'SQL'
SELECT group_id, topic, partition, committed_offset, high_watermark, lag
FROM topic.lag ORDER BY group_id, topic, partition;
SQL
