"""Timelines for tests: written by hand, or from true boxes that are shaken and dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataengine import mine
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine.candidates import Candidates
from dataengine.mine.tracking import Timeline
from tests.mine.pools import CLASSES, frame_rows


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


Spot = tuple[float, str, float]
"""Centre x, class and score of a box 10 pixels wide and high, at mid-height of an image of 96 x 64."""


def pool(
    clips: dict[str, list[list[Spot]]],
    *,
    bought: tuple[str, ...] = (),
    times: dict[str, list[float | None]] | None = None,
) -> mine.Pool:
    """A pool of clips at two frames a second, given as the boxes of each frame; ``bought`` are labelled."""
    ids = [f"{clip}/{number}" for clip, frames in clips.items() for number in range(len(frames))]
    spots = {f"{clip}/{n}": spots for clip, frames in clips.items() for n, spots in enumerate(frames)}
    rows = frame_rows(ids)
    if times is not None:
        seconds = pa.array([time for clip in clips for time in times[clip]], pa.float64())
        rows = rows.set_column(rows.schema.get_field_index("time_s"), "time_s", seconds)
    flat = [spot for frame_id in ids for spot in spots[frame_id]]
    scores = np.zeros((len(flat), len(CLASSES)), np.float32)
    scores[np.arange(len(flat)), [CLASSES.index(name) for _, name, _ in flat]] = [s for *_, s in flat]
    boxes = FrameBoxes.build(
        ids,
        [len(spots[frame_id]) for frame_id in ids],
        [[x - 5, 27, x + 5, 37] for x, *_ in flat],
        [CLASSES.index(name) for _, name, _ in flat],
        score=[score for *_, score in flat],
    )
    predictions = Predictions(boxes=boxes, class_scores=scores, embeddings=np.eye(len(ids), dtype=np.float32))
    closed = pa.array([frame_id in bought for frame_id in ids])
    known = None
    if bought:
        truth = FrameBoxes.build(bought, [0] * len(bought), [], [])
        known = mine.Known(frames=rows.filter(closed), truth=truth, predictions=predictions.select(bought))
    return mine.Pool(
        frames=rows.filter(pc.invert(closed)),
        predictions=predictions,
        labelled_embeddings=np.zeros((0, len(ids)), np.float32),
        labelled_class_counts=np.zeros(len(CLASSES), np.int64),
        classes=CLASSES,
        labelled=known,
    )


def candidates(clips: dict[str, list[list[Spot]]], **settings: Any) -> Candidates:
    """The candidates of ``pool``."""
    return Candidates(pool(clips, **settings), 0.05)
