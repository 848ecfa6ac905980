"""The series that a closed loop is fed with: recorded ones from a folder, or ones made up."""

import csv
import datetime
import gzip
import pathlib

import numpy

HOUR = 3_600_000
DAY = 24 * HOUR
WEEK = 7 * DAY


class Entity:
    """One monitored model: hourly metrics and how busy its machine is, both from hour 0 on."""

    def __init__(self, name, metrics, values, cpu):
        self.name, self.metrics, self.values, self.cpu = name, metrics, values, cpu

    def __len__(self):
        return len(self.values)


def recorded(folder, names, count):
    """`NAME.actuals.csv.gz` (ts and a column a metric, hourly) and `NAME.load.csv.gz` (ts and the load)."""
    folder = pathlib.Path(folder)
    suffix = ".actuals.csv.gz"
    found = sorted(path.name.removesuffix(suffix) for path in folder.glob("*" + suffix))
    chosen = names or found[:count]
    missing = [name for name in chosen if name not in found]
    if missing or not chosen:
        raise SystemExit(f"{folder} holds no {missing or ['*']}{suffix}; it holds {found}")
    entities = []
    for name in chosen:
        header, times, values = table(folder / (name + suffix))
        start = times[0]
        hours = [(time - start) // HOUR for time in times]
        grid = numpy.full((hours[-1] + 1, len(header)), numpy.nan)
        grid[hours] = values
        load_header, load_times, load = table(folder / f"{name}.load.csv.gz")
        sums, counts = numpy.zeros(len(grid)), numpy.zeros(len(grid))
        for time, value in zip(load_times, load[:, 0]):
            hour = (time - start) // HOUR
            if 0 <= hour < len(grid) and value == value:
                sums[hour] += value
                counts[hour] += 1
        cpu = numpy.divide(sums, counts, out=numpy.full(len(grid), numpy.nan), where=counts > 0)
        if not load_header[0].endswith("_pct"):
            # No percentage: held against its own 95th percentile of the first 30 days.
            cpu = 100 * cpu / numpy.nanpercentile(cpu[:720], 95)
        entities.append(Entity(name, header, grid, numpy.clip(cpu, 0, 100)))
    return entities, start


def generated(count, days, seed):
    """Servers with a day and a week, of which each changes for good at a time of its own: made up, and said to be."""
    random = numpy.random.default_rng(seed)
    hours = numpy.arange(days * 24)
    entities = []
    for number in range(count):
        day = numpy.sin(2 * numpy.pi * (hours % 24 - 6 - number) / 24)
        week = 1 - 0.25 * ((hours // 24) % 7 >= 5)
        noise = numpy.zeros(len(hours))
        for hour in range(1, len(hours)):
            noise[hour] = 0.7 * noise[hour - 1] + random.normal(0, 1.2)
        cpu = (35 + 14 * day) * week + noise
        changed = hours >= (40 + 5 * number) * 24
        if number % 2 == 0:
            cpu = numpy.where(changed, 22 + 1.4 * numpy.roll(cpu, 5), cpu)
        else:
            cpu = numpy.where(changed, cpu + 16 * (hours % 6 == 0), cpu)
        memory = 50 + 0.3 * cpu + numpy.cumsum(random.normal(0, 0.1, len(hours)))
        values = numpy.clip(numpy.column_stack([cpu, memory]), 1, 100)
        entities.append(Entity(f"made-up-{number}", ["cpu_pct", "mem_pct"], values, numpy.clip(values[:, 0], 0, 100)))
    return entities, int(datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp() * 1000)


def table(path):
    times, rows = [], []
    with gzip.open(path, "rt") as file:
        reader = csv.reader(file)
        header = next(reader)[1:]
        for row in reader:
            moment = datetime.datetime.strptime(row[0], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
            times.append(int(moment.timestamp() * 1000))
            rows.append([float(value) if value else numpy.nan for value in row[1:]])
    return header, times, numpy.array(rows)


def moved_to_now(start, hours, now):
    """The start, later by whole weeks, so that the series ends in the last week: hours of the week stay as they were."""
    return start + (now - (start + hours * HOUR)) // WEEK * WEEK
