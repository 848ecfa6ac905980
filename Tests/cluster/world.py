"""The models, machines and trainer of a run: the same records on every run, whatever happens to the workers.

Stream time goes in steps of one evaluation interval. A step is published only when the decisions of `window` steps
before it are there, and a trainer answers a request `window` steps after it: so a worker may lag or die in between
without the records depending on it. The trainer reads committed records only.
"""

import hashlib
import json
import math

INTERVAL = 3_600_000
ROLES = ["predictions", "actuals", "load", "training_status", "commands"]


def noise(*parts):
    """A number from -1 to 1 that depends on the parts alone."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**31 - 1


class Trainer:
    """Answers requests by a schedule that depends on the request alone."""

    def __init__(self, window):
        self.window = window
        self.due = {}  # step: [(minute, record)]
        self.next_step = 0
        self.known = set()
        self.versions = {}  # model: [(first step, version)]
        self.trained_at = {}  # model: [(first step, step whose level was learned)]

    def take(self, request, step):
        """`step` is that of the request's boundary. A re-sent request is the same request."""
        identifier, model = request["request_id"], request["model"]
        if identifier in self.known:
            return
        self.known.add(identifier)
        first = step + self.window + 1
        chance = noise("outcome", identifier)
        outcome = "failed" if chance > 0.75 else "rejected" if chance > 0.65 else "succeeded"
        if outcome == "rejected":
            self.answer(first, 5, identifier, status="rejected")
            return
        self.answer(first, 5, identifier, status="accepted")
        self.answer(first, 10, identifier, status="started", run_id=f"run-{identifier[3:9]}")
        self.answer(first + 1, 30, identifier, status="progress", progress=0.5)
        if outcome == "failed":
            self.answer(first + 2, 40, identifier, status="failed", errors=["out of memory"])
            return
        version = f"v{len(self.versions.setdefault(model, [])) + 2}"
        self.answer(first + 2, 40, identifier, status="succeeded", model_version=version)
        self.versions[model].append((first + 3, version))
        self.trained_at.setdefault(model, []).append((first + 3, first + 2))

    def answer(self, step, minute, identifier, **fields):
        if step < self.next_step:
            raise RuntimeError(f"{identifier} was seen when its answer was due already: two runs would differ")
        self.due.setdefault(step, []).append((minute, {"request_id": identifier, **fields}))

    def at(self, model, step):
        """The version in service, the one before it while it still predicts, and the step that was learned from."""
        service = [entry for entry in self.versions.get(model, []) if entry[0] <= step]
        learned = [entry for entry in self.trained_at.get(model, []) if entry[0] <= step]
        version = service[-1][1] if service else "v1"
        before = None
        if service and step < service[-1][0] + 24:
            before = service[-2][1] if len(service) > 1 else "v1"
        return version, before, learned[-1][1] if learned else 0, learned[-2][1] if len(learned) > 1 else 0


class World:
    def __init__(self, start, steps, models=6, machines=5, window=6, seed=1):
        self.start = start
        self.steps = steps
        self.models = [f"model-{index}" for index in range(models)]
        self.machines = machines
        self.seed = seed
        self.trainer = Trainer(window)
        self.broken = 0

    def time(self, step, minute=0):
        return self.start + step * INTERVAL + minute * 60_000

    def level(self, model, step):
        """Changes for good every 18 to 30 steps."""
        index = self.models.index(model)
        period = 18 + 2 * (index % 7)
        shifts = (step + 5 * index) // period
        return (40 + 5 * index) * (1.35 if shifts % 2 else 1)

    def value(self, level, model, machine, step):
        season = 4 * math.sin(2 * math.pi * step / 24)
        return level + season + 2 * noise(self.seed, model, machine, step)

    def records(self, step):
        """(role, key, bytes, timestamp) of one step, in the order of their timestamps."""
        self.trainer.next_step = step + 1
        found = []
        for model in self.models:
            version, before, learned, learned_before = self.trainer.at(model, step)
            for machine in range(self.machines):
                entity = f"srv-{machine}"
                minute = 1 + (machine * 7) % 50
                actual = self.value(self.level(model, step), model, machine, step)
                found.append((
                    "actuals", model, minute,
                    {"model": model, "entity": entity, "at": self.time(step), "values": self.metrics(actual)}))
                for name, shadow, source in ((version, False, learned), (before, True, learned_before)):
                    if name is None:
                        continue
                    season = 4 * math.sin(2 * math.pi * (step + 1) / 24)
                    prediction = {
                        "model": model, "model_version": name, "entity": entity, "at": self.time(step + 1),
                        "issued_at": self.time(step, minute),
                        "values": self.metrics(self.level(model, source) + season)}
                    if shadow:
                        prediction["shadow"] = True
                    found.append(("predictions", model, minute, prediction))
            if (step + self.models.index(model)) % 9 == 4:
                found.append(("actuals", model, 52, f"not JSON {self.seed} {model} {step}"))
                self.broken += 1
        for machine in range(self.machines):
            found.append((
                "load", "pool", 1 + machine,
                {"pool": "prod", "entity": f"srv-{machine}", "at": self.time(step),
                 "cpu_pct": 15 + 5 * noise(self.seed, "load", machine, step)}))
        for minute, answer in sorted(
                self.trainer.due.pop(step, []), key=lambda entry: (entry[0], entry[1]["request_id"])):
            found.append(("training_status", answer["request_id"], minute, answer))
        found += [("commands", command["model"], 20, command) for command in self.commands(step)]
        order = sorted(range(len(found)), key=lambda index: (found[index][2], index))
        for index in order:
            role, key, minute, value = found[index]
            text = value if isinstance(value, str) else json.dumps(value)
            yield role, key.encode(), text.encode(), self.time(step, minute)

    def commands(self, step):
        last = self.models[-1]
        if step % 60 == 30:
            yield {"command": "pause", "model": last, "reason": "sensor swap", "by": "ada"}
        if step % 60 == 40:
            yield {"command": "resume", "model": last, "by": "ada"}

    @staticmethod
    def metrics(value):
        return {"cpu_user_pct": round(value, 4), "mem_used_pct": round(value * 0.8 + 10, 4)}
