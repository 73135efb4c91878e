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
#	scripts/test-sanitizers.sh valgrind-server
#	scripts/test-sanitizers.sh valgrind-server isolation
#		regress, or these parts of scripts/test.sh, with the server under valgrind,
#		which also sees memory that is read before it was written
#
# For all but valgrind, POSTGRES_SOURCE names a source tree of PostgreSQL, as
# `apt-get source postgresql-15` leaves it.  It is built with assertions, and so
# that memory contexts and buffers tell which of their memory may be used.  The
# builds stay in SANITIZER_BUILDS, or else in /tmp/pg_topic-sanitizers, for the
# next time.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

builds=$(realpath -m "${SANITIZER_BUILDS:-/tmp/pg_topic-sanitizers}")

# Build PostgreSQL, if that is not done yet, and have PG_CONFIG name it.
#
# usage: build_postgres NAME FLAGS
build_postgres()
{
	local prefix=$builds/$1 log=$builds/$1.log build=$builds/build-$1 flags=$2 source

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
		for directory in . src/test/isolation \
			contrib/{amcheck,pg_visibility,test_decoding}; do
			make -s -j "$(nproc)" -C $directory COPT="$flags"
			make -s -C $directory COPT="$flags" install
		done
		cp "$source/src/tools/valgrind.supp" "$prefix"
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

# Run parts of scripts/test.sh, all of which may take longer than usual.  Fail
# if one does, or if there are reports of errors in $reports, which are kept
# then.
#
# usage: test_parts SLOWNESS PART ...
test_parts()
{
	local report count=0 status=0

	SLOWNESS=$1 bash "$tree/scripts/test.sh" "${@:2}" || status=$?
	for report in "$reports"/*; do
		[ -s "$report" ] || continue
		count=$((count + 1))
		echo "---- $report"
		head -n 60 "$report"
	done
	echo "$count reports of errors"
	[ $count != 0 ] || rm -r "$reports"
	[ $status = 0 ] && [ $count = 0 ]
}

# A directory for reports, of any user's processes.
make_reports()
{
	reports=$(mktemp -d "$builds/reports.XXXXXX")
	chmod 1777 "$reports"
}

test_asan()
{
	local options=$builds/ubsan_options.o flags

	[ $# -gt 0 ] || set -- regress upgrade isolation pgtap tap fuzz
	# PostgreSQL's programs do not free all that they allocate.
	export ASAN_OPTIONS=detect_leaks=0
	mkdir -p "$builds"
	gcc -c -fPIC "$tree/test/sanitizers/ubsan_options.c" -o "$options"
	flags="-fsanitize=address -DUSE_VALGRIND -I$tree/test/sanitizers/include"
	flags+=" -Wl,$options -Wl,--no-as-needed -lubsan -Wl,--as-needed"
	build_postgres asan "$flags"
	copy_pgtap
	make_reports

	# libfaketime is loaded first.
	ASAN_OPTIONS+=:verify_asan_link_order=0:abort_on_error=1:log_path=$reports/asan
	# log_path is last: see ubsan_options.c.
	export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1:log_path=$reports/ubsan
	# -fno-wrapv: so that what overflows is found.
	export COPT="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-wrapv"
	test_parts 4 "$@"
}

# Put a script in the place of the program postgres, which runs servers, but not
# what initdb needs, under valgrind.
wrap_postgres()
{
	local bin=$builds/valgrind/bin

	[ ! -e "$bin/postgres.real" ] || return 0
	mv "$bin/postgres" "$bin/postgres.real"
	cat >"$bin/postgres" <<-'END'
		#!/bin/sh
		case $1 in
			-D) exec valgrind "$0.real" "$@" ;;
			*) exec "$0.real" "$@" ;;
		esac
	END
	chmod 755 "$bin/postgres"
}

test_valgrind_server()
{
	local all

	if [ $# = 0 ]; then
		set -- regress
		# That one would take hours, and looks for what asan sees as well.
		all=$(cd "$tree/sql" && echo *.sql)
		all=${all//.sql/}
		export TESTS=${TESTS-${all/discard_caches /}}
	fi
	install_packages valgrind
	build_postgres valgrind -DUSE_VALGRIND
	wrap_postgres
	copy_pgtap
	make_reports
	export VALGRIND_OPTS="-q --vgdb=no --leak-check=no --num-callers=25 --log-file=$reports/valgrind.%p
		--suppressions=$builds/valgrind/valgrind.supp"
	test_parts 20 "$@"
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
	valgrind-server)
		shift
		test_valgrind_server "$@"
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
		die "usage: scripts/test-sanitizers.sh asan|valgrind-server [PART ...], or valgrind"
		;;
esac
