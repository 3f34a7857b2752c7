"""Timelines for tests: written by hand, or from true boxes that are shaken and dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataengine.frameboxes import FrameBoxes
from dataengine.mine.tracking import Timeline


def timeline(
    boxes: FrameBoxes,
    clip: Any,
    time_s: Any,
    class_scores: Any = None,
    size: tuple[float, float] = (320, 192),
) -> Timeline:
    """The timeline of frames that already stand by clip and time, all of them candidates."""
    classes = boxes.class_id.astype(np.int64)
    if class_scores is None:
        class_scores = np.eye(max(3, int(classes.max(initial=0)) + 1))[classes] * boxes.score[:, None]
    return Timeline(
        clip=np.asarray(clip, np.int64),
        time_s=np.asarray(time_s, np.float64),
        candidate=np.arange(boxes.num_frames),
        size=np.tile(np.array(size, np.float64), (boxes.num_frames, 1)),
        offsets=boxes.offsets,
        xyxy=boxes.xyxy,
        score=boxes.score,
        class_id=classes,
        class_scores=np.asarray(class_scores, np.float32),
        row=np.arange(boxes.num_boxes),
    )


def shaken(boxes: FrameBoxes, rng: np.random.Generator, jitter: float) -> FrameBoxes:
    """The boxes with every edge moved by noise of ``jitter`` times the side."""
    sides = np.tile(boxes.xyxy[:, 2:] - boxes.xyxy[:, :2], 2)
    noise = rng.normal(0, jitter, boxes.xyxy.shape) * sides
    return FrameBoxes.build(
        boxes.frame_ids,
        boxes.counts,
        boxes.xyxy + noise,
        boxes.class_id,
        score=boxes.score,
        track_id=boxes.track_id,
    )


def dropped(boxes: FrameBoxes, rng: np.random.Generator, share: float) -> NDArray[np.bool_]:
    """``[B]`` which boxes are left when a share of them is missed."""
    kept: NDArray[np.bool_] = rng.random(boxes.num_boxes) >= share
    return kept
