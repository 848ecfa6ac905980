"""The rehearsal broker keeps the promises that the suite leans on."""

import asyncio
import struct
import time
import unittest

from broker import errors
from broker.groups import Group
from broker.log import Log
from broker.transactions import Transactions
from broker.wire import Batch, Writer, crc32c


def batch(producer=-1, epoch=-1, sequence=-1, times=(5,), transactional=False):
    records = bytearray()
    for index, when in enumerate(times):
        body = Writer().i8(0).varint((when - times[0]) * 2).varint(index * 2).varint(1).varint(2)
        body.parts += b"v"
        body.varint(0)
        records += Writer().varint(len(body.parts) * 2).parts + body.parts
    head = struct.pack(
        ">hiqqqhii", 0x10 if transactional else 0, len(times) - 1, times[0], max(times), producer, epoch, sequence,
        len(times))
    body = head + bytes(records)
    after = struct.pack(">ib", 0, 2) + struct.pack(">I", crc32c(body)) + body
    return struct.pack(">qi", 0, len(after)) + after


def visible(log):
    """Offsets that a read-committed reader is handed, as a client drops what was aborted."""
    data, aborted = log.read(0, 1 << 20, log.last_stable)
    markers = {entry[0]: entry[2] for entry in log.aborted}
    return [
        found.base for found in Batch.split(data)
        if not found.is_control
        and not any(found.producer == producer and first <= found.base < markers[producer] for producer, first in aborted)]


class Transacting(unittest.TestCase):
    def setUp(self):
        self.log = Log(1 << 20)
        self.transactions = Transactions()

    def open(self, name="id"):
        error, producer, epoch = self.transactions.initialise(name, 10_000, -1, -1)
        self.assertEqual(error, errors.NONE)
        transaction, _ = self.transactions.owner(name, producer, epoch)
        self.transactions.begin(transaction)
        transaction.logs.add(self.log)
        return transaction

    def write(self, transaction, sequence=0):
        return self.log.append(batch(transaction.producer, transaction.epoch, sequence, transactional=True))[0]

    def test_the_checksum_is_crc32c(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)

    def test_an_open_transaction_hides_what_comes_behind_it(self):
        transaction = self.open()
        self.write(transaction)
        self.log.append(batch())
        self.assertEqual(visible(self.log), [])
        self.transactions.finish(transaction, committed=True)
        self.assertEqual(visible(self.log), [0, 1])

    def test_aborted_records_stay_hidden(self):
        transaction = self.open()
        self.write(transaction)
        self.log.append(batch())
        self.transactions.finish(transaction, committed=False)
        self.assertEqual(visible(self.log), [1])

    def test_a_second_owner_aborts_and_fences_the_first(self):
        first = self.open()
        self.write(first)
        epoch = first.epoch
        error, _, _ = self.transactions.initialise("id", 10_000, -1, -1)
        self.assertEqual(error, errors.CONCURRENT_TRANSACTIONS)
        error, producer, higher = self.transactions.initialise("id", 10_000, -1, -1)
        self.assertEqual(error, errors.NONE)
        self.assertGreater(higher, epoch)
        self.assertEqual(self.transactions.owner("id", producer, epoch)[1], errors.INVALID_PRODUCER_EPOCH)
        zombie = self.log.append(batch(producer, epoch, 1, transactional=True))
        self.assertEqual(zombie[0], errors.INVALID_PRODUCER_EPOCH)
        self.assertEqual(visible(self.log), [])

    def test_a_transaction_left_open_is_aborted_after_its_timeout(self):
        transaction = self.open()
        self.write(transaction)
        transaction.began = time.monotonic() - 11
        self.assertTrue(self.transactions.expire())
        self.assertEqual((visible(self.log), self.log.last_stable), ([], self.log.next))

    def test_offsets_of_a_transaction_count_from_its_commit_on(self):
        group, transaction = Group(), self.open()
        transaction.groups.add(group)
        group.pending[transaction.producer] = {("t", 0): (7, "")}
        self.assertTrue(group.is_unstable(("t", 0)))
        self.transactions.finish(transaction, committed=True)
        self.assertEqual(group.offsets, {("t", 0): (7, "")})

    def test_offsets_of_an_aborted_transaction_never_count(self):
        group, transaction = Group(), self.open()
        transaction.groups.add(group)
        group.pending[transaction.producer] = {("t", 0): (7, "")}
        self.transactions.finish(transaction, committed=False)
        self.assertEqual((group.offsets, group.is_unstable(("t", 0))), ({}, False))


class Logging(unittest.TestCase):
    def test_a_repeated_batch_is_written_once(self):
        log = Log(1 << 20)
        self.assertEqual(log.append(batch(1, 0, 0)), (errors.NONE, 0))
        self.assertEqual(log.append(batch(1, 0, 0)), (errors.NONE, 0))
        self.assertEqual(log.append(batch(1, 0, 2))[0], errors.OUT_OF_ORDER_SEQUENCE_NUMBER)
        self.assertEqual(log.next, 1)

    def test_an_offset_is_found_by_time(self):
        log = Log(1 << 20)
        log.append(batch(times=(10, 20, 30)))
        self.assertEqual([log.find(time)[1] for time in (5, 15, 30, 31)], [0, 1, 2, -1])


    def test_the_oldest_batches_are_dropped_when_it_is_full(self):
        size = len(batch())
        log = Log(1 << 20, retention_bytes=10 * size)
        for _ in range(100):
            log.append(batch())
        self.assertEqual(log.next, 100)
        self.assertGreater(log.start, 85)
        self.assertEqual(Batch.split(log.read(log.start, 1 << 20, log.next)[0]).__next__().base, log.start)


class Grouping(unittest.IsolatedAsyncioTestCase):
    protocols = [("range", b"")]

    async def join(self, group, instance, member=""):
        return await group.join(member, instance, 6_000, 10_000, self.protocols)

    async def test_a_static_member_comes_back_without_a_rebalance(self):
        group = Group()
        first = await self.join(group, "a")
        await group.sync(first.member, first.generation, "a", [(first.member, b"all")])
        again = await self.join(group, "a")
        self.assertEqual((again.error, again.generation), (errors.NONE, first.generation))
        self.assertNotEqual(again.leader, again.member)
        self.assertEqual(await group.sync(again.member, again.generation, "a", []), (errors.NONE, b"all"))
        self.assertEqual(group.check_commit(first.member, first.generation, "a"), errors.FENCED_INSTANCE_ID)

    async def test_a_second_member_raises_the_generation(self):
        group = Group()
        first = await self.join(group, "a")
        await group.sync(first.member, first.generation, "a", [])
        second = asyncio.create_task(self.join(group, "b"))
        await asyncio.sleep(0)
        self.assertEqual(group.heartbeat(first.member, first.generation, "a"), errors.REBALANCE_IN_PROGRESS)
        back = await self.join(group, "a", first.member)
        self.assertEqual((await second).generation, back.generation)
        self.assertEqual(group.check_commit(first.member, first.generation, "a"), errors.ILLEGAL_GENERATION)

    async def test_a_silent_member_is_removed(self):
        group = Group()
        first = await self.join(group, "a")
        await group.sync(first.member, first.generation, "a", [])
        group.members[first.member].seen = time.monotonic() - 7
        group.expire()
        self.assertEqual(group.check_commit(first.member, first.generation, "a"), errors.UNKNOWN_MEMBER_ID)


if __name__ == "__main__":
    unittest.main()
