#!/usr/bin/python3
"""The checker finds each anomaly in a history that has it, and nothing else.

Each test is a history, sound but for one thing.
"""

import io
import unittest

from checker import Checker
from history import History, Read, Send, Transaction, load

P = 'topic:0'


class Story:
    """Makes a history; each operation is later than the one before."""

    def __init__(self, **options):
        self.history = History(groups=['group'], log={P: []}, sinks={'group': {P: []}},
                               committed={'group': {P: 0}}, **options)
        self.now = 0

    def tick(self):
        self.now += 1
        return self.now

    def begin(self, process='producer', reader=None, epoch=0):
        transaction = Transaction(process, reader, epoch, self.tick())
        self.history.transactions.append(transaction)
        return transaction

    def send(self, transaction, value, offset, **options):
        send = Send(P, value, offset, self.tick(), self.tick(), **options)
        transaction.sends.append(send)

    def end(self, transaction, outcome='ok'):
        if outcome != 'failed':
            transaction.commit_start = self.tick()
        transaction.end = self.tick()
        transaction.outcome = outcome

    def produce(self, value, offset, outcome='ok', process='producer', epoch=0, **options):
        transaction = self.begin(process, epoch=epoch)
        self.send(transaction, value, offset, **options)
        self.end(transaction, outcome)
        return transaction

    def read(self, transaction, records, **options):
        transaction.reads.append(Read(P, [list(record) for record in records],
                                      end=self.tick(), **options))

    def follow(self, *records, position=None, epoch=0, process='follower'):
        transaction = self.begin(process, process, epoch)
        self.read(transaction, records, position=position)
        self.end(transaction)

    def consume(self, *records, outcome='ok', **options):
        transaction = self.begin('consumer', 'group')
        self.read(transaction, records, **options)
        self.end(transaction, outcome)
        return transaction

    def finish(self, log, sink=None, committed=None):
        sink = log if sink is None else sink
        self.history.log[P] = [list(record) for record in log]
        self.history.sinks['group'][P] = [list(record) for record in sink]
        if committed is None:
            committed = max((offset + 1 for offset, _ in sink), default=0)
        self.history.committed['group'][P] = committed


class TestChecker(unittest.TestCase):
    def expect(self, story, *anomalies):
        self.assertEqual(sorted(Checker(story.history).check()), sorted(anomalies))

    def test_sound(self):
        """Rollbacks, gaps, offsets given again, one's own records, unknown outcomes."""
        story = Story()
        story.produce('a', 0)
        story.produce('b', 1, 'failed')
        story.produce('c', 1)                           # VACUUM took b away
        own = story.begin()
        story.send(own, 'd', 2)
        story.send(own, 'e', 3, undone=True)
        story.read(own, [(2, 'd')])
        story.end(own)
        story.produce('f', 4, 'unknown')
        story.produce('g', 4, 'unknown')
        story.follow((0, 'a'), position=0)
        story.follow((1, 'c'), (2, 'd'), position=1)
        story.consume((0, 'a'), (1, 'c'), outcome='failed')
        taken = story.consume((0, 'a'))
        story.read(taken, [(1, 'c')], undone=True)
        story.read(taken, [(1, 'c'), (2, 'd')])
        story.follow((4, 'g'), position=3)
        story.finish([(0, 'a'), (1, 'c'), (2, 'd'), (4, 'g')])
        self.expect(story)

    def test_lost_write(self):
        story = Story()
        story.produce('a', 0)
        story.produce('b', 1)
        story.finish([(0, 'a')])
        self.expect(story, 'lost-write')

    def test_lost_after_it_was_read(self):
        story = Story()
        story.produce('a', 0, 'unknown')
        story.follow((0, 'a'))
        story.finish([])
        self.expect(story, 'lost-write')

    def test_lost_but_for_the_sink(self):
        story = Story()
        story.produce('a', 0, 'unknown')
        story.finish([], sink=[(0, 'a')])
        self.expect(story, 'lost-write')

    def test_duplicate_in_the_log(self):
        story = Story()
        story.produce('a', 0)
        story.finish([(0, 'a'), (1, 'a')])
        self.expect(story, 'duplicate')

    def test_duplicate_in_a_sink(self):
        story = Story()
        story.produce('a', 0)
        story.finish([(0, 'a')], sink=[(0, 'a'), (0, 'a')])
        self.expect(story, 'duplicate', 'nonmonotonic-poll')

    def test_aborted_read(self):
        story = Story()
        story.produce('a', 0, 'failed')
        story.follow((0, 'a'))
        story.finish([])
        self.expect(story, 'aborted-read')

    def test_aborted_to_a_savepoint(self):
        story = Story()
        story.produce('a', 0, undone=True)
        story.finish([(0, 'a')])
        self.expect(story, 'aborted-read')

    def test_aborted_in_a_sink(self):
        story = Story()
        story.produce('a', 0, 'failed')
        story.produce('b', 0)
        story.finish([(0, 'b')], sink=[(0, 'a'), (0, 'b')])
        self.expect(story, 'aborted-read', 'lost-write', 'nonmonotonic-poll')

    def test_precommitted_read(self):
        story = Story()
        open_one = story.begin()
        story.send(open_one, 'a', 0)
        story.follow((0, 'a'))
        story.end(open_one)
        story.finish([(0, 'a')])
        self.expect(story, 'precommitted-read')

    def test_two_records_at_an_offset(self):
        story = Story()
        story.produce('a', 0)
        story.produce('b', 0, process='another producer')
        story.produce('c', 1)
        story.finish([(0, 'a'), (1, 'c')])
        self.expect(story, 'inconsistent-offsets', 'lost-write')

    def test_another_offset_than_acknowledged(self):
        story = Story()
        story.produce('a', 0)
        story.finish([(1, 'a')])
        self.expect(story, 'inconsistent-offsets')

    def test_nonmonotonic_poll(self):
        story = Story()
        for n, value in enumerate('abc'):
            story.produce(value, n)
        story.consume((0, 'a'), (2, 'c'), (1, 'b'))
        story.finish([(0, 'a'), (1, 'b'), (2, 'c')])
        self.expect(story, 'nonmonotonic-poll', 'poll-skip')

    def test_nonmonotonic_poll_from_one_to_the_next(self):
        story = Story()
        story.produce('a', 0)
        story.follow((0, 'a'))
        story.follow((0, 'a'))
        story.finish([(0, 'a')])
        self.expect(story, 'nonmonotonic-poll')

    def test_poll_skip(self):
        story = Story()
        for n, value in enumerate('abc'):
            story.produce(value, n)
        story.follow((0, 'a'))
        story.follow((2, 'c'))
        story.finish([(0, 'a'), (1, 'b'), (2, 'c')])
        self.expect(story, 'poll-skip')

    def test_poll_skip_in_a_transaction(self):
        story = Story()
        for n, value in enumerate('abc'):
            story.produce(value, n)
        story.consume((0, 'a'), (2, 'c'), outcome='failed')
        story.finish([(0, 'a'), (1, 'b'), (2, 'c')])
        self.expect(story, 'poll-skip')

    def test_unseen_by_a_group(self):
        story = Story()
        story.produce('a', 0)
        story.produce('b', 1)
        story.finish([(0, 'a'), (1, 'b')], sink=[(0, 'a')], committed=1)
        self.expect(story, 'unseen')

    def test_unseen_by_a_follower(self):
        story = Story()
        story.produce('a', 0)
        story.produce('b', 1)
        story.follow((0, 'a'))
        story.finish([(0, 'a'), (1, 'b')])
        self.expect(story, 'unseen')

    def test_nonmonotonic_send(self):
        story = Story()
        story.produce('a', 1)
        story.produce('b', 0)
        story.finish([(0, 'b'), (1, 'a')])
        self.expect(story, 'nonmonotonic-send')

    def test_sends_at_the_same_time(self):
        """Whose offset is lower is then not said."""
        story = Story()
        first = story.begin()
        story.send(first, 'a', 1)
        second = story.produce('b', 0, process='another producer')
        first.sends[0].end = second.sends[0].end + 0.5
        story.end(first)
        story.finish([(0, 'b'), (1, 'a')])
        self.expect(story)

    def test_torn_transaction(self):
        story = Story()
        transaction = story.begin()
        story.send(transaction, 'a', 0)
        story.send(transaction, 'b', 1)
        story.end(transaction, 'unknown')
        story.finish([(0, 'a')])
        self.expect(story, 'torn-transaction')

    def test_committed_offset(self):
        story = Story()
        story.produce('a', 0)
        story.finish([(0, 'a')], committed=2)
        self.expect(story, 'committed-offset')

    def test_unknown_record(self):
        story = Story()
        story.finish([(0, 'a')])
        self.expect(story, 'unknown-record')

    def test_failure(self):
        story = Story(failures=['XX000'])
        story.finish([])
        self.expect(story, 'failure')

    # Promotions

    def promotion(self, may_lose):
        """The last of three records is lost, its offset given to another one."""
        story = Story(may_lose=may_lose)
        for n, value in enumerate('abc'):
            story.produce(value, n)
        story.follow((0, 'a'), (1, 'b'), (2, 'c'), process='before')
        story.produce('d', 2, epoch=1)
        story.follow((0, 'a'), (1, 'b'), (2, 'd'), process='after', epoch=1)
        return story

    def test_what_may_be_lost(self):
        story = self.promotion(may_lose=True)
        story.finish([(0, 'a'), (1, 'b'), (2, 'd')])
        self.expect(story)
        checker = Checker(story.history)
        checker.check()
        self.assertEqual(checker.lost, 1)

    def test_lost_and_sent_again(self):
        story = self.promotion(may_lose=True)
        for transaction in story.history.transactions:
            for send in transaction.sends:
                if send.value == 'c':
                    transaction.epoch, send.offset, send.end = 1, 3, story.tick()
        story.history.transactions[-1].reads[0].records.append([3, 'c'])
        story.finish([(0, 'a'), (1, 'b'), (2, 'd'), (3, 'c')])
        self.expect(story)

    def test_what_may_not_be_lost(self):
        story = self.promotion(may_lose=False)
        story.finish([(0, 'a'), (1, 'b'), (2, 'd')])
        self.expect(story, 'lost-write', 'inconsistent-offsets')

    def test_only_the_last_may_be_lost(self):
        story = self.promotion(may_lose=True)
        story.history.transactions[-1].reads[0].records = [[0, 'a'], [2, 'd']]
        story.finish([(0, 'a'), (2, 'd')])      # b and c are lost: that may be
        self.expect(story)
        story.finish([(1, 'b'), (2, 'd')])      # a is lost, and b is not
        story.history.transactions[-1].reads[0].records = [[1, 'b'], [2, 'd']]
        self.expect(story, 'lost-write')

    # Compaction

    def compaction(self):
        story = Story(compacted=['topic'])
        for n, value in enumerate('abc'):
            story.produce(value, n, key='k' if value in 'ab' else 'l')
        return story

    def test_compacted(self):
        story = self.compaction()
        story.finish([(1, 'b'), (2, 'c')], sink=[(0, 'a'), (1, 'b'), (2, 'c')])
        self.expect(story)

    def test_compacted_too_much(self):
        story = self.compaction()
        story.finish([(0, 'a'), (2, 'c')])
        self.expect(story, 'lost-write')

    # Histories in files

    def test_file(self):
        story = self.promotion(may_lose=False)
        story.finish([(0, 'a'), (1, 'b'), (2, 'd')])
        file = io.StringIO()
        story.history.dump(file)
        file.seek(0)
        self.assertEqual(load(file), story.history)


if __name__ == '__main__':
    unittest.main()
