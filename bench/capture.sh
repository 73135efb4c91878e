#!/bin/bash
# Capture: what capture_table adds to an UPDATE of 1,000,000 rows, beside what a
# trigger in PL/pgSQL adds that INSERTs the same JSON into an outbox table.
# Prints the medians of interleaved runs and the ratio of what is added.
#
# usage: bench/capture.sh [runs]

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin_bench "$@"
runs=${1:-5}

sql "CREATE TABLE outbox (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		key json, value json)"

sql "CREATE FUNCTION write_outbox() RETURNS trigger LANGUAGE plpgsql AS \$\$
	BEGIN
		INSERT INTO outbox (key, value) VALUES (
			json_build_object('id', NEW.id),
			json_build_object('before', OLD, 'after', NEW, 'op', 'u', 'source',
				json_build_object('connector', 'pg_topic', 'db', current_database(),
					'schema', TG_TABLE_SCHEMA, 'table', TG_TABLE_NAME,
					'txId', txid_current(),
					'ts_ms', floor(extract(epoch FROM now()) * 1000), 'snapshot', 'false'),
				'ts_ms', floor(extract(epoch FROM clock_timestamp()) * 1000)));
		RETURN NULL;
	END \$\$"

# A table of its own for each run, so that all find the same.
#
# usage: update NAME [COMMAND]: after the command
update()
{
	local name=$1 command=${2-}

	sql "DROP TABLE IF EXISTS orders;
		TRUNCATE outbox;
		CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, status text NOT NULL,
			amount numeric(10, 2) NOT NULL, created_at timestamptz NOT NULL, note text);
		INSERT INTO orders SELECT i, i % 1000, 'new', i / 100.0, now(), 'order number ' || i
			FROM generate_series(1, 1000000) i"
	[ -z "$command" ] || sql "$command" >/dev/null
	sql "VACUUM ANALYZE orders"
	timed "$name" "UPDATE orders SET status = 'paid'"
}

for ((run = 1; run <= runs; run++)); do
	sql "DROP TABLE IF EXISTS orders;
		SELECT topic.drop_topic('bench', if_exists => true);
		SELECT topic.create_topic('bench', value_format => 'json')" >/dev/null
	update plain
	update outbox "CREATE TRIGGER outbox AFTER UPDATE ON orders
		FOR EACH ROW EXECUTE FUNCTION write_outbox()"
	update capture "SELECT topic.capture_table('orders', 'bench')"
done

# What is added to the plain UPDATE.
added()
{
	awk -v a="$(median "$1.$2")" -v b="$(median "plain.$2")" 'BEGIN { print a - b }'
}

row "" "PL/pgSQL, outbox" capture_table ratio
row "seconds added to $(median plain.seconds)" "$(added outbox seconds)" "$(added capture seconds)" \
	"$(ratio "$(added capture seconds)" "$(added outbox seconds)")"
row "WAL bytes added a row" "$(ratio "$(added outbox wal)" 1000000)" \
	"$(ratio "$(added capture wal)" 1000000)" \
	"$(ratio "$(added capture wal)" "$(added outbox wal)")"
