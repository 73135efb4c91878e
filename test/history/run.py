#!/usr/bin/python3
"""Clients of topics at work while a fault strikes again and again, and a check
of the history of it all.

    run.py --seconds 4 kill-backend prepared
    run.py --minutes 30

runs a round of each of these faults, or of all of them, one after the other;
with --minutes, again and again, and prints a table of the totals at the end. A
round has servers of its own (server.py), made by the initdb that is first in
the path, into which pg_topic is installed. faults.py says what the faults are,
clients.py what the clients do, checker.py what is looked for.

Prints TAP. A history in which something was found is kept (--keep DIRECTORY);
checker.py reads it again. With --library, the functions are not those of the
library that is installed, but of this one; with --expect, it is to be found
faulty: one of these anomalies, and a failure is none.
"""

import argparse
import collections
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback

import psycopg2

import checker
import clients
import faults
from history import History
from server import Server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap          # noqa: E402 pylint: disable=wrong-import-position

PRODUCERS = 4
RETRYING = 2
CONSUMERS = 3
MEMBERS = 3

# A round goes on for so many seconds more, if that is what it takes for clients to
# meet the errors that its fault is there for.
LONGER = 5


class Round:
    """One run of the clients under a fault."""

    def __init__(self, fault, arguments, seed):
        self.fault = fault
        self.arguments = arguments
        self.seed = seed
        self.rng = random.Random(f'{seed} round')
        self.history = History(may_lose=fault.may_lose)
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.stopping = threading.Event()       # nobody produces any more
        self.resolving = threading.Event()      # nor prepares
        self.drained = threading.Event()        # all is processed
        self.directory = tempfile.mkdtemp(prefix='history.', dir=arguments.directory)
        self.topics = [('plain', 3)] + ([('compacted', 2)] if fault.compacts else [])
        self.resolver = None
        self.target = None

    # What clients tell

    def record(self, transaction):
        with self.lock:
            self.history.transactions.append(transaction)

    def fail(self, message):
        with self.lock:
            self.history.failures.append(' '.join(message.split()))

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    # The servers

    def server(self, name, **options):
        # A library that is used instead of the installed one cannot be with it.
        preloaded = '' if self.arguments.library else 'pg_topic'
        settings = {'shared_preload_libraries': preloaded, **self.fault.settings}
        return Server(self.directory, name, settings, **options)

    def connect(self):
        connection = psycopg2.connect(self.target[0], application_name='control')
        connection.autocommit = True
        return connection

    def prepare(self):
        cursor = self.connect().cursor()
        cursor.execute('CREATE EXTENSION pg_topic')
        if self.arguments.library:
            cursor.execute('SET allow_system_table_mods = on')
            # PostgreSQL 18 leaves $libdir out.
            cursor.execute("""UPDATE pg_proc SET probin = %s
                WHERE probin IN ('$libdir/pg_topic', 'pg_topic')""", (self.arguments.library,))
            cursor = self.connect().cursor()    # which has not loaded the other one
        for topic, partitions in self.topics:
            policy = 'compact' if topic == 'compacted' else 'delete'
            cursor.execute(
                """SELECT topic.create_topic(%s, %s, cleanup_policy => %s,
                segment_bytes => 200000)""", (topic, partitions, policy))
        cursor.execute("""
            CREATE TABLE sink (position bigserial, group_id text, topic text, partition int,
                record_offset bigint, value text)""")

    # The run

    def run(self):
        """Returns why there was no run, or else None."""
        try:
            skipped = self.fault.set_up(self)
            if skipped:
                return skipped
            self.prepare()
            self.go()
            self.read_end()
        except Exception:
            # Its last line tells most.
            self.fail('; '.join(reversed(traceback.format_exc().splitlines())))
        finally:
            self.fault.tear_down(self)
        return None

    def go(self):
        if self.fault.prepares:
            self.resolver = clients.Resolver(self)
        producers = [clients.Producer(self, n) for n in range(PRODUCERS)] + \
            [clients.RetryingProducer(self, n) for n in range(RETRYING)]
        takers = [clients.Consumer(self, n) for n in range(CONSUMERS)] + \
            [clients.Member(self, n) for n in range(MEMBERS)]
        followers = [clients.Follower(self, 'of the primary')] + self.fault.followers(self)
        roller = clients.Roller(self)
        everybody = producers + takers + followers + [roller] + \
            ([self.resolver] if self.resolver else [])
        for client in everybody:
            client.start()

        begin = time.monotonic()
        end, latest = begin + self.arguments.seconds, begin + self.longest()
        while time.monotonic() < (end if self.errors_were_met() else latest):
            time.sleep(self.rng.uniform(0.5, 1) * self.fault.interval)
            if self.fault.strike(self) is not False:
                self.count('strikes')
        self.fault.end(self)

        self.stopping.set()
        self.join(producers + [roller])
        self.drain()
        self.resolving.set()
        self.drained.set()
        self.join(takers + followers + ([self.resolver] if self.resolver else []))

    def longest(self):
        """For how many seconds the fault may strike."""
        return self.arguments.seconds + LONGER

    def has_counted(self, what):
        with self.lock:
            return any(n > 0 for key, n in self.counts.items() if what in key)

    def errors_were_met(self):
        """Those that the fault is there for: on a busy machine they take their time."""
        return all(self.has_counted(what) for what in self.fault.must_happen
                   if what.startswith('error'))

    def join(self, those):
        deadline = time.monotonic() + self.arguments.patience
        for client in those:
            client.join(max(0, deadline - time.monotonic()))
            if client.is_alive():
                self.fail(f'{client.name} hangs')

    def drain(self):
        """Wait until both groups have processed all."""
        deadline = time.monotonic() + self.arguments.patience
        behind = None
        while time.monotonic() < deadline:
            try:
                cursor = self.connect().cursor()
                if self.resolver and self.resolver.prepared.empty():
                    self.sweep(cursor)
                cursor.execute("""
                    SELECT g, topic, partition, committed_offset, high_watermark
                    FROM unnest(%s) g, unnest(%s) topic CROSS JOIN topic.offsets(topic)
                    LEFT JOIN topic.committed(g, topic) USING (partition)
                    WHERE coalesce(committed_offset, 0) < high_watermark""",
                               (self.groups(), [topic for topic, _ in self.topics]))
                behind = cursor.fetchall()
                if not behind:
                    return
            except psycopg2.Error:
                pass
            time.sleep(0.05)
        self.fail(f'the groups do not catch up: {behind}')

    def sweep(self, cursor):
        """Commit what is prepared, and its client does not even know."""
        cursor.execute("SELECT gid FROM pg_prepared_xacts WHERE prepared < now() - interval '1 s'")
        for name, in cursor.fetchall():
            cursor.execute('COMMIT PREPARED %s', (name,))

    @staticmethod
    def groups():
        return [clients.Consumer.group, clients.Member.group]

    def read_end(self):
        """What is there in the end."""
        end = self.history
        end.groups = self.groups()
        end.compacted = [topic for topic, _ in self.topics if topic == 'compacted']
        cursor = self.connect().cursor()
        for topic, partitions in self.topics:
            end.log.update({f'{topic}:{n}': [] for n in range(partitions)})
            cursor.execute(f'SELECT partition, record_offset, {clients.VALUE} '
                           f'FROM topics.{topic} ORDER BY partition, record_offset')
            for partition, offset, value in cursor:
                end.log[f'{topic}:{partition}'].append([offset, value])
            for group in end.groups:
                cursor.execute('SELECT partition, committed_offset FROM topic.committed(%s, %s)',
                               (group, topic))
                end.committed.setdefault(group, {}).update(
                    {f'{topic}:{partition}': offset for partition, offset in cursor})
        cursor.execute("""
            SELECT group_id, topic, partition, record_offset, value FROM sink ORDER BY position""")
        for group, topic, partition, offset, value in cursor:
            end.sinks.setdefault(group, {}).setdefault(f'{topic}:{partition}', []).append(
                [offset, value])
        cursor.execute('SELECT sum(rolled), sum(compacted), sum(merged) FROM topic.maintenance')
        for what, n in zip(('segments rolled', 'compactions', 'merges'), cursor.fetchone()):
            self.count(what, int(n or 0))
        end.counts = dict(self.counts)


Totals = collections.namedtuple('Totals', 'rounds strikes sent acknowledged lost anomalies')


def run_round(name, arguments, seed):
    """Run and check; returns its totals."""
    fault = faults.ALL[name]()
    this_round = Round(fault, arguments, seed)
    skipped = this_round.run()
    if skipped:
        tap.result(True, f'{name} # SKIP {skipped}')
        shutil.rmtree(this_round.directory)
        return None

    history = this_round.history
    check = checker.Checker(history)
    anomalies = check.check()
    sent = sum(len(t.sent()) for t in history.transactions)
    acknowledged = sum(len(t.sent()) for t in history.transactions if t.outcome == 'ok')
    details = [f'{anomaly}, {len(found)} times: {what}'
               for anomaly, found in sorted(anomalies.items()) for what in found[:5]]
    details += [f'{n} {what}' for what, n in sorted(this_round.counts.items())]
    details += [f'{sent} records sent, {acknowledged} acknowledged, '
                f'{sum(map(len, history.log.values()))} in the log, '
                f'{check.lost} lost, as may be; seed {seed}']
    if arguments.expect:
        tap.result(bool(set(anomalies) & set(arguments.expect)), f'{name}: found to be faulty')
    else:
        tap.result(not anomalies, f'{name}: {this_round.counts["strikes"]} times')
        tap.result(acknowledged > 100 and this_round.has_counted('sent again'),
                   f'{name}: there was something to check')
        for what in fault.must_happen:
            tap.result(this_round.has_counted(what), f'{name}: there was: {what}')
    tap.note('\n'.join(line[:300] for line in details))
    if anomalies and arguments.keep:
        kept = os.path.join(arguments.keep, f'{name}-{seed}')
        shutil.copytree(this_round.directory, kept,
                        ignore=lambda _, names: [n for n in names if not n.endswith('.log')])
        with open(os.path.join(kept, 'history.json'), 'w', encoding='utf-8') as file:
            history.dump(file)
        print(f'# kept in {kept}')
    shutil.rmtree(this_round.directory, ignore_errors=True)
    return Totals(1, this_round.counts['strikes'], sent, acknowledged,
                  check.lost, sum(map(len, anomalies.values())))


def print_table(totals):
    print('| fault | rounds | times it struck | records sent | acknowledged | '
          'of these lost, as may be | anomalies |')
    print('|---|---:|---:|---:|---:|---:|---:|')
    for name, row in totals.items():
        print(f'| {name} | ' + ' | '.join(f'{n:,}' for n in row) + ' |')


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('faults', nargs='*', metavar='FAULT', help='of ' + ', '.join(faults.ALL))
    parser.add_argument('--list', action='store_true', help='the faults, and do nothing')
    parser.add_argument('--seconds', type=float, default=4, help='of a round')
    parser.add_argument('--minutes', type=float, default=0, help='of all of it')
    parser.add_argument('--seed', type=int, default=random.randrange(1000000))
    parser.add_argument('--directory', default=os.environ.get('TMPDIR', '/tmp'))
    parser.add_argument('--patience', type=float, default=60,
                        help='how many seconds clients have to come to their end')
    parser.add_argument('--template', help='data of a new server, or where to put it')
    parser.add_argument('--keep')
    parser.add_argument('--library')
    parser.add_argument('--expect', nargs='+', default=[])
    arguments = parser.parse_args()
    if arguments.list:
        print('\n'.join(name for name in faults.ALL if name != 'none'))
        return
    unknown = set(arguments.faults) - set(faults.ALL)
    if unknown:
        parser.error(f'no such fault: {", ".join(unknown)}')

    totals = {}
    deadline = time.monotonic() + 60 * arguments.minutes
    seed = arguments.seed
    with tempfile.TemporaryDirectory(prefix='history.', dir=arguments.directory) as directory:
        arguments.directory = directory
        arguments.template = arguments.template or os.path.join(directory, 'template')
        while True:
            for name in arguments.faults or faults.ALL:
                seed += 1
                row = run_round(name, arguments, seed)
                if row:
                    totals[name] = Totals(*map(sum, zip(totals.get(name, (0,) * 6), row)))
            if time.monotonic() >= deadline:
                break
    if arguments.minutes:
        print_table(totals)
    tap.finish()


if __name__ == '__main__':
    main()
