# The loop of exactly-once consumers with 1 record and with 10 records a commit,
# beside the SKIP LOCKED queue.  Then the same without waiting for the disk at
# commit, which tells more of what it costs.
# shellcheck shell=bash disable=SC2154 source-path=SCRIPTDIR source=../loops.sh
source bench/loops.sh

prepare_loops $((transactions * 10))
for ((round = 1; round <= rounds; round++)); do
	for wait in on off; do
		export PGOPTIONS="-c synchronous_commit=$wait"
		for batch in 1 10; do
			for loop in by_consume by_queue; do
				run_loop $loop.$batch.$wait $loop $batch $((transactions * batch))
			done
		done
		unset PGOPTIONS
	done
done

for batch in 1 10; do
	title="exactly once, $batch record"
	target=">= 1.0"
	[ $batch = 1 ] || title+=s target=">= 1.5"
	judge "$title a commit" "SKIP LOCKED queue" "$target" records/s by_consume.$batch.on by_queue.$batch.on
	judge "... not waiting for the disk" "SKIP LOCKED queue" - records/s by_consume.$batch.off by_queue.$batch.off
done
