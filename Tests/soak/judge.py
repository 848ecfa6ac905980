"""When memory counts as flat."""

WARM_UP = 0.2
GROWTH_SHARE, GROWTH_BYTES = 0.05, 8 << 20


def slope(samples):
    """Bytes a second, by least squares."""
    count = len(samples)
    mean_time = sum(time for time, _ in samples) / count
    mean_size = sum(size for _, size in samples) / count
    spread = sum((time - mean_time) ** 2 for time, _ in samples)
    return sum((time - mean_time) * (size - mean_size) for time, size in samples) / spread if spread else 0.0


def judge(samples):
    """Whether memory is flat behind the warm-up, and the line that says so."""
    rest = samples[int(len(samples) * WARM_UP):]
    rate = slope(rest)
    rise = rate * (rest[-1][0] - rest[0][0])
    level = sum(size for _, size in rest) / len(rest)
    flat = not (rise > GROWTH_BYTES and rise > GROWTH_SHARE * level)
    return flat, (
        f"resident {level / 1e6:.1f} MB in the mean behind the warm-up, slope {rate * 3600 / 1e6:+.2f} MB an hour, "
        f"{rise / 1e6:+.2f} MB over {rest[-1][0] - rest[0][0]:.0f} s")
