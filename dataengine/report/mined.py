"""What was mined in each cycle: frames with their bought boxes, and the reason of each pick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from dataengine.frameboxes import FrameBoxes
from dataengine.report.data import Arm, Gathered, image_path
from dataengine.report.figures import key
from dataengine.report.html import Markup, el, note, section
from dataengine.report.numbers import count, plural, tally
from dataengine.report.purchases import classes, conditions, cycle_name, new_labels, per_cycle
from dataengine.report.tables import capped
from dataengine.report.thumbnails import Drawn, Picture, thumbnail

MAX_THUMBNAILS = 96
MAX_GROUP = 12
MIN_GROUP = 3


def mined(gathered: Gathered) -> Markup:
    """The section about what each arm bought."""
    children = [
        _introduction(gathered),
        per_cycle(gathered),
        classes(gathered),
        conditions(gathered),
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


def _galleries(gathered: Gathered) -> Markup:
    """Pictures of every cycle, arm after arm; of too many, the seed set and the latest are kept."""
    groups: list[tuple[Arm, int]] = []
    shared = _same_start(gathered)
    for cycle in sorted({cycle for arm in gathered.arms for cycle in arm.runs[0].cycles}):
        arms = [arm for arm in gathered.arms if cycle in arm.runs[0].cycles]
        groups += [(arm, cycle) for arm in (arms[:1] if cycle == 0 and shared else arms)]
    each = max(MIN_GROUP, min(MAX_GROUP, MAX_THUMBNAILS // max(len(groups), 1)))
    limit = MAX_THUMBNAILS // each
    latest = [*groups[:1], *groups[1:][-(limit - 1) :]]
    _, line = capped(groups, limit, "galleries", "each cycle's selection.parquet")
    parts = [
        _gallery(gathered, arm, cycle, each if cycle else MIN_GROUP * 2, shared=shared)
        for arm, cycle in latest
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
    title = el("h3", key(arm) if who == arm.name else "", f" {who} · {cycle_name(cycle)}")
    selection, labels = record.table(cycle, "selection"), new_labels(record, cycle)
    if selection is None or labels is None:
        return Markup(title + note("selection.parquet or labels.parquet of this cycle is missing."))
    picks = {row["frame_id"]: row for row in selection.to_pylist()}
    bought = [row for row, frame_id in enumerate(labels.frame_ids) if frame_id in gathered.frame_rows]
    if not bought:
        return Markup(title + note("No frame was bought in this cycle."))
    reasons = {picks[labels.frame_ids[row]]["reason"] for row in bought}
    line = el("p", _told(picks, [labels.frame_ids[row] for row in bought], reasons), class_="lead-in")
    steps = np.unique(np.linspace(0, len(bought) - 1, min(limit, len(bought))).round().astype(int))
    shots = []
    for row in (bought[step] for step in steps):
        pick = picks[labels.frame_ids[row]]
        shots.append(_pick(gathered, pick, labels, row, pick["reason"] if len(reasons) > 1 else ""))
    return Markup(title + line + el("div", shots, class_="thumbs"))


def _told(picks: dict[str, dict[str, Any]], bought: Sequence[str], reasons: set[str]) -> str:
    """How many frames were bought and by which triggers; the reason, where all picks share it."""
    triggers = Counter(picks[frame_id]["trigger"] for frame_id in bought)
    number = plural(len(bought), "frame")
    said = ", ".join(f"{count(times)} by {name}" for name, times in triggers.most_common())
    line = (
        f"{number} bought by {next(iter(triggers))}." if len(triggers) == 1 else f"{number} bought: {said}."
    )
    if len(reasons) == 1 and (reason := next(iter(reasons))):
        line = f"{number} bought. {reason[0].upper()}{reason[1:]}."
    over = len(picks) - len(bought)
    return f"{line} {plural(over, 'more pick')} did not fit the budget." if over > 0 else line


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
