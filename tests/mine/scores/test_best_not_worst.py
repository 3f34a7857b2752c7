"""Guards against a score with its sign the wrong way round: what is taken must beat what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dataengine.mine.peers.ppal import weighted_entropy
from dataengine.mine.scores import SCORES
from dataengine.mine.scores.consistency import MODERATE, cald_consistency, symmetric_divergence
from dataengine.mine.scores.disagreement import box_disagreement
from dataengine.mine.scores.localisation import box_spread
from dataengine.mine.scores.pairing import Opinion, paired
from dataengine.mine.strategy import Task
from tests.mine.pools import pick, picked, synthetic
from tests.mine.scores.looks import task_of


def opinions(task: Task, *views: str) -> list[Opinion]:
    looks = [task.candidates.predictions, *(task.candidates.view(view) for view in views)]
    return [Opinion.of_places(look, task.config.min_score) for look in looks]


def spread(task: Task) -> np.ndarray:
    """Score-weighted mean of how far boxes move."""
    plain, flip, scale = opinions(task, "flip", "scale")
    moved = box_spread(plain, [flip, scale])
    shown = ~np.isnan(moved)
    frame, score = plain.boxes.frame_index[shown], plain.boxes.score[shown]
    total = np.bincount(frame, weights=score * moved[shown], minlength=60)
    return total / np.maximum(np.bincount(frame, weights=score, minlength=60), 1e-9)


def largest_divergence(task: Task) -> np.ndarray:
    plain, flip = opinions(task, "flip")
    found = np.zeros(60)
    divergence = symmetric_divergence(plain.class_scores, paired(plain, flip).of(flip.class_scores))
    np.maximum.at(found, plain.boxes.frame_index, divergence)
    return found


def nearness_to_moderate(task: Task) -> np.ndarray:
    plain, flip, scale = opinions(task, "flip", "scale")
    return -np.nan_to_num(cald_consistency(plain, [flip, scale]), nan=MODERATE)


def summed_disagreement(task: Task) -> np.ndarray:
    bits, frame, _ = box_disagreement(*opinions(task, "snapshot"))
    return np.bincount(frame, weights=bits, minlength=60)


WANTED: dict[str, Callable[[Task], np.ndarray]] = {
    "localisation": spread,
    "flip_consistency": largest_divergence,
    "consistency": nearness_to_moderate,
    "snapshot": summed_disagreement,
}


@pytest.mark.parametrize("name", WANTED)
def test_the_highest_are_taken(name: str) -> None:
    pool = synthetic()
    task = task_of(pool, aggregate="sum")
    wanted = WANTED[name](task)
    assert len(np.unique(wanted)) > 10
    number = {frame_id: place for place, frame_id in enumerate(task.candidates.frame_ids.to_pylist())}
    found = [number[f] for f in picked(pick(pool, name, 15, max_per_clip=0, bits=-1, aggregate="sum"))]
    left = sorted(set(range(60)) - set(found))
    assert wanted[found].min() >= wanted[left].max() - 1e-9
    assert np.corrcoef(wanted, SCORES[name].compute(task).values)[0, 1] > 0.99


def test_ppal_takes_from_the_most_uncertain() -> None:
    pool = synthetic()
    task = task_of(pool)
    worth = weighted_entropy(Opinion.of(task.candidates.predictions, 0.05), np.ones(3))
    number = {frame_id: place for place, frame_id in enumerate(task.candidates.frame_ids.to_pylist())}
    found = [number[f] for f in picked(pick(pool, "ppal", 5, max_per_clip=0, bits=-1))]
    assert worth[found].min() >= np.sort(worth)[-25]  # 4B, and difficulty may move a frame by a fifth


def test_cald_takes_the_most_moderate() -> None:
    pool = synthetic()
    task = task_of(pool)
    plain, flip, scale = opinions(task, "flip", "scale")
    metric = np.nan_to_num(cald_consistency(plain, [flip, scale]), nan=9)
    number = {frame_id: place for place, frame_id in enumerate(task.candidates.frame_ids.to_pylist())}
    found = [number[f] for f in picked(pick(pool, "cald", 10, max_per_clip=0, bits=-1))]
    assert metric[found].max() <= np.sort(metric)[11]  # 1.2 B
