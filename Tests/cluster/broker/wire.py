"""The Kafka protocol's primitive types, both encodings, and the header of a record batch."""

import struct


class Reader:
    """Reads one request. `flexible` is the compact encoding of newer versions, with tagged fields."""

    def __init__(self, data, position=0):
        self.data = data
        self.position = position
        self.flexible = False

    def take(self, count):
        end = self.position + count
        if end > len(self.data):
            raise ValueError("request ends early")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def i8(self):
        return self.unpack(">b")

    def i16(self):
        return self.unpack(">h")

    def i32(self):
        return self.unpack(">i")

    def i64(self):
        return self.unpack(">q")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def size(self, narrow):
        if self.flexible:
            return self.varint() - 1
        return self.i16() if narrow else self.i32()

    def text(self):
        count = self.size(narrow=True)
        return None if count < 0 else bytes(self.take(count)).decode()

    def blob(self):
        count = self.size(narrow=False)
        return None if count < 0 else bytes(self.take(count))

    def array(self, element):
        count = self.size(narrow=False)
        return None if count < 0 else [element() for _ in range(count)]

    def tags(self):
        if self.flexible:
            for _ in range(self.varint()):
                self.varint()
                self.take(self.varint())


class Writer:
    def __init__(self, flexible=False):
        self.parts = bytearray()
        self.flexible = flexible

    def pack(self, form, value):
        self.parts += struct.pack(form, value)
        return self

    def i8(self, value):
        return self.pack(">b", value)

    def i16(self, value):
        return self.pack(">h", value)

    def i32(self, value):
        return self.pack(">i", value)

    def i64(self, value):
        return self.pack(">q", value)

    def varint(self, value):
        while value >= 0x80:
            self.parts.append(value & 0x7F | 0x80)
            value >>= 7
        self.parts.append(value)
        return self

    def size(self, count, narrow):
        if self.flexible:
            return self.varint(count + 1)
        return self.i16(count) if narrow else self.i32(count)

    def text(self, value):
        if value is None:
            return self.size(-1, narrow=True)
        data = value.encode()
        self.size(len(data), narrow=True)
        self.parts += data
        return self

    def blob(self, value):
        if value is None:
            return self.size(-1, narrow=False)
        self.size(len(value), narrow=False)
        self.parts += value
        return self

    def array(self, values, element):
        self.size(len(values), narrow=False)
        for value in values:
            element(value)
        return self

    def tags(self):
        return self.varint(0) if self.flexible else self


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


class Batch:
    """A record batch of format 2: its header read, its records left as they came."""

    HEADER = 61

    def __init__(self, data):
        self.data = bytearray(data)
        (self.base, self.length, _, magic, _, self.attributes, self.last_delta, self.first_time, self.max_time,
         self.producer, self.epoch, self.sequence, self.count) = struct.unpack_from(">qiibIhiqqqhii", self.data)
        if magic != 2:
            raise ValueError("only record batches of format 2")

    @property
    def last(self):
        return self.base + self.last_delta

    @property
    def is_transactional(self):
        return bool(self.attributes & 0x10)

    @property
    def is_control(self):
        return bool(self.attributes & 0x20)

    @property
    def is_compressed(self):
        return bool(self.attributes & 0x07)

    def place(self, base):
        """The base offset lies outside the checksum, so that a broker can set it."""
        self.base = base
        struct.pack_into(">q", self.data, 0, base)

    def offset_at(self, time):
        """The first offset whose timestamp is `time` or later; the batch's first where it is compressed."""
        if self.is_compressed:
            return self.base
        reader = Reader(self.data, self.HEADER)
        for _ in range(self.count):
            size = reader.zigzag()
            start = reader.position
            reader.i8()
            timestamp = self.first_time + reader.zigzag()
            delta = reader.zigzag()
            if timestamp >= time:
                return self.base + delta
            reader.position = start + size
        return self.base

    @staticmethod
    def split(data):
        position = 0
        while position < len(data):
            length = struct.unpack_from(">i", data, position + 8)[0]
            yield Batch(data[position : position + 12 + length])
            position += 12 + length

    @staticmethod
    def marker(producer, epoch, committed, time):
        """The control record that ends a transaction."""
        key = struct.pack(">hh", 0, 1 if committed else 0)
        value = struct.pack(">hi", 0, 0)
        record = Writer()
        record.i8(0).varint(0).varint(0).varint(len(key) * 2)
        record.parts += key
        record.varint(len(value) * 2)
        record.parts += value
        record.varint(0)
        records = Writer().varint(len(record.parts) * 2).parts + record.parts
        body = struct.pack(">hiqqqhii", 0x30, 0, time, time, producer, epoch, -1, 1) + bytes(records)
        after = struct.pack(">ib", 0, 2) + struct.pack(">I", crc32c(body)) + body
        return Batch(struct.pack(">qi", 0, len(after)) + after)

    @staticmethod
    def records(batches):
        """Offset, timestamp, key, value and headers of uncompressed records; for tests of the broker itself."""
        for batch in batches:
            reader = Reader(batch.data, Batch.HEADER)
            for _ in range(batch.count):
                end = reader.zigzag()
                end += reader.position
                reader.i8()
                time = batch.first_time + reader.zigzag()
                offset = batch.base + reader.zigzag()
                size = reader.zigzag()
                key = bytes(reader.take(size)) if size >= 0 else None
                size = reader.zigzag()
                value = bytes(reader.take(size)) if size >= 0 else None
                yield offset, time, key, value
                reader.position = end
