#!/usr/bin/python3
"""Members of two consumer groups that come, go and die, and a check of it all.

Both groups read the same two topics while records are produced. The members of
one write what they poll into a sink and commit in the same transaction:
exactly once. Those of the other process it between transactions, and commit
then: at least once; some of them leave the commits to their polls. Members
leave, fall silent for longer than their session's timeout, lose their
connection in the middle, or, with --kill, have their backend killed, which
restarts the server. Some come back with an instance_id, now and then while
their predecessor is still there. One topic grows meanwhile.

Then everybody who is left goes on, and a member joins, one dies and one
returns, to see what is handed over. Prints TAP.

    members.py --seconds 60 --members 20 --dsn "host=/tmp dbname=postgres"
"""

import argparse
import collections
import os
import random
import signal
import sys
import threading
import time

import psycopg2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import finish, report     # noqa: E402 pylint: disable=wrong-import-position

TOPICS = ('orders', 'payments')
PARTITIONS = 16                 # of each topic at the end
GROUPS = ('exact', 'repeat')
TIMEOUT = '1 s'                 # of sessions

# Errors that members must expect: they join again, or forget their batch.
LOST_PARTITION = 'TP002'
NO_MEMBER = ('TP003', 'TP004')


class Workload:
    def __init__(self, dsn, seed, kills):
        self.dsn = dsn
        self.seed = seed
        self.kills = kills
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.failures = []
        self.survivors = []

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
                                              options='-c lock_timeout=10s')
                connection.autocommit = True
                return connection
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    sys.stderr.write('the server does not come back\n')
                    os._exit(1)
                time.sleep(0.05)

    def recover(self, connection, name, error):
        """After an error: another connection, if this one was lost."""
        if not was_lost(connection, error):
            self.fail(f'{name}: {error.pgcode} {error}')
        connection.close()
        return self.connect(name)

    def prepare(self):
        cursor = self.connect('prepare').cursor()
        cursor.execute('CREATE EXTENSION IF NOT EXISTS pg_topic')
        cursor.execute("SELECT topic.create_topic('orders', 16), topic.create_topic('payments', 12)")
        cursor.execute("""
            CREATE TABLE exact_sink (topic text, partition int, record_offset bigint, value text);
            CREATE TABLE repeat_sink (LIKE exact_sink);
            -- What members of group repeat did with a partition, in this order:
            -- each row is written under the partition's claim.
            CREATE TABLE events (number bigserial, member text, topic text, partition int,
                kind text, next_offset bigint)""")

    # What goes on meanwhile

    def produce(self):
        rng = random.Random(f'{self.seed} producer')
        connection = self.connect('producer')
        number = 0
        while not self.stopping.is_set():
            topic = rng.choice(TOPICS)
            values = [str(number + i) for i in range(rng.randint(1, 50))]
            number += len(values)
            try:
                cursor = connection.cursor()
                cursor.execute('SELECT partitions FROM topic.topics WHERE topic = %s', (topic,))
                partition = rng.randrange(cursor.fetchone()[0])
                cursor.execute('SELECT FROM topic.produce_batch(%s, %s::text[], partition => %s)',
                               (topic, values, partition))
                time.sleep(0.002)
            except psycopg2.Error as error:
                connection = self.recover(connection, 'producer', error)

    def observe(self):
        """At any instant nobody owns what another one owns."""
        connection = self.connect('observer')
        while not self.stopping.is_set():
            try:
                cursor = connection.cursor()
                cursor.execute("""
                    SELECT group_id, topic_id, partition, count(*)
                    FROM topic.group_members, unnest(owned_topic_ids, owned_partitions) o(topic_id, partition)
                    GROUP BY 1, 2, 3 HAVING count(*) > 1""")
                for row in cursor:
                    self.fail(f'owned more than once: {row}')
                cursor.execute("""
                    SELECT group_id, count(DISTINCT state_number), count(*), max(member_count)
                    FROM topic.group_members GROUP BY 1
                    HAVING count(DISTINCT state_number) > 1 OR count(*) <> greatest(max(member_count), 1)""")
                for row in cursor:
                    self.fail(f'not one state: {row}')
                self.count('observations')
                time.sleep(0.01)
            except psycopg2.Error as error:
                connection = self.recover(connection, 'observer', error)

    def disturb(self):
        rng = random.Random(f'{self.seed} disturbances')
        connection = self.connect('disturbances')
        next_growth = time.monotonic() + 3
        next_kill = time.monotonic() + 5
        while not self.stopping.is_set():
            time.sleep(rng.uniform(0.05, 0.3))
            try:
                cursor = connection.cursor()
                if time.monotonic() > next_growth:
                    cursor.execute("SELECT topic.alter_topic('payments', partitions => 16)")
                    next_growth = float('inf')
                cursor.execute("""
                    SELECT pid FROM pg_stat_activity
                    WHERE application_name ~ '^member' ORDER BY random() LIMIT 1""")
                victim = cursor.fetchone()
                if not victim:
                    continue
                if self.kills and time.monotonic() > next_kill:
                    next_kill = time.monotonic() + 5
                    self.count('backends killed')
                    os.kill(victim[0], signal.SIGKILL)
                elif rng.random() < 0.3:
                    cursor.execute('SELECT pg_terminate_backend(%s)', victim)
                    self.count('backends terminated')
                elif rng.random() < 0.3:
                    cursor.execute("VACUUM topic.group_members, topic.member_heartbeats, topic.member_positions")
            except ProcessLookupError:
                pass
            except psycopg2.Error as error:
                connection = self.recover(connection, 'disturbances', error)

    # The run

    def run(self, seconds, members):
        """Each group has so many members at a time, at most."""
        self.prepare()
        slots = [threading.Thread(target=Slot(self, group, n).run)
                 for group in GROUPS for n in range(members)]
        others = [threading.Thread(target=f)
                  for f in (self.produce, self.observe, self.disturb)]
        for thread in slots + others:
            thread.daemon = True
            thread.start()
        time.sleep(seconds)
        self.stopping.set()
        for thread in slots + others:
            thread.join()
        for group in GROUPS:
            self.check_handing_over(group)
        self.drain()

    def group(self, group):
        return [member for member in self.survivors if member.group == group]

    def assignment(self, group):
        """Who owns each partition now."""
        cursor = self.connect('check').cursor()
        cursor.execute("""
            SELECT topic_id, partition, coalesce(instance_id, member_id)
            FROM topic.group_members, unnest(owned_topic_ids, owned_partitions) o(topic_id, partition)
            WHERE group_id = %s""", (group,))
        return {(topic, partition): member for topic, partition, member in cursor}

    def outlive(self, group, seconds):
        """Whoever does not beat times out."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for member in self.group(group):
                member.step(member.beat)
            time.sleep(0.1)

    def settle(self, group):
        """Two heartbeats of each member; returns who owns what then."""
        for _ in range(2):
            for member in self.group(group):
                member.beat()
        return self.assignment(group)

    def check_balance(self, what, group, assignment):
        members = self.group(group)
        loads = collections.Counter({member.name(): 0 for member in members})
        loads.update(assignment.values())
        report(f'{group}: {what}: every partition has an owner',
               [len(assignment)] if len(assignment) != 2 * PARTITIONS else [])
        report(f'{group}: {what}: numbers of partitions differ by one at most',
               [loads] if max(loads.values()) - min(loads.values()) > 1 or
               len(loads) != len(members) else [])

    def check_handing_over(self, group):
        # Those who did not survive are given up.
        while len(self.group(group)) < 3:
            self.survivors.append(Member(self, group, None, random.Random(self.seed)))
        self.outlive(group, 3)
        before = self.settle(group)
        self.check_balance('after all that', group, before)

        # A member joins: it gets its share, and nothing else moves.
        joined = Member(self, group, None, random.Random(self.seed))
        self.survivors.append(joined)
        after = self.settle(group)
        self.check_balance('a member has joined', group, after)
        moved = [after[p] for p in before if after[p] != before[p]]
        share = 2 * PARTITIONS // len(self.group(group))
        report(f'{group}: a member has joined: only its share has moved',
               moved if moved != [joined.name()] * share else [])

        # One falls silent: only what it had moves.
        dead = self.group(group)[0]
        self.survivors.remove(dead)
        before = after
        self.outlive(group, 2)
        after = self.settle(group)
        self.check_balance('a member has died', group, after)
        report(f'{group}: a member has died: only what it had has moved', [
            p for p in before
            if after[p] != before[p] and before[p] != dead.name()])

        # A static one comes back: nothing moves.
        static = Member(self, group, 'static', random.Random(self.seed))
        self.survivors.append(static)
        before = self.settle(group)
        static.leave()
        static.join()
        after = self.assignment(group)
        report(f'{group}: a static member has come back: nothing has moved',
               [p for p in before if after[p] != before[p]])

    def drain(self):
        """Two of each group process the rest."""
        for group in GROUPS:
            for member in self.group(group)[2:]:
                member.step(member.leave)
                self.survivors.remove(member)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if sum([member.step(member.work) for member in self.survivors]) > 0:
                deadline = time.monotonic() + 60
                continue
            cursor = self.connect('check').cursor()
            cursor.execute("""
                SELECT count(*) FROM unnest(%s) g CROSS JOIN topic.topics t
                CROSS JOIN topic.offsets(t.topic) o
                LEFT JOIN topic.consumer_offsets c ON c.group_id = g
                    AND c.topic = t.topic AND c.partition = o.partition
                WHERE coalesce(c.committed_offset, 0) < o.high_watermark""", (list(GROUPS),))
            if cursor.fetchone()[0] == 0:
                return
        self.fail('the members did not catch up')

    def check(self):
        cursor = self.connect('check').cursor()
        report('no client met anything unexpected', self.failures)
        log = """SELECT topic, partition, record_offset, value
                 FROM topic.topics, topic.fetch_text(topic)"""
        cursor.execute(f'({log}) EXCEPT ALL TABLE exact_sink')
        report('exactly once: no record was lost', cursor)
        cursor.execute(f'TABLE exact_sink EXCEPT ALL ({log})')
        report('exactly once: no record was repeated', cursor)
        cursor.execute(f'({log}) EXCEPT TABLE repeat_sink')
        report('at least once: no record was lost', cursor)
        cursor.execute(f'TABLE repeat_sink EXCEPT ({log})')
        report('at least once: nothing else was processed', cursor)

        # A member commits only what nobody else has polled or committed since
        # it polled it itself.
        cursor.execute("""
            SELECT * FROM (
                SELECT *, max(number) FILTER (WHERE kind = 'poll') OVER mine AS polled,
                    max(last_of_others) OVER every AS others
                FROM (SELECT *, CASE WHEN lag(member) OVER every <> member
                        THEN lag(number) OVER every END AS last_of_others FROM events
                    WINDOW every AS (PARTITION BY topic, partition ORDER BY number)) e
                WINDOW every AS (PARTITION BY topic, partition ORDER BY number),
                    mine AS (PARTITION BY topic, partition, member ORDER BY number)) e
            WHERE kind = 'commit' AND (polled IS NULL OR polled < others)""")
        report('at least once: nobody commits what another member has taken over', cursor)

        cursor.execute("SELECT count(*) FROM topic.topics, topic.fetch(topic)")
        records = cursor.fetchone()[0]
        print(f'# {records} records in the log')
        for what, n in sorted(self.counts.items()):
            print(f'# {n} {what}')
        report('there was something to check', [] if records > 1000 else [records])


class Member:
    """A member of a group, from its join to its death."""

    def __init__(self, workload, group, instance_id, rng):
        self.workload = workload
        self.group = group
        self.instance_id = instance_id
        self.rng = rng
        self.connection = workload.connect(f'member of {group}')
        self.member_id = None
        self.auto_commit = group == 'repeat' and rng.random() < 0.3
        self.join()

    def name(self):
        return self.instance_id or self.member_id

    def execute(self, sql, parameters=()):
        cursor = self.connection.cursor()
        cursor.execute(sql, parameters)
        return cursor

    def join(self):
        rows = self.execute(
            'SELECT * FROM topic.join_group(%s, %s, %s, %s, %s, auto_commit_interval => %s)',
            (self.group, list(TOPICS), self.member_id, self.instance_id, TIMEOUT,
             '100 ms' if self.auto_commit else None)).fetchall()
        self.member_id, self.epoch = rows[0][:2]
        self.workload.count(f'members of {self.group} joined')

    def leave(self):
        self.execute('SELECT topic.leave_group(%s, %s)', (self.group, self.member_id))

    def beat(self, give_up=True):
        rows = self.execute('SELECT * FROM topic.heartbeat(%s, %s, %s)',
                            (self.group, self.member_id, self.epoch if give_up else None)).fetchall()
        self.epoch = rows[0][0]

    def sleep_beating(self, seconds):
        """Work for a while, with heartbeats that give nothing up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(0.1)
            self.execute('SELECT FROM topic.heartbeat(%s, %s)', (self.group, self.member_id))

    def happens(self, probability):
        return self.rng.random() < probability and not self.workload.stopping.is_set()

    def max_records(self):
        return 1000 if self.workload.stopping.is_set() else self.rng.choice((1, 10, 100, 1000))

    def work(self):
        """Poll, process and commit; returns the number of records."""
        try:
            return self.work_exactly_once() if self.group == 'exact' \
                else self.work_at_least_once()
        except psycopg2.Error as error:
            if error.pgcode is not None and self.connection.closed == 0:
                self.execute('ROLLBACK')
            raise

    def step(self, function):
        """Work or beat; returns the number of records, 0 if it did not come to that."""
        try:
            return function() or 0
        except psycopg2.Error as error:
            if was_lost(self.connection, error):
                # A poll may have been committed whose records never came: only
                # to join again goes back to what is committed.
                self.workload.count('connections lost')
                self.connection.close()
                self.connection = self.workload.connect(f'member of {self.group}')
                self.join()
            elif error.pgcode in NO_MEMBER:
                self.workload.count(f'members told {error.pgcode}')
                self.join()
            elif error.pgcode == '40001':
                self.workload.count('transactions to retry')
            elif error.pgcode == '55P03':
                # Its former connection is still at it.
                self.workload.count('claimed by a former connection')
            else:
                raise
        return 0

    def work_exactly_once(self):
        insert = 'INSERT INTO exact_sink SELECT topic, partition, record_offset, value ' \
            'FROM topic.poll_text(%s, %s, %s'
        arguments = (self.group, self.member_id, self.max_records())

        # In one statement.
        if self.rng.random() < 0.3:
            return self.execute(insert + ', commit => true)', arguments).rowcount

        self.execute('BEGIN ISOLATION LEVEL ' + self.rng.choice(
            ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')))
        records = self.execute(insert + ')', arguments).rowcount
        if self.rng.random() < 0.2:
            # More of the same, rolled back.
            self.execute('SAVEPOINT s')
            self.execute(insert + ')', arguments)
            self.execute('ROLLBACK TO s')
        if self.happens(0.05):
            # The session may time out meanwhile, but the transaction goes on.
            time.sleep(self.rng.uniform(0, 2))
            self.workload.count('long transactions')
        if self.happens(0.1):
            self.execute('ROLLBACK')
            return 0
        self.execute('SELECT FROM topic.commit_polled(%s, %s)', arguments[:2])
        self.execute('COMMIT')
        self.workload.count('records once', records)
        return records

    def work_at_least_once(self):
        self.beat()
        cursor = self.execute("""
            WITH polled AS MATERIALIZED (SELECT * FROM topic.poll_text(%s, %s, %s)),
                event AS (INSERT INTO events (member, topic, partition, kind, next_offset)
                    SELECT %s, topic, partition, 'poll', max(record_offset) + 1
                    FROM polled GROUP BY topic, partition)
            SELECT topic, partition, record_offset, value FROM polled""",
            (self.group, self.member_id, self.max_records(), self.member_id))
        records = cursor.fetchall()
        # The poll may have brought partitions of a later epoch.
        self.beat(give_up=False)
        if self.happens(0.05):
            self.sleep_beating(self.rng.uniform(0, 2))
        if self.happens(0.03):
            time.sleep(self.rng.uniform(0, 2))      # silence
        for record in records:
            self.execute('INSERT INTO repeat_sink VALUES (%s, %s, %s, %s)', record)
        if not self.auto_commit and records:
            self.commit(records)
        self.workload.count('records at least once', len(records))
        return len(records)

    def commit(self, records):
        event = """INSERT INTO events (member, topic, partition, kind, next_offset)
                   SELECT %s, topic, partition, 'commit', committed_offset FROM """
        try:
            if self.rng.random() < 0.5:
                self.execute(event + 'topic.commit_polled(%s, %s, %s)',
                             (self.member_id, self.group, self.member_id, self.epoch))
                return
            ends = {}
            for topic, partition, offset, _ in records:
                ends[topic, partition] = offset + 1
            for (topic, partition), end in ends.items():
                self.execute(
                    event + """(VALUES (%s, %s)) v(topic, partition),
                    topic.commit(%s, topic, partition, %s, NULL, %s, %s) committed_offset""",
                    (self.member_id, topic, partition, self.group, end, self.member_id, self.epoch))
        except psycopg2.Error as error:
            # Somebody else has the partition now, and will see the records.
            if error.pgcode != LOST_PARTITION:
                raise
            self.workload.count('commits refused: not the owner')


class Slot:
    """A place that one member after the other takes."""

    def __init__(self, workload, group, number):
        self.workload = workload
        self.group = group
        self.rng = random.Random(f'{workload.seed} {group} {number}')
        self.instance_id = f'instance {number}' if number < 3 else None

    def run(self):
        while not self.workload.stopping.is_set():
            time.sleep(self.rng.uniform(0, 1))
            try:
                self.live()
            except psycopg2.Error as error:
                # It may lose its connection just as it joins.
                if not is_loss(error):
                    self.workload.fail(f'member of {self.group}: {error.pgcode} {error}')

    def live(self):
        """Join, work for a while, and end in one of several ways."""
        member = Member(self.workload, self.group, self.instance_id, self.rng)
        end = time.monotonic() + self.rng.uniform(0.5, 6)
        while time.monotonic() < end:
            if self.workload.stopping.is_set():
                # The connection may be lost already, or the membership.
                member.step(member.work)
                with self.workload.lock:
                    self.workload.survivors.append(member)
                return
            if member.step(member.work) == 0:
                time.sleep(0.01)
        self.end(member)

    def end(self, member):
        how = self.rng.choice(('leave', 'vanish', 'vanish in a transaction', 'be replaced'))
        self.workload.count(f'members ended: {how}')
        if how == 'be replaced' and self.instance_id:
            # The next one joins while this one is still at work.
            ghost = threading.Thread(target=self.haunt, args=(member,))
            ghost.daemon = True
            ghost.start()
            time.sleep(0.2)
            return
        try:
            if how == 'leave':
                member.leave()
            elif how == 'vanish in a transaction':
                member.execute('BEGIN')
                member.execute('SELECT FROM topic.poll(%s, %s)', (self.group, member.member_id))
        except psycopg2.Error as error:
            if not was_lost(member.connection, error) and error.pgcode not in NO_MEMBER:
                raise
        member.connection.close()

    def haunt(self, member):
        """Go on although another one has the place."""
        for _ in range(20):
            try:
                member.work()
            except psycopg2.Error as error:
                if error.pgcode in NO_MEMBER:
                    self.workload.count('ghosts laid')
                    break
                if was_lost(member.connection, error):
                    break
            time.sleep(0.1)
        member.connection.close()


def is_loss(error):
    """Does the error say that the connection is lost?"""
    return error.pgcode is None or error.pgcode.startswith('57')


def was_lost(connection, error):
    return connection.closed or is_loss(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--dsn', default='')
    parser.add_argument('--seconds', type=float, default=20)
    parser.add_argument('--members', type=int, default=10)
    parser.add_argument('--kill', action='store_true')
    parser.add_argument('--seed', type=int, default=random.randrange(1000000))
    arguments = parser.parse_args()

    print(f'# seed {arguments.seed}')
    workload = Workload(arguments.dsn, arguments.seed, arguments.kill)
    workload.run(arguments.seconds, arguments.members)
    workload.check()
    finish()


main()
