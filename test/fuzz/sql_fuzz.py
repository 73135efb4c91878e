#!/usr/bin/python3
"""Any input to all that the extension offers in SQL.

Connects by the environment (PGHOST, ...) to a server that has the extension,
and for a time runs random statements there, in a database of its own, as a
user without privileges: calls of every function that the extension has, with
hostile arguments; scans, INSERTs and COPYs of topics' relations; changes of
captured tables; transactions around them.  Now and then rows with mutated
record batches are put into the log of one topic, as only damage would.

Whatever comes, the server must not crash, no error may be an internal one
(XX000), no warning be one that nobody foresaw; only where the log was damaged
may somebody be told so (XX001).  After every round the log must be consistent.
One topic the user may only write to, so its records must all be there.

    sql_fuzz.py --seconds 600 --seed 7 --encoding LATIN1

What is random in a round depends on the seed and on its number alone; but what
statements have returned is tried in later ones, and earlier rounds leave their
objects behind.  So a finding is printed with both, and with the statements of
its transaction.
"""

import argparse
import os
import random
import re
import secrets
import sys
import time

import psycopg2
from psycopg2 import errors

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'sql'))
# pylint: disable=wrong-import-position
import audit        # noqa: E402
import damage       # noqa: E402
import statements   # noqa: E402
import values       # noqa: E402

DATABASE = 'sql_fuzz'
ROUND = 300         # statements
CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus')

# date, time, timestamp, timestamptz, interval: Python's have narrower limits.
AS_TEXT = psycopg2.extensions.new_type((1082, 1083, 1114, 1184, 1186), 'AS_TEXT',
                                       lambda value, cursor: value)

# Warnings that statements may rightly give.
WARNINGS = re.compile(
    r'there is (already a|no) transaction in progress'
    r'|SET LOCAL can only be used in transaction blocks'
    r'|skips \d+ records of partition')
DAMAGE_WARNINGS = re.compile(r'(maintenance of topic "damaged" failed: )?damaged ')
# What meets all of the damage, after random statements that met some of it.
READ_DAMAGE = [
    'ROLLBACK', 'DISCARD ALL', *(
        f"SELECT * FROM topic.{function}('damaged', {partition})"
        for function in ('fetch', 'fetch_text', 'fetch_json') for partition in (0, 1)),
    'SELECT * FROM topics.damaged', 'SELECT * FROM topic.lag', 'SELECT * FROM topic.topic_stats',
    "SELECT topic.roll_segment('damaged')", 'CALL topic.maintain()', 'CALL topic.maintain()',
]

SETUP = [
    'CREATE EXTENSION pg_topic',
    'GRANT CREATE ON SCHEMA topics TO fuzzer',
    'GRANT ALL ON SCHEMA public TO fuzzer',
    "SELECT topic.create_topic('kept', 2)",
    'GRANT INSERT ON topics.kept TO fuzzer',
]
# Of this run, or of one that was interrupted.
DROP = [f'DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)', 'DROP ROLE IF EXISTS fuzzer, other']
# What the user has, made before each round as far as it is missing; and all
# of it anew where a log is damaged, and after that.
CLEAN = ['DROP TABLE IF EXISTS plain, captured, captured_parent',
         "SELECT topic.drop_topic(topic) FROM topic.topics WHERE topic <> 'kept'"]
OWN = [
    """SELECT topic.create_topic(t, 2, value_format => f, if_not_exists => true)
       FROM (VALUES ('text', 'text'), ('json', 'json'), ('bytes', 'bytes')) v(t, f)""",
    """SELECT topic.create_topic('compact', 2, cleanup_policy => 'compact',
       segment_bytes => 20000, if_not_exists => true)""",
    'CREATE TABLE IF NOT EXISTS plain (a int, b text)',
    'CREATE TABLE IF NOT EXISTS captured_parent (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id)',
    """CREATE TABLE IF NOT EXISTS captured_child PARTITION OF captured_parent
       FOR VALUES FROM (0) TO (100)""",
    """CREATE TABLE IF NOT EXISTS captured (id int PRIMARY KEY, a text, b jsonb, c bytea,
       d timestamptz, e interval, f float8, g numeric, h int[], i topic.header, j json,
       k uuid, l regclass, m date, n name, "o""x" varchar(5), p "char", q bit varying)""",
]


class Fuzzer:
    """One user's session, what it has done, and what was found."""

    def __init__(self, seed, encoding):
        self.seed = seed
        self.encoding = encoding
        self.number = 0             # of the round
        self.batches = damage.corpus(CORPUS)
        self.findings = {}
        self.counts = {}            # statements by SQLSTATE
        self.log = []               # statements of this round
        self.damaged = False
        self.sent = 0               # records of topic kept
        self.key = secrets.token_hex(8)     # of these, which the user cannot guess
        self.admin = self.session = None

    def administrate(self, commands):
        connection = psycopg2.connect(dbname='postgres')
        connection.autocommit = True
        self.execute_all(connection, commands)
        connection.close()

    def create_database(self):
        self.administrate([
            *DROP,
            f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING '{self.encoding}'",
            'CREATE ROLE fuzzer LOGIN', 'CREATE ROLE other LOGIN',
            "ALTER ROLE fuzzer SET statement_timeout = '500ms'",
            "ALTER ROLE fuzzer SET client_min_messages = 'warning'"])
        self.admin = self.connect()
        self.execute_all(self.admin, ["SET lock_timeout = '30s'", *SETUP])

    def connect(self, user=None):
        parameters = {'user': user} if user else {}
        connection = psycopg2.connect(dbname=DATABASE, client_encoding='UTF8', **parameters)
        connection.autocommit = True
        psycopg2.extensions.register_type(AS_TEXT, connection)
        return connection

    @staticmethod
    def execute_all(connection, commands):
        with connection.cursor() as cursor:
            for command in commands:
                cursor.execute(command)

    def find(self, what):
        """Report a finding, once."""
        key = re.sub(r'\d+', 'N', what)
        self.findings[key] = self.findings.get(key, 0) + 1
        if self.findings[key] == 1:
            print(f'FOUND in round {self.number} of seed {self.seed}: {what}')
            for statement in self.log[self.begin_of_transaction():]:
                print(f'    {statement[:2000]};')
            sys.stdout.flush()

    def begin_of_transaction(self):
        """Where in the log the last transaction begins, 10 statements back at most."""
        for i in range(len(self.log) - 1, max(0, len(self.log) - 10), -1):
            if self.log[i].startswith('BEGIN'):
                return i
        return max(0, len(self.log) - 10)

    def count(self, sqlstate):
        self.counts[sqlstate] = self.counts.get(sqlstate, 0) + 1

    def run(self, statement, copied=None):
        """Run a statement of the user's; returns its rows."""
        self.log.append(statement)
        rows = []
        try:
            with self.session.cursor() as cursor:
                if copied is not None:
                    cursor.copy_expert(statement, copied, 8192)
                else:
                    cursor.execute(statement)
                    if cursor.description:
                        rows = cursor.fetchmany(100)
            self.count('00000')
        except psycopg2.Error as error:
            self.judge(error)
        for notice in self.session.notices:
            if 'WARNING' in notice and not WARNINGS.search(notice) and not (
                    self.damaged and DAMAGE_WARNINGS.search(notice)):
                self.find(notice.strip())
        del self.session.notices[:]
        return rows

    def judge(self, error):
        """Is the error one that may be?"""
        if self.session.closed or error.pgcode is None:
            self.find(f'the connection was lost: {error}')
            raise ConnectionError(error)
        self.count(error.pgcode)
        allowed = ('XX001',) if self.damaged else ()
        if error.pgcode.startswith('XX') and error.pgcode not in allowed:
            self.find(f'{error.pgcode}: {error}')

    def do_damage(self, generator):
        """Put damaged batches into the log of the topic that is for that."""
        self.execute_all(self.admin, generator.damaged_topic())
        with self.admin.cursor() as cursor:
            cursor.execute('SELECT topic_id FROM topic.topics WHERE topic = %s', ('damaged',))
            topic_id, = cursor.fetchone()
            for i in range(generator.random.randrange(1, 6)):
                row = damage.row(generator.random, self.batches, i * 1000)
                try:
                    cursor.execute(
                        f'INSERT INTO topic_log.segment_{topic_id}_0 ({", ".join(row)}) '
                        f'VALUES ({", ".join(["%s"] * len(row))})', list(row.values()))
                    self.log.append(cursor.query.decode())
                except psycopg2.Error:
                    pass    # e. g. two rows of one offset
        self.damaged = True

    def round(self):
        """A session's random statements; then the log is looked at."""
        self.number += 1
        self.log = []
        chance = random.Random(f'{self.seed} {self.number}')
        self.session = self.connect('fuzzer')
        damaged = self.number % 3 == 0
        if damaged:
            self.execute_all(self.admin, CLEAN)
        self.execute_all(self.session, ['SET statement_timeout = 0', *OWN,
                                        'RESET statement_timeout'])
        with self.admin.cursor() as cursor:
            functions = statements.functions(cursor)
            views = statements.views(cursor)
        generator = statements.Generator(chance, values.Values(chance, self.batches),
                                         functions, views)
        if damaged:
            self.do_damage(generator)
        for i in range(ROUND):
            statement, copied = generator.statement()
            rows = self.run(statement, copied)
            generator.done(rows, self.session.info.transaction_status)
            if i % 20 == 0:
                self.keep()
        for statement in READ_DAMAGE if damaged else ['ROLLBACK']:
            self.run(statement)
        self.session.close()
        if damaged:
            self.execute_all(self.admin, CLEAN)
            self.damaged = False
        for what in audit.audit(self.admin, self.key, self.sent):
            self.find(what)

    def keep(self):
        """Send a record that must stay, for which nobody has to wait."""
        try:
            self.execute_all(self.admin, [
                f"SELECT topic.produce('kept', 'kept {self.sent}', '{self.key}')"])
            self.sent += 1
        except errors.LockNotAvailable as error:
            self.find(f'producing to topic kept waits: {error}')

    def main(self, seconds, first):
        self.create_database()
        self.number = first - 1
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.round()
            self.administrate(DROP)
        except (ConnectionError, psycopg2.OperationalError) as error:
            print(f'stopped: {error}')
            self.findings.setdefault('the server was lost', 1)
        if self.counts.get('00000', 0) < sum(self.counts.values()) / 5:
            self.find('hardly a statement succeeds')
        print(f'{self.number - first + 1} rounds, {sum(self.counts.values())} statements: '
              + ', '.join(f'{count} {code}' for code, count in
                          sorted(self.counts.items(), key=lambda item: -item[1])))
        print(f'{len(self.findings)} findings')
        return 1 if self.findings else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seconds', type=float, default=20)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--round', type=int, default=1, help='the first round')
    parser.add_argument('--encoding', default='UTF8', help='of the database')
    arguments = parser.parse_args()
    return Fuzzer(arguments.seed, arguments.encoding).main(arguments.seconds, arguments.round)


if __name__ == '__main__':
    sys.exit(main())
