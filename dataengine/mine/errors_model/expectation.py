"""How many objects each frame is expected to miss, and how many false alarms to hold.

Three parts, each fitted on val and each with a class where it has one:

* **false alarms**: a box said with a score from ``SURE_SCORE`` on is wrong with the chance that a logistic
  model gives it, from its score, its lead over other classes, size, place, support by the frames before and
  after, class and look;
* **faint objects**: a box below that score is an object that is missed, with the chance of a second such
  model; and an object of another class than the one said, with the calibrated chance of that class;
* **unseen objects**: those that no box of any score overlaps; for each class the chance that a frame holds
  one, logistic as well, on numbers of the frame and its embedding, times how many such a frame holds. This is
  what finds a class that the detector does not know yet, if val shows it.

Without val, without mistakes in it, or with one drive alone it falls back on calibrated scores (or scores)
for the first two parts and on nothing for the third, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.candidates import Candidates, Known
from dataengine.mine.errors_model.calibration import Calibration, calibration
from dataengine.mine.errors_model.columns import Columns, Confirmed
from dataengine.mine.errors_model.outcomes import SURE_SCORE, group_of, outcomes
from dataengine.mine.errors_model.ranking import auc, spearman
from dataengine.mine.errors_model.regression import Fitted, Link, Scaler, fit
from dataengine.mine.errors_model.said import Said
from dataengine.mine.errors_model.unseen import Unseen

BLOCK = 300_000
"""Boxes judged at once: bounds the memory to some 150 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Expected errors of every frame of the pool.

    Attributes:
        false_alarms: ``[N, K]`` sure boxes that are nothing, by the class said.
        faint: ``[N, K]`` objects that only a faint box, or one of another class, shows.
        unseen: ``[N, K]`` objects that no box shows.
        objects: ``[N, K]`` objects that some box shows, found or not.
        right: ``[B]`` chance in 0..1 that a box is an object of the class said, row for row as
            ``candidates.boxes``: as ``true_chance``, and from more than the score.
        box_auc: Ranking of right against wrong boxes, 0..1, on drives of val that were held out; NaN where
            there was nothing to fit.
        frame_rho: Rank correlation of expected with true errors of val's frames, held out; NaN likewise.
        note: What the numbers rest on, in words.
    """

    false_alarms: NDArray[np.float64]
    faint: NDArray[np.float64]
    unseen: NDArray[np.float64]
    objects: NDArray[np.float64]
    right: NDArray[np.float64]
    box_auc: float
    frame_rho: float
    note: str

    def total(self, class_weight: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """``[N]`` expected errors; each counts as its class's ``[K]`` weight, 1 by default."""
        by_class = self.false_alarms + self.faint + self.unseen
        weight = np.ones(by_class.shape[1]) if class_weight is None else class_weight
        return by_class @ weight


def expect(candidates: Candidates, min_score: float) -> Expectation:
    """Fit on val, apply to the pool."""
    scale = calibration(candidates)
    pool = Said.of_pool(candidates, min_score)
    model = _Model.of(candidates.val, min_score, scale) if candidates.val is not None else None
    if model is None:
        right = _own_chance(pool, scale)
        errors = _Errors(
            right=right, wrong=1 - right, unseen=np.zeros((pool.num_frames, len(candidates.classes)))
        )
        quality = (float("nan"), float("nan"))
        note = f"no model of val's mistakes could be fitted; {scale.note}"
    else:
        errors, quality = model(pool), (model.box_auc, model.frame_rho)
        note = (
            f"on held-out drives of val this tells right from wrong boxes with AUC {quality[0]:.2f} and "
            f"ranks frames by errors with correlation {quality[1]:.2f}"
        )
    false_alarms, faint = errors.by_class(pool, scale)
    found = pool.per_frame_and_class(errors.right * (pool.score >= SURE_SCORE))
    return Expectation(
        false_alarms=false_alarms,
        faint=faint,
        unseen=errors.unseen,
        objects=found + faint,
        right=errors.right,
        box_auc=quality[0],
        frame_rho=quality[1],
        note=note,
    )


def _own_chance(said: Said, scale: Calibration) -> NDArray[np.float64]:
    """``[B]`` calibrated chance of the class that each box is said to be."""
    return scale(said.scores, said.own)[np.arange(len(said.own)), said.own].astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errors:
    """Chances of ``[B]`` boxes to be right (of the class said) and wrong, and ``[F, K]`` unseen objects."""

    right: NDArray[np.float64]
    wrong: NDArray[np.float64]
    unseen: NDArray[np.float64]

    def by_class(self, said: Said, scale: Calibration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """``[F, K]`` expected false alarms and faint objects."""
        sure = said.score >= SURE_SCORE
        false_alarms = said.per_frame_and_class(self.wrong * sure)
        faint = said.per_frame_and_class(self.right * ~sure)
        chance = scale(said.scores, said.own)
        for kind in range(chance.shape[1]):
            other = said.own != kind
            # calibrated apart, the chances of one box could add up to more than one
            faint[:, kind] += said.per_frame(np.minimum(chance[:, kind], 1 - self.right) * other)
        return false_alarms, faint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """What was learned from val."""

    columns: Columns
    box_scaler: Scaler
    right: Fitted
    wrong: Fitted
    frame_scaler: Scaler
    unseen: Unseen
    box_auc: float
    frame_rho: float

    @classmethod
    def of(cls, val: Known, min_score: float, scale: Calibration) -> _Model | None:
        """Fit; None where there are not both right and wrong boxes."""
        said, truth, group = Said.of_known(val, min_score), outcomes(val), group_of(val.frames)
        right = truth.is_object[said.rows, said.own].astype(np.float64)
        wrong = truth.is_wrong[said.rows].astype(np.float64)
        sure = said.score >= SURE_SCORE
        if not 0 < right.sum() < len(right) or not sure.any():
            return None
        columns = Columns.of(said, scale)
        rows = columns.of_boxes(said, Confirmed.of(said), slice(None))
        box_scaler = Scaler.of(rows)
        rows, drive = box_scaler(rows), group[said.frame]
        rights = fit(rows, right, drive, Link.logistic)
        wrongs = fit(rows[sure], wrong[sure], drive[sure], Link.logistic)
        held_out = np.zeros(len(right))
        held_out[sure] = wrongs.held_out
        frame_rows = columns.of_frames(said, rights.held_out)
        frame_scaler = Scaler.of(frame_rows)
        unseen = Unseen.of(frame_scaler(frame_rows), truth.num_unseen, group)
        errors = _Errors(right=rights.held_out, wrong=held_out, unseen=unseen.held_out)
        return cls(
            columns=columns,
            box_scaler=box_scaler,
            right=rights,
            wrong=wrongs,
            frame_scaler=frame_scaler,
            unseen=unseen,
            box_auc=auc(rights.held_out, right > 0),
            frame_rho=spearman(
                (sum(errors.by_class(said, scale)) + errors.unseen).sum(axis=1),
                truth.num_missed + truth.num_wrong,
            ),
        )

    def __call__(self, said: Said) -> _Errors:
        """What is expected of other frames."""
        confirmed = Confirmed.of(said)
        right, wrong = np.empty(len(said.rows)), np.empty(len(said.rows))
        for begin in range(0, len(right), BLOCK):
            part = slice(begin, begin + BLOCK)
            rows = self.box_scaler(self.columns.of_boxes(said, confirmed, part))
            right[part], wrong[part] = self.right(rows), self.wrong(rows)
        unseen = self.unseen(self.frame_scaler(self.columns.of_frames(said, right)))
        return _Errors(right=right, wrong=wrong, unseen=unseen)
