"""Moments that a clip does not lead one to expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dataengine import mine
from dataengine.mine.scores.surprise import prediction_errors, usual_errors
from tests.mine.pools import by_hand, pick, picked


def drifting(broken: str = "") -> mine.Pool:
    """Thirty clips of six frames whose embeddings move steadily on; ``broken`` is a frame that jumps."""
    rng = np.random.default_rng(0)
    ids, vectors = [], []
    for clip in range(30):
        start, pace = rng.normal(size=3), rng.normal(size=3) * 0.3
        for frame in range(6):
            ids.append(f"c{clip:02d}/{frame}")
            vectors.append(start + pace * frame + rng.normal(0, 0.01, 3) + (3 if ids[-1] == broken else 0))
    return by_hand([(frame_id, []) for frame_id in ids], embeddings=vectors)


def test_the_frame_that_jumps_comes_first() -> None:
    selection = pick(drifting("c07/3"), "surprise", 3)
    assert picked(selection)[0] == "c07/3"
    assert selection["score"][0].as_py() > 1.5 * selection["score"][2].as_py()
    assert "times as unlike what its clip leads to expect" in selection["reason"][0].as_py()


def test_steady_motion_is_predicted() -> None:
    rng = np.random.default_rng(0)
    seen = np.concatenate(
        [rng.normal(size=3) + np.outer(np.arange(5), rng.normal(size=3)) for _ in range(200)]
    )
    step = np.where(np.arange(1000) % 5 > 0, np.arange(1000) - 1, -1)
    found = prediction_errors(seen, np.full((1000, 2), np.nan), step)
    assert np.isnan(found[np.arange(1000) % 5 < 2]).all()
    known = np.arange(1000) % 5 >= 2
    stays = np.linalg.norm(seen[known] - seen[step[known]], axis=1)
    assert (found[known] / stays).mean() < 0.1  # of what it would be for "as before"


def test_what_is_usual_depends_on_the_motion() -> None:
    error = np.array([1.0] * 40 + [3.0] * 40)
    motion = np.column_stack([[0.0] * 40 + [20.0] * 40, np.zeros(80)])
    np.testing.assert_allclose(usual_errors(error, motion), error)
    unknown = usual_errors(error, np.full((80, 2), np.nan))
    np.testing.assert_allclose(unknown, 2)


def test_a_turn_explains_an_error() -> None:
    """Every frame of a turning car jumps: that is usual there."""
    pool = drifting()
    assert pool.predictions is not None
    turning = np.arange(180) >= 90
    vectors = pool.predictions.embeddings + np.random.default_rng(1).normal(0, 1, (180, 3)) * turning[:, None]
    frames = pool.frames.set_column(
        pool.frames.column_names.index("yaw_rate_radps"), "yaw_rate_radps", [turning.astype(np.float32)]
    )
    known = replace(
        pool, frames=frames, predictions=replace(pool.predictions, embeddings=vectors.astype(np.float32))
    )
    from_turns = [frame_id >= "c15" for frame_id in picked(pick(known, "surprise", 40))]
    blind = replace(known, frames=pool.frames)
    without = [frame_id >= "c15" for frame_id in picked(pick(blind, "surprise", 40))]
    assert sum(without) > 35  # plain error sees turns alone
    assert 10 < sum(from_turns) < 32


def test_short_clips_do_not_surprise() -> None:
    selection = pick(by_hand([("a/0", []), ("a/1", []), ("b/0", [])]), "surprise", 3)
    assert selection["score"].to_pylist() == [0, 0, 0]
    assert all("too few frames" in reason for reason in selection["reason"].to_pylist())
