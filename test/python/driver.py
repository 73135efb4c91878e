#!/usr/bin/python3
"""A Python client: every call form of produce, and exactly-once consumption.

Connects by the environment (PGHOST, PGDATABASE, ...) to a database that has
the extension, and prints TAP.  psycopg2 puts parameters into the text of a
query; PREPARE and EXECUTE have the server do it, as other drivers do.
"""
import datetime
import json
import os
import sys
import uuid

import psycopg2
import psycopg2.extras
from psycopg2 import errorcodes, errors

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import check, finish, result     # noqa: E402

psycopg2.extras.register_uuid()


def check_error(cursor, sqlstate, name, query, parameters=None):
    """The query fails with that SQLSTATE; the transaction is over then."""
    try:
        cursor.execute(query, parameters)
        code = "no error"
    except psycopg2.Error as error:
        code = error.pgcode
    cursor.connection.rollback()
    check(code, sqlstate, name)


def types_of(parameters):
    values = parameters.values() if isinstance(parameters, dict) else parameters
    return ", ".join(type(value).__name__ for value in values)


def one(cursor, query, parameters=None):
    cursor.execute(query, parameters)
    return cursor.fetchone()[0]


def column(cursor, query, parameters=None):
    cursor.execute(query, parameters)
    return [row[0] for row in cursor.fetchall()]


def test_call_forms(connection):
    """What produce stores for each form of call."""
    cursor = connection.cursor()
    cursor.execute("SELECT topic.create_topic('forms')")
    Json = psycopg2.extras.Json
    key = uuid.UUID("0190163d-8694-739b-aea5-966c26f8ad91")
    moment = datetime.datetime(2024, 2, 29, 12, 30, 0, 250000, datetime.timezone.utc)
    quoted = "it's 100% \\ \"quoted\"\n\u00e9\u20ac"

    # query, parameters, the key and value stored
    forms = [
        ("topic.produce(%s, %s)", ("forms", "v"), None, "v"),
        ("topic.produce(%s, %s, %s)", ("forms", "v", "k"), "k", "v"),
        ("topic.produce(%s, %s, %s)", ("forms", None, "k"), "k", None),
        ("topic.produce(%s, %s, %s)", ("forms", "v", None), None, "v"),
        ("topic.produce(%s, %s)", ("forms", None), None, None),
        ("topic.produce(%s, %s, key => %s)", ("forms", "v", "k"), "k", "v"),
        ("topic.produce(%s, %s, key => %s)", ("forms", "v", 7), "7", "v"),
        ("topic.produce(%s, %s, key => %s)", ("forms", "v", 2 ** 40), str(2 ** 40), "v"),
        ("topic.produce(%s, %s, key => %s)", ("forms", "v", key), str(key), "v"),
        ("topic.produce(%s, %s, key => %s)", ("forms", Json({"a": [1, None]}), 7), "7",
         '{"a": [1, null]}'),
        ("topic.produce(%s, %s::jsonb, key => %s)", ("forms", '{"a":1}', "k"), "k", '{"a": 1}'),
        ("topic.produce(%s, %s::json, key => %s)", ("forms", '{"a":1}', key), str(key), '{"a":1}'),
        ("topic.produce(%s, %s)", ("forms", b"bytes"), None, "bytes"),
        ("topic.produce(%s, %s, %s)", ("forms", b"bytes", b"key"), "key", "bytes"),
        ("topic.produce(%s, %s, %s)", ("forms", memoryview(b"bytes"), "k"), "k", "bytes"),
        ("topic.produce(%(topic)s, value => %(value)s, key => %(key)s)",
         {"topic": "forms", "value": "v", "key": "k"}, "k", "v"),
        ("topic.produce(key => %(key)s, value => %(value)s, topic => %(topic)s)",
         {"topic": "forms", "value": quoted, "key": quoted}, quoted, quoted),
        ("topic.produce(%s, %s, headers => %s, record_timestamp => %s, partition => %s)",
         ("forms", "v", Json({"h": "1"}), moment, 0), None, "v"),
        ("topic.produce(%s, row_to_json(x)) FROM (SELECT %s AS id, %s AS name) x",
         ("forms", 1, "n"), None, '{"id":1,"name":"n"}'),
    ]
    for query, parameters, stored_key, stored_value in forms:
        record_offset = one(cursor, "SELECT " + query, parameters)
        cursor.execute("SELECT key, value FROM topic.fetch_text('forms', from_offset => %s)", (record_offset,))
        check(cursor.fetchall(), [(stored_key, stored_value)], f"{query} with {types_of(parameters)}")

    cursor.execute("SELECT record_timestamp, headers FROM topic.fetch_text('forms') WHERE headers IS NOT NULL")
    check(cursor.fetchone(), (moment, [["h", "1"]]), "timestamp and headers")
    connection.commit()

    # the server's own parameters, of types that it finds out itself
    cursor.execute("PREPARE untyped AS SELECT topic.produce($1, $2, $3)")
    cursor.execute("PREPARE named AS SELECT topic.produce($1, $2, key => $3, headers => $4, partition => $5)")
    cursor.execute("PREPARE typed (text, jsonb, uuid) AS SELECT topic.produce($1, $2, $3)")
    cursor.execute("PREPARE many AS SELECT record_count FROM topic.produce_batch($1, $2::text[], $3)")
    calls = [
        ("EXECUTE untyped(%s, %s, %s)", ("forms", quoted, "k"), "k", quoted),
        ("EXECUTE untyped(%s, %s, %s)", ("forms", None, None), None, None),
        ("EXECUTE named(%s, %s, %s, %s, %s)", ("forms", "v", "k", Json([["h", None]]), 0), "k", "v"),
        ("EXECUTE typed(%s, %s, %s)", ("forms", Json({"a": 1}), key), str(key), '{"a": 1}'),
    ]
    for query, parameters, stored_key, stored_value in calls:
        record_offset = one(cursor, query, parameters)
        cursor.execute("SELECT key, value FROM topic.fetch_text('forms', from_offset => %s)", (record_offset,))
        check(cursor.fetchall(), [(stored_key, stored_value)], f"{query} with {types_of(parameters)}")
    check(one(cursor, "EXECUTE many(%s, %s, %s)", ("forms", ["a", "b"], ["k", None])), 2, "EXECUTE of produce_batch")
    connection.commit()


def test_batches(connection):
    """Lists become arrays."""
    cursor = connection.cursor()
    cursor.execute("SELECT topic.create_topic('batches'), topic.create_topic('raw', value_format => 'bytes')")
    values = [f"value {i}" for i in range(1000)] + ["", None]
    keys = [None if i % 3 == 0 else f"key {i}" for i in range(1000)] + [None, "tombstone"]
    check(one(cursor, "SELECT sum(record_count)::int FROM topic.produce_batch('batches', %s, %s)", (values, keys)),
          1002, "produce_batch of lists")
    cursor.execute("SELECT key, value FROM topic.fetch_text('batches')")
    check(cursor.fetchall(), list(zip(keys, values)), "and what it stored")
    check(one(cursor, "SELECT record_count FROM topic.produce_batch('batches', %s::jsonb[])",
              ([json.dumps({"i": i}) for i in range(3)],)), 3, "produce_batch of jsonb")

    # every byte, both ways
    binary = [bytes(range(256)), b"", b"\x00", b"\xff" * 10000]
    check(one(cursor, "SELECT sum(record_count)::int FROM topic.produce_batch('raw', %s, %s)",
              (binary, [b"\x00k", None, b"", b"\xff"])), 4, "produce_batch of bytes")
    cursor.execute("SELECT key, value FROM topic.fetch('raw')")
    rows = [(key if key is None else bytes(key), bytes(value)) for key, value in cursor.fetchall()]
    check(rows, list(zip([b"\x00k", None, b"", b"\xff"], binary)), "bytes are what they were")
    connection.commit()

    # a server-side cursor streams
    with connection.cursor(name="stream") as stream:
        stream.itersize = 100
        stream.execute("SELECT value FROM topics.batches")
        check(sum(1 for _ in stream), 1005, "a named cursor")
    connection.commit()


def test_exactly_once(connection, other):
    """Consume, write, commit: one transaction; whatever fails, again."""
    cursor = connection.cursor()
    cursor.execute("SELECT topic.create_topic('source', 3)")
    cursor.execute("CREATE TABLE sink (record text PRIMARY KEY)")
    cursor.execute("SELECT topic.produce_batch('source', %s, %s)",
                   ([f"r{i}" for i in range(500)], [str(i % 50) for i in range(500)]))
    connection.commit()

    rounds = 0
    while True:
        rounds += 1
        cursor.execute("SELECT value FROM topic.consume_text('app', 'source', %s)", (40,))
        batch = cursor.fetchall()
        if batch:
            psycopg2.extras.execute_values(cursor, "INSERT INTO sink VALUES %s", batch)
        # Every third time something goes wrong before, or after, the commit.
        if rounds % 6 == 3:
            connection.rollback()
            continue
        cursor.execute("SELECT * FROM topic.commit('app', 'source')")
        if rounds % 6 == 0:
            connection.rollback()
            continue
        connection.commit()
        if not batch:
            break
    check(one(cursor, "SELECT count(*) FROM sink"), 500, "every record is in the sink, once")
    check(rounds > 500 // 40 + 2, True, "though some rounds failed")
    check(one(cursor, "SELECT sum(lag)::int FROM topic.lag WHERE group_id = 'app'"), 0, "nothing lags")
    connection.commit()

    # A connection that dies gives its claims back at once.
    dying = psycopg2.connect("")
    dying.cursor().execute("SELECT * FROM topic.consume('dying', 'source', NULL)")
    cursor.execute("SELECT count(*) FROM topic.consume('dying', 'source')")
    check(cursor.fetchone()[0], 0, "all is claimed")
    check_error(cursor, errorcodes.LOCK_NOT_AVAILABLE, "commit of what another has claimed",
                "SELECT topic.commit('dying', 'source', 0, 1)")
    check_error(cursor, errorcodes.LOCK_NOT_AVAILABLE, "reset of what another has claimed",
                "SELECT * FROM topic.reset_offsets('dying', 'source', 'latest')")
    one(other.cursor(), "SELECT pg_terminate_backend(%s, 10000)", (dying.get_backend_pid(),))
    other.commit()
    check(one(cursor, "SELECT count(*) FROM topic.consume('dying', 'source', NULL)"), 500, "and free when it died")
    connection.rollback()


def test_autocommit(connection):
    """In autocommit mode consume and commit are two transactions: refused."""
    connection.autocommit = True
    cursor = connection.cursor()
    check(one(cursor, "SELECT count(*) FROM topic.consume('auto', 'source', 10, ARRAY[0])"), 10, "consume in autocommit mode")
    try:
        cursor.execute("SELECT * FROM topic.commit('auto', 'source')")
        check("no error", "55000", "commit in autocommit mode")
    except errors.ObjectNotInPrerequisiteState as error:
        check(error.pgcode, "55000", "commit in autocommit mode")
        check("BEGIN" in error.diag.message_hint, True, "and the hint says what to do")
    check(column(cursor, "SELECT committed_offset FROM topic.committed('auto', 'source')"), [], "nothing was committed")

    # One statement can do it all, and so can explicit offsets.
    query = "SELECT record_offset FROM topic.consume('auto', 'source', 10, ARRAY[0], commit => true)"
    check(column(cursor, query), list(range(10)), "commit => true")
    check(column(cursor, query), list(range(10, 20)), "goes on in the next statement")
    check(one(cursor, "SELECT topic.commit('auto', 'source', 0, 25)"), 25, "an explicit commit")
    check(column(cursor, query), list(range(25, 35)), "goes on from there")
    connection.autocommit = False

    # "with connection" is a transaction.
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT record_offset FROM topic.consume('auto', 'source', 1, ARRAY[0])")
        check(cursor.fetchone()[0], 35, "with connection")
        check(column(cursor, "SELECT committed_offset FROM topic.commit('auto', 'source')"), [36], "commits")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT * FROM topic.consume('auto', 'source', 1, ARRAY[0], commit => true)")
            raise RuntimeError
    except RuntimeError:
        pass
    with connection, connection.cursor() as cursor:
        check(column(cursor, "SELECT committed_offset FROM topic.committed('auto', 'source')"), [36], "or rolls back")


def test_waiting(connection):
    """CALL wait_for_records, in and outside of a transaction."""
    call = "CALL topic.wait_for_records(%s, %s, %s)"
    cursor = connection.cursor()
    check(one(cursor, call, ("waiting", "source", datetime.timedelta(days=1))), True, "waiting in a transaction")
    check(one(cursor, "SELECT count(*) FROM topic.consume('waiting', 'source', 10)"), 10, "which then consumes")
    connection.rollback()
    connection.autocommit = True
    check(one(cursor, call, ("waiting", ["source"], "1 day")), True, "waiting in autocommit mode, for a list")
    ends = column(cursor, "SELECT last_stable_offset FROM topic.offsets('source')")
    check(one(cursor, call, ("source", ends, "0")), False, "from the ends of the partitions")
    connection.autocommit = False
    connection.set_session(isolation_level="SERIALIZABLE")
    check_error(cursor, errorcodes.ACTIVE_SQL_TRANSACTION, "waiting in a serializable transaction",
                call, ("waiting", "source", "0"))
    connection.set_session(isolation_level="DEFAULT")


def test_errors(connection):
    """What a program sees of an error."""
    cursor = connection.cursor()
    check_error(cursor, errorcodes.UNDEFINED_OBJECT, "unknown topic", "SELECT topic.produce('missing', 'v')")
    check_error(cursor, "TP001", "past the end", "SELECT topic.commit('app', 'source', 0, 99999)")
    check_error(cursor, errorcodes.FEATURE_NOT_SUPPORTED, "consume in the select list",
                "SELECT topic.consume('app', 'source')")
    check_error(cursor, errorcodes.PROGRAM_LIMIT_EXCEEDED, "too large",
                "SELECT topic.produce('source', %s)", ("x" * 1048577,))
    check(one(cursor, "SELECT topic.produce('source', %s, partition => 0) > 0", ("x" * 1048576,)), True, "not too large")
    connection.rollback()


def test_prepared_transactions(connection):
    """Two-phase commit by the driver's API, where the server allows it."""
    cursor = connection.cursor()
    allowed = int(one(cursor, "SHOW max_prepared_transactions")) > 0
    connection.rollback()
    if not allowed:
        result(True, "two-phase commit # SKIP max_prepared_transactions is 0")
        return
    xid = connection.xid(1, "pg_topic", "driver")
    connection.tpc_begin(xid)
    cursor.execute("SELECT topic.produce('source', 'prepared', partition => 1)")
    connection.tpc_prepare()
    connection.tpc_commit()
    check(one(cursor, "SELECT count(*) FROM topics.source WHERE value = 'prepared'"), 1, "two-phase commit")
    connection.rollback()


connection = psycopg2.connect("")
other = psycopg2.connect("")
test_call_forms(connection)
test_batches(connection)
test_exactly_once(connection, other)
test_autocommit(connection)
test_waiting(connection)
test_errors(connection)
test_prepared_transactions(connection)
finish()
