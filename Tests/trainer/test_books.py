"""The books of the closed loop: what was not shown is said, and nothing else."""

import sys
import unittest

from test_trainer import TOP  # (puts the example on the path)

sys.path.insert(0, str(TOP / "examples" / "closed-loop"))

import loop  # noqa: E402


def shown():
    """A run that has shown everything."""
    run = loop.Loop.__new__(loop.Loop)
    run.requests = {name: {"model": "m", "requested_at_ms": 0} for name in ("killed", "bad", "lost", "other")}
    run.ending = {name: {"status": "succeeded"} for name in run.requests}
    run.statuses = {name: [{"status": "succeeded", "model_version": name}] * 2 for name in run.requests}
    run.attempts = {"lost": [1, 2, 3]}
    run.notes = {"killed": loop.KILLED, "bad": loop.BAD, "lost": loop.LOST}
    run.parts = (2, 6, 2)
    run.verdicts = [{"request_id": "bad", "outcome": "regressed", "recommends_rollback": True}]
    run.alerts = [{"kind": "training_overdue", "state": state, "model": "m"} for state in ("raised", "resolved")]
    run.accuracy = lambda request: [0.8, 0.9]
    run.rolled_back = lambda verdict: True
    return run


class BooksTests(unittest.TestCase):
    def test_a_run_that_shows_everything_has_no_faults(self):
        self.assertEqual(shown().faults(), [])

    def test_whatever_is_missing_is_a_fault(self):
        def without(**changes):
            run = shown()
            for name, value in changes.items():
                setattr(run, name, value)
            return run.faults()

        cases = {
            "accuracy before and after": without(accuracy=lambda request: [0.8, None]),
            "a verdict": without(verdicts=[{**shown().verdicts[0], "outcome": "superseded"}]),
            "is found out": without(verdicts=[{**shown().verdicts[0], "recommends_rollback": False}]),
            "is rolled back": without(rolled_back=lambda verdict: False),
            "dies in the middle": without(parts=None),
            "dies in the middle of": without(parts=(6, 6, 6)),
            "trains nothing twice": without(parts=(2, 6, 0)),
            "sent three times": without(attempts={"lost": [1]}),
            "nobody takes": without(alerts=shown().alerts[1:]),
            "alert is resolved": without(alerts=shown().alerts[:1]),
            "trainer killed and restarted makes one": without(statuses={**shown().statuses, "killed": []}),
            "no trainer at first makes one": without(notes={"killed": loop.KILLED, "bad": loop.BAD, "lost": loop.LOST},
                                                     statuses={**shown().statuses, "lost": []}),
            "makes two versions": without(statuses={**shown().statuses, "other": [
                {"status": "succeeded", "model_version": version} for version in "ab"]}),
            "is answered": without(ending={}),
        }
        for words, faults in cases.items():
            with self.subTest(words):
                self.assertTrue(any(words in fault for fault in faults), faults)

    def test_a_run_without_provocations_says_so(self):
        run = shown()
        run.notes, run.parts, run.attempts, run.alerts = {}, None, {}, []
        self.assertGreaterEqual(len(run.faults()), 6)


if __name__ == "__main__":
    unittest.main()
