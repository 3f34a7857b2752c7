"""What it takes to make a comparison again, and the time that took."""

from __future__ import annotations

import json
import shlex
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from dataengine.report.comparison.view import View, number
from dataengine.report.data import flatten
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import duration, plural
from dataengine.report.reproduce import GROUPS, literal, overrides, shell
from dataengine.report.tables import Column, table

SUFFIX = "_time_s"


def reproduce(view: View) -> Markup:
    """The section."""
    return section(
        "reproduce",
        "Settings, time and seeds",
        el("h3", "The command that makes this again"),
        shell(command(view.comparison.settings)),
        note("Finished cells are not run again; delete the workspace, or name another, to start afresh."),
        _facts(view),
        _times(view),
        more("Every setting", _settings(view)),
    )


def command(of: Mapping[str, object]) -> str:
    """The command line of a comparison: the groups that were chosen, and what differs from the defaults."""
    settings = json.loads(json.dumps(dict(of), default=str))
    words = ["dataengine", "compare"]
    if settings.get("workspace"):
        words.append(f"workspace={settings['workspace']}")
    for group in GROUPS:
        chosen = settings.get(group)
        name = chosen.get("name") if isinstance(chosen, dict) else None
        words += [f"{group}={name}"] if name else []
    if settings.get("seed"):
        words.append(f"seed={settings['seed']}")
    return " ".join(shlex.quote(word) for word in [*words, *overrides(settings)])


def _facts(view: View) -> Markup:
    found = view.comparison
    settings = flatten(dict(found.settings))
    rows = [
        ["Baseline", found.baseline],
        ["Arms", ", ".join(arm.name for arm in view.arms)],
        ["Trials", f"{', '.join(found.trials) or '–'} ({plural(len(found.trials), 'seed')})"],
        ["Classes", ", ".join(found.classes)],
        ["Tail, declared on the card before any run", ", ".join(found.tail) or "none"],
        ["Intervals", f"{found.confidence:.0%}"],
    ]
    for key, title in (
        ("train.steps", "Optimiser steps of every fit"),
        ("loop.seed_frames", "Frames of the seed set"),
        ("loop.batches" if settings.get("loop.batches") else "mine.budget.amount", "Each batch"),
        ("mine.budget.unit", "counted in"),
        ("label.seconds_per_frame", "Annotator seconds a frame"),
        ("label.seconds_per_box", "Annotator seconds a box"),
    ):
        value = settings.get(key)
        if value not in (None, []):
            told = ", ".join(f"{part:g}" for part in value) if isinstance(value, list) else literal(value)
            rows.append([title, told])
    return table("What was compared", [Column("What", words=True), Column("Value", words=True)], rows)


def used_seconds(view: View) -> dict[str, float]:
    """Seconds of every stage, all arms and seeds added; cycle 0 is shared and counts once for each trial."""
    cells = view.table("cells")
    cells = cells.filter(pc.ends_with(cells["metric"], SUFFIX))
    once: dict[tuple[Any, ...], float] = defaultdict(float)
    for row in cells.select(["trial", "arm", "cycle", "metric", "value"]).to_pylist():
        arm = row["arm"] if row["cycle"] else ""
        key = (row["trial"], arm, row["cycle"], row["metric"])
        once[key] = max(once[key], number(row["value"]))
    total: dict[str, float] = defaultdict(float)
    for key, seconds in once.items():
        total[key[3].removesuffix(SUFFIX)] += seconds
    return dict(total)


def _times(view: View) -> Markup:
    compare = view.comparison.settings.get("compare")
    expected = number(compare.get("expected_minutes")) if isinstance(compare, dict) else 0.0
    told = f"Expected on two cores: {duration(60 * expected)}. " if expected > 0 else ""
    used = used_seconds(view)
    if not used:
        return note(told + "How long the stages took was not noted.")
    rows = [[name.replace("_", " "), duration(seconds)] for name, seconds in used.items()]
    rows.append(["all stages", duration(sum(used.values()))])
    words = (
        f"{told}Below are the stages of all arms and seeds added up, as if one ran after the other; arms "
        "that ran side by side took less by the clock."
    )
    return Markup(el("p", words) + table("Time used", [Column("Stage"), Column("Time")], rows))


def _settings(view: View) -> Markup:
    rows = [
        [el("code", name), literal(value)] for name, value in flatten(dict(view.comparison.settings)).items()
    ]
    if not rows:
        return note("The settings were not kept.")
    return table("Settings", [Column("Setting"), Column("Value", words=True)], rows)
