#!/usr/bin/python3
"""Finds in a history what must not be there.

    checker.py FILE

prints the anomalies of a history that run.py has kept. Their names are those
of Jepsen's workload for Kafka, where it has one:

lost-write              an acknowledged record is not in the log
duplicate               a record is in the log, or in the sink of a group, twice
aborted-read            (G1a) a record is there, or was read, that was rolled back
precommitted-read       a record was read before its transaction began to commit
inconsistent-offsets    two records at one offset, or one at two
nonmonotonic-poll       a reader was given offsets that go back
poll-skip               a reader was given a later record, and not this one
unseen                  a reader who came to the end never was given a record
nonmonotonic-send       a send that began after another one had ended has a
                        lower offset
torn-transaction        some of a transaction's records are there, others not
committed-offset        a group's committed offset is not where its sink ends
unknown-record          nobody sent what was read
failure                 a client met an error that it should not, or got stuck

Where acknowledged records may be lost at the end of an epoch (history.may_lose),
these must be the last ones: none that was acknowledged before another one, which
is there, began to commit. They are counted.
"""

import bisect
import collections
import sys

import history as history_module


class Checker:
    def __init__(self, history):
        self.history = history
        self.anomalies = collections.defaultdict(list)
        self.lost = 0
        self.last_epoch = max((t.epoch for t in history.transactions), default=0)
        self.writes = {}            # value: (transaction, send)
        for transaction in history.transactions:
            for send in transaction.sends:
                self.writes[send.value] = transaction, send
        self.log_offsets = {partition: [offset for offset, _ in records]
                            for partition, records in history.log.items()}
        self.places = {}            # in the log, of a value
        for partition, records in history.log.items():
            for offset, value in records:
                self.places.setdefault(value, set()).add((partition, offset))

    def found(self, anomaly, what):
        self.anomalies[anomaly].append(what)

    def check(self):
        """All anomalies: name: [description]."""
        self.check_log()
        self.check_transactions()
        self.check_reads()
        self.check_offsets()
        self.check_order_of_sends()
        self.check_followers()
        self.check_polls()
        for group in self.history.groups:
            self.check_sink(group)
        for failure in self.history.failures:
            self.found('failure', failure)
        return dict(self.anomalies)

    def is_compacted(self, partition):
        return partition.rsplit(':', 1)[0] in self.history.compacted

    def is_forgotten(self, transaction, value):
        """May what this transaction knows of a record have gone meanwhile?

        It may have come again, if its producer has sent it again since.
        """
        return self.history.may_lose and transaction.epoch < self.last_epoch \
            and (value not in self.places or self.writes[value][0].epoch > transaction.epoch)

    # The log

    def check_log(self):
        for partition, records in self.history.log.items():
            for offset, value in records:
                self.check_record(value, f'in the log at {partition} {offset}')
        for value, places in self.places.items():
            if len(places) > 1:
                self.found('duplicate', f'{value} at {sorted(places)}')

    def check_record(self, value, where):
        """Is this a record that may be there?"""
        if value not in self.writes:
            self.found('unknown-record', f'{value} {where}')
            return
        transaction, send = self.writes[value]
        if send.undone or transaction.outcome == 'failed':
            self.found('aborted-read', f'{value} of {transaction.process} {where}')

    def superseded(self):
        """Values that compaction may take: a later one of the key is there."""
        latest = {}
        for value, (transaction, send) in self.writes.items():
            if not self.is_compacted(send.partition) or send.undone:
                continue
            if transaction.outcome != 'ok' and value not in self.places:
                continue
            offset = max((offset for _, offset in self.places.get(value, ())),
                         default=send.offset)
            latest.setdefault((send.partition, send.key), []).append((offset, value))
        return {value for versions in latest.values()
                for _, value in sorted(versions)[:-1]}

    def check_transactions(self):
        superseded = self.superseded()
        lost = []
        for transaction in self.history.transactions:
            values = [send.value for send in transaction.sent()
                      if not self.is_compacted(send.partition)]
            missing = [value for value in values if value not in self.places]
            if transaction.outcome != 'failed' and 0 < len(missing) < len(values):
                self.found('torn-transaction',
                           f'of {len(values)} records of {transaction.process}, {missing[0]} '
                           f'and {len(missing) - 1} others are missing')
            missing += [send.value for send in transaction.sent()
                        if self.is_compacted(send.partition)
                        and send.value not in self.places and send.value not in superseded]
            if transaction.outcome != 'ok' or not missing:
                continue
            if self.is_forgotten(transaction, missing[0]):
                lost.append(transaction)
                self.lost += len(missing)
                continue
            for value in missing:
                _, send = self.writes[value]
                self.found('lost-write', f'{value} at {send.partition} {send.offset}')
        self.check_only_the_last_are_lost(lost)

    def check_only_the_last_are_lost(self, lost):
        """Nothing is lost that was acknowledged before what is there began to commit."""
        first = {}          # of each epoch, the one that was acknowledged first
        for transaction in lost:
            epoch = transaction.epoch
            if epoch not in first or transaction.end < first[epoch].end:
                first[epoch] = transaction
        for transaction in self.history.transactions:
            before = first.get(transaction.epoch)
            if (before and transaction.commit_start is not None
                    and transaction.commit_start > before.end
                    and any(send.value in self.places for send in transaction.sent())):
                self.found('lost-write', f'{before.sent()[0].value} was acknowledged before '
                           f'{transaction.sent()[0].value}, which is there')

    # What was read

    def check_reads(self):
        for reader, read, _, value in self.all_read():
            where = f'read by {reader.process}'
            writer, send = self.writes.get(value, (None, None))
            if writer is reader and not send.undone:
                continue
            self.check_record(value, where)
            if writer and writer.commit_start is not None and read.end < writer.commit_start:
                self.found('precommitted-read', f'{value} of {writer.process} {where}')
            if writer and writer.outcome != 'failed' and value not in self.places \
                    and not self.is_forgotten(reader, value) \
                    and not self.is_compacted(send.partition):
                self.found('lost-write', f'{value} {where}')

    def all_read(self):
        for transaction in self.history.transactions:
            for read in transaction.reads:
                for offset, value in read.records:
                    yield transaction, read, offset, value

    def check_offsets(self):
        """Each offset is one record's, and each record has one offset."""
        observed = []
        for transaction in self.history.transactions:
            if transaction.outcome == 'ok':
                observed += [(transaction, send.partition, send.offset, send.value)
                             for send in transaction.sent() if send.offset is not None]
        for transaction, read, offset, value in self.all_read():
            writer, _ = self.writes.get(value, (None, None))
            if writer is not transaction:
                observed.append((transaction, read.partition, offset, value))

        values = collections.defaultdict(set)
        places = collections.defaultdict(set)
        for partition, records in self.history.log.items():
            for offset, value in records:
                values[partition, offset].add(value)
        for transaction, partition, offset, value in observed:
            if not self.is_forgotten(transaction, value):
                values[partition, offset].add(value)
                places[value].add((partition, offset))
        for place, different in values.items():
            if len(different) > 1:
                self.found('inconsistent-offsets', f'{sorted(different)} at {place}')
        for value, different in places.items():
            if len(different | self.places.get(value, set())) > 1 \
                    and len(self.places.get(value, ())) < 2:
                self.found('inconsistent-offsets', f'{value} at {sorted(different)}')

    # Order

    def check_order_of_sends(self):
        for partition, records in self.history.log.items():
            latest = None           # of the sends so far, the one that began last
            for _, value in records:
                _, send = self.writes.get(value, (None, None))
                if not send:
                    continue
                if latest and send.end is not None and send.end < latest.start:
                    self.found('nonmonotonic-send',
                               f'{value} was sent before {latest.value}, at {partition}')
                if not latest or send.start > latest.start:
                    latest = send

    def between(self, partition, first, end, epoch):
        """Records of the log from first up to end, but for later epochs'."""
        offsets = self.log_offsets.get(partition, [])
        for n in range(bisect.bisect_left(offsets, first), bisect.bisect_left(offsets, end)):
            value = self.history.log[partition][n][1]
            writer, _ = self.writes.get(value, (None, None))
            if not writer or writer.epoch <= epoch:
                yield offsets[n], value

    def check_run(self, reader, partition, position, records, epoch):
        """These were read one after the other; returns where that ends.

        Nothing is between two of them, nor between the position, if any, and
        the first.
        """
        for offset, value in records:
            if position is not None and offset < position:
                self.found('nonmonotonic-poll', f'{value} at {partition} {offset}, '
                           f'after {position - 1}, read by {reader}')
            elif position is not None:
                for skipped, missed in self.between(partition, position, offset, epoch):
                    self.found('poll-skip', f'{missed} at {partition} {skipped}, read by {reader}')
            position = offset + 1
        return position

    def check_followers(self):
        """Those who read on without a group."""
        positions = {}
        epochs = {}
        for transaction in self.history.transactions:
            reader = transaction.reader
            if not reader or reader in self.history.groups:
                continue
            epochs[reader] = transaction.epoch
            for read in transaction.reads:
                place = reader, read.partition
                position = positions.get(place, 0)
                if read.position is not None and read.position != position:
                    self.found('failure', f'{reader} read {read.partition} from '
                               f'{read.position}, not {position}')
                positions[place] = self.check_run(reader, read.partition, position,
                                                  read.records, transaction.epoch)
        for (reader, partition), position in positions.items():
            if epochs[reader] == self.last_epoch:
                for offset, value in self.between(partition, position, float('inf'),
                                                  self.last_epoch):
                    self.found('unseen', f'{value} at {partition} {offset} by {reader}')

    def check_polls(self):
        """What a transaction got for its group goes on where it stopped."""
        for transaction in self.history.transactions:
            if transaction.reader not in self.history.groups:
                continue
            positions = {}
            for read in transaction.reads:
                end = self.check_run(transaction.process, read.partition,
                                     positions.get(read.partition), read.records,
                                     transaction.epoch)
                if not read.undone:
                    positions[read.partition] = end

    # Exactly once

    def check_sink(self, group):
        sink = self.history.sinks.get(group, {})
        for partition in sorted(set(self.history.log) | set(sink)):
            records = sink.get(partition, [])
            where = f'in the sink of {group}'
            in_sink = collections.Counter((offset, value) for offset, value in records)
            for (offset, value), count in in_sink.items():
                self.check_record(value, where)
                if count > 1:
                    self.found('duplicate', f'{value} at {partition} {offset} {where}')
                if not self.is_compacted(partition) and value in self.writes \
                        and (partition, offset) not in self.places.get(value, ()):
                    self.found('lost-write', f'{value} at {partition} {offset}: only {where}')
            self.check_run(f'{group}, as its sink says', partition, 0, records, self.last_epoch)
            for offset, value in self.history.log.get(partition, []):
                if (offset, value) not in in_sink:
                    self.found('unseen', f'{value} at {partition} {offset} {where}')
            end = max((offset + 1 for offset, _ in records), default=0)
            committed = self.history.committed.get(group, {}).get(partition) or 0
            if committed != end:
                self.found('committed-offset',
                           f'{partition}: {group} is at {committed}, its sink ends at {end}')


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        checker = Checker(history_module.load(file))
    for anomaly, descriptions in sorted(checker.check().items()):
        print(f'{anomaly}: {len(descriptions)}')
        for description in descriptions[:10]:
            print(f'    {description}')
    sys.exit(1 if checker.anomalies else 0)


if __name__ == '__main__':
    main()
