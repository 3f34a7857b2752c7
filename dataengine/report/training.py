"""How the fits went: loss curves, speed, and where the time was spent."""

from __future__ import annotations

import json
import math
from statistics import median
from typing import Any

from dataengine.report.data import Arm, Gathered, RunRecord
from dataengine.report.figures import key, loss_curves
from dataengine.report.html import Markup, el, note, section
from dataengine.report.numbers import duration
from dataengine.report.tables import Column, capped, table

NOT_TERMS = frozenset({"step", "images_per_s", "learning_rate", "lr", "time_s", "loss"})
SUFFIX = "_time_s"
MAX_ROWS = 60


def training(gathered: Gathered) -> Markup:
    """The section about training."""
    several = any(len(arm.runs) > 1 for arm in gathered.arms)
    which = " The curves are of each arm's first seed." if several else ""
    introduction = el(
        "p",
        "Every cycle trains from the same initial weights for the same number of steps. The strong line is "
        f"the last cycle, fainter ones came before.{which} A curve that still falls steeply at its end means "
        "that more steps would change the comparison.",
    )
    panels = [panel for arm in gathered.arms for panel in _panel(arm)]
    figures = el("div", panels, class_="panels") if panels else note("losses.jsonl is missing.")
    return section("training", "Training", introduction, figures, _times(gathered))


def _panel(arm: Arm) -> list[Markup]:
    record = arm.runs[0]
    curves = [(cycle, total_losses(record.losses(cycle))) for cycle in record.cycles]
    chart = loss_curves(arm, curves)
    if chart is None:
        return []
    caption = el("figcaption", key(arm), " ", el("b", arm.name), " training loss")
    return [el("figure", caption, chart, class_="panel")]


def total_losses(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Step and total loss of every row: its ``loss``, else the sum of its terms."""
    points: list[tuple[float, float]] = []
    for row in rows:
        terms = row["terms"] if isinstance(row.get("terms"), dict) else row
        total = row.get("loss", terms.get("loss"))
        if total is None:
            numbers = (v for k, v in terms.items() if k not in NOT_TERMS and isinstance(v, int | float))
            total = math.fsum(numbers)
        points.append((float(row.get("step", len(points))), float(total)))
    return points


def images_per_s(record: RunRecord, cycle: int) -> float:
    """Training speed of a cycle; NaN where no file tells."""
    fit = record.run.cycle(cycle) / "fit.json"
    value = record.manifests[cycle].get("images_per_s")
    if value is None and fit.is_file():
        value = json.loads(fit.read_text(encoding="utf-8")).get("images_per_s")
    if value is None:
        speeds = [row["images_per_s"] for row in record.losses(cycle) if row.get("images_per_s")]
        value = median(speeds) if speeds else math.nan
    return float(value)


def _times(gathered: Gathered) -> Markup:
    metrics = dict.fromkeys(k[3] for r in gathered.records for k in r.values if k[3].endswith(SUFFIX))
    columns = [
        Column("Arm, seed and cycle"),
        Column("Images/s in training"),
        *(Column(metric.removesuffix(SUFFIX).replace("_", " "), "Time of the stage") for metric in metrics),
    ]
    rows = []
    for arm in gathered.arms:
        for record in arm.runs:
            for cycle in record.cycles:
                speed = images_per_s(record, cycle)
                shown = "–" if math.isnan(speed) else f"{speed:,.0f}".replace(",", "\u202f")
                times = [duration(_time(record, cycle, metric)) for metric in metrics]
                rows.append([f"{arm.name} · seed {record.seed} · cycle {cycle}", shown, *times])
    kept, line = capped(rows, MAX_ROWS, "rows")
    return table("Speed and time", columns, kept, left_out=line)


def _time(record: RunRecord, cycle: int, metric: str) -> float:
    found = [v for k, v in record.values.items() if k[0] == cycle and k[3] == metric]
    return found[0] if found else math.nan
