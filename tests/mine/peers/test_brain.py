"""FiftyOne Brain's rankings: our code against hand-made values, and against Brain itself."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.peers import brain
from dataengine.mine.peers.brain import entropy_of_prediction, uniqueness
from tests.mine.pools import by_hand, pick, picked


def on_circle(degrees: list[float]) -> np.ndarray:
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


ANGLES = [0.0, 20.0, 50.0, 180.0, 200.0, 230.0]
"""Two bunches that are opposite to each other, so that their middle is the origin."""

ARCS = [(20, 50, 130, 160), (20, 30, 150, 160), (30, 50, 130, 150)] * 2
"""Degrees to the four nearest others."""


def test_uniqueness_by_hand() -> None:
    """Cosine distances to the second, third and fourth neighbour, and by the largest."""
    far = 1 - np.cos(np.radians(ARCS))
    weighted = far[:, 1:] @ [0.6, 0.3, 0.1]
    np.testing.assert_allclose(uniqueness(on_circle(ANGLES)), weighted / weighted.max(), rtol=1e-5)


def test_uniqueness_of_many_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chords instead."""
    monkeypatch.setattr(brain, "PRECOMPUTED_TO", 5)
    chords = 2 * np.sin(np.radians(ARCS) / 2)
    weighted = chords[:, 1:] @ [0.6, 0.3, 0.1]
    np.testing.assert_allclose(uniqueness(on_circle(ANGLES)), weighted / weighted.max(), rtol=1e-5)


@pytest.mark.parametrize(
    ("rows", "values", "why"),
    [
        (np.zeros((0, 3)), [], "no frames"),
        (np.ones((4, 3)), [1] * 4, "too few for neighbours"),
        (np.ones((6, 3)), [1] * 6, "copies of one frame: nobody stands out"),
        (np.full((6, 3), np.nan), [0] * 6, "nothing is known"),
    ],
)
def test_uniqueness_of_little(rows: np.ndarray, values: list[float], why: str) -> None:
    assert uniqueness(rows.astype(np.float32)).tolist() == values, why


def test_a_broken_embedding_is_nobodys_neighbour() -> None:
    rows = np.insert(on_circle(ANGLES), 3, [np.inf, 0], axis=0)
    found = uniqueness(rows)
    assert found[3] == 0
    np.testing.assert_allclose(np.delete(found, 3), uniqueness(on_circle(ANGLES)), rtol=1e-5)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    whole = uniqueness(rows)
    monkeypatch.setattr(brain, "BLOCK", 7)
    np.testing.assert_allclose(uniqueness(rows), whole, rtol=1e-5)


def test_a_large_pool_is_compared_with_some_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rarest stay the rarest, and no frame is its own neighbour."""
    rng = np.random.default_rng(0)
    crowd = [1, 1, 0, 0, 0, 0] + 0.1 * rng.normal(size=(295, 6))
    rows = np.vstack([crowd, -crowd, 0.3 * rng.normal(size=(10, 6)) * [0, 0, 1, 1, 1, 1]]).astype(np.float32)
    monkeypatch.setattr(brain, "EXACT_TO", 300)  # 600 frames are compared with 150
    found = uniqueness(rows)
    assert set(np.argsort(-found)[:10].tolist()) == set(range(590, 600))
    assert found.min() > 0


@pytest.mark.mongo
@pytest.mark.parametrize("at_once", [15_000, 20])
def test_uniqueness_equals_brains(mongo: str, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """On the same embeddings, near and far, four of them copies; below and above the 15,000 frames."""
    import fiftyone as fo
    import fiftyone.brain as fob
    from fiftyone.brain.internal.core import sklearn

    monkeypatch.setattr(sklearn, "_MAX_PRECOMPUTE_DISTS", at_once)
    monkeypatch.setattr(brain, "PRECOMPUTED_TO", at_once)
    rng = np.random.default_rng(4)
    rows = np.vstack([rng.normal(size=(60, 8)), 5 * rng.normal(size=(30, 8))]).astype(np.float32)
    rows[10:13] = rows[9]
    dataset = fo.Dataset()
    try:
        dataset.add_samples(
            [fo.Sample(filepath=f"/nowhere/{number:03d}.jpg") for number in range(90)], progress=False
        )
        fob.compute_uniqueness(dataset, embeddings=rows.copy(), progress=False)
        theirs = np.array(dataset.values("uniqueness"))
    finally:
        dataset.delete()
    np.testing.assert_allclose(uniqueness(rows), theirs, atol=2e-4)


def test_entropy_by_hand() -> None:
    """Nats over the classes and nothing: certain, level between all four, level between two."""
    found = entropy_of_prediction(
        np.array([[1, 0, 0], [0.25, 0.25, 0.25], [0.5, 0, 0], [0, 0, 0], [1, 1, 0]])
    )
    np.testing.assert_allclose(found, [0, np.log(4), np.log(2), 0, np.log(2)], atol=1e-12)


def test_hardness_is_the_mean_over_boxes_and_empty_frames_come_last() -> None:
    frames = [("a/0", [[1, 0, 0], [0.5, 0, 0]]), ("b/0", []), ("c/0", [[0.5, 0, 0]])]
    selection = pick(by_hand(frames), "hardness", 3)
    assert picked(selection) == ["c/0", "a/0", "b/0"]
    np.testing.assert_allclose(selection["score"].to_numpy(), [np.log(2), np.log(2) / 2, 0], atol=1e-6)
    assert selection["reason"][1].as_py() == "mean entropy 0.35 of its predicted boxes: 2"


def test_the_most_unique_comes_first() -> None:
    pool = by_hand([(f"c{i}/0", []) for i in range(5)], embeddings=on_circle([0, 10, 20, 30, 180]))
    assert picked(pick(pool, "uniqueness", 1)) == ["c4/0"]
