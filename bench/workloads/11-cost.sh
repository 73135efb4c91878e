# What sending a record with each transaction costs the application: pgbench's
# TPC-B, alone; with a record produced; with a plain INSERT into an outbox
# table.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

pgbench -i -q -s 16 >"$workspace/pgbench.log" 2>&1 || die "$(cat "$workspace/pgbench.log")"
sql "SELECT topic.create_topic('accounts', partitions => 4);
	CREATE TABLE outbox (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		created_at timestamptz NOT NULL DEFAULT now(), key text, value text)" >/dev/null

# TPC-B's transaction with another statement in it.
tpcb()
{
	cat <<-SQL
		\\set account random(1, 100000 * :scale)
		\\set branch random(1, :scale)
		\\set teller random(1, 10 * :scale)
		\\set delta random(-5000, 5000)
		BEGIN;
		UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :account;
		SELECT abalance FROM pgbench_accounts WHERE aid = :account;
		UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :teller;
		UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :branch;
		INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
			VALUES (:teller, :branch, :account, :delta, CURRENT_TIMESTAMP);
		$1
		COMMIT;
	SQL
}

payload="format('{\"account\": %s, \"delta\": %s}', :account::int, :delta::int)"
for ((round = 1; round <= rounds; round++)); do
	for wait in on off; do
		export PGOPTIONS="-c synchronous_commit=$wait"
		tps alone.$wait 8 $seconds "$(tpcb "")" -D scale=16
		tps outbox.$wait 8 $seconds "$(tpcb "INSERT INTO outbox (key, value)
			VALUES (:account::text, $payload);")" -D scale=16
		tps topic.$wait 8 $seconds "$(tpcb "SELECT topic.produce('accounts',
			$payload, key => :account::text);")" -D scale=16
		unset PGOPTIONS
	done
done

judge "TPC-B with a record sent" "INSERT into an outbox" ">= 0.95" tps topic.on outbox.on
judge "TPC-B with a record sent" "without" - tps topic.on alone.on
judge "... not waiting for the disk" "INSERT into an outbox" - tps topic.off outbox.off
judge "... not waiting for the disk" "without" - tps topic.off alone.off
