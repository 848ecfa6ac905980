"""The log of one partition: batches, producer sequences, open and aborted transactions."""

import bisect
import time

from .errors import (
    DUPLICATE_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, MESSAGE_TOO_LARGE, NONE, OUT_OF_ORDER_SEQUENCE_NUMBER)
from .wire import Batch


class ProducerState:
    """What a partition knows of a producer: its epoch and its last five batches."""

    def __init__(self, epoch):
        self.epoch = epoch
        self.batches = []  # (first sequence, last sequence, base offset)


class Log:
    def __init__(self, bytes_max, retention_bytes=None):
        self.bytes_max = bytes_max
        self.retention_bytes = retention_bytes
        self.size = 0
        self.batches = []
        self.bases = []
        self.start = 0
        self.next = 0
        self.producers = {}
        self.open = {}  # producer id: first offset of its transaction
        self.aborted = []  # (producer id, first offset, offset of the marker)

    @property
    def last_stable(self):
        return min(self.open.values(), default=self.next)

    def append(self, data):
        """Appends batches as one produce request brought them: an error code and the base offset."""
        base = -1
        for batch in Batch.split(data):
            if len(batch.data) > self.bytes_max:
                return MESSAGE_TOO_LARGE, -1
            if batch.producer >= 0:
                error, before = self._check(batch)
                if error == DUPLICATE_SEQUENCE_NUMBER:
                    base = before if base < 0 else base
                    continue
                if error != NONE:
                    return error, -1
            placed = self._place(batch)
            base = placed if base < 0 else base
            if batch.producer >= 0:
                state = self.producers[batch.producer]
                state.batches = [*state.batches, (batch.sequence, batch.sequence + batch.last_delta, placed)][-5:]
            if batch.is_transactional:
                self.open.setdefault(batch.producer, placed)
        return NONE, base

    def _check(self, batch):
        state = self.producers.get(batch.producer)
        if state is None or batch.epoch > state.epoch:
            if state is not None and batch.sequence != 0:
                return OUT_OF_ORDER_SEQUENCE_NUMBER, -1
            self.producers[batch.producer] = ProducerState(batch.epoch)
            return NONE, -1
        if batch.epoch < state.epoch:
            return INVALID_PRODUCER_EPOCH, -1
        for first, last, base in state.batches:
            if batch.sequence == first and batch.sequence + batch.last_delta == last:
                return DUPLICATE_SEQUENCE_NUMBER, base
        expected = state.batches[-1][1] + 1 if state.batches else 0
        return (NONE if batch.sequence == expected else OUT_OF_ORDER_SEQUENCE_NUMBER), -1

    def _place(self, batch):
        batch.place(self.next)
        self.batches.append(batch)
        self.bases.append(batch.base)
        self.next = batch.last + 1
        self.size += len(batch.data)
        if self.retention_bytes is not None and self.size > self.retention_bytes + (self.retention_bytes >> 3):
            self._trim()
        return batch.base

    def _trim(self):
        """Drops the oldest batches, but nothing of an open transaction."""
        count = 0
        while self.size > self.retention_bytes and self.batches[count].last < self.last_stable:
            self.size -= len(self.batches[count].data)
            count += 1
        if count:
            self.start = self.batches[count].base if count < len(self.batches) else self.next
            del self.batches[:count], self.bases[:count]
            self.aborted = [entry for entry in self.aborted if entry[2] >= self.start]

    def end_transaction(self, producer, epoch, committed):
        """Writes the marker. A producer of an earlier epoch is refused from here on."""
        marker = self._place(Batch.marker(producer, epoch, committed, int(time.time() * 1000)))
        state = self.producers.setdefault(producer, ProducerState(epoch))
        if epoch > state.epoch:
            self.producers[producer] = ProducerState(epoch)
        first = self.open.pop(producer, None)
        if first is not None and not committed:
            self.aborted.append((producer, first, marker))

    def read(self, offset, bytes_max, end):
        """Whole batches from the one that holds `offset` up to `end`; at least one where there is one."""
        found = bytearray()
        index = max(0, bisect.bisect_right(self.bases, offset) - 1)
        last = offset
        while index < len(self.batches):
            batch = self.batches[index]
            if batch.base >= end or (found and len(found) + len(batch.data) > bytes_max):
                break
            if batch.last >= offset:
                found += batch.data
                last = batch.last
            index += 1
        aborted = [(producer, first) for producer, first, marker in self.aborted if marker >= offset and first <= last]
        return bytes(found), aborted

    def find(self, time):
        """Timestamp and offset of the first record at `time` or later; -1 where there is none."""
        for batch in self.batches:
            if not batch.is_control and batch.max_time >= time:
                return batch.max_time, batch.offset_at(time)
        return -1, -1
