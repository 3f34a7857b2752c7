"""The main tables of a comparison as Markdown, to be committed beside the command that made them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataengine.compare.curves import AREA_CYCLE
from dataengine.compare.headline import figure_name
from dataengine.compare.tables import AXES, Comparison
from dataengine.schema import ALL_LABELS, TEST, TEST_BALANCED

TESTS = {TEST: "natural test", TEST_BALANCED: "balanced test"}

PART_NAMES = {
    "mining_lesser": "`{arm}` - `{baseline}`, lesser trainer",
    "mining_greater": "`{arm}` - `{baseline}`, greater trainer",
    "training_baseline": "greater - lesser trainer, on `{baseline}`'s frames",
    "training_arm": "greater - lesser trainer, on `{arm}`'s frames",
    "both": "both",
}
"""How the parts of ``TRAINERS`` are told."""

Row = Mapping[str, Any]

Names = Mapping[str, str]
"""What each arm is called in a table."""


def evidence(comparison: Comparison, command: str | None = None) -> str:
    """The page.

    Args:
        comparison: What was found.
        command: The command line that made it.
    """
    lines = [f"# {comparison.name}", "", comparison.headline, ""]
    if command:
        lines += ["```", command, "```", ""]
    lines += [
        f"Baseline `{comparison.baseline}`, {len(comparison.trials)} seeds, intervals of "
        f"{comparison.confidence:.0%} in brackets; costs count the seed set.",
        "",
    ]
    names = _names(comparison)
    for split, test in TESTS.items():
        for part, metric in (("tail", "ap50"), ("all", "ap50"), ("all", "map50_95")):
            lines += _section(comparison, names, (split, part, metric), f"{_name(part, metric)}, {test}")
        lines += _class_section(comparison, names, split, test)
    lines += _trainers(comparison)
    lines += _bought(comparison, names)
    lines += ["## Notes", "", *(f"* {note}" for note in comparison.notes), ""]
    return "\n".join(lines)


def _names(comparison: Comparison) -> Names:
    """Every arm as the page calls it: with how many seeds bought by it, where not all did."""
    cells, planned = comparison.table("cells"), len(comparison.trials)
    later = (
        cells.filter(pc.greater(cells["cycle"], 0)).group_by("arm").aggregate([("trial", "count_distinct")])
    )
    seeds = dict(zip(later["arm"].to_pylist(), later["trial_count_distinct"].to_pylist(), strict=True))
    return {
        arm: f"`{arm}`" if seeds[arm] == planned else f"`{arm}`, {seeds[arm]} of {planned} seeds"
        for arm in comparison.arms
    }


def _name(part: str, metric: str) -> str:
    if metric == "ap50":
        return figure_name(part)
    return "mAP50-95" if part == "all" else f"{part} mAP50-95"


def _section(comparison: Comparison, names: Names, figure: tuple[str, str, str], title: str) -> list[str]:
    """One figure on one test: curves, differences, savings; nothing where it was not measured."""
    curves = _rows(comparison, "curves", figure)
    if not curves or all(math.isnan(row["value"]) for row in curves):
        return []
    parts = [
        _curve_table(names, curves),
        _difference_table(comparison, names, figure),
        _rival_table(comparison, names, figure),
        _saving_table(comparison, names, figure, "baseline_final"),
        _saving_table(comparison, names, figure, "95_of_ceiling"),
        _share_table(comparison, names, figure),
    ]
    return [f"## {title}", "", *(line for part in parts if part for line in [*part, ""])]


def _rows(comparison: Comparison, name: str, figure: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Rows about a figure, and about the areas under it."""
    split, part, metric = figure
    table = comparison.table(name)
    wanted = pa.array([metric, *(f"{metric}:area_{axis}" for axis in AXES)])
    kept = pc.and_(pc.equal(table["split"], split), pc.equal(table["slice"], part))
    found: list[dict[str, Any]] = table.filter(pc.and_(kept, pc.is_in(table["metric"], wanted))).to_pylist()
    return found


def _curve_table(names: Names, rows: Sequence[Row]) -> list[str]:
    cycles = sorted({row["cycle"] for row in rows})
    body = []
    for arm, name in names.items():
        own = {row["cycle"]: row for row in rows if row["arm"] == arm}
        cells = [
            f"{_with_interval(own[cycle], 3)} at {own[cycle]['frames']:.0f}" if cycle in own else ""
            for cycle in cycles
        ]
        body.append([name, *cells])
    return _table(["value at mean frames", *(f"cycle {cycle}" for cycle in cycles)], body)


def _difference_table(comparison: Comparison, names: Names, figure: tuple[str, str, str]) -> list[str]:
    rows = _rows(comparison, "differences", figure)
    body = []
    for arm, name in names.items():
        own = [row for row in rows if row["arm"] == arm and row["cycle"] != 0]
        last = max((row["cycle"] for row in own), default=None)
        shown = [row for row in own if row["cycle"] == last and last != AREA_CYCLE]
        shown += [row for row in own if row["metric"].endswith(":area_seconds")]
        for row in shown:
            where = f"cycle {row['cycle']}" if row["cycle"] != AREA_CYCLE else "area over seconds"
            tally = f"{row['wins']}/{row['ties']}/{row['losses']}"
            noise = f"{_number(row['noise'], 3)} ({_number(row['noise_per_seed'], 3)})"
            body.append([name, where, _with_interval(row, 3, signed=True), tally, noise])
    head = [
        f"minus `{comparison.baseline}`",
        "where",
        "difference",
        "wins/ties/losses",
        "noise floor (of one seed)",
    ]
    return _table(head, body)


def _rival_table(comparison: Comparison, names: Names, figure: tuple[str, str, str]) -> list[str]:
    """The main arm against each of the others: at the last cycle, and over the whole curve."""
    rows = _rows(comparison, "rivals", figure)
    main = next((row["arm"] for row in rows), "")
    last = max((row["cycle"] for row in rows), default=0)
    columns = {f"at cycle {last}": (last, figure[2])}
    columns |= {f"area over {axis}": (AREA_CYCLE, f"{figure[2]}:area_{axis}") for axis in AXES}
    body = []
    for arm, name in names.items():
        own = {(row["cycle"], row["metric"]): row for row in rows if row["other"] == arm}
        if own:
            cells = (own.get(key) for key in columns.values())
            body.append([name, *(_with_interval(row, 3, signed=True) if row else "" for row in cells)])
    return _table([f"`{main}` minus", *columns], body)


def _saving_table(
    comparison: Comparison, names: Names, figure: tuple[str, str, str], target: str
) -> list[str]:
    rows = [row for row in _rows(comparison, "savings", figure) if row["target"] == target]
    body = []
    for arm, name in names.items():
        own = {row["axis"]: row for row in rows if row["arm"] == arm}
        if not own or (arm == comparison.baseline and target == "baseline_final"):
            continue
        told = _paid if arm == comparison.baseline else _saving
        cells = [told(own[axis]) if axis in own else "" for axis in AXES]
        first = next(iter(own.values()))
        body.append([name, *cells, f"{first['reached']:.0%} of {first['num_seeds']}"])
    level = next((row["level"] for row in rows), math.nan)
    goal = f"`{comparison.baseline}`'s final" if target == "baseline_final" else "95% of `all_labels`"
    return _table(
        [f"saved at {goal} ({_number(level, 3)})", *(f"{axis}" for axis in AXES), "seeds that got there"],
        body,
    )


def _paid(row: Row) -> str:
    return "not reached" if math.isnan(row["cost"]) else f"{row['cost']:.0f}"


def _saving(row: Row) -> str:
    if math.isnan(row["cost"]):
        return "not reached"
    if math.isnan(row["value"]):
        return f"reached at {row['cost']:.0f}, the baseline not"
    low, high = ("open" if math.isnan(row[end]) else f"{row[end]:.0%}" for end in ("lower", "upper"))
    return f"{row['value']:.0%} ({low} to {high}): {row['cost']:.0f} for {row['baseline_cost']:.0f}"


def _share_table(comparison: Comparison, names: Names, figure: tuple[str, str, str]) -> list[str]:
    rows = _rows(comparison, "shares", figure)
    cycles = sorted({row["cycle"] for row in rows})
    body = []
    for arm, name in names.items():
        own = {row["cycle"]: row for row in rows if row["arm"] == arm}
        if own and arm != "oracle":
            cells = [_with_interval(own[cycle], 2) if cycle in own else "" for cycle in cycles]
            body.append([name, *cells])
    return _table(["share of the oracle's gain", *(f"cycle {cycle}" for cycle in cycles)], body)


def _class_section(comparison: Comparison, names: Names, split: str, test: str) -> list[str]:
    """AP50 of every class at the last cycle that all arms but the ceilings ran, with objects to judge by."""
    figures = [(name, (split, f"class:{name}", "ap50")) for name in comparison.classes]
    rows = {name: _rows(comparison, "curves", figure) for name, figure in figures}
    ran = [
        {row["cycle"] for row in own if row["arm"] == arm}
        for own in rows.values()
        for arm in comparison.arms
        if arm != ALL_LABELS
    ]
    shared = set.intersection(*filter(None, ran)) if any(ran) else set()
    if not shared:
        return []
    body = []
    for arm, called in names.items():
        found = [
            [row for row in own if row["arm"] == arm and row["cycle"] == max(shared)] for own in rows.values()
        ]
        if any(found):
            body.append([called, *(_with_interval(own[0], 3) if own else "" for own in found)])
    head = [f"AP50 at cycle {max(shared)}", *(f"{name}{_objects(comparison, split, name)}" for name in rows)]
    return [f"## Classes, {test}", "", *_table(head, body), ""]


def _objects(comparison: Comparison, split: str, name: str) -> str:
    """`` (41 objects)``: the mean over the trials; nothing where it was not counted."""
    cells = comparison.table("cells")
    wanted = {"split": split, "slice": f"class:{name}", "metric": "num_objects", "arm": comparison.baseline}
    kept = reduce(pc.and_, [pc.equal(cells[column], value) for column, value in wanted.items()])
    count = pc.mean(cells.filter(kept)["value"]).as_py()
    return "" if count is None else f" ({count:.0f} objects)"


def _trainers(comparison: Comparison) -> list[str]:
    """What mining and training gain at the last cycle, alone and together."""
    rows = comparison.table("trainers").to_pylist()
    figures = [
        (split, part, metric) for split in TESTS for part, metric in (("tail", "ap50"), ("all", "map50_95"))
    ]
    body = []
    for arm, trainer, part in dict.fromkeys((row["arm"], row["trainer"], row["part"]) for row in rows):
        own = [row for row in rows if (row["arm"], row["trainer"], row["part"]) == (arm, trainer, part)]
        last = max(row["cycle"] for row in own)
        told = {(row["split"], row["slice"], row["metric"]): row for row in own if row["cycle"] == last}
        cells = [_with_interval(told[figure], 3, signed=True) if figure in told else "" for figure in figures]
        words = PART_NAMES[part].format(arm=arm, baseline=comparison.baseline)
        body.append([f"`{arm}`", f"`+{trainer}`", words, *cells])
    if not body:
        return []
    head = [
        "arm",
        "trainers",
        "difference",
        *(f"{_name(part, metric)}, {TESTS[split]}" for split, part, metric in figures),
    ]
    return ["## Mining and training", "", *_table(head, body), ""]


def _bought(comparison: Comparison, names: Names) -> list[str]:
    """What the arms bought, all cycles averaged."""
    rows = comparison.table("purchases").to_pylist()
    if not rows:
        return []
    kinds = [("boxes_per_frame", ""), ("clips", ""), ("redundancy", ""), ("yield", "all")]
    kinds += [("class", name) for name in comparison.classes]
    head = ["bought a cycle", "boxes per frame", "clips", "redundancy", "yield"]
    body = []
    for arm, name in names.items():
        cells = []
        for kind in kinds:
            values = [
                row["value"] for row in rows if row["arm"] == arm and (row["kind"], row["name"]) == kind
            ]
            known = [value for value in values if not math.isnan(value)]
            cells.append(_number(sum(known) / len(known), 2) if known else "")
        if any(cells):
            body.append([name, *cells])
    return [
        "## What was bought",
        "",
        *_table([*head, *(f"{name} boxes" for name in comparison.classes)], body),
        "",
    ]


def _with_interval(row: Row, places: int, *, signed: bool = False) -> str:
    value = _number(row["value"], places, signed=signed)
    if math.isnan(row["lower"]) or math.isnan(row["upper"]):
        return value
    ends = (_number(row[end], places, signed=signed) for end in ("lower", "upper"))
    return f"{value} ({' to '.join(ends)})"


def _number(value: float, places: int, *, signed: bool = False) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:+.{places}f}" if signed else f"{value:.{places}f}"


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; none where it has no rows."""
    return list(_lines([head, ["---"] * len(head), *body])) if body else []


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return (f"| {' | '.join(row)} |" for row in rows)
