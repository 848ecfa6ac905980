"""Requests in, answers out: one asyncio server that is all brokers and coordinators at once."""

import asyncio
import random
import struct
import time

from . import errors
from .groups import COMPLETING, Group
from .log import Log
from .transactions import Transactions
from .wire import Reader, Writer

DEFAULTS = {
    "cleanup.policy": "delete", "retention.ms": "604800000", "retention.bytes": "-1", "segment.ms": "604800000",
    "segment.bytes": "1073741824", "min.cleanable.dirty.ratio": "0.5", "max.message.bytes": "1048588",
    "min.insync.replicas": "1", "message.timestamp.type": "CreateTime", "delete.retention.ms": "86400000",
    "compression.type": "producer", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "9223372036854775807",
}

# Produce, and what adds to a transaction or ends it.
TRANSACTIONAL = {0, 24, 25, 26, 28}


class Topic:
    def __init__(self, partitions, settings, retention_bytes):
        self.settings = DEFAULTS | settings
        self.own = set(settings)
        kept = retention_bytes if self.settings["cleanup.policy"] == "delete" else None
        self.logs = [Log(int(self.settings["max.message.bytes"]), kept) for _ in range(partitions)]


class Server:
    def __init__(self, host, retention_bytes=None, slowness=0.0):
        self.host = host
        # Seconds, at most, that each request of a transaction takes longer.
        self.slowness = slowness
        self.retention_bytes = retention_bytes
        self.port = 0
        self.topics = {}
        self.groups = {}
        self.transactions = Transactions()
        self.waiting = set()
        # API key: handler, lowest and highest version, first flexible version.
        self.handlers = {
            0: (self.produce, 3, 7, 9), 1: (self.fetch, 4, 4, 12), 2: (self.list_offsets, 1, 2, 6),
            3: (self.metadata, 1, 4, 9), 8: (self.offset_commit, 7, 7, 8), 9: (self.offset_fetch, 7, 7, 6),
            10: (self.find_coordinator, 1, 2, 3), 11: (self.join_group, 5, 5, 6), 12: (self.heartbeat, 3, 3, 4),
            13: (self.leave_group, 1, 1, 4), 14: (self.sync_group, 3, 3, 4), 18: (None, 0, 3, 3),
            19: (self.create_topics, 2, 4, 5), 20: (self.delete_topics, 1, 3, 4),
            22: (self.init_producer, 3, 3, 2), 24: (self.add_partitions, 0, 0, 3), 25: (self.add_offsets, 0, 0, 3),
            26: (self.end_transaction, 0, 1, 3), 28: (self.transaction_offsets, 3, 3, 3),
            32: (self.describe_configs, 1, 1, 4), 42: (self.delete_groups, 0, 1, 2),
        }

    async def start(self, port):
        server = await asyncio.start_server(self.serve, self.host, port, limit=1 << 24)
        self.port = server.sockets[0].getsockname()[1]
        asyncio.get_running_loop().create_task(self.keep_time())
        return server

    async def keep_time(self):
        while True:
            await asyncio.sleep(0.1)
            for group in self.groups.values():
                group.expire()
            if self.transactions.expire():
                self.wake()

    def wake(self):
        for future in self.waiting:
            if not future.done():
                future.set_result(None)
        self.waiting.clear()

    async def serve(self, reader, writer):
        """One connection: a request is answered before the next is looked at, as brokers do."""
        try:
            while True:
                size = struct.unpack(">i", await reader.readexactly(4))[0]
                answer = await self.answer(await reader.readexactly(size))
                if answer is not None:
                    writer.write(struct.pack(">i", len(answer)) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, frame):
        request = Reader(frame)
        key, version, correlation = request.i16(), request.i16(), request.i32()
        request.text()
        head = struct.pack(">i", correlation)
        if key == 18:
            return head + self.versions(version)
        handler, low, high, flexible = self.handlers[key]
        if not low <= version <= high:
            raise ConnectionError(f"API {key} version {version}")
        if self.slowness and key in TRANSACTIONAL:
            await asyncio.sleep(random.uniform(0, self.slowness))
        request.flexible = version >= flexible
        request.tags()
        answer = Writer(request.flexible)
        if request.flexible:
            answer.tags()
        result = handler(request, answer, version)
        if asyncio.iscoroutine(result):
            result = await result
        return None if result is False else head + bytes(answer.parts)

    def versions(self, version):
        """The header of this answer is never flexible, its body is.

        Older versions are claimed and not spoken: librdkafka takes the newest, and takes a broker without the oldest
        for one that lacks the feature.
        """
        answer = Writer(flexible=version == 3)
        answer.i16(errors.NONE if version <= 3 else errors.UNSUPPORTED_VERSION)

        def entry(key):
            answer.i16(key).i16(0).i16(self.handlers[key][2]).tags()

        answer.array(sorted(self.handlers), entry)
        if 1 <= version <= 3:
            answer.i32(0).tags()
        return bytes(answer.parts)

    def log(self, topic, partition):
        found = self.topics.get(topic)
        return found.logs[partition] if found and 0 <= partition < len(found.logs) else None

    def group(self, name):
        return self.groups.setdefault(name, Group())

    # Topics

    def metadata(self, request, answer, version):
        names = request.array(request.text)
        if version >= 3:
            answer.i32(0)
        answer.array([0], lambda _: answer.i32(1).text(self.host).i32(self.port).text(None))
        if version >= 2:
            answer.text("rehearsal")
        answer.i32(1)

        def partition(index):
            answer.i16(errors.NONE).i32(index).i32(1).array([1], answer.i32).array([1], answer.i32)

        def topic(name):
            found = self.topics.get(name)
            answer.i16(errors.NONE if found else errors.UNKNOWN_TOPIC_OR_PARTITION).text(name).i8(0)
            answer.array(range(len(found.logs)) if found else [], partition)

        answer.array(sorted(self.topics) if names is None else names, topic)

    def create_topics(self, request, answer, version):
        def wanted():
            name, partitions = request.text(), request.i32()
            request.i16()
            assigned = request.array(lambda: (request.i32(), request.array(request.i32)))
            settings = dict(request.array(lambda: (request.text(), request.text())))
            return name, partitions if partitions > 0 else len(assigned) or 1, settings

        topics = request.array(wanted)
        request.i32()
        only_check = request.i8()
        answer.i32(0)

        def result(topic):
            name, partitions, settings = topic
            error = errors.TOPIC_ALREADY_EXISTS if name in self.topics else errors.NONE
            if error == errors.NONE and not only_check:
                self.topics[name] = Topic(partitions, settings, self.retention_bytes)
            answer.text(name).i16(error).text("there is one already" if error else None)

        answer.array(topics, result)

    def delete_topics(self, request, answer, version):
        answer.i32(0)
        names = request.array(request.text)
        answer.array(
            names,
            lambda name: answer.text(name).i16(
                errors.NONE if self.topics.pop(name, None) else errors.UNKNOWN_TOPIC_OR_PARTITION))

    def describe_configs(self, request, answer, version):
        wanted = request.array(lambda: (request.i8(), request.text(), request.array(request.text)))
        answer.i32(0)

        def resource(entry):
            kind, name, keys = entry
            topic = self.topics.get(name)
            answer.i16(errors.NONE if topic else errors.UNKNOWN_TOPIC_OR_PARTITION).text(None).i8(kind).text(name)
            settings = sorted(topic.settings) if topic else []

            def setting(key):
                own = topic is not None and key in topic.own
                answer.text(key).text(topic.settings[key]).i8(0).i8(1 if own else 5).i8(0).array([], None)

            answer.array([key for key in settings if not keys or key in keys], setting)

        answer.array(wanted, resource)

    # Records

    def produce(self, request, answer, version):
        request.text()
        acknowledgements = request.i16()
        request.i32()
        topics = request.array(
            lambda: (request.text(), request.array(lambda: (request.i32(), request.blob()))))

        def topic(entry):
            name, partitions = entry

            def partition(piece):
                index, data = piece
                log = self.log(name, index)
                error, base = log.append(data) if log else (errors.UNKNOWN_TOPIC_OR_PARTITION, -1)
                answer.i32(index).i16(error).i64(base).i64(-1)
                if version >= 5:
                    answer.i64(log.start if log else -1)

            answer.text(name).array(partitions, partition)

        answer.array(topics, topic).i32(0)
        self.wake()
        return acknowledgements != 0

    async def fetch(self, request, answer, version):
        request.i32()
        wait, least, most = request.i32(), request.i32(), request.i32()
        committed_only = request.i8() == 1
        topics = request.array(
            lambda: (request.text(), request.array(lambda: (request.i32(), request.i64(), request.i32()))))
        deadline = time.monotonic() + wait / 1000
        while True:
            found, size, failed = self.collect(topics, most, committed_only)
            rest = deadline - time.monotonic()
            if size >= least or failed or rest <= 0:
                break
            future = asyncio.get_running_loop().create_future()
            self.waiting.add(future)
            await asyncio.wait([future], timeout=rest)
            self.waiting.discard(future)
        answer.i32(0)

        def partition(entry):
            index, error, end, stable, aborted, data = entry
            answer.i32(index).i16(error).i64(end).i64(stable)
            answer.array(aborted, lambda pair: answer.i64(pair[0]).i64(pair[1])).blob(data)

        answer.array(found, lambda topic: answer.text(topic[0]).array(topic[1], partition))

    def collect(self, topics, most, committed_only):
        found, size, failed = [], 0, False
        for name, partitions in topics:
            entries = []
            for index, offset, bytes_max in partitions:
                log = self.log(name, index)
                error = errors.NONE
                if log is None:
                    error = errors.UNKNOWN_TOPIC_OR_PARTITION
                elif not log.start <= offset <= log.next:
                    error = errors.OFFSET_OUT_OF_RANGE
                if error != errors.NONE:
                    entries.append((index, error, -1, -1, [], b""))
                    failed = True
                    continue
                end = log.last_stable if committed_only else log.next
                room = min(bytes_max, most - size)
                data, aborted = log.read(offset, room, end) if room > 0 else (b"", [])
                size += len(data)
                entries.append((index, error, log.next, log.last_stable, aborted if committed_only else [], data))
            found.append((name, entries))
        return found, size, failed

    def list_offsets(self, request, answer, version):
        request.i32()
        committed_only = version >= 2 and request.i8() == 1
        topics = request.array(lambda: (request.text(), request.array(lambda: (request.i32(), request.i64()))))
        if version >= 2:
            answer.i32(0)

        def topic(entry):
            name, partitions = entry

            def partition(piece):
                index, when = piece
                log = self.log(name, index)
                error, stamp, offset = errors.NONE, -1, 0
                if log is None:
                    error, offset = errors.UNKNOWN_TOPIC_OR_PARTITION, -1
                elif when == -1:
                    offset = log.last_stable if committed_only else log.next
                elif when == -2:
                    offset = log.start
                else:
                    stamp, offset = log.find(when)
                answer.i32(index).i16(error).i64(stamp).i64(offset)

            answer.text(name).array(partitions, partition)

        answer.array(topics, topic)

    # Groups

    def find_coordinator(self, request, answer, version):
        answer.i32(0).i16(errors.NONE).text(None).i32(1).text(self.host).i32(self.port)

    async def join_group(self, request, answer, version):
        name, session, rebalance = request.text(), request.i32(), request.i32()
        member, instance = request.text(), request.text()
        request.text()
        protocols = request.array(lambda: (request.text(), request.blob()))
        joined = await self.group(name).join(member, instance, session, rebalance, protocols)
        answer.i32(0).i16(joined.error).i32(joined.generation).text(joined.protocol).text(joined.leader or "")
        answer.text(joined.member).array(
            joined.members, lambda entry: answer.text(entry[0]).text(entry[1]).blob(entry[2]))

    async def sync_group(self, request, answer, version):
        group, generation = self.group(request.text()), request.i32()
        member, instance = request.text(), request.text()
        assignments = request.array(lambda: (request.text(), request.blob()))
        error, assignment = await group.sync(member, generation, instance, assignments)
        answer.i32(0).i16(error).blob(assignment)

    def heartbeat(self, request, answer, version):
        group, generation = self.group(request.text()), request.i32()
        answer.i32(0).i16(group.heartbeat(request.text(), generation, request.text()))

    def leave_group(self, request, answer, version):
        answer.i32(0).i16(self.group(request.text()).leave(request.text()))

    def delete_groups(self, request, answer, version):
        answer.i32(0)

        def delete(name):
            busy = name in self.groups and self.groups[name].members
            if not busy:
                self.groups.pop(name, None)
            answer.text(name).i16(errors.NON_EMPTY_GROUP if busy else errors.NONE)

        answer.array(request.array(request.text), delete)

    def offset_commit(self, request, answer, version):
        group, generation = self.group(request.text()), request.i32()
        member, instance = request.text(), request.text()

        def partition():
            index, offset = request.i32(), request.i64()
            request.i32()
            return index, offset, request.text()

        topics = request.array(lambda: (request.text(), request.array(partition)))
        error = group.check_commit(member, generation, instance)
        if error == errors.NONE and generation >= 0 and group.state == COMPLETING:
            error = errors.REBALANCE_IN_PROGRESS
        answer.i32(0)

        def topic(entry):
            name, partitions = entry
            if error == errors.NONE:
                for index, offset, metadata in partitions:
                    group.offsets[name, index] = (offset, metadata)
            answer.text(name).array(partitions, lambda piece: answer.i32(piece[0]).i16(error))

        answer.array(topics, topic)

    def offset_fetch(self, request, answer, version):
        group = self.group(request.text())

        def wanted():
            entry = request.text(), request.array(request.i32)
            request.tags()
            return entry

        topics = request.array(wanted)
        stable_only = request.i8() == 1
        if topics is None:
            names = sorted({name for name, _ in group.offsets})
            topics = [(name, sorted(index for other, index in group.offsets if other == name)) for name in names]
        answer.i32(0)

        def topic(entry):
            name, partitions = entry

            def partition(index):
                offset, metadata = group.offsets.get((name, index), (-1, ""))
                unstable = stable_only and group.is_unstable((name, index))
                answer.i32(index).i64(-1 if unstable else offset).i32(-1).text(metadata)
                answer.i16(errors.UNSTABLE_OFFSET_COMMIT if unstable else errors.NONE).tags()

            answer.text(name).array(partitions, partition).tags()

        answer.array(topics, topic).i16(errors.NONE).tags()

    # Transactions

    def init_producer(self, request, answer, version):
        error, producer, epoch = self.transactions.initialise(
            request.text(), request.i32(), request.i64(), request.i16())
        answer.i32(0).i16(error).i64(producer).i16(epoch).tags()
        self.wake()

    def add_partitions(self, request, answer, version):
        transaction, error = self.transactions.owner(request.text(), request.i64(), request.i16())
        topics = request.array(lambda: (request.text(), request.array(request.i32)))
        answer.i32(0)

        def topic(entry):
            name, partitions = entry

            def partition(index):
                log = self.log(name, index)
                result = error if log else errors.UNKNOWN_TOPIC_OR_PARTITION
                if result == errors.NONE:
                    self.transactions.begin(transaction)
                    transaction.logs.add(log)
                answer.i32(index).i16(result)

            answer.text(name).array(partitions, partition)

        answer.array(topics, topic)

    def add_offsets(self, request, answer, version):
        transaction, error = self.transactions.owner(request.text(), request.i64(), request.i16())
        if transaction:
            self.transactions.begin(transaction)
            transaction.groups.add(self.group(request.text()))
        answer.i32(0).i16(error)

    def transaction_offsets(self, request, answer, version):
        identifier, group = request.text(), self.group(request.text())
        transaction, error = self.transactions.owner(identifier, request.i64(), request.i16())
        generation, member, instance = request.i32(), request.text(), request.text()

        def partition():
            index, offset = request.i32(), request.i64()
            request.i32()
            metadata = request.text()
            request.tags()
            return index, offset, metadata

        def wanted():
            entry = request.text(), request.array(partition)
            request.tags()
            return entry

        topics = request.array(wanted)
        if error == errors.NONE:
            error = group.check_commit(member, generation, instance)
        answer.i32(0)

        def topic(entry):
            name, partitions = entry
            if error == errors.NONE:
                pending = group.pending.setdefault(transaction.producer, {})
                for index, offset, metadata in partitions:
                    pending[name, index] = (offset, metadata)
            answer.text(name).array(partitions, lambda piece: answer.i32(piece[0]).i16(error).tags()).tags()

        answer.array(topics, topic).tags()

    def end_transaction(self, request, answer, version):
        transaction, error = self.transactions.owner(request.text(), request.i64(), request.i16())
        if transaction:
            error = self.transactions.finish(transaction, request.i8() == 1)
        answer.i32(0).i16(error)
        self.wake()
