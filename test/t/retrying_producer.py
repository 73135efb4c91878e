#!/usr/bin/python3
"""A producer that tries again until each of its records is there, once.

It produces the records "NAME/PARTITION/0", "NAME/PARTITION/1", ... of each
partition, in batches and in order.  On the way it kills itself, or the server
process of its connection, at random moments of its transactions, COMMIT
included; or the server goes away.  After a lost connection it goes on with
another one, and whoever started it starts it again after its death.

    journal     Notes what it is about to send in a file, and sends just that
                again, with the same producer id, epoch and sequence.
    takeover    Notes nothing. It calls topic.init_producer(), and then reads
                what is there. Sometimes it leaves a process behind which has
                produced the next batch and not yet committed.
    key         Notes where it is only now and then, so that it sends records
                again that are there; each has a key.

Exits with 0 when all is produced, and with 2, and a line that says why, when
it was told something that cannot be.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time

import psycopg2

PARTITIONS = 2
MAX_BATCH = 5

# How often an attempt is disturbed, and how.
DISTURBED = 0.4
DISTURBANCES = ['die'] * 5 + ['terminate'] * 4 + ['kill'] * 1

parser = argparse.ArgumentParser()
parser.add_argument('--dsn', required=True)
parser.add_argument('--name', required=True)
parser.add_argument('--mode', choices=['journal', 'takeover', 'key'], required=True)
parser.add_argument('--records', type=int, required=True, help='of each partition')
parser.add_argument('--journal', required=True)


class Lost(Exception):
    """The connection is gone: whether it has committed is not known."""


def fail(message):
    print(message, flush=True)
    os._exit(2)


class Client:
    """A connection that is made again when it is lost."""

    def __init__(self, dsn):
        self.dsn = dsn
        self.connection = None

    def connect(self):
        deadline = time.monotonic() + 120
        while self.connection is None:
            try:
                self.connection = psycopg2.connect(self.dsn)
                self.connection.autocommit = True
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    fail('no connection')
                time.sleep(0.05)

    def run(self, sql, *arguments):
        """Rows of a statement."""
        self.connect()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            # One that the server has reported, and not because it goes away
            if error.pgcode and error.pgcode[:3] not in ('57P', '08P'):
                fail(f'{error.pgcode} {error}')
            self.close()
            raise Lost from error

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def backend(self):
        self.connect()
        return self.connection.get_backend_pid()


def disturb(client, seconds):
    """Something happens within so many seconds, or not."""
    if random.random() > DISTURBED:
        return None
    pid = client.backend()
    target, number = {'die': (os.getpid(), signal.SIGKILL),
                      'terminate': (pid, signal.SIGTERM),
                      'kill': (pid, signal.SIGKILL)}[random.choice(DISTURBANCES)]

    def strike():
        try:
            os.kill(target, number)
        except ProcessLookupError:
            pass
    timer = threading.Timer(random.uniform(0, seconds), strike)
    timer.daemon = True
    timer.start()
    return timer


class Producer:
    def __init__(self, options):
        self.options = options
        self.client = Client(options.dsn)
        self.usual = 0.01           # seconds that an attempt takes

    def values(self, partition, first, count):
        return [f'{self.options.name}/{partition}/{i}' for i in range(first, first + count)]

    def append(self, client, partition, producer, sequence, values):
        """The offset of the first value, in one transaction of some form."""
        form = random.randrange(3)
        if len(values) == 1 and form == 0:
            return client.run('SELECT topic.produce(%s, %s, partition => %s, producer_id => %s, '
                              'producer_epoch => %s, sequence => %s)',
                              't', values[0], partition, *producer, sequence)[0][0]
        if form > 0:
            client.run('BEGIN')
        offset = client.run('SELECT base_offset FROM topic.produce_batch(%s, %s::text[], partition => %s, '
                            'producer_id => %s, producer_epoch => %s, sequence => %s)',
                            't', values, partition, *producer, sequence)[0][0]
        if form > 0:
            client.run('COMMIT')
        return offset

    def append_surely(self, attempt):
        """Try until the server says that it is done."""
        while True:
            self.client.connect()
            began = time.monotonic()
            timer = None
            try:
                timer = disturb(self.client, self.usual * 1.2)
                offset = attempt()
                self.usual = 0.9 * self.usual + 0.1 * (time.monotonic() - began)
                return offset
            except Lost:
                pass
            finally:
                # What did not happen by now must not hit another process.
                if timer:
                    timer.cancel()
                    timer.join()

    def retry(self, statement):
        while True:
            try:
                return statement()
            except Lost:
                pass

    def load(self):
        try:
            with open(self.options.journal, encoding='utf-8') as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def save(self, state):
        with open(self.options.journal + '.new', 'w', encoding='utf-8') as file:
            json.dump(state, file)
        os.rename(self.options.journal + '.new', self.options.journal)

    def choose(self, positions):
        """The next batch: partition and number of records; None at the end."""
        left = [p for p in range(PARTITIONS) if positions[p] < self.options.records]
        if not left:
            return None
        partition = random.choice(left)
        return partition, min(random.randint(1, MAX_BATCH), self.options.records - positions[partition])

    def journal(self):
        state = self.load()
        if state is None:
            producer = self.retry(lambda: self.client.run('SELECT * FROM topic.init_producer(%s)', self.options.name))
            state = {'producer': producer[0], 'positions': [0] * PARTITIONS, 'batch': None, 'offsets': [-1] * PARTITIONS}
        while True:
            if state['batch'] is None:
                state['batch'] = self.choose(state['positions'])
                if state['batch'] is None:
                    return
                self.save(state)
            partition, count = state['batch']
            first = state['positions'][partition]
            offset = self.append_surely(lambda: self.append(self.client, partition, state['producer'], first,
                                                            self.values(partition, first, count)))
            if offset <= state['offsets'][partition]:
                fail(f'record {first} of partition {partition} has offset {offset}')
            state['offsets'][partition] = offset + count - 1
            state['positions'][partition] += count
            state['batch'] = None
            self.save(state)

    def leave_zombie(self, partition, producer, sequence, values):
        """A process that will commit what it has produced when we are gone."""
        produced, tell = os.pipe()
        if os.fork() == 0:
            client = Client(self.options.dsn)
            try:
                client.connect()
                with client.connection.cursor() as cursor:
                    cursor.execute('BEGIN')
                    cursor.execute('SELECT * FROM topic.produce_batch(%s, %s::text[], partition => %s, '
                                   'producer_id => %s, producer_epoch => %s, sequence => %s)',
                                   ('t', values, partition, *producer, sequence))
                    os.write(tell, b'1')
                    time.sleep(random.uniform(0, 0.3))
                    cursor.execute('COMMIT')
            except psycopg2.Error:
                pass
            os._exit(0)
        os.close(tell)
        os.read(produced, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    def wait_for_others(self):
        """Until all that is committed by now can be read.

        A reader stops before an open transaction, such as one that was left
        behind, which may be before the last record that is committed.
        """
        def offsets(column):
            return [row[0] for row in self.retry(lambda: self.client.run(
                f"SELECT {column} FROM topic.offsets('t') ORDER BY partition"))]
        ends = offsets('high_watermark')
        while any(stable < end for stable, end in zip(offsets('last_stable_offset'), ends)):
            time.sleep(0.01)

    def takeover(self):
        producer = self.retry(lambda: self.client.run('SELECT * FROM topic.init_producer(%s)', self.options.name))[0]
        self.wait_for_others()
        rows = self.retry(lambda: self.client.run(
            "SELECT partition, 1 + max(split_part(value, '/', 3)::int) FROM topics.t "
            "WHERE value LIKE %s GROUP BY partition", self.options.name + '/%'))
        positions = [dict(rows).get(p, 0) for p in range(PARTITIONS)]
        sequences = [0] * PARTITIONS
        while True:
            batch = self.choose(positions)
            if batch is None:
                return
            partition, count = batch
            values = self.values(partition, positions[partition], count)
            if random.random() < 0.05:
                self.leave_zombie(partition, producer, sequences[partition], values)
            self.append_surely(lambda: self.append(self.client, partition, producer, sequences[partition], values))
            positions[partition] += count
            sequences[partition] += count

    def key(self):
        positions = self.load() or [0] * PARTITIONS
        while True:
            batch = self.choose(positions)
            if batch is None:
                return
            partition, first = batch[0], positions[batch[0]]
            value = self.values(partition, first, 1)[0]
            self.append_surely(lambda: self.client.run(
                'SELECT topic.produce(%s, %s, partition => %s, idempotency_key => %s)',
                't', value, partition, value)[0][0])
            positions[partition] += 1
            if random.random() < 0.2:
                self.save(positions)


def main():
    options = parser.parse_args()
    getattr(Producer(options), options.mode)()


main()
