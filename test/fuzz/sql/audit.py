"""Is the log consistent?  Findings as sentences."""

from psycopg2 import errors

# Topics, and what contradicts itself there.
CHECKS = {
    'offsets are out of order': """
        SELECT t.topic FROM topic.topics t, LATERAL (
            SELECT record_offset <= lag(record_offset) OVER (PARTITION BY partition) AS bad
            FROM topic.fetch(t.topic)) f
        WHERE f.bad""",
    'the ends of a partition contradict each other': """
        SELECT t.topic FROM topic.topics t, topic.offsets(t.topic) o
        WHERE log_start_offset > last_stable_offset OR last_stable_offset <> high_watermark""",
    'records are beyond the ends of their partition': """
        SELECT t.topic FROM topic.topics t, topic.offsets(t.topic) o, LATERAL (
            SELECT min(record_offset), max(record_offset) FROM topic.fetch(t.topic, o.partition)) f
        WHERE f.min < o.log_start_offset OR f.max <> o.high_watermark - 1""",
}


def audit(connection, key, sent):
    """Look at all topics, when nobody writes to them."""
    with connection.cursor() as cursor:
        for what, query in CHECKS.items():
            cursor.execute(query)
            for topic, in cursor.fetchall():
                yield f'{what}: topic {topic}'

        cursor.execute('SELECT topic FROM topic.topics ORDER BY topic')
        for topic, in cursor.fetchall():
            yield from relation_differs(cursor, topic)
        yield from records_are_missing(cursor, key, sent)
        yield from compaction_differs(cursor)


def relation_differs(cursor, topic):
    """topics.<topic> must have the records that fetch returns."""
    cursor.execute('SELECT relation::text FROM topic.topics WHERE topic = %s', (topic,))
    relation, = cursor.fetchone()
    records = [f'SELECT partition, record_offset, record_timestamp FROM {relation}',
               'SELECT partition, record_offset, record_timestamp FROM topic.fetch(%(topic)s)']
    try:
        cursor.execute(f'({records[0]} EXCEPT ALL {records[1]}) UNION ALL '
                       f'({records[1]} EXCEPT ALL {records[0]})', {'topic': topic})
    except (errors.UndefinedColumn, errors.DatatypeMismatch):
        return      # its columns were altered by hand
    if cursor.fetchall():
        yield f'the relation of topic {topic} has other records than the topic'


def records_are_missing(cursor, key, sent):
    """What was produced to topic kept with that key must be there, once, in order."""
    cursor.execute('SELECT value FROM topics.kept WHERE key = %s ORDER BY record_offset', (key,))
    if [value for value, in cursor.fetchall()] != [f'kept {i}' for i in range(sent)]:
        yield 'topic kept has not the records that were sent'


def compaction_differs(cursor):
    """Compaction must leave the latest record of each key."""
    latest = """
        SELECT partition, key, value, record_offset FROM (
            SELECT DISTINCT ON (partition, key) partition, key, value, record_offset
            FROM topic.fetch('compact') ORDER BY partition, key, record_offset DESC) f
        WHERE value IS NOT NULL ORDER BY 1, 2"""
    cursor.execute("SELECT FROM topic.topics WHERE topic = 'compact' AND cleanup_policy = 'compact'")
    if not cursor.fetchall():
        return
    cursor.execute(latest)
    before = cursor.fetchall()
    cursor.execute("SELECT topic.roll_segment('compact')")
    for _ in range(3):
        cursor.execute('CALL topic.maintain()')
    cursor.execute(latest)
    if cursor.fetchall() != before:
        yield 'compaction has changed the latest records of topic compact'
