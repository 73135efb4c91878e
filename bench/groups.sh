#!/bin/bash
# Members of a group: how many operations a second of CPU time at the start, and
# after 10,000 members have come and gone; and the same again while another
# session holds an old snapshot, so that nothing that was replaced can be
# removed.
#
# A cycle is five operations in four transactions: a member joins a group of
# ten who share 32 partitions, and says that it is alive; another one polls and
# commits what it polled; the new one leaves.  CPU time is the server process's,
# which the disk and other work on the machine disturb less than the clock.
#
# usage: bench/groups.sh [members]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin_bench "$@"
members=${1:-10000}
sample=1000

create_cpu_seconds
sql "ALTER DATABASE postgres SET synchronous_commit = off"
sql "
	SELECT topic.create_topic('orders', 16), topic.create_topic('payments', 16);
	CREATE PROCEDURE prepare_group(group_id text) LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR i IN 1..10 LOOP
			PERFORM FROM topic.join_group(group_id, ARRAY['orders', 'payments'],
				'standing ' || i, session_timeout => '1 day');
		END LOOP;
		-- Each gives up what the others shall have.
		FOR i IN 1..20 LOOP
			COMMIT;
			PERFORM FROM topic.poll(group_id, 'standing ' || i % 10 + 1);
		END LOOP;
	END \$\$;

	CREATE PROCEDURE cycles(group_id text, count int) LANGUAGE plpgsql AS \$\$
	DECLARE
		member text;
		epoch int;
	BEGIN
		FOR i IN 1..count LOOP
			SELECT j.member_id, j.member_epoch INTO member, epoch
				FROM topic.join_group(group_id, ARRAY['orders', 'payments'],
					session_timeout => '1 day') j;
			COMMIT;
			PERFORM FROM topic.heartbeat(group_id, member, epoch);
			COMMIT;
			PERFORM topic.produce('orders', 'record', partition => i % 16);
			PERFORM FROM topic.poll(group_id, 'standing ' || i % 10 + 1);
			PERFORM FROM topic.commit_polled(group_id, 'standing ' || i % 10 + 1);
			COMMIT;
			PERFORM topic.leave_group(group_id, member);
			COMMIT;
		END LOOP;
	END \$\$" >/dev/null

# Operations a second over a sample of cycles of a group.
speed()
{
	psql -X -A -t -q -v ON_ERROR_STOP=1 <<-SQL
		SELECT cpu_seconds() AS begun \\gset
		CALL cycles('$1', $sample);
		SELECT round(5 * $sample / (cpu_seconds() - :begun));
	SQL
}

# usage: run_group GROUP LABEL
run_group()
{
	local start end

	sql "CALL prepare_group('$1')"
	start=$(speed "$1")
	sql "CALL cycles('$1', $((members - 2 * sample)))"
	end=$(speed "$1")
	row "$2" "$start" "$end" "$(ratio "$end" "$start") times the speed"
}

row "operations a second" "at the start" "after $members members" ""
run_group fresh "nobody holds a snapshot"

hold_snapshot
run_group held "an old snapshot is held"
release_snapshot
