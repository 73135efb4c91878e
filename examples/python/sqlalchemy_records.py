#!/usr/bin/python3
"""A topic as a class of SQLAlchemy: each new object is a record.

Partition and offset are the record's identity, and the server's to choose, so
SQLAlchemy asks for them by RETURNING, and knows them when it has flushed.
"""
from sqlalchemy import BigInteger, Column, FetchedValue, Integer, Text, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Flight(Base):
    __tablename__ = "flights"
    __table_args__ = {"schema": "topics"}

    partition = Column(Integer, primary_key=True, server_default=FetchedValue())
    record_offset = Column(BigInteger, primary_key=True, server_default=FetchedValue())
    key = Column(Text)
    value = Column(JSONB)


if __name__ == "__main__":
    with Session(create_engine("postgresql+psycopg2://")) as session:
        flight = Flight(key="AA1", value={"flight": "AA1", "delay": 12})
        session.add(flight)
        session.flush()
        print("partition", flight.partition, "offset", flight.record_offset)
        session.commit()
