"""Runs policies in the closed loop over real series, and sums up what came of it. Used by the commands beside it."""
import argparse
import collections
import concurrent.futures
import csv
import datetime
import gzip
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
FAMILIES = ["ridge", "lgb"]
DRIFT_REASONS = {"drift_quiet", "quiet_deadline", "sla_breach"}


def arguments(doc):
    """The options that all commands share; --help prints the text at the head of the command."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = pathlib.Path(os.environ.get("DRIFTGATE_SHARED", TOP.parent / "shared"))
    parser.add_argument("--data", type=pathlib.Path, default=shared / "data")
    parser.add_argument("--set", action="append", dest="sets", help="only these sets")
    parser.add_argument("--family", action="append", choices=FAMILIES)
    parser.add_argument("--binary", type=pathlib.Path, default=TOP / ".build/release/driftgate")
    parser.add_argument("--jobs", type=int, default=1)
    return parser


def check(options):
    if not (options.data / "closed_loop.py").exists():
        sys.exit(f"{options.data}/closed_loop.py is not there: name the directory of the series with --data")
    if not options.binary.exists():
        sys.exit(f"{options.binary} is not there: swift build -c release --product driftgate")


def sets(options):
    return [f for f in sorted((options.data / "public").iterdir())
            if f.is_dir() and (not options.sets or f.name in options.sets)]


def entities(folder):
    return sorted(p.name[:-len(".actuals.csv.gz")] for p in folder.glob("*.actuals.csv.gz"))


def stamp(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def run(options, folder, entity, family, schedule=None, extra=()):
    """One server under a schedule ("fixed:DAYS") or under driftgate; schedules are kept, since they never change."""
    command = [sys.executable, options.data / "closed_loop.py", folder, "--entity", entity, "--family", family, "--json"]
    if schedule:
        kept = TOP / ".build/policy" / f"{folder.name}-{entity}-{family}-{schedule.replace(':', '-')}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        row = loop(command + ["--policy", schedule])
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(row))
        return row
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as log:
        words = [str(options.binary.resolve()), "policy", "--stdio", "--decisions", log.name, *extra]
        row = loop(command + ["--cmd", " ".join(words)])
        row["response"] = response(pathlib.Path(log.name), changes(folder, entity, "drift"))
        row["response"]["high"] = high_reasons(pathlib.Path(log.name), hourly_load(folder / f"{entity}.load.csv.gz"))
    return row


def loop(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {result.stderr}")
    return json.loads(result.stdout)[0]


def response(log, drifts):
    """Of each training that drift triggered: hours from the score's crossing to detection, from detection to the
    request, and whether the load was low and quiet at detection. Of each labelled drift: hours to detection and to the
    request."""
    trained, detected, decisions = [], [], {}
    with log.open() as file:
        for line in file:
            decision = json.loads(line)
            now = decision["evaluated_at_ms"]
            load = decision["load"]
            low = load["hour_score"] is not None and load["low_limit"] is not None and load["hour_score"] <= load["low_limit"]
            waited = next((c["value"] for c in decision["checks"] if c["check"] == "quiet_deadline"), None)
            above = (decision["signal"] or {}).get("above_since_ms")
            decisions[now] = low, above, load["quiet"]
            if waited == 0:
                detected.append(now / 3.6e6)
            if decision["outcome"] == "trigger" and decision["reason"]["code"] in DRIFT_REASONS:
                begun = now - round((waited or 0) * 3.6e6)
                low, above, quiet = decisions.get(begun, (False, None, False))
                trained.append({"detection": (begun - above) / 3.6e6 if above else 0, "wait": waited or 0, "low": low,
                                "quiet": quiet, "reason": decision["reason"]["code"], "at": now / 3.6e6})
    first = lambda times, start: min((t - start for t in times if t >= start), default=None)
    labels = [(first(detected, d / 3600), first([t["at"] for t in trained], d / 3600)) for d in drifts]
    return {"trained": trained, "labels": labels}


def high_reasons(log, load):
    """Why trainings were begun in high load, as the evaluator counts it: above the 75th percentile of 14 days."""
    reasons = []
    with log.open() as file:
        for line in file:
            if '"outcome":"trigger"' in line:
                decision = json.loads(line)
                hour = decision["evaluated_at_ms"] // 3_600_000
                past = sorted(load[h] for h in range(hour - 336, hour) if h in load)
                if hour in load and past and load[hour] > past[int(0.75 * len(past))]:
                    reasons.append(decision["reason"]["code"])
    return reasons


def changes(folder, entity, kind):
    labels = folder / f"{entity}.labels.csv"
    if not labels.exists():
        return []
    with labels.open() as file:
        return [stamp(row["time"]) for row in csv.DictReader(file) if row["class"] == kind]


def spikes(folder, entity, row):
    """Harmless changes of the labels, and how many were followed by a training within 72 h."""
    harmless = changes(folder, entity, "transient")
    return len(harmless), sum(any(0 <= stamp(t) - h <= 72 * 3600 for t in row["times"]) for h in harmless)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else None


class Summary:
    """What a policy came to over the servers of a set."""

    def __init__(self, folder, rows, daily):
        ratios = {e: rows[e]["wape"] / daily[e]["wape"] for e in rows}
        self.rows, self.ratios = rows, ratios
        self.trainings = sum(r["trainings"] for r in rows.values())
        self.mean_trainings = self.trainings / len(rows)
        self.wape = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        self.worst = max(ratios.values())
        self.in_high_load = sum(r["high_load_trainings"] for r in rows.values())
        self.high = self.in_high_load / max(1, self.trainings)
        self.rollbacks = sum(r["rollbacks"] for r in rows.values())
        found = [spikes(folder, e, rows[e]) for e in rows]
        self.spikes, self.spikes_hit = sum(n for n, _ in found), sum(h for _, h in found)
        self.trained = [t for r in rows.values() for t in r.get("response", {}).get("trained", [])]
        self.high_reasons = collections.Counter(h for r in rows.values() for h in r.get("response", {}).get("high", []))
        self.labels = [l for r in rows.values() for l in r.get("response", {}).get("labels", [])]


def summaries(options, policies):
    """Yields (set, family, policy, summary); `policies` maps a name to the arguments of `run`."""
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for folder in sets(options):
            for family in options.family or FAMILIES:
                jobs = {(p, e): pool.submit(run, options, folder, e, family, **policies[p])
                        for p in policies for e in entities(folder)}
                daily = {e: pool.submit(run, options, folder, e, family, schedule="fixed:1") for e in entities(folder)}
                for policy in policies:
                    rows = {e: jobs[policy, e].result() for e in entities(folder)}
                    yield folder.name, family, policy, Summary(folder, rows, {e: j.result() for e, j in daily.items()})


def hourly_load(path):
    """Hours since 1970 to the mean of the first column."""
    sums = {}
    with gzip.open(path, "rt") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            if row[1]:
                cell = sums.setdefault(int(stamp(row[0]) // 3600), [0.0, 0])
                cell[0] += float(row[1])
                cell[1] += 1
    return {hour: total / count for hour, (total, count) in sums.items()}
