"""Pools for the tests of mining: a synthetic fleet, and pools written out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dataengine import mine
from dataengine.config import Budget, LabelConfig, MineConfig
from dataengine.frameboxes import FrameBoxes, Predictions

CLASSES = ("car", "pedestrian", "cyclist")


def by_hand(
    frames: Sequence[tuple[str, Sequence[Sequence[float]]]],
    *,
    embeddings: Any = None,
    labelled: Any = None,
    phash: Sequence[int | None] | None = None,
    counts: Sequence[int] = (40, 20, 2),
) -> mine.Pool:
    """A pool from ``(frame id, class scores of each box)``; the clip is what stands before the slash."""
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
    # Hashes far from each other: nothing looks alike unless a test says so.
    hashes = phash if phash is not None else [index * 0x9E3779B97F4A7C15 % 2**64 for index in range(len(ids))]
    return mine.Pool(
        frames=pa.table(
            {
                "frame_id": pa.array(ids, pa.string()),
                "clip_id": pa.array([frame_id.split("/")[0] for frame_id in ids], pa.string()),
                "phash": pa.array(hashes, pa.uint64()),
            }
        ),
        predictions=Predictions(boxes=boxes, class_scores=scores, embeddings=vectors.astype(np.float32)),
        labelled_embeddings=known.astype(np.float32),
        labelled_class_counts=np.array(counts),
        classes=CLASSES,
    )


def synthetic(seed: int = 0, num_clips: int = 12, per_clip: int = 5) -> mine.Pool:
    """Clips whose frames resemble each other; some frames repeat the one before."""
    rng = np.random.default_rng(seed)
    number = num_clips * per_clip
    ids = [f"clip{index // per_clip:03d}/{index % per_clip:06d}" for index in range(number)]
    counts = rng.poisson(2.5, number)
    total = int(counts.sum())
    scores = (rng.beta(1, 4, (total, 3)) * [1.0, 0.8, 0.4]).astype(np.float32)
    boxes = FrameBoxes.build(
        ids, counts, np.tile([0, 0, 9, 9], (total, 1)), scores.argmax(axis=1), score=scores.max(axis=1)
    )
    clip_vectors = rng.normal(size=(num_clips, 8))
    vectors = np.repeat(clip_vectors, per_clip, axis=0) + rng.normal(0, 0.4, (number, 8))
    hashes = rng.integers(0, 2**63, number).astype(np.uint64)
    repeats = np.flatnonzero((rng.random(number) < 0.3) & (np.arange(number) % per_clip > 0))
    for index in repeats:
        hashes[index] = hashes[index - 1] ^ np.uint64(1)
    return mine.Pool(
        frames=pa.table(
            {"frame_id": ids, "clip_id": [i.split("/")[0] for i in ids], "phash": pa.array(hashes)}
        ),
        predictions=Predictions(boxes=boxes, class_scores=scores, embeddings=vectors.astype(np.float32)),
        labelled_embeddings=rng.normal(size=(6, 8)).astype(np.float32),
        labelled_class_counts=np.array([30, 12, 3]),
        classes=CLASSES,
    )


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
    predictions = pool.predictions
    assert predictions is not None
    return mine.Pool(
        frames=pool.frames.take(pa.array(rng.permutation(pool.frames.num_rows))),
        predictions=predictions.select(predictions.boxes.frame_ids[rng.permutation(pool.frames.num_rows)]),
        labelled_embeddings=pool.labelled_embeddings,
        labelled_class_counts=pool.labelled_class_counts,
        classes=pool.classes,
    )
