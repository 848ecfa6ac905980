"""The verifier must see each kind of fault. Needs no package and no cluster: `python3 -m unittest discover Tests/cluster`."""

import copy
import unittest

import verify
from verify import Record, Run

HOUR = 3_600_000
START = 1_795_000_000_000 // HOUR * HOUR
TOPICS = {"predictions": "a-predictions", "actuals": "a-actuals"}


def event(kind, name, data):
    return {"specversion": "1.0", "id": name, "type": f"driftgate.{kind}.v1", "data": data}


def decision(model, hour, request=None, score=0.05, topic="a-predictions", lag=1.5):
    name = f"{model}@{START + hour * HOUR}"
    data = {
        "decision_id": name, "model": model, "evaluated_at_ms": START + hour * HOUR,
        "checks": [{"check": "catching_up", "answer": "pass", "value": lag}, {"check": "no_drift", "value": score}],
        "outcome": "trigger" if request else "hold", "request_id": request, "signal": {"score": score},
        "cut": {"positions": {topic: {"0": 10 * hour}}, "wall_clock_ms": 7}}
    return Record("decisions", 0, hour, START + hour * HOUR, event("decision", name, data))


def request(model, hour, name, attempt=1):
    data = {
        "request_id": name, "attempt": attempt, "model": model, "requested_at_ms": START + hour * HOUR,
        "decision_id": f"{model}@{START + hour * HOUR}"}
    return Record("requests", 0, hour, START + hour * HOUR, event("request", f"{name}.{attempt}", data))


def status(name, hour, what):
    return Record("status", 0, hour, START + hour * HOUR, {"request_id": name, "status": what})


def dead_letter(offset):
    headers = {"__connect.errors.topic": "actuals", "__connect.errors.partition": "0",
               "__connect.errors.offset": str(offset)}
    return Record("dead", 0, offset, START, "not JSON", headers)


def good_run():
    """Two models, ten hours, two requests of the first one after the other, one of them sent again."""
    requests = {2: "rt-a", 6: "rt-b"}
    decisions = [decision("one", hour, requests.get(hour)) for hour in range(1, 11)]
    decisions += [decision("two", hour) for hour in range(1, 11)]
    records = {
        "decisions": decisions,
        "requests": [request("one", 2, "rt-a"), request("one", 2, "rt-a", attempt=2), request("one", 6, "rt-b")],
        "training_status": [status("rt-a", 3, "accepted"), status("rt-a", 5, "succeeded")],
        "dead_letters": [dead_letter(4), dead_letter(9)],
        "alerts": [Record("alerts", 0, 0, START, event("alert", "sla_breach/one/raised@1", {}))],
    }
    meta = {"models": ["one", "two"], "interval_ms": HOUR, "last_boundary_ms": START + 10 * HOUR, "broken": 2,
            "topics": TOPICS}
    return Run(meta, records, [{"a-0": 1}, {"a-0": 5, "b-0": 2}, {"a-0": 5, "b-0": 2}])


def failed(run, clean=None):
    """The titles of the checks that fail."""
    shown = []
    passed = verify.report(run, clean, say=shown.append)
    titles = [title for title, check in verify.CHECKS if check(run)]
    if clean is not None and any("decisions as without faults" in line and "FAILED" in line for line in shown):
        titles.append("decisions as without faults")
    assert passed == (not titles)
    return titles


class Faults(unittest.TestCase):
    def setUp(self):
        self.run_ = good_run()

    def test_a_good_run_passes(self):
        self.assertEqual(failed(self.run_), [])
        self.assertEqual(failed(self.run_, good_run()), [])

    def test_a_request_published_twice(self):
        self.run_.records["requests"].append(request("one", 2, "rt-a"))
        self.assertIn("each request once as attempt 1", failed(self.run_))

    def test_an_attempt_left_out(self):
        self.run_.records["requests"].append(request("one", 6, "rt-b", attempt=3))
        self.assertEqual(failed(self.run_), ["re-sends only as higher attempts"])

    def test_an_attempt_sent_twice(self):
        self.run_.records["requests"].append(request("one", 2, "rt-a", attempt=2))
        self.assertEqual(failed(self.run_), ["re-sends only as higher attempts"])

    def test_a_request_without_decision(self):
        self.run_.records["decisions"][1] = decision("one", 2)
        self.assertEqual(failed(self.run_), ["each request has its decision"])

    def test_a_trigger_without_request(self):
        self.run_.records["requests"].pop()
        self.assertEqual(failed(self.run_), ["each trigger has its request"])

    def test_a_decision_published_twice(self):
        self.run_.records["decisions"].append(decision("two", 4))
        self.assertEqual(failed(self.run_), ["each decision once", "one decision a model and boundary, no gap"])

    def test_a_boundary_without_decision(self):
        del self.run_.records["decisions"][4]
        self.assertEqual(failed(self.run_), ["one decision a model and boundary, no gap"])

    def test_the_last_boundary_without_decision(self):
        self.run_.records["decisions"].pop()
        self.assertEqual(failed(self.run_), ["one decision a model and boundary, no gap"])

    def test_a_model_without_decisions(self):
        self.run_.meta["models"].append("three")
        self.assertEqual(failed(self.run_), ["one decision a model and boundary, no gap"])

    def test_two_open_requests(self):
        self.run_.records["training_status"][1] = status("rt-a", 7, "succeeded")
        self.assertEqual(failed(self.run_), ["never two open requests of a model"])

    def test_a_request_never_ended(self):
        self.run_.records["training_status"].pop()
        self.assertEqual(failed(self.run_), ["never two open requests of a model"])

    def test_a_dead_letter_twice(self):
        self.run_.records["dead_letters"].append(dead_letter(9))
        self.assertEqual(failed(self.run_), ["each broken record is one dead letter"])

    def test_a_dead_letter_lost(self):
        self.run_.records["dead_letters"].pop()
        self.assertEqual(failed(self.run_), ["each broken record is one dead letter"])

    def test_an_alert_twice(self):
        self.run_.records["alerts"] *= 2
        self.assertEqual(failed(self.run_), ["each alert and verdict once"])

    def test_offsets_that_went_back(self):
        self.run_.positions.append({"a-0": 4})
        self.assertEqual(failed(self.run_), ["committed offsets never went back"])

    def test_what_was_aborted_does_not_count(self):
        twin = copy.copy(self.run_.records["requests"][0])
        twin.committed = False
        self.run_.records["requests"].append(twin)
        self.assertEqual(failed(self.run_), [])
        self.assertEqual(verify.hidden(self.run_), (1, 1))

    def test_what_was_only_aborted_is_missing(self):
        self.run_.records["decisions"][4].committed = False
        self.assertEqual(failed(self.run_), ["one decision a model and boundary, no gap"])
        self.assertEqual(verify.hidden(self.run_), (1, 0))


class Comparing(unittest.TestCase):
    def test_another_score_at_the_same_cut_fails(self):
        run = good_run()
        run.records["decisions"][5] = decision("one", 6, "rt-b", score=0.06)
        self.assertEqual(failed(run, good_run()), ["decisions as without faults"])

    def test_another_score_after_another_cut_may_follow_from_it(self):
        run = good_run()
        run.records["decisions"][3].value["data"]["cut"]["positions"] = {"a-predictions": {"0": 39}}
        run.records["decisions"][5] = decision("one", 6, "rt-b", score=0.06)
        found = verify.compare(run, good_run())
        self.assertEqual((found.other_cut, found.after_other_cut, found.different), (1, 1, []))

    def test_topics_have_other_names_and_clocks_differ(self):
        run = good_run()
        run.meta["topics"] = {"predictions": "b-predictions", "actuals": "b-actuals"}
        for record in run.records["decisions"]:
            cut = record.data["cut"]
            cut["positions"] = {"b-predictions": cut["positions"]["a-predictions"]}
            cut["wall_clock_ms"] = 8
            record.data["checks"][0]["value"] = 2.5
        self.assertEqual(verify.compare(run, good_run()).equal, 20)


if __name__ == "__main__":
    unittest.main()
