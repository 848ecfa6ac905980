"""The loop that one would write by hand: confluent-kafka, orjson, a dictionary for the join, deques for the windows.

    python_loop.py ADDRESS MESSAGES PARTITIONS

Mean relative error over the last 1000 pairs of each model and metric. No checkpoints, no state that survives, no bound
on what waits. Prints one line of JSON.
"""

import json
import sys
import time
from collections import deque

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

WINDOW = 1000


class MeanError:
    """Mean of the last 1000 errors."""

    __slots__ = ("errors", "total")

    def __init__(self):
        self.errors = deque()
        self.total = 0.0

    def add(self, error):
        self.errors.append(error)
        self.total += error
        if len(self.errors) > WINDOW:
            self.total -= self.errors.popleft()


def main():
    address, wanted, partitions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "python-loop",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "queued.min.messages": 1000000,
            "queued.max.messages.kbytes": 65536,
        }
    )
    started, cpu = time.monotonic(), time.process_time()
    consumer.assign(
        [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in ("predictions", "actuals")
            for partition in range(partitions)
        ]
    )
    predictions, actuals, windows = {}, {}, {}
    got = pairs = values = 0
    last = started
    while got < wanted:
        messages = consumer.consume(1000, 0.2)
        if messages:
            last = time.monotonic()
        elif time.monotonic() - last > 10:
            sys.exit(f"python_loop: nothing came for 10 s after {got} of {wanted} messages")
        for message in messages:
            record = orjson.loads(message.value())
            got += 1
            is_prediction = message.topic() == "predictions"
            key = (record["entity"], record["at"])
            other = (actuals if is_prediction else predictions).pop(key, None)
            if other is None:
                (predictions if is_prediction else actuals)[key] = record["values"]
                continue
            predicted, actual = (record["values"], other) if is_prediction else (other, record["values"])
            for metric, value in actual.items():
                values += 1
                if value > 0 and metric in predicted:
                    series = (record["model"], metric)
                    window = windows.get(series)
                    if window is None:
                        window = windows[series] = MeanError()
                    window.add(abs(predicted[metric] - value) / value)
                    pairs += 1
    print(
        json.dumps(
            {
                "messages": got,
                "pairs": pairs,
                "seconds": time.monotonic() - started,
                "cpu": time.process_time() - cpu,
            }
        )
    )
    consumer.close()


main()
