"""An arm with its sign the wrong way round is caught: scores by their order, strategies by their purpose.

A new score falls under the first test by being in ``SCORES``; a new strategy fails the last until its purpose
is written into ``PURPOSES``. That a score's own sign is right is for the tests beside it, on frames by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.config import MineConfig
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates
from dataengine.mine.catalogue import SCORES
from dataengine.mine.diversity.badge import gradients
from dataengine.mine.diversity.coverage import nearest_similarity, unit_rows
from dataengine.mine.scores import CONSISTENCY
from dataengine.mine.scores.uncertainty import entropy
from dataengine.mine.strategy import Fill, FrameScores, Score, Task, ranked
from tests.mine.pools import pick, picked, synthetic

TAKEN = 12
BLIND = {"random", "random_clips", "every_kth", "whole_clips"}
"""Arms that want no frame more than another (``whole_clips`` without a score)."""

TWO_STAGES = {"cald"}
"""Asked for the whole pool, its first stage leaves nothing out, and the last frames are the second's."""

Purpose = Callable[[mine.Pool, list[str]], float]
"""Higher for what the arm is for, of the frames it took from a pool."""


def rows_of(pool: mine.Pool, frames: list[str]) -> list[int]:
    ids = pool.frames["frame_id"].to_pylist()
    return [ids.index(frame) for frame in frames]


def rare_boxes(pool: mine.Pool, frames: list[str]) -> float:
    """Cyclists that the model sees."""
    assert pool.predictions is not None
    found = pool.predictions.select(frames)
    return float(found.class_scores[:, 2].sum())


def covered(pool: mine.Pool, frames: list[str]) -> float:
    """How like a labelled or taken frame the worst covered one is."""
    assert pool.predictions is not None
    unit = unit_rows(pool.predictions.embeddings)[0]
    centres = np.concatenate([unit_rows(pool.labelled_embeddings)[0], unit[rows_of(pool, frames)]])
    return float(nearest_similarity(unit, centres).min())


def crowded(pool: mine.Pool, frames: list[str]) -> float:
    """How like its five nearest neighbours a frame is."""
    assert pool.predictions is not None
    unit = unit_rows(pool.predictions.embeddings)[0]
    return float(np.sort(unit[rows_of(pool, frames)] @ unit.T, axis=1)[:, -6:-1].mean())


def long_gradients(pool: mine.Pool, frames: list[str]) -> float:
    candidates = Candidates(pool, 0.05)
    numbers = np.flatnonzero(np.isin(candidates.frame_ids.to_pylist(), frames))
    return float(gradients(candidates, numbers, 0.05).squared.sum())


def unsure(pool: mine.Pool, frames: list[str]) -> float:
    """Entropy of the boxes, added up."""
    assert pool.predictions is not None
    found = pool.predictions.select(frames)
    return float(entropy(found.class_scores[found.boxes.score >= 0.05]).sum())


def inconsistent(pool: mine.Pool, frames: list[str]) -> float:
    """Boxes that another view moved or doubted."""
    values = CONSISTENCY.compute(task_of(pool)).values
    return float(values[rows_of(pool, frames)].sum())


def at_night(pool: mine.Pool, frames: list[str]) -> float:
    """Of four clips one is at night, and dark."""
    return float(np.sum(pool.frames["brightness"].to_numpy()[rows_of(pool, frames)] < 0.3))


def boxes(pool: mine.Pool, frames: list[str]) -> float:
    """Boxes that may be like an exemplar."""
    assert pool.predictions is not None
    return float(pool.predictions.select(frames).boxes.num_boxes)


PURPOSES: dict[str, tuple[Purpose, dict[str, float]]] = {
    "class_balanced": (rare_boxes, {"quota_share": 1.0}),
    "composed": (rare_boxes, {"quota_share": 1.0}),
    "expected_gain": (rare_boxes, {}),
    "auto": (rare_boxes, {}),
    "coverage": (covered, {}),
    "typical": (crowded, {}),
    "badge": (long_gradients, {}),
    "ppal": (unsure, {}),
    "cald": (inconsistent, {}),
    "condition_balanced": (at_night, {}),
    "look_balanced": (at_night, {}),
    "failures": (boxes, {}),
    "rare_lookalikes": (boxes, {}),
}
"""What each strategy is for, and settings that leave it to that."""


def task_of(pool: mine.Pool) -> Task:
    config = MineConfig()
    return Task(candidates=Candidates(pool, config.min_score), config=config, rng=np.random.default_rng(0))


def takes_the_best(score: Score, fill: Fill) -> bool:
    """Whether everything taken has at least the value of everything left."""
    task = task_of(synthetic(2, num_clips=6, per_clip=40))
    basket = Basket(task.candidates, TAKEN, max_per_clip=0, duplicate_bits=-1)
    fill(task, basket)
    values = score.compute(task).values
    left = np.delete(values, basket.picks)
    assert len(np.unique(values)) > 2, "a pool on which the score says something"
    return bool(values[basket.picks].min() >= left.max())


def negated(score: Score) -> Score:
    def compute(task: Task) -> FrameScores:
        found = score.compute(task)
        return FrameScores(values=-found.values, reason=found.reason)

    return replace(score, compute=compute)


@pytest.mark.parametrize("score", SCORES.values(), ids=list(SCORES))
def test_a_score_takes_its_highest_and_the_opposite_is_caught(score: Score) -> None:
    assert takes_the_best(score, ranked(score).fill)
    assert not takes_the_best(score, ranked(negated(score)).fill)


@pytest.mark.parametrize("name", PURPOSES)
def test_a_strategy_serves_its_purpose_and_the_opposite_is_caught(name: str) -> None:
    """Its picks beat the mean of the draws in every pool; those that it would take last do not."""
    purpose, settings = PURPOSES[name]
    gained, lost = [], []
    for seed in range(6):
        pool = synthetic(seed, num_clips=16)
        chance = np.mean([purpose(pool, taken(pool, "random", TAKEN, s, {})) for s in range(20)])
        gained.append(purpose(pool, taken(pool, name, TAKEN, 0, settings)) - chance)
        last = taken(pool, name, pool.frames.num_rows, 0, settings)[-TAKEN:]
        lost.append(purpose(pool, last) - chance)
    assert np.mean(gained) > 0
    assert np.sum(np.array(gained) > 0) >= 5
    assert np.mean(lost) < 0 or name in TWO_STAGES


def taken(pool: mine.Pool, arm: str, amount: int, seed: int, settings: dict[str, float]) -> list[str]:
    return picked(pick(pool, arm, amount, seed=seed, max_per_clip=0, bits=-1, **settings))


def test_every_strategy_has_a_purpose() -> None:
    assert set(mine.ARMS) - set(SCORES) - BLIND == set(PURPOSES)
