"""Where an arm gains and where it loses: each class and slice, with how many objects judged it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dataengine.report.comparison.differences import measured_rivals, row_of
from dataengine.report.comparison.view import Arm, View
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import cell, count, signed
from dataengine.report.slices import short
from dataengine.report.tables import Column, capped, table

MAX_ROWS = 40


def slices(view: View) -> Markup:
    """The section."""
    blocks = [block for split in view.splits if (block := _split(view, split))]
    words = el(
        "p",
        f"AP50 minus that of {view.baseline.name}, paired by seed, after the last cycle. Blue is a gain, "
        "orange a loss; bold differences leave out zero and exceed the noise floor. With few objects a "
        "figure means little.",
    )
    return section("slices", "Classes and slices", [words, *blocks] if blocks else note(NONE))


NONE = "No class or slice was measured on a test split."


def _split(view: View, split: str) -> Markup:
    names = view.slices(split)
    objects = view.num_objects(split)
    families = (
        ("Classes", "Class", [name for name in names if name.startswith("class:")]),
        ("Slices", "Slice", [name for name in names if not name.startswith(("class:", "drive:"))]),
    )
    tables = []
    for title, header, members in families:
        ordered = sorted(members, key=lambda name: -objects.get(name, 0.0)) if header == "Class" else members
        if ordered:
            tables.append(_differences(view, split, ordered, objects, (title, header)))
            tables.append(
                more(f"{title}: the figures", _figures(view, split, ordered, objects, (title, header)))
            )
    return el("div", el("h3", f"On the {view.split_title(split)}"), tables) if tables else Markup("")


def _head(view: View, name: str) -> Any:
    group, _, value = name.partition(":")
    shown = value if group == "class" else short(name).replace("_", " ") if group == "size" else name
    if group == "class" and value in view.comparison.tail:
        return Markup(el("span", shown) + " " + el("small", "rare", class_="tag"))
    return shown.replace("_", " ").replace(":", ": ") if group != "class" else shown


def _objects(objects: dict[str, float], name: str) -> str:
    return count(objects.get(name, math.nan))


def _differences(
    view: View, split: str, names: Sequence[str], objects: dict[str, float], words: tuple[str, str]
) -> Markup:
    rivals = measured_rivals(view)
    found = {(arm.name, name): row_of(view, arm, split, name, "ap50") for arm in rivals for name in names}
    sizes = [abs(row.value) for row in found.values() if not math.isnan(row.value)]
    largest = max(sizes, default=0.0)
    if rivals and not sizes:
        return note(f"{words[0]}: no paired difference was measured.")
    kept, line = capped(names, MAX_ROWS, words[0].lower(), "the table differences")
    rows = []
    for name in kept:
        cells: list[Any] = [_head(view, name), _objects(objects, name)]
        cells.append(cell(view.at_cycle(view.baseline, split, name)))
        for arm in rivals:
            row = found[arm.name, name]
            words_ = signed(row.value)
            inside = el("b", words_) if row.verdict != "even" else words_
            span = None if math.isnan(row.lower) else f"{signed(row.lower)} to {signed(row.upper)}"
            cells.append(el("span", inside, class_=_ground(row.value, largest), title=span))
        rows.append(cells)
    columns = [Column(words[1]), Column("Objects"), Column(f"{view.baseline.name}, AP50")]
    columns += [Column(arm.name, "Difference") for arm in rivals]
    return table(f"{words[0]} on {split}: AP50 against {view.baseline.name}", columns, rows, left_out=line)


def _ground(value: float, largest: float) -> str:
    if math.isnan(value):
        return "heat zero"
    level = round(10 * min(abs(value) / max(largest, 0.1), 1.0))
    return f"heat {'g' if value > 0 else 'l'}{level}" if level else "heat"


def _figures(
    view: View, split: str, names: Sequence[str], objects: dict[str, float], words: tuple[str, str]
) -> Markup:
    arms: tuple[Arm, ...] = view.arms
    kept, line = capped(names, MAX_ROWS, words[0].lower(), "the table curves")
    rows = [
        [
            _head(view, name),
            _objects(objects, name),
            *(cell(view.at_cycle(arm, split, name)) for arm in arms),
        ]
        for name in kept
    ]
    columns = [Column(words[1]), Column("Objects"), *(Column(arm.name, "AP50") for arm in arms)]
    return table(f"{words[0]} on {split}: AP50 of each arm", columns, rows, left_out=line)
