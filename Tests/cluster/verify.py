#!/usr/bin/env python3
"""Judges what a run left in its topics: `verify.py RUN [--clean RUN]`.

Knows nothing of driftgate's code and needs no package: it reads the files that `run.py` wrote from the topics. Each
check is a function from a Run to the lines that say what is wrong; none means that it passed.
"""

import argparse
import collections
import json
import pathlib
import sys

ENDED = {"succeeded", "failed", "cancelled", "rejected", "expired"}
SHOWN = 5


class Record:
    """One record of an output topic, and whether a read-committed reader sees it."""

    def __init__(self, topic, partition, offset, timestamp, value, headers=None, committed=True):
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.value = value
        self.headers = headers or {}
        self.committed = committed

    @property
    def data(self):
        return self.value.get("data", {}) if isinstance(self.value, dict) else {}

    @property
    def kind(self):
        return self.value.get("type", "").split(".")[-2] if isinstance(self.value, dict) and "type" in self.value else ""


class Run:
    """What is known of one run.

    meta: models (names), interval_ms, last_boundary_ms, broken (records that must become dead letters), names of topics
    records: by role: decisions, requests, alerts, dead_letters, training_status
    positions: samples of the group's committed offsets, in order: {"topic-partition": offset}
    """

    def __init__(self, meta, records, positions=(), faults=()):
        self.meta = meta
        self.records = records
        self.positions = list(positions)
        self.faults = list(faults)

    @staticmethod
    def load(folder):
        folder = pathlib.Path(folder)
        records = collections.defaultdict(list)
        for line in (folder / "records.jsonl").read_text().splitlines():
            entry = json.loads(line)
            role = entry.pop("role")
            try:
                entry["value"] = json.loads(entry["value"])
            except ValueError:
                pass
            records[role].append(Record(**entry))
        return Run(
            json.loads((folder / "meta.json").read_text()), records, lines(folder / "positions.jsonl"),
            lines(folder / "faults.jsonl"))

    def seen(self, role, kind=None):
        """What a read-committed reader gets."""
        return [
            record for record in self.records.get(role, [])
            if record.committed and (kind is None or record.kind == kind)]

    @property
    def decisions(self):
        return self.seen("decisions", "decision")

    @property
    def requests(self):
        return self.seen("requests", "request")


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def repeated(values):
    return {value: count for value, count in collections.Counter(values).items() if count > 1}


# Checks


def requests_are_single(run):
    first = [record.data["request_id"] for record in run.requests if record.data["attempt"] == 1]
    return [f"{name} was requested {count} times as attempt 1" for name, count in repeated(first).items()]


def resends_are_higher_attempts(run):
    attempts = collections.defaultdict(list)
    for record in run.requests:
        attempts[record.data["request_id"]].append(record.data["attempt"])
    return [
        f"{name} has the attempts {found}" for name, found in attempts.items()
        if sorted(set(found)) != list(range(1, max(found) + 1)) or (found.count(1) == 1 and repeated(found))]


def requests_have_decisions(run):
    triggers = {record.data["request_id"]: record.data for record in run.decisions if record.data.get("request_id")
                and record.data["outcome"] == "trigger"}
    wrong = []
    for record in run.requests:
        decision = triggers.get(record.data["request_id"])
        if decision is None:
            wrong.append(f"request {record.data['request_id']} has no decision")
        elif decision["decision_id"] != record.data["decision_id"]:
            wrong.append(f"request {record.data['request_id']} names another decision than its own")
    return wrong


def triggers_have_requests(run):
    requested = {record.data["request_id"] for record in run.requests}
    return [
        f"{record.data['decision_id']} triggered, and {record.data['request_id']} was not requested"
        for record in run.decisions
        if record.data["outcome"] == "trigger" and record.data.get("request_id") not in requested]


def decisions_are_single(run):
    names = repeated(record.data["decision_id"] for record in run.decisions)
    return [f"decision {name} was published {count} times" for name, count in names.items()]


def decisions_have_no_gap(run):
    interval, last = run.meta["interval_ms"], run.meta["last_boundary_ms"]
    wrong = []
    for model in run.meta["models"]:
        times = [record.data["evaluated_at_ms"] for record in run.decisions if record.data["model"] == model]
        if not times:
            wrong.append(f"{model} has no decision")
            continue
        for time, count in repeated(times).items():
            wrong.append(f"{model} was decided {count} times at {time}")
        missing = set(range(min(times), last + 1, interval)) - set(times)
        if missing:
            wrong.append(f"{model} lacks {len(missing)} decisions between {min(times)} and {last}, first {min(missing)}")
    return wrong


def no_two_open_requests(run):
    """A model's next request must not come before the last one has ended, by the records' own times."""
    ends = {}
    for record in run.seen("training_status"):
        if isinstance(record.value, dict) and record.value.get("status") in ENDED:
            ends.setdefault(record.value["request_id"], record.timestamp)
    by_model = collections.defaultdict(dict)
    for record in run.requests:
        by_model[record.data["model"]][record.data["request_id"]] = record.data["requested_at_ms"]
    wrong = []
    for model, requests in by_model.items():
        ordered = sorted(requests.items(), key=lambda entry: entry[1])
        for (before, _), (after, time) in zip(ordered, ordered[1:]):
            if ends.get(before, float("inf")) > time:
                wrong.append(f"{model}: {after} was requested at {time} while {before} was open")
    return wrong


def dead_letters_are_single(run):
    origin = "__connect.errors."
    places = [
        tuple(record.headers.get(origin + part) for part in ("topic", "partition", "offset"))
        for record in run.seen("dead_letters")]
    wrong = [f"the dead letter of {place} was written {count} times" for place, count in repeated(places).items()]
    expected = run.meta.get("broken")
    if expected is not None and len(set(places)) != expected:
        wrong.append(f"{len(set(places))} dead letters for {expected} broken records")
    return wrong


def alerts_and_verdicts_are_single(run):
    names = [record.value["id"] for record in run.seen("alerts") + run.seen("decisions", "verdict")]
    return [f"{name} was published {count} times" for name, count in repeated(names).items()]


def offsets_never_go_back(run):
    wrong, highest = [], {}
    for sample in run.positions:
        for partition, offset in sample.items():
            if offset < highest.get(partition, offset):
                wrong.append(f"{partition} went back from {highest[partition]} to {offset}")
            highest[partition] = max(offset, highest.get(partition, offset))
    return wrong


CHECKS = [
    ("each request once as attempt 1", requests_are_single),
    ("re-sends only as higher attempts", resends_are_higher_attempts),
    ("each request has its decision", requests_have_decisions),
    ("each trigger has its request", triggers_have_requests),
    ("each decision once", decisions_are_single),
    ("one decision a model and boundary, no gap", decisions_have_no_gap),
    ("never two open requests of a model", no_two_open_requests),
    ("each broken record is one dead letter", dead_letters_are_single),
    ("each alert and verdict once", alerts_and_verdicts_are_single),
    ("committed offsets never went back", offsets_never_go_back),
]


# Comparison with a run without faults


class Comparison:
    """Decisions of two runs over the same records, boundary by boundary."""

    def __init__(self):
        self.equal = 0
        # Records stood elsewhere when it was decided: another evaluation, not comparable.
        self.other_cut = 0
        # Different after such a decision: may follow from it.
        self.after_other_cut = 0
        self.different = []
        self.missing = []


def compare(run, clean):
    def by_id(decisions):
        return {record.data["decision_id"]: record.data for record in decisions}

    found, ours, theirs = Comparison(), by_id(run.decisions), by_id(clean.decisions)
    found.missing = [f"{name} is only in one of the runs" for name in sorted(set(ours) ^ set(theirs))]
    diverged = set()
    for name in sorted(set(ours) & set(theirs), key=lambda name: (ours[name]["evaluated_at_ms"], name)):
        mine, other = ours[name], theirs[name]
        if positions(mine, run) != positions(other, clean):
            found.other_cut += 1
            diverged.add(mine["model"])
            continue
        mine, other = without_clock(mine), without_clock(other)
        keys = sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
        if not keys:
            found.equal += 1
        elif mine["model"] in diverged:
            found.after_other_cut += 1
        else:
            found.different.append(f"{name} differs in {', '.join(keys)}")
    return found


def without_clock(decision):
    """What two runs over the same records must have in common: all but the cut and the lag behind the wall clock."""
    kept = {key: value for key, value in decision.items() if key != "cut"}
    kept["checks"] = [
        {key: value for key, value in check.items() if key != "value" or check.get("check") != "catching_up"}
        for check in decision.get("checks", [])]
    return kept


def positions(decision, run):
    """Where the inputs stood, by role: the topics of two runs have different names."""
    roles = {topic: role for role, topic in run.meta.get("topics", {}).items()}
    found = decision.get("cut", {}).get("positions", {})
    return {roles.get(topic, topic): offsets for topic, offsets in found.items()}


def hidden(run):
    """Records that only read-uncommitted readers see, and how many of them repeat one that counts."""
    names, aborted = set(), []
    for role in ("decisions", "requests", "alerts"):
        for record in run.records.get(role, []):
            name = record.value.get("id") if isinstance(record.value, dict) else None
            if record.committed:
                names.add((role, name))
            else:
                aborted.append((role, name))
    return len(aborted), sum(1 for name in aborted if name in names)


def report(run, clean=None, say=print):
    """Prints the table; true where everything passed."""
    rows, passed = [], True
    for title, check in CHECKS:
        wrong = check(run)
        passed = passed and not wrong
        rows.append((title, "ok" if not wrong else f"FAILED ({len(wrong)})", wrong))
    if clean is not None:
        found = compare(run, clean)
        wrong = found.different + found.missing
        passed = passed and not wrong
        text = f"{found.equal} equal"
        if found.other_cut or found.after_other_cut:
            text += f", {found.other_cut} at another cut, {found.after_other_cut} after one"
        rows.append(("decisions as without faults", text if not wrong else f"FAILED ({len(wrong)}); {text}", wrong))
    aborted, repeats = hidden(run)
    counts = [
        ("decisions", len(run.decisions)), ("requests", len(run.requests)), ("alerts", len(run.seen("alerts"))),
        ("dead letters", len(run.seen("dead_letters"))), ("records of aborted transactions", aborted),
        ("of them repeated by ones that count", repeats)]
    faults = collections.Counter(f"{fault['what']} {fault['stage']}" for fault in run.faults)
    counts += sorted(faults.items())
    width = max(len(title) for title, *_ in rows + counts)
    for title, count in counts:
        say(f"  {title:<{width}}  {count}")
    for title, result, wrong in rows:
        say(f"  {title:<{width}}  {result}")
        for line in wrong[:SHOWN]:
            say(f"    {line}")
        if len(wrong) > SHOWN:
            say(f"    and {len(wrong) - SHOWN} more")
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="folder that run.py wrote")
    parser.add_argument("--clean", help="the same feed without faults")
    options = parser.parse_args()
    passed = report(Run.load(options.run), Run.load(options.clean) if options.clean else None)
    print("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
