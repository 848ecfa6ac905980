#!/usr/bin/env python3
"""A world for `docker compose --profile demo up`: servers, a forecaster that has grown old, and its trainer.

    play.py feed --bootstrap kafka:19092       three weeks of history, then the present, for ever
    play.py trainer --bootstrap kafka:19092    answers training requests

The load of eight servers follows the hour and the weekday. Two days before now a new application arrived on all of
them; version 1 of the forecaster knows nothing of it. The trainer "trains" by saying so: version 2 knows. For a trainer
that really trains, see examples/trainer-python.
"""

import argparse
import json
import math
import random
import signal
import time

from confluent_kafka import Consumer, Producer

MODEL = "demo"
STEP = 300
HISTORY = 21 * 86_400
AGE_OF_CHANGE = 2 * 86_400
HORIZON = 3_600
SERVERS = [f"srv-{number:02}" for number in range(8)]


def usual(server, at):
    """Mean CPU of a server at a time, in percent, before the change."""
    hour = at % 86_400 / 3_600
    weekday = at // 86_400 % 7
    busy = 12 * math.exp(-(((hour - 14) / 4) ** 2)) * (1 if weekday not in (2, 3) else 0.4)
    return 18 + 2 * (SERVERS.index(server) % 4) + busy


def real(server, at, change, noise):
    extra = 14 if at >= change else 0
    return min(100.0, max(0.5, usual(server, at) + extra + noise.gauss(0, 1)))


def records(at, change, versions, noise):
    """What is published at one moment: (topic, key, record)."""
    for server in SERVERS:
        value = round(real(server, at, change, noise), 2)
        yield "actuals", server, {"model": MODEL, "entity": server, "at": at * 1000, "values": {"cpu_pct": value}}
        yield "load", server, {"pool": "demo", "entity": server, "at": at * 1000, "cpu_pct": value}
        target = at + HORIZON
        for index, version in enumerate(versions):
            knows = version != "1"
            forecast = usual(server, target) + (14 if knows and target >= change else 0)
            record = {
                "model": MODEL, "model_version": version, "entity": server, "at": target * 1000, "issued_at": at * 1000,
                "values": {"cpu_pct": round(forecast, 2)}}
            if index > 0:
                record["shadow"] = True
            yield "predictions", server, record


def send(producer, topic, key, record, at):
    while True:
        try:
            producer.produce(topic, key=key, value=json.dumps(record).encode(), timestamp=at * 1000)
            return producer.poll(0)
        except BufferError:
            producer.poll(0.5)


def feed(options, stopping):
    producer = Producer({"bootstrap.servers": options.bootstrap, "linger.ms": 50, "compression.type": "lz4"})
    statuses = consumer(options, "demo-feed", "training-status")
    now = int(time.time()) // STEP * STEP
    change = now - AGE_OF_CHANGE
    noise = random.Random(7)
    # In service first, then what still predicts beside it.
    versions = ["1"]
    at = now - options.history
    while not stopping():
        if at > time.time():
            producer.flush(5)
            message = statuses.poll(1.0)
            if message and not message.error():
                status = json.loads(message.value())
                if status.get("status") == "succeeded" and status.get("model_version") not in versions:
                    versions = [status["model_version"], versions[0]]
            continue
        for topic, key, record in records(at, change, versions, noise):
            send(producer, topic, key, record, at)
        at += STEP
        if at == now:
            print(f"{options.history // 86_400} days of history are published; from here on it is the present", flush=True)
        if options.once and at > now:
            break
    producer.flush(30)
    statuses.close()


def trainer(options, stopping):
    producer = Producer({"bootstrap.servers": options.bootstrap})
    requests = consumer(options, "demo-trainer", "training-requests")
    answered = set()
    while not stopping():
        message = requests.poll(1.0)
        if not message or message.error():
            continue
        request = json.loads(message.value())["data"]
        if request["request_id"] in answered:
            continue
        answered.add(request["request_id"])
        print(f"training {request['model']}: {request['reason']['text']}", flush=True)
        version = str(1 + int(request["model_version"] or "1"))
        for status in ("accepted", "started", "succeeded"):
            record = {"request_id": request["request_id"], "status": status, "at": int(time.time() * 1000)}
            if status == "succeeded":
                record["model_version"] = version
            send(producer, "training-status", request["request_id"], record, int(time.time()))
            producer.flush(10)
            time.sleep(options.training_seconds / 2)
    requests.close()


def consumer(options, group, topic):
    made = Consumer({
        "bootstrap.servers": options.bootstrap, "group.id": group, "auto.offset.reset": "earliest",
        "isolation.level": "read_committed"})
    made.subscribe([topic])
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("role", choices=["feed", "trainer"])
    parser.add_argument("--bootstrap", default="localhost:9092")
    parser.add_argument("--history", type=int, default=HISTORY, help="seconds of history")
    parser.add_argument("--once", action="store_true", help="end once the history is published")
    parser.add_argument("--training-seconds", type=float, default=60)
    options = parser.parse_args()
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    {"feed": feed, "trainer": trainer}[options.role](options, lambda: bool(stopped))


if __name__ == "__main__":
    main()
