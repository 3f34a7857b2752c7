"""Were the forecasts right? Their intervals against what came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dataengine.report import svg
from dataengine.report.comparison.view import FIGURES, View, finite, number
from dataengine.report.html import Markup, el, more, note, section
from dataengine.report.numbers import count, score
from dataengine.report.tables import Column, capped, table

AIM = "aim 80–97%"
MAX_DRAWN = 160
MAX_ROWS = 120


def forecasts(view: View) -> Markup:
    """The section."""
    title = "Were the forecasts right?"
    rows = [
        row
        for row in view.table("forecasts").to_pylist()
        if len(finite([row["lower"], row["upper"], row["outcome"], row["value"]])) == 4
    ]
    if not rows:
        return section("forecasts", title, note("No forecast has an outcome to be judged by yet."))
    words = el(
        "p",
        "After each cycle the next one was forecast from the same run's figures so far, before its labels "
        f"were bought. The 90% intervals {held(rows)}. Where a bar crosses the diagonal it held the outcome; "
        "orange ones did not.",
    )
    panels = []
    for split, part, metric, name in _figures(view, rows):
        chosen = [row for row in rows if (row["split"], row["slice"], row["metric"]) == (split, part, metric)]
        caption = el("figcaption", el("b", name), f" on the {view.split_title(split)}: {held(chosen)}")
        panels.append(el("figure", caption, _scatter(chosen, name), class_="panel"))
    return section(
        "forecasts",
        title,
        words,
        el("div", panels[:6], class_="panels"),
        _by_arm(view, rows),
        more("Every forecast", _numbers(rows)),
    )


def is_held(row: dict[str, Any]) -> bool:
    """Whether the interval held the outcome."""
    return bool(row["lower"] <= row["outcome"] <= row["upper"])


def held(rows: Sequence[dict[str, Any]]) -> str:
    """``held the outcome in 17 of 20, 85%; aim 80–97%``."""
    number_held = sum(map(is_held, rows))
    share = number_held / len(rows)
    return f"held the outcome in {count(number_held)} of {count(len(rows))}, {share:.0%}; {AIM}"


def _figures(view: View, rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """Split, slice, metric and name of what was forecast, the leading figures first."""
    seen = list(dict.fromkeys((row["split"], row["slice"], row["metric"]) for row in rows))
    names = {(part, metric): name for part, metric, name in FIGURES}
    order = {key: place for place, key in enumerate(names)}
    splits = {split: place for place, split in enumerate(view.splits)}
    seen.sort(key=lambda key: (splits.get(key[0], 9), order.get(key[1:], 9)))
    return [(*key, names.get(key[1:], f"{key[2]} of {key[1]}")) for key in seen]


def _scatter(rows: Sequence[dict[str, Any]], name: str) -> Markup:
    drawn = rows[:MAX_DRAWN]
    values = finite([row[end] for row in drawn for end in ("lower", "upper", "outcome")])
    frame = svg.panel(finite([row["outcome"] for row in drawn]), values, limits=(-0.02, 1.02))
    low, high = max(frame.x.low, frame.y.low), min(frame.x.high, frame.y.high)
    marks = [
        svg.axes(
            frame,
            f"{name} that came",
            x_ticks=svg.ticks(frame.x.low, frame.x.high, 4),
            y_ticks=svg.ticks(frame.y.low, frame.y.high, 5),
            y_text=lambda value: f"{value:g}",
        ),
        el(
            "line",
            x1=svg.px(frame.x(low)),
            y1=svg.px(frame.y(low)),
            x2=svg.px(frame.x(high)),
            y2=svg.px(frame.y(high)),
            class_="zero-line",
        ),
    ]
    for row in drawn:
        x, kind = frame.x(row["outcome"]), "gain" if is_held(row) else "loss"
        ends = [svg.px(frame.y(row[end])) for end in ("lower", "upper")]
        tip = el("title", _words(row))
        marks.append(
            el("line", tip, x1=svg.px(x), x2=svg.px(x), y1=ends[0], y2=ends[1], class_=f"reach {kind}")
        )
        marks.append(
            el("circle", tip, cx=svg.px(x), cy=svg.px(frame.y(row["value"])), r="3", class_=f"dot {kind}")
        )
    return svg.figure(frame, f"Forecasts of {name} over what came; {held(rows)}", *marks)


def _words(row: dict[str, Any]) -> str:
    span = f"{row['lower']:.2f}–{row['upper']:.2f}"
    return (
        f"{row['arm']}, {row['trial']}, after cycle {row['cycle']}: forecast {score(row['value'])} ({span}), "
        f"came {score(row['outcome'])}"
    )


def _by_arm(view: View, rows: Sequence[dict[str, Any]]) -> Markup:
    body = []
    for arm in view.arms:
        chosen = [row for row in rows if row["arm"] == arm.name]
        if chosen:
            width = sum(row["upper"] - row["lower"] for row in chosen) / len(chosen)
            error = sum(row["outcome"] - row["value"] for row in chosen) / len(chosen)
            inside = sum(map(is_held, chosen))
            cells = [f"{inside} of {len(chosen)}", f"{inside / len(chosen):.0%}", f"{width:.2f}"]
            body.append([arm.key, *cells, f"{error:+.3f}".replace("-", "−")])
    titles = ("Arm", "Held", "Share", "Mean width", "Mean of outcome minus forecast")
    return table(f"Coverage of the 90% intervals, {AIM}", [Column(title) for title in titles], body)


def _numbers(rows: Sequence[dict[str, Any]]) -> Markup:
    body = [
        [
            f"{row['arm']} · {row['trial']} · cycle {row['cycle']}",
            f"{row['slice']} {row['metric']} on {row['split']}",
            count(number(row["frames"])),
            score(row["value"]),
            f"{row['lower']:.2f}–{row['upper']:.2f}",
            score(row["outcome"]),
            "held" if is_held(row) else "missed",
        ]
        for row in rows
        if not math.isnan(row["value"])
    ]
    kept, line = capped(body, MAX_ROWS, "forecasts", "the table forecasts")
    titles = ("Arm, trial and cycle", "Figure", "At frames", "Forecast", "90% interval", "Came", "")
    columns = [Column(title, words=title == "Figure") for title in titles]
    return table("Forecasts and outcomes", columns, kept, left_out=line)
