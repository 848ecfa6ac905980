"""The group coordinator: joins, static members, generations, and committed offsets."""

import asyncio
import time
import uuid

from .errors import (
    FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL, MEMBER_ID_REQUIRED, NONE,
    REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID)

EMPTY, PREPARING, COMPLETING, STABLE = "empty", "preparing", "completing", "stable"


class Member:
    def __init__(self, identifier, instance):
        self.identifier = identifier
        self.instance = instance
        self.session = 0.0
        self.rebalance = 0.0
        self.protocols = []
        self.assignment = b""
        self.joining = None  # answered when the rebalance is over
        self.syncing = None
        self.seen = time.monotonic()


class Joined:
    """The answer to a join."""

    def __init__(self, error, member="", generation=-1, protocol="", leader="", members=()):
        self.error = error
        self.member = member
        self.generation = generation
        self.protocol = protocol
        self.leader = leader
        self.members = members


class Group:
    def __init__(self):
        self.state = EMPTY
        self.generation = 0
        self.protocol = ""
        self.leader = None
        self.members = {}
        self.instances = {}  # group.instance.id: member id
        self.expected = set()  # ids handed out with MEMBER_ID_REQUIRED
        self.offsets = {}  # (topic, partition): (offset, metadata)
        self.pending = {}  # producer id: {(topic, partition): (offset, metadata)}
        self.deadline = 0.0

    # Members

    def check(self, member, generation, instance):
        if instance and instance in self.instances and self.instances[instance] != member:
            return FENCED_INSTANCE_ID
        if member not in self.members:
            return UNKNOWN_MEMBER_ID
        if generation != self.generation:
            return ILLEGAL_GENERATION
        return NONE

    async def join(self, member, instance, session, rebalance, protocols):
        names = {name for name, _ in protocols}
        if self.members and not any(names & {name for name, _ in other.protocols} for other in self.members.values()):
            return Joined(INCONSISTENT_GROUP_PROTOCOL)
        if instance and member and self.instances.get(instance) != member:
            return Joined(FENCED_INSTANCE_ID if instance in self.instances else UNKNOWN_MEMBER_ID)
        if not member:
            identifier = (instance or "member") + "-" + uuid.uuid4().hex
            if not instance:
                self.expected.add(identifier)
                return Joined(MEMBER_ID_REQUIRED, member=identifier)
            if instance in self.instances:
                back = self._replace(instance, identifier, protocols)
                if back is not None:
                    return back
            member = identifier
        elif member not in self.members and member not in self.expected:
            return Joined(UNKNOWN_MEMBER_ID)
        self.expected.discard(member)
        entry = self.members.setdefault(member, Member(member, instance))
        if instance:
            self.instances[instance] = member
        entry.session, entry.rebalance, entry.protocols = session / 1000, rebalance / 1000, protocols
        entry.seen = time.monotonic()
        if entry.joining and not entry.joining.done():
            entry.joining.set_result(Joined(UNKNOWN_MEMBER_ID))
        entry.joining = asyncio.get_running_loop().create_future()
        self._prepare()
        answer = entry.joining
        self.advance()
        return await answer

    def _replace(self, instance, identifier, protocols):
        """A static member came back: it takes its old place, without a rebalance where nothing changed."""
        old = self.members.pop(self.instances[instance])
        for waiting in (old.joining, old.syncing):
            if waiting and not waiting.done():
                waiting.set_result(Joined(FENCED_INSTANCE_ID) if waiting is old.joining else (FENCED_INSTANCE_ID, b""))
        entry = Member(identifier, instance)
        entry.session, entry.rebalance, entry.assignment = old.session, old.rebalance, old.assignment
        unchanged = old.protocols == protocols
        entry.protocols = protocols
        self.members[identifier] = entry
        self.instances[instance] = identifier
        leader = self.leader
        if leader == old.identifier:
            self.leader = identifier
        if self.state == STABLE and unchanged:
            # The old leader's name in the answer keeps the new one from assigning anew.
            return Joined(NONE, identifier, self.generation, self.protocol, leader)
        return None

    def _prepare(self):
        if self.state != PREPARING:
            for member in self.members.values():
                if member.syncing and not member.syncing.done():
                    member.syncing.set_result((REBALANCE_IN_PROGRESS, b""))
            longest = max((member.rebalance for member in self.members.values()), default=0)
            self.deadline = time.monotonic() + longest
            self.state = PREPARING

    def advance(self):
        """Ends a rebalance that all members have joined, or whose time is over."""
        if self.state != PREPARING:
            return
        absent = [member for member in self.members.values() if not member.joining or member.joining.done()]
        if absent and time.monotonic() < self.deadline:
            return
        for member in absent:
            if not member.instance:
                self.remove(member.identifier, prepare=False)
        if not any(member.joining and not member.joining.done() for member in self.members.values()):
            if not self.members:
                self.state, self.leader = EMPTY, None
                self.generation += 1
            return
        present = [member for member in self.members.values() if member.joining and not member.joining.done()]
        if self.leader not in {member.identifier for member in present}:
            self.leader = present[0].identifier
        common = set.intersection(*({name for name, _ in member.protocols} for member in self.members.values()))
        self.protocol = next(name for name, _ in self.members[self.leader].protocols if name in common)
        self.generation += 1
        self.state = COMPLETING
        everyone = [
            (member.identifier, member.instance, dict(member.protocols)[self.protocol])
            for member in self.members.values()]
        for member in present:
            member.seen = time.monotonic()
            member.joining.set_result(
                Joined(
                    NONE, member.identifier, self.generation, self.protocol, self.leader,
                    everyone if member.identifier == self.leader else ()))

    async def sync(self, member, generation, instance, assignments):
        error = self.check(member, generation, instance)
        if error != NONE:
            return error, b""
        if self.state == PREPARING:
            return REBALANCE_IN_PROGRESS, b""
        entry = self.members[member]
        entry.seen = time.monotonic()
        if self.state == STABLE:
            return NONE, entry.assignment
        entry.syncing = asyncio.get_running_loop().create_future()
        answer = entry.syncing
        if member == self.leader:
            given = dict(assignments)
            for other in self.members.values():
                other.assignment = given.get(other.identifier, b"")
                other.seen = time.monotonic()
            self.state = STABLE
            for other in self.members.values():
                if other.syncing and not other.syncing.done():
                    other.syncing.set_result((NONE, other.assignment))
        return await answer

    def heartbeat(self, member, generation, instance):
        error = self.check(member, generation, instance)
        if error == NONE or error == ILLEGAL_GENERATION:
            self.members[member].seen = time.monotonic()
        if error != NONE:
            return error
        return REBALANCE_IN_PROGRESS if self.state == PREPARING else NONE

    def leave(self, member):
        if member not in self.members:
            return UNKNOWN_MEMBER_ID
        self.remove(member)
        return NONE

    def remove(self, member, prepare=True):
        entry = self.members.pop(member)
        if entry.instance and self.instances.get(entry.instance) == member:
            del self.instances[entry.instance]
        for waiting, answer in ((entry.joining, Joined(UNKNOWN_MEMBER_ID)), (entry.syncing, (UNKNOWN_MEMBER_ID, b""))):
            if waiting and not waiting.done():
                waiting.set_result(answer)
        if prepare:
            self._prepare()
            self.advance()

    def expire(self):
        now = time.monotonic()
        for member in list(self.members.values()):
            waits = any(waiting and not waiting.done() for waiting in (member.joining, member.syncing))
            if not waits and now - member.seen > member.session:
                self.remove(member.identifier)
        self.advance()

    # Offsets

    def check_commit(self, member, generation, instance):
        if generation < 0 and not member:
            return NONE
        return self.check(member, generation, instance)

    def end_transaction(self, producer, committed):
        offsets = self.pending.pop(producer, {})
        if committed:
            self.offsets.update(offsets)

    def is_unstable(self, key):
        return any(key in offsets for offsets in self.pending.values())
