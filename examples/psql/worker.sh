#!/bin/sh
# A worker: worker.sql for ever, in one session.  An error ends the session,
# which rolls back; the next one gets the same records.
cd "$(dirname "$0")" || exit
while :; do
	yes '\i worker.sql' |
		psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -v VERBOSITY=verbose
	sleep 0.5
done
