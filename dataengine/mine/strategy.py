"""What an arm is made of: small records that name a score or a strategy, and what it has to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from dataengine.config import MineConfig
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates


class Need(Enum):
    """What has to be known before an arm can choose; whoever calls it sees to that."""

    predictions = "predictions"
    """What the model says of the pool."""
    flip = "flip"
    """What it says of the mirrored pool: one more pass."""
    scale = "scale"
    """What it says of the pool at 0.8 of its size: one more pass."""
    snapshot = "snapshot"
    """What an earlier moment of the same training says of the pool: one more pass, no more training."""
    labelled = "labelled"
    """Predictions and truth of the frames that were bought."""
    val = "val"
    """Predictions and truth of val, for calibration and for models of the detector's errors."""


VIEWS = (Need.flip, Need.scale, Need.snapshot)
"""Needs that cost another pass over the pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What an arm works from.

    Attributes:
        candidates: The pool, by frame id.
        config: The arm's settings.
        rng: Stream of the selection.
    """

    candidates: Candidates
    config: MineConfig
    rng: np.random.Generator


Fill = Callable[[Task, Basket], None]
"""Adds eligible candidates, the most wanted first, until the basket is exhausted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One mining strategy.

    Attributes:
        name: As in ``mine.name``.
        summary: One line for people.
        fill: The strategy.
        needs: What it has to know; empty for arms that look at no model.
        whole_clips: Whether it buys clips whole, so that ``max_per_clip`` does not apply.
        source: The publication or measurement that the rule is from.
    """

    name: str
    summary: str
    fill: Fill
    needs: frozenset[Need] = frozenset()
    whole_clips: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScores:
    """What a score says of every candidate.

    Attributes:
        values: ``[N]`` float64, higher is more wanted; NaN counts as the lowest.
        reason: Says in words why a candidate has its value.
    """

    values: NDArray[np.float64]
    reason: Callable[[int], str]

    def __post_init__(self) -> None:
        finite = np.where(np.isnan(self.values), -np.inf, self.values)
        object.__setattr__(self, "values", np.clip(finite, -1e300, 1e300))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One way to value a frame; always higher for what is more wanted.

    Attributes:
        name: As in ``mine.score``, and the trigger of its picks.
        summary: One line for people.
        span: Range of the values and what the ends mean, in words.
        needs: What it has to know.
        source: The publication that the formula is from, or ``own``.
        compute: The score.
    """

    name: str
    summary: str
    span: str
    needs: frozenset[Need]
    source: str
    compute: Callable[[Task], FrameScores]


def ranked(score: Score, name: str = "") -> Arm:
    """The arm that takes frames by falling score; ties by frame id.

    Args:
        score: What to rank by.
        name: Of the arm; the score's own by default.
    """

    def fill(task: Task, basket: Basket) -> None:
        fill_by_score(score.compute(task), score.name, basket)

    return Arm(
        name=name or score.name, summary=score.summary, fill=fill, needs=score.needs, source=score.source
    )


def fill_by_score(scores: FrameScores, trigger: str, basket: Basket) -> None:
    """Frames by falling score; ties by frame id."""
    for number in np.argsort(-scores.values, kind="stable").tolist():
        if basket.exhausted:
            return
        if basket.eligible[number]:
            basket.add(number, scores.values[number], trigger, scores.reason(number))
