"""How much labelling an arm saves at the same quality, and how much of the possible gain it takes."""

from __future__ import annotations

import math
from typing import Any

from dataengine.report.comparison.forest import Row, forest, spanned
from dataengine.report.comparison.view import FIGURES, View, number
from dataengine.report.html import Markup, el, more, note, section, text
from dataengine.report.numbers import count, duration, score
from dataengine.report.tables import Column, capped, table

AXES = (("seconds", "annotator time"), ("frames", "frames"), ("boxes", "boxes"))
MAX_ROWS = 200


def savings(view: View) -> Markup:
    """The section."""
    title = "Labels saved"
    if not view.table("savings").num_rows:
        parts: list[Markup] = [note("What an arm saves was not measured.")]
    else:
        parts = [_introduction(view), *(_split(view, split) for split in view.splits)]
    return section("savings", title, parts, _shares(view))


def _targets(view: View) -> tuple[tuple[str, str], ...]:
    return (
        ("baseline_final", f"{view.baseline.name}'s last cycle"),
        ("95_of_ceiling", "95% of what all labels reach"),
    )


def _introduction(view: View) -> Markup:
    return el(
        "p",
        f"The share of {view.baseline.name}'s cost that an arm did without where its curve first reaches the "
        f"same level, the seed set counted as cost. Below zero it needed more. Bars are "
        f"{view.comparison.confidence:.0%} intervals; one without a lower end runs off the figure. The "
        "column at the right is the share of seeds in which the arm got there at all.",
    )


def percent(value: float) -> str:
    """A share saved, e.g. ``57%`` or ``−12%``; an en dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value:.0%}".replace("-", "−")


def _split(view: View, split: str) -> Markup:
    part, metric, name = FIGURES[0]
    if not view.rows("savings", split, part, metric):
        part, metric, name = FIGURES[2]
    blocks = []
    for target, words in _targets(view):
        rows = [row for row in view.rows("savings", split, part, metric) if row["target"] == target]
        panels = [
            el("figure", el("figcaption", el("b", f"Saved {title}")), drawn, class_="panel")
            for axis, title in AXES
            if (drawn := _panel(view, [row for row in rows if row["axis"] == axis], title))
        ]
        if panels:
            level = _level(rows)
            blocks.append(el("p", f"{name} at {words}{level}:", class_="lead-in"))
            blocks.append(
                el("div", panels, class_="panels swipe", tabindex="0", role="group", aria_label=words)
            )
        else:
            blocks.append(note(f"{name} at {words}: not measured."))
    numbers = more("The same in numbers, for every figure", _numbers(view, split))
    return el("div", el("h3", f"On the {view.split_title(split)}"), blocks, numbers)


def _level(rows: list[dict[str, Any]]) -> str:
    levels = [number(row["level"]) for row in rows if not math.isnan(number(row["level"]))]
    return f" ({score(sum(levels) / len(levels))})" if levels else ""


def _panel(view: View, rows: list[dict[str, Any]], title: str) -> Markup | None:
    by_arm = {row["arm"]: row for row in rows}
    drawn = [_row(a.name, by_arm.get(a.name)) for a in view.rivals if a.name in by_arm or not a.is_ceiling]
    if not by_arm or not drawn:
        return None
    return forest(
        drawn,
        f"Share of {title} saved",
        label="◂ costs more · saves ▸",
        aside="reached",
        text=percent,
        span=0.4,
    )


def _row(name: str, found: dict[str, Any] | None) -> Row:
    if found is None:
        return Row(name=name, value=math.nan)
    value, lower, upper, reached = (number(found[key]) for key in ("value", "lower", "upper", "reached"))
    return Row(
        name=name,
        value=value,
        lower=lower,
        upper=upper,
        aside="" if math.isnan(reached) else f"{reached:.0%}",
        absent="not reached",
    )


def _numbers(view: View, split: str) -> Markup:
    rows = []
    for arm in view.rivals:
        for part, metric, name in FIGURES:
            for target, words in _targets(view):
                found = {
                    row["axis"]: row
                    for row in view.rows("savings", split, part, metric)
                    if row["arm"] == arm.name and row["target"] == target
                }
                if found:
                    levels = _level(list(found.values())).strip(" ()") or "–"
                    cells = [saved(found.get(axis)) for axis, _ in AXES]
                    rows.append([arm.name, f"{name} at {words}", levels, *cells])
    kept, line = capped(rows, MAX_ROWS, "rows", "the table savings")
    columns = [Column("Arm"), Column("At", words=True), Column("Level")]
    columns += [Column(title.capitalize(), "Saved", words=True) for _, title in AXES]
    return table(f"Share of the cost saved on {split}", columns, kept, left_out=line)


def saved(found: dict[str, Any] | None) -> str:
    """A saving with its interval in words; ``not reached`` says in how many of the trials it was."""
    if found is None:
        return "not measured"
    value, lower, upper, reached = (number(found[key]) for key in ("value", "lower", "upper", "reached"))
    trials = "" if math.isnan(reached) or reached == 1 else f", reached in {reached:.0%} of the trials"
    if math.isnan(value):
        return f"not reached{trials if reached > 0 else ''}"
    paid, instead = number(found["cost"]), number(found["baseline_cost"])
    write = duration if found["axis"] == "seconds" else count
    costs = "" if math.isnan(paid) or math.isnan(instead) else f", {write(paid)} instead of {write(instead)}"
    return f"{percent(value)}{spanned(lower, upper, percent)}{costs}{trials}"


def _share(found: dict[str, Any]) -> Row:
    value, lower, upper = (number(found[key]) for key in ("value", "lower", "upper"))
    return Row(name=found["arm"], value=value, lower=lower, upper=upper, absent="the oracle gains none")


def _shares(view: View) -> Markup:
    head = el("h3", "Share of the oracle's gain")
    if not view.table("shares").num_rows:
        return Markup(head + note("No oracle was run, so how much there was to gain is not known."))
    words = el(
        "p",
        f"The oracle sees the truth before it buys. Of what it gains over {view.baseline.name} at the same "
        "cycle, an arm takes this share; 100% is as good as seeing the truth.",
    )
    grids = []
    for split in view.splits:
        panels = []
        for part, metric, name in FIGURES:
            found: dict[str, dict[str, Any]] = {}
            for row in view.rows("shares", split, part, metric):
                if row["arm"] not in found or row["cycle"] > found[row["arm"]]["cycle"]:
                    found[row["arm"]] = row
            rows = [
                _share(found[arm.name]) for arm in view.rivals if arm.name in found and not arm.is_ceiling
            ]
            if rows:
                drawn = forest(
                    rows, f"Share of the oracle's gain in {name}", label="share", text=percent, span=1.0
                )
                title = el("figcaption", el("b", name), f" on the {view.split_title(split)}")
                panels.append(el("figure", title, drawn, class_="panel"))
        grids.append(el("div", panels, class_="panels"))
    return Markup(head + words + text(grids))
