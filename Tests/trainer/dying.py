"""The example trainer, killed right before a step of its own choice: runs in a process that is there for nothing else."""

import os
import signal
import sys

import topics
import trainer
from forecaster import Cell
from registry import Registry

#: All that changes what is on disk or at the brokers, and what is costly.
STEPS = [(Registry, name) for name in ("take", "say", "said", "add_cell", "finish", "note_position")] + [(Cell, "learn")]


def run(arguments, die_at, log):
    """`trainer.py ARGUMENTS`, ended by SIGKILL before its step number `die_at`; the steps go to a file, one a line."""
    count = 0

    def step(name):
        nonlocal count
        count += 1
        if count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        with open(log, "a") as file:
            print(name, file=file)

    def counted(kind, name):
        original = getattr(kind, name)

        def method(self, *given, **named):
            step(name)
            return original(self, *given, **named)
        setattr(kind, name, method)

    for kind, name in STEPS:
        counted(kind, name)
    read_exactly = topics.read_exactly

    def reading(*given):
        for number, message in enumerate(read_exactly(*given)):
            if number == 100:
                step("read")
            yield message

    topics.read_exactly = reading
    sys.argv = ["trainer.py", *map(str, arguments)]
    sys.stdout = open(os.devnull, "w")
    trainer.main()
