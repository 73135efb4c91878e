#!/bin/sh
# Run the SQL and Python of README.md and docs/*.md, and check docs/reference.md
# and the COMMENTs against the installed extension.  Prints TAP.
#
#	PGHOST=... PGUSER=... test/docs/run.sh [--write] [FILE.md ...]
#
# Needs a running server with the extension installed and a superuser to
# connect as.  See run.py for the conventions of the examples.
exec python3 -B "$(dirname "$0")/run.py" "$@"
