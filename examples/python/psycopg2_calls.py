#!/usr/bin/python3
"""How Python's values go into the calls: psycopg2."""
import sys
import uuid

import psycopg2
from psycopg2.extras import Json, register_uuid

name = sys.argv[1]
key = uuid.UUID("0190163d-8694-739b-aea5-966c26f8ad91")

register_uuid()                             # uuid.UUID becomes uuid, for keys
connection = psycopg2.connect("")
with connection, connection.cursor() as cursor:     # one transaction
    call = cursor.execute
    call("SELECT topic.produce('calls', %s, key => %s)", ("hello", name))
    call("SELECT topic.produce('calls', %s::jsonb, key => %s, headers => %s)",
         (Json({"total": 20}), 42, Json({"source": "web"})))
    call("SELECT topic.produce('calls', %s, key => %s)", ("no key", None))
    call("SELECT topic.produce('calls', %s, key => %s)", (None, key))
    call("SELECT topic.produce('calls', %s, key => %s)", (b"bytes", b"key"))
    call("SELECT * FROM topic.produce_batch('calls', %s::text[], keys => %s::text[])",
         (["a", "b"], [name, None]))
    call("SELECT * FROM topic.produce_batch('calls', %s::jsonb[])",
         ([Json({"total": 1}), Json({"total": 2})],))
    call("SELECT * FROM topic.produce_batch('calls', %s::text[])", ([],))
