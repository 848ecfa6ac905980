"""The transaction coordinator: producer ids, epochs, fencing, and the end of transactions."""

import time

from .errors import (
    CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_TRANSACTION_STATE,
    INVALID_TRANSACTION_TIMEOUT, NONE, PRODUCER_FENCED)

EMPTY, ONGOING, COMMITTED, ABORTED = "empty", "ongoing", "committed", "aborted"


class Transaction:
    def __init__(self, producer, timeout):
        self.producer = producer
        self.epoch = -1
        self.timeout = timeout
        self.state = EMPTY
        self.logs = set()
        self.groups = set()
        self.began = 0.0


class Transactions:
    def __init__(self):
        self.by_id = {}
        self.next_producer = 1000
        self.counts = {"committed": 0, "aborted": 0, "fenced": 0, "timed out": 0}

    def new_producer(self):
        self.next_producer += 1
        return self.next_producer

    def initialise(self, identifier, timeout, producer, epoch):
        """An error code, producer id and epoch. Whoever held the id before is fenced by the higher epoch."""
        if identifier is None:
            return NONE, self.new_producer(), 0
        if not 0 < timeout <= 900_000:
            return INVALID_TRANSACTION_TIMEOUT, -1, -1
        transaction = self.by_id.get(identifier)
        if transaction is None:
            transaction = self.by_id[identifier] = Transaction(self.new_producer(), timeout)
        elif producer >= 0 and (producer, epoch) != (transaction.producer, transaction.epoch):
            return PRODUCER_FENCED, -1, -1
        transaction.timeout = timeout
        if transaction.state == ONGOING:
            # As a real coordinator: the old owner is fenced, its transaction aborted, the caller asks again.
            transaction.epoch += 1
            self.counts["fenced"] += 1
            self.end(transaction, committed=False)
            return CONCURRENT_TRANSACTIONS, -1, -1
        transaction.epoch += 1
        transaction.state = EMPTY
        return NONE, transaction.producer, transaction.epoch

    def owner(self, identifier, producer, epoch):
        """The transaction and an error code, as the caller names itself."""
        transaction = self.by_id.get(identifier)
        if transaction is None or transaction.producer != producer:
            return None, INVALID_PRODUCER_ID_MAPPING
        if transaction.epoch != epoch:
            return None, INVALID_PRODUCER_EPOCH
        return transaction, NONE

    def begin(self, transaction):
        if transaction.state != ONGOING:
            transaction.state = ONGOING
            transaction.began = time.monotonic()

    def finish(self, transaction, committed):
        """What a client's EndTxn answers."""
        if transaction.state == ONGOING:
            self.end(transaction, committed)
            return NONE
        return NONE if transaction.state == (COMMITTED if committed else ABORTED) else INVALID_TRANSACTION_STATE

    def end(self, transaction, committed):
        for log in transaction.logs:
            log.end_transaction(transaction.producer, transaction.epoch, committed)
        for group in transaction.groups:
            group.end_transaction(transaction.producer, committed)
        transaction.logs.clear()
        transaction.groups.clear()
        transaction.state = COMMITTED if committed else ABORTED
        self.counts["committed" if committed else "aborted"] += 1

    def expire(self):
        """Aborts what is open for too long; true where something was."""
        now = time.monotonic()
        late = [
            transaction for transaction in self.by_id.values()
            if transaction.state == ONGOING and now - transaction.began > transaction.timeout / 1000]
        for transaction in late:
            transaction.epoch += 1
            self.counts["timed out"] += 1
            self.end(transaction, committed=False)
        return bool(late)
