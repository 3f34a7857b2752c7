"""The first words of the page: what was found, and how little or how much that means."""

from __future__ import annotations

import math
from typing import Any

from dataengine.report.curves import split_name
from dataengine.report.data import Arm, Gathered
from dataengine.report.figures import arm_curves, budget_curve, cost_axes, key, legend
from dataengine.report.html import Markup, el
from dataengine.report.next_steps import SEEDS_FOR_A_CLAIM
from dataengine.report.numbers import cell, count, duration, interval, plural, score
from dataengine.report.summary import Comparison, mean_cost, test_splits
from dataengine.report.tables import Column, table

TOO_WEAK = 0.1
"""Below this AP50 a comparison of arms says nothing."""

Headline = tuple[str, str, str]
"""Split, slice and the name of the figure; the metric is AP50."""


def headline(gathered: Gathered, comparison: Comparison) -> Headline | None:
    """The tail's AP50 on the natural test, or that of all classes where the tail holds nothing."""
    for split in test_splits(gathered):
        for slice_name, name in (("tail", "tail AP50"), ("all", "AP50")):
            values = [comparison.at_end(arm, split, slice_name, "ap50").value for arm in comparison.arms]
            if any(not math.isnan(value) for value in values):
                return split, slice_name, name
    return None


def finding(gathered: Gathered, comparison: Comparison | None) -> str:
    """The first sentence. It never says that one arm beats another."""
    if comparison is None:
        return "No run has finished a cycle yet, so there is nothing to compare."
    chosen = headline(gathered, comparison)
    number = comparison.num_seeds
    start, link = "One seed proves nothing", "; in this one, "
    if number > 1:
        start, link = f"{count(number)} seeds prove little", "; in these, "
    if number >= SEEDS_FOR_A_CLAIM:
        start, link = f"Over {count(number)} seeds, without the paired intervals that a claim needs", ": "
    if chosen is None:
        return f"{start}; no test split holds an object to measure."
    split, slice_name, name = chosen
    where = split_name(split, test_splits(gathered))
    said = _scores(comparison, split, slice_name, name)
    return f"{start}{link}{said} on the {where}."


def _scores(comparison: Comparison, split: str, slice_name: str, name: str) -> str:
    """``with 390 labelled frames class_balanced scored tail AP50 0.61 and random 0.52``."""
    arms = [*comparison.arms[1:], *comparison.arms[:1]]
    frames = {arm.name: mean_cost(arm.runs, comparison.cycle).frames for arm in arms}
    mean = "mean " if comparison.num_seeds > 1 else ""
    same = len(set(frames.values())) == 1
    parts = []
    for place, arm in enumerate(arms):
        value = score(comparison.at_end(arm, split, slice_name, "ap50").value)
        words = f"{arm.name} scored {mean}{name} {value}" if place == 0 else f"{arm.name} {value}"
        parts.append(words if same else f"{words} with {count(frames[arm.name])} frames")
    start = f"with {count(frames[arms[0].name])} labelled frames " if same else ""
    return start + joined_plain(parts)


def joined_plain(parts: list[str]) -> str:
    """``a, b and c`` as plain text."""
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def opening(gathered: Gathered, comparison: Comparison | None) -> Markup:
    """Everything above the first section: the sentence, what qualifies it, and the arms at a glance."""
    lead = el("h1", finding(gathered, comparison))
    if comparison is None:
        return lead
    words = el("div", lead, _qualification(gathered, comparison), _warnings(gathered, comparison))
    hero = el("div", words, _headline_figure(gathered, comparison), class_="hero")
    return Markup(hero + _glance(gathered, comparison))


def _headline_figure(gathered: Gathered, comparison: Comparison) -> Markup:
    """The headline's figure over annotator time."""
    chosen = headline(gathered, comparison)
    if chosen is None:
        return Markup("")
    split, slice_name, name = chosen
    lines = arm_curves(comparison, gathered.arms, split, slice_name, "ap50")
    chart = budget_curve(lines, cost_axes(gathered.records)[0], name)
    title = el(
        "figcaption",
        el("b", f"{name[0].upper()}{name[1:]}"),
        f" on the {split_name(split, test_splits(gathered))}",
    )
    return el("figure", title, legend(gathered.arms), chart, class_="panel")


def _qualification(gathered: Gathered, comparison: Comparison) -> Markup:
    sentences = [_intervals(gathered, comparison), _costs(comparison), _claim(comparison)]
    return el("p", " ".join(sentence for sentence in sentences if sentence), class_="standfirst")


def _intervals(gathered: Gathered, comparison: Comparison) -> str:
    chosen = headline(gathered, comparison)
    if chosen is None:
        return ""
    split, slice_name, name = chosen
    shown = []
    for arm in comparison.arms:
        span = interval(comparison.at_end(arm, split, slice_name, "ap50"))
        if span:
            shown.append(f"{span} for {arm.name}")
    if not shown:
        return ""
    if comparison.num_seeds > 1:
        return f"The seeds span {joined_plain(shown)}."
    settings = comparison.records[0].settings.get("evaluate") or {}
    level = float(settings.get("confidence", 0.95))
    return (
        f"The {level:.0%} intervals of {name} are {joined_plain(shown)}; they cover which drives were "
        "tested, not the luck of training or of the picks."
    )


def _costs(comparison: Comparison) -> str:
    if len(comparison.arms) < 2:
        return ""
    spent = [
        f"{duration(mean_cost(arm.runs, comparison.cycle).seconds)} for {arm.name}" for arm in comparison.arms
    ]
    return f"Annotating took {joined_plain(spent)}, so compare along the curves below."


def _claim(comparison: Comparison) -> str:
    if len(comparison.arms) < 2:
        return "There is one arm, so nothing to compare it with."
    if comparison.num_seeds >= SEEDS_FOR_A_CLAIM:
        return "This page draws no winner: that takes the interval of the paired differences."
    return (
        f"To say that one arm does better takes at least {SEEDS_FOR_A_CLAIM} seeds and an interval of the "
        "paired differences that leaves out zero."
    )


def _warnings(gathered: Gathered, comparison: Comparison) -> list[Markup]:
    lines: list[Any] = []
    if comparison.unfinished:
        shown = list(comparison.unfinished[:6])
        over = len(comparison.unfinished) - len(shown)
        listed = joined_plain([*shown, *([f"{over} more have not finished"] if over else [])])
        lines.append(f"Unfinished: {listed}. The arms are compared after cycle {comparison.cycle}.")
    if gathered.differing and len(comparison.arms) > 1:
        names = ", ".join(gathered.differing[:6]) + (" and more" if len(gathered.differing) > 6 else "")
        lines.append(f"The arms differ in more than their strategy, so this is no fair comparison: {names}.")
    weak = _best_ap50(gathered, comparison)
    if weak < TOO_WEAK:
        lines.append(
            f"No arm's AP50 exceeds {weak:.2f}: models that have hardly learned cannot be compared. "
            "Train longer, or label more."
        )
    if not comparison.paired:
        lines.append("The arms share no seed, so they did not start from the same labelled frames.")
    return [el("p", line, class_="warning", role="note") for line in lines]


def _best_ap50(gathered: Gathered, comparison: Comparison) -> float:
    """The highest AP50 over all classes on the first test split; infinite where none was measured."""
    for split in test_splits(gathered):
        values = [comparison.at_end(arm, split, "all", "ap50").value for arm in comparison.arms]
        known = [value for value in values if not math.isnan(value)]
        if known:
            return max(known)
    return math.inf


def _glance(gathered: Gathered, comparison: Comparison) -> Markup:
    splits = test_splits(gathered)
    metrics = (("tail", "ap50", "Tail AP50"), ("all", "ap50", "AP50"), ("all", "map50_95", "mAP50-95"))
    rates = (("misses_per_frame", "Misses a frame"), ("false_alarms_per_frame", "False alarms a frame"))
    split = splits[0] if splits else "test"
    columns = [Column(title) for title in ("Arm", "Frames", "Boxes", "Annotator time")]
    columns += [Column(title, split_name(split, splits).capitalize()) for _, _, title in metrics]
    columns += [Column(title, split_name(split, splits).capitalize()) for _, title in rates]
    rows = [_glance_row(comparison, arm, split, metrics, rates) for arm in comparison.arms]
    seeds = plural(comparison.num_seeds, "seed")
    return table(f"The arms after cycle {comparison.cycle}, {seeds} each", columns, rows)


def _glance_row(
    comparison: Comparison,
    arm: Arm,
    split: str,
    metrics: tuple[tuple[str, str, str], ...],
    rates: tuple[tuple[str, str], ...],
) -> list[Any]:
    cost = mean_cost(arm.runs, comparison.cycle)
    return [
        el("span", key(arm), " ", arm.name, class_="arm"),
        count(cost.frames),
        count(cost.boxes),
        duration(cost.seconds),
        *(cell(comparison.at_end(arm, split, part, metric)) for part, metric, _ in metrics),
        *(cell(comparison.at_end(arm, split, "all", metric)) for metric, _ in rates),
    ]
