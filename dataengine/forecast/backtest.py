"""Forecasts that a comparison's runs would have been given, beside what came; and how often they held."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine.forecast.law import Point, next_gain
from dataengine.forecast.priors import Prior, measured, prior
from dataengine.schema import ALL_LABELS

FIGURES = (("tail", "ap50"), ("all", "ap50"), ("all", "map50_95"))
"""Slice and metric of what is forecast."""

BLIND = frozenset({"random", "random_clips", "every_kth"})
"""Arms that draw frames without looking at them: their curve has one law from the start."""

NOT_A_BATCH = frozenset({ALL_LABELS})
"""Arms that buy everything at once and train longer: no next batch of theirs is like the one before."""

AIM = (0.80, 0.97)
"""Shares of held outcomes between which a 90% interval is neither too narrow nor too wide."""

SCHEMA = pa.schema(
    [
        *(("trial", pa.string()), ("arm", pa.string()), ("cycle", pa.int32())),
        *(("split", pa.string()), ("slice", pa.string()), ("metric", pa.string())),
        *((name, pa.float64()) for name in ("frames", "value", "lower", "upper", "outcome")),
    ]
)
"""The same as ``compare.tables.FORECASTS``; this package stands below that one."""

Curve = dict[int, tuple[float, float]]
"""Cycle -> cumulative frames and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many outcomes the intervals held; ``lower`` and ``upper`` are Wilson's 95% ends of the share."""

    num: int
    held: int
    lower: float
    upper: float

    @property
    def share(self) -> float:
        """Share held; NaN without an outcome."""
        return self.held / self.num if self.num else math.nan


def is_mined(arm: str) -> bool:
    """Whether an arm's frames, or the rest of its training set, are chosen by a model."""
    return arm.partition("@")[0] not in BLIND


def backtest(cells: pa.Table, *, splits: tuple[str, ...] = ("test", "test_balanced")) -> pa.Table:
    """Forecast every cycle of every run from that run's own cycles before it, and put the outcome beside it.

    For each trial, arm, split and figure of ``FIGURES``, and each cycle ``c`` that has a next one: the points
    of cycles ``0..c`` of that run give the forecast of cycle ``c + 1`` at its cumulative frames. The noise is
    measured between two draws of one arm (``random`` and ``random@2``) after cycle 0, in the other trials
    alone, so that no forecast knows its own outcome; with few such differences it is drawn towards
    ``priors.PRIORS``. ``all_labels`` is left out. 1,000 forecasts take about 5 s.

    Args:
        cells: Table of schema ``compare.tables.CELLS``: columns ``trial``, ``arm``, ``cycle``, ``frames``,
            ``split``, ``slice``, ``metric`` and ``value``; other rows and columns are passed over.
        splits: Which splits are forecast.

    Returns:
        Table of schema ``compare.tables.FORECASTS``, in the order of trial, arm, figure and cycle; rows
        whose outcome is NaN are left out.
    """
    curves = _curves(cells, splits)
    rows: list[dict[str, Any]] = []
    for (split, part, metric), found in sorted(curves.items()):
        differences = _differences(found)
        for (trial, arm), curve in sorted(found.items()):
            if arm in NOT_A_BATCH:
                continue
            others = [d for other, values in differences.items() if other != trial for d in values]
            assumed = prior(part, metric)
            believed = replace(assumed, noise=measured(others, assumed.noise))
            head = {"trial": trial, "arm": arm, "split": split, "slice": part, "metric": metric}
            rows += [{**head, **row} for row in _run(curve, believed, mined=is_mined(arm))]
    return pa.Table.from_pylist(rows, SCHEMA).sort_by(
        [(name, "ascending") for name in ("trial", "arm", "split", "slice", "metric", "cycle")]
    )


def _curves(
    cells: pa.Table, splits: Iterable[str]
) -> dict[tuple[str, str, str], dict[tuple[str, str], Curve]]:
    """Curves of every trial and arm by split, slice and metric."""
    wanted = pc.is_in(cells["split"], pa.array(list(splits), pa.string()))
    for name, place in (("slice", 0), ("metric", 1)):
        values = pa.array(sorted({figure[place] for figure in FIGURES}))
        wanted = pc.and_(wanted, pc.is_in(cells[name], values))
    columns = ["trial", "arm", "cycle", "frames", "split", "slice", "metric", "value"]
    found: dict[tuple[str, str, str], dict[tuple[str, str], Curve]] = defaultdict(lambda: defaultdict(dict))
    for row in cells.filter(wanted).select(columns).to_pylist():
        if (row["slice"], row["metric"]) not in FIGURES or row["value"] is None or row["frames"] is None:
            continue
        curve = found[row["split"], row["slice"], row["metric"]][row["trial"], row["arm"]]
        curve[row["cycle"]] = (row["frames"], row["value"])
    return found


def _differences(found: dict[tuple[str, str], Curve]) -> dict[str, list[float]]:
    """Differences between two draws of one arm after cycle 0, by trial."""
    differences: dict[str, list[float]] = defaultdict(list)
    for (trial, arm), curve in found.items():
        first, _, draw = arm.partition("@")
        twin = found.get((trial, first)) if draw.isdigit() else None
        for cycle in (twin or {}).keys() & curve.keys() - {0}:
            differences[trial].append(curve[cycle][1] - (twin or {})[cycle][1])
    return differences


def _run(curve: Curve, believed: Prior, *, mined: bool) -> Iterable[dict[str, Any]]:
    cycles = sorted(curve)
    for place, cycle in enumerate(cycles[:-1]):
        frames, outcome = curve[cycles[place + 1]]
        points = [Point(*curve[earlier]) for earlier in cycles[: place + 1]]
        made = next_gain(points, next_cost=frames, believed=believed, mined=mined)
        if made.is_known and math.isfinite(outcome):
            interval = {"value": made.value, "lower": made.lower, "upper": made.upper}
            yield {"cycle": cycle, "frames": frames, **interval, "outcome": outcome}


def coverage(forecasts: pa.Table) -> Coverage:
    """How often intervals held the outcome in a table of schema ``FORECASTS``; NaN counts for neither."""
    rows = forecasts.select(["lower", "upper", "outcome"]).to_pylist()
    known = [r for r in rows if all(v is not None and math.isfinite(v) for v in r.values())]
    held = sum(row["lower"] <= row["outcome"] <= row["upper"] for row in known)
    lower, upper = _wilson(held, len(known))
    return Coverage(num=len(known), held=held, lower=lower, upper=upper)


def _wilson(held: int, num: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share (Wilson 1927)."""
    if not num:
        return math.nan, math.nan
    share, squared = held / num, z * z
    centre = (share + squared / (2 * num)) / (1 + squared / num)
    half = z / (1 + squared / num) * math.sqrt(share * (1 - share) / num + squared / (4 * num * num))
    return max(centre - half, 0.0), min(centre + half, 1.0)
