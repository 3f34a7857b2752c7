"""Pools for the tests of mining: a synthetic fleet, and pools written out by hand.

Every pool holds all that an arm may ask for: rows of schema ``FRAMES`` with times and conditions, box
features, views, labelled frames and, where it is synthetic, val.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine import mine
from dataengine.config import Budget, LabelConfig, MineConfig
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.schema import FRAMES

CLASSES = ("car", "pedestrian", "cyclist")
SECONDS_PER_FRAME = 0.5
FEATURES = 6
VIEWS = tuple(need.value for need in mine.VIEWS)


def frame_rows(ids: Sequence[str], phash: Sequence[int | None] | None = None) -> pa.Table:
    """Rows of schema ``FRAMES``; the clip is what stands before the slash, two frames a second.

    Clips take turns at day and night; without ``phash`` no two frames look alike.
    """
    clips, numbers = zip(*(frame_id.split("/") for frame_id in ids), strict=True) if ids else ((), ())
    is_night = {clip: place % 4 == 3 for place, clip in enumerate(sorted(set(clips)))}
    rows: dict[str, Any] = {
        "frame_id": list(ids),
        "clip_id": clips,
        "drive_id": clips,
        "frame_number": [int(number) for number in numbers],
        "time_s": [int(number) * SECONDS_PER_FRAME for number in numbers],
        "width": [96] * len(ids),
        "height": [64] * len(ids),
        "sharpness": [100.0 + 7 * (index % 5) for index in range(len(ids))],
        "brightness": [
            0.2 if is_night[clip] else 0.5 + 0.01 * (index % 7) for index, clip in enumerate(clips)
        ],
        "plain_share": [0.1] * len(ids),
        "phash": list(phash)
        if phash is not None
        else [index * 0x9E3779B97F4A7C15 % 2**64 for index in range(len(ids))],
        "speed_mps": [8.0] * len(ids),
        "yaw_rate_radps": [0.0] * len(ids),
        "acceleration_mps2": [0.0] * len(ids),
        "conditions": [[("time_of_day", "night" if is_night[clip] else "day")] for clip in clips],
    }
    columns = [pa.array(rows.get(field.name, [""] * len(ids)), field.type) for field in FRAMES]
    return pa.Table.from_arrays(columns, schema=FRAMES)


def nothing_known(dim: int, num_classes: int = len(CLASSES)) -> mine.Known:
    """No frame at all, with predictions of the right widths."""
    return mine.Known(
        frames=FRAMES.empty_table(),
        truth=FrameBoxes.build([], [], [], []),
        predictions=Predictions(
            boxes=FrameBoxes.build([], [], [], []),
            class_scores=np.zeros((0, num_classes), np.float32),
            embeddings=np.zeros((0, dim), np.float32),
        ),
    )


def by_hand(
    frames: Sequence[tuple[str, Sequence[Sequence[float]]]],
    *,
    embeddings: Any = None,
    labelled: Any = None,
    phash: Sequence[int | None] | None = None,
    counts: Sequence[int] = (40, 20, 2),
    features: Any = None,
) -> mine.Pool:
    """A pool from ``(frame id, class scores of each box)``; the clip is what stands before the slash.

    The labelled frames hold no boxes, there is no val, and every view says what the first look said.
    """
    ids = [frame_id for frame_id, _ in frames]
    scores = np.array([row for _, rows in frames for row in rows], np.float32).reshape(-1, len(CLASSES))
    best = np.nan_to_num(scores, nan=-1).argmax(axis=1) if len(scores) else np.zeros(0)
    boxes = FrameBoxes.build(
        ids,
        [len(rows) for _, rows in frames],
        np.tile([0.0, 0.0, 10.0, 10.0], (len(scores), 1)),
        best,
        score=scores.max(axis=1) if len(scores) else [],
    )
    vectors = np.eye(len(ids), max(1, len(ids))) if embeddings is None else np.asarray(embeddings)
    known = np.zeros((0, vectors.shape[1])) if labelled is None else np.asarray(labelled)
    kept = {} if features is None else {"features": np.asarray(features, np.float16)}
    predictions = Predictions(boxes=boxes, class_scores=scores, embeddings=vectors.astype(np.float32), **kept)
    return mine.Pool(
        frames=frame_rows(ids, phash),
        predictions=predictions,
        labelled_embeddings=known.astype(np.float32),
        labelled_class_counts=np.array(counts),
        classes=CLASSES,
        labelled=_without_boxes(known.astype(np.float32)),
        views=dict.fromkeys(VIEWS, predictions),
    )


def _without_boxes(embeddings: np.ndarray) -> mine.Known:
    ids = [f"labelled{index:03d}/000000" for index in range(len(embeddings))]
    none = FrameBoxes.build(ids, [0] * len(ids), [], [])
    no_scores = np.zeros((0, len(CLASSES)), np.float32)
    return mine.Known(
        frames=frame_rows(ids),
        truth=none,
        predictions=Predictions(boxes=none, class_scores=no_scores, embeddings=embeddings),
    )


def synthetic(seed: int = 0, num_clips: int = 12, per_clip: int = 5) -> mine.Pool:
    """Clips whose frames resemble each other; some frames repeat the one before.

    With views that waver, six labelled frames and eight of val, box features that follow the class.
    """
    rng = np.random.default_rng(seed)
    number = num_clips * per_clip
    ids = [f"clip{index // per_clip:03d}/{index % per_clip:06d}" for index in range(number)]
    counts = rng.poisson(2.5, number)
    total = int(counts.sum())
    scores = (rng.beta(1, 4, (total, 3)) * [1.0, 0.8, 0.4]).astype(np.float32)
    clip_vectors = rng.normal(size=(num_clips, 8))
    vectors = np.repeat(clip_vectors, per_clip, axis=0) + rng.normal(0, 0.4, (number, 8))
    hashes = rng.integers(0, 2**63, number).astype(np.uint64)
    repeats = np.flatnonzero((rng.random(number) < 0.3) & (np.arange(number) % per_clip > 0))
    for index in repeats:
        hashes[index] = hashes[index - 1] ^ np.uint64(1)
    labelled_embeddings = rng.normal(size=(6, 8)).astype(np.float32)
    extra = np.random.default_rng([seed, 1])  # a stream of its own: the picks on file stay as they are
    predictions = _predicted(ids, counts, scores, vectors, extra)
    return mine.Pool(
        frames=frame_rows(ids, hashes.tolist()),
        predictions=predictions,
        labelled_embeddings=labelled_embeddings,
        labelled_class_counts=np.array([30, 12, 3]),
        classes=CLASSES,
        labelled=_known("labelled", labelled_embeddings, extra),
        val=_known("val", extra.normal(size=(8, 8)).astype(np.float32), extra),
        views={name: wavering(predictions, extra) for name in VIEWS},
    )


def _predicted(
    ids: Sequence[str], counts: Any, scores: np.ndarray, vectors: np.ndarray, rng: np.random.Generator
) -> Predictions:
    """Predictions with boxes inside of 96 x 64 pixels that move along a clip, best score first."""
    total = len(scores)
    frame = np.repeat(np.arange(len(ids)), counts)
    within = np.arange(total) - np.searchsorted(frame, frame)
    order = np.lexsort((-scores.max(axis=1, initial=0.0), frame))
    scores = scores[order]
    best = scores.argmax(axis=1) if total else np.zeros(0, np.int64)
    corners, sizes = _moving(ids, frame, within, rng)
    xyxy = np.hstack([corners, corners + sizes])
    return Predictions(
        boxes=FrameBoxes.build(ids, counts, xyxy, best, score=scores.max(axis=1, initial=0.0)),
        class_scores=scores,
        embeddings=vectors.astype(np.float32),
        features=(np.eye(len(CLASSES), FEATURES)[best] + rng.normal(0, 0.3, (total, FEATURES))).astype(
            np.float16
        ),
    )


def _moving(
    ids: Sequence[str], frame: np.ndarray, within: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Corners and sizes of boxes: number n of one frame is number n of the next, a little further on."""
    clips = np.unique([frame_id.split("/")[0] for frame_id in ids], return_inverse=True)[1]
    numbers = np.array([int(frame_id.split("/")[1]) for frame_id in ids])
    shape = (int(clips.max(initial=-1)) + 1, int(within.max(initial=-1)) + 1, 2)
    first, speed = rng.uniform([0, 0], [60, 30], shape), rng.normal(0, 1.0, shape)
    size = rng.uniform(8, 24, shape)
    place, jitter = (clips[frame], within), rng.normal(0, 0.5, (len(frame), 2))
    corners = first[place] + speed[place] * numbers[frame, None] + jitter
    return np.clip(corners, 0, [70, 38]), size[place]


def wavering(predictions: Predictions, rng: np.random.Generator) -> Predictions:
    """The same boxes seen otherwise: somewhat moved, some scores halved."""
    boxes, scores = predictions.boxes, predictions.class_scores
    factor = np.where(rng.random(len(scores)) < 0.3, 0.5, 1.0).astype(np.float32)
    moved = FrameBoxes.build(
        boxes.frame_ids,
        boxes.counts,
        boxes.xyxy + rng.normal(0, 0.7, boxes.xyxy.shape),
        boxes.class_id,
        score=boxes.score * factor,
    )
    return replace(predictions, boxes=moved, class_scores=scores * factor[:, None])


def _known(name: str, embeddings: np.ndarray, rng: np.random.Generator) -> mine.Known:
    """Labelled frames, three of a clip: two objects each but for the first, some of them overlooked."""
    ids = [f"{name}{index // 3:03d}/{index % 3:06d}" for index in range(len(embeddings))]
    counts = np.array([0] + [2] * (len(ids) - 1))
    scores = (rng.beta(1, 2, (int(counts.sum()), 3)) * [1.0, 0.8, 0.4]).astype(np.float32)
    predictions = _predicted(ids, counts, scores, embeddings, rng)
    boxes = predictions.boxes
    truth = FrameBoxes.build(
        ids,
        counts,
        boxes.xyxy + rng.normal(0, 1, boxes.xyxy.shape) + 30 * (rng.random(len(scores)) < 0.3)[:, None],
        np.where(rng.random(len(scores)) < 0.2, 2, boxes.class_id),
    )
    return mine.Known(frames=frame_rows(ids), truth=truth, predictions=predictions)


def pick(
    pool: mine.Pool,
    arm: str,
    amount: float,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    bits: int = 4,
    **settings: Any,
) -> pa.Table:
    """``mine.select`` with a frame budget and short names."""
    return mine.select(
        pool,
        budget=budget or Budget(amount=amount),
        config=MineConfig(name=arm, **settings),
        label=LabelConfig(),
        duplicate_bits=bits,
        cycle=1,
        rng=np.random.default_rng(seed),
    )


def picked(selection: pa.Table) -> list[str]:
    """Frame ids by rank."""
    return list(selection["frame_id"].to_pylist())


def shuffled(pool: mine.Pool, seed: int) -> mine.Pool:
    """The same pool with its frames, and its predictions, in other orders."""
    rng = np.random.default_rng(seed)

    def mixed(predictions: Predictions) -> Predictions:
        return predictions.select(predictions.boxes.frame_ids[rng.permutation(predictions.boxes.num_frames)])

    assert pool.predictions is not None
    return replace(
        pool,
        frames=pool.frames.take(pa.array(rng.permutation(pool.frames.num_rows))),
        predictions=mixed(pool.predictions),
        views={name: mixed(view) for name, view in pool.views.items()},
    )
