#!/usr/bin/python3
"""How Python's values go into the calls: psycopg 3."""
import sys
import uuid

import psycopg
from psycopg.types.json import Jsonb

name = sys.argv[1]
key = uuid.UUID("0190163d-8694-739b-aea5-966c26f8ad91")

with psycopg.connect() as connection:       # one transaction
    call = connection.execute
    call("SELECT topic.produce('calls', %s, key => %s)", ("hello", name))
    call("SELECT topic.produce('calls', %s, key => %s, headers => %s)",
         (Jsonb({"total": 20}), 42, Jsonb({"source": "web"})))
    call("SELECT topic.produce('calls', %s, key => %s)", ("no key", None))
    call("SELECT topic.produce('calls', %s, key => %s)", (None, key))
    call("SELECT topic.produce('calls', %s, key => %s)", (b"bytes", b"key"))
    call("SELECT * FROM topic.produce_batch('calls', %s::text[], keys => %s::text[])",
         (["a", "b"], [name, None]))
    call("SELECT * FROM topic.produce_batch('calls', %s::jsonb[])",
         ([Jsonb({"total": 1}), Jsonb({"total": 2})],))
    call("SELECT * FROM topic.produce_batch('calls', %s::text[])", ([],))
