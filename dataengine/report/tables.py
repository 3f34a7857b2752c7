"""Tables that scroll in a box of their own, with headers a screen reader can follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from dataengine.report.html import Markup, el, note
from dataengine.report.numbers import count

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, the group it stands under, and whether it holds words."""

    title: Any
    group: str = ""
    words: bool = False


def table(
    caption: Any, columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, left_out: str = ""
) -> Markup:
    """A table; the first cell of a row is its header.

    Args:
        caption: What it shows.
        columns: One per cell; neighbours with the same non-empty group share a header above.
        rows: Cells, escaped unless they are ``Markup``.
        left_out: A line below, e.g. how many rows were cut.
    """
    head = [el("tr", [_header(column) for column in columns])]
    if any(column.group for column in columns):
        head.insert(0, el("tr", _groups(columns)))
    body = [
        el(
            "tr",
            el("th", row[0], scope="row"),
            [
                el("td", cell, class_="words" if column.words else None)
                for column, cell in zip(columns[1:], row[1:], strict=True)
            ],
        )
        for row in rows
    ]
    whole = el("table", el("caption", el("span", caption)), el("thead", head), el("tbody", body))
    box = el("div", whole, class_="scroll", tabindex="0", role="region", aria_label=_plain(caption))
    return Markup(box + note(left_out)) if left_out else box


def _header(column: Column) -> Markup:
    return el("th", column.title, scope="col", class_="words" if column.words else None)


def _groups(columns: Sequence[Column]) -> list[Markup]:
    cells = []
    for name, members in groupby(columns, key=lambda column: column.group):
        number = len(list(members))
        if name:
            cells.append(el("th", name, scope="colgroup", colspan=number, class_="group"))
        else:
            cells.append(el("td", colspan=number))
    return cells


def _plain(caption: Any) -> str:
    if isinstance(caption, Markup):
        return "Table"
    return str(caption)


def capped(
    items: Sequence[T], limit: int, noun: str, where: str = "metrics.jsonl"
) -> tuple[Sequence[T], str]:
    """The first ``limit`` items, and a line that says how many were left out and where they are."""
    over = len(items) - limit
    if over <= 0:
        return items, ""
    return items[:limit], f"{count(over)} more {noun} are left out here; all of them are in {where}."


def bar(value: float, longest: float, words: str) -> Markup:
    """A number with a bar behind it, ``value / longest`` of the cell long."""
    share = 0.0 if longest <= 0 else max(0.0, min(value / longest, 1.0))
    return el("span", el("span", words), class_="bar", style=f"--w:{share:.0%}")


def heat(value: float, share: float) -> Markup:
    """A number on a ground that darkens with ``share`` (0..1)."""
    level = round(max(0.0, min(share, 1.0)) * 10)
    return el("span", count(value), class_=f"heat h{level}" if value else "heat zero")
