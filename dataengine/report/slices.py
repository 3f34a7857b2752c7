"""Classes and slices at the compared cycle: a figure and a table for each test set, arms side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dataengine.report.curves import split_name
from dataengine.report.data import Gathered
from dataengine.report.figures import dots, legend
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import NOTHING, cell, count, signed
from dataengine.report.summary import Comparison, test_splits
from dataengine.report.tables import Column, capped, table

MAX_ROWS = 40
MAX_DRIVES = 20
MAX_DOTS = 14
PLURAL = {"class": "classes", "slice": "slices", "drive": "drives"}
METRICS = (("ap50", "AP50"), ("map50_95", "mAP50-95"))


@dataclass(frozen=True, slots=True)
class Family:
    """Slices that belong in one table."""

    title: str
    header: str
    noun: str
    limit: int
    is_member: Callable[[str], bool]


def _is_other(name: str) -> bool:
    return not name.startswith(("class:", "drive:"))


FAMILIES = (
    Family("Classes", "Class", "classes", MAX_ROWS, lambda name: name.startswith("class:")),
    Family("Slices", "Slice", "slices", MAX_ROWS, _is_other),
    Family("Drives", "Drive", "drives", MAX_DRIVES, lambda name: name.startswith("drive:")),
)


def slices(gathered: Gathered, comparison: Comparison) -> Markup:
    """The section of per-class and per-slice figures."""
    splits = test_splits(gathered)
    blocks = [_split(gathered, comparison, split, splits) for split in splits]
    return section("slices", "Classes and slices", _introduction(comparison), blocks)


def _introduction(comparison: Comparison) -> Markup:
    spread = (
        f"Figures are means over {comparison.num_seeds} seeds, the lowest and highest seed beside them."
        if comparison.num_seeds > 1
        else "The range beside a figure is its bootstrap interval over drives."
    )
    difference = ""
    if comparison.baseline is not None:
        difference = (
            f" Differences are against {comparison.baseline.name}; they carry no interval of their own here, "
            "so one that is smaller than the ranges beside it means little."
        )
    return el("p", f"After cycle {comparison.cycle}. {spread}{difference}")


def _split(gathered: Gathered, comparison: Comparison, split: str, splits: list[str]) -> Markup:
    names = list(
        dict.fromkeys(
            key[2]
            for record in comparison.records
            for key in record.values
            if key[0] == comparison.cycle and key[1] == split
        )
    )
    classes = _ordered(comparison, split, [n for n in names if n.startswith("class:")])
    drives = _ordered(comparison, split, [n for n in names if n.startswith("drive:")])
    parts = [
        _figure(comparison, split, classes, "class"),
        _figure(comparison, split, [n for n in names if _is_other(n)], "slice"),
        _figure(comparison, split, drives, "drive"),
    ]
    tables = [_family(gathered, comparison, split, family, names) for family in FAMILIES]
    return el(
        "div",
        el("h3", f"On the {split_name(split, splits)}"),
        legend(comparison.arms),
        el("div", parts, class_="panels"),
        tables[:2],
        more("By drive", tables[2]) if tables[2] else "",
        class_="block",
    )


def _ordered(comparison: Comparison, split: str, names: Sequence[str]) -> list[str]:
    """Names by their number of objects, most first; ties keep their order."""
    return sorted(names, key=lambda name: -(_objects(comparison, split, name) or 0.0))


def _objects(comparison: Comparison, split: str, name: str) -> float:
    value = comparison.at_end(comparison.arms[0], split, name, "num_objects").value
    return 0.0 if math.isnan(value) else value


def _figure(comparison: Comparison, split: str, names: Sequence[str], noun: str) -> Markup:
    rows = [
        (short(name), [(arm, comparison.at_end(arm, split, name, "ap50")) for arm in comparison.arms])
        for name in names
    ]
    rows = [row for row in rows if any(not math.isnan(value.value) for _, value in row[1])][:MAX_DOTS]
    if not rows:
        return Markup("")
    drawn = dots(rows, f"AP50 of each {noun} on {split}; a table below holds the same figures")
    which = f" of each {noun}" if len(rows) < MAX_DOTS else f" of the {MAX_DOTS} largest {PLURAL[noun]}"
    return el("figure", el("figcaption", el("b", "AP50"), which), drawn, class_="panel")


def short(name: str) -> str:
    """A slice's name without the word before the colon: ``night`` for ``time_of_day:night``."""
    return name.split(":", 1)[-1] if not name.startswith("size:") else f"{name[5:]} boxes"


def _family(
    gathered: Gathered, comparison: Comparison, split: str, family: Family, names: Sequence[str]
) -> Markup:
    members = [name for name in names if family.is_member(name)]
    if family.noun != "slices":
        members = _ordered(comparison, split, members)
    if not members:
        return Markup("") if family.noun == "drives" else note(f"No {family.noun} were measured on {split}.")
    kept, line = capped(members, family.limit, family.noun)
    metrics = [(metric, title) for metric, title in METRICS if _is_measured(comparison, split, kept, metric)]
    rows = [_row(gathered, comparison, split, name, [metric for metric, _ in metrics]) for name in kept]
    columns = _columns(comparison, family.header, [title for _, title in metrics])
    return table(f"{family.title} on {split}", columns, rows, left_out=line)


def _is_measured(comparison: Comparison, split: str, names: Sequence[str], metric: str) -> bool:
    """Whether any of the slices has a figure; drives, say, have no mAP50-95."""
    values = (comparison.at_end(arm, split, name, metric).value for name in names for arm in comparison.arms)
    return any(not math.isnan(value) for value in values)


def _columns(comparison: Comparison, header: str, titles: Sequence[str]) -> list[Column]:
    columns = [Column(header), Column("Objects")]
    for title in titles:
        columns += [Column(arm.name, title) for arm in comparison.arms]
        columns += [Column(_against(comparison, arm.name), title) for arm in comparison.arms[1:]]
    return columns


def _against(comparison: Comparison, name: str) -> str:
    return "difference" if len(comparison.arms) == 2 else f"{name}, difference"


def _row(
    gathered: Gathered, comparison: Comparison, split: str, name: str, metrics: Sequence[str]
) -> list[Any]:
    objects = _objects(comparison, split, name)
    shown = count(objects) if objects else el("span", NOTHING, class_="none")
    cells: list[Any] = [_title(gathered, name), shown]
    for metric in metrics:
        cells += [cell(comparison.at_end(arm, split, name, metric)) for arm in comparison.arms]
        cells += [signed(comparison.difference(arm, split, name, metric)) for arm in comparison.arms[1:]]
    return cells


def _title(gathered: Gathered, name: str) -> Any:
    """The name of a slice, marked when its card declares it rare."""
    taxonomy = gathered.taxonomy
    group, _, value = name.partition(":")
    declared = taxonomy.tail_classes if group == "class" else taxonomy.tail_conditions.get(group, ())
    rare = value in declared
    shown = value if group in {"class", "drive"} else name.replace(":", ": ").replace("_", " ")
    return Markup(el("span", shown) + " " + el("small", "rare", class_="tag")) if rare else shown
