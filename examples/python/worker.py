#!/usr/bin/python3
"""A worker with psycopg 3: flights become rows of the table arrival."""
import sys
import time

import psycopg


def handle_batch(connection):
    """Consume, write and commit the offsets, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("""SELECT partition, record_offset, key, value
            FROM topic.consume_json('arrivals', 'flights', max_records => 250)""")
        cursor.executemany(
            "INSERT INTO arrival VALUES (%s, %s, %s, %s, %s)",
            [(partition, record_offset, origin, flight["destination"], flight["delay"])
             for partition, record_offset, origin, flight in cursor.fetchall()])
        cursor.execute("SELECT * FROM topic.commit('arrivals', 'flights')")


def work():
    # Autocommit is for what is outside of transaction(): the CALL.  Statements
    # are not prepared, for the sake of poolers.
    with psycopg.connect(autocommit=True, prepare_threshold=None) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        while True:
            connection.execute("CALL topic.wait_for_records('arrivals', 'flights')")
            handle_batch(connection)


while True:
    try:
        work()
    except psycopg.OperationalError as error:
        # 40001, a deadlock, 55P03, a timeout; or the connection broke.
        print(error.sqlstate, error, file=sys.stderr)
        time.sleep(0.5)
