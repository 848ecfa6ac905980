"""The example trainer killed before each of its steps, one after the other; and two trainers that share the work."""

import multiprocessing
import os
import pickle
import signal
import sqlite3
import time
import unittest

# Inherited by the processes that are forked off, which must find the same modules.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [os.path.dirname(os.path.abspath(__file__)),
     os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "trainer-python")])
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy  # noqa: E402

from test_trainer import Scene, eventually  # noqa: E402  (puts the example on the path)

import dying  # noqa: E402
from registry import Registry  # noqa: E402

REQUEST = "rt-aaaaaaaaaaaaaaaaaaaaaaaaaa"


class KillTests(Scene, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Forks of a process that has imported everything and holds nothing: a start takes no time.
        cls.processes = multiprocessing.get_context("forkserver")
        cls.processes.set_forkserver_preload(["dying"])

    def run_trainer(self, die_at):
        process = self.processes.Process(
            target=dying.run, daemon=True,
            args=(["--bootstrap", self.broker.address, "--registry", self.registry, "--requests", self.requests,
                   "--stream-time"], die_at, self.log))
        process.start()
        return process

    def steps(self):
        with open(self.log) as file:
            return file.read().split()

    def is_over(self):
        with sqlite3.connect(self.registry, timeout=30) as database:
            (ended, unsaid, noted) = database.execute(
                "SELECT (SELECT count(*) FROM requests WHERE state = 'succeeded'),"
                " (SELECT count(*) FROM outbox WHERE sent = 0), (SELECT count(*) FROM positions)").fetchone()
        return ended == 1 and unsaid == 0 and noted == 1

    def begin(self, name):
        self.requests, self.replies = f"{name}-requests", f"{name}-status"
        self.registry = self.copy("models")
        self.log = f"{self.registry}.steps"
        open(self.log, "w").close()
        self.request()

    def cells(self):
        ((cells,),) = self.query("SELECT cells FROM versions WHERE version != 'first'")
        return pickle.loads(cells)

    def test_killed_before_any_of_its_steps_it_trains_once_and_forgets_nothing(self):
        self.begin("undisturbed")
        process = self.run_trainer(die_at=0)
        eventually(self.is_over)
        process.terminate()
        process.join()
        undisturbed, steps = self.cells(), self.steps()
        self.assertEqual(steps.count("learn"), 3)
        self.assertGreater(len(steps), 15)
        for number in range(1, len(steps) + 1):
            with self.subTest(before=steps[number - 1], number=number):
                self.kill_before(number, undisturbed)

    def kill_before(self, number, undisturbed):
        self.begin(f"kill-{number}")
        process = self.run_trainer(die_at=number)
        process.join(60)
        self.assertEqual(process.exitcode, -signal.SIGKILL)
        self.assertEqual(len(self.steps()), number - 1)
        kept = len(self.query("SELECT * FROM cells"))
        ended = "finish" in self.steps()
        learned = self.steps().count("learn")
        process = self.run_trainer(die_at=0)
        eventually(self.is_over)
        process.terminate()
        process.join()
        # What was on disk was not trained again.
        self.assertEqual(self.steps().count("learn") - learned, 0 if ended else 3 - kept)
        self.assertEqual(self.steps().count("finish"), 1)
        cells = self.cells()
        self.assertEqual(cells.keys(), undisturbed.keys())
        for key, cell in undisturbed.items():
            numpy.testing.assert_array_equal(cells[key].weights, cell.weights)
        # All was said at least once, and in order where it was said first.
        words = self.words()
        self.assertEqual(list(dict.fromkeys(words)), ["accepted", "started", "progress", "succeeded"])
        self.assertEqual(words[-1], "succeeded")
        self.assertEqual(len({s["model_version"] for s in self.statuses() if s["status"] == "succeeded"}), 1)


class GroupTests(Scene, unittest.TestCase):
    def names(self, count):
        return [f"rt-{'abcdefgh'[number] * 26}" for number in range(count)]

    def ended(self):
        with sqlite3.connect(self.registry, timeout=30) as database:
            return database.execute("SELECT count(*) FROM requests WHERE state = 'succeeded'").fetchone()[0]

    def start(self, *further):
        trainer = self.trainer("--group", f"{self.requests}-group", *further)
        trainer.until("ready")
        return trainer

    def begun(self, name):
        return self.query(f"SELECT count(*) FROM cells WHERE request_id = '{name}'")[0][0]

    def test_two_trainers_of_a_group_share_the_work_and_take_over_from_one_that_died(self):
        # Makes the topic.
        self.broker.send(self.requests, [{"nothing": 1}], 1)
        self.broker.flush()
        trainers = [self.start("--slow", 0.2), self.start("--slow", 0.2)]
        names = self.names(6)
        for number, name in enumerate(names):
            self.request(name, partition=number % 2)
        eventually(lambda: any(self.begun(name) for name in names))
        trainers[0].end(signal.SIGKILL)
        eventually(lambda: self.ended() == len(names))
        trainers[1].end()
        for name in names:
            self.assertIn("succeeded", self.words(name))
            self.assertEqual(
                len({s["model_version"] for s in self.statuses(name) if s["status"] == "succeeded"}), 1)
        # A version a request, and the first.
        self.assertEqual(self.query("SELECT count(*) FROM versions"), [(1 + len(names),)])

    def test_what_one_trainer_is_at_no_other_touches(self):
        """Both hear of every request: no group keeps them apart."""
        # Makes the topic.
        self.broker.send(self.requests, [{"nothing": 1}], 1)
        self.broker.flush()
        trainers = [self.trainer("--slow", 0.3) for _ in range(2)]
        for trainer in trainers:
            trainer.until("ready")
        self.request()
        eventually(lambda: self.begun(REQUEST))
        self.request(attempt=2)
        eventually(lambda: "succeeded" in self.words())
        time.sleep(1.5)
        said = [trainer.end_and_tell() for trainer in trainers]
        self.assertEqual(sum("first → " in text for text in said), 1, said)
        self.assertGreaterEqual(sum(text.count("said again") for text in said), 3, said)
        self.assertEqual(self.query("SELECT count(*) FROM versions"), [(2,)])

    def test_the_lock_on_a_request_goes_with_its_holder(self):
        registry = Registry(self.registry)
        registry.take({"request_id": REQUEST, "model": "m"}, "t", {"request_id": REQUEST, "status": "accepted"})

        def hold(path, ready):
            with Registry(path).claim(REQUEST) as is_mine:
                ready.send(is_mine)
                time.sleep(60)

        mine, theirs = multiprocessing.get_context("fork").Pipe()
        process = multiprocessing.get_context("fork").Process(target=hold, args=(self.registry, theirs))
        process.start()
        self.assertTrue(mine.recv())
        with registry.claim(REQUEST) as is_mine:
            self.assertFalse(is_mine)
        process.kill()
        process.join()
        with registry.claim(REQUEST) as is_mine:
            self.assertTrue(is_mine)


if __name__ == "__main__":
    unittest.main()
