"""What clients of topics did, and what was there in the end.

A history is a list of transactions, each with what it sent and read and with
its outcome: "ok", if the server said that it committed; "failed", if it cannot
have; "unknown", if the connection was lost while COMMIT was on its way. Times
are all of one clock that does not go back. A partition is named
"topic:number". A record is known by its value, which only a producer that numbers
its batches sends again: in the same transaction of the history, whose epoch is that
of the last attempt.
"""

import dataclasses
import json
from typing import Optional


@dataclasses.dataclass
class Send:
    """A record that was sent."""
    partition: str
    value: str
    offset: Optional[int] = None    # None: the answer never came, nor
    start: float = 0                # did it if end is None
    end: Optional[float] = None
    key: Optional[str] = None
    undone: bool = False            # by ROLLBACK TO SAVEPOINT


@dataclasses.dataclass
class Read:
    """Records that were read from a partition: [offset, value]."""
    partition: str
    records: list
    position: Optional[int] = None  # read from here on, if the reader said so
    end: float = 0
    undone: bool = False


@dataclasses.dataclass
class Transaction:
    process: str
    reader: Optional[str] = None    # a group; or who reads on without a group
    epoch: int = 0                  # how often records may have been lost so far
    start: float = 0
    commit_start: Optional[float] = None    # None: it was not to be committed
    end: float = 0
    outcome: str = 'failed'
    sends: list = dataclasses.field(default_factory=list)
    reads: list = dataclasses.field(default_factory=list)

    def sent(self):
        """What counts if it is committed."""
        return [send for send in self.sends if not send.undone]


@dataclasses.dataclass
class History:
    transactions: list = dataclasses.field(default_factory=list)
    groups: list = dataclasses.field(default_factory=list)
    compacted: list = dataclasses.field(default_factory=list)   # topics
    may_lose: bool = False      # each epoch's end may lose what was acknowledged
    failures: list = dataclasses.field(default_factory=list)    # what nobody should meet
    counts: dict = dataclasses.field(default_factory=dict)

    # In the end: of each partition the records, [offset, value]; of each group
    # and partition the records in its sink, in the order of its transactions,
    # and the committed offset.
    log: dict = dataclasses.field(default_factory=dict)
    sinks: dict = dataclasses.field(default_factory=dict)
    committed: dict = dataclasses.field(default_factory=dict)

    def dump(self, file):
        json.dump(dataclasses.asdict(self), file)


def load(file):
    history = History(**json.load(file))
    history.transactions = [Transaction(**transaction) for transaction in history.transactions]
    for transaction in history.transactions:
        transaction.sends = [Send(**send) for send in transaction.sends]
        transaction.reads = [Read(**read) for read in transaction.reads]
    return history
