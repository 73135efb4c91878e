"""Measure the time from a producer's call to the consumer's row.

usage: latency.py wait|listen|poll RATE SECONDS

pgbench produces RATE records a second to topic latency, each in a transaction
of its own, with the time of the call as its value.  A consumer consumes them as
soon as it learns of them: by topic.wait_for_records; by LISTEN, and a NOTIFY in
each of the producers' transactions; or by asking every 10 ms.

Prints, in milliseconds, the median and the 99th percentile of the time from
the call to the row, and of the producers' transactions alone, which is part of
it; and the records a second that were produced in fact.  The first tenth of the
records does not count.
"""

import glob
import re
import select
import subprocess
import sys
import tempfile
import time

import psycopg2

PRODUCE = ("SELECT topic.produce('latency',"
           " extract(epoch FROM clock_timestamp())::text)")
NOTIFY = ", pg_notify('latency', '')"
CONSUME = """BEGIN; SELECT value::float FROM
    topic.consume_text('latency', 'latency', commit => true)"""


def wait_for_records(cursor):
    cursor.execute("CALL topic.wait_for_records('latency', 'latency',"
                   " max_wait => '100 ms')")


def wait_for_notification(cursor):
    connection = cursor.connection
    connection.poll()
    if not connection.notifies:
        select.select([connection], [], [], 0.1)
        connection.poll()
    connection.notifies.clear()


def wait_for_a_while(cursor):
    time.sleep(0.01)


WAITS = {"wait": wait_for_records, "listen": wait_for_notification,
         "poll": wait_for_a_while}


def produce(method, rate, seconds, directory):
    """Start pgbench."""
    with open(directory + "/script.sql", "w") as script:
        script.write(PRODUCE + (NOTIFY if method == "listen" else ""))
    return subprocess.Popen(
        ["pgbench", "-n", "-M", "prepared", "-c", "1" if rate <= 100 else "8",
         "-R", str(rate), "-T", str(seconds), "-l",
         "--log-prefix", directory + "/log", "-f", script.name],
        stdout=subprocess.PIPE, text=True)


def consume(method, producer):
    """Consume until the producer has ended; return a latency per record."""
    latencies = []
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    if method == "listen":
        cursor.execute("LISTEN latency")
    while True:
        ended = producer.poll() is not None
        cursor.execute(CONSUME)
        rows = cursor.fetchall()
        now = time.time()
        cursor.execute("COMMIT")
        latencies += (1000 * (now - begun) for (begun,) in rows)
        if not rows:
            if ended:
                return latencies
            WAITS[method](cursor)


def transactions(directory):
    """The milliseconds of each transaction in pgbench's log."""
    for name in glob.glob(directory + "/log*"):
        with open(name) as log:
            for line in log:
                fields = line.split()
                # Time since it was due, less the lag with which it began.
                yield (int(fields[2]) - int(fields[6])) / 1000


def percentiles(values):
    values = sorted(values[len(values) // 10:])
    return [f"{values[(len(values) - 1) * p // 100]:.3f}" for p in (50, 99)]


def main():
    method, rate, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as directory:
        producer = produce(method, rate, seconds, directory)
        latencies = consume(method, producer)
        report = producer.stdout.read()
        if producer.wait() != 0:
            sys.exit("pgbench failed")
        count = int(re.search(r"actually processed: (\d+)", report)[1])
        if count != len(latencies):
            sys.exit(f"{count} records produced, {len(latencies)} consumed")
        print(*percentiles(latencies), *percentiles(list(transactions(directory))),
              re.search(r"^tps = ([0-9.]+)", report, re.M)[1])


main()
