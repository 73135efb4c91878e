#!/usr/bin/env bash
# Runs the tests, on throw-away servers, and installs the Debian packages that
# they need.
#
#	scripts/test.sh						all of them
#	scripts/test.sh regress isolation	these parts
#
# The last line is "N passed, N failed"; the exit status tells whether any
# failed.  A part's function below says what it is.  What cannot be tested here
# is skipped; with CI=true that is a failure.  PG_CONFIG=... chooses the
# PostgreSQL to test with, PG_TOPIC_OLD_PG_CONFIG=... an older one to begin
# pg_upgrade at, FUZZ_SECONDS=600 how long to fuzz, TESTS='produce_batch send'
# which tests of regress to run.  All may take SLOWNESS=4 times as long as usual.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

all_parts=(build indent scripts meta unit fuzz regress upgrade isolation pgtap
	tap history docs python clients demo)

for part in "$@"; do
	[[ " ${all_parts[*]} " == *" $part "* ]] || die "no part $part; there are: ${all_parts[*]}"
done

# The Debian packages that a part needs, beside those to build.
packages_of()
{
	local major

	case $1 in
		build) echo clang ;;
		scripts) echo shellcheck ;;
		meta) echo python3 ;;
		unit) echo librdkafka-dev perl ;;
		fuzz) echo clang libclang-rt-dev python3 python3-psycopg2 ;;
		pgtap) echo "postgresql-$postgres_major-pgtap" libtap-parser-sourcehandler-pgtap-perl ;;
		tap)
			echo perl libipc-run-perl python3 python3-psycopg2
			! major=$(debian_major "${PG_TOPIC_OLD_PG_CONFIG-}") ||
				echo "postgresql-$major" "postgresql-server-dev-$major"
			;;
		history) echo "${history_packages[@]}" ;;
		docs) echo perl python3 python3-psycopg2 ;;
		python) echo python3 python3-psycopg2 ;;
		clients) echo python3 python3-psycopg2 pgbouncer ;;
	esac
}

# Those without which some of a part is skipped.
optional_packages_of()
{
	case $1 in
		# From 13 on, Debian has it in the package of the server's headers.
		indent) echo pg-bsd-indent ;;
		tap) echo "postgresql-$postgres_major-cron" ;;
		python) echo python3-sqlalchemy ;;
		clients)
			echo python3-psycopg node-pg libpostgresql-jdbc-java default-jdk-headless \
				golang-go golang-github-lib-pq-dev
			;;
	esac
}

[ $# -gt 0 ] || set -- "${all_parts[@]}"
if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	choose_postgres
	packages=("${postgres_packages[@]}" "${build_packages[@]}")
	for part in "$@"; do
		for package in $(packages_of "$part"); do
			packages+=("$package")
		done
	done
	install_packages "${packages[@]}"
	for part in "$@"; do
		for package in $(optional_packages_of "$part"); do
			! is_available "$package" || (install_packages "$package") ||
				echo "going on without $package"
		done
	done
fi
enter_workspace "$@"

passed=0
failed=0
log=$workspace/test.log
fuzz_seconds=${FUZZ_SECONDS:-15}

pass()
{
	passed=$((passed + 1))
	echo "ok      $1"
}

# usage: fail NAME [FILE ...]: the failures in the files' TAP, or else their
# ends, tell why
fail()
{
	local file

	failed=$((failed + 1))
	echo "FAILED  $1"
	shift
	for file in "$@"; do
		[ -s "$file" ] || continue
		echo "---- ${file#"$workspace"/}"
		grep -E -A 15 '(^|[) ])not ok ' "$file" | head -n 100 || tail -n 60 "$file"
		echo "----"
	done
}

# What continuous integration may have to do without: namespaces of users, and
# what its Debian has no package of.
is_exempt_in_ci()
{
	case $1 in
		"history: disk-full" | "history: wal-full" | "clients: node"*) ;;
		indent) ! apt-cache show pg-bsd-indent >/dev/null 2>&1 ;;
		*) return 1 ;;
	esac
}

# usage: skip NAME WHY
skip()
{
	if [ "$CI" = true ] && ! is_exempt_in_ci "$1"; then
		fail "$1: skipped: $2"
	else
		echo "skipped $1: $2"
	fi
}

# A test passed, if the TAP in the file does not say that some of it was
# skipped.
#
# usage: pass_if_complete NAME FILE
pass_if_complete()
{
	local why

	why=$(sed -n -E '/(^|[) ])(ok|1\.\.0) .*# skip /I{s/.*# skip //I;p;q}' "$2")
	if [ -n "$why" ]; then
		skip "$1" "$why"
	else
		pass "$1"
	fi
}

# Run a command as one test.  None may take longer than five minutes, but for
# the fuzzers.
#
# usage: check NAME COMMAND...
check()
{
	local name=$1

	shift
	if timeout -k 10 $((300 * SLOWNESS + fuzz_seconds)) "$@" >"$log" 2>&1 </dev/null; then
		pass_if_complete "$name" "$log"
	else
		fail "$name" "$log"
	fi
}

# The extension compiles without a warning, by gcc and by clang.  Warnings are
# errors here, and not in the Makefile.  PostgreSQL's headers are system
# headers, so that only our own code is warned of.  Not heeded:
#
# - unused parameters: functions that PostgreSQL calls have a given signature
# - comparisons of signed with unsigned: lengthof() is unsigned, loop variables
#   by PostgreSQL's custom are int
# - by clang: flags of the gcc that PostgreSQL was built by
test_build()
{
	local warnings="-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare"
	local headers

	headers="-isystem $("$PG_CONFIG" --includedir-server)"
	make -s clean
	check "build: clang" make -s -j "$(nproc)" with_llvm=no CC=clang \
		PG_CPPFLAGS="$headers" PG_CFLAGS="$warnings \
			-Wno-unknown-warning-option -Wno-ignored-optimization-argument"
	make -s clean
	check "build: gcc" make -s -j "$(nproc)" with_llvm=no CC=gcc \
		PG_CPPFLAGS="$headers" PG_CFLAGS="$warnings"
}

# The C code is formatted.
test_indent()
{
	command -v pg_bsd_indent >/dev/null || {
		skip indent "there is no pg_bsd_indent here"
		return
	}
	check "indent" bash scripts/indent.sh --check
}

# The shell scripts are sound.
test_scripts()
{
	local script

	for script in .ci/run scripts/*.sh demo/*.sh examples/psql/*.sh \
		bench/*.sh bench/workloads/*.sh test/*.sh test/docs/*.sh test/history/*.sh; do
		check "scripts: $script" shellcheck -x -S warning "$script"
	done
}

# PGXN demands the version in META.json; it must be the control file's.  Scripts
# of released versions are not changed any more.
test_meta()
{
	check "meta: released scripts" env -C sql/versions sha256sum -c SHA256SUMS
	check "meta" python3 -c '
import json, re
control = re.search("default_version = .(.+).", open("pg_topic.control").read())[1]
meta = json.load(open("META.json"))
assert meta["version"] == control, meta["version"]
assert meta["provides"]["pg_topic"]["version"] == control
'
}

# The code that needs no server, also under sanitizers.
test_unit()
{
	check "unit" make -s -C test/unit check
	check "unit: sanitizers" make -s -C test/unit check-sanitize
}

# usage: check_fuzzer NAME COMMAND...: check, and say how much the fuzzer tried
check_fuzzer()
{
	check "$@"
	sed -n -E '/^(Done [0-9]+ runs|[0-9]+ rounds)/s/^/        /p' "$log"
}

# The fuzzers: of the record batch codec, first with what is known, and of the
# functions in SQL.  FUZZ_SECONDS is how long each looks for more, not always
# for the same then.
test_fuzz()
{
	local seed=1 encoding

	[ -z "${FUZZ_SECONDS-}" ] || seed=$RANDOM
	check "fuzz: corpus" make -s -C test/fuzz check
	check_fuzzer "fuzz: record batches" make -s -C test/fuzz run SECONDS="$fuzz_seconds" SEED=$seed
	need_server || return 0
	for encoding in UTF8 LATIN1; do
		check_fuzzer "fuzz: SQL, $encoding" python3 -B test/fuzz/sql_fuzz.py \
			--seconds $((fuzz_seconds / 2)) --seed $seed --encoding $encoding
	done
}

# The server for all parts but TAP tests, which start their own; with the
# extension.
need_server()
{
	[ -z "$server" ] || return 0
	install_extension || {
		fail "build"
		return 1
	}
	# The documentation has a publication.  Autovacuum, whose snapshots and locks
	# hold up maintenance, comes when it likes.
	start_server fsync=off wal_level=logical autovacuum=off
}

# make installcheck, of tests that are named in the output of pg_regress; which
# speaks TAP since PostgreSQL 16.
#
# usage: installcheck PART DIFFS VARIABLE...
installcheck()
{
	local part=$1 diffs=$2 status=0 before=$failed line name

	need_server || return 0
	timeout -k 10 $((600 * SLOWNESS)) make -s installcheck "${@:3}" >"$log" 2>&1 </dev/null || status=$?
	while read -r line; do
		name=$(sed -E 's/^(test|(not )?ok [0-9]+ +[-+]) +([^ ]+).*/\3/' <<<"$line")
		case $line in
			# A spec that does not parse can print just what is expected.
			*exited\ with\ exit\ code*) fail "$part: $name" "$log" ;;
			ok\ * | test*...\ ok*) pass "$part: $name" ;;
			*) fail "$part: $name" ;;
		esac
	done < <(grep -E '^(test .* \.\.\. |(not )?ok [0-9]+ )' "$log")
	if [ $failed -gt "$before" ]; then
		head -n 200 "$diffs"
	elif [ $status != 0 ]; then
		fail "$part" "$log"
	fi
}

# SQL and what it answers: sql/, expected/.
test_regress()
{
	installcheck regress regression.diffs ISOLATION= ${TESTS:+"REGRESS=$TESTS"}
}

# The same in a database whose extension was created as the first version, and
# updated.
test_upgrade()
{
	local oid="SELECT oid FROM pg_extension WHERE extname = 'pg_topic'" updated

	need_server || return 0
	fresh_database
	check "upgrade: the update" psql -X -q -v ON_ERROR_STOP=1 -d test \
		-c "CREATE EXTENSION pg_topic VERSION '0.1.0'" -c "ALTER EXTENSION pg_topic UPDATE"
	updated=$(psql -X -A -t -d test -c "$oid")
	installcheck upgrade regression.diffs ISOLATION= \
		REGRESS_OPTS="--use-existing --dbname=test"
	check "upgrade: no test has made the extension anew" \
		test "$updated" = "$(psql -X -A -t -d test -c "$oid")"
}

# What concurrent sessions see: test/isolation.
test_isolation()
{
	installcheck isolation test/isolation/regression.diffs REGRESS=
}

# Make a database of its own for a test.
#
# usage: fresh_database EXTENSION...
fresh_database()
{
	local extension

	dropdb --if-exists --force test 2>/dev/null
	createdb test
	for extension in "$@"; do
		psql -X -q -d test -c "CREATE EXTENSION $extension"
	done
}

# Properties that SQL can state about itself: test/pgtap.
test_pgtap()
{
	local file

	need_server || return 0
	for file in test/pgtap/*.sql; do
		fresh_database pg_topic pgtap
		check "pgtap: $(basename "$file" .sql)" pg_prove -v -d test "$file"
	done
}

# Install the extension into a copy of the older PostgreSQL, too.
install_into_old_postgres()
{
	local pg_config=$workspace/old_pg_config

	(
		PG_CONFIG=$PG_TOPIC_OLD_PG_CONFIG
		copy_postgres &&
			cp -r "$workspace/source" "$workspace/old_source" &&
			cd "$workspace/old_source" &&
			make -s clean &&
			install_extension &&
			echo "$PG_CONFIG" >"$pg_config"
	) && PG_TOPIC_OLD_PG_CONFIG=$(cat "$pg_config")
}

# Crashes, standbys, dumps: test/t, with servers of their own.
test_tap()
{
	local file name log_file before=$failed

	need_server || return 0
	[ -z "$PG_TOPIC_OLD_PG_CONFIG" ] || install_into_old_postgres || {
		fail "build for $PG_TOPIC_OLD_PG_CONFIG"
		return 0
	}

	# They wait more than they work, so there is one for each processor.
	timeout -k 10 $((600 * SLOWNESS)) make -s prove_installcheck PROVE_FLAGS="-j $(nproc)" \
		PROVE_TESTS='test/t/*.pl' >"$log" 2>&1 </dev/null || true
	for file in test/t/*.pl; do
		name=$(basename "$file" .pl)
		if grep -qE "^$file \.+ (ok|skipped)" "$log"; then
			pass_if_complete "tap: $name" tmp_check/log/regress_log_"$name"
		else
			fail "tap: $name" tmp_check/log/regress_log_"$name"
			for log_file in tmp_check/log/"$name"_*.log; do
				echo "---- the end of $log_file"
				tail -n 15 "$log_file"
				echo "----"
			done
		fi
	done
	[ "$failed" = "$before" ] || grep -A 100 '^Test Summary Report' "$log" || tail -n 30 "$log"
}

# What clients did and saw under each fault, checked: test/history, with servers
# of its own.
test_history()
{
	local fault

	need_server || return 0
	check "history: checker" python3 test/history/test_checker.py
	for fault in $(python3 test/history/run.py --list); do
		check "history: $fault" python3 test/history/run.py --seconds 1.5 \
			--template "$workspace/history-template" "$fault"
	done
	check "history: faulty builds" bash test/history/broken.sh
}

# The SQL in the documentation.
test_docs()
{
	need_server || return 0
	check "docs" prove -v --exec "" test/docs/run.sh
}

# Clients in Python, which prepare transactions, too: the fuzzer of SQL shall not.
test_python()
{
	local file

	need_server || return 0
	psql -X -q -c "ALTER SYSTEM SET max_prepared_transactions = 2"
	restart_server
	for file in test/python/*.py; do
		fresh_database pg_topic
		check "python: $(basename "$file" .py)" env PGDATABASE=test python3 "$file"
	done
	psql -X -q -c "ALTER SYSTEM RESET max_prepared_transactions"
	restart_server
}

# The programs of examples/, by themselves and through pgbouncer in transaction
# mode.  Those whose driver is not installed are skipped.
test_clients()
{
	local client pooled

	need_server || return 0
	for client in psql psycopg2 psycopg node java go; do
		has_driver $client || {
			skip "clients: $client" "its driver is not installed"
			continue
		}
		for pooled in "" --pooled; do
			[ -z "$pooled" ] || [ -x /usr/sbin/pgbouncer ] || {
				skip "clients: $client pooled" "there is no pgbouncer here"
				continue
			}
			fresh_database
			check "clients: $client${pooled:+ pooled}" env PGDATABASE=test \
				python3 -B test/clients/run.py $pooled $client
		done
	done
}

# Is there what a client of test/clients/run.py needs?
has_driver()
{
	case $1 in
		psql) ;;
		psycopg2 | psycopg) python3 -c "import $1" ;;
		node) NODE_PATH=/usr/share/nodejs node -e "require('pg')" ;;
		java) [ -e /usr/share/java/postgresql.jar ] && command -v javac ;;
		go) [ -d /usr/share/gocode/src/github.com/lib/pq ] && command -v go ;;
	esac >/dev/null 2>&1
}

# The demonstration of the quick start, which crashes the server on its way.
test_demo()
{
	need_server || return 0
	fresh_database
	check "demo" env PGDATABASE=test bash demo/run.sh --crash
}

shopt -s nullglob
for part in "$@"; do
	"test_$part"
done

# Why the server crashed, if it did.
[ $failed = 0 ] || [ -z "$server" ] ||
	grep -E -A 12 'TRAP:|PANIC:|runtime error:|AddressSanitizer:' "$workspace/server.log" || true

echo "$passed passed, $failed failed"
[ $failed = 0 ]
