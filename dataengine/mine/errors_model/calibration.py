"""The chance that a predicted box is a true object of a class: Platt scaling, class by class.

For every box ``b`` and class ``k`` the log-odds of "``b`` shows an object of ``k``" are a line in the
log-odds of the predicted score ``s``: ``(a + a_k) + (c + c_k) logit(s)`` (Platt 1999). The deviations of a
class from the line of all classes are penalised, so that a class with few objects in val stays near it.
The penalty is chosen by cross-validation over drives, times the objects that one drive holds on average:
thirty cones of one drive tell no more than one or two.

Fitted on val. The model was trained on the labelled frames and is surer there than it is right to be, so
they only speak for classes of which val holds fewer than ``FEWEST`` objects. With neither, or where no
box or every box is right, the score itself is the answer, and ``Calibration.note`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates, Known
from dataengine.mine.errors_model.outcomes import clean_scores, group_of, outcomes
from dataengine.mine.errors_model.ranking import auc
from dataengine.mine.errors_model.regression import Fitted, Link, fit

FEWEST = 10
"""Objects of a class that val must hold before the labelled frames are left out for it."""

LEAST_SCORE = 0.02
"""Scores below it are left out of the fit: there are very many, and they say next to nothing."""

LEAST_ODDS = 1e-4
"""Scores are kept this far from 0 and 1, where log-odds are infinite."""

FREEDOM = 0.1
"""Penalty of the line that all classes share, as a share of that of a class's own deviation."""

BLOCK = 2_000_000
"""Boxes calibrated at once: bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """From scores to chances.

    Attributes:
        offset: ``[K]`` log-odds where the score is one half.
        slope: ``[K]`` at least 0; 1 and an offset of 0 leave scores as they are.
        held_out_auc: Ranking quality on drives that were held out, 0..1; NaN where there was nothing to fit.
        note: What it was fitted on, in words.
    """

    offset: NDArray[np.float64]
    slope: NDArray[np.float64]
    held_out_auc: float
    note: str

    def __call__(self, class_scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """``[B, K]`` chance in 0..1 for ``[B, K]`` scores; never falls where a score rises."""
        chance = np.empty(class_scores.shape, np.float32)
        for begin in range(0, len(chance), BLOCK):
            rows = slice(begin, begin + BLOCK)
            total = self.offset + self.slope * log_odds(class_scores[rows])
            chance[rows] = 1 / (1 + np.exp(-np.clip(total, -40, 40)))
        return chance


def true_chance(candidates: Candidates) -> NDArray[np.float32]:
    """Chance that a predicted box is a true object of each class.

    Args:
        candidates: The pool; ``val`` and ``labelled`` are used where they are known (``Need.val``,
            ``Need.labelled``).

    Returns:
        ``[B, K]`` in 0..1, row for row as ``candidates.boxes``. The chances of one box need not add up to
        one: what is left is the chance that there is nothing (or that another box shows it better).
    """
    return calibration(candidates)(candidates.boxes.class_scores)


def calibration(candidates: Candidates) -> Calibration:
    """Fit the calibration of ``true_chance``."""
    num_classes = len(candidates.classes)
    pairs = _Pairs.none()
    held = 0
    if candidates.val is not None:
        pairs = _Pairs.of(candidates.val)
        held = int(pairs.group.max(initial=-1)) + 1
    objects = np.bincount(pairs.kind[pairs.is_object], minlength=num_classes)
    poor = np.flatnonzero(objects < FEWEST)
    extra = 0
    if candidates.labelled is not None and len(poor):
        more = _Pairs.of(candidates.labelled)
        more = more.where(np.isin(more.kind, poor))
        extra = int(more.is_object.sum())
        pairs = pairs.joined(more, held)
    if not 0 < pairs.is_object.sum() < len(pairs.is_object):
        return Calibration(
            offset=np.zeros(num_classes),
            slope=np.ones(num_classes),
            held_out_auc=float("nan"),
            note="scores as they are: no val or labelled frames with both right and wrong boxes",
        )
    fitted = _fit(pairs, num_classes)
    own = fitted.weights[1:].reshape(2, num_classes)
    note = f"chances calibrated on {int(objects.sum())} objects of val"
    if extra:
        names = ", ".join(candidates.classes[k] for k in poor)
        note += f" and {extra} labelled ones ({names}: too few in val)"
    return Calibration(
        offset=fitted.bias + own[0],
        slope=np.maximum(fitted.weights[0] + own[1], 0.0),
        held_out_auc=auc(fitted.held_out, pairs.is_object),
        note=note,
    )


def log_odds(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of scores, finite."""
    inside = np.clip(scores.astype(np.float64), LEAST_ODDS, 1 - LEAST_ODDS)
    answer: NDArray[np.float64] = np.log(inside / (1 - inside))
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    """Boxes and the classes that they may show: ``[P]`` each."""

    odds: NDArray[np.float64]
    kind: NDArray[np.int64]
    is_object: NDArray[np.bool_]
    group: NDArray[np.int64]

    @classmethod
    def none(cls) -> _Pairs:
        zero = np.zeros(0, np.int64)
        return cls(odds=np.zeros(0), kind=zero, is_object=np.zeros(0, np.bool_), group=zero)

    @classmethod
    def of(cls, known: Known) -> _Pairs:
        scores, found = clean_scores(known.predictions), outcomes(known)
        box, kind = np.nonzero((scores >= LEAST_SCORE) & ~found.neutral[:, None])
        return cls(
            odds=log_odds(scores[box, kind]),
            kind=kind,
            is_object=found.is_object[box, kind],
            group=group_of(known.frames)[known.predictions.boxes.frame_index[box]],
        )

    def where(self, keep: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(
            odds=self.odds[keep],
            kind=self.kind[keep],
            is_object=self.is_object[keep],
            group=self.group[keep],
        )

    def joined(self, other: _Pairs, shift: int) -> _Pairs:
        return _Pairs(
            odds=np.concatenate([self.odds, other.odds]),
            kind=np.concatenate([self.kind, other.kind]),
            is_object=np.concatenate([self.is_object, other.is_object]),
            group=np.concatenate([self.group, other.group + shift]),
        )


def _fit(pairs: _Pairs, num_classes: int) -> Fitted:
    own = (pairs.kind[:, None] == np.arange(num_classes)).astype(np.float64)
    rows = np.column_stack([pairs.odds, own, own * pairs.odds[:, None]])
    held = np.unique(np.column_stack([pairs.kind, pairs.group])[pairs.is_object], axis=0)[:, 0]
    objects = np.bincount(pairs.kind[pairs.is_object], minlength=num_classes)
    crowding = objects / np.maximum(np.bincount(held, minlength=num_classes), 1)
    relative = np.concatenate([[FREEDOM], np.tile(np.maximum(crowding, 1), 2)])
    return fit(rows, pairs.is_object.astype(np.float64), pairs.group, Link.logistic, relative)
