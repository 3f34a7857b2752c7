"""The chance that a predicted box is a true object of a class: Platt scaling, class by class.

A box is *said* to be of one class and has a score for every class. That it is of the class said has
log-odds that are a line in those of its score ``s``: ``(a + a_k) + (c + c_k) logit(s)`` (Platt 1999). What
sets a class apart from the line of all classes is penalised, so that one with few objects in val stays near
it; the penalty is chosen by cross-validation over drives, times the objects that one drive holds on average:
thirty cones of one drive tell no more than one or two. That it is of *another* class has log-odds that are
linear in those of the scores of either class, the same for all classes; it is seldom so, as a detector that
wavers gives a box to each of the classes.

A box on an ignore region is no object: nobody would draw it.

Fitted on val. The model was trained on the labelled frames and is surer there than it is right to be, so
they only speak for classes of which val holds fewer than ``FEWEST`` objects. With neither, or where no
box or every box is right, the scores themselves are the answer, and ``Calibration.note`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates, Known, PredictedBoxes
from dataengine.mine.errors_model.outcomes import clean_scores, group_of, outcomes
from dataengine.mine.errors_model.ranking import auc
from dataengine.mine.errors_model.regression import Fitted, Link, fit
from dataengine.mine.odds import chance_of, log_odds

FEWEST = 10
"""Objects of a class that val must hold before the labelled frames are left out for it."""

LEAST_SCORE = 0.02
"""Scores below it say next to nothing, and are very many: they are left out of the fit, and a class that is
not said and scores less has no chance."""

FREEDOM = 0.1
"""Penalty of the line that all classes share, as a share of that of a class's own deviation."""

BLOCK = 1_000_000
"""Boxes calibrated at once: bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """From scores to chances.

    Attributes:
        offset: ``[K]`` log-odds of the class said where its score is one half.
        slope: ``[K]`` at least 0; 1 and an offset of 0 leave scores as they are.
        other: Log-odds of a class that is not said: constant, factor on its own log-odds, factor on those
            of the class said. ``None`` where that was never seen: the chance is 0.
        held_out_auc: Ranking quality on drives that were held out, 0..1; NaN where there was nothing to fit.
        note: What it was fitted on, in words.
    """

    offset: NDArray[np.float64]
    slope: NDArray[np.float64]
    other: tuple[float, float, float] | None = None
    held_out_auc: float = field(default=float("nan"))
    note: str = ""

    def __call__(self, class_scores: NDArray[np.float32], own: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[B, K]`` chance in 0..1, for ``[B, K]`` scores in 0..1 and the ``[B]`` class said."""
        chance = np.zeros(class_scores.shape, np.float32)
        for begin in range(0, len(chance), BLOCK):
            part = slice(begin, begin + BLOCK)
            kind, odds = own[part], log_odds(class_scores[part])
            every = np.arange(len(kind))
            mine = odds[every, kind]
            if self.other is not None:
                constant, factor, of_own = self.other
                found = chance_of(constant + factor * odds + of_own * mine[:, None])
                chance[part] = np.where(class_scores[part] >= LEAST_SCORE, found, 0)
            chance[begin + every, kind] = chance_of(self.offset[kind] + self.slope[kind] * mine)
        return chance


def true_chance(candidates: Candidates) -> NDArray[np.float32]:
    """Chance that a predicted box is a true object of each class.

    Args:
        candidates: The pool; ``val`` and ``labelled`` are used where they are known (``Need.val``,
            ``Need.labelled``).

    Returns:
        ``[B, K]`` in 0..1, row for row as ``candidates.boxes``. An object counts for one box alone, so sums
        over the boxes of a frame are the objects of each class that are expected in it.
    """
    return calibration(candidates)(candidates.boxes.class_scores, class_said(candidates.boxes))


def class_said(boxes: PredictedBoxes) -> NDArray[np.int64]:
    """``[B]`` the class whose score is the box's own."""
    if not boxes.class_scores.shape[1]:
        return np.zeros(len(boxes.score), np.int64)
    answer: NDArray[np.int64] = np.abs(boxes.class_scores - boxes.score[:, None]).argmin(axis=1)
    return answer


def calibration(candidates: Candidates) -> Calibration:
    """Fit the calibration of ``true_chance``."""
    num_classes = len(candidates.classes)
    pairs = _Pairs.none() if candidates.val is None else _Pairs.of(candidates.val)
    objects = np.bincount(pairs.kind[pairs.is_object & pairs.is_own], minlength=num_classes)
    poor = np.flatnonzero(objects < FEWEST)
    extra = 0
    if candidates.labelled is not None and len(poor):
        more = _Pairs.of(candidates.labelled)
        more = more.where(np.isin(more.kind, poor))
        extra = int((more.is_object & more.is_own).sum())
        pairs = pairs.joined(more)
    own = pairs.where(pairs.is_own)
    if not 0 < own.is_object.sum() < len(own.is_object):
        return Calibration(
            offset=np.zeros(num_classes),
            slope=np.ones(num_classes),
            note="scores as they are: no val or labelled frames with both right and wrong boxes",
        )
    fitted = _fit_own(own, num_classes)
    apart = fitted.weights[1:].reshape(2, num_classes)
    note = f"chances calibrated on {int(objects.sum())} objects of val"
    if extra:
        names = ", ".join(candidates.classes[k] for k in poor)
        note += f" and {extra} labelled ones ({names}: too few in val)"
    return Calibration(
        offset=fitted.bias + apart[0],
        slope=np.maximum(fitted.weights[0] + apart[1], 0.0),
        other=_fit_other(pairs.where(~pairs.is_own)),
        held_out_auc=auc(fitted.held_out, own.is_object),
        note=note,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    """Boxes and the classes that they may show: ``[P]`` each."""

    odds: NDArray[np.float64]
    own_odds: NDArray[np.float64]
    kind: NDArray[np.int64]
    is_own: NDArray[np.bool_]
    is_object: NDArray[np.bool_]
    group: NDArray[np.int64]

    @classmethod
    def none(cls) -> _Pairs:
        zero, no = np.zeros(0, np.int64), np.zeros(0, np.bool_)
        return cls(odds=np.zeros(0), own_odds=np.zeros(0), kind=zero, is_own=no, is_object=no, group=zero)

    @classmethod
    def of(cls, known: Known) -> _Pairs:
        scores, boxes = clean_scores(known.predictions), known.predictions.boxes
        own = np.clip(boxes.class_id.astype(np.int64), 0, max(scores.shape[1] - 1, 0))
        box, kind = np.nonzero(scores >= LEAST_SCORE)
        return cls(
            odds=log_odds(scores[box, kind]),
            own_odds=log_odds(scores[box, own[box]]),
            kind=kind,
            is_own=own[box] == kind,
            is_object=outcomes(known).is_object[box, kind],
            group=group_of(known.frames)[boxes.frame_index[box]],
        )

    def where(self, keep: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(
            odds=self.odds[keep],
            own_odds=self.own_odds[keep],
            kind=self.kind[keep],
            is_own=self.is_own[keep],
            is_object=self.is_object[keep],
            group=self.group[keep],
        )

    def joined(self, other: _Pairs) -> _Pairs:
        shift = int(self.group.max(initial=-1)) + 1
        return _Pairs(
            odds=np.concatenate([self.odds, other.odds]),
            own_odds=np.concatenate([self.own_odds, other.own_odds]),
            kind=np.concatenate([self.kind, other.kind]),
            is_own=np.concatenate([self.is_own, other.is_own]),
            is_object=np.concatenate([self.is_object, other.is_object]),
            group=np.concatenate([self.group, other.group + shift]),
        )


def _fit_own(pairs: _Pairs, num_classes: int) -> Fitted:
    """The line of all classes, and what sets each class apart from it."""
    own = (pairs.kind[:, None] == np.arange(num_classes)).astype(np.float64)
    rows = np.column_stack([pairs.odds, own, own * pairs.odds[:, None]])
    held = np.unique(np.column_stack([pairs.kind, pairs.group])[pairs.is_object], axis=0)[:, 0]
    objects = np.bincount(pairs.kind[pairs.is_object], minlength=num_classes)
    crowding = objects / np.maximum(np.bincount(held, minlength=num_classes), 1)
    relative = np.concatenate([[FREEDOM], np.tile(np.maximum(crowding, 1), 2)])
    return fit(rows, pairs.is_object.astype(np.float64), pairs.group, Link.logistic, relative)


def _fit_other(pairs: _Pairs) -> tuple[float, float, float] | None:
    if not 0 < pairs.is_object.sum() < len(pairs.is_object):
        return None
    rows = np.column_stack([pairs.odds, pairs.own_odds])
    found = fit(rows, pairs.is_object.astype(np.float64), pairs.group, Link.logistic)
    return found.bias, float(found.weights[0]), float(found.weights[1])
