"""Predictions and views of a few frames, written out box by box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dataengine import mine
from dataengine.config import MineConfig
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores.pairing import Opinion
from dataengine.mine.strategy import Task
from tests.mine.pools import CLASSES, by_hand

Box = tuple[Sequence[float], Sequence[float]]
"""``xyxy`` and the score of every class."""

HERE, RIGHT, FAR = (0.0, 0.0, 10.0, 10.0), (2.0, 0.0, 12.0, 10.0), (50.0, 50.0, 60.0, 60.0)
"""``RIGHT`` overlaps ``HERE`` by 80 / 120; ``FAR`` not at all."""


def look(*frames: Sequence[Box], features: Any = None) -> Predictions:
    """What is seen in frames ``c0/0``, ``c1/0``, ..., the best score first."""
    ids = [f"c{number}/0" for number in range(len(frames))]
    rows = [row for frame in frames for row in sorted(frame, key=lambda row: -max(row[1]))]
    scores = np.array([row[1] for row in rows], np.float32).reshape(-1, len(CLASSES))
    best = scores.argmax(axis=1) if len(scores) else []
    boxes = FrameBoxes.build(
        ids,
        [len(frame) for frame in frames],
        [row[0] for row in rows],
        best,
        score=scores.max(axis=1, initial=0),
    )
    kept = {} if features is None else {"features": np.asarray(features, np.float16)}
    return Predictions(
        boxes=boxes,
        class_scores=scores,
        embeddings=np.eye(max(1, len(ids)), dtype=np.float32)[: len(ids)],
        **kept,
    )


def opinion(*frames: Sequence[Box]) -> Opinion:
    """The same as an opinion; every box counts."""
    return Opinion.of(look(*frames), 0.0)


def pool_of(plain: Predictions, **views: Predictions) -> mine.Pool:
    """A pool of the frames of ``look`` with the given views."""
    pool = by_hand([(frame_id, []) for frame_id in plain.boxes.frame_ids.tolist()])
    return replace(pool, predictions=plain, views=views)


def task_of(pool: mine.Pool, **settings: Any) -> Task:
    """What a score is computed from."""
    config = MineConfig(**settings)
    return Task(candidates=Candidates(pool, config.min_score), config=config, rng=np.random.default_rng(0))
