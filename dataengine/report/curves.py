"""The section of budget curves: every metric over every cost axis, on each test set."""

from __future__ import annotations

from dataengine.report.data import Gathered
from dataengine.report.figures import Axis, arm_curves, budget_curve, cost_axes, legend
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import cell, count, duration
from dataengine.report.summary import Comparison, estimate, test_splits
from dataengine.report.tables import Column, capped, table

METRICS = (
    ("tail", "ap50", "AP50 of the tail"),
    ("all", "ap50", "AP50"),
    ("all", "map50_95", "mAP50-95"),
)
"""Slice, metric and name of every curve."""

SPLIT_NAMES = {"test": "natural test", "test_balanced": "balanced test"}


def split_name(split: str, splits: list[str]) -> str:
    """``test``; with a balanced test beside it, ``natural test``."""
    return SPLIT_NAMES.get(split, split) if len(splits) > 1 else split


def curves(gathered: Gathered, comparison: Comparison) -> Markup:
    """The section of budget curves."""
    splits = test_splits(gathered)
    axes = cost_axes(gathered.records)
    blocks = []
    for split in splits:
        figures = _grid(gathered, comparison, split, axes)
        blocks.append(
            el(
                "div",
                el("h3", f"On the {split_name(split, splits)}"),
                legend(gathered.arms),
                figures or note("Nothing was measured on this split."),
                more("The same in numbers", _numbers(gathered, split)),
                class_="block",
            )
        )
    return section("curves", "What a budget buys", _introduction(gathered), blocks or note(NO_TEST))


NO_TEST = "No test split was evaluated, so there is no curve to draw."


def _introduction(gathered: Gathered) -> Markup:
    several = any(len(arm.runs) > 1 for arm in gathered.arms)
    spread = (
        "Where an arm has several seeds, the strong line is their mean and each thin line is one seed; a "
        "band is drawn for single runs only."
        if several
        else "The band is the bootstrap interval over the drives of the test set: it covers which drives "
        "were tested, not the luck of training or of the picks."
    )
    tail = ", ".join(gathered.taxonomy.tail_classes)
    rare = f" The tail is what the dataset's card declared rare before any run: {tail}." if tail else ""
    return el(
        "p",
        "Each point is one cycle, trained on everything labelled by then, the seed set counted. Annotator "
        "time leads: a budget in frames favours an arm that picks crowded frames. ",
        spread,
        rare,
    )


def _grid(gathered: Gathered, comparison: Comparison, split: str, axes: tuple[Axis, ...]) -> list[Markup]:
    rows = []
    for slice_name, metric, name in METRICS:
        lines = arm_curves(comparison, gathered.arms, split, slice_name, metric)
        drawn = [budget_curve(lines, axis, name) for axis in axes]
        panels = [
            el("figure", el("figcaption", el("b", name)), chart, class_="panel")
            for chart in drawn
            if chart is not None
        ]
        if panels:
            rows.append(el("div", panels, class_="panels swipe", tabindex="0", role="group", aria_label=name))
    return rows


def _numbers(gathered: Gathered, split: str) -> Markup:
    columns = [
        Column("Arm, seed and cycle"),
        Column("Frames"),
        Column("Boxes"),
        Column("Annotator time"),
        *(Column(name) for _, _, name in METRICS),
    ]
    rows = [
        [
            f"{arm.name} · seed {record.seed} · cycle {cycle}",
            count(record.costs[cycle].frames),
            count(record.costs[cycle].boxes),
            duration(record.costs[cycle].seconds),
            *(cell(estimate([record], cycle, split, part, metric)) for part, metric, _ in METRICS),
        ]
        for arm in gathered.arms
        for record in arm.runs
        for cycle in record.cycles
    ]
    kept, line = capped(rows, 60, "rows")
    return table(f"Budget curves on {split}", columns, kept, left_out=line)
