#!/usr/bin/env python3
"""Feeds a worker at full rate and watches its memory. `scripts/soak` sets everything up and says what fails.

Nothing here reads what the worker decides for its own sake: a step of the feed is published when the decisions of some
steps before it are there, so that the broker, which keeps a bounded stretch, never lets go of what is unread.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))

import confluent_kafka  # noqa: E402

from judge import judge  # noqa: E402
from run import Watch  # noqa: E402
from workers import ENVIRONMENT  # noqa: E402

INTERVAL = 3_600_000
WINDOW = 4
SAMPLE_SECONDS = 10
# Until then the history of load and the index of offsets grow to their bounds, however long that takes.
FILLED_DAYS = 40
# A machine has a name for this many steps; whoever is silent for longer than `limits.silence_days` is forgotten.
NAME_STEPS = 24 * 10
MODELS, MACHINES, PARTITIONS = 20, 50, 4
ROLES = ["predictions", "actuals", "load", "training_status", "commands", "decisions", "requests", "alerts",
         "dead_letters", "state"]


class Feed:
    """Records of one step, from templates that were encoded once."""

    def __init__(self, start):
        self.start = start
        self.templates = []
        for model in range(MODELS):
            for machine in range(MACHINES):
                value = 30 + model + (machine * 7) % 11
                entity = f"srv-{machine}-%d"
                self.templates.append((
                    "predictions", f"model-{model}".encode(),
                    f'{{"model":"model-{model}","model_version":"v1","entity":"{entity}","at":%d,"issued_at":%d,'
                    f'"values":{{"cpu_user_pct":{value}.5,"mem_used_pct":{value + 20}.25}}}}'))
                self.templates.append((
                    "actuals", f"model-{model}".encode(),
                    f'{{"model":"model-{model}","entity":"{entity}","at":%d,'
                    f'"values":{{"cpu_user_pct":{value}.%d,"mem_used_pct":{value + 21}.%d}}}}'))

    def records(self, step):
        time_of_step = self.start + step * INTERVAL
        generation, wobble = step // NAME_STEPS, (step * 37) % 10
        # Levels change for good, so that trainings are requested.
        shift = 3 if step // 200 % 2 else 0
        for index, (role, key, template) in enumerate(self.templates):
            stamp = time_of_step + index % 59 * 60_000
            if role == "predictions":
                text = template % (generation, time_of_step + INTERVAL, stamp)
            else:
                text = template % (generation, time_of_step, (wobble + index + shift) % 10, (wobble + index) % 10)
                if shift:
                    text = text.replace('_pct":3', '_pct":7')
            yield role, key, text, stamp
            if index % 997 == 0:
                yield role, key, f"not JSON {step}", stamp
        for machine in range(MACHINES):
            yield "load", b"pool", (
                f'{{"pool":"prod","entity":"srv-{machine}-{generation}","at":{time_of_step},"cpu_pct":12.5}}'
            ), time_of_step + 60_000


def resident(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096


def configuration(bootstrap, topics):
    return json.dumps({
        "kafka": {"bootstrap_servers": [bootstrap], "group_id": "soak", "group_instance_id": "soak-1"},
        "topics": topics, "drift_check_interval_mins": INTERVAL // 60_000, "log_dir": "",
        "log_level": "warning", "http": {"address": ""},
        "quiet_load_threshold": 0.9, "quiet": {"rule": "absolute"},
        "safeguards": {"max_trigger_lag_mins": None}, "worker": {"first_start_lookback_days": 3650},
    })


def soak(options, folder):
    broker = subprocess.Popen(
        [sys.executable, "-m", "broker", "--retention-bytes", str(32 << 20)], cwd=HERE.parent / "cluster",
        stdout=subprocess.PIPE, text=True)
    worker = None
    try:
        bootstrap = broker.stdout.readline().strip()
        topics = {role: "soak-" + role.replace("_", "-") for role in ROLES}
        file = folder / "driftgate.yaml"
        file.write_text(configuration(bootstrap, topics))
        subprocess.run(
            [options.program, "topics", "create", "--config", str(file), "--partitions", str(PARTITIONS),
             "--replication-factor", "1"], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        log = (folder / "worker.log").open("w")
        worker = subprocess.Popen(
            [options.program, "run", "--config", str(file)], stdout=log, stderr=log, env=ENVIRONMENT)
        return feed(options, bootstrap, topics, worker, folder)
    finally:
        if worker is not None and worker.poll() is None:
            worker.terminate()
            worker.wait(60)
        broker.terminate()
        broker.wait()


def feed(options, bootstrap, topics, worker, folder):
    stream = Feed((int(time.time() * 1000) // INTERVAL - 24 * 3600) * INTERVAL)
    watch = Watch(bootstrap, topics)
    producer = confluent_kafka.Producer({
        "bootstrap.servers": bootstrap, "linger.ms": 5, "compression.type": "lz4",
        "queue.buffering.max.messages": 200_000, "partitioner": "murmur2_random"})
    began = time.monotonic()
    samples, step, sent, next_sample = [], 0, 0, SAMPLE_SECONDS
    print(f"{'s':>6} {'messages':>11} {'stream days':>12} {'resident MB':>12}", flush=True)
    while (elapsed := time.monotonic() - began) < options.minutes * 60 and step < 24 * 3600 - 2:
        for role, key, text, stamp in stream.records(step):
            while True:
                try:
                    producer.produce(topics[role], text, key, timestamp=stamp)
                    break
                except BufferError:
                    producer.poll(0.05)
            sent += 1
        producer.poll(0)
        step += 1
        waiting_since = time.monotonic()
        while True:
            for request in watch.poll(0.005):
                for status in ("accepted", "started", "succeeded"):
                    producer.produce(
                        topics["training_status"],
                        json.dumps({"request_id": request["request_id"], "status": status}),
                        timestamp=stream.start + step * INTERVAL)
            if step < WINDOW + 2 or min(
                    (watch.decided.get(f"model-{model}", 0) for model in range(MODELS)),
                    default=0) >= stream.start + (step - WINDOW) * INTERVAL:
                break
            if worker.poll() is not None or time.monotonic() - waiting_since > 60:
                print(f"FAIL: the worker {'ended' if worker.poll() is not None else 'does not decide'}; "
                      f"its log ends with\n{(folder / 'worker.log').read_text()[-2000:]}")
                return False
        if elapsed >= next_sample:
            next_sample += SAMPLE_SECONDS
            size = resident(worker)
            if step >= FILLED_DAYS * 24:
                samples.append((elapsed, size))
            print(f"{elapsed:6.0f} {sent:11} {step / 24:12.1f} {size / 1e6:12.1f}", flush=True)
    producer.flush(10)
    watch.close()
    if len(samples) < 10:
        print(f"FAIL: too short to judge: {len(samples)} samples behind {FILLED_DAYS} days of stream time, 10 are needed")
        return False
    flat, text = judge(samples)
    print(f"{sent / (time.monotonic() - began):.0f} messages a second; {text}")
    return flat


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="driftgate-soak-") as folder:
        flat = soak(options, pathlib.Path(folder))
    print("PASS" if flat else "FAIL")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
