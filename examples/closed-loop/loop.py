#!/usr/bin/env python3
"""The whole loop, closed: series → topics → worker → requests → trainer → forecasts → topics.

`scripts/closed-loop` sets everything up. Broker, worker, trainer and server are processes of their own; this one feeds
the series hour by hour, waits until all of them have followed, provokes what goes wrong with trainers, and keeps the
books. Series are moved by whole weeks so that they end now; an hour takes as long as the processes need. While a request
is open the stream stands still, as the training would take far less than an hour.

Provoked, one after the other: a trainer that dies in the middle of a training, one that ships a bad model, and one that
is gone when it is asked. What was not shown by the end is said, and the status is 1.
"""

import argparse
import json
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import time

import numpy
from confluent_kafka import KafkaException, Producer

import series as data
from series import DAY, HOUR

TRAINER = pathlib.Path(__file__).resolve().parents[1] / "trainer-python"
sys.path.insert(0, str(TRAINER))

import topics  # noqa: E402
from forecaster import HORIZONS, REACH, features  # noqa: E402
from registry import Registry  # noqa: E402

#: Days before the first forecast.
HISTORY_DAYS = 28
PATIENCE = 120

#: Notes on the requests that were provoked.
KILLED, BAD, LOST = "trainer killed and restarted", "bad model, on purpose", "no trainer at first"


class Child:
    """A process that is ended with this one."""

    alive = []

    def __init__(self, name, arguments, folder, answer=None):
        self.name = name
        self.log = folder / f"{name}.log"
        # A restarted one goes on in the same log.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(a) for a in arguments], stdout=subprocess.PIPE if answer is not None else log, stderr=log)
        Child.alive.append(self)
        if answer is not None:
            line = self.process.stdout.readline().decode().strip()
            if not line:
                raise SystemExit(f"{name} did not start; see {self.log}")
            answer.append(line)

    def check(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-8:]
            raise SystemExit(f"{self.name} ended with status {self.process.returncode}:\n" + "\n".join(tail))

    def end(self, number=signal.SIGTERM):
        if self in Child.alive:
            Child.alive.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()


class Loop:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        if options.data:
            self.entities, start = data.recorded(options.data, options.entity, options.count)
        else:
            self.entities, start = data.generated(options.count, HISTORY_DAYS + options.days, options.seed)
        self.hours = min(min(map(len, self.entities)), (HISTORY_DAYS + options.days) * 24)
        self.start = data.moved_to_now(start, self.hours, int(time.time() * 1000))
        self.served_from = self.start + HISTORY_DAYS * DAY
        self.names = [entity.name for entity in self.entities]
        self.registry = folder / "models.db"
        self.forecasts = {}
        self.decided = dict.fromkeys(self.names, 0)
        self.issued = dict.fromkeys(self.names, 0)
        self.requests, self.statuses, self.verdicts, self.alerts = {}, {}, [], []
        self.attempts = {}
        self.notes, self.ending = {}, {}
        #: Of the request whose trainer was killed: parts on its disk then, parts in all, and those that it went on with.
        self.parts = None
        self.bad_version = None
        self.published = open(options.events, "w") if options.events else None

    # Processes

    def run(self):
        answer = []
        self.broker = Child("broker", [self.options.driftgate, "broker", "--partitions", "8"], self.folder, answer)
        self.bootstrap = answer[0]
        self.producer = Producer({
            "bootstrap.servers": self.bootstrap, "enable.idempotence": True, "compression.type": "zstd", "linger.ms": 5})
        self.say(f"{len(self.names)} models ({', '.join(self.names)}), {HISTORY_DAYS} days of history, then "
                 f"{(self.hours - HISTORY_DAYS * 24) // 24} days served; broker {self.bootstrap}, files in {self.folder}")
        for hour in range(HISTORY_DAYS * 24):
            self.feed(hour)
        self.flush()
        for name in self.names:
            subprocess.run(self.python("trainer.py", "--first", name), check=True, stdout=subprocess.DEVNULL)
        self.configure()
        self.server = Child(
            "server", self.python("serve.py", "--from", self.served_from, *self.names), self.folder)
        self.trainer = self.start_trainer()
        self.worker = Child(
            "worker", [self.options.driftgate, "run", "--config", self.folder / "driftgate.yaml"], self.folder)
        self.ears = topics.follow(
            self.bootstrap, ["predictions", "retraining-decisions", "training-requests", "training-status",
                             "retraining-alerts"])
        last = HISTORY_DAYS * 24
        served = self.hours - last
        provoked = {
            last + served // 3: self.kill_trainer, last + served // 2: self.ship_bad,
            last + served * 2 // 3: self.lose_trainer}
        self.hour = last
        while self.hour < self.hours:
            provoke = provoked.pop(self.hour, None)
            if provoke:
                provoke()
            self.step()
            self.until("the trainer's answers", lambda: not self.open_requests())
        for child in (self.trainer, self.server, self.worker):
            child.end()
        # Before the broker, or its clients would complain of it.
        self.ears.close()
        self.flush()
        del self.producer
        self.broker.end()

    def python(self, script, *further):
        if script == "trainer.py":
            further = ("--stream-time", *further)
        return [sys.executable, "-u", str(TRAINER / script), "--bootstrap", self.bootstrap, "--registry",
                str(self.registry), *map(str, further)]

    def start_trainer(self, *further):
        return Child("trainer", self.python("trainer.py", *further), self.folder)

    def configure(self):
        settings = {
            "kafka": {"bootstrap_servers": [self.bootstrap], "transactions": False},
            "drift_check_interval_mins": 60, "log_dir": str(self.folder / "decisions"),
            "safeguards": {"max_trigger_lag_mins": None}, "http": {"address": None},
            "worker": {"first_start_lookback_days": 400},
            "models": {name: {"pool": name} for name in self.names}}
        (self.folder / "driftgate.yaml").write_text(json.dumps(settings, indent=2))

    # The stream

    def time(self, hour):
        return self.start + hour * HOUR

    def feed(self, hour):
        for entity in self.entities:
            values = {m: float(v) for m, v in zip(entity.metrics, entity.values[hour]) if v == v}
            at = self.time(hour)
            if entity.cpu[hour] == entity.cpu[hour]:
                self.send("load", entity.name, {
                    "pool": entity.name, "entity": entity.name, "at": at, "cpu_pct": float(entity.cpu[hour])}, at)
            if values:
                self.send("actuals", entity.name, {
                    "model": entity.name, "entity": entity.name, "at": at, "values": values}, at)
            else:
                self.issued[entity.name] = max(self.issued[entity.name], at)

    def step(self):
        """Feeds one hour, and waits until it was forecast on and the hour before decided about."""
        now, before = self.time(self.hour), self.time(self.hour - 1)
        self.feed(self.hour)
        self.flush()
        self.until(f"forecasts of {self.label(now)}", lambda: min(self.issued.values()) >= now)
        self.until(f"decisions about {self.label(before)}",
                   lambda: before < self.served_from or min(self.decided.values()) >= before)
        self.hour += 1

    def send(self, topic, key, record, at):
        self.producer.produce(topic, json.dumps(record), key=key, timestamp=at)

    def flush(self):
        if self.producer.flush(30):
            raise SystemExit("the broker took no records within 30 s")

    def until(self, what, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.listen()
            for child in Child.alive:
                child.check()
            if time.monotonic() > deadline:
                raise SystemExit(f"waited {PATIENCE} s for {what}; logs are in {self.folder}")

    def listen(self):
        for message in self.ears.consume(500, 0.01):
            if message.error():
                raise KafkaException(message.error())
            body = topics.record(message)
            if self.published and message.topic() in ("retraining-decisions", "training-requests", "retraining-alerts"):
                self.published.write(as_kcat(message) + "\n")
            {"predictions": self.hear_prediction, "retraining-decisions": self.hear_decision,
             "training-requests": self.hear_request, "training-status": self.hear_status,
             "retraining-alerts": self.alerts.append}[message.topic()](body)

    def hear_prediction(self, body):
        name, at = body["model"], body["issued_at"]
        if not body.get("shadow"):
            previous = self.forecasts.setdefault(name, {})
            for metric, value in body["values"].items():
                previous.setdefault((metric, (body["at"] - at) // HOUR), {})[at] = (value, body["model_version"])
            if (body["at"] - at) // HOUR == max(HORIZONS):
                self.issued[name] = max(self.issued[name], at)

    def hear_decision(self, body):
        if "verdict_id" in body:
            self.verdicts.append(body)
            self.say(f"{self.label(body['at_ms'])}  {body['model']}  verdict {body['outcome']}: {body['text']}")
            return
        self.decided[body["model"]] = max(self.decided.get(body["model"], 0), body["evaluated_at_ms"])

    def hear_request(self, body):
        self.attempts.setdefault(body["request_id"], []).append(body["attempt"])
        if body["request_id"] in self.requests:
            # Otherwise it crossed with the answer on the way.
            if body["request_id"] not in self.statuses:
                self.say(f"    sent again, attempt {body['attempt']}")
        else:
            window = body["training_window"]
            self.say(f"{self.label(body['requested_at_ms'])}  {body['model']}  request {body['reason']['code']}, "
                     f"window {'complete' if window['complete'] else 'not complete'}: {body['reason']['text']}")
        self.requests[body["request_id"]] = body

    def hear_status(self, body):
        self.statuses.setdefault(body["request_id"], []).append(body)
        if body["status"] == "succeeded" and body["request_id"] not in self.ending:
            self.say(f"    trained: {body['model_version']}, WAPE on its window {body['metrics']['wape_before']} → "
                     f"{body['metrics']['wape_after']}, {body['metrics']['records']} records read")
        if body["status"] in ("succeeded", "failed", "rejected", "cancelled"):
            self.ending[body["request_id"]] = body

    def open_requests(self):
        return set(self.requests) - set(self.ending)

    # What is provoked

    def ask(self, model, reason):
        """`driftgate request`, as an operator types it, and the request that comes of it.

        The worker takes the command with the first hour that it decides about after having read it.
        """
        subprocess.run(
            [self.options.driftgate, "request", "--config", str(self.folder / "driftgate.yaml"), "--model", model,
             "--reason", reason, "--by", "closed-loop", "--time", str(self.time(self.hour - 1) + 1)],
            check=True, stdout=subprocess.DEVNULL)
        for _ in range(6):
            self.step()
            for request, body in self.requests.items():
                if body["model"] == model and reason in body["reason"]["text"]:
                    return request
        raise SystemExit(f"nobody requested a training of {model}; logs are in {self.folder}")

    def candidate(self):
        """The model that was longest without a training."""
        last = {name: 0 for name in self.names}
        for request in self.requests.values():
            last[request["model"]] = max(last[request["model"]], request["requested_at_ms"])
        return min(self.names, key=lambda name: (last[name], name))

    def kill_trainer(self):
        model = self.candidate()
        self.say(f"{self.label(self.time(self.hour))}  PROVOKED: a training of {model}, during which the trainer is killed (kill -9)")
        self.trainer.end()
        self.trainer = self.start_trainer("--slow", "0.3")
        request = self.ask(model, "rehearsal: the trainer dies")
        self.until("progress", lambda: any(s["status"] == "progress" for s in self.statuses.get(request, [])))
        self.trainer.end(signal.SIGKILL)
        registry = Registry(self.registry)
        done, (_, cells) = len(registry.cells(request)), registry.newest(model)
        versions = registry.versions(model)
        self.say(f"    killed with {done} of {len(cells)} parts on its disk and nothing deployed; started again")
        self.trainer = self.start_trainer()
        self.until("the end of the training", lambda: request in self.ending)
        log = (self.folder / "trainer.log").read_text()
        kept = [line for line in log.splitlines() if request in line and "goes on with" in line]
        self.parts = (done, len(cells), int(kept[-1].split("goes on with ")[1].split()[0]) if kept else 0)
        self.say(f"    it went on with {self.parts[2]} and trained the rest; versions before and after: "
                 f"{len(versions)}, {len(Registry(self.registry).versions(model))}")
        self.notes[request] = KILLED

    def lose_trainer(self):
        model = self.candidate()
        self.say(f"{self.label(self.time(self.hour))}  PROVOKED: a training of {model} while no trainer is there")
        self.trainer.end(signal.SIGKILL)
        request = self.ask(model, "rehearsal: nobody is there")
        for _ in range(8):
            if self.overdue(request, "raised"):
                break
            self.step()
        alert = self.overdue(request, "raised")
        self.say(f"    alert: {alert[0]['text'] if alert else 'none'}")
        self.trainer = self.start_trainer()
        self.until("the end of the training", lambda: request in self.ending)
        # The worker resolves its alert with the next evaluation.
        for _ in range(3):
            self.step()
        self.notes[request] = LOST

    def overdue(self, request, state):
        return [alert for alert in self.alerts if alert["kind"] == "training_overdue" and alert["state"] == state
                and alert["model"] == self.requests[request]["model"]]

    def ship_bad(self):
        model = self.candidate()
        self.say(f"{self.label(self.time(self.hour))}  PROVOKED: a training of {model} that ships a bad model")
        self.trainer.end()
        self.trainer = self.start_trainer("--ship-bad")
        request = self.ask(model, "rehearsal: a bad model")
        self.until("the end of the training", lambda: request in self.ending)
        self.trainer.end()
        self.trainer = self.start_trainer()
        self.notes[request] = BAD
        self.bad_version = self.ending[request]["model_version"]

    # The books

    def wape(self, name, start, end, forecasts=None, without=None):
        """Of what served, over the forecasts issued in [start, end), each metric and horizon alike; None for nothing.

        Errors are held against the mean of all days served: some hours of a disk are all zeros. `without`: a version
        whose forecasts do not count.
        """
        entity = self.entities[self.names.index(name)]
        shares = []
        for (metric, horizon), issued in (forecasts or self.forecasts.get(name, {})).items():
            column = entity.metrics.index(metric)
            usual = numpy.nanmean(entity.values[HISTORY_DAYS * 24:self.hours, column])
            error = count = 0.0
            for at, (value, version) in issued.items():
                hour = (at - self.start) // HOUR + horizon
                if start <= at < end and version != without and hour < self.hours and entity.values[hour, column] == entity.values[hour, column]:
                    error += abs(value - entity.values[hour, column])
                    count += 1
            if count and usual > 0:
                shares.append(error / count / usual)
        return float(numpy.mean(shares)) if shares else None

    def never(self, name):
        """What the first version would have forecast all the time."""
        entity = self.entities[self.names.index(name)]
        row = Registry(self.registry).database.execute(
            "SELECT cells FROM versions WHERE model = ? AND version = 'first'", [name]).fetchone()
        forecasts = {}
        hours = numpy.arange(max(REACH, HISTORY_DAYS * 24), self.hours)
        for (metric, horizon), cell in pickle.loads(row[0]).items():
            rows = features(entity.values[:, entity.metrics.index(metric)], hours, horizon, self.start // HOUR)
            known = ~numpy.isnan(rows).any(axis=1)
            values = cell.predict(rows[known])
            forecasts[metric, horizon] = {
                self.time(int(hour)): (float(value), "first") for hour, value in zip(hours[known], values)}
        return forecasts

    def report(self):
        end = self.time(self.hours)
        lines = ["", "Trainings: accuracy (1 - WAPE) of what served, over 3 days before the request and 3 days after",
                 f"{'asked at':17} {'model':12} {'reason':15} {'before':>8} {'after':>8}  {'verdict':10} note"]
        for request_id, body in sorted(self.requests.items(), key=lambda item: item[1]["requested_at_ms"]):
            at, name = body["requested_at_ms"], body["model"]
            before, after = self.accuracy(request_id)
            version = self.ending.get(request_id, {}).get("model_version")
            verdict = next((v for v in self.verdicts if v["request_id"] == request_id), None)
            answer = verdict["outcome"] if verdict else "none yet" if version else self.ending[request_id]["status"]
            note = self.notes.get(request_id, "")
            if verdict and verdict["recommends_rollback"]:
                hours = (verdict["at_ms"] - at) // HOUR
                done = "rolled back" if self.rolled_back(verdict) else "roll-back recommended"
                note = f"{note + '; ' if note else ''}{done} after {hours} h"
            lines.append(f"{self.label(at):17} {name:12} {body['reason']['code']:15} {self.percent(before):>8} "
                         f"{self.percent(after):>8}  {answer:10} {note}".rstrip())
        lines += ["", "Models: accuracy over all days served, but for the hours of the model that was bad on purpose",
                  f"{'model':12} {'trainings':>9} {'never trained':>14} {'with driftgate':>15} {'ratio of errors':>16}"]
        for name in self.names:
            own = self.wape(name, self.served_from, end, without=self.bad_version)
            never = self.wape(name, self.served_from, end, self.never(name))
            count = sum(body["model"] == name for body in self.requests.values())
            lines.append(f"{name:12} {count:9} {self.percent(1 - never):>14} {self.percent(1 - own):>15} {own / never:16.2f}")
        outcomes = [v["outcome"] for v in self.verdicts]
        said = sum(len(words) for words in self.statuses.values())
        lines += ["", f"{len(self.requests)} requests, {len(self.ending)} answered; verdicts: "
                  + (", ".join(f"{outcomes.count(o)} {o}" for o in ("improved", "neutral", "regressed", "superseded"))),
                  f"{said} statuses; requests that made more than one version: "
                  f"{sum(len(self.versions_of(request)) > 1 for request in self.requests)}"]
        return lines

    def accuracy(self, request):
        """1 - WAPE of what served over 3 days before a request, and over 3 days after; None for nothing."""
        at, name = self.requests[request]["requested_at_ms"], self.requests[request]["model"]
        errors = self.wape(name, at - 3 * DAY, at), self.wape(name, at + HOUR, at + 3 * DAY)
        return [None if error is None else 1 - error for error in errors]

    def rolled_back(self, verdict):
        """Whether another version serves two hours after the verdict."""
        at = verdict["at_ms"] + 2 * HOUR
        serving = {issued[at][1] for issued in self.forecasts[verdict["model"]].values() if at in issued}
        return bool(serving) and verdict["new_version"] not in serving

    def faults(self):
        """What this run was to show and did not."""
        notes = {text: request for request, text in self.notes.items()}
        faults = []

        def expect(shown, otherwise):
            if not shown:
                faults.append(otherwise)

        expect(any(None not in self.accuracy(request) for request in self.requests), "accuracy before and after a training")
        expect(any(v["outcome"] in ("improved", "neutral", "regressed") for v in self.verdicts), "a verdict")
        regressed = [v for v in self.verdicts if v["request_id"] == notes.get(BAD) and v["recommends_rollback"]]
        expect(regressed, "that the bad model is found out")
        expect(regressed and self.rolled_back(regressed[0]), "that the bad model is rolled back")
        done, total, kept = self.parts or (0, 0, 0)
        expect(0 < done < total, "a trainer that dies in the middle of a training")
        expect(0 < done == kept, "that a restarted trainer goes on with what it had, and trains nothing twice")
        lost = notes.get(LOST)
        expect(self.attempts.get(lost) == [1, 2, 3], "that a request which nobody takes is sent three times")
        expect(lost and self.overdue(lost, "raised"), "an alert of a request that nobody takes")
        expect(lost and self.overdue(lost, "resolved"), "that this alert is resolved")
        for request in filter(None, (notes.get(KILLED), lost)):
            expect(len(self.versions_of(request)) == 1, f"that {self.notes[request]} makes one version, and does make it")
        expect(all(len(self.versions_of(request)) <= 1 for request in self.requests), "that no request makes two versions")
        expect(not self.open_requests(), "that every request is answered")
        return faults

    def versions_of(self, request):
        return {status["model_version"] for status in self.statuses.get(request, []) if status["status"] == "succeeded"}

    def say(self, text):
        print(text, flush=True)

    @staticmethod
    def percent(value):
        return "-" if value is None else f"{100 * value:.1f} %"

    @staticmethod
    def label(at):
        return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at / 1000))


def as_kcat(message):
    """A message as `kcat -J` prints it."""
    headers = [part for name, value in message.headers() or [] for part in (name, value.decode())]
    return json.dumps({
        "topic": message.topic(), "partition": message.partition(), "offset": message.offset(), "headers": headers,
        "key": (message.key() or b"").decode(), "payload": message.value().decode()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of NAME.actuals.csv.gz and NAME.load.csv.gz; made-up series without")
    parser.add_argument("--made-up", action="store_true", help="made-up series, which is also what is fed without --data")
    parser.add_argument("--entity", action="append", help="one of the folder; may be given again")
    parser.add_argument("--count", type=int, default=4, help="models, where --entity names none")
    parser.add_argument("--days", type=int, default=45, help="days to serve")
    parser.add_argument("--seed", type=int, default=7, help="of the made-up series")
    parser.add_argument("--driftgate", default="driftgate", help="the program")
    parser.add_argument("--events", help="write every event that driftgate publishes here, for contracts/check --events")
    options = parser.parse_args()
    if options.days < 15:
        parser.error("--days: fewer than 15 leave no time for a verdict")
    with tempfile.TemporaryDirectory(prefix="driftgate-loop-", ignore_cleanup_errors=True) as folder:
        loop = Loop(options, pathlib.Path(folder))
        began = time.monotonic()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            loop.run()
            if loop.published:
                loop.published.close()
            print("\n".join(loop.report()))
            faults = loop.faults()
            print(f"took {time.monotonic() - began:.0f} s")
            for fault in faults:
                print(f"NOT SHOWN: {fault}")
            status = 1 if faults else 0
        finally:
            for child in reversed(Child.alive[:]):
                child.end()
        sys.exit(status)


if __name__ == "__main__":
    main()
