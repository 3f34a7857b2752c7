"""A learning curve with its uncertainty: from the cycles so far to what the next batch brings.

The law is an inverse power law with a floor, ``c + a * n ** -b`` (Hestness et al. 2017, "Deep learning
scaling is predictable, empirically"; Viering and Loog 2021, "The shape of learning curves", find power laws
the best on the whole and no law the best always; Mahmood et al. 2022, "How much more data do I need?", that
one fitted law extrapolates too boldly from few points: hence it is averaged over here, not fitted. All three
are quoted from memory). Here it holds for the odds of an error, ``(1 - value) / value``, not for the error:
the two are the same where errors are few, and a detector that has hardly learned rises slowly too, which a
power law of the error denies. Written from its first point, with ``o`` the odds there, ``f`` the share of
``o`` that no label removes and ``m = n / n0``: ``odds = o * (f + (1 - f) * m ** -b)``. A mined frame counts
as ``k`` random ones, ``m = 1 + k * (n - n0) / n0``: what a miner gains it gains early, and then it follows
the same law. No real curve is that smooth, so it leaves the law by a random walk in ``log n``: a miner that
finds something, a pool that runs dry, steps that no longer suffice. So the last cycle counts most.

Priors (``dataengine.forecast.priors`` says where they come from):

* ``b`` log-normal around what the caller says, 90% within a factor of 1.9 (Hestness saw 0.07..0.35 of the
  error on sets larger by orders, past the steep part), and with probability 1/10 below a third of that, a
  plateau;
* ``f`` 0.7 times the square of a uniform, ``k`` log-normal around 3.5, 90% in 1.8..6.8, 1 for blind draws;
* the noise of one fit log-normal around what the caller says, 90% within a factor of 1.6; the step of the
  walk log-normal around 0.02 for an e-fold of labels.

They are integrated over by drawing from a fixed low-discrepancy sequence, with a Kalman filter for the walk
within each draw, so the same points give the same forecast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from dataengine.forecast.priors import Prior

NUM_DRAWS = 8192
CONFIDENCE = 0.9

EXPONENT_SPREAD = 0.4
PLATEAU_SHARE, PLATEAU_EXPONENT = 0.1, 0.3
"""Share of the draws on a plateau, and the largest exponent there, as a share of the median."""
LARGEST_FLOOR = 0.7
WORTH_MEDIAN, WORTH_SPREAD = 3.5, 0.4
NOISE_SPREAD = 0.3
SMALLEST_NOISE = 0.005
SMALLEST_VALUE = 0.002
WALK_MEDIAN, WALK_SPREAD = 0.02, 0.5
"""By how much of the metric a curve leaves its law while the labels grow e-fold (standard deviation)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One finished cycle.

    Attributes:
        cost: Cumulative cost, the seed set counted; any unit, the same for every point.
        value: The metric, 0..1, higher is better.
    """

    cost: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the next cycle brings; every end is of a 90% interval, NaN where nothing is known.

    Attributes:
        value: The figure that will be measured, median.
        lower: Its lower end; the noise of that measurement is inside.
        upper: Its upper end.
        gain: How far the curve itself rises from the last cycle to the next, without noise; median.
        gain_lower: Its lower end.
        gain_upper: Its upper end.
        chance_of_gain: Probability that the curve rises by more than the noise of one fit.
    """

    value: float
    lower: float
    upper: float
    gain: float
    gain_lower: float
    gain_upper: float
    chance_of_gain: float

    @property
    def is_known(self) -> bool:
        """Whether there was anything to forecast from."""
        return not math.isnan(self.value)


UNKNOWN = Forecast(
    value=math.nan,
    lower=math.nan,
    upper=math.nan,
    gain=math.nan,
    gain_lower=math.nan,
    gain_upper=math.nan,
    chance_of_gain=math.nan,
)


@dataclass(frozen=True, slots=True)
class _Draws:
    """Draws, ``[S]`` each: standard normals for what is Gaussian given the rest, and the parameters.

    Exponent and noise are factors on what is believed of the figure.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    step: NDArray[np.float64]
    last: NDArray[np.float64]
    exponent: NDArray[np.float64]
    floor: NDArray[np.float64]
    worth: NDArray[np.float64]
    noise: NDArray[np.float64]
    walk: NDArray[np.float64]


def next_gain(points: Sequence[Point], *, next_cost: float, believed: Prior, mined: bool) -> Forecast:
    """Forecast the figure of the next cycle.

    Args:
        points: The cycles so far, in any order; those that are not finite are left out. One is enough: the
            priors carry the forecast then.
        next_cost: Cumulative cost of the next cycle, in the unit of the points.
        believed: Of the figure: how noisy a fit is, and how fast it rises.
        mined: Whether frames are chosen; a blind draw has a law of its own.

    Returns:
        The forecast; all NaN without a single point.
    """
    known = sorted((p for p in points if math.isfinite(p.cost) and math.isfinite(p.value)), key=_cost)
    if not known or not math.isfinite(next_cost):
        return UNKNOWN
    spread = max(believed.noise if math.isfinite(believed.noise) else 0.0, SMALLEST_NOISE)
    draws = _draws()
    sigma = spread * draws.noise
    start = np.clip(known[0].value + sigma * draws.start, SMALLEST_VALUE, 1 - SMALLEST_VALUE)
    odds = 1 / start - 1
    worth = draws.worth if mined else np.ones_like(draws.worth)
    first = max(known[0].cost, 1e-9)

    def curve(cost: float) -> NDArray[np.float64]:
        """The law's value at a cost, ``[S]``."""
        more = np.maximum(1 + worth * (cost - first) / first, 0.1)
        return 1 / (
            1 + odds * (draws.floor + (1 - draws.floor) * more ** (-believed.exponent * draws.exponent))
        )

    weight, offset, spread_of_offset = _filtered(known, curve, sigma, draws.walk)
    step = draws.walk * math.sqrt(_log_ratio(known[-1].cost, next_cost)) * draws.step
    rise = curve(next_cost) - curve(known[-1].cost)
    here = np.clip(curve(known[-1].cost) + offset + spread_of_offset * draws.last, 0.0, 1.0)
    then = np.clip(here + rise + step, 0.0, 1.0)
    gain = then - here
    low, middle, high = _quantiles(np.clip(then + sigma * draws.end, 0.0, 1.0), weight)
    gain_low, gain_middle, gain_high = _quantiles(gain, weight)
    return Forecast(
        value=middle,
        lower=low,
        upper=high,
        gain=gain_middle,
        gain_lower=gain_low,
        gain_upper=gain_high,
        chance_of_gain=float(weight[gain > spread].sum() / weight.sum()),
    )


def _filtered(
    points: Sequence[Point],
    curve: Callable[[float], NDArray[np.float64]],
    sigma: NDArray[np.float64],
    walk: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weight of each draw, and mean and standard deviation of its offset from the law at the last point.

    The first point is where each draw begins, so it carries no weight of its own.
    """
    log_weight, mean, variance = np.zeros_like(sigma), np.zeros_like(sigma), np.zeros_like(sigma)
    for before, point in pairwise(points):
        variance = variance + walk**2 * _log_ratio(before.cost, point.cost)
        surprise, total = point.value - curve(point.cost) - mean, variance + sigma**2
        log_weight -= 0.5 * (surprise**2 / total + np.log(total))
        mean = mean + variance / total * surprise
        variance = variance * sigma**2 / total
    return np.exp(log_weight - log_weight.max()), mean, np.sqrt(variance)


def _log_ratio(cost: float, next_cost: float) -> float:
    """E-folds of labels from one cost to another; 0 where nothing is added."""
    return max(math.log(max(next_cost, 1e-9) / max(cost, 1e-9)), 0.0)


def _cost(point: Point) -> float:
    return point.cost


def _quantiles(values: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float, float]:
    """Both ends of the interval and the median of weighted draws."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    reached /= reached[-1]
    tail = (1 - CONFIDENCE) / 2
    places = np.searchsorted(reached, [tail, 0.5, 1 - tail]).clip(0, len(values) - 1)
    low, middle, high = values[order[places]].tolist()
    return low, middle, high


@lru_cache(maxsize=1)
def _draws() -> _Draws:
    """Every dimension by the additive recurrence with the generalised golden ratio (Roberts 2018)."""
    dimensions = 9
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = ratio ** -np.arange(1, dimensions + 1)
    uniform = (0.5 + np.arange(1, NUM_DRAWS + 1)[:, None] * steps) % 1.0
    start, end, step, last, _, worth, noise, walk = _normal(uniform[:, :8]).T
    floor = uniform[:, 8]
    steep = np.exp(EXPONENT_SPREAD * _normal(_stretched(uniform[:, 4])))
    level = PLATEAU_EXPONENT * uniform[:, 4] / PLATEAU_SHARE
    return _Draws(
        start=start,
        end=end,
        step=step,
        last=last,
        exponent=np.where(uniform[:, 4] < PLATEAU_SHARE, level, steep),
        floor=LARGEST_FLOOR * floor**2,
        worth=WORTH_MEDIAN * np.exp(WORTH_SPREAD * worth),
        noise=np.exp(NOISE_SPREAD * noise),
        walk=WALK_MEDIAN * np.exp(WALK_SPREAD * walk),
    )


def _stretched(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """What lies above the plateau's share, stretched to 0..1."""
    return ((uniform - PLATEAU_SHARE) / (1 - PLATEAU_SHARE)).clip(1e-9, 1 - 1e-9)


def _normal(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal quantiles, by interpolation in a table that is finest in the tails."""
    logits = np.linspace(-12, 12, 2001)
    at = 1 / (1 + np.exp(-logits))
    table = np.array([NormalDist().inv_cdf(p) for p in at.tolist()])
    found: NDArray[np.float64] = np.interp(np.log(uniform / (1 - uniform)), logits, table)
    return found
