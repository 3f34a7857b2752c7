"""Small pieces of SVG figures: scales, ticks, axes, lines, bands and markers.

Colours come from the page's style sheet by class (``s0`` is the baseline), so that a figure follows
light, dark and print. Every arm also has a marker and a dash pattern of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dataengine.report.html import Markup, el

NUM_SLOTS = 7
DASHES = ("5 3", None, "8 2", "2 2", "8 2 2 2", "12 3", "4 1")
"""Dash pattern of each slot; the baseline is broken, the first mined arm is solid."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from data (``low..high``) to the drawing (``start..end``)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where ``value`` is drawn."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawing area of one panel: scales, and the size around them."""

    x: Scale
    y: Scale
    width: int
    height: int


def panel(
    xs: Sequence[float],
    ys: Sequence[float],
    *,
    width: int = 340,
    height: int = 226,
    right: int = 12,
    limits: tuple[float, float],
) -> Frame:
    """A frame whose scales hold all of ``xs`` and ``ys``, padded and within ``limits`` of ``y``.

    ``right`` is the room beside the lines, for their names.
    """
    left, top, bottom = 40, 10, 38
    x_low, x_high = _padded(xs, 0.06, (0.0, math.inf))
    y_low, y_high = _padded(ys, 0.08, limits)
    return Frame(
        Scale(x_low, x_high, left, width - right), Scale(y_low, y_high, height - bottom, top), width, height
    )


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers within ``low..high``, about ``count`` of them (steps of 1, 2 or 5)."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.72)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def axes(
    frame: Frame,
    x_label: str,
    *,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    y_text: Callable[[float], str],
) -> Markup:
    """Quiet horizontal lines, tick labels and the name of the horizontal axis."""
    left, right, base = frame.x.start, frame.x.end, frame.y.start
    parts = []
    for value in y_ticks:
        y = px(frame.y(value))
        parts.append(el("line", x1=px(left), x2=px(right), y1=y, y2=y, class_="grid"))
        parts.append(label(left - 7, frame.y(value) + 4, y_text(value), anchor="end"))
    parts.append(el("line", x1=px(left), x2=px(right), y1=px(base), y2=px(base), class_="axis"))
    for value in x_ticks:
        parts.append(label(frame.x(value), base + 16, number(value)))
        x = px(frame.x(value))
        parts.append(el("line", x1=x, x2=x, y1=px(base), y2=px(base + 4), class_="axis"))
    parts.append(label((left + right) / 2, base + 33, x_label, class_="name"))
    return Markup("".join(parts))


def label(x: float, y: float, words: str, *, anchor: str = "middle", class_: str = "tick") -> Markup:
    """Text at a point."""
    return el("text", words, x=px(x), y=px(y), text_anchor=anchor, class_=class_)


def line(
    points: Sequence[tuple[float, float]], slot: int, class_: str = "line", *, dashed: bool = True
) -> Markup:
    """A polyline in the colour and, unless told otherwise, the dash of a slot."""
    place = slot % NUM_SLOTS
    path = " ".join(f"{px(x)},{px(y)}" for x, y in points)
    return el(
        "polyline",
        points=path,
        class_=f"{class_} s{place}",
        stroke_dasharray=DASHES[place] if dashed else None,
    )


def band(xs: Sequence[float], lower: Sequence[float], upper: Sequence[float], slot: int) -> Markup:
    """The area between two lines."""
    there = [f"{px(x)},{px(y)}" for x, y in zip(xs, upper, strict=True)]
    back = [f"{px(x)},{px(y)}" for x, y in zip(reversed(xs), reversed(lower), strict=True)]
    return el("polygon", points=" ".join(there + back), class_=f"band s{slot % NUM_SLOTS}")


def marker(x: float, y: float, slot: int, title: str = "", size: float = 4.2) -> Markup:
    """The marker of a slot: circle, square, triangle, diamond, pentagon, hexagon, inverted triangle."""
    tip = el("title", title) if title else Markup("")
    class_ = f"mark s{slot % NUM_SLOTS}"
    shape = slot % NUM_SLOTS
    if shape == 0:
        return el("circle", tip, cx=px(x), cy=px(y), r=px(size), class_=class_)
    if shape == 1:
        side = size * 0.92
        return el(
            "rect",
            tip,
            x=px(x - side),
            y=px(y - side),
            width=px(2 * side),
            height=px(2 * side),
            class_=class_,
        )
    corners, turn = {2: (3, 0.0), 3: (4, 0.0), 4: (5, 0.0), 5: (6, 0.0), 6: (3, math.pi)}[shape]
    reach = size * (1.35 if corners < 5 else 1.15)
    angles = [turn - math.pi / 2 + 2 * math.pi * corner / corners for corner in range(corners)]
    points = " ".join(f"{px(x + reach * math.cos(a))},{px(y + reach * math.sin(a))}" for a in angles)
    return el("polygon", tip, points=points, class_=class_)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least ``gap`` apart and, if they fit, within ``low..high``."""
    order = sorted(range(len(wanted)), key=lambda place: (wanted[place], place))
    places = list(wanted)
    floor = low
    for place in order:
        places[place] = max(places[place], floor)
        floor = places[place] + gap
    roof = max(high, low + gap * (len(wanted) - 1))
    for place in reversed(order):
        places[place] = min(places[place], roof)
        roof = places[place] - gap
    return places


def key(slot: int) -> Markup:
    """The line and marker of a slot, for use beside a name."""
    marks = Markup(line([(1, 7), (27, 7)], slot) + marker(14, 7, slot))
    return el("svg", marks, viewBox="0 0 28 14", class_="key", aria_hidden="true")


def figure(frame: Frame, description: str, *marks: Markup) -> Markup:
    """The ``svg`` element; the description is what a screen reader says."""
    return el(
        "svg",
        marks,
        viewBox=f"0 0 {frame.width} {frame.height}",
        role="img",
        aria_label=description,
        class_="chart",
    )


def number(value: float) -> str:
    """A tick: ``0.5``, ``120``, ``12k``."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def px(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _padded(values: Sequence[float], share: float, limits: tuple[float, float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    pad = (high - low) * share or abs(high) * share or 0.5
    return max(low - pad, limits[0]), min(high + pad, limits[1])
