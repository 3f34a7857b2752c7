"""What each arm bought, in numbers: the cost ledger, boxes by class, conditions of the frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from dataengine.frameboxes import FrameBoxes
from dataengine.report.data import Gathered, RunRecord
from dataengine.report.figures import key
from dataengine.report.html import Markup, el, note
from dataengine.report.numbers import count, duration
from dataengine.report.tables import Column, bar, capped, table
from dataengine.schema import POOL

MAX_CLASSES = 30
MAX_CONDITIONS = 40
MAX_CYCLES = 8
MAX_ROWS = 60


def bought_ids(record: RunRecord, cycle: int) -> list[str]:
    """Frames of a cycle's selection whose labels were bought, by rank; empty without a selection."""
    selection, labels = record.table(cycle, "selection"), record.table(cycle, "labels", ["frame_id"])
    if selection is None or labels is None:
        return []
    owned = set(labels["frame_id"].to_pylist())
    ranked = sorted(zip(selection["rank"].to_pylist(), selection["frame_id"].to_pylist(), strict=True))
    return [frame_id for _, frame_id in ranked if frame_id in owned]


def new_labels(record: RunRecord, cycle: int) -> FrameBoxes | None:
    """The labels that a cycle bought, ignore regions left out; ``None`` where files are missing."""
    labels = record.labels(cycle)
    if labels is None:
        return None
    ids = bought_ids(record, cycle)
    return labels.filter(~labels.ignore).select(ids)


def per_cycle(gathered: Gathered) -> Markup:
    """The cost ledger: a row for each arm and cycle."""
    columns = [
        Column("Arm and cycle"),
        *(Column(name, "This cycle") for name in ("Frames", "Boxes", "Boxes a frame", "Annotator time")),
        *(Column(name, "So far") for name in ("Frames", "Boxes", "Annotator time")),
    ]
    rows: list[list[Any]] = []
    for arm in gathered.arms:
        for cycle in arm.runs[0].cycles:
            new, total = arm.runs[0].bought(cycle), arm.runs[0].costs[cycle]
            rate = f"{new.boxes / new.frames:.2f}" if new.frames else "–"
            name = el("span", key(arm), " ", arm.name, f" · {cycle_name(cycle)}", class_="arm")
            bought = (count(new.frames), count(new.boxes), rate, duration(new.seconds))
            rows.append([name, *bought, count(total.frames), count(total.boxes), duration(total.seconds)])
    kept, line = capped(rows, MAX_ROWS, "rows")
    return table("Cost ledger: what each cycle bought", columns, kept, left_out=line)


def cycle_name(cycle: int) -> str:
    """``seed set`` or ``cycle 2``."""
    return "seed set" if cycle == 0 else f"cycle {cycle}"


def classes(gathered: Gathered) -> Markup:
    """Boxes bought after the seed set, by class: every cycle and the sum, arm beside arm."""
    classes = gathered.taxonomy.classes
    columns, counts = [Column("Class")], []
    for arm in gathered.arms:
        record, sums = arm.runs[0], np.zeros(len(classes), np.int64)
        for cycle in record.cycles:
            labels = new_labels(record, cycle)
            if labels is None or cycle == 0:
                continue
            found = np.bincount(labels.class_id, minlength=len(classes))[: len(classes)]
            sums += found
            if cycle > max(record.cycles[-1] - MAX_CYCLES, 0):
                columns.append(Column(f"c{cycle}", arm.name))
                counts.append((found, False))
        columns.append(Column("all", arm.name))
        counts.append((sums, True))
    order = sorted(range(len(classes)), key=lambda k: (-sum(int(f[k]) for f, total in counts if total), k))
    longest = max((int(f.max(initial=0)) for f, total in counts if total), default=0)
    rows = [
        [class_name(gathered, k), *(_bought(int(f[k]), longest, total) for f, total in counts)] for k in order
    ]
    if not rows or longest == 0:
        return note("No boxes were bought after the seed set.")
    kept, line = capped(rows, MAX_CLASSES, "classes", "each cycle's labels.parquet")
    return table("Boxes bought after the seed set, by class", columns, kept, left_out=line)


def _bought(number: int, longest: int, is_total: bool) -> Any:
    return bar(number, longest, count(number)) if is_total else count(number)


def class_name(gathered: Gathered, class_id: int) -> Any:
    """A class, marked when its card declares it rare."""
    name = gathered.taxonomy.classes[class_id]
    if name in gathered.taxonomy.tail_classes:
        return Markup(el("span", name) + " " + el("small", "rare", class_="tag"))
    return name


def conditions(gathered: Gathered) -> Markup:
    """Share of the bought frames in each condition, beside the pool's."""
    splits = gathered.frames["split"].to_pylist()
    pool = [row for row, split in enumerate(splits) if split == POOL]
    columns, shares = [Column("Condition"), Column("Pool")], [_shares(gathered, pool)]
    for arm in gathered.arms:
        record = arm.runs[0]
        ids = [frame_id for cycle in record.cycles if cycle for frame_id in bought_ids(record, cycle)]
        columns.append(Column(Markup(key(arm) + " " + el("span", arm.name))))
        shares.append(_shares(gathered, [gathered.frame_rows[i] for i in ids if i in gathered.frame_rows]))
    names = sorted(shares[0].keys() | set().union(*shares[1:]))
    if not names or not any(shares[1:]):
        return Markup("")
    rows = [
        [f"{name}: {value}".replace("_", " "), *(_share(found.get((name, value), 0.0)) for found in shares)]
        for name, value in names
    ]
    kept, line = capped(rows, MAX_CONDITIONS, "conditions", "the lake's frames table")
    return table("Conditions of the frames bought after the seed set", columns, kept, left_out=line)


def _share(share: float) -> Markup:
    return bar(share, 1.0, f"{share:.0%}")


def _shares(gathered: Gathered, rows: Sequence[int]) -> dict[tuple[str, str], float]:
    found = Counter(pair for row in rows for pair in gathered.conditions[row].items())
    return {pair: number / len(rows) for pair, number in found.items()}
