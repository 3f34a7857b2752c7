"""Objects that no box shows: how many of each class a frame is expected to hold.

For each class a logistic regression says whether a frame of val holds such an object, from numbers of the
frame and its embedding. A rare class is in a few drives of val, and what tells those drives apart from others
looks like the class: the answer is drawn back towards the base rate as far as it fails on drives that were
held out. Where it ranks those no better than chance, only the base rate is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.errors_model.regression import Fitted, Link, fit
from dataengine.mine.odds import log_odds

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Of every class: the chance that a frame holds an unseen object, and how many it then holds.

    Attributes:
        chance: One model a class, and how it is drawn back; None for a class that only has a rate.
        number: ``[K]`` unseen objects in a frame that holds any.
        rate: ``[K]`` share of frames that do.
        held_out: ``[F, K]`` expected objects of the frames of val, each without its own part of the drives.
    """

    chance: tuple[tuple[Fitted, Fitted] | None, ...]
    number: Floats
    rate: Floats
    held_out: Floats

    @classmethod
    def of(cls, rows: Floats, counts: NDArray[np.int64], group: NDArray[np.int64]) -> Unseen:
        """Fit on ``[F, C]`` rows and ``[F, K]`` objects; a class of one drive alone has a rate only."""
        holds = counts > 0
        rate = holds.mean(axis=0)
        several = [len(np.unique(group[held])) > 1 and not held.all() for held in holds.T]
        chance = tuple(
            _fit(rows, held.astype(np.float64), group) if enough else None
            for held, enough in zip(holds.T, several, strict=True)
        )
        number = counts.sum(axis=0) / np.maximum(holds.sum(axis=0), 1)
        said = [np.full(len(rows), rate[k]) if c is None else c[1].held_out for k, c in enumerate(chance)]
        return cls(chance=chance, number=number, rate=rate, held_out=_expected(said, number, len(rows)))

    def __call__(self, rows: Floats) -> Floats:
        """``[F, K]`` expected objects of other frames."""
        said = [
            np.full(len(rows), self.rate[k]) if c is None else c[1](_column(c[0](rows)))
            for k, c in enumerate(self.chance)
        ]
        return _expected(said, self.number, len(rows))


def _fit(rows: Floats, held: Floats, group: NDArray[np.int64]) -> tuple[Fitted, Fitted] | None:
    """The model, and what is made of its answer; None where that is nothing."""
    first = fit(rows, held, group, Link.logistic)
    second = fit(_column(first.held_out), held, group, Link.logistic)
    return (first, second) if second.weights[0] > 0 else None


def _column(chance: Floats) -> Floats:
    """``[F, 1]`` log-odds."""
    return log_odds(chance, 1e-6)[:, None]


def _expected(said: list[Floats], number: Floats, num_frames: int) -> Floats:
    return np.column_stack(said) * number if said else np.zeros((num_frames, 0))
