#!/usr/bin/env bash
# Runs the stress tests, t/002_stress.pl and t/032_members.pl, for longer than the
# test suite does.
#
#	test/stress.sh --seconds 600
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

[ $# = 2 ] && [ "$1" = --seconds ] && [[ $2 =~ ^[1-9][0-9]*$ ]] ||
	die "usage: test/stress.sh --seconds N"

if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	choose_postgres
	install_packages "${postgres_packages[@]}" "${build_packages[@]}" perl \
		libipc-run-perl python3 python3-psycopg2
fi
enter_workspace "$@"
install_extension
PG_TOPIC_STRESS_SECONDS=$2 make -s prove_installcheck \
	PROVE_TESTS="test/t/002_stress.pl test/t/032_members.pl" PROVE_FLAGS=--verbose
