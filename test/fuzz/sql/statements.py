"""Random statements."""

import io

from values import QUERIES, TOPICS, quote

COLUMNS = {'partition': 'integer', 'record_offset': 'bigint',
           'record_timestamp': 'timestamp with time zone', 'key': 'text', 'value': 'text',
           'headers': 'jsonb'}
CAPTURED = {'id': 'integer', 'a': 'text', 'b': 'jsonb', 'c': 'bytea',
            'd': 'timestamp with time zone', 'e': 'interval', 'h': 'integer[]',
            'i': 'topic.header', 'j': 'json', 'k': 'uuid', 'l': 'regclass'}
SETTINGS = ["bytea_output = 'escape'", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'",
            'extra_float_digits = -15', "TimeZone = 'Asia/Kathmandu'", "xmlbinary = 'hex'",
            "work_mem = '64kB'", 'enable_seqscan = off', "search_path = ''",
            "default_transaction_isolation = 'repeatable read'",
            "default_transaction_isolation = 'read committed'", 'default_transaction_read_only = off',
            'cursor_tuple_fraction = 0.01', "plan_cache_mode = 'force_generic_plan'"]
ALTERATIONS = ['ALTER TABLE captured ADD r int DEFAULT 7', 'ALTER TABLE captured DROP r',
               'ALTER TABLE captured RENAME a TO "A ""b"""',
               'ALTER TABLE captured RENAME "A ""b""" TO a',
               'ALTER TABLE captured ALTER b TYPE text', 'ALTER TABLE captured DROP c',
               'ALTER TABLE captured DROP CONSTRAINT captured_pkey CASCADE',
               'DROP TABLE captured', 'DROP TABLE captured_parent', 'DROP FOREIGN TABLE topics.text',
               'ALTER FOREIGN TABLE topics.text DROP COLUMN headers',
               'ALTER FOREIGN TABLE topics.bytes ADD COLUMN more int',
               'ALTER FOREIGN TABLE topics.json ALTER COLUMN key TYPE bytea',
               'ALTER FOREIGN TABLE topics.json RENAME TO "j s"',
               'CREATE TRIGGER t AFTER INSERT ON plain FOR EACH ROW EXECUTE FUNCTION '
               "topic.capture_change('text', 'row')",
               'CREATE TRIGGER t AFTER INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION '
               'topic.capture_change()',
               'CREATE FOREIGN TABLE IF NOT EXISTS mine (partition int, value text) SERVER pg_topic',
               'DROP TRIGGER IF EXISTS t ON plain']


def functions(cursor):
    """What the extension has that can be called: (name, is a procedure, arguments)."""
    cursor.execute("""
        SELECT p.oid::regproc::text, p.prokind = 'p', ARRAY(
            SELECT ARRAY[coalesce(p.proargnames[i], ''), format_type(t, NULL)]
            FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i) ORDER BY i)
        FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND p.pronamespace = 'topic'::regnamespace
        ORDER BY p.oid::regprocedure::text""")
    # Of the many overloads, each function is as likely as another.
    by_name = {}
    for name, procedure, arguments in cursor.fetchall():
        by_name.setdefault(name, []).append((name, procedure, arguments))
    return sorted(by_name.items())


def views(cursor):
    """The names of the extension's views."""
    cursor.execute("""
        SELECT relname FROM pg_class
        WHERE relnamespace = 'topic'::regnamespace AND relkind = 'v' ORDER BY relname""")
    return [name for name, in cursor.fetchall()]


class Generator:
    """Makes one statement after the other, with an eye on the transaction."""

    def __init__(self, random, values, callable_functions, readable_views):
        self.random = random
        self.values = values
        self.functions = callable_functions
        self.views = readable_views
        self.status = 0             # of the transaction, as libpq has it
        self.cursor_open = False
        self.kinds = [(self.call, 60), (self.insert, 6), (self.copy, 3), (self.select, 9),
                      (self.transaction, 12), (self.cursor, 4), (self.captured, 8),
                      (self.other, 4)]

    def done(self, rows, status):
        """What has become of the last statement."""
        self.values.remember(rows)
        if status == 0:
            self.cursor_open = False
        self.status = status

    def statement(self):
        """A statement, and what is copied by it, or None."""
        if self.status == 3 and self.random.random() < 0.8:
            return self.random.choice(['ROLLBACK', 'ROLLBACK', 'ROLLBACK TO s', 'COMMIT']), None
        kind, = self.random.choices([kind for kind, _ in self.kinds],
                                    [weight for _, weight in self.kinds])
        made = kind()
        return made if isinstance(made, tuple) else (made, None)

    def chance(self, probability):
        return self.random.random() < probability

    def arguments(self, arguments, procedure):
        """Some arguments by name; a procedure's are all given."""
        given = []
        for i, (name, kind) in enumerate(arguments):
            if not name:
                given.append(self.values.of(kind))
            elif procedure or i < 2 or self.chance(0.3):
                given.append(f'{name} => {self.values.of(kind, name)}')
        return ', '.join(given)

    def expression(self):
        """A call of one of the functions: the expression, and is it a procedure?"""
        _, overloads = self.random.choice(self.functions)
        name, procedure, arguments = self.random.choice(overloads)
        return f'{name}({self.arguments(arguments, procedure)})', procedure

    def call(self):
        expression, procedure = self.expression()
        if procedure:
            return f'CALL {expression}'
        form = self.random.random()
        if form < 0.45:
            return f'SELECT {expression}'
        if form < 0.8:
            return f'SELECT * FROM {expression}'
        if form < 0.86:
            return f'SELECT * FROM {expression} LIMIT {self.random.randrange(3)}'
        if form < 0.9:
            return f'SELECT {expression} FROM generate_series(1, 3)'
        if form < 0.93:
            return f'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM {expression} f'
        if form < 0.96:
            return f'SELECT * FROM generate_series(1, 2) i, LATERAL {expression} f'
        return f"SELECT topic.produce_query('text', {quote('SELECT f::text AS value FROM ' + expression + ' f')})"

    def topic(self):
        return f'topics."{self.values.favourite or self.random.choice(TOPICS[:6])}"'

    def column_value(self, topic, column):
        kind = COLUMNS[column]
        if 'bytes' in topic and column in ('key', 'value'):
            kind = 'bytea'
        if 'bytes' in topic and column == 'headers':
            kind = 'topic.header[]'
        if 'json' in topic and column == 'value':
            kind = 'jsonb'
        return self.values.of(kind, column)

    def insert(self):
        topic = self.topic()
        columns = [column for column in COLUMNS
                   if column == 'value' or self.chance(0.1 if column == 'record_offset' else 0.35)]
        rows = ', '.join('(' + ', '.join(self.column_value(topic, column) for column in columns)
                         + ')' for _ in range(self.random.choice([1, 1, 2, 5])))
        returning = self.random.choice(['', '', ' RETURNING *', ' RETURNING record_offset',
                                        ' ON CONFLICT DO NOTHING'])
        if self.chance(0.1):
            return f'INSERT INTO {topic} SELECT * FROM {self.topic()}{returning}'
        return f'INSERT INTO {topic} ({", ".join(columns)}) VALUES {rows}{returning}'

    def copy(self):
        """COPY of lines, of which some are right."""
        lines = []
        for _ in range(self.random.randrange(6)):
            line = self.random.choice(['v', 'k\tv', '0\tv', '{"a": 1}', 'k\t{"a": 1}', '\\N\t\\N',
                                       '\\\\x00ff\t\\\\x80', '"a', '\\.', 'a\\0b', 'é'])
            lines.append(self.values.mutate(line) if self.chance(0.3) else line)
        data = '\n'.join(lines).encode()
        if self.chance(0.1):
            data = b'PGCOPY\n\xff\r\n\0' + self.random.randbytes(40)
        columns = self.random.choice(['', '(value)', '(key, value)', '(partition, value)',
                                      '(value, headers)', '(record_offset, value)'])
        options = self.random.choice(['', '', ' (FORMAT csv)', ' (FORMAT binary)'])
        return f'COPY {self.topic()} {columns} FROM STDIN{options}', io.BytesIO(data)

    def select(self):
        if self.chance(0.25):
            return f'SELECT * FROM topic.{self.random.choice(self.views)}'
        topic = self.random.choice([self.topic(), self.topic(), 'topics.damaged'])
        conditions = []
        for _ in range(self.random.randrange(4)):
            column = self.random.choice(['partition', 'record_offset', 'record_timestamp'])
            operator = self.random.choice(['=', '<', '<=', '>', '>=', '<>'])
            value = self.values.of(COLUMNS[column])
            form = self.random.random()
            if form < 0.7:
                conditions.append(f'{column} {operator} {value}')
            elif form < 0.85:
                conditions.append(f'{value} {operator} {column}')
            else:
                conditions.append(f'{column} {operator} ANY '
                                  f'({self.values.array(COLUMNS[column], column)})')
        where = ' WHERE ' + ' AND '.join(conditions) if conditions else ''
        order = self.random.choice(['', '', ' ORDER BY partition, record_offset',
                                    ' ORDER BY record_offset DESC', ' LIMIT 1', ' LIMIT 0',
                                    ' FETCH FIRST 2 ROWS ONLY', ' FOR UPDATE'])
        columns = self.random.choice(['*', '*', 'count(*)', 'max(record_offset)', 'key, headers',
                                      'tableoid, ctid, partition', 'DISTINCT key'])
        return f'SELECT {columns} FROM {topic}{where}{order}'

    def transaction(self):
        if self.status == 0:
            return self.random.choice(['BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ',
                                       'BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN READ ONLY',
                                       'DISCARD ALL', 'VACUUM plain', 'ANALYZE topics.text'])
        return self.random.choice(['COMMIT', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'SAVEPOINT s',
                                   'ROLLBACK TO s', 'RELEASE s', 'COMMIT AND CHAIN',
                                   "PREPARE TRANSACTION 'p'", 'SET CONSTRAINTS ALL IMMEDIATE'])

    def cursor(self):
        """A step in the life of a cursor."""
        if self.cursor_open:
            return self.random.choice(['FETCH 1 FROM c', 'FETCH ALL FROM c', 'MOVE 3 FROM c',
                                       'FETCH BACKWARD 1 FROM c', 'FETCH ABSOLUTE 1 FROM c',
                                       'CLOSE c'])
        self.cursor_open = True
        kind = self.random.choice(['', 'SCROLL ', 'NO SCROLL '])
        hold = self.random.choice(['', '', ' WITH HOLD'])
        query = self.select() if self.chance(0.4) else f'SELECT * FROM {self.expression()[0]} f'
        return f'DECLARE c {kind}CURSOR{hold} FOR {query}'

    def captured(self):
        """A change of a table that is captured, or may be."""
        form = self.random.random()
        if form < 0.2:
            table = self.random.choice(['captured', 'captured_parent', 'plain'])
            key = self.random.choice(['', ", key => '{a}'", ", key => '{id}'"])
            payload = self.random.choice(['', ", payload => 'row'", ', snapshot => true'])
            return f"SELECT topic.capture_table('{table}', {quote(self.values.raw_text('topic'))}{key}{payload})"
        if form < 0.6:
            columns = [column for column in CAPTURED if column == 'id' or self.chance(0.4)]
            row = ', '.join(self.values.of(CAPTURED[column]) for column in columns)
            return (f'INSERT INTO captured ({", ".join(columns)}) VALUES ({row}) '
                    'ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a')
        return self.random.choice([
            'UPDATE captured SET id = id + 10 WHERE id < 10', 'DELETE FROM captured WHERE id < 3',
            "UPDATE captured SET f = 'NaN', g = 'NaN', m = '-infinity', p = '\\200'",
            f'UPDATE captured SET a = {self.values.of("text")}, b = {self.values.of("jsonb")}',
            'TRUNCATE captured', 'TRUNCATE captured_parent',
            'INSERT INTO captured_parent SELECT generate_series(1, 20)',
            'UPDATE captured_parent SET id = 99 - id', "INSERT INTO plain VALUES (1, 'b'), (2, NULL)"])

    def other(self):
        form = self.random.random()
        if form < 0.5:
            return f'SET {self.random.choice(["", "LOCAL "])}{self.random.choice(SETTINGS)}'
        if form < 0.6:
            return self.random.choice(ALTERATIONS)
        if form < 0.7:
            return f'UPDATE {self.topic()} SET value = NULL'
        if form < 0.8:
            return f'DELETE FROM {self.topic()}'
        return f"SELECT * FROM topic.produce_query('text', {quote(self.random.choice(QUERIES))})"

    def damaged_topic(self):
        """Statements that make the topic whose log is damaged, and will be asked for."""
        self.values.favourite = 'damaged'
        options = self.random.choice(['', ", value_format => 'json'", ", value_format => 'bytes'"])
        policy = self.random.choice(['', ", cleanup_policy => 'compact'"])
        return ['SET ROLE fuzzer',
                f"SELECT topic.create_topic('damaged', 2{options}{policy})", 'RESET ROLE']
