"""How much of a gain is the miner's and how much the trainer's: two miners, each with two trainers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dataengine.compare.curves import paired
from dataengine.compare.grid import Grid
from dataengine.compare.resampling import Resampler
from dataengine.compare.tables import TRAINERS, fill
from dataengine.mine import PLAIN, PSEUDO, ArmName


class Corners(NamedTuple):
    """Numbers of four arms: two miners, each with the lesser and the greater trainer."""

    baseline_lesser: int
    baseline_greater: int
    arm_lesser: int
    arm_greater: int


PARTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "mining_lesser": ("arm_lesser", "baseline_lesser"),
        "mining_greater": ("arm_greater", "baseline_greater"),
        "training_baseline": ("baseline_greater", "baseline_lesser"),
        "training_arm": ("arm_greater", "arm_lesser"),
        "both": ("arm_greater", "baseline_lesser"),
    }
)
"""The differences that are told, and which corner minus which each of them is."""


def trainers(grid: Grid, resampler: Resampler) -> pa.Table:
    """Table of schema ``TRAINERS``; empty where no arm was trained in two ways."""
    return fill(TRAINERS, _blocks(grid, resampler))


def _blocks(grid: Grid, resampler: Resampler) -> Iterator[dict[str, Any]]:
    for number in grid.payers:
        for trainer in (PLAIN, PSEUDO):
            corners = _corners(grid, number, trainer)
            if corners is not None:
                head = {"arm": grid.arms[number], "trainer": trainer}
                yield from (head | block for block in _differences(grid, resampler, corners))


def _corners(grid: Grid, arm: int, trainer: str) -> Corners | None:
    """The arms to set against each other; None where one of them was not run."""
    names = [ArmName.parse(grid.arms[number]) for number in (0, arm)]
    if any(name.trainer for name in names):
        return None
    base_too, arm_too = (grid.arm(str(replace(name, trainer=trainer))) for name in names)
    if base_too is None or arm_too is None:
        return None
    return Corners(base_too, 0, arm_too, arm) if trainer == PLAIN else Corners(0, base_too, arm, arm_too)


def _differences(grid: Grid, resampler: Resampler, corners: Corners) -> Iterator[dict[str, Any]]:
    """The rows of one table of four: of what all four measured, so that each part has the same."""
    costs, values = (
        np.where(np.isnan(found[:, list(corners)]).any(axis=1, keepdims=True), np.nan, found)
        for found in (grid.costs, grid.values)
    )
    shared = replace(grid, costs=costs, values=values)
    for part, (more, less) in PARTS.items():
        found = paired(shared, resampler, getattr(corners, more), getattr(corners, less))
        yield from ({"part": part, **block} for block in found)
