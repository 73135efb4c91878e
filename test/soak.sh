#!/usr/bin/env bash
# Runs the history checker under each fault, again and again, for longer than
# the test suite does, and prints the totals as the table of
# docs/reliability.md.  Histories in which something was found are kept.
#
#	test/soak.sh --minutes 60
#	test/soak.sh --minutes 10 disk-full interrupts
#
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

[ $# -ge 2 ] && [ "$1" = --minutes ] && [[ $2 =~ ^[1-9][0-9]*$ ]] ||
	die "usage: test/soak.sh --minutes N [FAULT ...]"

if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	choose_postgres
	install_packages "${postgres_packages[@]}" "${build_packages[@]}" \
		"${history_packages[@]}"
fi
enter_workspace "$@"
install_extension
kept=/tmp/pg_topic-histories
mkdir -p $kept
python3 test/history/run.py --seconds 10 --keep $kept "$@"
