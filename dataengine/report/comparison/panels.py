"""Budget curves of a comparison: a line for each arm with its band, named at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataengine.report import svg
from dataengine.report.comparison.view import Arm, View, finite, number, shortened
from dataengine.report.figures import Axis, at_least
from dataengine.report.html import Markup, el
from dataengine.report.numbers import count, score
from dataengine.schema import ALL_LABELS

NAME_ROOM = 96
LONGEST_NAME = 14
LINE_HEIGHT = 12.5


@dataclass(frozen=True, slots=True)
class Line:
    """An arm's rows of ``CURVES`` for one figure, in the order of cycles, without those that hold nothing."""

    arm: Arm
    rows: list[dict[str, Any]]


def lines_of(view: View, arms: Sequence[Arm], split: str, slice_name: str, metric: str) -> list[Line]:
    """The arms that have at least one point."""
    rows = [r for r in view.rows("curves", split, slice_name, metric) if finite([r["value"]])]
    found = [Line(arm, sorted((r for r in rows if r["arm"] == arm.name), key=_cycle)) for arm in arms]
    return [line for line in found if line.rows]


def _cycle(row: dict[str, Any]) -> int:
    return int(row["cycle"])


def ceiling_of(view: View, split: str, slice_name: str, metric: str) -> float:
    """What all labels reach; NaN where that was not measured."""
    rows = [r for r in view.rows("curves", split, slice_name, metric) if r["arm"] == ALL_LABELS]
    last = max(rows, key=_cycle, default=None)
    return number(last["value"]) if last is not None and last["cycle"] else math.nan


def noise_of(view: View, split: str, slice_name: str, metric: str) -> dict[int, float]:
    """The noise floor of a figure at each cycle; empty where the baseline ran once."""
    found: dict[int, float] = {}
    for row in view.rows("differences", split, slice_name, metric):
        noise = number(row["noise"])
        if math.isfinite(noise):
            found[row["cycle"]] = max(noise, found.get(row["cycle"], 0.0))
    return found


def budget_panel(
    lines: Sequence[Line], axis: Axis, name: str, *, ceiling: float, noise: dict[int, float]
) -> Markup | None:
    """One panel: a metric over one cost axis; ``None`` with nothing to draw.

    Args:
        lines: The arms to draw.
        axis: The cost on the horizontal axis.
        name: Of the metric.
        ceiling: What all labels reach, drawn as a level line; NaN for none.
        noise: Noise floor by cycle, drawn around the baseline.
    """
    rows = [row for line in lines for row in line.rows if finite([row[axis.name]])]
    if not rows:
        return None
    ys = finite([row[end] for row in rows for end in ("value", "lower", "upper")] + [ceiling])
    frame = svg.panel(
        [row[axis.name] / axis.per_unit for row in rows],
        at_least(ys, 0.1),
        right=NAME_ROOM,
        limits=(0.0, 1.0),
    )
    marks = [
        svg.axes(
            frame,
            axis.label,
            x_ticks=svg.ticks(frame.x.low, frame.x.high, 3),
            y_ticks=svg.ticks(frame.y.low, frame.y.high, 5),
            y_text=lambda value: f"{value:g}",
        ),
        _ceiling(frame, ceiling),
        *(_band(line, axis, frame, quiet=len(lines) > 3) for line in lines),
        *(_floor(line, axis, frame, noise) for line in lines if line.arm.slot == 0),
        *(_line(line, axis, frame, name) for line in lines),
        *_names(lines, axis, frame),
    ]
    return svg.figure(frame, _spoken(lines, axis, name), *marks)


def _place(row: dict[str, Any], axis: Axis, frame: svg.Frame) -> float:
    return frame.x(number(row[axis.name]) / axis.per_unit)


def _ceiling(frame: svg.Frame, value: float) -> Markup:
    if math.isnan(value):
        return Markup("")
    y = frame.y(value)
    rule = el(
        "line",
        el("title", f"all labels reach {score(value)}"),
        x1=svg.px(frame.x.start),
        x2=svg.px(frame.x.end),
        y1=svg.px(y),
        y2=svg.px(y),
        class_="ceiling",
    )
    words = svg.label(frame.x.start + 4, y - 4 if y > 24 else y + 12, "all labels", anchor="start")
    return Markup(rule + words)


def _band(line: Line, axis: Axis, frame: svg.Frame, *, quiet: bool) -> Markup:
    rows = [row for row in line.rows if len(finite([row["lower"], row["upper"], row[axis.name]])) == 3]
    xs = [_place(row, axis, frame) for row in rows]
    lower = [frame.y(max(row["lower"], 0.0)) for row in rows]
    upper = [frame.y(min(row["upper"], 1.0)) for row in rows]
    if quiet or len(rows) == 1:  # bands of many arms hide one another
        ends = zip(xs, lower, upper, strict=True)
        return Markup(
            "".join(svg.line([(x, a), (x, b)], line.arm.slot, "thin", dashed=False) for x, a, b in ends)
        )
    return svg.band(xs, lower, upper, line.arm.slot) if rows else Markup("")


def _floor(line: Line, axis: Axis, frame: svg.Frame, noise: dict[int, float]) -> Markup:
    """Two dotted lines: between them the mean difference of two draws of the baseline stays by chance."""
    rows = [row for row in line.rows if row["cycle"] in noise and finite([row[axis.name]])]
    if not rows:
        return Markup("")
    sides = []
    for sign in (-1, 1):
        ys = [min(max(row["value"] + sign * noise[row["cycle"]], frame.y.low), frame.y.high) for row in rows]
        points = [(_place(row, axis, frame), frame.y(y)) for row, y in zip(rows, ys, strict=True)]
        if len(points) == 1:
            points = [(points[0][0] - 6, points[0][1]), (points[0][0] + 6, points[0][1])]
        sides.append(svg.line(points, 0, "floor", dashed=False))
    return el("g", el("title", "noise floor: two draws of the baseline"), sides)


def _line(line: Line, axis: Axis, frame: svg.Frame, name: str) -> Markup:
    rows = [row for row in line.rows if finite([row[axis.name]])]
    where = [(_place(row, axis, frame), frame.y(row["value"])) for row in rows]
    tips = [_tip(line.arm, row, name) for row in rows]
    dots = [svg.marker(x, y, line.arm.slot, tip) for (x, y), tip in zip(where, tips, strict=True)]
    return Markup(svg.line(where, line.arm.slot) + "".join(dots)) if where else Markup("")


def _tip(arm: Arm, row: dict[str, Any], name: str) -> str:
    span = finite([row["lower"], row["upper"]])
    interval = f" ({span[0]:.2f}–{span[1]:.2f})" if len(span) == 2 else ""
    cost = ", ".join(f"{count(number(row[unit]))} {unit}" for unit in ("frames", "boxes", "seconds"))
    return f"{arm.name}, cycle {row['cycle']}: {name} {score(row['value'])}{interval} at {cost}"


def _names(lines: Sequence[Line], axis: Axis, frame: svg.Frame) -> list[Markup]:
    """The arms' names at the right, each joined to the end of its line."""
    ends = [
        (line.arm, _place(row, axis, frame), frame.y(row["value"]))
        for line in lines
        for row in [line.rows[-1]]
        if finite([row[axis.name]])
    ]
    places = svg.spread([y for _, _, y in ends], LINE_HEIGHT, frame.y.end + 4, frame.y.start - 2)
    edge = frame.x.end
    marks = []
    for (arm, x, y), place in zip(ends, places, strict=True):
        marks.append(svg.line([(x + 5, y), (edge + 2, place)], arm.slot, "lead", dashed=False))
        words = shortened(arm.name, LONGEST_NAME)
        marks.append(svg.label(edge + 5, place + 4, words, anchor="start", class_=f"end s{arm.slot}"))
    return marks


def _spoken(lines: Sequence[Line], axis: Axis, name: str) -> str:
    ends = [
        f"{line.arm.name} goes from {score(line.rows[0]['value'])} at "
        f"{number(line.rows[0][axis.name]) / axis.per_unit:.3g} to {score(line.rows[-1]['value'])} at "
        f"{number(line.rows[-1][axis.name]) / axis.per_unit:.3g}"
        for line in lines
    ]
    return f"{name} over {axis.label}: " + "; ".join(ends)
