"""The cells of a comparison as dense arrays: trial x arm x cycle x figure, NaN where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine.compare.tables import AXES
from dataengine.mine import ArmName
from dataengine.schema import ALL_LABELS, JUDGED_SPLITS

PRECISIONS = ("ap50", "map50_95")
"""Metrics of which more is better."""

ERRORS = ("misses_per_frame", "false_alarms_per_frame")
"""Metrics of which less is better."""

OTHER_SLICES = ("size:", "drive:")
"""Slices that a comparison leaves out."""


def same_but_for_the_draw(one: ArmName, other: ArmName) -> bool:
    """Whether two arms differ by nothing but their random stream."""
    return replace(one, draw=other.draw) == other


class Figure(NamedTuple):
    """What was measured where."""

    split: str
    slice: str
    metric: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Every cell of a comparison.

    Attributes:
        trials: T names.
        arms: A names; the baseline is number 0.
        figures: F of them; the first G have replicates, at least in some cells.
        values: ``[T, A, C, F]``.
        costs: ``[T, A, C, 3]`` on the three ``AXES``; NaN where there is no cell.
        replicates: ``[T, A, C, N, G]``.
    """

    trials: tuple[str, ...]
    arms: tuple[str, ...]
    figures: tuple[Figure, ...]
    values: NDArray[np.float64]
    costs: NDArray[np.float64]
    replicates: NDArray[np.float32]

    @property
    def num_replicated(self) -> int:
        """G."""
        return int(self.replicates.shape[-1])

    @property
    def noise_arms(self) -> list[int]:
        """Numbers of the arms that are the baseline with another stream."""
        base = ArmName.parse(self.arms[0])
        names = [ArmName.parse(name) for name in self.arms]
        return [number for number, name in enumerate(names) if number and same_but_for_the_draw(name, base)]

    @property
    def payers(self) -> list[int]:
        """Numbers of the arms that buy what the baseline buys: all but it and ``all_labels``."""
        return [
            number
            for number, name in enumerate(self.arms)
            if number and ArmName.parse(name).miner != ALL_LABELS
        ]

    def arm(self, name: str) -> int | None:
        """Number of an arm; None where it has no cell."""
        return self.arms.index(name) if name in self.arms else None

    def chosen(self, *, slices: tuple[str, ...], splits: tuple[str, ...]) -> NDArray[np.int64]:
        """Numbers of the precisions in these splits and slices (or beginnings of slices: ``class:``)."""
        found = [
            number
            for number, figure in enumerate(self.figures)
            if figure.metric in PRECISIONS and figure.split in splits and figure.slice.startswith(slices)
        ]
        return np.array(found, np.int64)

    def figure(self, figure: Figure) -> int | None:
        """Number of a figure; None where it was not measured."""
        return self.figures.index(figure) if figure in self.figures else None

    def replicates_of(self, arm: int, figures: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[T, C, N, len(figures)]`` of some figures; NaN for those that have none."""
        answer = np.full((*self.replicates[:, arm].shape[:3], len(figures)), np.nan, np.float32)
        has_some = figures < self.num_replicated
        answer[..., has_some] = self.replicates[:, arm][..., figures[has_some]]
        return answer

    def label(self, numbers: NDArray[np.int64]) -> dict[str, list[str]]:
        """Columns ``split``, ``slice`` and ``metric`` of figures."""
        rows = [self.figures[number] for number in numbers.tolist()]
        return {name: [getattr(row, name) for row in rows] for name in Figure._fields}


def ordered(trials: Iterable[str]) -> tuple[str, ...]:
    """Each name once, ``s2`` before ``s10``."""
    return tuple(sorted(set(trials), key=lambda name: (len(name), name)))


def build(cells: pa.Table, replicates: pa.Table, *, baseline: str) -> Grid:
    """The grid of some cells.

    A figure given twice counts as given last. Replicates of cells that are not there are left out; where
    some have more than others, the first of all are kept.

    Args:
        cells: Table of schema ``CELLS``.
        replicates: Table of schema ``REPLICATES``.
        baseline: The arm that becomes number 0, even where it has no cell.
    """
    wanted = _wanted(cells)
    rows = cells.filter(pa.array(wanted, pa.bool_()))
    arms = (baseline, *sorted(set(rows["arm"].to_pylist()) - {baseline}))
    trials = ordered(rows["trial"].to_pylist())
    own = [Figure(*row) for row in zip(*(replicates[n].to_pylist() for n in Figure._fields), strict=True)]
    found = dict.fromkeys(
        Figure(*r) for r in zip(*(rows[n].to_pylist() for n in Figure._fields), strict=True)
    )
    replicated = set(own) & set(found)
    figures = tuple(sorted(found, key=lambda figure: figure not in replicated))
    num_cycles = max(rows["cycle"].to_pylist(), default=-1) + 1
    shape = (len(trials), len(arms), num_cycles)
    place = _Places(trials, arms, figures, num_cycles)
    values, costs = np.full((*shape, len(figures)), np.nan), np.full((*shape, len(AXES)), np.nan)
    trial, arm, cycle, figure, _ = place.of(rows)
    values[trial, arm, cycle, figure] = rows["value"].to_numpy()
    for axis, name in enumerate(AXES):
        costs[trial, arm, cycle, axis] = rows[name].to_numpy()
    draws = _replicates(replicates, place, (*shape, len(replicated)))
    return Grid(trials=trials, arms=arms, figures=figures, values=values, costs=costs, replicates=draws)


def _wanted(cells: pa.Table) -> list[bool]:
    splits, metrics = set(JUDGED_SPLITS), {*PRECISIONS, *ERRORS}
    columns = (cells[name].to_pylist() for name in Figure._fields)
    return [
        split in splits and metric in metrics and not part.startswith(OTHER_SLICES)
        for split, part, metric in zip(*columns, strict=True)
    ]


class _Places:
    """Where the rows of a table stand in the arrays."""

    def __init__(
        self, trials: Sequence[str], arms: Sequence[str], figures: Sequence[Figure], num_cycles: int
    ) -> None:
        self._trials = {name: number for number, name in enumerate(trials)}
        self._arms = {name: number for number, name in enumerate(arms)}
        self._figures = {figure: number for number, figure in enumerate(figures)}
        self._num_cycles = num_cycles

    def of(self, table: pa.Table) -> NDArray[np.int64]:
        """``[5, K]``: trial, arm, cycle, figure and row of the K rows that have a place."""
        columns = [table[name].to_pylist() for name in ("trial", "arm", "cycle", *Figure._fields)]
        found = []
        for row, (trial, arm, cycle, *figure) in enumerate(zip(*columns, strict=True)):
            numbers = (self._trials.get(trial), self._arms.get(arm), self._figures.get(Figure(*figure)))
            if None not in numbers and cycle < self._num_cycles:
                found.append((numbers[0], numbers[1], cycle, numbers[2], row))
        return np.array(found, np.int64).reshape(-1, 5).T


def _replicates(table: pa.Table, place: _Places, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """``[T, A, C, N, G]``."""
    trial, arm, cycle, figure, row = place.of(table)
    lists = table["values"].combine_chunks()
    lengths = np.asarray(lists.value_lengths())[row]
    number = int(lengths[lengths > 0].min(initial=np.iinfo(np.int32).max)) if (lengths > 0).any() else 0
    answer = np.full((*shape[:3], number, shape[3]), np.nan, np.float32)
    if not number:
        return answer
    starts = np.asarray(lists.offsets)[row]
    starts, kept = starts[lengths > 0], lengths > 0
    flat = np.asarray(lists.values, np.float32)
    answer[trial[kept], arm[kept], cycle[kept], :, figure[kept]] = flat[starts[:, None] + np.arange(number)]
    return answer
