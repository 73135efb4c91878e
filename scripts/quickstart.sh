#!/usr/bin/env bash
# From a bare Debian machine to a running demonstration: installs PostgreSQL
# and a compiler if they are missing, builds the extension, starts a throw-away
# server and runs demo/run.sh on it.
#
#	scripts/quickstart.sh			leaves the server for you to play with
#	scripts/quickstart.sh --stop	stops it at the end; so does CI=true, or
#									output that is not a terminal
#
# Nothing but packages is installed: the server, its data and the extension
# live in one temporary directory.  PG_CONFIG=... chooses the PostgreSQL.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

case ${1-} in
	'' | --stop) ;;
	*)
		sed -n '2,/^# shellcheck/s/^# \{0,1\}//p' "$0" | head -n -1
		exit 2
		;;
esac

if [ -z "${PG_TOPIC_WORKSPACE-}" ]; then
	choose_postgres
	install_packages "${postgres_packages[@]}" make gcc libc6-dev
fi
enter_workspace "$@"

install_extension || die "the extension does not build"
start_server
createdb demo
export PGDATABASE=demo
echo "pg_topic is built; a throw-away PostgreSQL $(psql -X -qtAc 'SHOW server_version') is running in $workspace"

bash demo/run.sh --crash

if [ "${1-}" = --stop ] || [ "${CI-}" = true ] || [ ! -t 1 ]; then
	exit
fi
trap - EXIT
cat <<END

   The server is still running. Go on in psql:

       psql -h $workspace -U postgres demo

   and when you have seen enough:

       kill -INT $(head -n 1 "$server/postmaster.pid") && sleep 3 && rm -r $workspace

END
