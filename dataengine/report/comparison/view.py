"""A comparison as its page reads it: arms with their colours, splits, and rows by what they are about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine.compare.tables import Comparison
from dataengine.mine import CEILINGS
from dataengine.report import svg
from dataengine.report.curves import split_name
from dataengine.report.html import Markup, el
from dataengine.report.numbers import Estimate
from dataengine.schema import ALL_LABELS, POOL, TEST_SPLITS

FIGURES = (
    ("tail", "ap50", "AP50 of the tail"),
    ("all", "map50_95", "mAP50-95"),
    ("all", "ap50", "AP50"),
)
"""Slice, metric and name of the figures that lead."""

ARMS_A_PANEL = 6
"""Arms beside the baseline in one panel: a seventh would share a colour with the first."""


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm with its colour and marker; slot 0 is the baseline."""

    name: str
    slot: int
    is_ceiling: bool

    @property
    def key(self) -> Markup:
        """Its marker and name."""
        tag = el("small", "sees the truth", class_="tag") if self.is_ceiling else Markup("")
        return el("span", svg.key(self.slot), " ", self.name, " " if tag else "", tag, class_="arm")


@dataclass(frozen=True)
class View:
    """What the sections of the page share."""

    comparison: Comparison

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """Baseline, then what could be had, then the ceilings."""
        found = self.comparison
        others = [name for name in found.arms if name != found.baseline]
        names = sorted(others, key=lambda name: (_is_ceiling(name), name == ALL_LABELS))  # it has no line
        slots = [1 + place % ARMS_A_PANEL for place in range(len(names))]
        rest = (Arm(name, slot, _is_ceiling(name)) for name, slot in zip(names, slots, strict=True))
        return (Arm(found.baseline, 0, False), *rest)

    @property
    def baseline(self) -> Arm:
        """What the others are measured against."""
        return self.arms[0]

    @property
    def rivals(self) -> tuple[Arm, ...]:
        """Every arm but the baseline."""
        return self.arms[1:]

    @property
    def groups(self) -> list[tuple[Arm, ...]]:
        """Arms in groups that a panel can tell apart, the baseline in each."""
        drawn = [arm for arm in self.rivals if arm.name != ALL_LABELS]
        starts = range(0, max(len(drawn), 1), ARMS_A_PANEL)
        return [(self.baseline, *drawn[start : start + ARMS_A_PANEL]) for start in starts]

    def table(self, name: str) -> pa.Table:
        """One table of the comparison, with NaN for null; an empty one where nothing was measured."""
        found = self.comparison.table(name)
        columns = [
            column.fill_null(math.nan) if pa.types.is_floating(column.type) else column
            for column in found.columns
        ]
        return pa.Table.from_arrays(columns, schema=found.schema)

    @cached_property
    def splits(self) -> list[str]:
        """Test splits with figures, the natural one first; any other split where there is none."""
        seen: set[str] = set()
        for name in ("curves", "differences", "cells"):
            seen |= set(pc.unique(self.table(name)["split"]).to_pylist())
        tests = [split for split in TEST_SPLITS if split in seen]
        return tests or sorted(seen - {POOL, None})

    def split_title(self, split: str) -> str:
        """``natural test`` where there is a balanced one too."""
        return split_name(split, self.splits)

    @cached_property
    def _indexed(self) -> dict[str, dict[tuple[str, str, str], list[dict[str, Any]]]]:
        """Rows of the tables of figures by split, slice and metric: each is asked for many times."""
        found: dict[str, dict[tuple[str, str, str], list[dict[str, Any]]]] = {}
        for name in ("curves", "differences", "savings", "shares", "rivals", "trainers"):
            by_figure = found.setdefault(name, {})
            for row in self.table(name).to_pylist():
                by_figure.setdefault((row["split"], row["slice"], row["metric"]), []).append(row)
        return found

    def rows(self, name: str, split: str, slice_name: str, metric: str) -> list[dict[str, Any]]:
        """Rows of one of the tables of figures about one figure."""
        return self._indexed[name].get((split, slice_name, metric), [])

    def slices(self, split: str) -> list[str]:
        """Slices with AP50 on a split, in the order of their first mention."""
        keys = [*self._indexed["curves"], *self._indexed["differences"]]
        return list(dict.fromkeys(key[1] for key in keys if key[0] == split and key[2] == "ap50"))

    def last_difference(self, arm: Arm, split: str, slice_name: str, metric: str) -> dict[str, Any] | None:
        """The paired difference at the arm's last cycle; ``None`` where there is none."""
        found = [row for row in self.rows("differences", split, slice_name, metric) if row["arm"] == arm.name]
        return max(found, key=lambda row: row["cycle"]) if found else None

    def at_cycle(self, arm: Arm, split: str, slice_name: str, cycle: int | None = None) -> Estimate:
        """AP50 of an arm at a cycle; at the last one that it shares with the differences by default."""
        wanted = self.final_cycle if cycle is None else cycle
        found = [row for row in self.rows("curves", split, slice_name, "ap50") if row["arm"] == arm.name]
        rows = [row for row in found if row["cycle"] <= wanted]
        if not rows:
            return Estimate(math.nan, seeds=0)
        last = max(rows, key=lambda row: row["cycle"])
        return estimate_of(last)

    @cached_property
    def final_cycle(self) -> int:
        """The last cycle at which arms stand beside the baseline."""
        names = {arm.name for arm in self.arms}
        for name in ("differences", "curves"):
            table = self.table(name)
            cycles = [
                row["cycle"] for row in table.select(["arm", "cycle"]).to_pylist() if row["arm"] in names
            ]
            if cycles and max(cycles) >= 0:
                return int(max(cycles))
        return 0

    def num_objects(self, split: str) -> dict[str, float]:
        """Labelled objects of each slice, a mean over the trials."""
        cells = self.table("cells")
        chosen = cells.filter(
            pc.and_(pc.equal(cells["split"], split), pc.equal(cells["metric"], "num_objects"))
        )
        means = pa.TableGroupBy(chosen, ["slice"]).aggregate([("value", "mean")])
        pairs = zip(means["slice"].to_pylist(), means["value_mean"].to_pylist(), strict=True)
        return {name: number(value) for name, value in pairs}


def _is_ceiling(name: str) -> bool:
    return name.partition("+")[0].partition("@")[0] in CEILINGS


def number(value: Any) -> float:
    """A number of a table; NaN for null."""
    return math.nan if value is None else float(value)


def estimate_of(row: dict[str, Any]) -> Estimate:
    """A row's value with its interval."""
    value, lower, upper = (number(row[name]) for name in ("value", "lower", "upper"))
    return Estimate(value, lower, upper)


def finite(values: Sequence[Any]) -> list[float]:
    """The values that are numbers."""
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def shortened(name: str, longest: int) -> str:
    """A name cut in its middle to at most ``longest`` characters."""
    if len(name) <= longest:
        return name
    tail = (longest - 1) // 2
    return f"{name[: longest - 1 - tail]}…{name[-tail:]}"
