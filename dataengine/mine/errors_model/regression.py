"""Ridge and logistic regression in plain numpy, their penalty chosen by cross-validation over groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.odds import chance_of

Floats = NDArray[np.float64]

PENALTIES = (0.3, 3.0, 30.0, 300.0)
"""Tried for every model; in units of rows, as the columns are scaled to a spread of 1."""

NUM_FOLDS = 5
"""Parts of the cross-validation, where there are so many groups."""

NEWTON_STEPS = 30
"""At most; a penalised logistic regression is there after about eight."""


class Link(Enum):
    """What a model's sum stands for."""

    identity = "identity"
    """The value itself: ridge regression."""
    logistic = "logistic"
    """The log-odds of a chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """Brings columns to a mean of 0 and a spread of 1; what is not finite becomes the mean.

    Attributes:
        mean: ``[F]``.
        spread: ``[F]``, 1 for a constant column.
    """

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, rows: Floats) -> Scaler:
        """The scaling of ``[N, F]`` rows."""
        sound = np.isfinite(rows)
        number = np.maximum(sound.sum(axis=0), 1)
        kept = np.where(sound, rows, 0.0)
        mean = kept.sum(axis=0) / number
        spread = np.sqrt((np.where(sound, rows - mean, 0.0) ** 2).sum(axis=0) / number)
        return cls(mean=mean, spread=np.where(spread > 1e-9 * (1 + np.abs(mean)), spread, 1.0))

    def __call__(self, rows: Floats) -> Floats:
        """``[N, F]`` scaled rows."""
        with np.errstate(invalid="ignore"):
            scaled = (rows - self.mean) / self.spread
        return np.where(np.isfinite(scaled), scaled, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A linear model.

    Attributes:
        link: What the sum stands for.
        bias: The constant, never penalised.
        weights: ``[F]``.
        held_out: ``[N]`` what models fitted without the row's group say of each row.
        penalty: The one that predicted held-out rows best.
    """

    link: Link
    bias: float
    weights: Floats
    held_out: Floats
    penalty: float

    def __call__(self, rows: Floats) -> Floats:
        """``[N]`` prediction for ``[N, F]`` rows."""
        return _linked(self.bias + rows @ self.weights, self.link)


def fit(
    rows: Floats, target: Floats, groups: NDArray[np.int64], link: Link, relative: Floats | None = None
) -> Fitted:
    """Fit with the penalty that predicts the rows of unseen groups best.

    Args:
        rows: ``[N, F]`` columns of comparable spread; N at least 1.
        target: ``[N]``; 0 or 1 for the logistic link.
        groups: ``[N]`` rows of one group (a drive) are never apart: they resemble each other.
        link: What is fitted.
        relative: ``[F]`` factor on each column's penalty; 1 by default.
    """
    factor = np.ones(rows.shape[1]) if relative is None else relative
    fold = folds(groups)
    tried = [(_held_out(rows, target, fold, link, penalty * factor), penalty) for penalty in PENALTIES]
    # at equal loss the stronger penalty, which says less
    held_out, penalty = min(reversed(tried), key=lambda trial: _loss(trial[0], target, link))
    bias, weights = _solve(rows, target, link, penalty * factor)
    return Fitted(link=link, bias=bias, weights=weights, held_out=held_out, penalty=penalty)


def folds(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """``[N]`` part of the cross-validation that each row is in, whole groups together.

    With a single group nothing can be held out, and all rows are in part 0.
    """
    number = np.unique(groups, return_inverse=True)[1].reshape(-1)
    answer: NDArray[np.int64] = number % NUM_FOLDS
    return answer


def _held_out(rows: Floats, target: Floats, fold: NDArray[np.int64], link: Link, penalty: Floats) -> Floats:
    """What is said of each row by a model that has not seen its part; the mean where there is one part."""
    said = np.full(len(target), target.mean())
    parts = np.unique(fold)
    for part in parts if len(parts) > 1 else []:
        out = fold == part
        bias, weights = _solve(rows[~out], target[~out], link, penalty)
        said[out] = _linked(bias + rows[out] @ weights, link)
    return said


def _solve(rows: Floats, target: Floats, link: Link, penalty: Floats) -> tuple[float, Floats]:
    """Bias and weights of the penalised fit; logistic by Newton's method."""
    design = np.column_stack([np.ones(len(rows)), rows])
    curb = np.diag(np.concatenate([[1e-6], penalty]))
    if link is Link.identity:
        answer = np.linalg.solve(design.T @ design + curb, design.T @ target)
        return float(answer[0]), answer[1:]
    share = np.clip(target.mean(), 1e-4, 1 - 1e-4)
    answer = np.zeros(design.shape[1])
    answer[0] = np.log(share / (1 - share))
    for _ in range(NEWTON_STEPS):
        chance = _linked(design @ answer, link)
        slope = design.T @ (target - chance) - curb @ answer
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + curb
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(curve)), slope)
        # a long step from a flat place overshoots: the log-odds move by 8 at most
        answer += step * min(1.0, 8 / max(1e-12, float(np.abs(design @ step).max(initial=0.0))))
        if np.abs(step).max() < 1e-7:
            break
    return float(answer[0]), answer[1:]


def _linked(total: Floats, link: Link) -> Floats:
    if link is Link.identity:
        return total
    return chance_of(total)


def _loss(said: Floats, target: Floats, link: Link) -> float:
    """Mean squared error, or mean log-loss in nats."""
    if link is Link.identity:
        return float(((said - target) ** 2).mean())
    chance = np.clip(said, 1e-9, 1 - 1e-9)
    return float(-(target * np.log(chance) + (1 - target) * np.log(1 - chance)).mean())
