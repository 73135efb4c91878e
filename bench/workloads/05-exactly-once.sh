# Exactly once: consume 1,000 records, INSERT them into a sink, commit.  Beside
# it: the same loop over a table by ranges of its key, with the position in a row
# that is updated; and over a queue, by DELETE of rows that are selected FOR
# UPDATE SKIP LOCKED.  And the INSERT into the sink alone, which no loop can be
# faster than.
# shellcheck shell=bash disable=SC2154 source-path=SCRIPTDIR source=../loops.sh
source bench/loops.sh

prepare_loops $records
for ((round = 1; round <= rounds; round++)); do
	for loop in by_key by_consume by_queue sink_alone; do
		run_loop $loop $loop 1000 $records
	done
done

judge "exactly once, 1,000 records a commit" "by key range" ">= 0.95" records/s by_consume by_key
judge "exactly once, 1,000 records a commit" "SKIP LOCKED queue" ">= 4.5" records/s by_consume by_queue
judge "the sink's INSERT alone" "by key range" - records/s sink_alone by_key
judge "the sink's INSERT alone" "SKIP LOCKED queue" - records/s sink_alone by_queue
