"""What tracks are worth on workspaces with a finished cycle 0.

``python -m tests.mine.tracking.of_workspace FOLDER...`` prints for every workspace how well the tracker keeps
the identities of the true boxes that sure predictions find, then for every score of tracks the mean over the
workspaces of: its rank correlation with the true errors of a frame, and errors and boxes of the declared tail
among its 120 highest frames, at most 3 of a clip. The truth of the pool judges here; no miner sees it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dataengine import boxes, mine, pooling
from dataengine.config import Config, EvaluateConfig, MineConfig
from dataengine.evaluate import count_errors
from dataengine.frameboxes import FrameBoxes
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores import temporal
from dataengine.mine.strategy import Task
from dataengine.mine.tracking import TrackerSettings, Tracks, tracks
from dataengine.workspace import Workspace
from tests.mine.tracking.mot import Figures, figures

Array = NDArray[np.float64]


def identities(candidates: Candidates, found: Tracks, truth: FrameBoxes) -> Figures:
    """The figures of the sure predictions, matched at an IoU of 0.5."""
    predicted = candidates.predictions.boxes
    sure = predicted.score >= TrackerSettings().sure_score
    match = boxes.match(predicted.filter(sure), truth, 0.5)
    judged = ~match.neutral
    row = np.where(judged, np.cumsum(judged) - 1, -1)
    hit = match.predicted_of[~truth.ignore]
    identity = candidates.clip[truth.frame_index] * 1_000_000 + truth.track_id
    return figures(identity[~truth.ignore], np.where(hit >= 0, row[hit], -1), found.track[sure][judged])


def ranks(values: Array) -> Array:
    """``[N]`` rank of each value; equal ones share the mean of theirs."""
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    mean: Array = (np.cumsum(count) - (count - 1) / 2)[inverse]
    return mean


def highest(values: Array, clip: NDArray[np.int64], number: int = 120, per_clip: int = 3) -> list[int]:
    """The frames that an arm would buy."""
    picked: list[int] = []
    bought = np.zeros(clip.max() + 1, np.int64)
    for frame in np.argsort(-values, kind="stable").tolist():
        if len(picked) < number and bought[clip[frame]] < per_clip:
            picked.append(frame)
            bought[clip[frame]] += 1
    return picked


def judged(folder: Path) -> dict[str, Array]:
    """By score: correlation, errors and rare boxes."""
    workspace = Workspace.open(folder)
    needs = frozenset({mine.Need.predictions, mine.Need.labelled})
    pool = pooling.build(workspace, workspace.runs()[0], Config(), 1, needs=needs, shut=set())
    candidates = Candidates(pool, MineConfig().min_score)
    truth = workspace.lake.truth(candidates.frame_ids.to_pylist())
    print(folder.name, identities(candidates, tracks(candidates), truth), flush=True)
    errors = count_errors(truth, candidates.predictions.boxes, EvaluateConfig())
    tail = [workspace.taxonomy.index(name) for name in workspace.taxonomy.tail_classes]
    rare = np.bincount(
        truth.frame_index[np.isin(truth.class_id, tail) & ~truth.ignore], minlength=len(candidates)
    )
    task = Task(candidates=candidates, config=MineConfig(), rng=np.random.default_rng(0))
    values = {score.name: score.compute(task).values for score in temporal.SCORES}
    values["random"] = task.rng.random(len(candidates))
    values["entropy, summed"] = _summed_entropy(candidates)
    answer = {}
    for name, value in values.items():
        top = highest(value, candidates.clip)
        correlation = np.corrcoef(ranks(value), ranks(errors))[0, 1] if np.ptp(value) else 0.0
        answer[name] = np.array([correlation, errors[top].mean(), rare[top].mean()])
    return answer


def _summed_entropy(candidates: Candidates) -> Array:
    chance = candidates.boxes.score.astype(np.float64).clip(1e-6, 1 - 1e-6)
    bits = -chance * np.log2(chance) - (1 - chance) * np.log2(1 - chance)
    return np.bincount(candidates.boxes.frame, weights=bits, minlength=len(candidates)).astype(np.float64)


if __name__ == "__main__":
    tables = [judged(Path(folder)) for folder in sys.argv[1:]]
    for score in tables[0]:
        mean = np.mean([table[score] for table in tables], axis=0)
        print(f"{score:20s} {mean[0]:6.2f} {mean[1]:6.2f} {mean[2]:6.2f}")
