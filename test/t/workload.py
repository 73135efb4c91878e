#!/usr/bin/python3
"""Concurrent producers and consumers of one topic, and a check of the outcome.

Producers append records in transactions of many shapes and note what they
know: a transaction is committed, aborted, or, if the connection broke while
COMMIT was on its way, unknown. Consumers of one group insert what they consume
into a table, the sink, in the same transaction. A follower reads on without a
group. Around them, segments are vacuumed, rolled and reindexed, and backends
terminated. All clients reconnect when they lose their connection, so the
server may crash and come back while they run.

At the end, when the consumers have caught up, the log is compared with what
the producers noted, what the consumers inserted, and what the follower read.
Prints TAP.

	workload.py --seconds 30 --dsn "host=/tmp dbname=postgres"

runs for so many seconds; without --seconds, until it reads a line.
"""

import argparse
import bisect
import collections
import hashlib
import os
import random
import sys
import threading
import time

import psycopg2
import psycopg2.errors

TOPIC = 'stress'
GROUP = 'workers'
PARTITIONS = 5
PRODUCERS = 8
CONSUMERS = 4

Record = collections.namedtuple('Record', 'partition offset producer sequence')


def value_of(producer, sequence):
    """The value of a record, which follows from who produced it and when.

    Most are small, some do not fit a page, and a few need many pages.
    """
    size_class = (sequence * 7919 + producer * 104729) % 100
    if size_class < 90:
        size = size_class * 3
    elif size_class < 98:
        size = 8000 + size_class * 50
    else:
        size = 100000 * (size_class - 96)
    head = f'{producer} {sequence} '
    return head + 'x' * size


def digest(value):
    return hashlib.md5(value.encode()).hexdigest()


class Workload:
    def __init__(self, dsn, kinds, seed):
        self.dsn = dsn
        self.kinds = kinds          # of disturbances
        self.seed = seed            # of what is left to chance
        self.stopping = threading.Event()   # no new transactions
        self.drained = threading.Event()    # consumers and follower may end
        self.lock = threading.Lock()
        self.committed = set()      # records
        self.unknown = []           # sets of records, one per transaction
        self.counts = collections.Counter()
        self.failures = []
        self.followed = [[] for _ in range(PARTITIONS)]     # (offset, digest)
        self.stable = []            # (partition, LSO, followed below it)

    def fail(self, message):
        with self.lock:
            self.failures.append(message)

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    def connect(self, name):
        """A connection, as soon as the server takes one.

        Nobody here has reason to wait for a lock for long.
        """
        deadline = time.monotonic() + 60
        while True:
            try:
                connection = psycopg2.connect(self.dsn, application_name=name,
                                              options='-c lock_timeout=30s')
                connection.autocommit = True
                return connection
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    sys.stderr.write('the server does not come back\n')
                    os._exit(1)
                time.sleep(0.1)

    def recover(self, connection, name, error):
        """After an error: the connection, free of a transaction, or a new one."""
        self.check_expected(error, name)
        try:
            connection.cursor().execute('ROLLBACK')
            return connection
        except psycopg2.Error:
            connection.close()
            return self.connect(name)

    def check_expected(self, error, name):
        """Losing the connection, and being told to retry, is to be expected."""
        if error.pgcode in (
                None,                           # the connection broke
                '57P01', '57P02', '57P03',      # terminated, crashed, starting
                '57014',                        # cancelled
                '40001'):                       # could not serialize
            self.count(f'errors {error.pgcode or "without code"} of a {name.split()[0]}')
        else:
            self.fail(f'{name}: {error.pgcode} {error}')

    # Producers

    def produce(self, producer):
        name = f'producer {producer}'
        rng = random.Random(f'{self.seed} {name}')
        sequence = 0
        connection = self.connect(name)
        while not self.stopping.is_set():
            transaction = ProducerTransaction(producer, sequence, rng)
            try:
                transaction.run(connection.cursor())
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)
            sequence = transaction.sequence
            with self.lock:
                self.counts['transactions ' + transaction.outcome] += 1
                if transaction.outcome == 'committed':
                    self.committed |= transaction.records
                elif transaction.outcome == 'unknown':
                    self.unknown.append(transaction.records)

    # Consumers

    def consume(self, consumer):
        name = f'consumer {consumer}'
        rng = random.Random(f'{self.seed} {name}')
        connection = self.connect(name)
        while not self.drained.is_set():
            try:
                consumed = self.consume_some(connection.cursor(), consumer, rng)
                if consumed == 0:
                    time.sleep(0.01)
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)

    def consume_some(self, cursor, consumer, rng):
        """One transaction of a consumer; returns how many records it took."""
        max_records = rng.choice((1, 10, 100, 1000))
        insert = f"""
            INSERT INTO sink (consumer, partition, record_offset, digest)
            SELECT {consumer}, partition, record_offset, md5(value)
            FROM topic.consume_text('{GROUP}', '{TOPIC}', {max_records}"""

        # In one statement.
        if rng.random() < 0.3:
            cursor.execute(insert + ', commit => true)')
            self.count('consumed', cursor.rowcount)
            return cursor.rowcount

        cursor.execute(begin(rng))
        cursor.execute(insert + ')')
        consumed = cursor.rowcount
        if rng.random() < 0.3:
            # More of the same, rolled back.
            cursor.execute('SAVEPOINT s')
            cursor.execute(insert + ", commit => true)")
            cursor.execute('ROLLBACK TO s')
        if rng.random() < 0.3:
            cursor.execute(insert + ')')
            consumed += cursor.rowcount
        if rng.random() < 0.1:
            cursor.execute('ROLLBACK')
            return consumed
        cursor.execute(f"SELECT * FROM topic.commit('{GROUP}', '{TOPIC}')")
        cursor.execute('COMMIT')
        self.count('consumed', consumed)
        return consumed

    # A reader without a group, who goes on after the last record that he got

    def follow(self):
        connection = self.connect('follower')
        positions = [0] * PARTITIONS
        last_round = False
        while not last_round:
            last_round = self.drained.is_set()
            try:
                self.follow_some(connection.cursor(), positions)
            except psycopg2.Error as error:
                connection = self.recover(connection, 'follower', error)
                last_round = False

    def follow_some(self, cursor, positions):
        cursor.execute(f"""
            SELECT partition, last_stable_offset, high_watermark
            FROM topic.offsets('{TOPIC}')""")
        for partition, stable, high_watermark in cursor.fetchall():
            if not positions[partition] <= stable <= high_watermark:
                self.fail(f'partition {partition}: read up to '
                          f'{positions[partition]}, last stable offset '
                          f'{stable}, high watermark {high_watermark}')
            cursor.execute(
                f"SELECT record_offset, md5(value) FROM topic.fetch_text('{TOPIC}', %s, %s)",
                (partition, positions[partition]))
            records = cursor.fetchall()
            followed = self.followed[partition]
            followed += records
            if records:
                positions[partition] = records[-1][0] + 1

            # All records below the last stable offset were there to be read.
            self.stable.append((partition, stable,
                                bisect.bisect_left(followed, (stable,))))
        time.sleep(0.05)

    # Disturbances

    def disturb(self, kind):
        """Do something again and again, more or less often."""
        rng = random.Random(f'{self.seed} {kind}')
        connection = self.connect(kind)
        while not self.stopping.is_set():
            try:
                getattr(self, kind)(connection.cursor(), rng)
                self.count(kind)
            except psycopg2.Error as error:
                connection = self.recover(connection, kind, error)

    def vacuum(self, cursor, rng):
        cursor.execute(f"""
            SELECT format('topic_log.segment_%s_%s', topic_id, segment)
            FROM topic.segments ORDER BY segment DESC LIMIT 3""")
        tables = [row[0] for row in cursor] + ['topic.consumer_offsets']
        for table in tables:
            cursor.execute(f'VACUUM {table}')
        time.sleep(0.05)

    def roll(self, cursor, rng):
        time.sleep(rng.uniform(0, 1))
        cursor.execute(f"SELECT topic.roll_segment('{TOPIC}')")

    def reindex(self, cursor, rng):
        cursor.execute(f"""
            SELECT format('topic_log.segment_%s_%s', topic_id, max(segment))
            FROM topic.segments GROUP BY topic_id""")
        cursor.execute(f'REINDEX TABLE CONCURRENTLY {cursor.fetchone()[0]}')
        time.sleep(rng.uniform(0, 0.5))

    def terminate(self, cursor, rng):
        time.sleep(rng.uniform(0.05, 0.5))
        function = rng.choice(('pg_terminate_backend', 'pg_cancel_backend'))
        cursor.execute(f"""
            SELECT {function}(pid) FROM pg_stat_activity
            WHERE application_name ~ '^(producer|consumer)'
            ORDER BY random() LIMIT 1""")

    # The run

    def prepare(self):
        cursor = self.connect('prepare').cursor()
        cursor.execute('CREATE EXTENSION IF NOT EXISTS pg_topic')
        cursor.execute(f"SELECT topic.create_topic('{TOPIC}', partitions => {PARTITIONS})")
        # What is inserted later in a partition was processed later.
        cursor.execute("""
            CREATE TABLE sink (position bigserial, consumer int, partition int,
                record_offset bigint, digest text)""")

    def run(self, seconds):
        self.prepare()
        producers = [threading.Thread(target=self.produce, args=(n,))
                     for n in range(PRODUCERS)]
        consumers = [threading.Thread(target=self.consume, args=(n,))
                     for n in range(CONSUMERS)]
        follower = threading.Thread(target=self.follow)
        disturbances = [threading.Thread(target=self.disturb, args=(kind,))
                        for kind in self.kinds]
        threads = producers + consumers + [follower] + disturbances
        for thread in threads:
            thread.daemon = True
            thread.start()

        if seconds is not None:
            time.sleep(seconds)
        else:
            sys.stdin.readline()
        self.stopping.set()
        for thread in producers + disturbances:
            thread.join()
        self.wait_until_consumed()
        self.drained.set()
        for thread in consumers + [follower]:
            thread.join()

    def wait_until_consumed(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                cursor = self.connect('control').cursor()
                cursor.execute(f"""
                    SELECT count(*) FROM topic.offsets('{TOPIC}') o
                    LEFT JOIN topic.committed('{GROUP}', '{TOPIC}') c USING (partition)
                    WHERE coalesce(c.committed_offset, 0) < o.high_watermark""")
                if cursor.fetchone()[0] == 0:
                    return
            except psycopg2.OperationalError:
                pass
            time.sleep(0.1)
        self.fail('the consumers did not catch up')

    # The check

    def check(self):
        connection = self.connect('check')
        connection.autocommit = False
        log = {}
        cursor = connection.cursor('log')   # a name: rows are fetched as needed
        cursor.itersize = 100
        cursor.execute(f'SELECT partition, record_offset, value FROM topics.{TOPIC}')
        for partition, offset, value in cursor:
            producer, sequence = value.split(' ', 2)[:2]
            record = Record(partition, offset, int(producer), int(sequence))
            if value != value_of(record.producer, record.sequence):
                self.fail(f'not the value that was produced: {record}')
            log[partition, offset] = record, digest(value)
        records = {record for record, _ in log.values()}
        connection.commit()
        connection.autocommit = True
        cursor = connection.cursor()

        report('no client met anything unexpected', self.failures)

        report('every committed record is in the log', self.committed - records)
        report('of a transaction with unknown outcome, all or nothing is there', [
            transaction for transaction in self.unknown
            if 0 < len(transaction & records) < len(transaction)])
        report('nothing else is in the log',
               records - self.committed - set().union(*self.unknown))
        report('no record is there twice', duplicates(
            (record.producer, record.sequence) for record in records))
        report("each producer's order is kept", [
            (before, after) for before, after in neighbours(
                sorted(records, key=lambda r: (r.partition, r.producer, r.offset)),
                lambda r: (r.partition, r.producer))
            if before.sequence >= after.sequence])

        cursor.execute('SELECT partition, record_offset, digest FROM sink ORDER BY position')
        sink = cursor.fetchall()
        in_sink = {(partition, offset): value for partition, offset, value in sink}
        in_log = {key: value for key, (_, value) in log.items()}
        report('no record was consumed twice', duplicates(
            (partition, offset) for partition, offset, _ in sink))
        report('every record was consumed', in_log.keys() - in_sink.keys())
        report('the sink is the log', set(in_sink.items()) ^ set(in_log.items()))
        report('records were consumed in order', [
            (before, after) for before, after in neighbours(
                sorted(sink, key=lambda row: row[0]), lambda row: row[0])
            if before[1] >= after[1]])

        report('the follower read the log', [
            partition for partition in range(PARTITIONS)
            if self.followed[partition] != sorted(
                (offset, value) for (p, offset), value in in_log.items() if p == partition)])
        offsets = [sorted(offset for p, offset in log if p == partition)
                   for partition in range(PARTITIONS)]
        report('no record came below a last stable offset', [
            sample for sample in self.stable
            if bisect.bisect_left(offsets[sample[0]], sample[1]) != sample[2]])

        cursor.execute(f"""
            SELECT o.*, c.committed_offset FROM topic.offsets('{TOPIC}') o
            LEFT JOIN topic.committed('{GROUP}', '{TOPIC}') c USING (partition)""")
        report('offsets and committed offsets stand at the end', [
            row for row in cursor
            if not row[2] == row[3] == row[4] == offsets[row[0]][-1] + 1])
        cursor.execute('SELECT * FROM topic.open_producers')
        report('nobody is listed as open', cursor.fetchall())
        cursor.execute("""
            SELECT relname, n_tup_upd, n_tup_del FROM pg_stat_user_tables
            WHERE schemaname = 'topic_log' AND n_tup_upd + n_tup_del > 0""")
        report('no row of the log was updated or deleted', cursor.fetchall())
        cursor.execute('SELECT count(*) FROM topic.segments')
        self.counts['segments'] = cursor.fetchone()[0]

        print(f'# {len(log)} records in the log')
        for what, n in sorted(self.counts.items()):
            print(f'# {n} {what}')
        report('there was something to check', [] if len(log) > 1000 else [len(log)])


class ProducerTransaction:
    """A producer's transaction, and what is known of its outcome."""

    def __init__(self, producer, sequence, rng):
        self.producer = producer
        self.sequence = sequence
        self.rng = rng
        self.records = set()
        self.outcome = 'aborted'

    def run(self, cursor):
        try:
            self.try_run(cursor)
        except psycopg2.errors.SerializationFailure:
            self.outcome = 'aborted'
            raise

    def try_run(self, cursor):
        cursor.execute(begin(self.rng))
        for _ in range(self.rng.randint(1, 4)):
            way = self.rng.random()
            if way < 0.5:
                self.produce(cursor)
            elif way < 0.8:
                self.produce_batch(cursor)
            else:
                self.roll_back_to_savepoint(cursor)
        if self.rng.random() < 0.1:
            time.sleep(self.rng.uniform(0, 1))
        if self.rng.random() < 0.15:
            cursor.execute('ROLLBACK')
            return
        self.outcome = 'unknown'
        cursor.execute('COMMIT')
        self.outcome = 'committed'

    def next_value(self):
        self.sequence += 1
        return value_of(self.producer, self.sequence)

    def note(self, partition, offset, sequence):
        self.records.add(Record(partition, offset, self.producer, sequence))

    def produce(self, cursor):
        """One record, to any partition."""
        partition = self.rng.randrange(PARTITIONS)
        cursor.execute(f"SELECT topic.produce('{TOPIC}', %s, partition => %s)",
                       (self.next_value(), partition))
        self.note(partition, cursor.fetchone()[0], self.sequence)

    def produce_batch(self, cursor):
        """Some records, whose key says where they go: a producer's own."""
        first = self.sequence + 1
        values = [self.next_value() for _ in range(self.rng.randint(1, 30))]
        cursor.execute(
            f"SELECT * FROM topic.produce_batch('{TOPIC}', %s::text[], %s::text[])",
            (values, [f'key {self.producer}'] * len(values)))
        sequence = first
        for partition, base_offset, record_count in cursor:
            for offset in range(base_offset, base_offset + record_count):
                self.note(partition, offset, sequence)
                sequence += 1

    def roll_back_to_savepoint(self, cursor):
        before = set(self.records)
        cursor.execute('SAVEPOINT s')
        self.produce(cursor)
        if self.rng.random() < 0.5:
            self.produce_batch(cursor)
        cursor.execute('ROLLBACK TO s')
        self.records = before


def begin(rng):
    return 'BEGIN ISOLATION LEVEL ' + rng.choice(
        ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'))


def duplicates(keys):
    return [key for key, n in collections.Counter(keys).items() if n > 1]


def neighbours(rows, key):
    """Pairs of rows that follow each other and have the same key."""
    return [(before, after) for before, after in zip(rows, rows[1:])
            if key(before) == key(after)]


test_number = 0
all_passed = True


def report(name, exceptions):
    """One test, which passed if there are no exceptions to what it states."""
    global test_number, all_passed
    test_number += 1
    exceptions = list(exceptions)
    print(f'{"not ok" if exceptions else "ok"} {test_number} - {name}')
    for exception in exceptions[:10]:
        print('# ' + str(exception).replace('\n', ' ')[:300])
    if exceptions:
        print(f'# {len(exceptions)} in all')
        all_passed = False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--dsn', default='')
    parser.add_argument('--seconds', type=float)
    kinds = ['vacuum', 'roll', 'reindex', 'terminate']
    parser.add_argument('--disturb', nargs='*', choices=kinds, default=kinds)
    parser.add_argument('--seed', type=int, default=random.randrange(1000000))
    arguments = parser.parse_args()

    print(f'# seed {arguments.seed}')
    workload = Workload(arguments.dsn, arguments.disturb, arguments.seed)
    workload.run(arguments.seconds)
    workload.check()
    print(f'1..{test_number}')
    sys.exit(0 if all_passed else 1)


main()
