#!/usr/bin/env bash
# From a bare Debian machine to a running demonstration: installs PostgreSQL
# and a compiler if they are missing, builds the extension, starts a throw-away
# server and runs demo/run.sh on it.
#
#	scripts/quickstart.sh				leaves the server for you to play with
#	scripts/quickstart.sh --stop		stops it at the end; so does CI=true, or
#										output that is not a terminal
#	scripts/quickstart.sh --stop DIR	stops one that was left in DIR, and
#										removes it
#
# Nothing but packages is installed: the server, its data and the extension
# live in one temporary directory.  PG_CONFIG=... chooses the PostgreSQL.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

# Stop the server that was left in a directory, and remove that.
stop_left_server()
{
	local pid tries

	[[ $1 == */pg_topic.* ]] && [ -e "$1/data/PG_VERSION" ] || die "no server of the quick start in $1"
	pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null || true)
	# Not another process that has the number by now
	if [ "$(readlink "/proc/$pid/cwd")" = "$(realpath "$1/data")" ]; then
		kill -INT "$pid"
		for tries in {1..300}; do
			kill -0 "$pid" 2>/dev/null || break
			[ "$tries" != 300 ] || die "process $pid does not stop"
			sleep 0.1
		done
	fi
	rm -rf "$1"
}

case $#:${1-} in
	0: | 1:--stop) ;;
	2:--stop)
		stop_left_server "${2%/}"
		exit
		;;
	*)
		sed -n '2,/^# shellcheck/s/^# \{0,1\}//p' "$0" | head -n -1
		exit 2
		;;
esac

if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	choose_postgres
	install_packages "${postgres_packages[@]}" "${build_packages[@]}"
fi
enter_workspace "$@"

echo "Building pg_topic..."
install_extension || die "the extension does not build"
echo "Starting a server..."
start_server
createdb demo
export PGDATABASE=demo
version=$(psql -X -qtAc 'SHOW server_version')
echo "A throw-away PostgreSQL ${version%% *} with pg_topic is running in $workspace"

bash demo/run.sh --crash

if [ "${1-}" = --stop ] || [ "${CI-}" = true ] || [ ! -t 1 ]; then
	exit
fi
trap - EXIT
cat <<END
   The server is still running. Go on in psql:

       psql -h $workspace -U postgres demo

   and when you have seen enough:

       bash scripts/quickstart.sh --stop $workspace
END
