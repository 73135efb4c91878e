"""Clients of topics that record what they do, and what came of it."""

import contextlib
import os
import queue
import random
import socket
import threading
import time

import psycopg2

from history import Read, Send, Transaction

# Errors that members must expect: to have lost a partition, or the membership;
# and that a former connection of theirs, which the server does not know to be
# cut yet, has a partition claimed.
NO_MEMBER = ('TP003', 'TP004')
OF_MEMBERS = ('TP002', '55P03') + NO_MEMBER

# An error that says so: what was to be committed is not.
FAILED = 'ERROR'

LEVELS = ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')


def severity(error):
    return error.diag.severity_nonlocalized or error.diag.severity


def lost_connection(error):
    """Does nobody know what came of the last statement?

    Class 08 is what a pooler says whose connection to the server broke.
    """
    return error.pgcode is None or error.pgcode.startswith('08') or severity(error) != FAILED


class Client(threading.Thread):
    expected = ('40001',)       # errors, whatever else goes on

    def __init__(self, run, name):
        super().__init__(daemon=True, name=name)
        self.round = run
        self.rng = random.Random(f'{run.seed} {name}')
        self.connection = None
        self.epoch = 0

    # The life of a client

    def run(self):
        self.connect()
        while not self.is_done():
            try:
                self.step()
            except psycopg2.Error as error:
                self.recover(error)
        self.connection.close()

    def is_done(self):
        return self.round.stopping.is_set()

    def target(self):
        """Where to connect to, and the epoch of the server there."""
        return self.round.target

    def connect(self):
        """Connect as soon as the server lets us."""
        deadline = time.monotonic() + 60
        while True:
            dsn, self.epoch = self.target()
            try:
                self.connection = psycopg2.connect(dsn, application_name=self.name)
                self.connection.autocommit = True
                self.round.fault.connected(self)
                return
            except psycopg2.Error as error:
                if time.monotonic() > deadline:
                    self.round.fail(f'{self.name}: no connection: {error}')
                    deadline = float('inf')
                time.sleep(0.05)

    def recover(self, error):
        """After an error: free of a transaction, or with a new connection."""
        code = error.pgcode
        if not lost_connection(error) and code not in self.expected + self.round.fault.errors:
            self.round.fail(f'{self.name}: {code} {error}')
        self.round.count(f'error {code or "connection lost"} of a {self.kind}')
        try:
            if not self.connection.closed:
                self.execute('ROLLBACK')
                return
        except psycopg2.Error:
            pass
        self.connection.close()
        self.connect()

    def execute(self, sql, parameters=None):
        cursor = self.connection.cursor()
        cursor.execute(sql, parameters)
        return cursor

    @property
    def kind(self):
        return self.name.split()[0]

    # Transactions

    @contextlib.contextmanager
    def transaction(self, reader=None):
        """Record what is done in this block as a transaction."""
        transaction = Transaction(self.name, reader, self.epoch, time.monotonic())
        self.round.fault.begin(self)
        if self.rng.random() < self.round.fault.cuts:
            self.cut_soon()
        try:
            yield transaction
        except psycopg2.Error as error:
            # Until COMMIT was sent it is "failed", and then "unknown"
            if not lost_connection(error):
                transaction.outcome = 'failed'
            raise
        finally:
            transaction.end = time.monotonic()
            self.round.record(transaction)

    def cut_soon(self):
        """Lose the connection in the middle of whatever we do then."""
        connection = socket.socket(fileno=os.dup(self.connection.fileno()))

        def cut():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

        timer = threading.Timer(self.rng.uniform(0, 0.02), cut)
        timer.daemon = True
        timer.start()

    def begin(self):
        self.execute('BEGIN ISOLATION LEVEL ' + self.rng.choice(LEVELS))

    def starts_commit(self, transaction):
        transaction.commit_start = time.monotonic()
        transaction.outcome = 'unknown'

    def commit(self, transaction):
        """COMMIT, or leave that to somebody else."""
        self.starts_commit(transaction)
        resolver = self.round.resolver
        if resolver and self.rng.random() < 0.3 and resolver.prepared.qsize() < 20:
            resolver.prepare(self, transaction)
            return
        cursor = self.execute('COMMIT')
        transaction.outcome = 'ok' if cursor.statusmessage == 'COMMIT' else 'failed'

    def roll_back_to_savepoint(self, transaction, sends, reads):
        """Undo what came after so many sends and reads."""
        self.execute('ROLLBACK TO s')
        for operation in transaction.sends[sends:] + transaction.reads[reads:]:
            operation.undone = True


class Producer(Client):
    def __init__(self, run, number):
        super().__init__(run, f'producer {number}')
        self.number = number
        self.sequence = 0

    def step(self):
        with self.transaction() as transaction:
            if self.rng.random() < 0.4:
                self.starts_commit(transaction)
                self.send(transaction)
                transaction.outcome = 'ok'
                return
            self.begin()
            for _ in range(self.rng.randint(1, 4)):
                self.send(transaction)
                if self.rng.random() < 0.2:
                    self.execute('SAVEPOINT s')
                    before = len(transaction.sends)
                    self.send(transaction)
                    self.roll_back_to_savepoint(transaction, before, 0)
            if self.rng.random() < 0.1:
                time.sleep(self.rng.uniform(0, 0.3))
            if self.rng.random() < 0.15:
                self.execute('ROLLBACK')
            else:
                self.commit(transaction)
        time.sleep(0.002)

    def send(self, transaction):
        """Some records to a partition; or one."""
        topic, partitions = self.rng.choice(self.round.topics)
        number = self.rng.randrange(partitions)
        count = 1 if self.rng.random() < 0.5 else self.rng.randint(2, 30)
        sends = []
        for _ in range(count):
            self.sequence += 1
            sends.append(Send(f'{topic}:{number}', f'{self.number}.{self.sequence}',
                              key=f'{self.number} {self.sequence % 7}'))
        values = [send.value + ' ' + 'x' * self.rng.choice((0, 10, 100, 1000, 9000))
                  for send in sends]
        keys = [send.key for send in sends]
        times = [self.rng.choice((None, '2020-01-01', '2030-01-01')) for _ in sends]
        transaction.sends += sends
        start = time.monotonic()
        for send in sends:
            send.start = start
        if count == 1:
            cursor = self.execute(
                'SELECT %s, topic.produce(%s, %s, %s, partition => %s, record_timestamp => %s), 1',
                (number, topic, values[0], keys[0], number, times[0]))
        else:
            cursor = self.execute(
                """SELECT * FROM topic.produce_batch(%s, %s::text[], %s::text[],
                partition => %s, record_timestamps => %s::timestamptz[])""",
                (topic, values, keys, number, times))
        end = time.monotonic()
        offsets = [base + n for _, base, records in cursor for n in range(records)]
        for send, offset in zip(sends, offsets):
            send.offset, send.end = offset, end


class RetryingProducer(Client):
    """Numbers its batches, and sends one again until it knows that it is committed."""

    lost = ('TP005', 'TP006')   # errors: what the producer had done is not known any more

    def __init__(self, run, number):
        super().__init__(run, f'retrying {number}')
        self.number = number
        self.producer = None    # id and epoch
        # Of each partition the next one, and where the last one is known to be from: if
        # that epoch of the server is over, it may have lost it.
        self.sequences = {}
        self.place = None
        self.sent = 0

    def step(self):
        topic, partitions = self.rng.choice(self.round.topics)
        self.place = topic, self.rng.randrange(partitions)
        sends = []
        for _ in range(self.rng.choice((1, 3, 20))):
            self.sent += 1
            sends.append(Send('%s:%s' % self.place, f'r{self.number}.{self.sent}',
                              key=f'r{self.number} {self.sent % 7}', start=time.monotonic()))
        transaction = Transaction(self.name, epoch=self.epoch, start=time.monotonic(), sends=sends)
        while transaction.outcome != 'ok' and not self.is_done():
            try:
                self.attempt(transaction)
            except psycopg2.Error as error:
                self.recover(error)
        transaction.end = time.monotonic()
        self.round.record(transaction)
        time.sleep(0.005)

    def attempt(self, transaction):
        """Send a batch, for the first time or again."""
        self.round.fault.begin(self)
        if not self.producer:
            self.producer = self.execute('SELECT * FROM topic.init_producer(%s)',
                                         (self.name,)).fetchone()
            self.sequences = {(topic, partition): (0, self.epoch)
                              for topic, partitions in self.round.topics
                              for partition in range(partitions)}
        if transaction.epoch != self.epoch:
            transaction.epoch = self.epoch
            for send in transaction.sends:
                send.offset = send.end = None   # that answer may not be true any more
        if self.rng.random() < self.round.fault.cuts:
            self.cut_soon()
        self.begin()
        sequence, _ = self.sequences[self.place]
        topic, partition = self.place
        cursor = self.execute(
            """SELECT base_offset FROM topic.produce_batch(%s, %s::text[], %s::text[],
            partition => %s, producer_id => %s, producer_epoch => %s, sequence => %s)""",
            (topic, [send.value for send in transaction.sends],
             [send.key for send in transaction.sends], partition, *self.producer, sequence))
        base, = cursor.fetchone()
        before = transaction.outcome
        transaction.commit_start = transaction.commit_start or time.monotonic()
        transaction.outcome = 'unknown'
        try:
            committed = self.execute('COMMIT').statusmessage == 'COMMIT'
        except psycopg2.Error as error:
            if not lost_connection(error):
                transaction.outcome = before
            raise
        if not committed:
            transaction.outcome = before
            return
        self.check_answer(transaction, base)
        if self.rng.random() < 0.2:
            # As if the answer had been lost
            self.connection.close()
            self.connect()
            return
        transaction.outcome = 'ok'
        self.sequences[self.place] = sequence + len(transaction.sends), self.epoch

    def recover(self, error):
        """A server that has lost records has lost what it knew of the producer, too."""
        self.expected = Client.expected
        if self.round.fault.may_lose and self.producer \
                and self.epoch != self.sequences[self.place][1]:
            self.expected += self.lost
            if error.pgcode in self.lost:
                self.producer = None
        super().recover(error)

    def check_answer(self, transaction, base):
        """An answer after another one is the same."""
        first = transaction.sends[0]
        if first.offset is not None:
            self.round.count('batches sent again')
            if first.offset != base:
                self.round.fail(f'{first.value} was sent again: at {first.offset}, then at {base}')
        for n, send in enumerate(transaction.sends):
            send.offset, send.end = base + n, time.monotonic()


# What of a record is read: whose it is. The rest of its value only takes room.
VALUE = "split_part(value, ' ', 1)"


def note_records(transaction, rows):
    """Record rows (topic, partition, offset, value) as reads."""
    reads = {}
    end = time.monotonic()
    for topic, partition, offset, value in rows:
        name = f'{topic}:{partition}'
        if name not in reads:
            reads[name] = Read(name, [], end=end)
            transaction.reads.append(reads[name])
        reads[name].records.append([offset, value])


class GroupClient(Client):
    """Takes what a group is to process, and puts it into a sink with it."""

    group = None

    def is_done(self):
        return self.round.drained.is_set()

    def source(self, topic, max_records, commit):
        """The call that takes records, and its parameters."""
        raise NotImplementedError

    def execute_commit(self, topic):
        raise NotImplementedError

    def take(self, transaction, topic, commit=False):
        """Records into the sink, by way of us or not; returns how many."""
        max_records = 1000 if self.round.stopping.is_set() \
            else self.rng.choice((1, 10, 100, 1000))
        source, parameters = self.source(topic, max_records, commit)
        if commit or self.rng.random() < 0.5:
            rows = self.execute(
                f"""INSERT INTO sink (group_id, topic, partition, record_offset, value)
                SELECT '{self.group}', topic, partition, record_offset, {VALUE} FROM {source}
                RETURNING topic, partition, record_offset, value""", parameters).fetchall()
            note_records(transaction, rows)
            return len(rows)
        rows = self.execute(
            f'SELECT topic, partition, record_offset, {VALUE} FROM {source}',
            parameters).fetchall()
        note_records(transaction, rows)
        self.execute(
            f"""INSERT INTO sink (group_id, topic, partition, record_offset, value)
            SELECT '{self.group}', *
            FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::text[])""",
            [list(column) for column in zip(*rows)] or [[]] * 4)
        return len(rows)

    def step(self):
        topic = self.rng.choice(self.round.topics)[0]
        with self.transaction(self.group) as transaction:
            count = self.work(transaction, topic)
        if count == 0:
            time.sleep(0.02)

    def work(self, transaction, topic):
        if self.rng.random() < 0.3:
            self.starts_commit(transaction)
            count = self.take(transaction, topic, commit=True)
            transaction.outcome = 'ok'
            return count
        self.begin()
        count = self.take(transaction, topic)
        if self.rng.random() < 0.2:
            self.execute('SAVEPOINT s')
            before = len(transaction.reads)
            self.take(transaction, topic)
            self.roll_back_to_savepoint(transaction, 0, before)
        if self.rng.random() < 0.3:
            count += self.take(transaction, topic)
        if not self.round.stopping.is_set():
            if self.rng.random() < 0.1:
                time.sleep(self.rng.uniform(0, 0.2))
            if self.rng.random() < 0.1:
                self.execute('ROLLBACK')
                return count
        self.execute_commit(topic)
        self.commit(transaction)
        return count


class Consumer(GroupClient):
    """Claims partitions."""

    group = 'claimers'

    def __init__(self, run, number):
        super().__init__(run, f'consumer {number}')

    def source(self, topic, max_records, commit):
        """Now and then the statement began long before it claims."""
        sleep = self.rng.uniform(0, 0.02) \
            if self.round.fault.may_sleep and self.rng.random() < 0.3 else 0
        return (f"""(SELECT pg_sleep(%s)::text AS nothing OFFSET 0) s CROSS JOIN LATERAL
                (SELECT '{topic}' AS topic, * FROM topic.consume_text(
                '{self.group}' || nothing, '{topic}', %s, commit => %s)) c""",
                (sleep, max_records, commit))

    def execute_commit(self, topic):
        self.execute('SELECT * FROM topic.commit(%s, %s)', (self.group, topic))


class Member(GroupClient):
    """Owns partitions."""

    group = 'members'
    expected = Client.expected + OF_MEMBERS

    def __init__(self, run, number):
        super().__init__(run, f'member {number}')
        self.member_id = None

    def source(self, topic, max_records, commit):
        return ('topic.poll_text(%s, %s, %s, commit => %s)',
                (self.group, self.member_id, max_records, commit))

    def execute_commit(self, topic):
        self.execute('SELECT * FROM topic.commit_polled(%s, %s)', (self.group, self.member_id))

    def step(self):
        if self.member_id is None:
            self.member_id, = self.execute(
                """SELECT DISTINCT member_id
                FROM topic.join_group(%s, %s, session_timeout => '1 s')""",
                (self.group, [topic for topic, _ in self.round.topics])).fetchone()
        super().step()
        # Now and then one dies, and another one takes its place.
        if self.rng.random() < 0.01 and not self.round.stopping.is_set():
            self.member_id = None

    def recover(self, error):
        if error.pgcode in NO_MEMBER:
            self.member_id = None
        super().recover(error)


class Follower(Client):
    """Reads on without a group, from the first record to the last.

    When records may have been lost it begins anew, as another reader.
    """

    def __init__(self, run, name, target=None):
        super().__init__(run, f'follower {name}')
        self.own_target = target
        self.positions = {}

    def target(self):
        return self.own_target or super().target()

    def connect(self):
        epoch = self.epoch
        super().connect()
        if self.epoch != epoch:
            self.positions.clear()

    def is_done(self):
        return self.round.drained.is_set() and self.is_at_end()

    def is_at_end(self):
        """Has it read all? Nobody writes any more."""
        try:
            return not any(
                self.positions.get((topic, partition), 0) < end
                for topic, _ in self.round.topics
                for partition, end in self.execute(
                    'SELECT partition, high_watermark FROM topic.offsets(%s)', (topic,)))
        except psycopg2.Error as error:
            self.recover(error)
            return False

    def step(self):
        topic, partitions = self.rng.choice(self.round.topics)
        with self.transaction(f'{self.name} in epoch {self.epoch}') as transaction:
            if self.rng.random() < 0.5:
                self.fetch(transaction, topic, self.rng.randrange(partitions))
                return
            self.execute('BEGIN ISOLATION LEVEL ' + self.rng.choice(LEVELS[:3]))
            for _ in range(3):
                self.fetch(transaction, topic, self.rng.randrange(partitions))
                time.sleep(self.rng.uniform(0, 0.02))
            self.execute('COMMIT')

    def fetch(self, transaction, topic, partition):
        place = topic, partition
        position = self.positions.get(place, 0)
        rows = self.execute(
            f'SELECT record_offset, {VALUE} FROM topic.fetch_text(%s, %s, %s, max_records => %s)',
            (topic, partition, position, self.rng.choice((10, 100, 1000)))).fetchall()
        transaction.reads.append(Read(f'{topic}:{partition}', [list(row) for row in rows],
                                      position, time.monotonic()))
        if rows:
            self.positions[place] = rows[-1][0] + 1


class Roller(Client):
    """Has segments begin, and settle, and be rewritten."""

    def __init__(self, run):
        super().__init__(run, 'roller')

    def step(self):
        time.sleep(self.rng.uniform(0, 0.2))
        self.round.fault.begin(self)
        self.execute('SELECT topic.roll_segment(%s)', (self.rng.choice(self.round.topics)[0],))
        self.execute('CALL topic.maintain()')
        for notice in self.connection.notices:
            if 'maintenance of topic' in notice:
                self.round.count('maintenance steps failed')
        self.connection.notices.clear()


class Resolver(Client):
    """Commits or rolls back what others have prepared, after a while."""

    def __init__(self, run):
        super().__init__(run, 'resolver')
        self.prepared = queue.SimpleQueue()

    def is_done(self):
        return self.round.resolving.is_set() and self.prepared.empty()

    def prepare(self, client, transaction):
        """Called by another client, in place of COMMIT."""
        name = f'{client.name} {time.monotonic()}'
        client.execute('PREPARE TRANSACTION %s', (name,))
        # Nothing can come of it but by us.
        transaction.commit_start = None
        transaction.outcome = 'failed'
        self.prepared.put((name, transaction, self.rng.random() < 0.8))
        self.round.count('prepared')

    def step(self):
        try:
            name, transaction, commits = self.prepared.get(timeout=0.1)
        except queue.Empty:
            return
        if not self.round.stopping.is_set():
            time.sleep(self.rng.uniform(0, 0.2))
        self.resolve(name, transaction, commits)

    def resolve(self, name, transaction, commits):
        """Until we know that it is done."""
        if commits:
            self.starts_commit(transaction)
        tried = False
        while True:
            try:
                self.execute(('COMMIT' if commits else 'ROLLBACK') + ' PREPARED %s', (name,))
                break
            except psycopg2.Error as error:
                if tried and error.pgcode == '42704':
                    break       # the answer to an earlier attempt was lost
                tried = tried or lost_connection(error)
                self.recover(error)
        if commits:
            transaction.outcome = 'ok'
