#!/usr/bin/python3
"""Captured tables, changed at random; and a check that their topics tell what
is in them.

Some sessions run transactions of a few random changes each, in all isolation
levels, with savepoints, rollbacks, changed keys, and PREPARE TRANSACTION. What
fails by 40001 or by a deadlock is tried again. One table has a trigger that
changes other rows; the other one has partitions, among which rows move.
Meanwhile, further captures begin with a snapshot of what is there.

At the end each topic is folded: the records of a partition are applied in
order. That must give what is in the table. Prints TAP.

	capture.py --seconds 10 --dsn "host=/tmp dbname=postgres"
"""

import argparse
import os
import random
import sys
import threading
import time

import psycopg2
import psycopg2.errors
import psycopg2.extensions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import finish, note, report     # noqa: E402 pylint: disable=wrong-import-position

SESSIONS = 8
IDS = 300

SCHEMA = """
CREATE EXTENSION pg_topic;
CREATE TABLE item (
    id int PRIMARY KEY,
    n int NOT NULL,
    note text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    twice int GENERATED ALWAYS AS (n * 2) STORED);
CREATE FUNCTION change_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.n % 10 = 0 AND pg_trigger_depth() = 1 THEN
        UPDATE item SET n = n + 1 WHERE id IN (NEW.id + 1, NEW.id + 2);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER change_another AFTER INSERT OR UPDATE ON item
    FOR EACH ROW EXECUTE FUNCTION change_another();
CREATE TABLE part (
    id int,
    n int NOT NULL,
    note text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    region text NOT NULL DEFAULT 'north',
    PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_south (at timestamptz NOT NULL, n int NOT NULL,
    region text NOT NULL, note text, id int NOT NULL);
ALTER TABLE part ATTACH PARTITION part_south FOR VALUES IN ('south');
CREATE TABLE part_rest PARTITION OF part DEFAULT;
"""

# Options of topics, by the payload of the captures that they are for.
TOPIC_OPTIONS = {
    'debezium': "value_format => 'json'",
    'row': "value_format => 'json', cleanup_policy => 'compact'",
    'debezium compacted': "cleanup_policy => 'compact'",
}


class Capture:
    """A table's capture into a topic of its own."""

    def __init__(self, table, options, snapshot):
        self.table = table
        self.payload = options.split()[0]
        self.options = TOPIC_OPTIONS[options]
        self.snapshot = snapshot
        self.topic = '%s-%s-%s' % (table, options.replace(' ', '-'),
                                   'snapshot' if snapshot else 'all')

    def begin(self, connection, level):
        """Create the topic and start to capture."""
        with connection.cursor() as cursor:
            cursor.execute('SELECT topic.create_topic(%%s, 3, %s)' % self.options,
                           [self.topic])
            connection.commit()
            while True:
                try:
                    cursor.execute('BEGIN ISOLATION LEVEL ' + level)
                    cursor.execute('SELECT count(*) FROM ' + self.table)
                    cursor.execute('SELECT topic.capture_table(%s, %s, payload => %s, snapshot => %s)',
                                   [self.table, self.topic, self.payload, self.snapshot])
                    cursor.execute('COMMIT')
                    return
                except psycopg2.extensions.TransactionRollbackError:
                    cursor.execute('ROLLBACK')

    def fold(self, connection):
        """What the topic says the table has, and what is wrong with its records."""
        state = {}
        errors = []
        with connection.cursor() as cursor:
            cursor.execute("""
                SELECT partition, record_offset, key, value,
                    value::json->>'op', value::json->>'before', value::json->>'after'
                FROM topic.fetch_text(%s) ORDER BY partition, record_offset""", [self.topic])
            for partition, offset, key, value, op, before, after in cursor:
                rows = state.setdefault(partition, {})
                if op == 't':
                    rows.clear()
                    continue
                was = rows.pop(key, None)
                if self.payload == 'row' or value is None:
                    after = value
                # Where nothing else changes rows, each change follows the last.
                elif self.table == 'part' and before != was:
                    errors.append('%s %s at %s/%s: was %s, before %s' %
                                  (op, key, partition, offset, was, before))
                if after is not None:
                    rows[key] = after
        return [row for rows in state.values() for row in rows.values()], errors


class Session(threading.Thread):
    """Changes tables at random until told to stop."""

    def __init__(self, dsn, number, stop):
        super().__init__()
        self.dsn = dsn
        self.number = number
        self.stop = stop
        self.random = random.Random()
        self.committed = 0
        self.retried = 0
        self.error = None

    def run(self):
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET TimeZone = %s", [['UTC', 'Asia/Kolkata', 'America/New_York'][self.number % 3]])
                # There are many deadlocks.
                cursor.execute("SET deadlock_timeout = '5ms'")
                # Some transactions send more than this.
                cursor.execute("SET pg_topic.send_buffer = '64kB'")
                while not self.stop.is_set():
                    self.run_transaction(cursor)
        except Exception as error:              # pylint: disable=broad-except
            self.error = error
        finally:
            connection.close()

    def run_transaction(self, cursor):
        """A transaction, from its beginning until it succeeds or is given up."""
        seed = self.random.random()
        while not self.stop.is_set():
            self.random.seed(seed)              # the same changes again
            try:
                cursor.execute('BEGIN ISOLATION LEVEL ' + self.random.choice(
                    ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']))
                self.change_rows(cursor, 0)
                self.end_transaction(cursor)
                return
            except psycopg2.extensions.TransactionRollbackError:
                cursor.execute('ROLLBACK')
                self.retried += 1
            except psycopg2.errors.UniqueViolation:
                cursor.execute('ROLLBACK')
                return

    def end_transaction(self, cursor):
        end = self.random.random()
        if end < 0.15:
            cursor.execute('ROLLBACK')
            return
        if end < 0.25:
            name = 'session %d' % self.number
            cursor.execute('PREPARE TRANSACTION %s', [name])
            cursor.execute(('COMMIT' if end < 0.2 else 'ROLLBACK') + ' PREPARED %s', [name])
            return
        cursor.execute('COMMIT')
        self.committed += 1

    def change_rows(self, cursor, depth):
        """Some changes, some of them in savepoints."""
        for _ in range(self.random.randint(1, 4)):
            if depth < 3 and self.random.random() < 0.3:
                name = 's%d' % depth
                cursor.execute('SAVEPOINT ' + name)
                try:
                    self.change_rows(cursor, depth + 1)
                    keep = self.random.random() < 0.6
                except psycopg2.errors.UniqueViolation:
                    keep = False
                cursor.execute(('RELEASE ' if keep else 'ROLLBACK TO ') + name)
            else:
                self.change(cursor)

    def change(self, cursor):
        """One statement."""
        choice = self.random.random()
        table = self.random.choice(['item', 'part'])
        key = self.random.randrange(IDS)
        values = {
            'id': key,
            'last': key + self.random.randrange(8),
            'other': self.random.randrange(IDS),
            'n': self.random.randrange(1000),
            'note': self.random.choice([None, 'short', 'with "quotes"', 'ü' * 3000]),
            'region': self.random.choice(['north', 'south', 'east']),
        }
        if choice < 0.35:
            statement = 'INSERT INTO {0} (id, n, note) VALUES (%(id)s, %(n)s, %(note)s) ' \
                'ON CONFLICT (%s) DO UPDATE SET n = {0}.n + 1' \
                .replace('(%s)', '(id)' if table == 'item' else '(id, region)')
        elif choice < 0.6:
            statement = 'UPDATE {0} SET n = n + 1, note = %(note)s WHERE id BETWEEN %(id)s AND %(last)s'
        elif choice < 0.75:
            statement = 'UPDATE {0} SET id = %(other)s WHERE id = %(id)s'
        elif choice < 0.85 and table == 'part':
            statement = 'UPDATE part SET region = %(region)s WHERE id BETWEEN %(id)s AND %(last)s'
        elif choice < 0.88:
            statement = 'UPDATE {0} SET id = -id - 1 WHERE id BETWEEN %(id)s AND %(last)s'
        elif choice < 0.99:
            statement = 'DELETE FROM {0} WHERE id BETWEEN %(id)s AND %(last)s'
        else:
            statement = 'TRUNCATE {0}'
        cursor.execute(statement.format(table), values)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--dsn', default='')
    parser.add_argument('--seconds', type=float, required=True)
    arguments = parser.parse_args()

    connection = psycopg2.connect(arguments.dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
    captures = [Capture(table, options, snapshot)
                for snapshot in (False, True)
                for table in ('item', 'part')
                for options in TOPIC_OPTIONS]
    for capture in captures:
        if not capture.snapshot:
            capture.begin(connection, 'READ COMMITTED')

    stop = threading.Event()
    sessions = [Session(arguments.dsn, number, stop) for number in range(SESSIONS)]
    for session in sessions:
        session.start()
    for number, capture in enumerate(captures):
        if capture.snapshot:
            time.sleep(arguments.seconds / len(captures))
            capture.begin(connection, ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'][number % 3])
    time.sleep(arguments.seconds / 2)
    stop.set()
    for session in sessions:
        session.join()

    with connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
    for capture in captures:
        rows, errors = capture.fold(connection)
        with connection.cursor() as cursor:
            cursor.execute('SELECT row_to_json(t)::text FROM %s t' % capture.table)
            table = [row for row, in cursor]
        errors += ['in the table only: ' + row for row in sorted(set(table) - set(rows))]
        errors += ['in the topic only: ' + row for row in sorted(set(rows) - set(table))]
        if len(rows) != len(table):
            errors.append('%d rows in the table, %d in the topic' % (len(table), len(rows)))
        report('topic %s tells table %s' % (capture.topic, capture.table), errors)

    report('sessions did not fail', [session.error for session in sessions if session.error])
    committed = sum(session.committed for session in sessions)
    report('transactions were committed', [] if committed else ['none'])
    note('%d transactions committed, %d tried again' %
         (committed, sum(session.retried for session in sessions)))
    finish()


if __name__ == '__main__':
    main()
