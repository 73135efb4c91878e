# Functions that the scripts share.  Sourced, never run.
#
# Whatever a script builds, installs or starts lives in one temporary
# directory, $workspace: a copy of this tree, a copy of the PostgreSQL
# installation, into which the extension is installed, and the data of
# throw-away servers, which listen on a Unix-domain socket there and nowhere
# else.  So a script leaves nothing behind, needs no privileges beyond those
# for missing packages, and does not mind others that run beside it.
#
# PG_CONFIG chooses the PostgreSQL to use, which is installed if it is a Debian
# package; without it, the newest that is installed, or else the newest that the
# package manager has.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C.UTF-8

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building needs beside the server's headers.
# shellcheck disable=SC2034 # the scripts use it
build_packages=(make gcc libc6-dev liblz4-dev libzstd-dev zlib1g-dev libsnappy-dev)

# What the history checker needs, and the servers that it mistreats.
# shellcheck disable=SC2034 # the scripts use it
history_packages=(python3 python3-psycopg2 pgbouncer libfaketime patch procps)

die()
{
	echo "$0: $*" >&2
	exit 1
}

# Can commands be run as root? Only packages need that.
can_be_root()
{
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

# Run a command as root.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Install those of the given Debian packages that are missing, once each.  The
# server's package would make and start a cluster of its own, and others would start
# their services: not here.
install_packages()
{
	local package no_cluster=/etc/postgresql-common/createcluster.d/pg_topic.conf
	local no_service=/usr/sbin/policy-rc.d
	local missing=()

	command -v dpkg-query >/dev/null || return 0
	for package in "$@"; do
		[[ " ${missing[*]} " == *" $package "* ]] ||
			dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	can_be_root ||
		die "packages are missing, which only root can install: ${missing[*]}"
	echo "Installing, which may take some minutes: ${missing[*]}" | fold -s -w 80
	[ ! -e $no_service ] || no_service=
	(
		trap 'as_root rm -f $no_cluster $no_service' EXIT
		trap 'exit 1' HUP INT TERM
		as_root mkdir -p "$(dirname $no_cluster)"
		echo 'create_main_cluster = false' | as_root tee $no_cluster >/dev/null
		[ -z "$no_service" ] || {
			printf '#!/bin/sh\nexit 101\n' | as_root tee $no_service >/dev/null
			as_root chmod 755 $no_service
		}
		# The archive that cannot be updated need not be the one that has them.
		apt_get install "${missing[@]}" ||
			{ apt_get update || true; apt_get install "${missing[@]}"; }
	) || die "could not install ${missing[*]}"
	echo
}

# Is there such a Debian package?
is_available()
{
	command -v apt-cache >/dev/null || return 1
	[ -n "$(apt-cache pkgnames postgresql)" ] || ! can_be_root || apt_get update
	apt-cache show "$1" >/dev/null 2>&1
}

# apt-get without questions; its words only where it fails.
apt_get()
{
	local log status=0

	log=$(mktemp)
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		--no-install-recommends "$@" >"$log" 2>&1 </dev/null || status=$?
	[ $status = 0 ] || tail -n 5 "$log" >&2
	rm -f "$log"
	return $status
}

# The major version of a PostgreSQL that is where Debian puts it; fails for others.
#
# usage: debian_major PG_CONFIG
debian_major()
{
	[[ $1 =~ ^/usr/lib/postgresql/([0-9]+)/bin/pg_config$ ]] && echo "${BASH_REMATCH[1]}"
}

# Choose the PostgreSQL to use: set PG_CONFIG, postgres_major to its major
# version and postgres_packages to the packages to install for it.
choose_postgres()
{
	postgres_packages=()
	if postgres_major=$(debian_major "${PG_CONFIG-}"); then
		: # It may have to be installed.
	elif [ -n "${PG_CONFIG-}" ]; then
		postgres_major=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
		return
	else
		postgres_major=$({ find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null || true; } |
			cut -d / -f 5 | sort -n | tail -n 1)
	fi
	if [ -z "$postgres_major" ] && command -v apt-cache >/dev/null; then
		is_available postgresql || true
		postgres_major=$(apt-cache pkgnames postgresql-server-dev- |
			sed -n 's/^postgresql-server-dev-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
	fi
	[ -n "$postgres_major" ] || die "no PostgreSQL found: set PG_CONFIG"
	# shellcheck disable=SC2034 # the scripts use it
	postgres_packages=("postgresql-$postgres_major" "postgresql-server-dev-$postgres_major")
	PG_CONFIG=/usr/lib/postgresql/$postgres_major/bin/pg_config
}

# Make the workspace and run the calling script again from the copy of the
# tree in it, as an ordinary user: PostgreSQL's programs refuse to run as
# root, for whom the user postgres takes over.  Returns in that second run,
# with PG_CONFIG naming a copy of PostgreSQL.
#
# usage: enter_workspace "$@"
enter_workspace()
{
	local environment script slowness=${SLOWNESS:-1}

	if [ -n "${PG_TOPIC_WORKSPACE-}" ]; then
		workspace=$PG_TOPIC_WORKSPACE
		server=
		trap leave_workspace EXIT
		trap 'exit 1' HUP INT TERM
		cd "$workspace/source"
		copy_postgres
		return
	fi

	PG_CONFIG=$(command -v "$PG_CONFIG") || die "no pg_config: install the server's headers"
	workspace=$(mktemp -d "${TMPDIR:-/tmp}/pg_topic.XXXXXX")
	mkdir "$workspace/source"
	tar -C "$tree" -c --exclude=./.git --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude=./sql/install --exclude=build . |
		tar -C "$workspace/source" -x --no-same-owner
	# Nothing of the caller's environment reaches the servers and clients but
	# what is named here.  Debian's programs come first: its Python has its
	# psycopg2.
	environment=(PATH=/usr/bin:/bin:/usr/local/bin LC_ALL="$LC_ALL" TERM="${TERM-dumb}" CI="${CI-}"
		PG_CONFIG="$PG_CONFIG" PG_TOPIC_OLD_PG_CONFIG="${PG_TOPIC_OLD_PG_CONFIG-}"
		HOME="$workspace" TMPDIR="$workspace"
		PG_TOPIC_WORKSPACE="$workspace" FUZZ_SECONDS="${FUZZ_SECONDS-}"
		COPT="${COPT-}" ASAN_OPTIONS="${ASAN_OPTIONS-}" UBSAN_OPTIONS="${UBSAN_OPTIONS-}"
		VALGRIND_OPTS="${VALGRIND_OPTS-}" TESTS="${TESTS-}"
		SLOWNESS="$slowness" PGCTLTIMEOUT="$((60 * slowness))"
		PG_TEST_TIMEOUT_DEFAULT="$((180 * slowness))" PGISOLATIONTIMEOUT="$((300 * slowness))")
	script=$(realpath "$0")
	set -- "$workspace/source/${script#"$tree"/}" "$@"
	if [ "$(id -u)" = 0 ]; then
		id postgres >/dev/null || die "run as root, this needs a user postgres"
		chown -R postgres: "$workspace"
		exec setpriv --reuid=postgres --regid=postgres --init-groups \
			env -i "${environment[@]}" bash "$@"
	fi
	exec env -i "${environment[@]}" bash "$@"
}

# Copy the PostgreSQL installation into the workspace and have PG_CONFIG name
# the copy.  Its programs find everything from where they are themselves.
copy_postgres()
{
	local kind directory

	for kind in bindir pkglibdir sharedir; do
		directory=$("$PG_CONFIG" --$kind)
		mkdir -p "$workspace$directory"
		tar -C "$directory" -c --exclude=./bitcode . | tar -C "$workspace$directory" -x
	done
	# What nobody writes to need not be copied.
	for kind in includedir pkgincludedir includedir-server libdir; do
		directory=$("$PG_CONFIG" --$kind)
		[ -e "$workspace$directory" ] || {
			mkdir -p "$workspace$(dirname "$directory")"
			ln -s "$directory" "$workspace$directory"
		}
	done
	# Where libdir has pkglibdir in it, it was made above, without its libraries.
	directory=$("$PG_CONFIG" --libdir)
	[ -L "$workspace$directory" ] || ln -sf "$directory"/lib* "$workspace$directory"
	PG_CONFIG=$workspace$("$PG_CONFIG" --bindir)/pg_config
	PATH=$("$PG_CONFIG" --bindir):$PATH
}

# Stop all servers in the workspace, also those that a test left, and remove
# it.
leave_workspace()
{
	local status=$? pid_file

	trap - EXIT
	find "$workspace" -name postmaster.pid | while read -r pid_file; do
		pg_ctl stop -w -m fast -D "$(dirname "$pid_file")" >/dev/null 2>&1 ||
			pg_ctl stop -w -m immediate -D "$(dirname "$pid_file")" >/dev/null 2>&1 || true
	done || true
	cd /
	rm -rf "$workspace"
	exit $status
}

# Build the extension and install it into the copy of PostgreSQL.  Bitcode
# would be of no use here.
install_extension()
{
	if ! { make -s -j "$(nproc)" with_llvm=no &&
		make -s with_llvm=no install; } >"$workspace/build.log" 2>&1; then
		cat "$workspace/build.log" >&2
		return 1
	fi
}

# Start a throw-away server, and have psql and its kin talk to it.  Arguments
# are settings.
start_server()
{
	server=$workspace/data
	server_settings=(listen_addresses= unix_socket_directories="$workspace" "$@")
	export PGHOST=$workspace PGUSER=postgres PGDATABASE=postgres
	initdb -D "$server" -U postgres -E UTF8 --no-locale --auth=trust --no-sync \
		>"$workspace/initdb.log" 2>&1 || die "initdb: $(cat "$workspace/initdb.log")"
	run_server start
}

# Start the server anew, with the settings that it was started with first, and
# those that are arguments.
restart_server()
{
	run_server restart "$@"
}

# usage: run_server start|restart [SETTING...]
run_server()
{
	local setting options=""

	for setting in "${server_settings[@]}" "${@:2}"; do
		options+=" -c $setting"
	done
	pg_ctl "$1" -w -m fast -D "$server" -o "$options" -l "$workspace/server.log" \
		>/dev/null 2>&1 || die "no server: $(tail -n 20 "$workspace/server.log")"
}
