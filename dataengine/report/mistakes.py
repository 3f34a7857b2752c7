"""The model's mistakes on val: the costliest ones as pictures, all of them as a table of confusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dataengine.frameboxes import FrameBoxes
from dataengine.report.confusion import confusions
from dataengine.report.data import Arm, Gathered
from dataengine.report.figures import key
from dataengine.report.html import Markup, el, note, section
from dataengine.report.judged import Mistakes, load
from dataengine.report.mined import picture_of
from dataengine.report.summary import Comparison
from dataengine.report.thumbnails import Drawn, thumbnail

MAX_SHOWN = 48
"""Pictures in one gallery, all arms together."""
MAX_PER_ARM = 12
MAX_PER_CLIP = 2
TAIL_WEIGHT = 2.0
"""A missed object of a declared rare class counts this many times its height."""


def mistakes(gathered: Gathered, comparison: Comparison) -> Markup:
    """The sections about the costliest mistakes and their kinds."""
    found = [(arm, load(gathered, arm.runs[0], comparison.cycle)) for arm in comparison.arms]
    known = [(arm, mine) for arm, mine in found if mine is not None]
    absent = [note(f"{arm.name}: mistakes.parquet is missing.") for arm, mine in found if mine is None]
    each = min(MAX_PER_ARM, max(2, MAX_SHOWN // max(len(known), 1)))
    introduction = el(
        "p",
        f"After cycle {comparison.cycle}, on val. Test frames are not shown on purpose: who looks at them "
        "starts to tune on them. A miss costs the height of the object in pixels, which stands for how near "
        f"it is, and {TAIL_WEIGHT:g} times that for a declared rare class. At most {MAX_PER_CLIP} pictures "
        "come from one clip. Broken orange boxes are the mistakes, thin white ones the other labels.",
    )
    misses = [_gallery(gathered, arm, mine, each, missed=True) for arm, mine in known]
    alarms = [_gallery(gathered, arm, mine, each // 2, missed=False) for arm, mine in known]
    return Markup(
        section("mistakes", "Costliest mistakes", introduction, misses, alarms, absent)
        + section("confusion", "Kinds of mistakes", confusions(gathered, comparison, known), absent)
    )


def _gallery(gathered: Gathered, arm: Arm, mine: Mistakes, limit: int, *, missed: bool) -> Markup:
    shots = _misses(gathered, mine, limit) if missed else _alarms(gathered, mine, limit)
    what = "objects it missed" if missed else "its most confident false alarms"
    title = el("h3", key(arm), f" {arm.name} · {what}")
    if not shots:
        return Markup(title + note("None on val."))
    return Markup(title + el("div", shots, class_="thumbs"))


def _misses(gathered: Gathered, mine: Mistakes, limit: int) -> list[Markup]:
    """The costliest frames: each with all its missed objects."""
    rows = _by_frame([row for row in mine.rows if row["kind"] == "missed"], "truth_box")
    ranked = []
    for frame_id, numbers in rows.items():
        boxes = mine.labels(frame_id)
        kept = [number for number in numbers if 0 <= number < boxes.num_boxes]
        if kept:
            kept.sort(key=lambda number: (-_cost(gathered, boxes, number), number))
            ranked.append((-_cost(gathered, boxes, kept[0]), frame_id, kept))
    chosen = _spread(gathered, sorted(ranked), limit)
    return [_miss(gathered, mine.labels(frame_id), frame_id, numbers) for _, frame_id, numbers in chosen]


def _cost(gathered: Gathered, boxes: FrameBoxes, number: int) -> float:
    height = float(boxes.xyxy[number, 3] - boxes.xyxy[number, 1])
    rare = gathered.taxonomy.classes[int(boxes.class_id[number])] in gathered.taxonomy.tail_classes
    return height * (TAIL_WEIGHT if rare else 1.0)


def _by_frame(rows: Sequence[dict[str, Any]], column: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["frame_id"], []).append(int(row[column]))
    return found


def _spread(gathered: Gathered, ranked: Sequence[Any], limit: int) -> list[Any]:
    """The first ``limit`` entries with at most ``MAX_PER_CLIP`` of one clip."""
    clips: Counter[str] = Counter()
    chosen: list[Any] = []
    for entry in ranked:
        row = gathered.frame_rows.get(entry[1])
        if row is None:
            continue
        clip = gathered.frames["clip_id"][row].as_py()
        clips[clip] += 1
        if clips[clip] <= MAX_PER_CLIP:
            chosen.append(entry)
        if len(chosen) == limit:
            break
    return chosen


def _miss(gathered: Gathered, boxes: FrameBoxes, frame_id: str, numbers: Sequence[int]) -> Markup:
    classes = gathered.taxonomy.classes
    names = [classes[int(boxes.class_id[number])] for number in numbers]
    missed = list(zip(numbers, names, strict=True))
    others = [n for n in range(boxes.num_boxes) if n not in numbers and not boxes.ignore[n]]
    drawn = [_context(gathered, boxes, n) for n in others]
    drawn += [Drawn(boxes.xyxy[n], "mistake", f"missed {name}") for n, name in missed]
    said = ", ".join(f"{name} {_size(boxes.xyxy[n])}" for n, name in missed[:3])
    over = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    caption = (el("b", "missed "), said, over, el("span", _where(gathered, frame_id), class_="objects"))
    words = f"Frame {frame_id}, missed: {said}{over}"
    return thumbnail(picture_of(gathered, frame_id, tuple(drawn)), words, caption)


def _alarms(gathered: Gathered, mine: Mistakes, limit: int) -> list[Markup]:
    """The most confident false alarm of each frame, best score first."""
    best: dict[str, tuple[float, str, int]] = {}
    for row in mine.rows:
        if row["kind"] == "false_alarm":
            entry = (-float(row["score"]), row["frame_id"], int(row["predicted_box"]))
            best[entry[1]] = min(entry, best.get(entry[1], entry))
    shots = []
    for negative, frame_id, number in _spread(gathered, sorted(best.values()), limit):
        predicted = mine.answers(frame_id)
        if predicted is not None and 0 <= number < predicted.num_boxes:
            shots.append(_alarm(gathered, mine.labels(frame_id), predicted, number, -negative))
    return shots


def _alarm(gathered: Gathered, truth: FrameBoxes, predicted: FrameBoxes, number: int, score: float) -> Markup:
    frame_id = str(truth.frame_ids[0])
    name = gathered.taxonomy.classes[int(predicted.class_id[number])]
    drawn = [_context(gathered, truth, n) for n in range(truth.num_boxes) if not truth.ignore[n]]
    drawn.append(Drawn(predicted.xyxy[number], "mistake", f"false alarm: {name}"))
    said = f"{name} {_size(predicted.xyxy[number])}, score {score:.2f}"
    caption = (el("b", "false alarm "), said, el("span", _where(gathered, frame_id), class_="objects"))
    words = f"Frame {frame_id}, false alarm: {said}"
    return thumbnail(picture_of(gathered, frame_id, tuple(drawn)), words, caption)


def _context(gathered: Gathered, boxes: FrameBoxes, number: int) -> Drawn:
    return Drawn(boxes.xyxy[number], "plain", gathered.taxonomy.classes[int(boxes.class_id[number])])


def _size(xyxy: Any) -> str:
    return f"{xyxy[2] - xyxy[0]:.0f}×{xyxy[3] - xyxy[1]:.0f} px"


def _where(gathered: Gathered, frame_id: str) -> str:
    row = gathered.frame_rows[frame_id]
    values = ", ".join(gathered.conditions[row].values())
    return f"{frame_id}{' · ' if values else ''}{values}"
