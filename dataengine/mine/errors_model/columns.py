"""What a model of the detector's errors looks at: one row of numbers for each box, and for each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.errors_model.calibration import Calibration
from dataengine.mine.errors_model.outcomes import SURE_SCORE
from dataengine.mine.errors_model.projection import Projection
from dataengine.mine.errors_model.said import Said
from dataengine.mine.errors_model.support import clip_support, neighbours, support
from dataengine.mine.odds import log_odds

BOX_DIRECTIONS = 12
"""Principal components kept of box features: val holds a few hundred objects."""

FRAME_DIRECTIONS = 48
"""Principal components kept of frame embeddings: what shows a class that the detector does not know yet is
not among the strongest."""

LEAST_SUPPORT = 0.01
"""A clip without any sign of a class is no stronger evidence than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Turns predictions into rows of numbers; learned on val, applied to the pool.

    Attributes:
        calibration: From scores to chances.
        box: Directions of box features.
        frame: Directions of frame embeddings.
    """

    calibration: Calibration
    box: Projection
    frame: Projection

    @classmethod
    def of(cls, said: Said, calibration: Calibration) -> Columns:
        """The columns that suit these frames."""
        return cls(
            calibration=calibration,
            box=Projection.of(said.predictions.features[said.rows], BOX_DIRECTIONS),
            frame=Projection.of(said.predictions.embeddings, FRAME_DIRECTIONS),
        )

    def of_boxes(self, said: Said, confirmed: Confirmed, part: slice) -> NDArray[np.float64]:
        """``[b, C]`` for a part of the boxes: chance by score, lead, size, place, support in time, look.

        The class itself is no column: the calibration knows it, and val holds too few objects of a rare
        class to learn more about it.
        """
        own, scores, xyxy = said.own[part], said.scores[part], said.xyxy[part]
        number, num_classes = len(own), scores.shape[1]
        odds = log_odds(scores)
        mine = odds[np.arange(number), own]
        others = np.where(np.arange(num_classes) == own[:, None], -np.inf, odds).max(axis=1, initial=-10.0)
        frame = said.frame[part]
        width, height = said.number("width")[frame], said.number("height")[frame]
        sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 1e-3)
        calibrated = self.calibration.offset[own] + self.calibration.slope[own] * mine
        before, after = confirmed.before[part], confirmed.after[part]
        return np.column_stack(
            [
                calibrated,
                mine - others,
                np.log(sides).mean(axis=1),
                np.log(sides[:, 0] / sides[:, 1]),
                np.abs((xyxy[:, 0] + xyxy[:, 2]) / 2 / width - 0.5),
                xyxy[:, 3] / height,
                (xyxy[:, 0] < 2) | (xyxy[:, 2] > width - 2),
                np.log1p(confirmed.crowd[part]),
                np.fmax(before, after),
                np.fmin(before, after),
                log_odds(np.maximum(confirmed.clip[part], LEAST_SUPPORT)),
                self.box(said.predictions.features[said.rows[part]]),
            ]
        ).astype(np.float64)

    def of_frames(self, said: Said, chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[F, C]``: expected objects by class, faint ones, gaps in time, light, sharpness, look.

        Args:
            said: The frames.
            chance: ``[B]`` chance that each box is an object of its class.
        """
        expected = said.per_frame_and_class(chance)
        total = expected.sum(axis=1)
        before, after = neighbours(said.frames)
        around = np.column_stack(
            [np.where(near >= 0, total[near] if len(total) else 0.0, np.nan) for near in (before, after)]
        )
        around = np.fmax(around[:, 0], around[:, 1])  # the fuller of the two: what may have been lost
        gap = np.where(np.isnan(around), 0.0, around - total)
        with np.errstate(divide="ignore", invalid="ignore"):
            sharpness = np.log1p(said.number("sharpness"))
        return np.column_stack(
            [
                np.sqrt(expected),
                total,
                said.per_frame(chance * (said.score < SURE_SCORE)),
                said.per_frame(np.ones(len(chance))),
                gap,
                said.number("brightness"),
                sharpness,
                said.number("plain_share"),
                self.frame(said.predictions.embeddings),
            ]
        ).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What the other boxes say of each: ``[B]`` each.

    Attributes:
        before: How well the frame before confirms it, 0..1, NaN where there is none.
        after: The same of the frame after.
        clip: How strongly the *other* frames of its clip show its class: the mean over them of the highest
            score, 0..1; its own score where it has no other frames.
        crowd: Boxes of its frame.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    clip: NDArray[np.float64]
    crowd: NDArray[np.float64]

    @classmethod
    def of(cls, said: Said) -> Confirmed:
        """Look into the neighbouring frames."""
        before, after = neighbours(said.frames)
        count = np.diff(said.offsets).astype(np.float64)
        return cls(
            before=support(said, before),
            after=support(said, after),
            clip=clip_support(said)[said.frame, said.own],
            crowd=count[said.frame] if len(said.rows) else np.zeros(0),
        )
