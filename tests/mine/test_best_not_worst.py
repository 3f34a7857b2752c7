"""Guards against a miner with its sign the wrong way round: what it takes must beat what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.config import MineConfig
from dataengine.mine.candidates import Candidates
from dataengine.mine.class_balanced import class_scores
from dataengine.mine.scores.uncertainty import frame_scores
from tests.mine.pools import pick, picked, synthetic


@pytest.mark.parametrize("uncertainty", ["entropy", "margin"])
@pytest.mark.parametrize("aggregate", ["max", "mean", "sum"])
def test_uncertainty_takes_the_least_certain(uncertainty: str, aggregate: str) -> None:
    pool = synthetic()
    config = MineConfig(uncertainty=uncertainty, aggregate=aggregate)
    scores = frame_scores(Candidates(pool, config.min_score).boxes, pool.frames.num_rows, config)
    score_of = dict(zip(pool.frames["frame_id"].to_pylist(), scores, strict=True))
    found = picked(
        pick(pool, "uncertainty", 15, max_per_clip=0, bits=-1, uncertainty=uncertainty, aggregate=aggregate)
    )
    left = set(score_of) - set(found)
    assert min(score_of[frame] for frame in found) >= max(score_of[frame] for frame in left)
    assert max(score_of.values()) > 2 * np.median(list(score_of.values())) or aggregate != "sum"


def test_class_balanced_takes_the_surest_of_the_rarest() -> None:
    pool = synthetic()
    scores = class_scores(Candidates(pool, 0.05), 0.05)
    rarest = int(scores.expected.argmin())
    selection = pick(pool, "class_balanced", 15, quota_share=1.0, max_per_clip=0, bits=-1)
    rows = selection.to_pylist()
    names = [row["trigger"] for row in rows]
    assert names.count("class:cyclist") > names.count("class:pedestrian") >= names.count("class:car")
    score_of = dict(zip(pool.frames["frame_id"].to_pylist(), scores.frame[:, rarest], strict=True))
    taken = [row["frame_id"] for row in rows if row["trigger"] == "class:cyclist"]
    left = set(score_of) - {row["frame_id"] for row in rows}
    assert min(score_of[frame] for frame in taken) >= max(score_of[frame] for frame in left)


def test_coverage_takes_the_farthest() -> None:
    pool = synthetic()
    assert pool.predictions is not None

    def unit(rows: np.ndarray) -> np.ndarray:
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    vectors, centres = unit(pool.predictions.embeddings), unit(pool.labelled_embeddings)
    nearest = (1 - vectors @ centres.T).min(axis=1)
    ids = pool.frames["frame_id"].to_pylist()
    assert picked(pick(pool, "coverage", 1)) == [ids[int(nearest.argmax())]]

    def radius(frames: list[str]) -> float:
        """Distance of the worst covered frame once these are labelled."""
        rows = [ids.index(frame) for frame in frames]
        return float((1 - vectors @ np.concatenate([centres, vectors[rows]]).T).min(axis=1).max())

    found = picked(pick(pool, "coverage", 12, max_per_clip=0, bits=-1))
    chance = [radius(picked(pick(pool, "random", 12, seed=s, max_per_clip=0, bits=-1))) for s in range(20)]
    assert radius(found) < min(chance)
