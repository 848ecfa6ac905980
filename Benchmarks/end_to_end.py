#!/usr/bin/env python3
"""CPU a message of driftgate, of a loop that throws messages away, and of two peers, on the same records in one go.

All read the same topics of one broker, which is another process and not counted. The CPU is that of the whole process,
all threads, user and system, from the moment it asks for its partitions to the last record; driftgate decodes, joins,
keeps windows, evaluates every five minutes of stream time and writes checkpoints. Programs take turns, so that a machine
that gets slower meanwhile gets slower for all; the figures are medians over the rounds, ratios those of each round.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
TOOLS = HERE / ".build" / "peers"
# What the embedded broker keeps of a partition.
PARTITION_BYTES = 5 * 1024 * 1024
OUTPUTS = [
    "load:1",
    "training-status:1",
    "driftgate-commands:1",
    "retraining-decisions:1",
    "training-requests:1",
    "retraining-alerts:1",
    "driftgate-dead-letters:1",
]


# Workers that can start anew on one broker.
STATES = 20


def say(text):
    print(text, file=sys.stderr, flush=True)


class Broker:
    """The embedded broker, in a process of its own."""

    def __init__(self, partitions):
        topics = [f"predictions:{partitions}", f"actuals:{partitions}"] + OUTPUTS
        # A worker goes on where the one before it stopped, unless its group and its state are its own.
        topics += [f"driftgate-state-{number}:1" for number in range(STATES)]
        self.states = iter(range(STATES))
        self.process = subprocess.Popen([TOOLS / "broker", *topics], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = self.process.stdout.readline().decode().strip()
        if not self.address:
            sys.exit("the broker did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def cpu_seconds(pid):
    """CPU seconds of a process so far, all threads: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


class Worker:
    """`driftgate run` on a broker, followed by what it logs."""

    def __init__(self, broker, settings="", program=None):
        number = next(broker.states)
        self.folder = tempfile.TemporaryDirectory()
        configuration = pathlib.Path(self.folder.name) / "driftgate.yaml"
        configuration.write_text(
            f"""log_dir: null
http: {{address: null}}
kafka: {{bootstrap_servers: ["{broker.address}"], group_id: bench-{number}, transactions: false}}
topics: {{state: driftgate-state-{number}}}
{settings}"""
        )
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [program or TOP / ".build/release/driftgate", "run", "--config", configuration],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.lines = []

    def wait_for(self, pattern):
        """Waits for a line of the log; gives the time, the CPU seconds, and the match."""
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(pattern, line)
            if found:
                return time.monotonic(), cpu_seconds(self.process.pid), found
        self.process.wait()
        sys.exit("driftgate ended without saying " + pattern + ":\n" + "".join(self.lines[-20:]))

    def memory(self):
        """Resident bytes now, and at most so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return [int(re.search(name + r":\s+(\d+) kB", status)[1]) * 1024 for name in ("VmRSS", "VmHWM")]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.lines += self.process.stderr.readlines()
        self.process.wait(timeout=60)
        self.folder.cleanup()


def run_driftgate(broker, load, arguments):
    worker = Worker(broker)
    begun, before, _ = worker.wait_for(r"restoring|active:")
    ended, after, found = worker.wait_for(r"caught up: .* (\d+) predictions, (\d+) actuals, (\d+) pairs")
    memory = worker.memory()
    worker.stop()
    # The last interval is not evaluated yet: its records wait for the boundary behind them.
    taken = int(found[1]) + int(found[2])
    if taken < load["messages"]:
        say(f"note: driftgate had taken {taken} of {load['messages']} messages")
    return {"messages": taken, "seconds": ended - begun, "cpu": after - before, "memory": memory[1]}


def run_replay(broker, load, arguments):
    """`driftgate replay --kafka`, from its start to its end: joining no group, it reads what the worker reads."""
    program = TOP / ".build/release/driftgate"
    settings = ["--set", f"kafka.bootstrap_servers={broker.address}", "--set", "topics.state=driftgate-state-0"]
    with tempfile.TemporaryFile() as output:
        begun = time.monotonic()
        process = subprocess.Popen([program, "replay", "--kafka", "--quiet", "--json", "-"] + settings, stdout=output)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        found = output.read()
    if process.returncode != 0:
        sys.exit(f"driftgate replay ended with {process.returncode}")
    summary = json.loads(found)
    if summary["refused"]:
        sys.exit(f"driftgate replay refused {summary['refused']}")
    return {
        "messages": summary["records"],
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }


def run_bare(broker, load, arguments):
    topics = [f"{topic}:{load['partitions']}" for topic in ("predictions", "actuals")]
    return own_report([TOOLS / "bare_loop", broker.address, str(load["messages"]), *topics])


def run_python(broker, load, arguments):
    script = HERE / "peers" / "python_loop.py"
    return own_report([arguments.python, script, broker.address, str(load["messages"]), str(load["partitions"])])


def run_bytewax(broker, load, arguments):
    return own_report([arguments.python, HERE / "peers" / "bytewax_flow.py", broker.address, str(load["messages"])])


def own_report(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


PROGRAMS = {
    "bare loop (C, throws away)": run_bare,
    "driftgate": run_driftgate,
    "driftgate replay": run_replay,
    "Python loop (orjson, deque)": run_python,
    "Bytewax": run_bytewax,
}


def produce(broker, arguments, series, metrics, partitions):
    interval = 12 * series
    span = arguments.messages // 2 * 12 + max(900_000, interval)
    start = (int(time.time() * 1000) - span) // 300_000 * 300_000
    done = subprocess.run(
        [TOOLS / "records", broker.address]
        + [str(value) for value in (partitions, series, arguments.models, metrics, arguments.messages)]
        + [arguments.codec, str(start)],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"the broker did not keep all records, use more partitions:\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout), partitions=partitions, metrics=metrics, series=series)


def partitions_for(arguments, metrics):
    """As few as hold the records."""
    if arguments.partitions:
        return arguments.partitions
    record = 285 + 22 * (metrics - 1)
    share = {"none": 1.0}.get(arguments.codec, 0.5)
    return max(4, int(arguments.messages / 2 * record * share / (0.9 * PARTITION_BYTES)) + 1)


def measure(arguments, series, metrics, programs):
    """Runs the programs in turn; gives their runs by name, and what was read."""
    partitions = partitions_for(arguments, metrics)
    with Broker(partitions) as broker:
        load = produce(broker, arguments, series, metrics, partitions)
        runs = {name: [] for name in programs}
        for number in range(arguments.rounds):
            for name in programs:
                run = PROGRAMS[name](broker, load, arguments)
                runs[name].append(run)
                say(f"  round {number + 1}: {name}: {1e6 * run['cpu'] / run['messages']:.2f} us a message")
    return runs, load


def per_message(run):
    return 1e6 * run["cpu"] / run["messages"]


def rate(run):
    return run["messages"] / run["seconds"]


def table(arguments, runs, load):
    floor = next(iter(runs))
    print(
        f"\n{load['messages']:,} records of {load['bytes'] / load['messages']:.0f} bytes, {load['metrics']} metric(s) each,"
        f" {load['series']:,} series of {arguments.models} models, {2 * load['partitions']} partitions,"
        f" compression {arguments.codec}, median of {arguments.rounds} rounds\n"
    )
    print("| program | CPU a message | CPU a value | messages/s | CPU / bare | throughput / bare |")
    print("|---|---|---|---|---|---|")
    for name, own in runs.items():
        cpu = statistics.median(map(per_message, own))
        cpu_ratio = statistics.median(per_message(a) / per_message(b) for a, b in zip(own, runs[floor]))
        rate_ratio = statistics.median(rate(a) / rate(b) for a, b in zip(own, runs[floor]))
        print(
            f"| {name} | {cpu:.2f} µs | {cpu / load['metrics']:.2f} µs | {statistics.median(map(rate, own)):,.0f}"
            f" | {cpu_ratio:.2f} | {rate_ratio:.2f} |"
        )
    if "driftgate" in runs:
        memory = max(run["memory"] for run in runs["driftgate"])
        print(f"\ndriftgate's memory at most: {memory / 1e6:.0f} MB, librdkafka's prefetched records among it")
    if "driftgate replay" in runs and "driftgate" in runs:
        pairs = zip(runs["driftgate replay"], runs["driftgate"])
        print(f"the replay's rate over the live one's: {statistics.median(rate(a) / rate(b) for a, b in pairs):.2f}")
    sys.stdout.flush()


def curve(arguments):
    names = list(PROGRAMS)[:2]
    print("\n| series | driftgate, CPU a message | against 1 series | bare loop | CPU / bare |")
    print("|---|---|---|---|---|")
    first = None
    for series in arguments.curve:
        runs, _ = measure(arguments, series, 1, names)
        bare, own = (statistics.median(map(per_message, runs[name])) for name in names)
        ratio = statistics.median(per_message(a) / per_message(b) for a, b in zip(runs[names[1]], runs[names[0]]))
        first = first or own
        print(f"| {series:,} | {own:.2f} µs | {own / first:.2f} | {bare:.2f} µs | {ratio:.2f} |", flush=True)


def latency(arguments):
    """How soon a decision is visible after the record that made it due, and how soon a worker is ready."""
    partitions = arguments.partitions or 4
    with Broker(partitions) as broker:
        worker = Worker(broker, "drift_check_interval_mins: 1\n")
        joined, _, _ = worker.wait_for("joined group")
        active, _, _ = worker.wait_for("active:")
        ready, _, _ = worker.wait_for("caught up:")
        begun = time.monotonic()
        # A minute of stream time, and so an evaluation, a second; one that ended an hour ago is no reason to refuse.
        start = (int(time.time() * 1000) - (arguments.latency + 60) * 60_000) // 60_000 * 60_000
        done = own_report(
            [TOOLS / "paced", broker.address]
            + [str(value) for value in (partitions, arguments.rate // 2, arguments.models, arguments.latency, 60, start)]
        )
        cpu = cpu_seconds(worker.process.pid)
        memory = worker.memory()
        worker.stop()
    print(
        f"\nstart: {joined - worker.started:.2f} s to ask for partitions, {active - joined:.2f} s until the group grants them,"
        f" {ready - active:.2f} s until ready"
    )
    print(
        f"{done['sent'] / arguments.latency:,.0f} messages/s in {2 * partitions} partitions for {arguments.latency} s,"
        f" an evaluation of {arguments.models} models a second; {cpu / (time.monotonic() - begun):.0%} of a core,"
        f" {memory[1] / 1e6:.0f} MB at most"
    )
    print(
        f"from the record that crosses a boundary to the decision in a reader's hands, {done['decisions']} decisions:"
        f" p50 {done['p50']:.0f} ms, p90 {done['p90']:.0f} ms, p99 {done['p99']:.0f} ms, at most {done['max']:.0f} ms"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--series", type=int, default=5_000)
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--metrics", type=int, nargs="*", default=[1, 14])
    parser.add_argument("--partitions", type=int, help="of each topic; as few as hold the records unless given")
    parser.add_argument("--codec", default="none", choices=["none", "lz4", "snappy", "zstd", "gzip"])
    parser.add_argument("--only", nargs="*", help="words of the programs to run; the bare loop always runs")
    parser.add_argument("--curve", type=int, nargs="*", help="measure driftgate at these numbers of series instead")
    parser.add_argument("--latency", type=int, metavar="SECONDS", help="measure delays at a fixed rate instead")
    parser.add_argument("--rate", type=int, default=50_000, help="messages a second, with --latency")
    parser.add_argument("--python", default=None, help="Python with the packages of peers/requirements.txt")
    arguments = parser.parse_args()
    if not os.access(TOOLS / "broker", os.X_OK):
        sys.exit("build first: scripts/bench does")
    if arguments.latency is not None:
        return latency(arguments)
    if arguments.curve is not None:
        arguments.curve = arguments.curve or [1, 10, 100, 1_000, 10_000, 100_000]
        return curve(arguments)
    names = list(PROGRAMS)
    if arguments.python is None:
        names = names[:3]
    if arguments.only is not None:
        names = names[:1] + [name for name in names[1:] if any(word.lower() in name.lower() for word in arguments.only)]
    for metrics in arguments.metrics:
        runs, load = measure(arguments, arguments.series, metrics, names)
        table(arguments, runs, load)


main()
