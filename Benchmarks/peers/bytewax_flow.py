"""The same as `python_loop.py`, as a Bytewax dataflow: one stateful step, keyed by entity, joins and keeps the windows.

    bytewax_flow.py ADDRESS MESSAGES

Without recovery, which would only cost more. Prints one line of JSON.
"""

import json
import sys
import time
from collections import deque

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

WINDOW = 1000
read = 0
pairs = 0


class DiscardPartition(StatelessSinkPartition):
    def write_batch(self, items):
        pass


class Discard(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return DiscardPartition()


def parse(message):
    global read
    read += 1
    record = orjson.loads(message.value)
    return record["entity"], (message.topic == "predictions", record)


def step(state, item):
    """Joins and keeps the windows of one entity."""
    global pairs
    if state is None:
        state = ({}, {}, {})
    is_prediction, record = item
    predictions, actuals, windows = state
    other = (actuals if is_prediction else predictions).pop(record["at"], None)
    if other is None:
        (predictions if is_prediction else actuals)[record["at"]] = record["values"]
        return state, None
    predicted, actual = (record["values"], other) if is_prediction else (other, record["values"])
    mean = None
    for metric, value in actual.items():
        if value <= 0 or metric not in predicted:
            continue
        window = windows.get(metric)
        if window is None:
            window = windows[metric] = [deque(), 0.0]
        errors = window[0]
        error = abs(predicted[metric] - value) / value
        errors.append(error)
        window[1] += error
        if len(errors) > WINDOW:
            window[1] -= errors.popleft()
        mean = window[1] / len(errors)
        pairs += 1
    return state, mean


def main():
    address, wanted = sys.argv[1], int(sys.argv[2])
    source = KafkaSource(
        [address],
        ["predictions", "actuals"],
        tail=False,
        batch_size=1000,
        add_config={
            "fetch.wait.max.ms": "10",
            "queued.min.messages": "1000000",
            "queued.max.messages.kbytes": "65536",
        },
    )
    flow = Dataflow("drift")
    records = op.map("parse", op.input("read", flow, source), parse)
    op.output("count", op.stateful_map("step", records, step), Discard())
    started, cpu = time.monotonic(), time.process_time()
    run_main(flow)
    if read < wanted:
        sys.exit(f"bytewax_flow: {read} of {wanted} messages came")
    print(
        json.dumps(
            {
                "messages": read,
                "pairs": pairs,
                "seconds": time.monotonic() - started,
                "cpu": time.process_time() - cpu,
            }
        )
    )


main()
