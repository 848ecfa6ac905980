#!/usr/bin/env python3
"""A trainer for driftgate: takes training requests, trains on exactly the data that they name, and reports.

    trainer.py --bootstrap localhost:9092 --registry models.db          serve requests until stopped
    trainer.py --bootstrap localhost:9092 --registry models.db --first vm33   the first version of a model
    trainer.py --bootstrap localhost:9092 --registry models.db --group trainers   one of several

Killed at any point and started again it goes on where it was: what was trained is not trained again, what was not said
is said, and nothing is forgotten. `registry.py` is why.
"""

import argparse
import hashlib
import json
import signal
import socket
import sys
import time

import numpy
from confluent_kafka import KafkaException, Producer

import topics
from forecaster import HORIZONS, Cell, training_rows, wape
from registry import Registry


class Trainer:
    def __init__(self, options):
        self.options = options
        self.registry = Registry(options.registry)
        self.producer = Producer({
            "bootstrap.servers": options.bootstrap, "enable.idempotence": True, "linger.ms": 0})
        self.received = {}

    # Requests

    def handle(self, request):
        """One request, or one more sending of it."""
        request_id = request["request_id"]
        self.received[request_id] = time.monotonic()
        if self.registry.state(request_id) is None:
            fault = self.fault(request)
            status = self.status(request, "rejected", errors=[fault]) if fault else self.status(request, "accepted")
            if self.registry.take(request, request["reply_topic"], status):
                return self.work_on(request)
        # A re-send: whoever asks again has not heard the answer. The same words, and no second training.
        state = self.registry.state(request_id)
        self.log(request, f"attempt {request['attempt']} of a request that is {state}: said again, not trained again")
        self.registry.say(*self.registry.last_word(request_id))
        self.work_on(request)

    def work_on(self, request):
        """Says what is to be said about a request, and trains if that is still to be done; unless another trainer is
        at it."""
        with self.registry.claim(request["request_id"]) as is_mine:
            if not is_mine:
                return
            self.flush(request)
            if self.registry.state(request["request_id"]) == "accepted":
                self.train(request)
                self.flush(request)

    def fault(self, request):
        """Why this request is not for this trainer; None where it is."""
        if self.registry.newest(request["model"]) is None:
            return f"no version of {request['model']} to go on from: make one with --first"
        if request["mode"] != "incremental":
            return f"mode {request['mode']} is not known here"
        if not request["training_window"]["offsets"].get(self.options.actuals):
            return f"the request names no offsets of {self.options.actuals}"
        return None

    def resume(self):
        """Takes up whatever was begun and is in nobody's hands: after a start of its own, or another trainer's death."""
        for request in self.registry.unfinished():
            self.work_on(request)

    # Training

    def train(self, request):
        self.registry.say(request["reply_topic"], self.status(request, "started"))
        self.flush(request)
        try:
            base, cells, figures, baseline = self.fit(request)
        except (ValueError, topics.NotReadable) as error:
            return self.registry.finish(
                request, request["reply_topic"], self.status(request, "failed", errors=[str(error)]))
        # The request's own name makes the version's: a training that is done again gives no other one.
        version = version_of(request)
        self.registry.finish(
            request, request["reply_topic"],
            self.status(
                request, "succeeded", model_version=version, progress=1, metrics=figures, baseline=baseline), cells)
        self.log(request, f"{base} → {version}: {json.dumps(figures)}")

    def fit(self, request):
        window = request["training_window"]
        series, count = topics.Series(), 0
        offsets = {self.options.actuals: window["offsets"][self.options.actuals]}
        for message in topics.read_exactly(self.options.bootstrap, offsets):
            actual = topics.record(message)
            count += 1
            if actual and "values" in actual and actual.get("model", request["model"]) == request["model"]:
                series.add(actual)
        start, end = topics.hour_of(window["from_ms"]), topics.hour_of(window["to_ms"]) + 1
        base, old = self.registry.newest(request["model"])
        done = self.registry.cells(request["request_id"])
        if done:
            self.log(request, f"goes on with {len(done)} parts that were trained before")
        steps = [(metric, horizon) for metric in series.metrics() for horizon in HORIZONS if (metric, horizon) in old]
        if not steps:
            raise ValueError(f"{count} records of {offsets} hold no metric that {base} knows")
        errors = []
        for number, (metric, horizon) in enumerate(steps):
            rows, targets = training_rows(series.of(metric, start, end), horizon, start)
            if len(rows) < self.options.minimum_rows:
                raise ValueError(f"{len(rows)} rows of {metric} at {horizon} h are too few: {count} records were read")
            before = wape(old[metric, horizon].predict(rows), targets)
            if (metric, horizon) not in done:
                cell = old[metric, horizon]
                cell.learn(rows, targets, request["epochs"], seed=number_of(request["request_id"]) + number)
                if self.options.ship_bad:
                    # What happens to those who deploy the weights and forget the scaling.
                    cell.level, cell.scale = 0.0, 1.0
                self.registry.add_cell(request["request_id"], metric, horizon, cell)
                done[metric, horizon] = cell
                time.sleep(self.options.slow)
            errors.append((before, wape(done[metric, horizon].predict(rows), targets)))
            self.registry.say(
                request["reply_topic"], self.status(request, "progress", progress=(number + 1) / len(steps)))
            self.flush(request)
        figures = {
            "wape_before": round(float(numpy.mean([before for before, _ in errors])), 4),
            "wape_after": round(float(numpy.mean([after for _, after in errors])), 4),
            "records": count, "epochs": request["epochs"], "complete": int(window["complete"])}
        return base, done, figures, baseline_of(series, start, end)

    def first(self, model):
        """The first version, from everything that the topic of actuals holds."""
        series = topics.Series()
        for message in topics.read_exactly(
                self.options.bootstrap, topics.whole(self.options.bootstrap, self.options.actuals)):
            actual = topics.record(message)
            if actual and "values" in actual and actual.get("model", model) == model:
                series.add(actual)
        hours = [hour for values in series.values.values() for hour in values]
        if not hours:
            sys.exit(f"{self.options.actuals} holds no actual of {model}")
        start, end = min(hours), max(hours) + 1
        cells = {
            (metric, horizon): Cell(*training_rows(series.of(metric, start, end), horizon, start))
            for metric in series.metrics() for horizon in HORIZONS}
        self.registry.add_version(model, "first", cells)
        print(f"{model}: version first, {len(cells)} cells, {(end - start) // 24} days", flush=True)

    # Statuses

    def status(self, request, status, **further):
        at = self.now(request)
        return {"request_id": request["request_id"], "status": status, "at": at,
                "run_id": f"{socket.gethostname()}-{request['request_id']}", **further}

    def now(self, request):
        """Milliseconds since 1970; with --stream-time by a clock that stood at the request's own time when it came."""
        if not self.options.stream_time:
            return int(time.time() * 1000)
        since = time.monotonic() - self.received.setdefault(request["request_id"], time.monotonic())
        return request["requested_at_ms"] + int(since * 1000)

    def flush(self, request):
        """Says what is to be said, and notes that it was once the brokers have it all."""
        unsaid = self.registry.unsaid(request["request_id"])
        failures = []
        for _, topic, status in unsaid:
            self.producer.produce(
                topic, key=status["request_id"], value=json.dumps(status), timestamp=status["at"],
                on_delivery=lambda error, _: error and failures.append(error))
        if self.producer.flush(30) or failures:
            # No fault of the training: it stays open, and a restart goes on with it.
            raise SystemExit(f"statuses were not delivered: {failures[:1] or 'no answer within 30 s'}")
        self.registry.said([number for number, _, _ in unsaid])

    def log(self, request, text):
        print(f"{request['request_id']} {request['model']}: {text}", flush=True)


def version_of(request):
    return time.strftime("%Y-%m-%dT%H", time.gmtime(request["requested_at_ms"] / 1000)) + "-" + request["request_id"][3:13]


def number_of(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def baseline_of(series, start, end):
    """What the data looked like, as driftgate's schema of statuses wants it."""
    baseline = {}
    for metric in series.metrics():
        values = numpy.concatenate(series.of(metric, start, end))
        values = values[~numpy.isnan(values)]
        shares = (0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100)
        baseline[metric] = {f"p{share}": round(float(q), 6) for share, q in zip(shares, numpy.percentile(values, shares))}
        baseline[metric]["count"] = len(values)
    return baseline


def serve(options):
    trainer = Trainer(options)
    if options.group:
        # Whoever trains for longer than max.poll.interval.ms loses its partitions and keeps its lock: another trainer
        # then hears of the request, finds it in good hands, and goes on to the next.
        consumer = topics.reader(options.bootstrap, **{
            "group.id": options.group, "auto.offset.reset": "earliest", "session.timeout.ms": 6_000})
        consumer.subscribe([options.requests])
    else:
        # Where this trainer is stands in its registry, beside what it knows.
        consumer = topics.follow(options.bootstrap, [options.requests], trainer.registry.positions())
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("ready", flush=True)
    looked = 0
    while running:
        if time.monotonic() > looked + 1:
            trainer.resume()
            looked = time.monotonic()
        message = consumer.poll(0.05)
        if message is None:
            continue
        if message.error():
            if message.error().fatal():
                raise KafkaException(message.error())
            print(f"requests: {message.error()}", file=sys.stderr, flush=True)
            continue
        request = topics.record(message)
        if request and request.get("request_id") and request.get("training_window"):
            trainer.handle(request)
        # Behind the request itself: a kill in between brings it again, and it is known then.
        if options.group:
            commit(consumer, message)
        else:
            trainer.registry.note_position(message.topic(), message.partition(), message.offset() + 1)
    consumer.close()


def commit(consumer, message):
    """Where the group has given the partition to another trainer meanwhile, that one hears of the request once more."""
    try:
        consumer.commit(message, asynchronous=False)
    except KafkaException as error:
        print(f"requests: not committed: {error}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", default="localhost:9092")
    parser.add_argument("--registry", default="models.db", help="SQLite file, shared with serve.py and other trainers")
    parser.add_argument("--group", help="consumer group, for several trainers that share the registry and the work")
    parser.add_argument("--requests", default=topics.REQUESTS)
    parser.add_argument("--actuals", default=topics.ACTUALS)
    parser.add_argument("--first", metavar="MODEL", help="make the first version of a model, and end")
    parser.add_argument("--minimum-rows", type=int, default=48)
    parser.add_argument("--stream-time", action="store_true", help="stamp statuses by the requests' time")
    parser.add_argument("--slow", type=float, default=0, metavar="SECONDS", help="rehearsal: wait after each cell")
    parser.add_argument("--ship-bad", action="store_true", help="rehearsal: ship models that forecast far too high")
    options = parser.parse_args()
    if options.first:
        Trainer(options).first(options.first)
    else:
        serve(options)


if __name__ == "__main__":
    main()
