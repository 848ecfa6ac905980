#!/usr/bin/env python3
"""Runs driftgate on a real cluster under faults, and judges what it left: see docs/testing.md.

Needs confluent-kafka; `scripts/cluster-test` sets everything up. Topics and group are the run's own, and are deleted
when it has passed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time
import uuid

import confluent_kafka
from confluent_kafka.admin import AdminClient

import verify
from workers import ENVIRONMENT, Deployment, Worker
from world import INTERVAL, ROLES, World

SESSION_SECONDS = 6
PATIENCE_SECONDS = 180
OUTPUTS = ["decisions", "requests", "alerts", "dead_letters", "training_status"]


class Phase:
    """One deployment over one set of topics."""

    def __init__(self, options, name, scale, faulty, start):
        self.options = options
        self.name = name
        self.scale = scale
        self.faulty = faulty
        self.folder = options.folder / name
        self.folder.mkdir(parents=True)
        prefix = f"{options.prefix}-{name}-"
        self.group = prefix + "group"
        self.topics = {
            role: prefix + role.replace("_", "-")
            for role in [*ROLES, "decisions", "requests", "alerts", "dead_letters", "state"]}
        self.world = World(start, options.steps, options.models, options.machines, seed=options.seed)
        self.configuration = self.folder / "driftgate.yaml"
        self.configuration.write_text(json.dumps(self.settings(), indent=2))

    def settings(self):
        return {
            "application_id": "cluster-test",
            "scale": self.scale,
            "scoring": "plain", "window": "count", "prediction_window_size": 60,
            "drift_check_interval_mins": INTERVAL // 60_000,
            "min_hours_between_training": 1, "max_trainings_per_week": 1000,
            "quiet_load_threshold": 0.9, "log_dir": "", "log_level": "debug", "http": {"address": ""},
            "quiet": {"rule": "absolute"},
            "drift": {"min_samples": 30, "persistence_hours": 0, "severe_persistence_hours": 0,
                      "baseline_span_days": 0.5},
            "join": {"allowed_lateness_mins": 120},
            "safeguards": {"max_trigger_lag_mins": None, "first_backoff_hours": 1, "longest_backoff_hours": 2},
            "training": {"accept_timeout_mins": 10080, "deadline_hours": 240},
            "kafka": {
                "bootstrap_servers": self.options.bootstrap.split(","), "group_id": self.group,
                "session_timeout_secs": SESSION_SECONDS, "transaction_timeout_secs": 5,
                "additional": {"heartbeat.interval.ms": 1000}},
            "worker": {"first_start_lookback_days": 60},
            "topics": self.topics,
        }

    # Topics

    def create_topics(self):
        partitions = 3
        subprocess.run(
            [self.options.program, "topics", "create", "--config", str(self.configuration), "--partitions",
             str(partitions), "--replication-factor", str(self.options.replication)],
            check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)

    def delete_topics(self, admin):
        for future in admin.delete_topics(list(self.topics.values()), operation_timeout=20).values():
            future.exception()
        for future in admin.delete_consumer_groups([self.group]).values():
            future.exception()

    # Feeding

    def run(self):
        self.create_topics()
        stopped = threading.Event()
        sampler = threading.Thread(target=self.sample, args=(stopped,), daemon=True)
        count = self.options.workers if self.scale == "partitioned" else 2
        workers = [
            Worker(self.options.program, self.configuration, f"worker-{index}", self.folder) for index in range(count)]
        deployment = Deployment(workers, self.folder / "faults.jsonl", self.options.seed, SESSION_SECONDS)
        sampler.start()
        try:
            self.feed(deployment)
            time.sleep(3)
        finally:
            unclean = deployment.stop()
            stopped.set()
        sampler.join()
        if unclean:
            print(f"  {self.name}: clean stops that were none: {unclean}")
        exits = [status for worker in workers for status in worker.exits if status is not None and status >= 0]
        if exits:
            print(f"  {self.name}: workers that ended by themselves: {len(exits)}, status {sorted(set(exits))}")
        self.write_records()
        meta = {
            "models": self.world.models, "interval_ms": INTERVAL, "broken": self.world.broken,
            "last_boundary_ms": self.world.time(self.world.steps - 1), "topics": self.topics, "scale": self.scale}
        (self.folder / "meta.json").write_text(json.dumps(meta))

    def feed(self, deployment):
        world, watch = self.world, Watch(self.options.bootstrap, self.topics)
        producer = confluent_kafka.Producer({
            "bootstrap.servers": self.options.bootstrap, "enable.idempotence": True, "linger.ms": 0,
            "partitioner": "murmur2_random"})
        faults_at = set()
        if self.faulty and self.options.faults:
            distance = max(1.0, (world.steps - 20) / self.options.faults)
            faults_at = {int(10 + index * distance) for index in range(self.options.faults)}
        failures = []
        for step in range(world.steps):
            self.follow(watch, world.time(step - world.trainer.window), step)
            for role, key, value, time_of_record in world.records(step):
                while True:
                    try:
                        producer.produce(
                            self.topics[role], value, key, timestamp=time_of_record,
                            on_delivery=lambda error, _: failures.append(error) if error else None)
                        break
                    except BufferError:
                        producer.poll(0.1)
            if producer.flush(30) or failures:
                raise SystemExit(f"the feed could not be delivered: {failures[:1]}")
            time.sleep(self.options.pause)
            if step in faults_at:
                deployment.fault()
        self.follow(watch, world.time(world.steps - 1), world.steps)
        watch.close()

    def follow(self, watch, boundary, step):
        """Waits until all models are decided at `boundary`, and hands requests to the trainer."""
        began = time.monotonic()
        while True:
            for request in watch.poll():
                self.world.trainer.take(request, (request["requested_at_ms"] - self.world.start) // INTERVAL)
            if boundary <= self.world.time(1):
                return
            decided = all(watch.decided.get(model, 0) >= boundary for model in self.world.models)
            if decided and watch.triggered <= self.world.trainer.known:
                return
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise SystemExit(f"{self.name}: no decisions for {PATIENCE_SECONDS} s at step {step}; logs: {self.folder}")

    # Reading

    def sample(self, stopped):
        """Writes the group's committed offsets down, again and again."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.options.bootstrap, "group.id": self.group})
        partitions = [
            confluent_kafka.TopicPartition(self.topics[role], partition.id)
            for role in ROLES
            for partition in consumer.list_topics(self.topics[role], 10).topics[self.topics[role]].partitions.values()]
        with (self.folder / "positions.jsonl").open("w") as file:
            while not stopped.wait(0.3):
                try:
                    found = consumer.committed(partitions, timeout=2)
                except confluent_kafka.KafkaException:
                    continue  # A transaction holds them.
                known = {f"{entry.topic}-{entry.partition}": entry.offset for entry in found if entry.offset >= 0}
                file.write(json.dumps(known) + "\n")
        consumer.close()

    def write_records(self):
        with (self.folder / "records.jsonl").open("w") as file:
            for role in OUTPUTS:
                topic = self.topics[role]
                everything = read(self.options.bootstrap, topic, "read_uncommitted")
                committed = {(message.partition(), message.offset())
                             for message in read(self.options.bootstrap, topic, "read_committed")}
                for message in everything:
                    place = message.partition(), message.offset()
                    file.write(json.dumps({
                        "role": role, "topic": topic, "partition": place[0], "offset": place[1],
                        "timestamp": message.timestamp()[1],
                        "value": (message.value() or b"").decode(errors="replace"),
                        "headers": {name: (value or b"").decode(errors="replace")
                                    for name, value in message.headers() or []},
                        "committed": place in committed}) + "\n")


class Watch:
    """Committed decisions and requests as they come."""

    def __init__(self, bootstrap, topics):
        self.topics = topics
        self.decided = {}
        # Requests that decisions name; they come in a topic of their own, and maybe later.
        self.triggered = set()
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": bootstrap, "group.id": topics["decisions"] + "-watch",
            "isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "fetch.wait.max.ms": 20})
        self.consumer.assign([
            confluent_kafka.TopicPartition(topics[role], partition, 0)
            for role in ("decisions", "requests")
            for partition in self.consumer.list_topics(topics[role], 10).topics[topics[role]].partitions])

    def poll(self, seconds=0.02):
        for message in self.consumer.consume(500, timeout=seconds):
            if message.error():
                continue
            data = json.loads(message.value())["data"]
            if message.topic() == self.topics["requests"]:
                yield data
            elif "evaluated_at_ms" in data:
                self.decided[data["model"]] = max(self.decided.get(data["model"], 0), data["evaluated_at_ms"])
                if data["outcome"] == "trigger":
                    self.triggered.add(data["request_id"])

    def close(self):
        self.consumer.close()


def read(bootstrap, topic, isolation):
    """Everything up to the high watermark, which only a read-uncommitted handle tells."""
    ends = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": topic + "-ends", "isolation.level": "read_uncommitted"})
    partitions = [
        confluent_kafka.TopicPartition(topic, partition)
        for partition in ends.list_topics(topic, 10).topics[topic].partitions]
    rest = {}
    for partition in partitions:
        low, high = ends.get_watermark_offsets(partition, timeout=10)
        partition.offset = low
        if high > low:
            rest[partition.partition] = high
    ends.close()
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap, "group.id": topic + "-reader", "isolation.level": isolation,
        "enable.partition.eof": True, "enable.auto.commit": False, "auto.offset.reset": "error"})
    consumer.assign([partition for partition in partitions if partition.partition in rest])
    found, deadline = [], time.monotonic() + 120
    while rest:
        if time.monotonic() > deadline:
            raise SystemExit(f"{topic}: not read to its end as {isolation}; a transaction stayed open: {rest}")
        for message in consumer.consume(1000, timeout=0.2):
            if message.error() is None:
                found.append(message)
            elif message.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                raise SystemExit(f"{topic}: {message.error()}")
            elif message.offset() >= rest.get(message.partition(), 0):
                rest.pop(message.partition(), None)
    consumer.close()
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--program", required=True, help="the driftgate to run")
    parser.add_argument("--scale", default="single,partitioned", help="which of them, with commas")
    parser.add_argument("--steps", type=int, default=240, help="hours of stream time")
    parser.add_argument("--faults", type=int, default=60, help="signals sent in a run under faults")
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--machines", type=int, default=5)
    parser.add_argument("--workers", type=int, default=3, help="of scale: partitioned; single has one and a standby")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two steps")
    parser.add_argument("--replication", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="gets logs and what was read")
    parser.add_argument("--keep", action="store_true", help="leave the topics")
    return parser.parse_args()


def main():
    options = arguments()
    options.prefix = "driftgate-test-" + uuid.uuid4().hex[:8]
    options.folder = options.folder / time.strftime("%Y%m%d-%H%M%S")
    admin = AdminClient({"bootstrap.servers": options.bootstrap})
    brokers = admin.list_topics(timeout=15).brokers
    print(f"cluster of {len(brokers)} brokers at {options.bootstrap}; librdkafka {confluent_kafka.libversion()[0]} reads; "
          f"seed {options.seed}; {options.folder}")
    # Ends now, so that retention by time keeps it and no timestamp lies in the future.
    start = (int(time.time() * 1000) // INTERVAL - options.steps - 2) * INTERVAL
    passed = True
    for scale in options.scale.split(","):
        phases = {}
        for name, faulty in (("clean", False), ("faults", True)):
            phase = Phase(options, f"{scale}-{name}", scale, faulty, start)
            began = time.monotonic()
            try:
                phase.run()
            finally:
                if not options.keep:
                    phase.delete_topics(admin)
            phases[name] = verify.Run.load(phase.folder)
            print(f"{scale}, {name}: {options.steps} steps in {time.monotonic() - began:.0f} s")
            passed &= verify.report(phases[name], phases["clean"] if faulty else None)
    print("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
