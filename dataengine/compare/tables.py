"""What a comparison is in memory and on disk: tidy tables that statistics write and the report reads.

Words used in all of them: ``trial`` is one seed in its world (``s0``, ``s1``, ...); ``arm`` a name as in
``mine.ArmName``; ``axis`` one of ``frames``, ``boxes``, ``seconds``; costs count the seed set. ``lower``
and ``upper`` are the ends of an interval at ``Comparison.confidence``, NaN where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

AXES = ("frames", "boxes", "seconds")

_CELL = (("trial", pa.string()), ("arm", pa.string()), ("seed", pa.int32()), ("cycle", pa.int32()))
_COST = (("frames", pa.float64()), ("boxes", pa.float64()), ("seconds", pa.float64()))
_FIGURE = (("split", pa.string()), ("slice", pa.string()), ("metric", pa.string()))
_INTERVAL = (("value", pa.float64()), ("lower", pa.float64()), ("upper", pa.float64()))

CELLS = pa.schema([*_CELL, *_COST, *_FIGURE, ("value", pa.float64())])
"""One figure of one cell (arm x seed x cycle): the rows of every run's ``metrics.jsonl``."""

REPLICATES = pa.schema([*_CELL, *_FIGURE, ("values", pa.list_(pa.float32()))])
"""Bootstrap replicates of a figure. Within a trial and split, number ``b`` of every arm and cycle is from the
same resample of the drives, so differences are paired."""

PICKS = pa.schema(
    [
        *_CELL,
        ("frame_id", pa.string()),
        ("clip_id", pa.string()),
        ("drive_id", pa.string()),
        ("rank", pa.int32()),
        ("trigger", pa.string()),
        ("class_counts", pa.list_(pa.int32())),
        ("conditions", pa.map_(pa.string(), pa.string())),
        ("nearest", pa.float32()),
        ("had_error", pa.bool_()),
    ]
)
"""One bought frame of cycle 1 and later: what turned out to be in it, the cosine distance of its embedding to
the nearest frame labelled before or with it, and whether the model that picked it was wrong about it."""

CURVES = pa.schema(
    [("arm", pa.string()), ("cycle", pa.int32()), *_COST, *_FIGURE, *_INTERVAL, ("num_seeds", pa.int32())]
)
"""Mean over seeds of a figure at each cycle, with its mean costs."""

DIFFERENCES = pa.schema(
    [
        ("arm", pa.string()),
        ("cycle", pa.int32()),
        *_FIGURE,
        *_INTERVAL,
        ("wins", pa.int32()),
        ("ties", pa.int32()),
        ("losses", pa.int32()),
        ("noise", pa.float64()),
    ]
)
"""Arm minus baseline, paired by trial, at the same cycle; metrics ``area_frames``, ``area_boxes`` and
``area_seconds`` (cycle -1) are differences of the normalised area under the budget curve of the figure
whose metric stands before the colon: ``ap50:area_seconds``. ``noise`` is the largest absolute difference between
two draws of the baseline for the same row; a tie is a difference within it."""

SAVINGS = pa.schema(
    [
        ("arm", pa.string()),
        ("axis", pa.string()),
        *_FIGURE,
        ("target", pa.string()),
        ("level", pa.float64()),
        *_INTERVAL,
        ("reached", pa.float64()),
    ]
)
"""Share of the cost saved at a level: ``target`` is ``baseline_final`` (the baseline's last cycle) or
``95_of_ceiling`` (of ``all_labels``). ``value`` is 1 - cost of the arm there / cost of the baseline there, NaN where
most trials did not get there; ``reached`` is the share of trials that did."""

SHARES = pa.schema([("arm", pa.string()), ("cycle", pa.int32()), *_FIGURE, *_INTERVAL])
"""Share of the oracle's gain over the baseline that an arm takes at the same cycle."""

PURCHASES = pa.schema(
    [("arm", pa.string()), ("cycle", pa.int32()), ("kind", pa.string()), ("name", pa.string()), *_INTERVAL]
)
"""Means over trials of what a cycle bought: kind ``class`` (boxes), ``condition`` (share of frames,
``weather:fog``), ``boxes_per_frame``, ``seconds``, ``clips``, ``redundancy`` (share of picks whose nearest labelled
or picked frame is nearer than the median distance between random frames of one clip), ``trigger`` (share of
picks) and ``yield`` (share of a trigger's picks that held a real error; name ``all`` for all)."""

OVERLAPS = pa.schema(
    [("arm", pa.string()), ("other", pa.string()), ("cycle", pa.int32()), ("value", pa.float64())]
)
"""Mean Jaccard overlap of what two arms bought in a cycle, over the trials that have both."""

FORECASTS = pa.schema(
    [
        ("trial", pa.string()),
        ("arm", pa.string()),
        ("cycle", pa.int32()),
        *_FIGURE,
        ("frames", pa.float64()),
        ("value", pa.float64()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("outcome", pa.float64()),
    ]
)
"""What was forecast after ``cycle`` for the budget ``frames`` of the next one (90% interval), and what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that a report of a comparison needs.

    Attributes:
        name: The experiment or dataset.
        baseline: Its arm.
        arms: Arms with at least one finished cycle beyond cycle 0, the baseline first.
        trials: Names of the trials.
        classes: Class names.
        tail: Names of the tail classes.
        confidence: Coverage of the intervals.
        headline: What was found, in one sentence.
        notes: What a reader has to know: arms or seeds that are missing, too few seeds for a claim.
        settings: The plain config.
        tables: By name: ``cells``, ``curves``, ``differences``, ``savings``, ``shares``, ``purchases``,
            ``overlaps``, ``forecasts``.
    """

    name: str
    baseline: str
    arms: tuple[str, ...]
    trials: tuple[str, ...]
    classes: tuple[str, ...]
    tail: tuple[str, ...]
    confidence: float
    headline: str
    notes: tuple[str, ...]
    settings: Mapping[str, object]
    tables: Mapping[str, pa.Table]

    def table(self, name: str) -> pa.Table:
        """One table; an empty one where nothing was measured."""
        return self.tables.get(name, SCHEMAS[name].empty_table())


SCHEMAS: Mapping[str, pa.Schema] = MappingProxyType(
    {
        "cells": CELLS,
        "replicates": REPLICATES,
        "picks": PICKS,
        "curves": CURVES,
        "differences": DIFFERENCES,
        "savings": SAVINGS,
        "shares": SHARES,
        "purchases": PURCHASES,
        "overlaps": OVERLAPS,
        "forecasts": FORECASTS,
    }
)
"""The schema of each table by its name."""
