"""Comparisons made up for tests: any number of arms and seeds, wins, losses, and tables that are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine.compare.tables import AXES, SCHEMAS, Comparison
from dataengine.config import Config

NAN = math.nan
CLASSES = ("car", "truck", "pedestrian", "cyclist", "cone")
TAIL = ("truck", "cyclist", "cone")
SPLITS = ("test", "test_balanced")
SLICES = (
    "all",
    "tail",
    *(f"class:{name}" for name in CLASSES),
    "time_of_day:night",
    "weather:fog",
    "size:small",
)
RATES = ("misses_per_frame", "false_alarms_per_frame")
FIGURES = (*((name, "ap50") for name in SLICES), ("all", "map50_95"), *(("all", name) for name in RATES))
BUDGETS = (150, 270, 390)
EFFECTS = {"auto": 0.1, "uncertainty": -0.08, "random@2": 0.004, "oracle": 0.15}
ARMS = ("random", "random@2", "auto", "class_balanced", "uncertainty", "auto+pseudo", "oracle")
HEADLINE = "57% of the annotator seconds saved (41% to 70%) at random's final tail AP50."


def effect(arm: str) -> float:
    """How much better than the baseline an arm is; whatever its name says, else by its length."""
    return EFFECTS.get(arm, 0.01 * (len(arm) % 9 - 3) * (arm != "random"))


def comparison(
    arms: Sequence[str] = ARMS,
    trials: int = 5,
    *,
    without: Sequence[str] = (),
    splits: Sequence[str] = SPLITS,
    **changes: Any,
) -> Comparison:
    """A finished comparison; ``without`` names tables that nobody measured."""
    rng = np.random.default_rng(4)
    config = Config()
    config.compare.arms = [arm for arm in arms if arm != "random"]
    config.compare.expected_minutes = 95
    names = tuple(f"s{number}" for number in range(trials))
    made = {
        "cells": _cells(arms, names, splits, rng),
        "curves": _curves(arms, trials, splits, rng),
        "differences": _differences(arms, trials, splits, rng),
        "savings": _savings(arms, splits),
        "shares": _shares(arms, splits),
        "purchases": _purchases(arms),
        "overlaps": _overlaps(arms),
        "forecasts": _forecasts(arms, names, rng),
        "rivals": _rivals(arms, trials, splits),
        "trainers": _trainers(arms, trials, splits),
    }
    tables = {
        name: pa.Table.from_pylist(rows, SCHEMAS[name]) for name, rows in made.items() if name not in without
    }
    found = Comparison(
        name="compare_sim",
        baseline="random",
        arms=tuple(arms),
        trials=names,
        classes=CLASSES,
        tail=TAIL,
        confidence=0.95,
        headline=HEADLINE,
        notes=("Seed 3 of uncertainty is missing.", "Rates of the simulated world are natural."),
        settings=config.plain(),
        tables=tables,
    )
    return replace(found, **changes)


def cost(arm: str, cycle: int) -> dict[str, float]:
    """Cumulative cost."""
    frames = 4000 if arm == "all_labels" and cycle else BUDGETS[cycle]
    boxes = frames * (4.1 + 3 * max(effect(arm), 0))
    return {"frames": frames, "boxes": boxes, "seconds": 7.8 * frames + 7 * boxes}


def cycles(arm: str) -> range:
    """Cycles that an arm has."""
    return range(2 if arm == "all_labels" else len(BUDGETS))


def level(arm: str, cycle: int, slice_name: str, metric: str) -> float:
    """The figure behind the noise."""
    rare = slice_name in ("tail", "class:cyclist", "class:cone")
    if metric in RATES:
        return 0.9 - 0.1 * cycle - effect(arm) * (cycle > 0)
    base = 0.62 - 0.2 * rare - 0.2 * (metric == "map50_95")
    gain = (1 if rare else 0.4) * effect(arm) * (cycle > 0) * (0.7 + 0.3 * cycle)
    return min(base + 0.07 * cycle + gain + 0.2 * (arm == "all_labels" and cycle > 0), 0.97)


def _cells(
    arms: Sequence[str], trials: Sequence[str], splits: Sequence[str], rng: Any
) -> list[dict[str, Any]]:
    rows = []
    for seed, trial in enumerate(trials):
        for arm in arms:
            for cycle in cycles(arm):
                head = {"trial": trial, "arm": arm, "seed": seed, "cycle": cycle, **cost(arm, cycle)}
                for split in splits:
                    for place, (part, metric) in enumerate(FIGURES):
                        value = level(arm, cycle, part, metric) + 0.03 * rng.standard_normal()
                        rows.append({**head, **_figure(split, part, metric), "value": value})
                        if metric == "ap50":
                            objects = {"value": 0.0 if part == "weather:fog" else 900.0 / (place + 1)}
                            rows.append({**head, **_figure(split, part, "num_objects"), **objects})
                rows += [
                    {**head, **_figure("pool", "all", f"{s}_time_s"), "value": 60.0}
                    for s in ("mine", "train")
                ]
    return rows


def _figure(split: str, part: str, metric: str) -> dict[str, str]:
    return {"split": split, "slice": part, "metric": metric}


def _around(value: float, half: float, trials: int) -> dict[str, float]:
    known = trials > 1 and not math.isnan(value)
    return {
        "value": value,
        "lower": value - half if known else NAN,
        "upper": value + half if known else NAN,
    }


def _curves(arms: Sequence[str], trials: int, splits: Sequence[str], rng: Any) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "cycle": cycle,
            **cost(arm, cycle),
            **_figure(split, part, metric),
            **_around(
                NAN
                if part == "weather:fog"
                else level(arm, cycle, part, metric) + 0.01 * rng.standard_normal(),
                0.05,
                trials,
            ),
            "num_seeds": trials,
        }
        for split in splits
        for part, metric in FIGURES
        for arm in arms
        for cycle in cycles(arm)
    ]


def _differences(arms: Sequence[str], trials: int, splits: Sequence[str], rng: Any) -> list[dict[str, Any]]:
    rows = []
    for split in splits:
        for part, metric in FIGURES:
            for arm in arms:
                if arm in ("random", "all_labels"):
                    continue
                measured = [(cycle, metric) for cycle in cycles(arm)]
                measured += [(-1, f"{metric}:area_{axis}") for axis in AXES]
                for cycle, name in measured:
                    last = 2 if cycle < 0 else cycle
                    value = level(arm, last, part, metric) - level("random", last, part, metric)
                    value = NAN if part == "weather:fog" else value + 0.004 * rng.standard_normal()
                    won = sum(value + 0.02 * rng.standard_normal() > 0 for _ in range(trials))
                    row = {
                        "arm": arm,
                        "cycle": cycle,
                        **_figure(split, part, name),
                        **_around(value, 0.03, trials),
                    }
                    row |= {"wins": won, "ties": 0, "losses": trials - won, "noise": 0.018}
                    rows.append({**row, "noise_per_seed": 0.02, "num_seeds": trials})
    return rows


def _savings(arms: Sequence[str], splits: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for split in splits:
        for part, metric in (("tail", "ap50"), ("all", "ap50"), ("all", "map50_95")):
            for arm in arms:
                for place, axis in enumerate(AXES):
                    for target, wanted in (("baseline_final", 0.56), ("95_of_ceiling", 0.8)):
                        reaches = effect(arm) > (0.0 if target == "baseline_final" else 0.12)
                        value = 5 * effect(arm) - 0.04 * place if reaches or effect(arm) > -0.02 else NAN
                        value = value if reaches or target == "baseline_final" else NAN
                        row = {"arm": arm, "axis": axis, **_figure(split, part, metric), "target": target}
                        row |= {
                            "level": wanted,
                            **_around(value, 0.15, 5),
                            "reached": 1.0 if reaches else 0.2,
                        }
                        if arm != "random":
                            rows.append(row)
    return rows


def _shares(arms: Sequence[str], splits: Sequence[str]) -> list[dict[str, Any]]:
    if "oracle" not in arms:
        return []
    return [
        {
            "arm": arm,
            "cycle": cycle,
            **_figure(split, part, metric),
            **_around(effect(arm) / effect("oracle"), 0.25, 5),
        }
        for split in splits
        for part, metric in (("tail", "ap50"), ("all", "map50_95"))
        for arm in arms
        if arm not in ("random", "oracle")
        for cycle in (1, 2)
    ]


def _rivals(arms: Sequence[str], trials: int, splits: Sequence[str]) -> list[dict[str, Any]]:
    """The first arm that is no draw of the baseline against the others."""
    first, *others = [arm for arm in arms if not arm.startswith("random") and arm != "all_labels"] or [""]
    return [
        {
            "arm": first,
            "other": other,
            "cycle": -1,
            "num_seeds": trials,
            **_figure(split, part, f"{metric}:area_{axis}"),
            **_around(effect(first) - effect(other), 0.03, trials),
        }
        for other in others
        for split in splits
        for part, metric in (("tail", "ap50"), ("all", "map50_95"))
        for axis in AXES
    ]


def _trainers(arms: Sequence[str], trials: int, splits: Sequence[str]) -> list[dict[str, Any]]:
    """Each trainer's gain is a tenth, each miner's its effect, and together they gain both."""
    rows = []
    for trainer in ("plain", "pseudo"):
        for arm in arms:
            if arm == "random" or not {f"random+{trainer}", f"{arm}+{trainer}"} <= {*arms}:
                continue
            mined = dict.fromkeys(("mining_lesser", "mining_greater"), effect(arm))
            trained = dict.fromkeys(("training_baseline", "training_arm"), 0.1)
            for part, value in {**mined, **trained, "both": effect(arm) + 0.1}.items():
                head = {"arm": arm, "trainer": trainer, "part": part, **_around(value, 0.05, trials)}
                rows += [
                    {**head, "cycle": cycle, **_figure(split, name, metric), "num_seeds": trials}
                    for split in splits
                    for name, metric in (("tail", "ap50"), ("all", "map50_95"))
                    for cycle in (1, 2)
                ]
    return rows


def _purchases(arms: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for arm in arms:
        rich = 1 + 6 * max(effect(arm), 0)
        for cycle in cycles(arm)[1:]:
            held = [
                ("class", name, 200 / (n + 1) * (rich if name in TAIL else 1))
                for n, name in enumerate(CLASSES)
            ]
            held += [("condition", "weather:fog", 0.05 * rich), ("condition", "weather:clear", 0.8)]
            held += [("condition", "time_of_day:night", 0.1 * rich), ("boxes_per_frame", "", 4.1 * rich)]
            held += [("seconds", "", 4200.0 * rich), ("clips", "", 90.0), ("redundancy", "", 0.3 / rich)]
            held += [("trigger", f"{arm}:cyclist", 0.4), ("trigger", "coverage", 0.6)]
            held += [
                ("yield", f"{arm}:cyclist", 0.7),
                ("yield", "coverage", 0.2),
                ("yield", "all", 0.3 * rich),
            ]
            rows += [
                {"arm": arm, "cycle": cycle, "kind": kind, "name": name, **_around(value, 0.1 * value, 5)}
                for kind, name, value in held
            ]
    return rows


def _overlaps(arms: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "arm": arm,
            "other": other,
            "cycle": cycle,
            "value": 0.03 + 0.6 * abs(math.cos(len(arm) - len(other) + 1)),
        }
        for cycle in (1, 2)
        for place, arm in enumerate(arms)
        for other in arms[place + 1 :]
    ]


def _forecasts(arms: Sequence[str], trials: Sequence[str], rng: Any) -> list[dict[str, Any]]:
    rows = []
    for trial in trials:
        for arm in arms:
            for cycle in cycles(arm)[:-1]:
                for part, metric in (("tail", "ap50"), ("all", "map50_95")):
                    value = level(arm, cycle + 1, part, metric)
                    row = {"trial": trial, "arm": arm, "cycle": cycle, **_figure("test", part, metric)}
                    row |= {
                        "frames": BUDGETS[cycle + 1],
                        "value": value,
                        "lower": value - 0.1,
                        "upper": value + 0.1,
                    }
                    rows.append({**row, "outcome": value + 0.065 * rng.standard_normal()})
    return rows
