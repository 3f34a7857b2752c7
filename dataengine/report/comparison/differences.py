"""Each arm against the baseline, paired by seed: gains and losses alike."""

from __future__ import annotations

import math
from typing import Any

from dataengine.report.comparison.forest import Row, forest, reading
from dataengine.report.comparison.view import FIGURES, Arm, View, estimate_of, finite, number
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import signed
from dataengine.report.tables import Column, capped, table

AREAS = (
    ("area_seconds", "over annotator time"),
    ("area_frames", "over frames"),
    ("area_boxes", "over boxes"),
)
MAX_ROWS = 200

RATES = (("misses_per_frame", "Misses a frame"), ("false_alarms_per_frame", "False alarms a frame"))
"""Metrics of all classes together of which less is better."""


def differences(view: View) -> Markup:
    """The section."""
    title = f"Against {view.baseline.name}, seed by seed"
    if not view.rivals:
        return section("differences", title, note("There is one arm, so nothing to compare it with."))
    if not view.table("differences").num_rows:
        return section("differences", title, note("No paired difference was measured."))
    blocks = [_split(view, split) for split in view.splits]
    return section("differences", title, _introduction(view), blocks, _rivals(view))


def _introduction(view: View) -> Markup:
    name = view.baseline.name
    noise = (
        f" The grey ground is the noise floor: a mean difference of two draws of {name} stays within it by "
        f"chance, so what does not leave it is no difference; {name}@2, such a draw, shows what this figure "
        "says of chance alone."
        if finite(view.table("differences")["noise"].to_pylist())
        else f" {name} was run once, so how much two draws of it differ is not known."
    )
    return el(
        "p",
        f"Every arm starts from the same labelled frames and weights as {name} in each seed, so differences "
        f"are taken seed by seed. Bars are {view.comparison.confidence:.0%} intervals; a triangle up is a "
        "gain and one down a loss, both of which leave out zero and exceed the noise floor; a ring is "
        "neither. W–T–L counts the seeds won, tied (within what two draws differ by) and lost. The area "
        "under the curve is over annotator time, divided by its length: a mean of the figure over the whole "
        "budget.",
        noise,
    )


def _split(view: View, split: str) -> Markup:
    panels = []
    for part, metric, name in FIGURES:
        for measured, title in (
            (f"{metric}:{AREAS[0][0]}", " area under the curve"),
            (metric, " after the last cycle"),
        ):
            rows = [row_of(view, arm, split, part, measured) for arm in measured_rivals(view)]
            if all(math.isnan(row.value) for row in rows):
                continue
            label = f"◂ {view.baseline.name} better · arm better ▸"
            drawn = forest(rows, f"{name} minus that of {view.baseline.name}", label=label, aside="W–T–L")
            panels.append(el("figure", el("figcaption", el("b", name), title), drawn, class_="panel"))
    for metric, name in RATES:
        rows = [row_of(view, arm, split, "all", metric) for arm in measured_rivals(view)]
        if any(not math.isnan(row.value) for row in rows):
            label = f"◂ arm better · {view.baseline.name} better ▸"
            drawn = forest(rows, f"{name} minus those of {view.baseline.name}", label=label, aside="W–T–L")
            caption = el("figcaption", el("b", name), " after the last cycle")
            panels.append(el("figure", caption, drawn, class_="panel"))
    if not panels:
        return Markup("")
    head = el("h3", f"On the {view.split_title(split)}")
    return el(
        "div", head, el("div", panels, class_="panels"), more("The same in numbers", _numbers(view, split))
    )


def _rivals(view: View) -> Markup:
    """The main arm against each of the others; nothing where there is but one."""
    panels = []
    main = next(iter(view.table("rivals")["arm"].to_pylist()), "")
    for part, metric, name in FIGURES[:2]:
        for split in view.splits:
            rows = view.rows("rivals", split, part, f"{metric}:{AREAS[0][0]}")
            found = {row["other"]: estimate_of(row) for row in rows}
            drawn = [Row.of(arm.name, found[arm.name]) for arm in view.rivals if arm.name in found]
            if not drawn:
                continue
            label = f"◂ the other better · {main} better ▸"
            figure = forest(drawn, f"{name}: {main} minus the other arm", label=label)
            caption = el("figcaption", el("b", name), f" area, {view.split_title(split)}")
            panels.append(el("figure", caption, figure, class_="panel"))
    if not panels:
        return Markup("")
    return el("div", el("h3", f"{main} minus each other arm"), el("div", panels, class_="panels"))


def measured_rivals(view: View) -> list[Arm]:
    """Every arm but the baseline; ceilings only where they stand beside it at the same cost."""
    known = set(view.table("differences")["arm"].to_pylist())
    return [arm for arm in view.rivals if not arm.is_ceiling or arm.name in known]


def row_of(view: View, arm: Arm, split: str, slice_name: str, metric: str) -> Row:
    """The arm's paired difference at its last cycle."""
    found = view.last_difference(arm, split, slice_name, metric)
    if found is None:
        return Row(name=arm.name, value=math.nan)
    value, lower, upper, noise = (number(found[name]) for name in ("value", "lower", "upper", "noise"))
    return Row(
        name=arm.name,
        value=value,
        lower=lower,
        upper=upper,
        noise=noise,
        aside=tally(found),
        lower_is_better=metric in dict(RATES),
    )


def tally(found: dict[str, Any]) -> str:
    """``4–1–0``: seeds won, tied and lost."""
    counts = [found[name] for name in ("wins", "ties", "losses")]
    return "" if None in counts else "–".join(str(count) for count in counts)


def _numbers(view: View, split: str) -> Markup:
    measures = [(part, metric, f"{name}, at the last cycle") for part, metric, name in FIGURES]
    measures += [("all", metric, f"{name}, at the last cycle") for metric, name in RATES]
    measures += [
        (part, f"{metric}:{area}", f"{name}, area {title}")
        for part, metric, name in FIGURES
        for area, title in AREAS
    ]
    rows = []
    for arm in measured_rivals(view):
        for part, metric, title in measures:
            row = row_of(view, arm, split, part, metric)
            if not math.isnan(row.value):
                interval = (
                    "–" if math.isnan(row.lower) else f"{signed(row.lower, 3)} to {signed(row.upper, 3)}"
                )
                floor = "not known" if math.isnan(row.noise) else f"{row.noise:.3f}"
                value = el("span", signed(row.value, 3), class_=row.verdict)
                rows.append([arm.name, title, value, interval, row.aside or "–", floor, reading(row)])
    kept, line = capped(rows, MAX_ROWS, "rows", "the table differences")
    columns = [
        Column("Arm"),
        Column("Figure", words=True),
        Column("Difference"),
        Column(f"{view.comparison.confidence:.0%} interval"),
        Column("W–T–L"),
        Column("Noise floor"),
        Column("Reads as", words=True),
    ]
    return table(f"Paired differences on {split}", columns, kept, left_out=line)
