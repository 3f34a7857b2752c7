"""What the next batch would gain, in each arm, and what else money could buy instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataengine import forecast
from dataengine.forecast import Forecast, Outlook
from dataengine.report.data import Arm, Gathered, RunRecord
from dataengine.report.figures import key
from dataengine.report.html import Markup, el, note, section
from dataengine.report.numbers import Estimate, cell, count, score, signed
from dataengine.report.signs import signs
from dataengine.report.summary import Comparison, common_cycles
from dataengine.report.tables import Column, table
from dataengine.schema import VAL

LAW = (
    "Each curve is continued by a power law with a floor, averaged over everything that such a law may be "
    "after so few cycles, and allowed to leave it by a random walk; a miner's frames may count for more "
    "than random ones. It is made on {split}{judge}. The interval of a forecast includes the luck of one "
    "fit; that of a gain does not."
)


def outlook(gathered: Gathered, comparison: Comparison) -> Markup:
    """The section."""
    title = "What the next batch would gain"
    found = {arm.name: forecasts(arm) for arm in comparison.arms}
    known = [made for arm in comparison.arms for made in found[arm.name] if made.forecast.is_known]
    if not known:
        return section("outlook", title, note("No figure was measured that could be continued."))
    splits = list(dict.fromkeys(made.split for made in known))
    judge = ", so that the test stays a judge" if splits == [VAL] else ""
    words = el("p", LAW.format(split=" and ".join(splits), judge=judge))
    rows = [row for arm in comparison.arms for row in _rows(arm, found[arm.name])]
    columns = [
        Column("Arm and figure"),
        *(Column(name) for name in ("At frames", "Now", "Forecast", "Gain of the curve", "Chance of a gain")),
    ]
    caption = "Forecast of the next cycle, with 90% intervals; a gain counts beyond the noise of one fit"
    return section(
        "outlook", title, words, table(caption, columns, rows), _advice(gathered, comparison, found)
    )


def forecasts(arm: Arm) -> list[Outlook]:
    """Forecasts of an arm's next cycle, from the mean of its seeds."""
    cycles = common_cycles(arm.runs)
    if not cycles:
        return []
    next_cost = _next_frames(arm)
    rows = [list(figure_rows(record)) for record in arm.runs]
    return forecast.outlooks(rows, arm=arm.runs[0].arm, next_cost=next_cost, last_cycle=cycles[-1])


def _next_frames(arm: Arm) -> float:
    record, last = arm.runs[0], common_cycles(arm.runs)[-1]
    return forecast.next_frames(
        record.settings, last + 1, record.costs[last].frames, record.bought(last).frames
    )


def figure_rows(record: RunRecord) -> Iterator[dict[str, Any]]:
    """The record's figures as rows of ``metrics.jsonl``."""
    for (cycle, split, part, metric), value in record.values.items():
        frames = record.costs[cycle].frames
        head = {"cycle": cycle, "split": split, "slice": part, "metric": metric}
        yield {**head, "value": value, "frames": frames}


def _rows(arm: Arm, found: list[Outlook]) -> Iterator[list[Any]]:
    for made in found:
        next_: Forecast = made.forecast
        if next_.is_known:
            spread = f"{signed(next_.gain_lower)} to {signed(next_.gain_upper)}"
            yield [
                el("span", key(arm), f" {arm.name} · {made.name}", class_="arm"),
                count(_next_frames(arm)),
                score(made.now),
                cell(Estimate(next_.value, next_.lower, next_.upper)),
                Markup(el("span", signed(next_.gain)) + el("span", spread, class_="ci")),
                f"{next_.chance_of_gain:.0%}",
            ]


def _advice(gathered: Gathered, comparison: Comparison, found: dict[str, list[Outlook]]) -> Markup:
    """Advice for the arm that was chosen: the last one, where the baseline stands first."""
    arm = comparison.arms[-1]
    record = arm.runs[0]
    gains = {made.name: (made.forecast, made.noise) for made in found[arm.name]}
    pieces = forecast.advice(gains, signs(gathered, record, record.cycles[-1]))
    if not pieces:
        return Markup("")
    items = [el("li", piece.words) for piece in pieces]
    return Markup(el("h3", f"Where the next money is best spent, by {arm.name}") + el("ul", items))
