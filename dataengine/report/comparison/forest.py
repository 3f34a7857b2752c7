"""Forest plots: a row for each arm, its difference with an interval, zero and the noise floor behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataengine.report import svg
from dataengine.report.comparison.view import finite, shortened
from dataengine.report.html import Markup, el
from dataengine.report.numbers import Estimate, signed

ROW_HEIGHT = 21
LEFT, RIGHT, WIDTH = 106, 52, 340
LONGEST_NAME = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a forest plot.

    Attributes:
        name: What it is about.
        value: The difference; NaN where there is none.
        lower: Lower end of its interval, NaN for none.
        upper: Upper end.
        noise: Half width of the noise floor; NaN where it is not known.
        aside: Words at the right.
        absent: What stands in place of a value that is not there.
        lower_is_better: Whether a negative difference is the gain.
    """

    name: str
    value: float
    lower: float = math.nan
    upper: float = math.nan
    noise: float = math.nan
    aside: str = ""
    absent: str = "not measured"
    lower_is_better: bool = False

    @classmethod
    def of(cls, name: str, found: Estimate) -> Row:
        """The line of an estimate that no noise floor goes with."""
        return cls(name=name, value=found.value, lower=found.lower, upper=found.upper)

    @property
    def verdict(self) -> str:
        """``gain`` or ``loss`` where the interval leaves out zero and the value exceeds the noise floor."""
        if math.isnan(self.value) or math.isnan(self.lower) or math.isnan(self.upper):
            return "even"
        if not math.isnan(self.noise) and abs(self.value) <= self.noise:
            return "even"
        if self.lower <= 0 <= self.upper:
            return "even"
        return "gain" if (self.lower > 0) != self.lower_is_better else "loss"


def reading(row: Row) -> str:
    """The verdict in words."""
    if math.isnan(row.value):
        return row.absent
    if math.isnan(row.lower) or math.isnan(row.upper):
        return "no interval, so no claim"
    if row.verdict != "even":
        return "better" if row.verdict == "gain" else "worse"
    if row.lower <= 0 <= row.upper:
        return "the interval holds zero"
    return "within the noise floor"


def forest(
    rows: Sequence[Row],
    description: str,
    *,
    label: str,
    aside: str = "",
    text: Callable[[float], str] = signed,
    span: float = 0.1,
) -> Markup:
    """The figure.

    Args:
        rows: From top to bottom.
        description: What a screen reader says before the values.
        label: Below the axis.
        aside: Title of the words at the right.
        text: How a value is written.
        span: The axis is at least this wide, so that small differences do not look large.
    """
    height = ROW_HEIGHT * len(rows) + 62
    top, bottom = 20, height - 42
    values = [0.0, *finite([v for row in rows for v in (row.value, row.lower, row.upper)])]
    noise = finite([row.noise for row in rows])
    reach = max([abs(v) for v in noise], default=0.0)
    low, high = min(*values, -reach, -span / 4), max(*values, reach, span / 2)
    pad = 0.06 * (high - low)
    x = svg.Scale(low - pad, high + pad, LEFT, WIDTH - RIGHT)
    frame = svg.Frame(x, svg.Scale(0, 1, bottom, top), WIDTH, height)
    marks = [_scale(frame, text, label)]
    if aside:
        marks.append(svg.label(WIDTH, 12, aside, anchor="end"))
    for place, row in enumerate(rows):
        marks.append(_row(frame, row, top + ROW_HEIGHT * (place + 0.5), text))
    spoken = "; ".join(f"{row.name} {_words(row, text)}" for row in rows)
    return svg.figure(frame, f"{description}: {spoken}", *marks)


def _scale(frame: svg.Frame, text: Callable[[float], str], label: str) -> Markup:
    parts = []
    top, bottom = frame.y.end, frame.y.start
    for value in svg.ticks(frame.x.low, frame.x.high, 3):
        at = svg.px(frame.x(value))
        parts.append(el("line", x1=at, x2=at, y1=svg.px(top), y2=svg.px(bottom), class_="grid"))
        parts.append(svg.label(frame.x(value), bottom + 15, text(value) if value else "0"))
    zero = svg.px(frame.x(0.0))
    parts.append(el("line", x1=zero, x2=zero, y1=svg.px(top), y2=svg.px(bottom), class_="zero-line"))
    parts.append(svg.label((frame.x.start + frame.x.end) / 2, bottom + 33, label, class_="name"))
    return Markup("".join(parts))


def _row(frame: svg.Frame, row: Row, y: float, text: Callable[[float], str]) -> Markup:
    parts = []
    if not math.isnan(row.noise) and row.noise > 0:
        start, end = frame.x(-row.noise), frame.x(row.noise)
        parts.append(
            el(
                "rect",
                x=svg.px(start),
                y=svg.px(y - ROW_HEIGHT / 2),
                width=svg.px(end - start),
                height=svg.px(ROW_HEIGHT),
                class_="noise",
            )
        )
    name = shortened(row.name, LONGEST_NAME)
    parts.append(svg.label(LEFT - 8, y + 4, name, anchor="end", class_="row"))
    if row.aside:
        parts.append(svg.label(WIDTH, y + 4, row.aside, anchor="end"))
    if math.isnan(row.value):
        parts.append(svg.label(frame.x(0.0) + 6, y + 4, row.absent, anchor="start"))
        return Markup("".join(parts))
    if not math.isnan(row.upper):  # an interval without a lower end goes on beyond the figure
        ends = [svg.px(frame.x.start if math.isnan(v) else frame.x(v)) for v in (row.lower, row.upper)]
        parts.append(
            el("line", x1=ends[0], x2=ends[1], y1=svg.px(y), y2=svg.px(y), class_=f"reach {row.verdict}")
        )
    tip = el("title", f"{row.name}: {_words(row, text)}")
    parts.append(_mark(frame.x(row.value), y, row.verdict, tip))
    return Markup("".join(parts))


def _mark(x: float, y: float, verdict: str, tip: Markup) -> Markup:
    """A triangle that points up for a gain and down for a loss, a ring for neither."""
    if verdict == "even":
        return el("circle", tip, cx=svg.px(x), cy=svg.px(y), r="4", class_="dot even")
    way = -1 if verdict == "gain" else 1
    corners = [(x, y + way * 5.8), (x - 5.4, y - way * 3.6), (x + 5.4, y - way * 3.6)]
    points = " ".join(f"{svg.px(a)},{svg.px(b)}" for a, b in corners)
    return el("polygon", tip, points=points, class_=f"dot {verdict}")


def _words(row: Row, text: Callable[[float], str]) -> str:
    if math.isnan(row.value):
        return row.absent
    return f"{text(row.value)}{spanned(row.lower, row.upper, text)}"


def spanned(lower: float, upper: float, text: Callable[[float], str]) -> str:
    """An interval in words; one without a lower end is not bounded below."""
    if math.isnan(upper):
        return ""
    return f" ({'not bounded below' if math.isnan(lower) else text(lower)} to {text(upper)})"
