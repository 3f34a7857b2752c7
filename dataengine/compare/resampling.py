"""Intervals over seeds and drives, from few seeds.

A resample draws the trials with replacement and, for each drawn trial, one replicate of its drives (a
hierarchical bootstrap: Davison and Hinkley 1997, section 3.8). Three things make it honest here.

Few seeds: a bootstrap of ``n`` values is too narrow by ``sqrt((n - 1) / n)`` and takes the normal quantile
where Student's is due; with five seeds it calls chance a gain in one case of seven. So the deviations
between trials are widened by ``sqrt(n / (n - 1)) * t / z``. (Hesterberg 2015, "What teachers should know
about the bootstrap", reads more extreme quantiles to the same end; of 2,000 resamples there are too few.)

Replicates say how far, not where: a resample holds fewer distinct drives than the test, which shifts average
precision where few drives hold a class, so replicates enter as deviations from their mean. A resample that
drew no object of a slice says nothing of it and deviates by nothing.

Shared tests: seeds that are judged on the same drives share the luck of those drives, and then all trials
of a resample take the same replicate. Where every seed has drives of its own, each draws for itself; the
trials' differences hold the luck of the drives already, so the interval errs on the wide side.

Everything is drawn on means of trials, and what is made of means (a crossing, a ratio) is made of the draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dataengine.streams import Streams

Floats = NDArray[np.float64]


@cache
def student_t(confidence: float, dof: int) -> float:
    """Quantile of Student's distribution that ``|t|`` stays within at ``confidence``, for ``dof`` >= 1.

    The distribution function for whole degrees of freedom is Abramowitz and Stegun's 26.7.3 and 26.7.4.
    """
    low, high = 0.0, 1.0
    while _within(high, dof) < confidence:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, dof) < confidence else (low, middle)
    return high


def _within(t: float, dof: int) -> float:
    """Probability of ``|T| <= t``."""
    angle = math.atan(t / math.sqrt(dof))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = dof % 2
    term = cosine if odd else 1.0
    total = 0.0 if dof == 1 else term
    for number in range(1, (dof - 1) // 2 if odd else dof // 2):
        term *= cosine**2 * (2 * number / (2 * number + 1) if odd else (2 * number - 1) / (2 * number))
        total += term
    return (angle + sine * total) * 2 / math.pi if odd else sine * total


def widening(num_trials: int, confidence: float) -> float:
    """Factor on the deviations between ``num_trials`` trials; 1 where there is but one."""
    if num_trials < 2:
        return 1.0
    normal = NormalDist().inv_cdf((1 + confidence) / 2)
    return math.sqrt(num_trials / (num_trials - 1)) * student_t(confidence, num_trials - 1) / normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The resamples of some trials: the same for every figure, so that figures stay paired.

    Attributes:
        trials: ``[n]`` numbers of the trials.
        drawn: ``[B, n]`` which of them each resample holds, as positions in ``trials``.
        replicate: ``[B, n]`` number of the replicate that goes with each.
        factor: Widening of the deviations between trials.
        confidence: Coverage of the intervals.
    """

    trials: NDArray[np.int64]
    drawn: NDArray[np.int64]
    replicate: NDArray[np.int64]
    factor: float
    confidence: float

    def means(self, values: Floats, replicates: NDArray[np.float32] | None = None) -> Floats:
        """Resampled means over the trials.

        Args:
            values: ``[n, R]`` figures, none NaN.
            replicates: ``[n, N, R]`` their replicates; a figure that is NaN in all of them has none. None:
                the trials alone are drawn.

        Returns:
            ``[B, R]``.
        """
        number = len(self.trials)
        counts = np.zeros(self.drawn.shape)
        np.add.at(counts, (np.arange(len(counts))[:, None], self.drawn), 1.0)
        means: Floats = values.mean(axis=0) + self.factor * ((counts - 1) / number) @ values
        if replicates is None or not replicates.shape[1]:
            return means
        spread = _deviations(replicates)
        for turn in range(number):
            means += spread[self.drawn[:, turn], self.replicate[:, turn] % replicates.shape[1]] / number
        return means

    def interval(self, draws: Floats) -> tuple[Floats, Floats]:
        """Ends ``[R]`` of the percentile intervals of draws ``[B, R]``, of which none may be NaN.

        Ends are values that were drawn, so infinite draws can stand for less or more than any. NaN where
        there is one trial and nothing of it varies: nothing was drawn.
        """
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(draws, [tail, 1 - tail], axis=0, method="nearest")
        if len(self.trials) > 1:
            return low, high
        return np.where(low < high, low, np.nan), np.where(low < high, high, np.nan)


def _deviations(replicates: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[n, N, R]`` from the mean of each trial's known replicates; 0 where a replicate is unknown."""
    known = ~np.isnan(replicates)
    filled = np.where(known, replicates, np.float32(0))
    mean = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, filled - mean.astype(np.float32), np.float32(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Means over the trials of R figures.

    Attributes:
        value: ``[R]``; NaN where no trial knows the figure.
        lower: ``[R]`` end of the interval; NaN where there is none.
        upper: ``[R]``, too.
        num_seeds: ``[R]`` trials that know it.
    """

    value: Floats
    lower: Floats
    upper: Floats
    num_seeds: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampler:
    """Makes the plan of any set of trials; the same set gets the same plan.

    Attributes:
        streams: Where the draws come from.
        resamples: How many.
        num_replicates: Replicates of the drives that there are to draw from; 0 for none.
        shared: Whether all trials are judged on the same drives.
        confidence: Coverage of the intervals.
    """

    streams: Streams
    resamples: int
    num_replicates: int
    shared: bool
    confidence: float

    def plan(self, trials: NDArray[np.int64]) -> Plan:
        """The resamples of the trials with these numbers."""
        rng = self.streams.generator("compare/resamples", *trials.tolist())
        shape = (self.resamples, len(trials))
        drawn = rng.integers(0, len(trials), shape)
        wide = (self.resamples, 1) if self.shared else shape
        replicate = np.broadcast_to(rng.integers(0, max(1, self.num_replicates), wide), shape)
        return Plan(
            trials=trials,
            drawn=drawn,
            replicate=replicate,
            factor=widening(len(trials), self.confidence),
            confidence=self.confidence,
        )

    def groups(self, known: NDArray[np.bool_]) -> Iterator[tuple[Plan, NDArray[np.int64]]]:
        """The rows that are known in the same trials, with the plan of those trials.

        Args:
            known: ``[T, R]`` which rows are known in which trials; rows known in none are left out.
        """
        patterns, number = np.unique(known, axis=1, return_inverse=True)
        for index in range(patterns.shape[1]):
            trials = np.flatnonzero(patterns[:, index])
            if len(trials):
                yield self.plan(trials), np.flatnonzero(number.ravel() == index)

    def estimate(self, values: Floats, replicates: NDArray[np.float32]) -> Estimates:
        """Means over the trials, with their intervals.

        Args:
            values: ``[T, R]``; NaN where a trial does not know a figure.
            replicates: ``[T, N, G]`` of the first G figures.
        """
        known = ~np.isnan(values)
        value, lower, upper = (np.full(values.shape[1], np.nan) for _ in range(3))
        for plan, rows in self.groups(known):
            for part, draws in self._parts(plan, rows, values, replicates):
                value[part] = values[np.ix_(plan.trials, part)].mean(axis=0)
                lower[part], upper[part] = plan.interval(draws)
        return Estimates(value=value, lower=lower, upper=upper, num_seeds=known.sum(axis=0))

    @staticmethod
    def _parts(
        plan: Plan, rows: NDArray[np.int64], values: Floats, replicates: NDArray[np.float32]
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """The rows with and those without replicates, with their resampled means."""
        has_some = rows < replicates.shape[2]
        for part, drives in ((rows[has_some], True), (rows[~has_some], False)):
            if len(part):
                spread = replicates[plan.trials][:, :, part] if drives else None
                yield part, plan.means(values[np.ix_(plan.trials, part)], spread)
