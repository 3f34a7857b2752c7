"""Signs of errors: boxes and gaps that the rest of their track speaks against."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dataengine.mine.scores.temporal_events import Events
from dataengine.mine.scores.temporal_scene import Scene

LEAST_FLIPPED = 3
"""Frames from which a track has a class that most of its boxes agree on."""

EMPTY = 0.1
"""What a gap without so much as a faint box counts. On a development world at 2 frames a second, an object
was there and missed in one such gap of twelve, and in every other one with a faint box."""


def contradicted(scene: Scene) -> Events:
    """Sure boxes that should not be there, and faint boxes that should be sure.

    Every box gets the mean of its score and of its track's in the frames beside it; a frame without a box of
    the track counts 0, unless the object may have been outside of the image or too small then. A sure box
    that falls below the level of a sure one is probably a false alarm, weight one minus this mean; a faint
    box that comes up to it is probably a missed object, weight this mean. It is the idea of Bengar (2019,
    arXiv 1908.11757), who labels detections anew by a cut through the graph that connects them, on a chain
    and in one step. Fails where the tracker joins two objects, and for what is brief.
    """
    box, before, after = scene.beside()
    score = scene.line.score[box].astype(np.float64)
    sides = np.stack([before, after])
    known = np.isfinite(sides) & ((sides > 0) | scene.inside(box))
    beside = np.where(known, sides, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    chance = np.where(known.any(axis=0), (score + beside) / 2, score)
    sure = score >= scene.sure_score
    kept = sure != (chance >= scene.sure_score)
    box, before, after, chance, sure = (column[kept] for column in (box, before, after, chance, sure))

    def text(i: int) -> str:
        here = f"{scene.line.score[box[i]]:.2f}"
        around = _around(before[i], after[i])
        if sure[i]:
            return f"a {scene.box_name(box[i])} {here} has {around} on its track: probably a false alarm"
        name = scene.name(scene.tracks.boxes[box[i]])
        return f"a {name} track has only {here} here, {around}: probably missed"

    return Events(frame=scene.line.frame[box], weight=np.where(sure, 1 - chance, chance), text=text)


def _around(before: float, after: float) -> str:
    """The scores beside a box in words; NaN where there is no frame."""
    sides = [f"{value:.2f} {word}" for value, word in ((before, "before"), (after, "after"))]
    return " and ".join(
        side for side, value in zip(sides, (before, after), strict=True) if math.isfinite(value)
    )


def isolated(scene: Scene) -> Events:
    """Sure boxes that no sure box of the frames before and after continues: probably false alarms.

    After Jin (2018, arXiv 1808.04285), who asks for an overlap with the place that template matching finds in
    the neighbouring images; there are no images here, so the tracker's motion stands for that. The weight is
    one minus the score, less what a nearer box hides. Boxes near the border of the image, small ones, and
    those of the first and last frames do not count. Fails where the tracker loses an object, and for false
    alarms that persist.
    """
    line, level = scene.line, scene.sure_score
    box, before, after = scene.beside()
    kept = (line.score[box] >= level) & (before < level) & (after < level) & scene.inside(box)
    box, before, after = box[kept], before[kept], after[kept]
    hidden: NDArray[np.float64] = scene.hidden(line.frame[box], line.xyxy[box])
    weight = (1 - line.score[box].astype(np.float64)) * (1 - hidden)

    def text(i: int) -> str:
        name, score = scene.box_name(box[i]), line.score[box[i]]
        return f"a {name} {score:.2f} is alone: its track has {before[i]:.2f} before and {after[i]:.2f} after"

    return Events(frame=line.frame[box], weight=weight, text=text)


def bridged(scene: Scene) -> Events:
    """Frames that a track goes through without a sure box: an object that was probably missed.

    The weight is the lower of the scores on both sides, less what a nearer box hides of the place; a tenth of
    that where there is not even a faint box, and 0 where a sure box of another track is there. Fails where
    the tracker joins two objects, and where the object is hidden by what has no box.
    """
    gaps, line = scene.tracks.gaps, scene.line
    weight = np.minimum(line.score[gaps.before], line.score[gaps.after]).astype(np.float64)
    weight *= (1 - scene.hidden(gaps.frame, gaps.xyxy)) * np.where(gaps.within > 0, 1, EMPTY)
    weight[scene.found(gaps.frame, gaps.xyxy)] = 0
    missing = line.frame[gaps.after] - line.frame[gaps.before] - 1

    def text(i: int) -> str:
        name, within = scene.name(gaps.track[i]), gaps.within[i]
        number = f"{missing[i]} frame{'s' if missing[i] > 1 else ''}"
        sides = f"between scores {line.score[gaps.before[i]]:.2f} and {line.score[gaps.after[i]]:.2f}"
        return f"a {name} track is bridged here for {number} {sides}" + (
            f", {within:.2f} here" if within else ""
        )

    return Events(frame=gaps.frame, weight=weight, text=text)


def flipped(scene: Scene) -> Events:
    """Sure boxes of another class than their track: probably a swapped class.

    The weight is the score of the box. Tracks of fewer than three frames do not count. Fails where the track
    goes on to another object, and where the track's own class is the wrong one.
    """
    tracks, line = scene.tracks, scene.line
    chain = scene.chain[tracks.length[tracks.boxes[scene.chain]] >= LEAST_FLIPPED]
    odd = chain[line.class_id[chain] != scene.class_of(tracks.boxes[chain])]

    def text(i: int) -> str:
        track = int(tracks.boxes[odd[i]])
        whole = f"a {scene.name(track)} track of {tracks.length[track]} frames"
        return f"{whole} is called {scene.box_name(odd[i])} {line.score[odd[i]]:.2f} here"

    return Events(frame=line.frame[odd], weight=line.score[odd].astype(np.float64), text=text)


def abrupt(scene: Scene) -> Events:
    """Tracks of several boxes that begin or end in mid-image: a missed object beside, or a false alarm in it.

    Half the score goes to the frame without the box (less what a nearer box hides there), and half of what
    the score leaves open to the frame with it. Tracks near the border of the image and small boxes do not
    count. Fails for what comes out of hiding behind things without boxes.
    """
    tracks, line, chain = scene.tracks, scene.line, scene.chain
    many = tracks.length[tracks.boxes[chain]] > 1
    columns = []
    for side, ends, exists in ((-1, scene.is_first, scene.has_before), (1, scene.is_last, scene.has_after)):
        box = chain[ends & many]
        box = box[exists[line.frame[box]] & scene.inside(box)]
        frame, score = line.frame[box], line.score[box].astype(np.float64)
        absent = score * (1 - scene.hidden(frame + side, line.xyxy[box]))
        columns.append((frame + side, absent / 2, box))
        columns.append((frame, (1 - score) / 2, box))
    frame, weight, boxes = (np.concatenate(column) for column in zip(*columns, strict=True))
    begins = np.repeat([True, True, False, False], [len(column[0]) for column in columns])

    def text(i: int) -> str:
        step = int(frame[i] - line.frame[boxes[i]])
        where = {-1: "just after this frame", 0: "here", 1: "just before this frame"}[step]
        verb = "begins" if begins[i] else "ends"
        return f"a {scene.box_name(boxes[i])} {line.score[boxes[i]]:.2f} {verb} in mid-image {where}"

    return Events(frame=frame, weight=weight, text=text)
