"""Frames with predictions and truth, for tests of models of the detector's errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dataengine import mine
from dataengine.frameboxes import FrameBoxes, Predictions
from tests.mine.pools import CLASSES, frame_rows

CAR, PEDESTRIAN, CYCLIST = range(3)


def place(number: int) -> list[float]:
    """One of many boxes that do not touch each other."""
    return [20.0 * number, 0.0, 20.0 * number + 10, 10.0]


def scores_of(kind: int, score: float) -> list[float]:
    """Class scores of a box that is only ever one class."""
    return [score if number == kind else 0.0 for number in range(len(CLASSES))]


Said = tuple[int, int, float]
"""Place, class and score of a predicted box."""

There = tuple[int, int]
"""Place and class of an object."""


def known(frames: Sequence[tuple[str, Sequence[Said], Sequence[There]]]) -> mine.Known:
    """From ``(frame id, what is predicted, what is there)``; the drive is what stands before the slash."""
    ids = [frame_id for frame_id, _, _ in frames]
    said = [box for _, boxes, _ in frames for box in sorted(boxes, key=lambda box: -box[2])]
    there = [box for _, _, boxes in frames for box in boxes]
    predicted = FrameBoxes.build(
        ids,
        [len(boxes) for _, boxes, _ in frames],
        [place(number) for number, _, _ in said],
        [kind for _, kind, _ in said],
        score=[score for _, _, score in said],
    )
    truth = FrameBoxes.build(
        ids,
        [len(boxes) for _, _, boxes in frames],
        [place(number) for number, _ in there],
        [kind for _, kind in there],
    )
    rows = np.array([scores_of(kind, score) for _, kind, score in said], np.float32)
    return mine.Known(
        frames=frame_rows(ids),
        truth=truth,
        predictions=Predictions(
            boxes=predicted,
            class_scores=rows.reshape(-1, len(CLASSES)),
            embeddings=np.ones((len(ids), 4), np.float32),
        ),
    )


def detector(
    right: dict[int, float], *, seed: int = 0, drives: int = 20, per_drive: int = 10, prefix: str = "v"
) -> mine.Known:
    """Frames of a detector whose boxes of a class are right with a chance of ``score ** right[class]``."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(drives * per_drive):
        said = [(spot, kind, float(rng.uniform(0.05, 0.95))) for spot, kind in enumerate(right)]
        there = [(spot, kind) for spot, kind, score in said if rng.random() < score ** right[kind]]
        frames.append((f"{prefix}{number // per_drive:03d}/{number % per_drive:06d}", said, there))
    return known(frames)


def pool_of(
    frames: mine.Known, *, val: mine.Known | None = None, labelled: mine.Known | None = None
) -> mine.Pool:
    """A pool of frames, of which a test knows the truth and a miner does not."""
    dim = frames.predictions.embeddings.shape[1]
    counts = np.zeros(len(CLASSES), np.int64)
    if labelled is not None:
        counts = np.bincount(labelled.truth.class_id, minlength=len(CLASSES))
    return mine.Pool(
        frames=frames.frames,
        predictions=frames.predictions,
        labelled_embeddings=np.zeros((0, dim), np.float32)
        if labelled is None
        else labelled.predictions.embeddings,
        labelled_class_counts=counts,
        classes=CLASSES,
        labelled=labelled,
        val=val,
    )


def with_vectors(
    frames: mine.Known, *, features: np.ndarray | None = None, embeddings: np.ndarray | None = None
) -> mine.Known:
    """The same frames with other box features or frame embeddings."""
    changes: dict[str, np.ndarray] = {}
    if features is not None:
        changes["features"] = features.astype(np.float16)
    if embeddings is not None:
        changes["embeddings"] = embeddings.astype(np.float32)
    return replace(frames, predictions=replace(frames.predictions, **changes))
