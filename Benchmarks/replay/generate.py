#!/usr/bin/env python3
"""Writes a month of predictions, actuals and load for a replay: SERVERS x 14 metrics x a minute, as packed JSON lines.

  generate.py DIRECTORY [--servers 100] [--days 30] [--seed 7]

Each server has a day and a week of its own and noise; forecasts are made a quarter of an hour ahead and go wrong for a
quarter of the servers after the twentieth day. One file each, packed by zstd where it is installed, else by gzip.
Standard library only; one to two minutes for the defaults.
"""
import argparse
import json
import math
import os
import random
import shutil
import subprocess

METRICS = [
    "cpu_user_pct", "cpu_system_pct", "cpu_iowait_pct", "mem_used_pct", "mem_cached_pct", "swap_used_pct",
    "disk_used_pct", "disk_read_kbps", "disk_write_kbps", "net_in_kbps", "net_out_kbps", "load_1m", "tcp_open",
    "processes",
]
START = 1_735_689_600_000  # 2025-01-01T00:00:00Z
MINUTE = 60_000
AHEAD = 15


def packed(path):
    """A pipe into a packed file."""
    if shutil.which("zstd"):
        return subprocess.Popen(["zstd", "-q", "-3", "-f", "-o", path + ".zst"], stdin=subprocess.PIPE)
    return subprocess.Popen(f"gzip -1 > '{path}.gz'", shell=True, stdin=subprocess.PIPE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("directory")
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    os.makedirs(options.directory, exist_ok=True)
    rng = random.Random(options.seed)
    noise = [rng.gauss(0, 1) for _ in range(1 << 16)]
    day = [math.sin(2 * math.pi * (minute - 480) / 1440) for minute in range(1440)]
    body = ",".join(f'"{name}":%.2f' for name in METRICS)
    prediction = '{"model":"fleet","model_version":"v1","entity":"%s","at":%d,"issued_at":%d,"values":{' + body + "}}\n"
    actual = '{"model":"fleet","entity":"%s","at":%d,"values":{' + body + "}}\n"
    load = '{"pool":"prod","entity":"%s","at":%d,"cpu_pct":%.2f}\n'
    servers = []
    for number in range(options.servers):
        levels = [20 + 3 * metric + rng.uniform(-5, 5) for metric in range(14)]
        servers.append((f"srv-{number:03}", levels, rng.randrange(1 << 16), number % 4 == 0))
    pipes = [packed(f"{options.directory}/{name}.jsonl") for name in ("predictions", "actuals", "load")]
    mask = (1 << 16) - 1
    minutes = options.days * 1440
    for minute in range(minutes):
        now = START + minute * MINUTE
        weekday = minute // 1440 % 7 < 5
        wave = day[minute % 1440] * (10 if weekday else 4)
        ahead = (minute + AHEAD) // 1440 % 7 < 5
        wave_ahead = day[(minute + AHEAD) % 1440] * (10 if ahead else 4)
        late = minute > 20 * 1440
        lines = ([], [], [])
        for name, levels, offset, drifts in servers:
            first = offset + minute * 61
            values = tuple([level + wave + noise[(first + 7 * metric) & mask] for metric, level in enumerate(levels)])
            factor = 1.25 if late and drifts else 1.0
            first += 31
            forecast = tuple(
                [(level + wave_ahead) * factor + 0.5 * noise[(first + 11 * metric) & mask]
                 for metric, level in enumerate(levels)])
            lines[0].append(prediction % ((name, now + AHEAD * MINUTE, now) + forecast))
            lines[1].append(actual % ((name, now) + values))
            if minute % 5 == 0:
                lines[2].append(load % (name, now, max(0.0, min(100.0, values[0]))))
        for pipe, text in zip(pipes, lines):
            pipe.stdin.write("".join(text).encode())
    for pipe in pipes:
        pipe.stdin.close()
        if pipe.wait() != 0:
            raise SystemExit("the packing program failed")
    values = minutes * options.servers * 14
    print(json.dumps({"servers": options.servers, "days": options.days, "actual_values": values,
                      "predicted_values": values}))


if __name__ == "__main__":
    main()
