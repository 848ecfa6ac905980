#!/usr/bin/env python3
"""Measures how long a worker with a large state takes from its start until it is where it was.

`scripts/bench-restore` sets everything up. A worker reads 1000 samples of every metric of every model, writes its
snapshots as it always does, and is killed; then it is started again, and the time until it has restored its state, read
the inputs behind it once more and caught up is taken.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))

import confluent_kafka  # noqa: E402

from run import Watch  # noqa: E402
from soak import INTERVAL, ROLES, configuration, resident  # noqa: E402
from workers import ENVIRONMENT  # noqa: E402

METRICS, PARTITIONS, WINDOW = 14, 4, 4


class Feed:
    """A prediction and an actual a model and step, from templates that were encoded once."""

    def __init__(self, models, start):
        self.start = start
        self.templates = []
        for model in range(models):
            name = f"model-{model}"
            values = ",".join(f'"metric-{metric}":{20 + (model + metric) % 60}.%02d' for metric in range(METRICS))
            head = f'{{"model":"{name}","entity":"srv-{model}","at":%d,'
            self.templates.append((
                name.encode(), head + '"model_version":"v1","issued_at":%d,"values":{' + values + "}}",
                head + '"values":{' + values + "}}"))

    def records(self, step):
        time_of_step = self.start + step * INTERVAL
        for index, (key, prediction, actual) in enumerate(self.templates):
            stamp = time_of_step + index % 59 * 60_000
            digits = [(step * 37 + index * 11 + metric * 7) % 100 for metric in range(METRICS)]
            yield "predictions", key, prediction % (time_of_step + INTERVAL, stamp, *digits), stamp
            digits = [(step * 53 + index * 13 + metric * 5) % 100 for metric in range(METRICS)]
            yield "actuals", key, actual % (time_of_step, *digits), stamp


class Worker:
    def __init__(self, program, file, log):
        self.log = log
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [program, "run", "--config", str(file)], stdout=log.open("w"), stderr=subprocess.STDOUT, env=ENVIRONMENT)

    def said(self, text):
        return next((line for line in self.log.read_text().splitlines() if text in line), None)

    def wait_for(self, text, seconds):
        """Seconds since the start until it was said."""
        while self.said(text) is None:
            if self.process.poll() is not None or time.monotonic() - self.began > seconds:
                raise SystemExit(f"FAIL: it never said '{text}'; its log ends with\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return time.monotonic() - self.began


def feed(options, bootstrap, topics, worker):
    stream = Feed(options.models, (int(time.time() * 1000) // INTERVAL - options.samples - 8) * INTERVAL)
    watch = Watch(bootstrap, topics)
    producer = confluent_kafka.Producer({
        "bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4",
        "queue.buffering.max.messages": 100_000, "partitioner": "murmur2_random"})
    last = f"model-{options.models - 1}"
    for step in range(options.samples + WINDOW):
        for role, key, text, stamp in stream.records(step):
            while True:
                try:
                    producer.produce(topics[role], text, key, timestamp=stamp)
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.poll(0)
        waiting_since = time.monotonic()
        while step > WINDOW and watch.decided.get(last, 0) < stream.start + (step - WINDOW) * INTERVAL:
            for _ in watch.poll(0.005):
                pass
            if worker.process.poll() is not None or time.monotonic() - waiting_since > 120:
                raise SystemExit(f"FAIL: the worker does not decide; its log ends with\n{worker.log.read_text()[-2000:]}")
        if step % 100 == 0:
            print(f"  fed {step} of {options.samples} samples; worker {resident(worker.process) / 1e6:.0f} MB", flush=True)
    producer.flush(30)
    watch.close()


def measure(options, folder):
    broker = subprocess.Popen(
        [sys.executable, "-m", "broker", "--retention-bytes", str(1 << 30)], cwd=HERE.parent / "cluster",
        stdout=subprocess.PIPE, text=True)
    workers = []
    try:
        bootstrap = broker.stdout.readline().strip()
        topics = {role: "restore-" + role.replace("_", "-") for role in ROLES}
        file = folder / "driftgate.yaml"
        settings = configuration(bootstrap, topics).replace('"log_level": "warning"', '"log_level": "info"')
        file.write_text(settings[:-1] + ', "prediction_window_size": %d}' % options.samples)
        subprocess.run(
            [options.program, "topics", "create", "--config", str(file), "--partitions", str(PARTITIONS),
             "--replication-factor", "1"], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        workers.append(Worker(options.program, file, folder / "first.log"))
        feed(options, bootstrap, topics, workers[0])
        time.sleep(options.settle)
        workers[0].process.kill()
        workers[0].process.wait()
        workers.append(Worker(options.program, file, folder / "second.log"))
        second = workers[1]
        restored = second.wait_for("restored:", 300)
        caught_up = second.wait_for("caught up:", 300)
        state = second.said("restoring checkpoint")
        kilobytes = int(re.search(r"(\d+) kB of state", state).group(1))
        evaluations = int(re.search(r"(\d+) evaluations", state).group(1))
        models = int(re.search(r"(\d+) models", second.said("caught up:")).group(1))
        print(
            f"{models} models x {METRICS} metrics x {options.samples} samples: {kilobytes / 1000:.1f} MB of state and "
            f"{evaluations} evaluations since its snapshot; restored {restored:.1f} s and caught up {caught_up:.1f} s "
            f"after the start of the process; {resident(second.process) / 1e6:.0f} MB resident")
        for line in second.log.read_text().splitlines():
            if "restoring" in line or "restored" in line or "caught up" in line:
                print("  " + line)
        return models == options.models and caught_up < options.limit
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        broker.terminate()
        broker.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--limit", type=float, default=30, help="seconds until it has caught up")
    parser.add_argument("--settle", type=float, default=40, help="seconds for the last snapshot before the kill")
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="driftgate-restore-") as folder:
        fast = measure(options, pathlib.Path(folder))
    print("PASS" if fast else "FAIL")
    return 0 if fast else 1


if __name__ == "__main__":
    sys.exit(main())
