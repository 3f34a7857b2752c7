"""What was bought: thumbnails with the reason of each pick, and boxes and conditions in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from dataengine.report.data import Arm, Gathered, RunRecord, image_path
from dataengine.report.figures import key
from dataengine.report.html import Markup, el, note, section
from dataengine.report.numbers import count, duration, plural, tally
from dataengine.report.tables import Column, bar, capped, table
from dataengine.report.thumbnails import Drawn, Picture, thumbnail
from dataengine.schema import POOL, FrameBoxes

MAX_THUMBNAILS = 96
MAX_GROUP = 12
MIN_GROUP = 3
MAX_CLASSES = 30
MAX_CONDITIONS = 40
MAX_CYCLES = 8


def mined(gathered: Gathered) -> Markup:
    """The section about what each arm bought."""
    children = [
        _introduction(gathered),
        _per_cycle(gathered),
        _classes(gathered),
        _conditions(gathered),
        _galleries(gathered),
    ]
    return section("mined", "What was mined", *children)


def _introduction(gathered: Gathered) -> Markup:
    several = any(len(arm.runs) > 1 for arm in gathered.arms)
    shown = " Where an arm has several seeds, its first seed is shown here." if several else ""
    return el(
        "p",
        "Each cycle an arm picks frames from the pool and buys their labels. Pictures are taken at even "
        "steps through the ranking, so they are neither the best nor the worst picks. Thick amber boxes are "
        "of declared rare classes, thin white ones of the others.",
        shown,
    )


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


def _per_cycle(gathered: Gathered) -> Markup:
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
            name = el("span", key(arm), " ", arm.name, f" · {_cycle_name(cycle)}", class_="arm")
            bought = (count(new.frames), count(new.boxes), rate, duration(new.seconds))
            rows.append([name, *bought, count(total.frames), count(total.boxes), duration(total.seconds)])
    kept, line = capped(rows, 60, "rows")
    return table("Cost ledger: what each cycle bought", columns, kept, left_out=line)


def _cycle_name(cycle: int) -> str:
    return "seed set" if cycle == 0 else f"cycle {cycle}"


def _classes(gathered: Gathered) -> Markup:
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


def _conditions(gathered: Gathered) -> Markup:
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


def _galleries(gathered: Gathered) -> Markup:
    """Pictures of every cycle, arm after arm; later cycles first to go where there are too many."""
    groups: list[tuple[Arm, int]] = []
    shared = _same_start(gathered)
    for cycle in sorted({cycle for arm in gathered.arms for cycle in arm.runs[0].cycles}):
        arms = [arm for arm in gathered.arms if cycle in arm.runs[0].cycles]
        groups += [(arm, cycle) for arm in (arms[:1] if cycle == 0 and shared else arms)]
    each = max(MIN_GROUP, min(MAX_GROUP, MAX_THUMBNAILS // max(len(groups), 1)))
    kept, line = capped(groups, MAX_THUMBNAILS // each, "galleries", "each cycle's selection.parquet")
    parts = [
        _gallery(gathered, arm, cycle, each if cycle else MIN_GROUP * 2, shared=shared) for arm, cycle in kept
    ]
    return Markup("".join(parts) + (note(line) if line else ""))


def _same_start(gathered: Gathered) -> bool:
    hashes = {
        str(arm.runs[0].manifests.get(0, {}).get("selection_sha256", arm.name)) for arm in gathered.arms
    }
    return len(hashes) == 1


def _gallery(gathered: Gathered, arm: Arm, cycle: int, limit: int, *, shared: bool) -> Markup:
    record = arm.runs[0]
    who = "every arm" if cycle == 0 and shared and len(gathered.arms) > 1 else arm.name
    title = el("h3", key(arm) if who == arm.name else "", f" {who} · {_cycle_name(cycle)}")
    selection, labels = record.table(cycle, "selection"), new_labels(record, cycle)
    if selection is None or labels is None:
        return Markup(title + note("selection.parquet or labels.parquet of this cycle is missing."))
    picks = {row["frame_id"]: row for row in selection.to_pylist()}
    bought = [row for row, frame_id in enumerate(labels.frame_ids) if frame_id in gathered.frame_rows]
    if not bought:
        return Markup(title + note("No frame was bought in this cycle."))
    triggers = Counter(picks[labels.frame_ids[row]]["trigger"] for row in bought)
    said = ", ".join(f"{count(number)} by {name}" for name, number in triggers.most_common())
    over = len(picks) - len(labels.frame_ids)
    rest = f" {plural(over, 'more pick')} did not fit the budget." if over > 0 else ""
    reasons = {picks[labels.frame_ids[row]]["reason"] for row in bought}
    common = f" {reasons.pop()}." if len(reasons) == 1 else ""
    line = el("p", f"{plural(len(bought), 'frame')} bought: {said}.{rest}{common}", class_="lead-in")
    steps = np.unique(np.linspace(0, len(bought) - 1, min(limit, len(bought))).round().astype(int))
    shots = []
    for row in (bought[step] for step in steps):
        pick = picks[labels.frame_ids[row]]
        shots.append(_pick(gathered, pick, labels, row, "" if common else pick["reason"]))
    return Markup(title + line + el("div", shots, class_="thumbs"))


def _pick(gathered: Gathered, pick: dict[str, Any], labels: FrameBoxes, frame: int, reason: str) -> Markup:
    classes, tail = gathered.taxonomy.classes, gathered.taxonomy.tail_classes
    rows = labels.rows(frame)
    names = [classes[int(k)] for k in labels.class_id[rows]]
    boxes = tuple(
        Drawn(xyxy, "rare" if name in tail else "plain", name)
        for xyxy, name in zip(labels.xyxy[rows], names, strict=True)
    )
    objects = tally(sorted(names)) or "no objects"
    words = f"Frame {pick['frame_id']}: {objects}"
    caption = (
        el("b", f"#{pick['rank'] + 1} "),
        reason,
        el("span", objects, class_="objects"),
    )
    return thumbnail(picture_of(gathered, pick["frame_id"], boxes), words, caption)


def picture_of(gathered: Gathered, frame_id: str, boxes: tuple[Drawn, ...]) -> Picture:
    """A frame with boxes over it."""
    row = gathered.frame_rows[frame_id]
    width, height = (int(gathered.frames[name][row].as_py()) for name in ("width", "height"))
    return Picture(image_path(gathered, row), width, height, boxes)
