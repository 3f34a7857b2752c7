"""What a comparison is in memory and on disk: tidy tables that statistics write and the report reads.

Words used in all of them: ``trial`` is one seed in its world (``s0``, ``s1``, ...); ``arm`` a name as in
``mine.ArmName``; ``axis`` one of ``frames``, ``boxes``, ``seconds``; costs count the seed set. ``lower``
and ``upper`` are the ends of an interval at ``Comparison.confidence``, NaN where there is none; ``num_seeds``
is how many trials an estimate is made of. How the intervals are made: ``dataengine.compare.resampling``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
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
"""Mean over seeds of a figure at each cycle, with its mean costs: metrics ``ap50``, ``map50_95``,
``misses_per_frame`` and ``false_alarms_per_frame`` for ``all``, ``tail``, every class and every condition."""

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
        ("noise_per_seed", pa.float64()),
        ("num_seeds", pa.int32()),
    ]
)
"""Arm minus baseline, paired by trial, at the same cycle, for every arm that pays what the baseline pays
(all but ``all_labels``). In metrics with a colon (``ap50:area_frames``, ``ap50:area_boxes``,
``ap50:area_seconds``; cycle -1) the figure is the normalised area under the budget curve of the metric
before it: its mean over the costs that arm and baseline both reached.

``noise_per_seed`` is how far two draws of the baseline are apart in one trial (root of the mean squared
difference between ``baseline`` and ``baseline@2``). ``noise`` is the noise floor of the mean: what a mean
of ``num_seeds`` such differences stays within at ``Comparison.confidence`` by chance, ``t * noise_per_seed
/ sqrt(num_seeds)``. Both are NaN where the baseline was drawn once. A trial is a tie where the difference
is within ``noise_per_seed``; else a win where the arm is better (more precision, fewer misses or false
alarms). The row of ``baseline@2`` shows what the same machinery says of chance."""

SAVINGS = pa.schema(
    [
        ("arm", pa.string()),
        ("axis", pa.string()),
        *_FIGURE,
        ("target", pa.string()),
        ("level", pa.float64()),
        ("cost", pa.float64()),
        ("baseline_cost", pa.float64()),
        *_INTERVAL,
        ("median", pa.float64()),
        ("reached", pa.float64()),
        ("num_seeds", pa.int32()),
    ]
)
"""Share of the cost saved at a level: ``target`` is ``baseline_final`` (the baseline's last cycle) or
``95_of_ceiling`` (95% of ``all_labels``); the baseline's own rows say what it paid. ``metric`` is ``ap50``
or ``map50_95``, ``slice`` ``all``, ``tail`` or a class.

``cost`` and ``baseline_cost`` are where the mean curves of the trials first reach the mean ``level``,
linear in cost between cycles, the seed set counted; NaN where a curve does not get there. ``value`` is ``1
- cost / baseline_cost``, negative where the arm is dearer, NaN where either is "not reached". ``lower`` is
NaN where too many resamples do not get there to name one: the saving is not bounded below.

``reached`` is the share of trials whose own curve gets to its own trial's level, and ``median`` the median
of their savings, a trial that does not get there counting as less than any other; NaN where the median is
such a trial."""

SHARES = pa.schema(
    [("arm", pa.string()), ("cycle", pa.int32()), *_FIGURE, *_INTERVAL, ("num_seeds", pa.int32())]
)
"""Share of the oracle's gain over the baseline that an arm takes at the same cycle: the ratio of the mean
gains. NaN where the oracle's mean gain is not above 0; no interval where resamples say that it may not be."""

RIVALS = pa.schema(
    [
        ("arm", pa.string()),
        ("other", pa.string()),
        ("cycle", pa.int32()),
        *_FIGURE,
        *_INTERVAL,
        ("num_seeds", pa.int32()),
    ]
)
"""The arm that the headline is about minus every other one that pays as it does, but for the baseline and its
draws, which ``DIFFERENCES`` tells; cycles and metrics as there."""

TRAINERS = pa.schema(
    [
        ("arm", pa.string()),
        ("trainer", pa.string()),
        ("part", pa.string()),
        ("cycle", pa.int32()),
        *_FIGURE,
        *_INTERVAL,
        ("num_seeds", pa.int32()),
    ]
)
"""What a miner and a trainer gain, alone and together, paired by trial and among the trials that ran all four
of ``baseline``, ``arm`` and the two ``+trainer``; cycles and metrics as in ``DIFFERENCES``. Of pseudo-labels
``greater`` is with them and ``lesser`` without; of ``plain``, ``greater`` is the settings' own trainer, which
favours rare classes, and ``lesser`` the plain one.

``part`` is ``mining_lesser`` or ``mining_greater`` (arm minus baseline, both trained so),
``training_baseline`` or ``training_arm`` (the greater trainer minus the lesser, on what that miner bought),
or ``both`` (the arm with the greater minus the baseline with the lesser)."""

PURCHASES = pa.schema(
    [("arm", pa.string()), ("cycle", pa.int32()), ("kind", pa.string()), ("name", pa.string()), *_INTERVAL]
)
"""Means over trials of what a cycle bought: kind ``class`` (boxes), ``condition`` (share of frames,
``weather:fog``), ``frames``, ``boxes_per_frame``, ``seconds``, ``clips``, ``nearest`` (mean cosine distance
of a pick to the nearest frame labelled before or with it), ``redundancy`` (share of picks nearer to such a
frame than the median pick of the baseline in the same trial and cycle: the baseline is at 0.5), ``trigger``
(share of picks) and ``yield`` (share of a trigger's picks that held a real error; name ``all`` for all).
``name`` is empty where a kind has one figure."""

OVERLAPS = pa.schema(
    [("arm", pa.string()), ("other", pa.string()), ("cycle", pa.int32()), ("value", pa.float64())]
)
"""Mean Jaccard overlap (0..1) of what two arms bought in a cycle, over the trials that have both; every
pair of different arms in both orders."""

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
"""What was forecast after ``cycle`` for the budget ``frames`` of the next one (90% interval), and what
came."""


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
            ``overlaps``, ``forecasts``, ``rivals``, ``trainers``.
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
        "rivals": RIVALS,
        "trainers": TRAINERS,
    }
)
"""The schema of each table by its name."""


def fill(schema: pa.Schema, blocks: Iterable[Mapping[str, Any]]) -> pa.Table:
    """A table from blocks of columns; a column that is one value stands for that value in every row.

    Args:
        schema: The columns and their types.
        blocks: Column name -> values of some rows, at least one column of each block an array or a list.
    """
    parts = [schema.empty_table()]
    for block in blocks:
        number = next(len(column) for column in block.values() if not np.isscalar(column))
        columns = [block[name] for name in schema.names]
        arrays = [
            pa.array([column] * number if np.isscalar(column) else column, kind, from_pandas=False)
            for column, kind in zip(columns, schema.types, strict=True)
        ]
        parts.append(pa.Table.from_arrays(arrays, schema=schema))
    return pa.concat_tables(parts)
