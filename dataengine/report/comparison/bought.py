"""What each arm bought: classes, conditions, crowdedness, redundancy, triggers and their yield."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from dataengine.report.comparison.view import Arm, View, estimate_of, finite, number
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import cell, count, duration
from dataengine.report.tables import Column, bar, capped, table

MAX_COLUMNS = 24
MAX_ROWS = 120

Bought = dict[tuple[str, str, str], list[dict[str, Any]]]
"""Rows of ``PURCHASES`` by arm, kind and name."""


def bought(view: View) -> Markup:
    """The section."""
    rows: Bought = defaultdict(list)
    for row in view.table("purchases").to_pylist():
        if finite([row["value"]]):
            rows[row["arm"], row["kind"], row["name"] or ""].append(row)
    if not rows:
        words = note("What the arms bought was not measured.")
        return section("bought", "What each arm bought", words, _overlaps(view))
    weights = _batches(view)
    introduction = el(
        "p",
        "Means over the seeds of everything bought after the seed set. A pick is redundant where a frame "
        "labelled before or with it is nearer to it, by embedding, than to half of the baseline's picks: the "
        "baseline stands at 50%. The yield is the share of picks that the model that picked them was wrong "
        "about.",
    )
    parts = [
        _glance(view, rows, weights),
        _classes(view, rows),
        _conditions(view, rows, weights),
        _triggers(view, rows, weights),
        more("Each cycle, with intervals", _cycles(view, rows)),
    ]
    return section("bought", "What each arm bought", introduction, parts, _overlaps(view))


def _batches(view: View) -> dict[tuple[str, int], float]:
    """Frames that each cycle added, so that means over cycles weigh every frame the same."""
    frames: dict[tuple[str, int], float] = {}
    table_ = view.table("curves").select(["arm", "cycle", "frames"])
    for row in table_.to_pylist():
        frames[row["arm"], row["cycle"]] = number(row["frames"])
    added = {key: frames[key] - frames.get((key[0], key[1] - 1), math.nan) for key in frames}
    return {key: value for key, value in added.items() if value > 0}


def _mean(rows: list[dict[str, Any]], weights: dict[tuple[str, int], float]) -> float:
    """Mean over cycles, weighed by the frames of each; NaN without rows."""
    parts = [(number(row["value"]), weights.get((row["arm"], row["cycle"]), 1.0)) for row in rows]
    total = sum(weight for _, weight in parts)
    return sum(value * weight for value, weight in parts) / total if parts else math.nan


def _sum(rows: list[dict[str, Any]]) -> float:
    return sum(number(row["value"]) for row in rows) if rows else math.nan


def _share(value: float) -> Any:
    return "–" if math.isnan(value) else bar(value, 1.0, f"{value:.0%}")


def _of(rows: Bought, arm: Arm, kind: str, *names: str) -> list[dict[str, Any]]:
    """Rows of one kind and, where names are given, of one of them."""
    return [
        row
        for (name, of_kind, about), found in rows.items()
        if name == arm.name and of_kind == kind and (not names or about in names)
        for row in found
    ]


def _glance(view: View, rows: Bought, weights: dict[tuple[str, int], float]) -> Markup:
    body = []
    for arm in view.arms:
        if not any(key[0] == arm.name for key in rows):
            continue
        crowd = _mean(_of(rows, arm, "boxes_per_frame"), weights)
        clips = _mean(_of(rows, arm, "clips"), {})
        body.append(
            [
                arm.key,
                "–" if math.isnan(crowd) else f"{crowd:.1f}",
                duration(_sum(_of(rows, arm, "seconds"))),
                count(clips),
                _share(_mean(_of(rows, arm, "redundancy"), weights)),
                _share(_mean(_of(rows, arm, "yield", "all"), weights)),
            ]
        )
    titles = ("Arm", "Boxes a frame", "Annotator time", "Clips a cycle", "Redundant picks", "Yield")
    return table(
        "What the labels after the seed set cost and held", [Column(title) for title in titles], body
    )


def _classes(view: View, rows: Bought) -> Markup:
    classes = [name for name in view.comparison.classes if any(key[1:] == ("class", name) for key in rows)]
    if not classes:
        return Markup("")
    kept, line = capped(classes, MAX_COLUMNS, "classes", "the table purchases")
    totals = {(arm.name, name): _sum(_of(rows, arm, "class", name)) for arm in view.arms for name in kept}
    longest = {name: max(finite([totals[arm.name, name] for arm in view.arms]), default=0.0) for name in kept}
    body = []
    for arm in view.arms:
        values = [totals[arm.name, name] for name in kept]
        if finite(values):
            bars = (
                "–" if math.isnan(value) else bar(value, longest[name], count(value))
                for value, name in zip(values, kept, strict=True)
            )
            body.append([arm.key, *bars])
    columns = [Column("Arm"), *(Column(_named(view, name)) for name in kept)]
    return table("Boxes bought, by class", columns, body, left_out=line)


def _named(view: View, name: str) -> Any:
    if name not in view.comparison.tail:
        return name
    return Markup(el("span", name) + " " + el("small", "rare", class_="tag"))


def _conditions(view: View, rows: Bought, weights: dict[tuple[str, int], float]) -> Markup:
    names = sorted({key[2] for key in rows if key[1] == "condition"})
    if not names:
        return note("The conditions of what was bought are not known.")
    kept, line = capped(names, MAX_COLUMNS, "conditions", "the table purchases")
    body = [
        [arm.key, *(_share(_mean(_of(rows, arm, "condition", name), weights)) for name in kept)]
        for arm in view.arms
        if _of(rows, arm, "condition")
    ]
    columns = [Column("Arm")]
    for name in kept:
        group, _, value = name.replace("_", " ").partition(":")
        columns.append(Column(value or group, group if value else ""))
    return table("Conditions of the frames bought", columns, body, left_out=line)


def _triggers(view: View, rows: Bought, weights: dict[tuple[str, int], float]) -> Markup:
    body = []
    for arm in view.rivals:
        names = {key[2] for key in rows if key[0] == arm.name and key[1] in ("trigger", "yield")} - {"all"}
        for name in sorted(names):
            share = _mean(_of(rows, arm, "trigger", name), weights)
            found = _mean(_of(rows, arm, "yield", name), weights)
            body.append([arm.name, name, _share(share), _share(found)])
    if not body:
        return note("No trigger was noted.")
    kept, line = capped(body, MAX_ROWS, "triggers", "the table purchases")
    columns = [Column("Arm"), Column("Trigger", words=True), Column("Share of picks"), Column("Yield")]
    return more("Triggers and their yield", table("Triggers and their yield", columns, kept, left_out=line))


def _cycles(view: View, rows: Bought) -> Markup:
    order = {arm.name: place for place, arm in enumerate(view.arms)}
    shown = {"frames", "boxes_per_frame", "seconds", "clips", "nearest", "redundancy", "yield", "class"}
    body = []
    for (arm, kind, name), found in rows.items():
        if arm not in order or kind not in shown or (kind == "yield" and name != "all"):
            continue
        title = f"boxes of {name}" if kind == "class" else kind.replace("_", " ")
        title = "distance to the nearest" if kind == "nearest" else title
        digits = 0 if kind in ("frames", "seconds", "clips", "class") else 3 if kind == "nearest" else 2
        for row in found:
            figure = cell(estimate_of(row), digits)
            body.append((order[arm], title, row["cycle"], [arm, title, str(row["cycle"]), figure]))
    body.sort(key=lambda entry: entry[:3])
    kept, line = capped([entry[3] for entry in body], MAX_ROWS, "rows", "the table purchases")
    columns = [Column("Arm"), Column("What", words=True), Column("Cycle"), Column("Mean")]
    return table("What each cycle bought", columns, kept, left_out=line)


def _overlaps(view: View) -> Markup:
    head = el("h3", "Do the arms pick the same frames?")
    found = view.table("overlaps").to_pylist()
    cycles = sorted({row["cycle"] for row in found})
    if not cycles:
        return Markup(head + note("How much the arms' picks overlap was not measured."))
    words = el(
        "p",
        "Frames that both arms bought, as a share of those that either did (Jaccard), averaged over the "
        "seeds. In cycle 1 all choose from the same pool with the same model.",
    )
    first, *later = [
        _overlap(view, [row for row in found if row["cycle"] == cycle], cycle) for cycle in cycles
    ]
    return Markup(head + words + first + (more("Later cycles", later) if later else ""))


def _overlap(view: View, rows: list[dict[str, Any]], cycle: int) -> Markup:
    values = {(row["arm"], row["other"]): number(row["value"]) for row in rows}
    values |= {(other, arm): value for (arm, other), value in values.items()}
    names = [arm.name for arm in view.arms if any(arm.name in pair for pair in values)]
    body = []
    for name in names:
        cells: list[Any] = []
        for other in names:
            value = values.get((name, other), math.nan)
            if name == other or math.isnan(value):
                cells.append(el("span", "·" if name == other else "–", class_="heat zero"))
            else:
                level = round(10 * max(0.0, min(value, 1.0)))
                cells.append(el("span", f"{value:.0%}", class_=f"heat h{level}"))
        body.append([name, *cells])
    columns = [Column("Arm"), *(Column(name) for name in names)]
    return table(f"Overlap of what was bought in cycle {cycle}", columns, body)
