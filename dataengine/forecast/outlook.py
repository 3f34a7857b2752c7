"""The forecasts of a run from the figures in its ``metrics.jsonl``: what the next batch should bring."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataengine.forecast.backtest import FIGURES, is_mined
from dataengine.forecast.law import Forecast, Point, next_gain
from dataengine.forecast.priors import prior

NAMES: Mapping[tuple[str, str], str] = {
    ("tail", "ap50"): "tail AP50",
    ("all", "ap50"): "AP50",
    ("all", "map50_95"): "mAP50-95",
}

DECIDED_ON = ("val", "test")
"""Splits to forecast on: val, so that the test stays a judge; the test where val holds no object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The forecast of one figure of one arm.

    Attributes:
        arm: The arm.
        split: On which frames.
        slice: ``tail`` or ``all``.
        metric: ``ap50`` or ``map50_95``.
        now: The last measured figure.
        noise: Standard deviation of one fit that was assumed.
        forecast: Of the next cycle.
    """

    arm: str
    split: str
    slice: str
    metric: str
    now: float
    noise: float
    forecast: Forecast

    @property
    def name(self) -> str:
        """``tail AP50``."""
        return NAMES.get((self.slice, self.metric), f"{self.metric} of {self.slice}")

    @property
    def words(self) -> str:
        """``tail AP50 0.42 -> 0.54 (0.38-0.76)``."""
        made = self.forecast
        return f"{self.name} {self.now:.2f} to {made.value:.2f} ({made.lower:.2f}–{made.upper:.2f})"


def next_frames(settings: Mapping[str, Any], cycle: int, frames: float, bought: float) -> float:
    """Cumulative frames of a cycle that has not been bought yet.

    Args:
        settings: The run's settings.
        cycle: The cycle to come, 1 or later.
        frames: Cumulative frames so far.
        bought: Frames of the batch before, used where the budget counts boxes or seconds.
    """
    mine = settings.get("mine") or {}
    budget = mine.get("budget") or {}
    batches = (settings.get("loop") or {}).get("batches") or []
    if budget.get("unit", "frames") != "frames":
        return frames + bought
    amount = batches[cycle - 1] if cycle <= len(batches) else budget.get("amount", bought)
    return frames + float(amount)


def outlooks(
    runs: Iterable[Iterable[Mapping[str, Any]]], *, arm: str, next_cost: float, last_cycle: int
) -> list[Outlook]:
    """Forecasts of every figure of ``FIGURES`` for one arm.

    Args:
        runs: Rows of ``metrics.jsonl`` of each seed's run; the curve is their mean, and its noise shrinks
            with the root of their number.
        arm: Its name: a blind draw has a law of its own.
        next_cost: Cumulative frames of the next cycle.
        last_cycle: Cycles beyond it are passed over.

    Returns:
        One for each figure that was measured, on val where val holds objects.
    """
    curves = [_curves(rows, last_cycle) for rows in runs]
    found = []
    for part, metric in FIGURES:
        for split in DECIDED_ON:
            seeds = [curve for by_figure in curves if (curve := by_figure.get((split, part, metric)))]
            if not seeds:
                continue
            shared = sorted(set(seeds[0]).intersection(*seeds))
            points = [_mean([curve[cycle] for curve in seeds]) for cycle in shared]
            if not points:
                continue
            assumed = prior(part, metric)
            believed = replace(assumed, noise=assumed.noise / math.sqrt(len(seeds)))
            found.append(
                Outlook(
                    arm=arm,
                    split=split,
                    slice=part,
                    metric=metric,
                    now=points[-1].value,
                    noise=believed.noise,
                    forecast=next_gain(points, next_cost=next_cost, believed=believed, mined=is_mined(arm)),
                )
            )
            break
    return found


def line(found: Iterable[Outlook], frames: float) -> str:
    """One line for the terminal; empty where nothing was measured."""
    known = [outlook for outlook in found if outlook.forecast.is_known and outlook.metric == "ap50"]
    if not known:
        return ""
    words = ", ".join(outlook.words for outlook in known)
    first = known[0]
    return f"{first.arm}: {frames:.0f} more frames should bring {words} on {first.split}, 90% intervals"


def _curves(
    rows: Iterable[Mapping[str, Any]], last_cycle: int
) -> dict[tuple[str, str, str], dict[int, Point]]:
    wanted = set(FIGURES)
    found: dict[tuple[str, str, str], dict[int, Point]] = {}
    for row in rows:
        if (row["slice"], row["metric"]) not in wanted or row["cycle"] > last_cycle:
            continue
        frames, value = row.get("frames"), row.get("value")
        if frames is None or value is None or not math.isfinite(value):
            continue
        curve = found.setdefault((row["split"], row["slice"], row["metric"]), {})
        curve[int(row["cycle"])] = Point(float(frames), float(value))
    return found


def _mean(points: list[Point]) -> Point:
    number = len(points)
    return Point(sum(p.cost for p in points) / number, sum(p.value for p in points) / number)
