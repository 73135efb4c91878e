#!/usr/bin/python3
"""An ORM: examples/python/sqlalchemy_records.py, and what it refuses.

Connects by the environment to a database that has the extension, and prints TAP.
"""
import os
import sys

try:
    import sqlalchemy
    from sqlalchemy.orm import Session
except ImportError:
    print("1..0 # SKIP there is no SQLAlchemy here")
    sys.exit(0)

sys.dont_write_bytecode = True
directory = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(directory, ".."), os.path.join(directory, "../../examples/python")]
from sqlalchemy_records import Flight
from tap import check, finish


def refused(session):
    """The SQLSTATE of what the session has to write."""
    try:
        session.commit()
    except sqlalchemy.exc.DBAPIError as error:
        session.rollback()
        return error.orig.pgcode
    return None


engine = sqlalchemy.create_engine("postgresql+psycopg2://")
with engine.begin() as connection:
    connection.exec_driver_sql(
        "SELECT topic.create_topic('flights', 4, value_format => 'json')")

with Session(engine) as session:
    first = Flight(key="AA1", value={"delay": 1})
    session.add(first)
    session.flush()
    check(first.record_offset, 0, "the offset is known when it is flushed")
    session.add_all([Flight(key=str(i), value={"delay": i}) for i in range(100)])
    session.commit()
    check(session.get(Flight, (first.partition, first.record_offset)).value, {"delay": 1},
          "a record is found by partition and offset")
    check(sorted(flight.key for flight in session.query(Flight)),
          sorted(["AA1"] + [str(i) for i in range(100)]), "all are there")

    # What a topic does not do
    first.value = {"delay": 2}
    check(refused(session), "0A000", "no UPDATE")
    session.delete(first)
    check(refused(session), "0A000", "no DELETE")
    session.add(Flight(record_offset=1000, partition=0, value={}))
    check(refused(session), "428C9", "no offset of one's own")

    # A rollback takes the records along.
    session.add(Flight(key="rolled back", value={}))
    session.flush()
    session.rollback()
    check(session.query(Flight).filter_by(key="rolled back").count(), 0, "a rollback")

finish()
