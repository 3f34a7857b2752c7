"""The figures of the page: budget curves, figures with intervals side by side, loss curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dataengine.report import svg
from dataengine.report.data import Arm, Cost, RunRecord
from dataengine.report.html import Markup, el
from dataengine.report.numbers import Estimate, count, interval, score, time_unit
from dataengine.report.summary import Comparison, Point, curve

MAX_LOSS_POINTS = 120


@dataclass(frozen=True, slots=True)
class Axis:
    """One way to count cost."""

    name: str
    label: str
    per_unit: float = 1.0

    def of(self, cost: Cost) -> float:
        """The cost on this axis, in its unit."""
        return float(getattr(cost, self.name)) / self.per_unit


def cost_axes(records: Sequence[RunRecord]) -> tuple[Axis, Axis, Axis]:
    """Annotator time (the headline's axis), frames and boxes."""
    seconds = [cost.seconds for record in records for cost in record.costs.values()]
    per_unit, unit = time_unit(max((s for s in seconds if math.isfinite(s)), default=0.0))
    return (
        Axis("seconds", f"annotator {unit}", per_unit),
        Axis("frames", "labelled frames"),
        Axis("boxes", "labelled boxes"),
    )


@dataclass(frozen=True, slots=True)
class ArmCurve:
    """An arm's mean curve, and that of each of its runs."""

    arm: Arm
    mean: list[Point]
    runs: list[list[Point]]

    @property
    def has_band(self) -> bool:
        """Whether the spread is the bootstrap interval of a single run."""
        return all(not math.isnan(p.estimate.lower) and p.estimate.seeds == 1 for p in self.mean)


def arm_curves(
    comparison: Comparison, arms: Sequence[Arm], split: str, slice_name: str, metric: str
) -> list[ArmCurve]:
    """Curves of every arm; the mean is over the runs that the comparison uses."""
    return [
        ArmCurve(
            arm=arm,
            mean=curve(used.runs, split, slice_name, metric),
            runs=[curve([record], split, slice_name, metric) for record in arm.runs],
        )
        for arm, used in zip(arms, comparison.arms, strict=True)
    ]


def budget_curve(curves: Sequence[ArmCurve], axis: Axis, metric_name: str) -> Markup | None:
    """One panel: a metric over one cost axis, a line for each arm; ``None`` with nothing to draw."""
    drawn = [c for c in curves if c.mean or any(c.runs)]
    if not drawn:
        return None
    points = [p for c in drawn for line in (c.mean, *c.runs) for p in line]
    ys = [v for p in points for v in (p.estimate.value, p.estimate.lower, p.estimate.upper)]
    frame = svg.panel([axis.of(p.cost) for p in points], at_least(ys, 0.1), limits=(0.0, 1.0))
    marks = [
        svg.axes(
            frame,
            axis.label,
            x_ticks=svg.ticks(frame.x.low, frame.x.high, 4),
            y_ticks=svg.ticks(frame.y.low, frame.y.high, 5),
            y_text=lambda value: f"{value:g}",
        )
    ]
    marks += [_band(c, axis, frame) for c in drawn if c.has_band]
    marks += [_thin(c, axis, frame) for c in drawn]
    marks += [_line(c, axis, frame, metric_name) for c in drawn]
    return svg.figure(frame, _spoken(drawn, axis, metric_name), *marks)


def at_least(values: Sequence[float], span: float) -> list[float]:
    """The values, with two more that keep small differences from looking large."""
    finite = [v for v in values if math.isfinite(v)]
    middle = (min(finite) + max(finite)) / 2
    return [*finite, max(middle - span / 2, 0.0), min(middle + span / 2, 1.0)]


def _band(drawn: ArmCurve, axis: Axis, frame: svg.Frame) -> Markup:
    xs = [frame.x(axis.of(p.cost)) for p in drawn.mean]
    lower = [frame.y(p.estimate.lower) for p in drawn.mean]
    upper = [frame.y(p.estimate.upper) for p in drawn.mean]
    if len(xs) > 1:
        return svg.band(xs, lower, upper, drawn.arm.slot)
    ends = zip(xs, lower, upper, strict=True)
    return Markup("".join(svg.line([(x, a), (x, b)], drawn.arm.slot, "thin") for x, a, b in ends))


def _thin(drawn: ArmCurve, axis: Axis, frame: svg.Frame) -> Markup:
    if len(drawn.runs) < 2:
        return Markup("")
    lines = [[(frame.x(axis.of(p.cost)), frame.y(p.estimate.value)) for p in run] for run in drawn.runs]
    return Markup("".join(svg.line(line, drawn.arm.slot, "thin") for line in lines if line))


def _line(drawn: ArmCurve, axis: Axis, frame: svg.Frame, metric_name: str) -> Markup:
    slot = drawn.arm.slot
    where = [(frame.x(axis.of(p.cost)), frame.y(p.estimate.value)) for p in drawn.mean]
    tips = [
        f"{drawn.arm.name}, cycle {p.cycle}: {metric_name} {_with_interval(p.estimate)} "
        f"at {count(p.cost.frames)} frames, {count(p.cost.boxes)} boxes, {count(p.cost.seconds)} s"
        for p in drawn.mean
    ]
    dots = [svg.marker(x, y, slot, tip) for (x, y), tip in zip(where, tips, strict=True)]
    return Markup(svg.line(where, slot) + "".join(dots)) if where else Markup("")


def _spoken(drawn: Sequence[ArmCurve], axis: Axis, metric_name: str) -> str:
    ends = [
        f"{c.arm.name} goes from {score(c.mean[0].estimate.value)} at {axis.of(c.mean[0].cost):.3g} "
        f"to {score(c.mean[-1].estimate.value)} at {axis.of(c.mean[-1].cost):.3g}"
        for c in drawn
        if c.mean
    ]
    return f"{metric_name} over {axis.label}: " + "; ".join(ends)


def _with_interval(estimate: Estimate) -> str:
    span = interval(estimate)
    return score(estimate.value) + (f" ({span})" if span else "")


def legend(arms: Sequence[Arm]) -> Markup:
    """Names of the arms with their markers and dashes."""
    return el("ul", [el("li", key(arm), " ", arm.name) for arm in arms], class_="legend")


def key(arm: Arm) -> Markup:
    """The marker of an arm, for use beside its name."""
    return svg.key(arm.slot)


def dots(rows: Sequence[tuple[str, Sequence[tuple[Arm, Estimate]]]], description: str) -> Markup:
    """Estimates with whiskers, a row for each class or slice, the arms below one another.

    Args:
        rows: Name of the row, and the arms with their estimates in 0..1.
        description: What a screen reader says of the figure.
    """
    arms = max((len(items) for _, items in rows), default=1)
    row_height = 12 + 11 * arms
    height, left, width = row_height * len(rows) + 30, 112, 340
    frame = svg.Frame(svg.Scale(0, 1, left, width - 14), svg.Scale(0, 1, height - 24, 4), width, height)
    marks = [
        el("line", x1=svg.px(frame.x(v)), x2=svg.px(frame.x(v)), y1="4", y2=str(height - 24), class_="grid")
        for v in (0, 0.25, 0.5, 0.75, 1)
    ]
    marks += [svg.label(frame.x(v), height - 8, f"{v:g}") for v in (0, 0.25, 0.5, 0.75, 1)]
    for number, (name, items) in enumerate(rows):
        top = 4 + row_height * number
        shown = name if len(name) <= 17 else f"{name[:7]}…{name[-9:]}"
        marks.append(svg.label(left - 8, top + row_height / 2 + 4, shown, anchor="end", class_="row"))
        heights = (top + 12 + 11 * place for place in range(len(items)))
        marks += [
            _whisker(frame, arm, value, y, name) for (arm, value), y in zip(items, heights, strict=True)
        ]
    return svg.figure(frame, description, *marks)


def _whisker(frame: svg.Frame, arm: Arm, estimate: Estimate, y: float, name: str) -> Markup:
    if math.isnan(estimate.value):
        return Markup("")
    tip = f"{name}, {arm.name}: {_with_interval(estimate)}"
    mark = svg.marker(frame.x(estimate.value), y, arm.slot, tip, 3.8)
    if math.isnan(estimate.lower):
        return mark
    ends = [(frame.x(max(estimate.lower, 0.0)), y), (frame.x(min(estimate.upper, 1.0)), y)]
    path = " ".join(f"{svg.px(x)},{svg.px(at)}" for x, at in ends)
    return Markup(el("polyline", points=path, class_=f"whisker s{arm.slot % svg.NUM_SLOTS}") + mark)


def loss_curves(arm: Arm, curves: Sequence[tuple[int, Sequence[tuple[float, float]]]]) -> Markup | None:
    """Training loss over steps on a logarithmic axis, a line for each cycle, the last one strongest."""
    lines = [(cycle, _smooth(points)) for cycle, points in curves]
    lines = [(cycle, points) for cycle, points in lines if points]
    if not lines:
        return None
    xs = [x for _, points in lines for x, _ in points]
    ys = [math.log10(y) for _, points in lines for _, y in points]
    frame = svg.panel(xs, _at_least_decade(ys), limits=(-9.0, 9.0))
    marks = [
        svg.axes(
            frame,
            "optimiser step",
            x_ticks=svg.ticks(frame.x.low, frame.x.high, 4),
            y_ticks=_log_ticks(frame.y.low, frame.y.high),
            y_text=lambda value: f"{10**value:.3g}",
        )
    ]
    for place, (cycle, points) in enumerate(lines):
        where = [(frame.x(x), frame.y(math.log10(y))) for x, y in points]
        strength = "line" if place == len(lines) - 1 else "line faded"
        tip = el("title", f"{arm.name}, cycle {cycle}")
        marks.append(el("g", tip, svg.line(where, arm.slot, strength, dashed=False)))
    spoken = ", ".join(f"cycle {cycle} ends at {points[-1][1]:.3g}" for cycle, points in lines)
    return svg.figure(frame, f"Training loss of {arm.name} over optimiser steps: {spoken}", *marks)


def _at_least_decade(values: Sequence[float]) -> list[float]:
    middle = (min(values) + max(values)) / 2
    return [*values, middle - 0.2, middle + 0.2]


def _log_ticks(low: float, high: float) -> list[float]:
    exponents = range(math.floor(low), math.ceil(high) + 1)
    values = [e + math.log10(m) for e in exponents for m in (1, 2, 5)]
    inside = [value for value in values if low <= value <= high]
    if len(inside) < 2:
        return [math.log10(value) for value in svg.ticks(10**low, 10**high, 4) if value > 0]
    return inside if len(inside) <= 6 else [v for v in inside if abs(v - round(v)) < 1e-9]


def _smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Means of equal runs of steps, so that a long fit draws in ``MAX_LOSS_POINTS`` points."""
    good = [(x, y) for x, y in points if math.isfinite(y) and y > 0]
    size = max(1, math.ceil(len(good) / MAX_LOSS_POINTS))
    chunks = [good[start : start + size] for start in range(0, len(good), size)]
    return [(sum(x for x, _ in c) / len(c), sum(y for _, y in c) / len(c)) for c in chunks]
