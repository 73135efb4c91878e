#!/usr/bin/python3
"""Concurrent producers and consumers of topics, and a check of the outcome.

Producers append records in transactions of many shapes and note what they
know: a transaction is committed, aborted, or, if the connection broke while
COMMIT was on its way, unknown. Consumers of some groups insert what they
consume into a table, the sink, in the same transaction. A follower reads on
without a group. Around them, segments are vacuumed, rolled and reindexed, and
backends terminated, or stopped for a moment. All clients reconnect when they
lose their connection, so the server may crash and come back while they run.

With maintenance among the disturbances, there are more topics: some whose old
segments go by retention, some that are compacted, one whose partitions grow.
Two sessions run topic.maintain() in a loop, and readers check that what a
snapshot sees does not change.

At the end, when the consumers have caught up, each log is compared with what
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
import signal
import sys
import threading
import time

import psycopg2
import psycopg2.errors

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import finish, report     # noqa: E402 pylint: disable=wrong-import-position

PRODUCERS = 8
GROUPS = {'workers': 4, 'auditors': 2}      # and how many consumers they have
READERS = 2
MAINTAINERS = 2

# Of a record: where it is, and what makes it unlike all others.
Record = collections.namedtuple('Record', 'topic partition offset producer sequence')


class Topic:
    """A topic, and what of its records must be there at the end."""

    def __init__(self, name, partitions=5, options='', weight=1, deletes=False,
                 compacts=False, small=False):
        self.name = name
        self.small = small              # no value is large
        self.partitions = partitions    # grows, if somebody makes it grow
        self.options = options          # of create_topic
        self.weight = weight            # how often producers choose it
        self.deletes = deletes          # its oldest segments go
        self.compacts = compacts        # all but the latest record of a key go
        self.committed = set()          # records
        self.unknown = []               # sets of records, one per transaction
        self.followed = collections.defaultdict(list)   # [partition]: (offset, digest)
        self.stable = []                # (partition, LSO, followed below it)

    @property
    def keeps_all(self):
        return not self.deletes and not self.compacts

    def value_of(self, producer, sequence):
        """The value of a record, which follows from who produced it and when.

        Most are small, some do not fit a page, and a few need many pages.
        """
        size_class = (sequence * 7919 + producer * 104729) % 100
        if size_class < 90 or self.small:
            size = size_class * 3
        elif size_class < 98:
            size = 8000 + size_class * 50
        else:
            size = 100000 * (size_class - 96)
        head = f'{producer} {sequence} '
        return head + 'x' * size


def plain_topics():
    return [Topic('stress')]


def maintained_topics():
    small = 'segment_bytes => 65536'
    return [
        Topic('stress', options=small, weight=4),
        Topic('small', options=f"{small}, compression => 'lz4'", weight=2, small=True),
        Topic('by_bytes', options=f'{small}, retention_bytes => 400000', deletes=True),
        Topic('by_time', options=f"{small}, retention => '1 second'", deletes=True),
        Topic('compacted', options=f"{small}, cleanup_policy => 'compact', compression => 'zstd'", compacts=True),
        Topic('compacted_by_time', deletes=True, compacts=True,
              options=f"{small}, cleanup_policy => 'compact,delete', retention => '3 seconds'"),
        Topic('growing', partitions=1, options=small),
    ]


def key_of(producer, sequence):
    """The key of a record in a compacted topic: a few of each producer."""
    return f'key {producer} {sequence % 7}'


def digest(value):
    return hashlib.md5(value.encode()).hexdigest()


class Workload:
    def __init__(self, dsn, kinds, seed, lock_timeout):
        self.dsn = dsn
        self.kinds = kinds          # of disturbances
        self.seed = seed            # of what is left to chance
        self.lock_timeout = lock_timeout
        self.maintained = 'maintain' in kinds
        self.topics = maintained_topics() if self.maintained else plain_topics()
        self.stopping = threading.Event()   # no new transactions
        self.drained = threading.Event()    # consumers and follower may end
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []

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
                connection = psycopg2.connect(
                    self.dsn, application_name=name,
                    options=f'-c lock_timeout={self.lock_timeout}s')
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
        """Losing the connection, and being told to retry, is to be expected.

        VACUUM and REINDEX choose segments that may be dropped meanwhile, and
        wait for each other, and REINDEX for all transactions.
        """
        who = name.split()[0]
        expected = [
            None,                           # the connection broke
            '57P01', '57P02', '57P03',      # terminated, crashed, starting
            '57014']                        # cancelled
        if who in ('vacuum', 'reindex'):
            expected += ['42P01', '55P03']
        if who not in ('reader', 'follower'):
            expected.append('40001')        # could not serialize
        if error.pgcode in expected:
            self.count(f'errors {error.pgcode or "without code"} of a {who}')
        else:
            self.fail(f'{name}: {error.pgcode} {error}')

    # Producers

    def produce(self, producer):
        name = f'producer {producer}'
        rng = random.Random(f'{self.seed} {name}')
        sequence = 0
        connection = self.connect(name)
        while not self.stopping.is_set():
            transaction = ProducerTransaction(self.topics, producer, sequence, rng)
            try:
                transaction.run(connection.cursor())
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)
            sequence = transaction.sequence
            with self.lock:
                self.counts['transactions ' + transaction.outcome] += 1
                for topic in self.topics:
                    records = {record for record in transaction.records
                               if record.topic == topic.name}
                    if transaction.outcome == 'committed':
                        topic.committed |= records
                    elif transaction.outcome == 'unknown':
                        topic.unknown.append(records)

    # Consumers

    def consume(self, group, consumer):
        name = f'consumer {consumer} of {group}'
        rng = random.Random(f'{self.seed} {name}')
        connection = self.connect(name)
        while not self.drained.is_set():
            try:
                consumed = self.consume_some(
                    connection.cursor(), group, consumer, rng.choice(self.topics), rng)
                if consumed == 0:
                    time.sleep(0.01)
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)

    def consume_some(self, cursor, group, consumer, topic, rng):
        """One transaction of a consumer; returns how many records it took."""
        max_records = rng.choice((1, 10, 100, 1000))
        insert = f"""
            INSERT INTO sink (group_id, consumer, topic, partition, record_offset, digest)
            SELECT '{group}', {consumer}, '{topic.name}', partition, record_offset, md5(value)
            FROM topic.consume_text('{group}', '{topic.name}', {max_records}"""

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
        cursor.execute(f"SELECT * FROM topic.commit('{group}', '{topic.name}')")
        cursor.execute('COMMIT')
        self.count('consumed', consumed)
        return consumed

    # A reader without a group, who goes on after the last record that he got

    def follow(self):
        connection = self.connect('follower')
        positions = {topic.name: collections.Counter() for topic in self.topics}
        last_round = False
        while not last_round:
            last_round = self.drained.is_set()
            try:
                for topic in self.topics:
                    self.follow_topic(connection.cursor(), topic, positions[topic.name])
            except psycopg2.Error as error:
                connection = self.recover(connection, 'follower', error)
                last_round = False
            time.sleep(0.05)

    def follow_topic(self, cursor, topic, positions):
        cursor.execute(f"""
            SELECT partition, log_start_offset, last_stable_offset, high_watermark
            FROM topic.offsets('{topic.name}')""")
        for partition, log_start, stable, high_watermark in cursor.fetchall():
            if not max(positions[partition], log_start) <= stable <= high_watermark:
                self.fail(f'{topic.name}, partition {partition}: read up to '
                          f'{positions[partition]}, log start {log_start}, last '
                          f'stable offset {stable}, high watermark {high_watermark}')
            cursor.execute(
                f"""SELECT record_offset, md5(value)
                FROM topic.fetch_text('{topic.name}', %s, %s)""",
                (partition, positions[partition]))
            records = cursor.fetchall()
            followed = topic.followed[partition]
            followed += records
            if records:
                positions[partition] = records[-1][0] + 1

            # All records below the last stable offset were there to be read.
            topic.stable.append((partition, stable,
                                 bisect.bisect_left(followed, (stable,))))

    # Readers of whole partitions, with one snapshot

    def read(self, reader):
        name = f'reader {reader}'
        rng = random.Random(f'{self.seed} {name}')
        connection = self.connect(name)
        while not self.stopping.is_set():
            try:
                self.read_partition(connection.cursor(), rng.choice(self.topics), rng)
                self.count('partitions read')
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)

    def read_partition(self, cursor, topic, rng):
        """However a snapshot is read, and however often, it is the same.

        But for this: where a reader had to stop at an open transaction, he
        goes on when that has rolled back; and who asks for a time does not
        stop where the open transaction's records are older.
        """
        partition = rng.randrange(topic.partitions)
        level = rng.choice(('READ COMMITTED', 'REPEATABLE READ', 'REPEATABLE READ'))
        cursor.execute(f'BEGIN ISOLATION LEVEL {level}')
        reads = []
        if level != 'READ COMMITTED':
            # The snapshot may be older than what it is used for.
            if rng.random() < 0.5:
                cursor.execute('SELECT count(*) FROM topic.topics')
                time.sleep(rng.uniform(0, 1))
            reads.append(self.read_slowly(cursor, topic, partition, rng))
        reads += self.read_ways(cursor, topic, partition, rng)
        cursor.execute('COMMIT')

        first, last = reads[0][1], reads[-1][1]
        end = last[-1][0] if last else -1
        for way, records, wanted in reads:
            if topic.keeps_all or 'pause' not in self.kinds:
                same = begins_with(records, filter(wanted, first)) and begins_with(
                    filter(wanted, last), [record for record in records if record[0] <= end])
            else:
                # The snapshot may have been taken just when the one who took
                # segments away was visible but had not told of it yet; then
                # they are still read at first.
                same = set(records) <= set(first) or records[-1:] > first[-1:]
            if not same:
                self.fail(f'{topic.name}, partition {partition}, {level}: {way}, '
                          f'{summary(records)}; first {summary(filter(wanted, first))}; '
                          f'last {summary(filter(wanted, last))}')

    def read_slowly(self, cursor, topic, partition, rng):
        """What a cursor gets, a few records at a time."""
        cursor.execute(f"""
            DECLARE c NO SCROLL CURSOR FOR SELECT {RECORD_TEXT}
            FROM topics."{topic.name}" WHERE partition = {partition}""")
        rows = []
        while True:
            cursor.execute(f'FETCH {rng.choice((1, 10, 100, 1000))} FROM c')
            fetched = [row[0] for row in cursor]
            if not fetched:
                break
            rows += fetched
            time.sleep(rng.uniform(0, 0.05))
        cursor.execute('CLOSE c')
        return 'fetched from a cursor', parse_records(rows), lambda record: True

    def read_ways(self, cursor, topic, partition, rng):
        """What a partition holds, read in several ways in one statement.

        Returns of each: how, the records, and which of all they should be.
        """
        table = f'topics."{topic.name}" WHERE partition = {partition}'
        fetch = f"topic.fetch_text('{topic.name}', {partition}, "

        # No further than a reader gets: offsets are taken at their word.
        cursor.execute(f"""
            SELECT coalesce(max(record_offset), 0), extract(epoch FROM max(record_timestamp))
            FROM {table}""")
        end, newest = cursor.fetchone()
        offset = rng.randint(0, end)
        time_ = round(float(newest or 0) - rng.choice((0, 0.1, 1, 10)), 3)

        def everything(record):
            return True

        def after_offset(record):
            return record[0] >= offset

        def after_time(record):
            return record[1] >= time_

        ways = [
            ('selected', table, everything),
            ('fetched', f'{fetch} from_offset => {offset})', after_offset),
            ('selected', f'{table} AND record_offset >= {offset}', after_offset),
            ('fetched', f'{fetch} from_time => to_timestamp({time_}))', after_time),
            ('selected', f'{table} AND record_timestamp >= to_timestamp({time_})', after_time),
            ('selected', table, everything)]
        cursor.execute('SELECT ' + ', '.join(
            f'ARRAY(SELECT {RECORD_TEXT} FROM {source})' for _, source, _ in ways))
        return [(f'{how} from {source}', parse_records(rows), wanted)
                for (how, source, wanted), rows in zip(ways, cursor.fetchone())]

    # Disturbances

    def disturb(self, kind, name):
        """Do something again and again, more or less often."""
        rng = random.Random(f'{self.seed} {name}')
        connection = self.connect(name)
        while not self.stopping.is_set():
            try:
                getattr(self, kind)(connection.cursor(), rng)
                self.count(kind)
            except psycopg2.Error as error:
                connection = self.recover(connection, name, error)

    def newest_segments(self, cursor, count):
        """The names of some segments that are not about to be dropped."""
        cursor.execute("""
            SELECT concat('topic_log.segment_', topic_id, '_', segment,
                '_' || nullif(generation, 0))
            FROM topic.segments JOIN topic.topics USING (topic_id)
            WHERE topic = ANY (%s) ORDER BY segments.created_at DESC LIMIT %s""",
                       ([topic.name for topic in self.topics], count))
        return [row[0] for row in cursor]

    def vacuum(self, cursor, rng):
        for table in self.newest_segments(cursor, 3) + ['topic.consumer_offsets']:
            cursor.execute(f'VACUUM {table}')
        time.sleep(0.05)

    def roll(self, cursor, rng):
        time.sleep(rng.uniform(0, 1))
        cursor.execute(f"SELECT topic.roll_segment('{rng.choice(self.topics).name}')")

    def reindex(self, cursor, rng):
        for table in self.newest_segments(cursor, 1):
            cursor.execute(f'REINDEX TABLE CONCURRENTLY {table}')
        time.sleep(rng.uniform(0, 0.5))

    def terminate(self, cursor, rng):
        time.sleep(rng.uniform(0.05, 0.5))
        function = rng.choice(('pg_terminate_backend', 'pg_cancel_backend'))
        cursor.execute(f"""
            SELECT {function}(pid) FROM pg_stat_activity
            WHERE application_name ~ '^(producer|consumer|maintain)'
            ORDER BY random() LIMIT 1""")

    def pause(self, cursor, rng):
        """Somebody does not get the processor, in the worst of moments."""
        time.sleep(rng.uniform(0, 0.1))
        cursor.execute("""
            SELECT pid FROM pg_stat_activity
            WHERE application_name ~ '^(producer|consumer|reader|maintain)'
            AND state = 'active' ORDER BY application_name ~ '^maintain' DESC, random() LIMIT 1""")
        for pid, in cursor:
            try:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(rng.uniform(0, 0.05))
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def maintain(self, cursor, rng):
        cursor.execute('CALL topic.maintain()')

    def grow(self, cursor, rng):
        """More partitions, and topics that come and go."""
        time.sleep(rng.uniform(0, 1))
        growing = [topic for topic in self.topics if topic.name == 'growing']
        for topic in growing:
            if topic.partitions < 40:
                cursor.execute(f"""
                    SELECT topic.alter_topic('{topic.name}', partitions => {topic.partitions + 1})""")
                topic.partitions += 1
        cursor.execute("SELECT topic.drop_topic('brief', if_exists => true)")
        cursor.execute("SELECT topic.create_topic('brief', segment_bytes => 1, retention_bytes => 1)")
        for _ in range(10):
            cursor.execute("SELECT topic.produce('brief', 'record')")
            time.sleep(0.01)

    # The run

    def prepare(self):
        cursor = self.connect('prepare').cursor()
        cursor.execute('CREATE EXTENSION IF NOT EXISTS pg_topic')
        for topic in self.topics:
            options = f', {topic.options}' if topic.options else ''
            cursor.execute(f"""
                SELECT topic.create_topic('{topic.name}', partitions => {topic.partitions}{options})""")
        # What is inserted later in a partition was processed later.
        cursor.execute("""
            CREATE TABLE sink (position bigserial, group_id text, consumer int, topic text,
                partition int, record_offset bigint, digest text)""")

    def disturbers(self):
        for kind in self.kinds:
            for n in range(MAINTAINERS if kind == 'maintain' else 1):
                yield threading.Thread(target=self.disturb, args=(kind, f'{kind} {n}'))

    def run(self, seconds):
        self.prepare()
        producers = [threading.Thread(target=self.produce, args=(n,))
                     for n in range(PRODUCERS)]
        consumers = [threading.Thread(target=self.consume, args=(group, n))
                     for group, count in GROUPS.items() for n in range(count)]
        follower = threading.Thread(target=self.follow)
        readers = [threading.Thread(target=self.read, args=(n,))
                   for n in range(READERS)] if self.maintained else []
        disturbances = list(self.disturbers())
        threads = producers + consumers + [follower] + readers + disturbances
        for thread in threads:
            thread.daemon = True
            thread.start()

        if seconds is not None:
            time.sleep(seconds)
        else:
            sys.stdin.readline()
        self.stopping.set()
        for thread in producers + readers + disturbances:
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
                if not any(self.is_behind(cursor, group, topic)
                           for group in GROUPS for topic in self.topics):
                    return
            except psycopg2.OperationalError:
                pass
            time.sleep(0.1)
        self.fail('the consumers did not catch up')

    def is_behind(self, cursor, group, topic):
        cursor.execute(f"""
            SELECT count(*) FROM topic.offsets('{topic.name}') o
            LEFT JOIN topic.committed('{group}', '{topic.name}') c USING (partition)
            WHERE greatest(c.committed_offset, o.log_start_offset) < o.high_watermark""")
        return cursor.fetchone()[0] > 0

    # The check

    def check(self):
        cursor = self.connect('check').cursor()
        if self.maintained:
            self.check_maintenance(cursor)
        for topic in self.topics:
            self.check_topic(cursor, topic)
        report('no client met anything unexpected', self.failures)

        cursor.execute('SELECT * FROM topic.open_producers')
        report('nobody is listed as open', cursor.fetchall())
        cursor.execute("""
            SELECT relname, n_tup_upd, n_tup_del FROM pg_stat_user_tables
            WHERE schemaname = 'topic_log' AND n_tup_upd + n_tup_del > 0""")
        report('no row of the log was updated or deleted', cursor.fetchall())
        cursor.execute('SELECT count(*) FROM topic.segments')
        self.counts['segments'] = cursor.fetchone()[0]
        for what, n in sorted(self.counts.items()):
            print(f'# {n} {what}')

    def check_maintenance(self, cursor):
        """Maintenance comes to its end, and leaves nothing behind."""
        deadline = time.monotonic() + 60
        while True:
            cursor.execute('CALL topic.maintain()')
            cursor.execute("""
                SELECT topic, due, held_up, held_up_by FROM topic.maintenance
                WHERE due <> '{}'""")
            due = cursor.fetchall()
            if not due or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        report('nothing is due for maintenance', due)
        cursor.execute("""
            SELECT topic, last_error FROM topic.maintenance WHERE last_error IS NOT NULL""")
        report('maintenance met no error', cursor.fetchall())
        cursor.execute("""
            SELECT coalesce(relname, name)
            FROM (SELECT relname FROM pg_class
                WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r') c
            FULL JOIN (SELECT concat('segment_', topic_id, '_', segment,
                    '_' || nullif(generation, 0)) AS name FROM topic.segments) s
            ON name = relname
            WHERE name IS NULL OR relname IS NULL""")
        report('the tables in topic_log are the segments', cursor.fetchall())
        cursor.execute('SELECT * FROM topic.maintenance')
        columns = [column.name for column in cursor.description]
        for row in cursor:
            totals = ', '.join(f'{n} {column}' for column, n in zip(columns, row)
                               if isinstance(n, int) and n > 0)
            print(f'# {row[0]}: {totals}')

    def read_log(self, topic):
        """All records: (partition, offset) -> (record, digest)."""
        connection = self.connect('check')
        connection.autocommit = False
        log = {}
        cursor = connection.cursor('log')   # a name: rows are fetched as needed
        cursor.itersize = 100
        cursor.execute(f'SELECT partition, record_offset, key, value FROM topics."{topic.name}"')
        for partition, offset, key, value in cursor:
            producer, sequence = map(int, value.split(' ', 2)[:2])
            record = Record(topic.name, partition, offset, producer, sequence)
            if value != topic.value_of(producer, sequence) or (
                    topic.compacts and key != key_of(producer, sequence)):
                self.fail(f'not what was produced: {record}')
            log[partition, offset] = record, digest(value)
        connection.close()
        return log

    def must_be_there(self, topic, records, log_start):
        """Those of the records that neither retention nor compaction takes."""
        latest = {}
        for record in records:
            key = (record.partition, key_of(record.producer, record.sequence)
                   if topic.compacts else record.offset)
            if key not in latest or latest[key].offset < record.offset:
                latest[key] = record
        return {record for record in latest.values()
                if record.offset >= log_start[record.partition]}

    def check_topic(self, cursor, topic):
        def report_topic(name, exceptions):
            report(f'{topic.name}: {name}', exceptions)

        cursor.execute(f"SELECT * FROM topic.offsets('{topic.name}')")
        ends = cursor.fetchall()
        log_start = {partition: start for partition, start, _, _ in ends}
        log = self.read_log(topic)
        records = {record for record, _ in log.values()}
        in_log = {key: value for key, (_, value) in log.items()}
        all_known = topic.committed.union(*topic.unknown)
        needed = self.must_be_there(topic, topic.committed | records, log_start)

        report_topic('every committed record that must be there is in the log',
                     needed - records)
        report_topic('nothing else is in the log', records - all_known)
        report_topic('nothing before its start', [
            record for record in records if record.offset < log_start[record.partition]])
        if topic.keeps_all:
            report_topic('every committed record is in the log', topic.committed - records)
            report_topic('of a transaction with unknown outcome, all or nothing is there', [
                transaction for transaction in topic.unknown
                if 0 < len(transaction & records) < len(transaction)])
        report_topic('no record is there twice', duplicates(
            (record.producer, record.sequence) for record in records))
        report_topic("each producer's order is kept", [
            (before, after) for before, after in neighbours(
                sorted(records, key=lambda r: (r.partition, r.producer, r.offset)),
                lambda r: (r.partition, r.producer))
            if before.sequence >= after.sequence])

        # What was consumed and followed: all, but what had gone before.
        # An offset that was rolled back may have been given to another record.
        produced = {((r.partition, r.offset), digest(topic.value_of(r.producer, r.sequence)))
                    for r in all_known}
        needed = {(r.partition, r.offset) for r in needed}
        for group in GROUPS:
            self.check_sink(cursor, topic, group, produced, in_log, needed, report_topic)

        followed = [(partition, offset, value)
                    for partition, rows in topic.followed.items() for offset, value in rows]
        in_followed = {(partition, offset): value for partition, offset, value in followed}
        report_topic('the follower read the log in order', [
            (before, after) for before, after in neighbours(followed, lambda row: row[0])
            if before[1] >= after[1]])
        report_topic('all that must be there', needed - in_followed.keys())
        report_topic('and nothing else', in_followed.items() - produced)
        if topic.keeps_all:
            offsets = collections.defaultdict(list)
            for partition, offset in sorted(log):
                offsets[partition].append(offset)
            report_topic('no record came below a last stable offset', [
                sample for sample in topic.stable
                if bisect.bisect_left(offsets[sample[0]], sample[1]) != sample[2]])
            report_topic('offsets stand at the end', [
                row for row in ends if offsets[row[0]] and
                not row[2] == row[3] == offsets[row[0]][-1] + 1])
            report_topic('there was something to check', [] if len(log) > 100 else [len(log)])
        print(f'# {topic.name}: {len(log)} records in the log')

    def check_sink(self, cursor, topic, group, produced, in_log, needed, report_topic):
        cursor.execute('SELECT partition, record_offset, digest FROM sink '
                       'WHERE topic = %s AND group_id = %s ORDER BY position',
                       (topic.name, group))
        sink = cursor.fetchall()
        in_sink = {(partition, offset): value for partition, offset, value in sink}
        report_topic(f'{group} consumed no record twice', duplicates(
            (partition, offset) for partition, offset, _ in sink))
        report_topic(f'{group} consumed every record that must be there',
                     needed - in_sink.keys())
        report_topic(f'{group} consumed nothing else', in_sink.items() - produced)
        if topic.keeps_all:
            report_topic(f'the sink of {group} is the log', in_sink.items() ^ in_log.items())
        report_topic(f'{group} consumed in order', [
            (before, after) for before, after in neighbours(
                sorted(sink, key=lambda row: row[0]), lambda row: row[0])
            if before[1] >= after[1]])
        report_topic(f'the committed offsets of {group} are at the end',
                     [group] if self.is_behind(cursor, group, topic) else [])


class ProducerTransaction:
    """A producer's transaction, and what is known of its outcome."""

    def __init__(self, topics, producer, sequence, rng):
        self.topics = topics
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
            topic = self.rng.choices(self.topics, [t.weight for t in self.topics])[0]
            way = self.rng.random()
            if way < 0.5:
                self.produce(cursor, topic)
            elif way < 0.8:
                self.produce_batch(cursor, topic)
            else:
                self.roll_back_to_savepoint(cursor, topic)
        if self.rng.random() < 0.1:
            time.sleep(self.rng.uniform(0, 1))
        elif self.rng.random() < 0.01:
            time.sleep(self.rng.uniform(1, 5))
        if self.rng.random() < 0.15:
            cursor.execute('ROLLBACK')
            return
        self.outcome = 'unknown'
        cursor.execute('COMMIT')
        self.outcome = 'committed'

    def next_value(self, topic):
        self.sequence += 1
        return topic.value_of(self.producer, self.sequence)

    def note(self, topic, partition, offset, sequence):
        self.records.add(Record(topic.name, partition, offset, self.producer, sequence))

    def produce(self, cursor, topic):
        """One record, to any partition."""
        partition = self.rng.randrange(topic.partitions)
        value = self.next_value(topic)
        cursor.execute(f"SELECT topic.produce('{topic.name}', %s, %s, partition => %s)",
                       (value, key_of(self.producer, self.sequence), partition))
        self.note(topic, partition, cursor.fetchone()[0], self.sequence)

    def produce_batch(self, cursor, topic):
        """Some records: a key says where they go, a producer's own; or we do."""
        first = self.sequence + 1
        values = [self.next_value(topic) for _ in range(self.rng.randint(1, 30))]
        keys = [f'key {self.producer}'] * len(values)
        partition = None
        if topic.compacts:
            keys = [key_of(self.producer, first + n) for n in range(len(values))]
            partition = self.rng.randrange(topic.partitions)
        cursor.execute(
            f"""SELECT * FROM topic.produce_batch('{topic.name}', %s::text[], %s::text[],
                partition => %s)""", (values, keys, partition))
        sequence = first
        for partition, base_offset, record_count in cursor:
            for offset in range(base_offset, base_offset + record_count):
                self.note(topic, partition, offset, sequence)
                sequence += 1

    def roll_back_to_savepoint(self, cursor, topic):
        before = set(self.records)
        cursor.execute('SAVEPOINT s')
        self.produce(cursor, topic)
        if self.rng.random() < 0.5:
            self.produce_batch(cursor, topic)
        cursor.execute('ROLLBACK TO s')
        self.records = before


def begin(rng):
    return 'BEGIN ISOLATION LEVEL ' + rng.choice(
        ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'))


# A record as a text that is easy to send and to compare.
RECORD_TEXT = """concat_ws(' ', record_offset, extract(epoch FROM record_timestamp),
    md5(key || value))"""


def parse_records(rows):
    return [(int(offset), float(timestamp), text)
            for offset, timestamp, text in (row.split() for row in rows)]


def begins_with(records, first):
    first = list(first)
    return list(records)[:len(first)] == first


def summary(records):
    records = list(records)
    return f'{len(records)} records, {records[:1]} to {records[-1:]}'


def duplicates(keys):
    return [key for key, n in collections.Counter(keys).items() if n > 1]


def neighbours(rows, key):
    """Pairs of rows that follow each other and have the same key."""
    return [(before, after) for before, after in zip(rows, rows[1:])
            if key(before) == key(after)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--dsn', default='')
    parser.add_argument('--seconds', type=float)
    kinds = ['vacuum', 'roll', 'reindex', 'terminate', 'pause', 'maintain', 'grow']
    parser.add_argument('--disturb', nargs='*', choices=kinds, default=kinds)
    parser.add_argument('--seed', type=int, default=random.randrange(1000000))
    parser.add_argument('--lock-timeout', type=int, default=30)
    arguments = parser.parse_args()

    print(f'# seed {arguments.seed}')
    workload = Workload(arguments.dsn, arguments.disturb, arguments.seed,
                        arguments.lock_timeout)
    workload.run(arguments.seconds)
    workload.check()
    finish()


main()
