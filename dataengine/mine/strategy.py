"""What an arm is: a small record that names its strategy and fills a basket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dataengine.config import MineConfig
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates


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
        needs_predictions: Whether it reads what a model says of the pool.
        fill: The strategy.
        whole_clips: Whether it buys clips whole, so that ``max_per_clip`` does not apply.
    """

    name: str
    summary: str
    needs_predictions: bool
    fill: Fill
    whole_clips: bool = False
