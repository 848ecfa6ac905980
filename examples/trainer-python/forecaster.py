"""A forecaster that learns incrementally: one linear model a metric and horizon, over recent values and the season."""

import numpy
from sklearn.linear_model import Ridge, SGDRegressor

HOUR = 3_600_000
HORIZONS = (1, 6, 24)
#: Hours of history that a forecast looks back on.
REACH = 168


def features(series, now, horizon, origin):
    """What is known at hour `now` about hour `now + horizon`; nan where the series has a gap.

    `series` is hourly, and its first value is of hour `origin` since 1970. The columns: the last three values, two means, the same hour of yesterday and of last week, and
    the hour of the day in two harmonics.
    """
    now = numpy.asarray(now)
    target = now + horizon
    recent = [series[now - lag] for lag in (0, 1, 2)]
    means = [numpy.mean([series[now - lag] for lag in range(length)], axis=0) for length in (6, 24)]
    season = [series[target - 24 * max(1, -(-horizon // 24))], series[target - 168]]
    turns = 2 * numpy.pi * ((origin + target) % 24) / 24
    clock = [numpy.sin(turns), numpy.cos(turns), numpy.sin(2 * turns), numpy.cos(2 * turns)]
    return numpy.column_stack(recent + means + season + clock)


class Cell:
    """The model of one metric at one horizon, on inputs of mean 0 and deviation 1."""

    def __init__(self, rows, targets):
        """The first fit: closed form, on everything."""
        self.rescale(rows, targets)
        fitted = Ridge(alpha=1.0).fit(self.scaled(rows), self.scaled_targets(targets))
        self.weights, self.intercept = fitted.coef_.copy(), float(fitted.intercept_)

    def learn(self, rows, targets, epochs, seed):
        """Goes on from the weights at hand: `epochs` passes of stochastic gradient descent over the rows, shuffled."""
        old_mean, old_deviation, old_level, old_scale = self.mean, self.deviation, self.level, self.scale
        self.rescale(rows, targets)
        # The same line in the new units.
        slope = self.weights * old_scale / old_deviation
        height = old_level + old_scale * self.intercept - slope @ old_mean
        self.weights = slope * self.deviation / self.scale
        self.intercept = float((height + slope @ self.mean - self.level) / self.scale)
        # Absolute errors beyond a third of a deviation, as driftgate counts them: a spike must not steer an epoch.
        model = SGDRegressor(
            loss="huber", epsilon=0.3, learning_rate="constant", eta0=0.005, alpha=1e-4, shuffle=False)
        inputs, wanted = self.scaled(rows), self.scaled_targets(targets)
        model.partial_fit(inputs[:1], wanted[:1])
        # The level first: where it has moved far, an epoch would spend itself on following.
        self.intercept += float(numpy.median(wanted - inputs @ self.weights - self.intercept))
        model.coef_, model.intercept_ = self.weights.copy(), numpy.array([self.intercept])
        shuffle = numpy.random.default_rng(seed)
        for _ in range(epochs):
            order = shuffle.permutation(len(inputs))
            model.partial_fit(inputs[order], wanted[order])
        self.weights, self.intercept = model.coef_.copy(), float(model.intercept_[0])

    def predict(self, rows):
        return numpy.maximum(0, self.level + self.scale * (self.scaled(rows) @ self.weights + self.intercept))

    def rescale(self, rows, targets):
        self.mean, self.deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        self.level, self.scale = float(targets.mean()), float(targets.std()) + 1e-9

    def scaled(self, rows):
        return (rows - self.mean) / self.deviation

    def scaled_targets(self, targets):
        return (targets - self.level) / self.scale


def training_rows(series_of_entities, horizon, origin):
    """Inputs and targets of all entities, without gaps; every series begins at hour `origin` since 1970."""
    inputs, targets = [], []
    for series in series_of_entities:
        hours = numpy.arange(REACH, len(series) - horizon)
        if len(hours) == 0:
            continue
        rows, wanted = features(series, hours, horizon, origin), series[hours + horizon]
        known = ~(numpy.isnan(rows).any(axis=1) | numpy.isnan(wanted))
        inputs.append(rows[known])
        targets.append(wanted[known])
    if not inputs:
        return numpy.empty((0, 11)), numpy.empty(0)
    return numpy.concatenate(inputs), numpy.concatenate(targets)


def wape(predicted, actual):
    """Sum of absolute errors over the sum of actuals; 0 for nothing."""
    total = float(numpy.abs(actual).sum())
    return float(numpy.abs(predicted - actual).sum()) / total if total > 0 else 0.0
