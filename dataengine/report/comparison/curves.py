"""What a budget buys in each arm: curves on each test set, over each of the three costs."""

from __future__ import annotations

import math

from dataengine.report.comparison.panels import budget_panel, ceiling_of, lines_of, noise_of
from dataengine.report.comparison.view import FIGURES, Arm, View, estimate_of, finite
from dataengine.report.figures import Axis
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import Estimate, cell, count, duration, plural, time_unit
from dataengine.report.tables import Column, capped, table

MAX_ROWS = 120
TITLES = {"seconds": "Annotator time", "frames": "Frames", "boxes": "Boxes"}


def cost_axes(view: View) -> tuple[Axis, Axis, Axis]:
    """Annotator time first: a budget in frames favours an arm that picks crowded frames."""
    longest = max(finite(view.table("curves")["seconds"].to_pylist()), default=0.0)
    per_unit, unit = time_unit(longest)
    return (
        Axis("seconds", f"annotator {unit}", per_unit),
        Axis("frames", "labelled frames"),
        Axis("boxes", "labelled boxes"),
    )


def curves(view: View) -> Markup:
    """The section."""
    blocks = [_split(view, split) for split in view.splits]
    return section(
        "curves", "What a budget buys", _introduction(view), blocks or note("No curve was measured.")
    )


def _introduction(view: View) -> Markup:
    found = view.comparison
    tail = (
        f" The tail is what the dataset's card declared rare: {', '.join(found.tail)}." if found.tail else ""
    )
    floor = any(noise_of(view, split, part, metric) for split in view.splits for part, metric, _ in FIGURES)
    noise = (
        f" The dotted lines around {found.baseline} are the noise floor: the mean difference of two draws of "
        "it stays between them by chance."
        if floor
        else " No second draw of the baseline was run, so the noise floor is not known."
    )
    spread = (
        f"Each point is the mean of {plural(len(found.trials), 'seed')} after one cycle, the seed set "
        f"counted; bands and thin bars are {found.confidence:.0%} intervals."
        if len(found.trials) > 1
        else "Each point is one fit of the one seed; it has no interval over seeds."
    )
    return el("p", spread, noise, tail)


def hero(view: View) -> Markup:
    """The headline's figure: the tail over annotator time on the first test set, the first group of arms."""
    for split in view.splits:
        for part, metric, name in (FIGURES[0], FIGURES[2]):
            chart = _panel(view, view.groups[0], split, cost_axes(view)[0], (part, metric, name))
            if chart:
                title = el("figcaption", el("b", name), f" on the {view.split_title(split)}")
                return el("figure", title, chart, class_="panel")
    return Markup("")


def _panel(
    view: View, arms: tuple[Arm, ...], split: str, axis: Axis, figure: tuple[str, str, str]
) -> Markup | None:
    part, metric, name = figure
    return budget_panel(
        lines_of(view, arms, split, part, metric),
        axis,
        name,
        ceiling=ceiling_of(view, split, part, metric),
        noise=noise_of(view, split, part, metric),
    )


def _split(view: View, split: str) -> Markup:
    first, *rest = view.groups
    parts = [el("h3", f"On the {view.split_title(split)}"), _group(view, split, first, 0)]
    for place, group in enumerate(rest, 1):
        names = ", ".join(arm.name for arm in group[1:])
        parts.append(more(f"The other arms: {names}", _group(view, split, group, place)))
    parts.append(more("The same in numbers", _numbers(view, split)))
    return el("div", parts, class_="block")


def _group(view: View, split: str, arms: tuple[Arm, ...], place: int) -> Markup:
    """One pane for each cost; radio buttons choose between them without a script."""
    panes = []
    for axis in cost_axes(view):
        drawn = [(figure[2], _panel(view, arms, split, axis, figure)) for figure in FIGURES]
        panels = [
            el("figure", el("figcaption", el("b", name)), chart, class_="panel")
            for name, chart in drawn
            if chart is not None
        ]
        if panels:
            grid = el("div", panels, class_="panels swipe", tabindex="0", role="group", aria_label=axis.label)
            panes.append((TITLES[axis.name], grid))
    if not panes:
        return note("Nothing was measured on this split.")
    legend = el("ul", [el("li", arm.key) for arm in arms], class_="legend")
    return Markup(legend + tabs(f"axis-{view.splits.index(split)}-{place}", panes))


def tabs(name: str, panes: list[tuple[str, Markup]]) -> Markup:
    """Panes of which one is seen at a time, and all on paper; arrow keys choose."""
    parts = []
    for place, (title, pane) in enumerate(panes):
        chosen = f"{name}-{place}"
        parts.append(el("input", type="radio", name=name, id=chosen, checked=place == 0))
        parts.append(el("label", title, for_=chosen))
        parts.append(el("div", pane, class_="pane"))
    return el("div", parts, class_="tabs", role="group", aria_label="Cost axis")


def _numbers(view: View, split: str) -> Markup:
    by_figure = {
        (row["arm"], row["cycle"], part, metric): row
        for part, metric, _ in FIGURES
        for row in view.rows("curves", split, part, metric)
    }
    order = {arm.name: place for place, arm in enumerate(view.arms)}
    keys = sorted({key[:2] for key in by_figure if key[0] in order}, key=lambda key: (order[key[0]], key[1]))
    rows = []
    for arm, cycle in keys:
        found = [by_figure.get((arm, cycle, part, metric)) for part, metric, _ in FIGURES]
        known = next(row for row in found if row is not None)
        values = [estimate_of(r) if r else Estimate(math.nan) for r in found]
        rows.append(
            [
                f"{arm} · cycle {cycle}",
                count(known["frames"]),
                count(known["boxes"]),
                duration(known["seconds"]),
                count(known["num_seeds"]),
                *(cell(value) for value in values),
            ]
        )
    kept, line = capped(rows, MAX_ROWS, "rows", "the table curves")
    titles = ("Arm and cycle", "Frames", "Boxes", "Annotator time", "Seeds", *(name for *_, name in FIGURES))
    return table(f"Budget curves on {split}", [Column(title) for title in titles], kept, left_out=line)
