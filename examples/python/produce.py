#!/usr/bin/python3
"""Produce the flights of standard input, one JSON object a line: psycopg 3.

1,000 records a call, and a transaction.
"""
import itertools
import json
import sys

import psycopg

with psycopg.connect(autocommit=True, prepare_threshold=None) as connection:
    while lines := list(itertools.islice(sys.stdin, 1000)):
        origins = [json.loads(line)["origin"] for line in lines]
        connection.execute(
            "SELECT * FROM topic.produce_batch('flights', %s::jsonb[], keys => %s::text[])",
            (lines, origins))
