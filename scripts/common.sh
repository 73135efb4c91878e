# Functions that the scripts share.  Sourced, never run.
#
# Whatever a script builds, installs or starts lives in one temporary
# directory, $workspace: a copy of this tree, a copy of the PostgreSQL
# installation, into which the extension is installed, and the data of
# throw-away servers, which listen on a Unix-domain socket there and nowhere
# else.  So a script leaves nothing behind, needs no privileges beyond those
# for missing packages, and does not mind others that run beside it.
#
# PG_CONFIG chooses the PostgreSQL to use; without it, the newest that is
# installed, or else the newest that the package manager has.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C.UTF-8

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die()
{
	echo "$0: $*" >&2
	exit 1
}

# Run a command as root, which only packages need.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root, and no sudo: cannot run $*"
	fi
}

# Install those of the given Debian packages that are missing.  The server's
# package would make and start a cluster of its own: not here.
install_packages()
{
	local package no_cluster=/etc/postgresql-common/createcluster.d/pg_topic.conf
	local missing=()

	command -v dpkg-query >/dev/null || return 0
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	echo "Installing ${missing[*]}"
	as_root mkdir -p "$(dirname $no_cluster)"
	echo 'create_main_cluster = false' | as_root tee $no_cluster >/dev/null
	apt_get install "${missing[@]}" || { apt_get update && apt_get install "${missing[@]}"; } ||
		die "could not install ${missing[*]}"
	as_root rm -f $no_cluster
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

# Set pg_config, and postgres_major to its major version; install that
# PostgreSQL with its headers where it is missing.
install_postgres()
{
	if [ -z "${PG_CONFIG-}" ]; then
		postgres_major=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null |
			cut -d / -f 5 | sort -n | tail -n 1)
		if [ -z "$postgres_major" ] && command -v apt-cache >/dev/null; then
			[ -n "$(apt-cache pkgnames postgresql-server-dev-)" ] || apt_get update
			postgres_major=$(apt-cache pkgnames postgresql-server-dev- |
				sed -n 's/^postgresql-server-dev-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
		fi
		[ -n "$postgres_major" ] || die "no PostgreSQL found: set PG_CONFIG"
		install_packages "postgresql-$postgres_major" "postgresql-server-dev-$postgres_major"
		PG_CONFIG=/usr/lib/postgresql/$postgres_major/bin/pg_config
	fi
	PG_CONFIG=$(command -v "$PG_CONFIG") || die "$PG_CONFIG does not exist"
	export PG_CONFIG
	postgres_major=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
}

# Make the workspace and run the calling script again from the copy of the
# tree in it, as an ordinary user: PostgreSQL's programs refuse to run as
# root, for whom the user postgres takes over.  Returns in that second run.
#
# usage: enter_workspace "$@"
enter_workspace()
{
	local environment script

	if [ -n "${PG_TOPIC_WORKSPACE-}" ]; then
		workspace=$PG_TOPIC_WORKSPACE
		server=
		trap leave_workspace EXIT
		trap 'exit 1' HUP INT TERM
		cd "$workspace/source"
		copy_postgres
		return
	fi

	workspace=$(mktemp -d "${TMPDIR:-/tmp}/pg_topic.XXXXXX")
	mkdir "$workspace/source"
	tar -C "$tree" -c --exclude=./.git --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude=./sql/install --exclude=build . |
		tar -C "$workspace/source" -x --no-same-owner
	# Nothing of the caller's environment reaches the servers and clients but
	# what is named here.
	environment=(PATH="$PATH" LC_ALL="$LC_ALL" TERM="${TERM-dumb}" CI="${CI-}"
		PG_CONFIG="$PG_CONFIG" HOME="$workspace" PG_TOPIC_WORKSPACE="$workspace")
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
	PG_CONFIG=$workspace$("$PG_CONFIG" --bindir)/pg_config
	PATH=$("$PG_CONFIG" --bindir):$PATH
}

leave_workspace()
{
	local status=$?

	trap - EXIT
	stop_server
	cd /
	rm -rf "$workspace"
	exit $status
}

# Build the extension and install it into the copy of PostgreSQL.  Arguments
# are given to make.  Bitcode would be of no use here.
install_extension()
{
	make -s -j "$(nproc)" with_llvm=no "$@" >"$workspace/build.log" 2>&1 &&
		make -s with_llvm=no install >>"$workspace/build.log" 2>&1 ||
		{
			cat "$workspace/build.log" >&2
			return 1
		}
}

# Start a throw-away server, and have psql and its kin talk to it.  Arguments
# are settings.
start_server()
{
	local setting options=""

	server=$workspace/data
	export PGHOST=$workspace PGUSER=postgres PGDATABASE=postgres
	for setting in listen_addresses= unix_socket_directories="$workspace" "$@"; do
		options+=" -c $setting"
	done
	initdb -D "$server" -U postgres -E UTF8 --no-locale --auth=trust --no-sync \
		>"$workspace/initdb.log" 2>&1 || die "initdb: $(cat "$workspace/initdb.log")"
	pg_ctl start -w -D "$server" -o "$options" -l "$workspace/server.log" \
		>/dev/null 2>&1 || die "no server: $(tail -n 20 "$workspace/server.log")"
}

stop_server()
{
	[ -n "$server" ] && [ -e "$server/postmaster.pid" ] || return 0
	pg_ctl stop -w -m fast -D "$server" >/dev/null 2>&1 ||
		pg_ctl stop -w -m immediate -D "$server" >/dev/null 2>&1 || true
}

# Wait until the server takes connections, as after a crash of it.
await_server()
{
	local tries

	for tries in {1..600}; do
		! psql -X -q -c 'SELECT' >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	die "the server did not come back after $tries tries"
}
