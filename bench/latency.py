"""Measure the time from a producer's COMMIT to the consumer's row.

usage: latency.py wait|listen|poll RECORDS

One process produces 100 records a second, each in a transaction of its own;
another consumes them from topic latency as soon as it learns of them: by
topic.wait_for_records, by LISTEN and a NOTIFY in each of the producer's
transactions, or by asking every 10 ms.  Prints the milliseconds of each
record, from just before COMMIT is sent to when the row is here; and to when the
producer has the answer to COMMIT.
"""

import multiprocessing
import select
import sys
import time

import psycopg2

RECORDS_PER_SECOND = 100
WARM_UP = 100  # records that are not counted


def produce(method, records, begun, ended):
    connection = psycopg2.connect("")
    with connection.cursor() as cursor:
        start = time.monotonic()
        for number in range(records):
            time.sleep(max(0, start + number / RECORDS_PER_SECOND
                           - time.monotonic()))
            cursor.execute("SELECT topic.produce('latency', %s)", (str(number),))
            if method == "listen":
                cursor.execute("NOTIFY latency")
            begun[number] = time.monotonic()
            connection.commit()
            ended[number] = time.monotonic()


def wait_for_records(cursor):
    cursor.execute("CALL topic.wait_for_records('latency', 'latency')")


def wait_for_notification(cursor):
    connection = cursor.connection
    connection.poll()
    if not connection.notifies:
        select.select([connection], [], [])
        connection.poll()
    connection.notifies.clear()


def wait_for_a_while(cursor):
    time.sleep(0.01)


WAITS = {"wait": wait_for_records, "listen": wait_for_notification,
         "poll": wait_for_a_while}


def main():
    method = sys.argv[1]
    records = int(sys.argv[2]) + WARM_UP
    begun = multiprocessing.Array("d", records, lock=False)
    ended = multiprocessing.Array("d", records, lock=False)
    consumed = [0.0] * records
    left = records

    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("LISTEN latency")
    producer = multiprocessing.Process(target=produce,
                                       args=(method, records, begun, ended))
    producer.start()
    while left > 0:
        cursor.execute("""BEGIN; SELECT value::int FROM
            topic.consume_text('latency', 'latency', commit => true)""")
        rows = cursor.fetchall()
        now = time.monotonic()
        cursor.execute("COMMIT")
        for (number,) in rows:
            consumed[number] = now
        left -= len(rows)
        if not rows:
            WAITS[method](cursor)
    producer.join()

    for number in range(WARM_UP, records):
        print(f"{1000 * (consumed[number] - begun[number]):.3f}",
              f"{1000 * (ended[number] - begun[number]):.3f}")


main()
