#!/usr/bin/env bash
# Does the checker find what it is there for?  Each patch in broken/ takes away
# one of the rules by which pg_topic is right.  A library that is built so is
# used instead of the installed one; the anomalies that follow must be found.
#
#	test/history/broken.sh
#
# pg_topic must have been built here, and be installed where PG_CONFIG says.
set -euo pipefail
cd "$(dirname "$0")/../.."

broken=$(mktemp -d "${TMPDIR:-/tmp}/broken.XXXXXX")
trap 'rm -rf "$broken"' EXIT
failed=0

# An anomaly shows by chance: in one of a few rounds.
#
# usage: expect PATCH ANOMALY...: one of these anomalies is found
expect()
{
	local source=$broken/$1 seed

	mkdir "$source"
	cp -a Makefile pg_topic.control src "$source"
	patch -s -d "$source" -p1 <"test/history/broken/$1.patch"
	make -s -C "$source" with_llvm=no
	echo "# $1"
	for seed in 1 2 3 4 5; do
		! python3 test/history/run.py none --seed $seed --seconds 3 --patience 1 \
			--template "$broken/template" --library "$source/pg_topic.so" --expect "${@:2}" || return 0
	done
	failed=1
}

# Readers pass over what is open, as an ordinary index scan does.
expect skip-open-rows poll-skip unseen
# Readers take what is open for committed.
expect read-open-rows aborted-read precommitted-read
# A consumer begins at the offset that its statement's snapshot shows, not at
# the one that is committed when it has the claim.
expect statement-snapshot duplicate
# Appenders read the next offset and insert without excluding each other, and
# the unique index is none.
expect no-append-lock inconsistent-offsets
# A batch that a producer sends again is appended again.
expect append-repeated duplicate

exit $failed
