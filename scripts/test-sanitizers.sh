#!/usr/bin/env bash
# Looks for what tests alone do not see: errors of memory, and undefined
# behaviour.
#
#	scripts/test-sanitizers.sh asan
#		regress, upgrade, isolation, pgtap, tap and fuzz of scripts/test.sh, with
#		PostgreSQL built with AddressSanitizer, the extension with
#		UndefinedBehaviorSanitizer, too
#	scripts/test-sanitizers.sh asan regress fuzz
#		these parts of scripts/test.sh
#	scripts/test-sanitizers.sh valgrind
#		the unit tests and the corpus of the fuzzer under valgrind
#
# For asan, POSTGRES_SOURCE names a source tree of PostgreSQL, as `apt-get source
# postgresql-15` leaves it.  It is built with assertions, and so that memory
# contexts and buffers tell which of their memory may be used.  The build stays
# in SANITIZER_BUILDS, or else in /tmp/pg_topic-sanitizers, for the next time.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

builds=$(realpath -m "${SANITIZER_BUILDS:-/tmp/pg_topic-sanitizers}")

# Build PostgreSQL with AddressSanitizer, if that is not done yet, and have
# PG_CONFIG name it.
build_postgres()
{
	local prefix=$builds/asan log=$builds/asan.log build=$builds/build-asan source
	# libubsan must be there from the start: it reads its options from where
	# the server puts its title later.
	local flags="-fsanitize=address -DUSE_VALGRIND -I$tree/test/sanitizers/include \
		-Wl,--no-as-needed -lubsan -Wl,--as-needed"

	export PG_CONFIG=$prefix/bin/pg_config
	[ ! -e "$prefix/complete" ] || return 0
	[ -x "${POSTGRES_SOURCE-}/configure" ] ||
		die "POSTGRES_SOURCE must name a source tree of PostgreSQL"
	source=$(realpath "$POSTGRES_SOURCE")
	install_packages "${build_packages[@]}" bison flex perl
	echo "Building PostgreSQL in $build"
	rm -rf "$prefix" "$build"
	mkdir -p "$build"
	(
		cd "$build"
		"$source/configure" --prefix="$prefix" --enable-cassert \
			--enable-debug --enable-tap-tests --without-readline --without-icu \
			CFLAGS="-O1 -g -fno-omit-frame-pointer"
		for directory in . src/test/isolation contrib/amcheck contrib/pg_visibility; do
			make -s -j "$(nproc)" -C $directory COPT="$flags"
			make -s -C $directory COPT="$flags" install
		done
	) >"$log" 2>&1 || die "$(tail -n 20 "$log")"
	touch "$prefix/complete"
}

# pgTAP, of Debian's PostgreSQL of that version: it is SQL.
copy_pgtap()
{
	local version

	version=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
	install_packages "postgresql-$version-pgtap"
	cp "/usr/share/postgresql/$version/extension"/pgtap* \
		"$("$PG_CONFIG" --sharedir)/extension" || die "no pgTAP for PostgreSQL $version"
}

# Fail if sanitizers have reported anything, and keep that.
check_reports()
{
	local report count=0

	for report in "$reports"/*; do
		[ -s "$report" ] || continue
		count=$((count + 1))
		echo "---- $report"
		head -n 60 "$report"
	done
	echo "$count reports of errors"
	[ $count = 0 ] && rm -r "$reports"
}

test_asan()
{
	local status=0

	[ $# -gt 0 ] || set -- regress upgrade isolation pgtap tap fuzz
	# PostgreSQL's programs do not free all that they allocate.
	export ASAN_OPTIONS=detect_leaks=0
	build_postgres
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

test_valgrind()
{
	make -s -C test/unit check-valgrind
	make -s -C test/fuzz check-valgrind
}

case ${1-} in
	asan)
		shift
		test_asan "$@"
		;;
	valgrind)
		if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
			choose_postgres
			install_packages "${postgres_packages[@]}" "${build_packages[@]}" \
				clang libclang-rt-dev librdkafka-dev perl valgrind
		fi
		enter_workspace "$@"
		test_valgrind
		;;
	*)
		die "usage: scripts/test-sanitizers.sh asan [PART ...] | valgrind"
		;;
esac
