# To the waiting consumer's row, at 100 and at 5,000 records a second, each in a
# transaction of its own: from COMMIT's return to the producer, and from his call,
# COMMIT and its wait for the disk included.  With topic.wait_for_records, beside
# LISTEN/NOTIFY, and beside a consumer who asks every 10 ms; all three have the
# same COMMIT in the time from the call.  bench/latency.py says what is measured.
# shellcheck shell=bash disable=SC2154 # run.sh sets what is used

sql "SELECT topic.create_topic('latency')" >/dev/null
for ((round = 1; round <= rounds; round++)); do
	for rate in 100 5000; do
		# Of 400 records, the four slowest would tell of the disk alone.
		duration=$(((rate == 100 ? 4 : 2) * seconds))
		for method in wait listen poll; do
			read -r p50 p99 after_p50 after_p99 commit_p50 commit_p99 achieved < <(
				/usr/bin/python3 bench/latency.py $method $rate $duration) ||
				die "no latencies"
			keep "$method.$rate.p50" "$p50"
			keep "$method.$rate.p99" "$p99"
			keep "$method.$rate.after.p50" "$after_p50"
			keep "$method.$rate.after.p99" "$after_p99"
			keep "$method.$rate.commit.p50" "$commit_p50"
			keep "$method.$rate.commit.p99" "$commit_p99"
			keep "$method.$rate.achieved" "$achieved"
		done
	done
done

for rate in 100 5000; do
	title="commit to delivery at $rate records/s"
	judge "$title, 99th percentile" "1 ms" "<= 5" ms wait.$rate.after.p99
	judge "$title, 99th percentile" "LISTEN/NOTIFY" - ms wait.$rate.after.p99 listen.$rate.after.p99
	judge "$title, 99th percentile" "asking every 10 ms" - ms wait.$rate.after.p99 poll.$rate.after.p99
	judge "... median" "1 ms" - ms wait.$rate.after.p50
	title="call to delivery at $rate records/s"
	judge "$title, 99th percentile" "1 ms" - ms wait.$rate.p99
	judge "$title, 99th percentile" "LISTEN/NOTIFY" "< 1" ms wait.$rate.p99 listen.$rate.p99
	judge "$title, 99th percentile" "asking every 10 ms" "< 1" ms wait.$rate.p99 poll.$rate.p99
	judge "... median" "LISTEN/NOTIFY" - ms wait.$rate.p50 listen.$rate.p50
	judge "... median" "asking every 10 ms" - ms wait.$rate.p50 poll.$rate.p50
	judge "... the producer's transaction in it, 99th percentile" "1 ms" - ms wait.$rate.commit.p99
	judge "... records a second, in fact" "LISTEN/NOTIFY" - records/s wait.$rate.achieved listen.$rate.achieved
done
