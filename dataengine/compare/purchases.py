"""What the arms bought: classes, conditions, clips, how much of it twice, and how alike two arms choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.compare.grid import ordered
from dataengine.compare.resampling import Floats, Resampler
from dataengine.compare.tables import OVERLAPS, PURCHASES, fill
from dataengine.config import LabelConfig

Key = tuple[str, str]
"""Kind and name of a figure of ``PURCHASES``."""


class Picks:
    """Every pick, with the number of its basket: what one arm bought in one cycle of one trial.

    Args:
        table: Table of schema ``PICKS``.
        baseline: The arm that becomes number 0.

    Attributes:
        table: As given.
        trials: T names.
        arms: A names.
        num_cycles: C.
        basket: ``[P]`` number of a place in an array ``[T, A, C]``.
    """

    def __init__(self, table: pa.Table, baseline: str) -> None:
        self.table = table
        self.trials = ordered(table["trial"].to_pylist())
        self.arms = (baseline, *sorted(set(table["arm"].to_pylist()) - {baseline}))
        cycle = table["cycle"].to_numpy().astype(np.int64)
        self.num_cycles = int(cycle.max(initial=-1)) + 1
        trial, arm = (
            np.array([names.index(name) for name in table[column].to_pylist()], np.int64)
            for column, names in (("trial", self.trials), ("arm", self.arms))
        )
        self.basket = (trial * len(self.arms) + arm) * self.num_cycles + cycle

    @property
    def shape(self) -> tuple[int, int, int]:
        """T, A, C."""
        return len(self.trials), len(self.arms), self.num_cycles

    def sums(self, values: Floats) -> Floats:
        """``[T, A, C]`` sums of ``values`` ``[P]`` over each basket; 0 where nothing was bought."""
        size = int(np.prod(self.shape))
        return np.bincount(self.basket, values, size).astype(np.float64).reshape(self.shape)

    def means(self, values: Floats) -> Floats:
        """``[T, A, C]`` means of the known among ``values`` ``[P]``; NaN where a basket knows none."""
        known = ~np.isnan(values)
        count = self.sums(known.astype(np.float64))
        total = self.sums(np.where(known, values, 0.0))
        answer: Floats = np.divide(total, count, out=np.full(self.shape, np.nan), where=count > 0)
        return answer


def purchases(
    picks: pa.Table, classes: tuple[str, ...], *, baseline: str, label: LabelConfig, resampler: Resampler
) -> pa.Table:
    """Table of schema ``PURCHASES``.

    Args:
        picks: Table of schema ``PICKS``.
        classes: Names in the order of ``class_counts``.
        baseline: The arm whose picks say what is redundant.
        label: What a frame and a box cost.
        resampler: Intervals over the trials.
    """
    if not picks.num_rows:
        return PURCHASES.empty_table()
    bought = Picks(picks, baseline)
    frames = bought.sums(np.ones(picks.num_rows))
    keys, stacks = [], []
    for key, figure in _figures(bought, classes, label):
        keys.append(key)
        stacks.append(np.where(frames > 0, figure, np.nan))
    values = np.stack(stacks, axis=-1)
    nothing = np.zeros((len(values), 0, 0), np.float32)
    found = resampler.estimate(values.reshape(len(values), -1), nothing)
    arm, cycle, number = (index.ravel() for index in np.indices(values.shape[1:]))
    rows = np.flatnonzero(found.num_seeds)
    block = {
        "arm": [bought.arms[index] for index in arm[rows]],
        "cycle": cycle[rows],
        "kind": [keys[index][0] for index in number[rows]],
        "name": [keys[index][1] for index in number[rows]],
        "value": found.value[rows],
        "lower": found.lower[rows],
        "upper": found.upper[rows],
    }
    return fill(PURCHASES, [block])


def _figures(bought: Picks, classes: tuple[str, ...], label: LabelConfig) -> Iterator[tuple[Key, Floats]]:
    """Every figure as an array ``[T, A, C]``; what is said of empty baskets does not count."""
    table = bought.table
    counts = np.array(table["class_counts"].to_pylist(), np.float64).reshape(table.num_rows, -1)
    for number, name in enumerate(classes):
        yield ("class", name), bought.sums(counts[:, number])
    boxes, frames = bought.sums(counts.sum(axis=1)), bought.sums(np.ones(table.num_rows))
    yield ("frames", ""), frames
    yield ("boxes_per_frame", ""), bought.means(counts.sum(axis=1))
    yield ("seconds", ""), label.seconds_per_frame * frames + label.seconds_per_box * boxes
    clips = np.array(table["clip_id"].to_pylist(), str)
    yield ("clips", ""), bought.sums(_first_of_its_kind(bought.basket, clips))
    yield from _shares(bought, "condition", [dict(pairs or ()) for pairs in table["conditions"].to_pylist()])
    yield from _nearness(bought)
    triggers = [{"": name} for name in table["trigger"].to_pylist()]
    yield from _shares(bought, "trigger", triggers)
    yield from _yields(bought)


def _first_of_its_kind(basket: NDArray[np.int64], names: NDArray[np.str_]) -> Floats:
    """``[P]`` 1 for one pick of each name in each basket, else 0."""
    number = np.unique(names, return_inverse=True)[1]
    first = np.unique(basket * (int(number.max(initial=0)) + 1) + number, return_index=True)[1]
    answer = np.zeros(len(basket))
    answer[first] = 1.0
    return answer


def _shares(bought: Picks, kind: str, rows: list[dict[str, str]]) -> Iterator[tuple[Key, Floats]]:
    """Share of the frames of a basket that have each value of each property."""
    for name in sorted({name for row in rows for name in row}):
        values = np.array([row.get(name) or "" for row in rows], str)
        for value in np.unique(values[values != ""]).tolist():
            title = f"{name}:{value}" if name else value
            yield (kind, title), bought.means((values == value).astype(np.float64))


def _nearness(bought: Picks) -> Iterator[tuple[Key, Floats]]:
    nearest = bought.table["nearest"].to_numpy(zero_copy_only=False).astype(np.float64)
    yield ("nearest", ""), bought.means(nearest)
    middle = np.full(bought.shape, np.nan)
    for trial, arm, cycle in np.ndindex(bought.shape):
        if arm == 0:
            place = np.ravel_multi_index((trial, arm, cycle), bought.shape)
            known = nearest[(bought.basket == place) & ~np.isnan(nearest)]
            middle[trial, :, cycle] = np.median(known) if len(known) else np.nan
    limit = middle.ravel()[bought.basket]
    # a pick as near as the median is half on either side, so that the baseline is at a half by its making
    nearer = (nearest < limit) + 0.5 * (nearest == limit)
    yield ("redundancy", ""), bought.means(np.where(np.isnan(nearest) | np.isnan(limit), np.nan, nearer))


def _yields(bought: Picks) -> Iterator[tuple[Key, Floats]]:
    errors = np.array(bought.table["had_error"].to_pylist(), np.float64)  # an unknown one is NaN
    yield ("yield", "all"), bought.means(errors)
    triggers = np.array(bought.table["trigger"].to_pylist(), str)
    for name in np.unique(triggers).tolist():
        yield ("yield", name), bought.means(np.where(triggers == name, errors, np.nan))


def overlaps(picks: pa.Table, *, baseline: str) -> pa.Table:
    """Table of schema ``OVERLAPS``: picks in both over picks in either, cycle by cycle."""
    if not picks.num_rows:
        return OVERLAPS.empty_table()
    baskets: dict[tuple[str, int, str], set[str]] = {}
    columns = (picks[name].to_pylist() for name in ("trial", "cycle", "arm", "frame_id"))
    for trial, cycle, arm, frame_id in zip(*columns, strict=True):
        baskets.setdefault((trial, cycle, arm), set()).add(frame_id)
    arms = (baseline, *sorted(set(picks["arm"].to_pylist()) - {baseline}))
    found: dict[tuple[int, str, str], list[float]] = {}
    for (trial, cycle, arm), frames in baskets.items():
        for other in arms:
            others = baskets.get((trial, cycle, other))
            if other != arm and others is not None:
                share = len(frames & others) / len(frames | others)
                found.setdefault((cycle, arm, other), []).append(share)
    rows = sorted(found, key=lambda key: (arms.index(key[1]), arms.index(key[2]), key[0]))
    block: dict[str, Any] = {
        "arm": [arm for _, arm, _ in rows],
        "other": [other for _, _, other in rows],
        "cycle": [cycle for cycle, _, _ in rows],
        "value": [float(np.mean(found[row])) for row in rows],
    }
    return fill(OVERLAPS, [block])
