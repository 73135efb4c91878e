#!/usr/bin/python3
"""A worker with psycopg2: flights become rows of the table arrival."""
import contextlib
import sys
import time

import psycopg2
from psycopg2.extras import execute_values


def handle_batch(connection):
    """Consume, write and commit the offsets, in one transaction."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("""SELECT partition, record_offset, key, value
            FROM topic.consume_json('arrivals', 'flights', max_records => 250)""")
        execute_values(
            cursor, "INSERT INTO arrival VALUES %s",
            [(partition, record_offset, origin, flight["destination"], flight["delay"])
             for partition, record_offset, origin, flight in cursor.fetchall()])
        cursor.execute("SELECT * FROM topic.commit('arrivals', 'flights')")


def work():
    with contextlib.closing(psycopg2.connect("")) as connection:
        connection.autocommit = True    # outside of "with connection": the CALL
        while True:
            with connection.cursor() as cursor:
                cursor.execute("CALL topic.wait_for_records('arrivals', 'flights')")
            handle_batch(connection)


while True:
    try:
        work()
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        # 40001, a deadlock, 55P03, a timeout; or the connection broke.
        print(getattr(error, "pgcode", None), error, file=sys.stderr)
        time.sleep(0.5)
