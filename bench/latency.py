"""Measure the time from a producer's call, and from its COMMIT, to the row.

usage: latency.py wait|listen|poll RATE SECONDS

pgbench produces RATE records a second to topic latency, each in a transaction
of its own.  A consumer consumes them as soon as it learns of them: by
topic.wait_for_records, at the beginning of a transaction that consumes, so that both
are one message to the server; by LISTEN, and a NOTIFY in each of the
producers' transactions; or by asking every 10 ms.

Prints, in milliseconds, the median and the 99th percentile of three times, of
which the first tenth of the records does not count:

- from the call of topic.produce, whose COMMIT with its wait for the disk is yet
  to come, to the consumer's having the row
- from COMMIT's return to the producer to the consumer's having the row; this is
  negative where the consumer was faster than the producer's own answer
- of the producers' transactions alone

And the records a second that were produced in fact.

All times are of this machine's clock: of clock_timestamp() in the server, of
time.time() here, and of pgbench's log, which counts on by the monotonic clock
from what the time was when it began.  So it must not be set meanwhile.
"""

import glob
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg2

# The value: who produced it, the how many-th of his it is, and when.
PRODUCE = """\\set number :number + 1
SELECT topic.produce('latency', concat_ws(' ', :client_id::int, :number::int,
    extract(epoch FROM clock_timestamp())))"""
NOTIFY = ", pg_notify('latency', '')"
WAIT = "CALL topic.wait_for_records('latency', 'latency', max_wait => '100 ms');"
CONSUME = """SELECT value FROM
    topic.consume_text('latency', 'latency', commit => true)"""


def waits_in_transaction(cursor):
    """The next one begins by waiting."""


def wait_for_notification(cursor):
    connection = cursor.connection
    connection.poll()
    if not connection.notifies:
        select.select([connection], [], [], 0.1)
        connection.poll()
    connection.notifies.clear()


def wait_for_a_while(cursor):
    time.sleep(0.01)


WAITS = {"wait": waits_in_transaction, "listen": wait_for_notification,
         "poll": wait_for_a_while}


def produce(method, rate, seconds, directory):
    """Start pgbench."""
    with open(directory + "/script.sql", "w") as script:
        script.write(PRODUCE + (NOTIFY if method == "listen" else ""))
    return subprocess.Popen(
        ["pgbench", "-n", "-M", "prepared", "-c", "1" if rate <= 100 else "8",
         "-R", str(rate), "-T", str(seconds), "-l", "-D", "number=0",
         "--log-prefix", directory + "/log", "-f", script.name],
        stdout=subprocess.PIPE, text=True)


def consume(method, producer):
    """Consume until the producer has ended; return values, and their times."""
    records = []
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    if method == "listen":
        cursor.execute("LISTEN latency")
    rows = []
    while True:
        ended = producer.poll() is not None
        waits = method == "wait" and not rows
        cursor.execute("BEGIN; " + (WAIT if waits else "") + CONSUME)
        rows = cursor.fetchall()
        now = time.time()
        cursor.execute("COMMIT")
        records += ((value, now) for (value,) in rows)
        if not rows:
            if ended:
                return records
            WAITS[method](cursor)


def transactions(directory):
    """Of pgbench's log: when each transaction returned, and its milliseconds."""
    ends, durations = {}, []
    for name in glob.glob(directory + "/log*"):
        with open(name) as log:
            for line in log:
                client, number, since_due, _, second, microsecond, lag = line.split()
                ends[client, number] = int(second) + int(microsecond) / 1e6
                durations.append((int(since_due) - int(lag)) / 1000)
    return ends, durations


def clock_difference():
    """What the clock is ahead of the monotonic one."""
    return statistics.median(time.time() - time.monotonic() for _ in range(99))


def percentiles(values):
    values = sorted(values[len(values) // 10:])
    return [f"{values[(len(values) - 1) * p // 100]:.3f}" for p in (50, 99)]


def main():
    method, rate, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    difference = clock_difference()
    with tempfile.TemporaryDirectory() as directory:
        producer = produce(method, rate, seconds, directory)
        records = consume(method, producer)
        report = producer.stdout.read()
        if producer.wait() != 0:
            sys.exit("pgbench failed")
        ends, durations = transactions(directory)
    if abs(clock_difference() - difference) > 0.0001:
        sys.exit("the clock was set meanwhile")
    if len(ends) != len(records):
        sys.exit(f"{len(ends)} records produced, {len(records)} consumed")
    since_call, since_commit = [], []
    for value, delivered in records:
        client, number, called = value.split()
        since_call.append(1000 * (delivered - float(called)))
        since_commit.append(1000 * (delivered - ends[client, number]))
    print(*percentiles(since_call), *percentiles(since_commit),
          *percentiles(durations), re.search(r"^tps = ([0-9.]+)", report, re.M)[1])


main()
