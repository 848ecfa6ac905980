"""Reading topics by offset, and the names that they have unless told otherwise."""

import json
import time

import numpy
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from forecaster import HOUR

class NotReadable(Exception):
    """A range cannot be read whole: retention has removed a part of it, or the brokers do not answer."""


PREDICTIONS, ACTUALS = "predictions", "actuals"
REQUESTS, DECISIONS = "training-requests", "retraining-decisions"


def reader(bootstrap, **settings):
    """A consumer that commits nothing by itself and sees nothing of transactions that were aborted."""
    return Consumer({
        "bootstrap.servers": bootstrap, "group.id": "trainer-python-reader", "enable.auto.commit": False,
        "isolation.level": "read_committed", "auto.offset.reset": "error", "fetch.wait.max.ms": 20, **settings})


def read_exactly(bootstrap, ranges, patience=60):
    """The messages of `{topic: {partition: [from, to)}}`, and of nothing else, topic by topic in order of offsets.

    Compaction and markers of transactions leave gaps: a range is at its end once the position is, not once it has
    given so many messages.
    """
    open_ranges = {
        (topic, int(partition)): (start, end)
        for topic, partitions in ranges.items() for partition, (start, end) in partitions.items() if start < end}
    if not open_ranges:
        return
    consumer = reader(bootstrap, **{"enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(*key, start) for key, (start, _) in open_ranges.items()])
        deadline = time.monotonic() + patience
        while open_ranges:
            messages = consumer.consume(1000, 0.2)
            if messages:
                deadline = time.monotonic() + patience
            elif time.monotonic() > deadline:
                raise NotReadable(f"nothing came for {patience} s; still to read: {open_ranges}")
            for message in messages:
                key = (message.topic(), message.partition())
                if key not in open_ranges:
                    continue
                start, end = open_ranges[key]
                if message.error():
                    if message.error().code() != KafkaError._PARTITION_EOF:
                        raise NotReadable(f"{key[0]} [{key[1]}] {[start, end]}: {message.error().str()}")
                elif start <= message.offset() < end:
                    yield message
                if message.offset() >= end - (0 if message.error() else 1):
                    del open_ranges[key]
    finally:
        consumer.close()


def whole(bootstrap, topic):
    """The ranges of everything that a topic holds now."""
    consumer = reader(bootstrap)
    try:
        partitions = consumer.list_topics(topic, 15).topics[topic].partitions
        marks = {p: consumer.get_watermark_offsets(TopicPartition(topic, p), 15) for p in partitions}
        return {topic: {str(p): list(mark) for p, mark in marks.items()}}
    finally:
        consumer.close()


def follow(bootstrap, names, positions={}):
    """A consumer that reads topics on from these positions, else from their beginning, in no group."""
    consumer = reader(bootstrap, **{"auto.offset.reset": "earliest"})
    known = consumer.list_topics(timeout=15).topics
    missing = [name for name in names if name not in known or not known[name].partitions]
    if missing:
        raise SystemExit(f"{bootstrap} has no topic {', '.join(missing)}: `driftgate topics create` makes them")
    consumer.assign([
        TopicPartition(name, partition, positions.get((name, partition), OFFSET_BEGINNING))
        for name in names for partition in known[name].partitions])
    return consumer


def record(message):
    """The record in a message: plain JSON, or the data of a CloudEvent; None where it is neither."""
    try:
        body = json.loads(message.value())
    except (TypeError, ValueError):
        return None
    if isinstance(body, dict) and "specversion" in body:
        body = body.get("data")
    return body if isinstance(body, dict) else None


def hour_of(at):
    """Whole hours since 1970 of integer milliseconds or an RFC 3339 text."""
    if isinstance(at, str):
        import datetime
        at = datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000
    return int(at // HOUR)


class Series:
    """Hourly values by entity and metric, from records as they come; the mean where several fall into an hour."""

    def __init__(self):
        self.values = {}

    def add(self, actual):
        hour = hour_of(actual["at"])
        for metric, value in actual["values"].items():
            value = value.get("p50") if isinstance(value, dict) else value
            if isinstance(value, (int, float)):
                self.values.setdefault((actual["entity"], metric), {}).setdefault(hour, []).append(float(value))
        return hour

    def metrics(self):
        return sorted({metric for _, metric in self.values})

    def of(self, metric, start, end):
        """One array an entity over the hours [start, end); nan where nothing is known."""
        arrays = []
        for (_, name), hours in sorted(self.values.items()):
            if name == metric:
                arrays.append(numpy.array([numpy.mean(hours[h]) if h in hours else numpy.nan for h in range(start, end)]))
        return arrays

    def window(self, entity, metric, end, length):
        hours = self.values.get((entity, metric), {})
        return numpy.array([numpy.mean(hours[h]) if h in hours else numpy.nan for h in range(end - length, end)])

    def forget(self, before):
        for hours in self.values.values():
            for hour in [h for h in hours if h < before]:
                del hours[hour]
