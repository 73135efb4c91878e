#!/usr/bin/python3
"""Produce the flights of standard input, one JSON object a line: psycopg2.

1,000 records a call, and a transaction.
"""
import itertools
import json
import sys

import psycopg2

connection = psycopg2.connect("")
while lines := list(itertools.islice(sys.stdin, 1000)):
    origins = [json.loads(line)["origin"] for line in lines]
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM topic.produce_batch('flights', %s::jsonb[], keys => %s::text[])",
            (lines, origins))
