#!/usr/bin/env bash
# Looks for what tests alone do not see: errors of memory, and undefined
# behaviour.
#
#	scripts/test-sanitizers.sh asan
#		the tests that need a server, with PostgreSQL built with
#		AddressSanitizer, the extension with UndefinedBehaviorSanitizer, too
#	scripts/test-sanitizers.sh asan regress fuzz
#		these parts of scripts/test.sh
#	scripts/test-sanitizers.sh valgrind
#		under valgrind: the unit tests, the corpus of the fuzzer, and the
#		regression tests, PostgreSQL being built for that
#	scripts/test-sanitizers.sh valgrind headers damaged
#		with these regression tests
#
# POSTGRES_SOURCE names a source tree of PostgreSQL, as `apt-get source
# postgresql-15` leaves it.  It is built with assertions, and so that memory
# contexts and buffers tell which of their memory may be used.  The builds stay
# in SANITIZER_BUILDS, or else in /tmp/pg_topic-sanitizers, for the next time.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

builds=${SANITIZER_BUILDS:-/tmp/pg_topic-sanitizers}

# Build PostgreSQL, if that is not done yet, and have PG_CONFIG name it.
#
# usage: build_postgres NAME CFLAGS
build_postgres()
{
	local prefix=$builds/$1 log=$builds/$1.log build=$builds/build-$1

	export PG_CONFIG=$prefix/bin/pg_config
	[ ! -e "$prefix/complete" ] || return 0
	[ -x "${POSTGRES_SOURCE-}/configure" ] ||
		die "POSTGRES_SOURCE must name a source tree of PostgreSQL"
	install_packages "${build_packages[@]}" bison flex perl valgrind
	echo "Building PostgreSQL in $build"
	rm -rf "$prefix" "$build"
	mkdir -p "$build"
	(
		cd "$build"
		"$POSTGRES_SOURCE/configure" --prefix="$prefix" --enable-cassert \
			--enable-debug --enable-tap-tests --without-readline --without-icu \
			CFLAGS="-O1 -g -fno-omit-frame-pointer"
		for directory in . src/test/isolation contrib/amcheck contrib/pg_visibility; do
			make -s -j "$(nproc)" -C $directory COPT="$2"
			make -s -C $directory COPT="$2" install
		done
		cp "$POSTGRES_SOURCE/src/tools/valgrind.supp" "$prefix/share"
	) >"$log" 2>&1 || die "$(tail -n 20 "$log")"
	touch "$prefix/complete"
}

# pgTAP, of the PostgreSQL that is installed: it is SQL.
copy_pgtap()
{
	local version

	version=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
	cp "/usr/share/postgresql/$version/extension"/pgtap* \
		"$("$PG_CONFIG" --sharedir)/extension" || die "no pgTAP for PostgreSQL $version"
}

# Fail if sanitizers or valgrind have reported anything.
check_reports()
{
	local report count=0

	for report in "$reports"/*; do
		# valgrind makes a file for each process, also if there is no error.
		[ -s "$report" ] || continue
		count=$((count + 1))
		echo "---- $report"
		head -n 60 "$report"
	done
	echo "$count reports of errors"
	[ $count = 0 ]
}

test_asan()
{
	local status=0

	[ $# -gt 0 ] || set -- regress isolation pgtap tap fuzz
	# PostgreSQL's programs do not free all that they allocate.
	export ASAN_OPTIONS=detect_leaks=0
	# libubsan must be there from the start: it reads the options from where
	# the server puts its title later.
	build_postgres asan "-fsanitize=address -DUSE_VALGRIND \
		-I$tree/test/sanitizers/include -Wl,--no-as-needed -lubsan -Wl,--as-needed"
	copy_pgtap
	reports=$(mktemp -d "$builds/reports.XXXXXX")
	chmod 1777 "$reports"

	ASAN_OPTIONS+=:abort_on_error=1:log_path=$reports/asan
	export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1:log_path=$reports/ubsan
	# -fno-wrapv: so that what overflows is found.
	export COPT="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-wrapv"
	bash "$tree/scripts/test.sh" "$@" || status=$?
	check_reports && [ $status = 0 ]
}

# In the workspace: have its server run under valgrind.
wrap_server()
{
	local bin

	bin=$("$PG_CONFIG" --bindir)
	mv "$bin/postgres" "$bin/postgres.unwrapped"
	cat >"$bin/postgres" <<-END
		#!/bin/sh
		case " \$* " in
			*" --boot "* | *" --single "* | *" -V "*) ;;
			*) valgrind="valgrind -q --trace-children=yes --gen-suppressions=all
				--log-file=$reports/valgrind.%p --undef-value-errors=yes
				--suppressions=$("$PG_CONFIG" --sharedir)/valgrind.supp" ;;
		esac
		exec \$valgrind $bin/postgres.unwrapped "\$@"
	END
	chmod 755 "$bin/postgres"
}

test_valgrind()
{
	local tests=() status=0

	[ $# = 0 ] || tests=("REGRESS=$*")
	reports=$workspace/reports
	mkdir "$reports"
	make -s -C test/unit check-valgrind
	make -s -C test/fuzz check-valgrind
	install_extension
	wrap_server
	start_server fsync=off wal_level=logical
	make -s installcheck ISOLATION= "${tests[@]}" || status=$?
	pg_ctl stop -w -t 300 -m fast -D "$server" >/dev/null
	[ $status = 0 ] || head -n 200 regression.diffs || true
	check_reports && [ $status = 0 ]
}

mode=${1-}
case $mode in
	asan)
		shift
		test_asan "$@"
		;;
	valgrind)
		[ -n "${PG_TOPIC_WORKSPACE-}" ] || build_postgres valgrind -DUSE_VALGRIND
		enter_workspace "$@"
		shift
		test_valgrind "$@"
		;;
	*)
		die "usage: scripts/test-sanitizers.sh asan [PART ...] | valgrind [TEST ...]"
		;;
esac
