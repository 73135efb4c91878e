"""Hostile values for the arguments of SQL functions, as SQL expressions."""

TOPICS = ['text', 'json', 'bytes', 'compact', 'Other.topic-1_', 'kept', 'text.dlq', 'damaged']
GROUPS = ['g', 'group 2', "it's", 'é\n"']

# What is asked for by name: some of what is right, by the argument's name.
WORDS = {
    'topic': TOPICS,
    'topics': TOPICS,
    'dead_letter_topic': TOPICS,
    'group_id': GROUPS,
    'retain_until_consumed': GROUPS,
    'member_id': ['m', 'member 2'],
    'instance_id': ['i', 'i2'],
    'transactional_id': ['tx', 'tx 2'],
    'idempotency_key': ['k', 'k2', 'k3'],
    'offset_reset': ['earliest', 'latest', 'none'],
    'to_position': ['earliest', 'latest', 'beginning'],
    'cleanup_policy': ['delete', 'compact', 'compact,delete'],
    'value_format': ['text', 'json', 'bytes'],
    'compression': ['none', 'lz4', 'zstd', 'gzip'],
    'timestamp_type': ['CreateTime', 'LogAppendTime'],
    'assignor': ['uniform', 'range'],
    'payload': ['debezium', 'row'],
    'events': ['insert', 'update', 'delete', 'truncate'],
    'reset': ['partitions', 'retention', 'value_format', 'compression', 'segment_bytes'],
    'key': ['k', 'k2', 'id', 'a', 'b'],
    'keys': ['k', 'k2', 'k3'],
    'record_values': ['v', '{"a": 1}', '1'],
    'value': ['v', '{"a": 1}', '"s"', '1', 'null'],
}

TEXTS = ['', ' ', 'a', 'é', '\U0001f600', '\ufeff', 'a\u0301', 'ı', '\x01', '\x7f', '\n', "'", '"',
         '\\', '\\x', '\\x00', '$$', '%', '%s%n', '--', ';', '/*', '{}', '[]', '{', 'NULL',
         'null', '.', '..', '../x', 'topics.text', 'x' * 63, 'x' * 64, 'é' * 40, 'x' * 9000,
         'ab' * 40000, '0', '-1', '1e1000', '\\u0000', '"\\u0000"', '"\\ud800"', '[' * 5000,
         '{"a":' * 300 + '1' + '}' * 300]

HEADERS = ['{}', '[]', 'null', '1', '"s"', '[[]]', '[["k"]]', '[["k", "v"]]', '[["k", null]]',
           '[["k", "v", 1]]', '[[1, 2]]', '[["", ""]]', '[["k", {"hex": "00ff"}]]',
           '[["k", {"hex": ""}]]', '[["k", {"hex": " 0 0"}]]', '[["k", {"hex": "0"}]]',
           '[["k", {"hex": "zz"}]]', '[["k", {"hex": 1}]]', '[["k", {"hex": "00", "x": 1}]]',
           '[["k", {}]]', '[["k", []]]', '[["k", [1]]]', '[{"k": "v"}]', '{"k": "v"}',
           '{"k": {"hex": "80"}}', '{"k": {"a": "b"}}', '{"k": [1]}', '{"k": 1e400}',
           '{"k": -0.0}', '{"k": true, "l": null}', '{"": "é", "é": "\\u00e9"}',
           '[["k", "v"], ["k", "w"], ["k", null]]', '[[["k"], "v"]]', '[[null, "v"]]',
           '[["k", "' + 'x' * 10000 + '"]]', '[' + ', '.join(['["k", "v"]'] * 2000) + ']',
           '{"k": ' + '[' * 500 + ']' * 500 + '}']

INTEGERS = [-2**31, -2**31 + 1, -2, -1, 0, 1, 2, 3, 7, 100, 999, 1000, 1001, 32767, 32768, 65536,
            2**31 - 2, 2**31 - 1]
BIGINTS = INTEGERS + [-2**63, -2**63 + 1, -2**32, 2**31, 2**32, 2**53, 2**62, 2**63 - 1001,
                      2**63 - 2, 2**63 - 1]
TIMES = ['now', 'epoch', 'infinity', '-infinity', '1969-12-31 23:59:59.999+00',
         '1970-01-01 00:00:00.0009+00', '2000-01-01', '4714-11-24 00:00:00+00 BC',
         '294276-12-31 23:59:59.999999+00', '1999-12-31 23:59:59.999999+00']
INTERVALS = ['0', '1 us', '1 ms', '5 ms', '1 s', '1 day', '-1 s', '1 month', '178000000 years',
             '-178000000 years', '2147483647 days', '-2147483648 days 1 us',
             '178000000 years -2147483648 days', '2562047788:00:54.775807', '1 month -31 days',
             '292000 years', '24855 days']
UUIDS = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
RELATIONS = ['captured', 'captured_parent', 'plain', 'topics.text', 'topic.topics', 'pg_class']
ROLES = ['fuzzer', 'postgres', 'other']
QUERIES = ['SELECT 1::text AS value', 'SELECT value, key FROM topics.text', 'SELECT 1',
           "SELECT topic.drop_topic('text')::text AS value", 'SELECT', '', ';', 'SELECT 1; SELECT 2',
           'COPY plain TO STDOUT', 'COPY plain FROM STDIN', 'SELECT 1 AS value INTO x',
           'WITH i AS (INSERT INTO plain VALUES (1) RETURNING a) SELECT a::text AS value FROM i',
           "SELECT NULL::text AS value, NULL::bytea AS key, '[]'::jsonb AS headers",
           "SELECT 'v'::bytea AS value, i AS partition FROM generate_series(0, 5) i",
           "SELECT row(1, 2)::text AS value, 'k'::uuid AS key", 'SELECT value FROM topic.fetch($1)',
           "SELECT v::text AS value, 'infinity'::timestamptz AS timestamp FROM plain v",
           "SELECT topic.produce('text', 'v')::text AS value", 'COMMIT', 'VALUES (1)',
           "SELECT * FROM topic.produce_query('text', 'SELECT 1::text AS value')",
           "SELECT a::text AS value, 1/(a - 2) AS partition FROM plain", 'EXPLAIN SELECT 1',
           "SELECT topic.alter_topic('text', value_format => 'bytes')::text AS value",
           'TABLE topics.json', 'SELECT record_offset, value FROM topics.text',
           'SELECT value, value FROM topics.text', 'SELECT 1 AS value, 2 AS key, true AS headers']


def quote(text):
    """A text as an SQL literal."""
    return "E'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"


class Values:
    """Makes values; remembers some that statements have returned."""

    def __init__(self, random, batches):
        self.random = random
        self.batches = batches      # record batches, for bytes
        self.favourite = None       # a topic that is asked for more often
        self.seen = {str: [], int: []}

    def remember(self, rows):
        """Offsets, ids of members and producers, epochs: worth trying."""
        for row in rows[:3]:
            for value in row:
                seen = self.seen.get(type(value))
                if seen is not None and len(str(value)) < 100:
                    seen.append(value)
                    if len(seen) > 40:
                        seen.pop(self.random.randrange(40))

    def pick_or_seen(self, kind, choices, chance):
        if self.seen[kind] and self.random.random() < chance:
            return self.random.choice(self.seen[kind])
        return self.random.choice(choices)

    def mutate(self, text):
        """The text with a piece removed, doubled or replaced."""
        start = self.random.randrange(len(text) + 1)
        end = min(len(text), start + self.random.randrange(4))
        return text[:start] + self.random.choice(
            ['', text[start:end] * 2, self.random.choice(TEXTS[:30])]) + text[end:]

    def raw_text(self, name):
        words = WORDS.get(name)
        if words is TOPICS and self.favourite and self.random.random() < 0.5:
            return self.favourite
        if words and self.random.random() < 0.9:
            return self.random.choice(words)
        if name == 'query':
            return self.random.choice(QUERIES)
        text = self.pick_or_seen(str, TEXTS, 0.4)
        return self.mutate(text) if self.random.random() < 0.3 else text

    def raw_json(self, name):
        text = self.random.choice(HEADERS)
        return self.mutate(text) if self.random.random() < 0.3 else text

    def raw_bytes(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.randbytes(self.random.choice([0, 1, 2, 10, 300]))
        if kind == 1:
            return self.random.choice(self.batches)
        return self.random.choice(TEXTS).encode()

    def integer(self):
        if self.random.random() < 0.6:
            return self.random.randrange(5)
        return self.pick_or_seen(int, INTEGERS, 0.5)

    def bigint(self):
        if self.random.random() < 0.4:
            return self.random.randrange(30)
        return self.pick_or_seen(int, BIGINTS, 0.5)

    def array(self, type_name, name):
        """An array of any shape: empty, with nulls, with other bounds."""
        count = self.random.choice([0, 1, 1, 2, 2, 3, 10])
        elements = [self.of(type_name, name) for _ in range(count)]
        shape = self.random.random()
        if shape < 0.05 and count:
            return f'ARRAY[ARRAY[{", ".join(elements)}]]::{type_name}[]'
        if shape < 0.1:
            return f"('[5:6]={{NULL,NULL}}'::{type_name}[])"
        return f'ARRAY[{", ".join(elements)}]::{type_name}[]'

    def of(self, type_name, name=''):
        """A value of a type, for an argument of that name."""
        if self.random.random() < 0.05:
            return f'NULL::{type_name}'
        if type_name.endswith('[]'):
            return self.array(type_name[:-2], name)
        choice = self.random.choice
        if type_name in ('integer', 'smallint'):
            value = str(self.integer())
        elif type_name == 'bigint':
            value = str(self.bigint())
        elif type_name == 'boolean':
            value = choice(['true', 'false'])
        elif type_name == 'bytea':
            value = '\\x' + self.raw_bytes().hex()
        elif type_name in ('json', 'jsonb'):
            value = self.raw_json(name)
        elif type_name == 'timestamp with time zone':
            value = choice(TIMES)
        elif type_name == 'interval':
            value = choice(INTERVALS)
        elif type_name == 'uuid':
            value = choice(UUIDS)
        elif type_name == 'regclass':
            value = choice(RELATIONS)
        elif type_name == 'regrole':
            value = choice(ROLES)
        elif type_name == 'topic.header':
            return f'ROW({self.of("text")}, {self.of("bytea")})::topic.header'
        elif type_name == 'internal':
            return 'NULL::internal'
        else:
            value = self.raw_text(name)
        return f'{quote(value)}::{type_name}'
