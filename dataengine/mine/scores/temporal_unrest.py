"""Signs of unrest: tracks that waver, that jump, or that hang on the direction in which they are followed."""

from __future__ import annotations

import numpy as np

from dataengine.mine.scores.temporal_events import Events
from dataengine.mine.scores.temporal_scene import Scene
from dataengine.mine.tracking.association import pair_iou
from dataengine.mine.tracking.motion import coordinates, corners


def flickers(scene: Scene) -> Events:
    """Changes of a track between sure and unsure; half of each for the frame before and the one after.

    After the fragments of Zhang and Wang (2016, arXiv 1611.06467), by frame. Fails as ``bridged`` does, and
    for objects whose score is always near the level of a sure box.
    """
    gaps, line = scene.tracks.gaps, scene.line
    before, after = line.frame[gaps.before], line.frame[gaps.after]
    opening, closing = gaps.frame == before + 1, gaps.frame == after - 1
    frame = np.concatenate([gaps.frame[opening], before[opening], gaps.frame[closing], after[closing]])
    gap = np.concatenate([np.flatnonzero(kept) for kept in (opening, opening, closing, closing)])

    def text(i: int) -> str:
        at = gap[i]
        middle = f"{gaps.within[at]:.2f}" if gaps.within[at] else "nothing"
        scores = f"{line.score[gaps.before[at]]:.2f}, {middle}, {line.score[gaps.after[at]]:.2f}"
        return f"a {scene.name(gaps.track[at])} track flickers here: {scores}"

    return Events(frame=frame, weight=np.full(len(frame), 0.5), text=text)


def disagreeing(scene: Scene) -> Events:
    """Connections that the tracker makes in one direction of time and not in the other; half for each frame.

    The idea of Bengar (2019, arXiv 1908.11757), whose trackers follow boxes through the images. Fails, as any
    tracker does, in crowds of like objects.
    """
    line, forward, backward = scene.line, scene.tracks.boxes, scene.backward
    ends = []
    for one, other in ((forward, backward), (backward, forward)):
        first, second = scene.links(one)
        broken = other[first] != other[second]
        ends += [first[broken], second[broken]]
    box = np.concatenate(ends)

    def text(i: int) -> str:
        return f"a {scene.box_name(box[i])} {line.score[box[i]]:.2f} is tracked otherwise backward in time"

    return Events(frame=line.frame[box], weight=np.full(len(box), 0.5), text=text)


def jittery(scene: Scene) -> Events:
    """How far a box lies from the middle between its track's boxes before and after it: 1 - IoU.

    The centre and the scale term of Zhang and Wang (2016, arXiv 1611.06467) in one. Fails where objects turn
    or brake, and where frames are far apart.
    """
    line = scene.line
    first, second = scene.links(scene.tracks.boxes)
    follows = np.full(line.num_boxes, -1)
    follows[first] = second
    before = first[follows[second] >= 0]
    box = follows[before]
    after = follows[box]
    moment, begin, end = (line.time_s[line.frame[boxes]] for boxes in (box, before, after))
    share = ((moment - begin) / (end - begin))[:, None]
    start, stop = coordinates(line.xyxy[before]), coordinates(line.xyxy[after])
    overlap = pair_iou(line.xyxy[box], corners(start + share * (stop - start)))

    def text(i: int) -> str:
        name = scene.box_name(box[i])
        return f"a {name} box jumps here: overlap {overlap[i]:.2f} with the middle of the boxes beside it"

    return Events(frame=line.frame[box], weight=1 - overlap, text=text)
