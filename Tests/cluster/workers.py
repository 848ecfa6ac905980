"""Worker processes, and what is done to them."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time

# By the last line of a worker's log that fits: where it was when it was killed.
STAGES = [
    ("restoring", r"restor"),
    ("in a transaction: begun", r"transaction.*begun|checkpoint.*begun"),
    ("in a transaction: produced", r"checkpoint.*produced"),
    ("in a transaction: flushed", r"checkpoint.*flushed"),
    ("in a transaction: offsets sent", r"checkpoint.*(offsets )?sent"),
    ("in a transaction: committing", r"checkpoint.*committing"),
    ("between transactions", r"checkpoint.*committed"),
    ("standing by", r"standing by|waiting to be granted"),
    ("working", r"active|caught up|training requested"),
]


# Settings of the person's own shell must not reach a worker, and some names of the tests are no settings at all.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTGATE_")}


class Worker:
    """One place in the deployment: a process that is started again whenever it ends."""

    def __init__(self, program, configuration, instance, folder, settings=()):
        self.command = [program, "run", "--config", str(configuration), "--set", f"kafka.group_instance_id={instance}"]
        for setting in settings:
            self.command += ["--set", setting]
        self.instance = instance
        self.log = folder / f"{instance}.log"
        self.process = None
        self.exits = []

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stage(self):
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 20_000))
            tail = log.read().decode(errors="replace").splitlines()
        for line in reversed(tail):
            for name, pattern in STAGES:
                if re.search(pattern, line, re.IGNORECASE):
                    return name
        return "starting"

    def signal(self, number):
        if self.is_running():
            self.process.send_signal(number)

    def stop(self, seconds=40):
        """The exit status of a clean stop; kills what does not end."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class Deployment:
    """All workers of a run. A thread starts again what has ended, as a supervisor does."""

    def __init__(self, workers, faults_path, seed, session_seconds):
        self.workers = workers
        self.faults = faults_path.open("a")
        self.random = random.Random(seed)
        self.session_seconds = session_seconds
        self.lock = threading.Lock()
        self.back_at = {}
        self.continue_at = {}
        self.is_over = False
        self.counts = {}
        for worker in workers:
            worker.start()
        self.thread = threading.Thread(target=self.supervise, daemon=True)
        self.thread.start()

    def supervise(self):
        while not self.is_over:
            now = time.monotonic()
            with self.lock:
                for worker in self.workers:
                    if self.continue_at.get(worker, now + 1) <= now:
                        del self.continue_at[worker]
                        worker.signal(signal.SIGCONT)
                    if self.is_over or worker.is_running():
                        continue
                    if worker not in self.back_at:
                        worker.exits.append(worker.process.returncode)
                        self.back_at[worker] = now + 1
                    if self.back_at[worker] <= now:
                        del self.back_at[worker]
                        worker.start()
            time.sleep(0.05)

    def fault(self):
        """Does something to one worker, after a delay that falls anywhere in a checkpoint."""
        time.sleep(self.random.uniform(0, 1.2))
        chance = self.random.random()
        back = self.random.choice([0, 0.2, 1, self.session_seconds + 2])
        with self.lock:
            running = [worker for worker in self.workers if worker.is_running() and worker not in self.continue_at]
            active = [worker for worker in running if worker.stage() != "standing by"]
            # Whoever works is hit more often than whoever waits.
            choice = active if active and self.random.random() < 0.7 else running
            if not choice:
                return
            worker = self.random.choice(choice)
            what = "SIGKILL" if chance < 0.75 else "SIGSTOP" if chance < 0.88 else "SIGTERM"
            stage = worker.stage()
            if what == "SIGSTOP":
                worker.signal(signal.SIGSTOP)
                self.continue_at[worker] = time.monotonic() + self.session_seconds + 3
            elif what == "SIGKILL":
                worker.signal(signal.SIGKILL)
                worker.process.wait()
                self.back_at[worker] = time.monotonic() + back
            else:
                worker.signal(signal.SIGTERM)
                self.back_at[worker] = time.monotonic()
            self.counts[what] = self.counts.get(what, 0) + 1
            self.faults.write(json.dumps({"what": what, "stage": stage, "worker": worker.instance}) + "\n")
            self.faults.flush()

    def stop(self):
        """Stops all; the exit statuses of those that did not end cleanly."""
        self.is_over = True
        self.thread.join()
        with self.lock:
            statuses = [worker.stop() for worker in self.workers if worker.is_running()]
        self.faults.close()
        return [status for status in statuses if status != 0]
