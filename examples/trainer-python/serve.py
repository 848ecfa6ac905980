#!/usr/bin/env python3
"""Publishes forecasts: of the version in service, and of the one that it replaced for as long as the request said.

    serve.py --bootstrap localhost:9092 --registry models.db vm33 vm338

Reads actuals; with each new hour of an entity it forecasts 1, 6 and 24 hours ahead. A version that trainer.py put into
the registry serves from the next hour on. Where driftgate's verdict on a version recommends a roll-back, the replaced
version serves again.
"""

import argparse
import json
import signal

import numpy
from confluent_kafka import Producer

import topics
from forecaster import HORIZONS, HOUR, REACH, features
from registry import Registry

#: Hours of history that a forecast needs at most.
HISTORY = REACH + 26


class Server:
    def __init__(self, options):
        self.options = options
        self.registry = Registry(options.registry)
        self.producer = Producer({
            "bootstrap.servers": options.bootstrap, "enable.idempotence": True, "compression.type": "zstd",
            "linger.ms": 5})
        self.series = {model: topics.Series() for model in options.models}
        self.issued = {model: self.registry.issued(model) for model in options.models}
        self.versions = {model: self.registry.in_use(model) for model in options.models}
        self.marks = {}
        self.failures = []

    def take(self, actual, model):
        series = self.series[model]
        hour = series.add(actual)
        entity = actual["entity"]
        if hour <= self.issued[model].get(entity, hour - 1):
            return
        if self.registry.advance(model, hour * HOUR):
            self.versions[model] = self.registry.in_use(model)
        for version, is_shadow, cells in self.versions[model]:
            self.forecast(model, version, is_shadow, cells, entity, hour)
        self.issued[model][entity] = hour
        self.marks[model, entity] = hour
        if hour % 24 == 0:
            series.forget(hour - HISTORY)

    def forecast(self, model, version, is_shadow, cells, entity, hour):
        for horizon in HORIZONS:
            values = {}
            for metric in sorted({metric for metric, _ in cells}):
                window = self.series[model].window(entity, metric, hour + 1, HISTORY)
                row = features(window, [HISTORY - 1], horizon, origin=hour + 1 - HISTORY)
                if (metric, horizon) in cells and not numpy.isnan(row).any():
                    values[metric] = round(float(cells[metric, horizon].predict(row)[0]), 4)
            if values:
                self.publish({
                    "model": model, "model_version": version, "entity": entity, "at": (hour + horizon) * HOUR,
                    "issued_at": hour * HOUR, **({"shadow": True} if is_shadow else {}), "values": values}, hour)

    def publish(self, prediction, hour):
        self.producer.produce(
            self.options.predictions, key=prediction["model"], value=json.dumps(prediction), timestamp=hour * HOUR,
            on_delivery=lambda error, _: error and self.failures.append(error))

    def hear(self, event):
        """A verdict of driftgate's."""
        if event.get("recommends_rollback") and event.get("model") in self.series:
            old = self.registry.roll_back(event["model"], event["new_version"])
            if old:
                self.versions[event["model"]] = self.registry.in_use(event["model"])
                print(f"{event['model']}: {event['new_version']} → back to {old}", flush=True)

    def flush(self):
        """Notes what was issued once the brokers have it: after a kill the last hour may go out once more."""
        if not self.marks:
            return
        if self.producer.flush(30) or self.failures:
            raise SystemExit(f"forecasts were not delivered: {self.failures[:1]}")
        self.registry.note_issued([(model, entity, hour) for (model, entity), hour in self.marks.items()])
        self.marks = {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--bootstrap", default="localhost:9092")
    parser.add_argument("--registry", default="models.db", help="SQLite file, shared with trainer.py")
    parser.add_argument("--actuals", default=topics.ACTUALS)
    parser.add_argument("--predictions", default=topics.PREDICTIONS)
    parser.add_argument("--decisions", default=topics.DECISIONS)
    parser.add_argument("--from", dest="start", type=int, default=0, metavar="MS", help="forecast nothing before")
    options = parser.parse_args()
    server = Server(options)
    consumer = topics.follow(options.bootstrap, [options.actuals, options.decisions])
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("ready", flush=True)
    while running:
        for message in consumer.consume(500, 0.02):
            if message.error():
                continue
            body = topics.record(message)
            if body is None:
                continue
            if message.topic() == options.decisions:
                server.hear(body)
            elif body.get("model") in server.series and "values" in body:
                if topics.hour_of(body["at"]) * HOUR < options.start:
                    server.series[body["model"]].add(body)
                else:
                    server.take(body, body["model"])
        server.flush()
    consumer.close()


if __name__ == "__main__":
    main()
