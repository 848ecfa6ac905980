"""The example trainer against a broker in memory: what it says, what it reads, and what a kill leaves of it.

Needs confluent-kafka and scikit-learn; `scripts/test` makes an environment with them, or says that it cannot.
"""

import json
import os
import pathlib
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import numpy
from confluent_kafka import Producer

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "examples" / "trainer-python"
sys.path.insert(0, str(EXAMPLE))

import topics  # noqa: E402
from forecaster import HOUR, Cell, training_rows, wape  # noqa: E402
from registry import Registry  # noqa: E402

START = 1_760_313_600_000
DAYS = 40
#: From this hour on the day begins six hours later and everything is higher.
CHANGE = 30 * 24


def value(hour, entity):
    day = 12 * numpy.sin(2 * numpy.pi * ((hour - 6 * (hour >= CHANGE)) % 24) / 24)
    return (40 + 5 * entity + day + (hour * 7 + entity * 13) % 11 / 4) * (1.5 if hour >= CHANGE else 1)


class Broker:
    """The mock cluster of librdkafka, inside of this process."""

    def __init__(self):
        self.producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1:1", "log_level": 2})
        deadline = time.monotonic() + 30
        self.address = ""
        while not self.address and time.monotonic() < deadline:
            brokers = self.producer.list_topics(timeout=10).brokers.values()
            self.address = next((f"{broker.host}:{broker.port}" for broker in brokers if broker.port > 1), "")

    def send(self, topic, records, timestamp, partition=0):
        for record in records:
            self.producer.produce(topic, json.dumps(record), partition=partition, timestamp=timestamp)

    def flush(self):
        assert self.producer.flush(60) == 0

    def records(self, topic):
        """All there is; nothing of a topic that is not there yet."""
        if topic not in self.producer.list_topics(timeout=10).topics:
            return []
        return [topics.record(m) for m in topics.read_exactly(self.address, topics.whole(self.address, topic))]


class Process:
    """trainer.py or serve.py."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLE / script), *map(str, arguments)], stdout=subprocess.PIPE, text=True)

    def until(self, word):
        for line in self.process.stdout:
            if word in line:
                return line
        raise AssertionError(f"{word} was never said; status {self.process.wait()}")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()


    def end_and_tell(self):
        """What it has said since it was last asked; it ended as it was told to."""
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, self.process.returncode
        return text


def eventually(condition):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("not within 60 s")


class Scene:
    """A broker with 40 days of actuals, a first version trained on 30 of them, and what tests do with trainers."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        # Of each hour, the offset of its first record. Every 50th hour holds one that says nothing.
        cls.offsets = [0]
        cls.first = os.path.join(cls.folder.name, "first.db")
        for hour in range(DAYS * 24):
            if hour == CHANGE:
                cls.make_first()
            cls.feed(hour)
            if hour % 50 == 0:
                cls.broker.send("actuals", [{"nothing": 1}], START + hour * HOUR)
            cls.offsets.append(cls.offsets[-1] + (3 if hour % 50 == 0 else 2))
        cls.broker.flush()

    @classmethod
    def make_first(cls):
        cls.broker.flush()
        subprocess.run(
            [sys.executable, str(EXAMPLE / "trainer.py"), "--bootstrap", cls.broker.address, "--registry", cls.first,
             "--first", "m"], check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def feed(cls, hour):
        cls.broker.send("actuals", [
            {"model": "m", "entity": f"s{entity}", "at": START + hour * HOUR,
             "values": {"cpu_pct": value(hour, entity)}} for entity in (0, 1)], START + hour * HOUR)

    def setUp(self):
        name = self.id().rsplit(".", 1)[-1]
        self.requests, self.replies = f"{name}-requests", f"{name}-status"
        self.registry = self.copy("models")

    def copy(self, name):
        """A registry that holds the first version and nothing else."""
        path = os.path.join(self.folder.name, f"{self.requests}-{name}.db")
        shutil.copy(self.first, path)
        return path

    def trainer(self, *further, registry=None):
        return Process(
            "trainer.py", "--bootstrap", self.broker.address, "--registry", registry or self.registry,
            "--requests", self.requests, "--stream-time", *further)

    def server(self, start):
        name = self.requests.removesuffix("-requests")
        self.forecasts, self.verdicts = f"{name}-predictions", f"{name}-decisions"
        # Makes the topic.
        self.broker.send(self.verdicts, [{"nothing": 1}], START)
        self.broker.flush()
        return Process(
            "serve.py", "--bootstrap", self.broker.address, "--registry", self.registry, "--from", start,
            "--predictions", self.forecasts, "--decisions", self.verdicts, "m")

    def request(
            self, name="rt-aaaaaaaaaaaaaaaaaaaaaaaaaa", attempt=1, first=8 * 24, last=38 * 24, partition=0, **changes):
        end = START + last * HOUR
        data = {
            "request_id": name, "attempt": attempt, "model": "m", "model_version": "first", "mode": "incremental",
            "epochs": 1, "requested_at_ms": end, "keep_shadow_hours": 48, "reply_topic": self.replies,
            "training_window": {
                "from_ms": START + first * HOUR, "to_ms": end, "complete": True,
                "offsets": {"actuals": {"0": [self.offsets[first], self.offsets[last]]}}}, **changes}
        event = {"specversion": "1.0", "id": f"{name}.{attempt}", "source": "driftgate/test",
                 "type": "driftgate.request.v1", "data": data}
        self.broker.send(self.requests, [event], end, partition)
        self.broker.flush()
        return data

    def statuses(self, name="rt-aaaaaaaaaaaaaaaaaaaaaaaaaa"):
        return [s for s in self.broker.records(self.replies) if s["request_id"] == name]

    def words(self, *arguments):
        return [s["status"] for s in self.statuses(*arguments)]

    def query(self, text):
        with sqlite3.connect(self.registry, timeout=30) as database:
            return database.execute(text).fetchall()


class TrainerTests(Scene, unittest.TestCase):
    def test_reads_exactly_the_offsets_and_reports(self):
        request = self.request()
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words())
        trainer.end()
        self.assertEqual(self.words(), ["accepted", "started", "progress", "progress", "progress", "succeeded"])
        last = self.statuses()[-1]
        self.assertEqual(last["metrics"]["records"], self.offsets[38 * 24] - self.offsets[8 * 24])
        self.assertEqual(last["metrics"]["epochs"], 1)
        self.assertLess(last["metrics"]["wape_after"], last["metrics"]["wape_before"])
        self.assertGreaterEqual(last["at"], request["requested_at_ms"])
        self.assertLess(last["at"], request["requested_at_ms"] + 120_000)
        self.assertEqual(sorted(last["baseline"]), ["cpu_pct"])
        self.assertEqual(last["baseline"]["cpu_pct"]["count"], 30 * 24 * 2)

    def test_a_resend_is_answered_and_not_trained_again(self):
        self.request()
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words())
        self.request(attempt=2)
        eventually(lambda: self.words().count("succeeded") == 2)
        trainer.end()
        first, second = [s for s in self.statuses() if s["status"] == "succeeded"]
        self.assertEqual(first["model_version"], second["model_version"])
        self.assertEqual(self.words().count("started"), 1)
        self.assertEqual(self.query("SELECT count(*) FROM versions"), [(2,)])

    def test_what_it_cannot_do_is_rejected_or_failed_with_a_reason(self):
        self.request("rt-unknown", model="x")
        self.request("rt-mode", mode="full")
        self.request("rt-empty", first=0, last=1)
        trainer = self.trainer()
        eventually(lambda: "failed" in self.words("rt-empty"))
        trainer.end()
        self.assertEqual(self.words("rt-unknown"), ["rejected"])
        self.assertIn("--first", self.statuses("rt-unknown")[0]["errors"][0])
        self.assertEqual(self.words("rt-mode"), ["rejected"])
        self.assertIn("too few", self.statuses("rt-empty")[-1]["errors"][0])

    def test_killed_in_the_middle_it_neither_trains_twice_nor_forgets(self):
        self.request()
        trainer = self.trainer("--slow", 1)
        eventually(lambda: "progress" in self.words())
        trainer.end(signal.SIGKILL)
        done = self.query("SELECT metric, horizon, cell FROM cells")
        self.assertTrue(1 <= len(done) <= 2, done)
        self.assertEqual(self.query("SELECT count(*) FROM versions"), [(1,)], "nothing is half deployed")
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words())
        trainer.end()
        ((cells,),) = self.query("SELECT cells FROM versions WHERE version != 'first'")
        # What was trained before the kill is in the version as it was; and all of it is as without a kill.
        cells = pickle.loads(cells)
        self.assertEqual(len(cells), 3)
        for metric, horizon, cell in done:
            numpy.testing.assert_array_equal(cells[metric, horizon].weights, pickle.loads(cell).weights)
        undisturbed = self.copy("undisturbed")
        trainer = self.trainer(registry=undisturbed)
        eventually(lambda: Registry(undisturbed).state("rt-aaaaaaaaaaaaaaaaaaaaaaaaaa") == "succeeded")
        trainer.end()
        whole = dict(Registry(undisturbed).newest("m")[1])
        for key, cell in whole.items():
            numpy.testing.assert_array_equal(cells[key].weights, cell.weights)

    def test_killed_between_the_end_and_its_word_it_says_it_after_the_restart(self):
        self.request()
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words())
        trainer.end(signal.SIGKILL)
        # As a kill right before the brokers had the last word would have left it.
        with sqlite3.connect(self.registry) as database:
            database.execute("UPDATE outbox SET sent = 0 WHERE body LIKE '%succeeded%'")
            database.execute("DELETE FROM positions")
        trainer = self.trainer()
        eventually(lambda: self.words().count("succeeded") >= 2)
        trainer.end()
        self.assertEqual(self.words().count("started"), 1)
        self.assertEqual(len({s["model_version"] for s in self.statuses() if s["status"] == "succeeded"}), 1)

    def test_serves_the_new_version_with_the_old_one_in_its_shadow_and_rolls_back(self):
        served_from = START + 30 * 24 * HOUR
        server = self.server(served_from)
        eventually(lambda: self.count("first") == 10 * 24 * 2 * 3)
        self.request()
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words())
        trainer.end()
        version = self.statuses()[-1]["model_version"]
        self.feed_hours(DAYS * 24, 50)
        eventually(lambda: self.count(version) == 50 * 2 * 3)
        shadows = [p for p in self.predictions() if p.get("shadow")]
        self.assertEqual({p["model_version"] for p in shadows}, {"first"})
        self.assertEqual({p["issued_at"] for p in shadows}, {START + (DAYS * 24 + h) * HOUR for h in range(48)})
        server.end(signal.SIGKILL)
        # A second version, and driftgate's word that it is worse.
        self.request("rt-bbbbbbbbbbbbbbbbbbbbbbbbbb")
        trainer = self.trainer()
        eventually(lambda: "succeeded" in self.words("rt-bbbbbbbbbbbbbbbbbbbbbbbbbb"))
        trainer.end()
        second = self.statuses("rt-bbbbbbbbbbbbbbbbbbbbbbbbbb")[-1]["model_version"]
        server = self.server(served_from)
        self.feed_hours(DAYS * 24 + 50, 1)
        eventually(lambda: self.count(second) == 6)
        verdict = {"model": "m", "new_version": second, "recommends_rollback": True}
        self.broker.send(self.verdicts, [{"specversion": "1.0", "data": verdict}], START)
        self.broker.flush()
        server.until("back to")
        self.feed_hours(DAYS * 24 + 51, 1)
        eventually(lambda: self.count(version) == 52 * 2 * 3)
        server.end()
        last = [p for p in self.predictions() if p["issued_at"] == START + (DAYS * 24 + 51) * HOUR]
        self.assertEqual({(p["model_version"], p.get("shadow", False)) for p in last}, {(version, False)})
        keys = [(p["model_version"], p["entity"], p["at"], p["issued_at"]) for p in self.predictions()]
        self.assertEqual(len(keys), len(set(keys)), "the kill doubled nothing here")

    def feed_hours(self, first, hours):
        for hour in range(first, first + hours):
            self.feed(hour)
        self.broker.flush()

    def predictions(self):
        return self.broker.records(self.forecasts)

    def count(self, version):
        return sum(p["model_version"] == version for p in self.predictions())


@unittest.skipUnless(shutil.which("kcat") and shutil.which("jq"), "needs kcat and jq")
class ShellTrainerTests(unittest.TestCase):
    def test_takes_requests_and_says_how_it_went(self):
        broker = Broker()
        for name in ("good", "bad"):
            data = {"request_id": f"rt-{name}", "reply_topic": "training-status", "model": name}
            broker.send("training-requests", [{"specversion": "1.0", "data": data}], START)
        broker.flush()
        process = subprocess.Popen(
            [str(TOP / "examples" / "trainer-shell" / "trainer"), broker.address, "bash", "-c",
             "read -r r; [[ $r != *bad* ]] && echo v2"], start_new_session=True)

        def said():
            return [(s["request_id"], s["status"]) for s in broker.records("training-status")]

        try:
            eventually(lambda: ("rt-bad", "failed") in said())
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
        self.assertEqual(said(), [
            ("rt-good", "accepted"), ("rt-good", "started"), ("rt-good", "succeeded"),
            ("rt-bad", "accepted"), ("rt-bad", "started"), ("rt-bad", "failed")])
        versions = [s.get("model_version") for s in broker.records("training-status")]
        self.assertEqual(versions, [None, None, "v2", None, None, None])


class ForecasterTests(unittest.TestCase):
    def rows(self, factor=1.0, origin=0):
        series = numpy.array([value(origin + hour, 0) * factor for hour in range(30 * 24)])
        return training_rows([series], 6, origin)

    def test_learning_goes_on_from_the_weights_and_gets_better_on_changed_data(self):
        cell = Cell(*self.rows())
        rows, targets = self.rows(factor=2.0)
        before = wape(cell.predict(rows), targets)
        cell.learn(rows, targets, epochs=1, seed=1)
        self.assertLess(wape(cell.predict(rows), targets), before)

    def test_the_hour_of_the_day_does_not_hang_on_where_a_window_begins(self):
        first, _ = self.rows(origin=0)
        second, _ = self.rows(origin=5)
        numpy.testing.assert_allclose(first[5, -4:], second[0, -4:])

    def test_a_rollback_goes_back_to_what_was_replaced_even_after_its_shadow(self):
        registry = Registry(":memory:")
        for version in ("first", "second"):
            registry.add_version("m", version, {}, keep_shadow_ms=48 * HOUR)
            registry.advance("m", 0)
        registry.advance("m", 48 * HOUR)
        self.assertEqual([row[:2] for row in registry.in_use("m")], [("second", False)])
        self.assertIsNone(registry.roll_back("m", "first"), "that one does not serve")
        self.assertEqual(registry.roll_back("m", "second"), "first")
        self.assertEqual([row[:2] for row in registry.in_use("m")], [("first", False)])
        self.assertIsNone(registry.roll_back("m", "first"), "there is nothing before it")

    def test_gaps_leave_rows_out(self):
        series = numpy.array([value(hour, 0) for hour in range(300)])
        whole, _ = training_rows([series], 1, 0)
        series[250] = numpy.nan
        rows, targets = training_rows([series], 1, 0)
        self.assertLess(len(rows), len(whole))
        self.assertFalse(numpy.isnan(rows).any() or numpy.isnan(targets).any())


if __name__ == "__main__":
    unittest.main()
