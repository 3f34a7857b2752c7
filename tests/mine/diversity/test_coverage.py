"""k-centre greedy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.mine.diversity import coverage
from dataengine.mine.diversity.coverage import Coverage
from tests.mine.pools import by_hand, pick, picked


def on_circle(*degrees: float) -> np.ndarray:
    """Unit vectors at the given angles."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def test_picks_on_a_circle_by_hand() -> None:
    """Labelled at 0 degrees: first the far side, then the largest gaps; 80 and 90 are a tie."""
    pool = by_hand(
        [(f"c{i}/0", []) for i in range(5)], embeddings=on_circle(170, 10, 80, 265, 90), labelled=on_circle(0)
    )
    selection = pick(pool, "coverage", 4)
    assert picked(selection) == ["c0/0", "c3/0", "c2/0", "c1/0"]
    distances = 1 - np.cos(np.radians([170, 95, 80, 10]))
    np.testing.assert_allclose(selection["score"].to_numpy(), distances, atol=1e-6)
    assert (
        selection["reason"].to_pylist()[0]
        == "distance 1.985 to the nearest of 1 frames labelled or picked before"
    )


def test_the_length_of_an_embedding_does_not_matter() -> None:
    plain = by_hand([(f"c{i}/0", []) for i in range(6)], embeddings=on_circle(10, 50, 95, 140, 200, 300))
    scale = np.array([[1.0], [50.0], [0.01], [3.0], [700.0], [0.2]])
    scaled = by_hand(
        [(f"c{i}/0", []) for i in range(6)], embeddings=on_circle(10, 50, 95, 140, 200, 300) * scale
    )
    assert picked(pick(plain, "coverage", 5)) == picked(pick(scaled, "coverage", 5))


def test_ties_go_to_the_first_frame_id() -> None:
    pool = by_hand(
        [(f"c{i}/0", []) for i in (3, 1, 2)], embeddings=np.ones((3, 16)), labelled=np.ones((1, 16))
    )
    assert picked(pick(pool, "coverage", 3)) == ["c1/0", "c2/0", "c3/0"]


def test_a_broken_embedding_never_looks_new() -> None:
    vectors = on_circle(5, 10, 180, 15)
    vectors[2] = np.nan
    pool = by_hand([(f"c{i}/0", []) for i in range(4)], embeddings=vectors, labelled=on_circle(0))
    assert picked(pick(pool, "coverage", 4))[-1] == "c2/0"


def plain_k_centre(vectors: np.ndarray, centres: np.ndarray, number: int) -> list[int]:
    """k-centre greedy with the whole distance matrix, recomputed for each pick; ties within ``TIE``."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    known = list(centres / np.linalg.norm(centres, axis=1, keepdims=True))
    picks: list[int] = []
    for _ in range(number):
        distance = (1 - unit @ np.array(known).T).min(axis=1)
        distance[picks] = -np.inf
        picks.append(int(np.argmax(distance >= distance.max() - coverage.TIE)))
        known.append(unit[picks[-1]])
    return picks


def lazy_k_centre(vectors: np.ndarray, centres: np.ndarray, number: int) -> list[int]:
    cover = Coverage(vectors.astype(np.float32), centres.astype(np.float32))
    allowed = np.ones(len(vectors), bool)
    found = []
    for _ in range(number):
        found.append(cover.farthest(allowed)[0])
        allowed[found[-1]] = False
        cover.add(found[-1])
    return found


@pytest.mark.parametrize("front", [1, 7, 50, 2048])
def test_equals_the_plain_algorithm(monkeypatch: pytest.MonkeyPatch, front: int) -> None:
    rng = np.random.default_rng(2)
    vectors, centres = rng.normal(size=(200, 12)), rng.normal(size=(9, 12))
    monkeypatch.setattr(coverage, "CELLS_PER_BLOCK", 90)  # ten rows at a time
    monkeypatch.setattr(coverage, "FRONT", front)
    assert lazy_k_centre(vectors, centres, 199) == plain_k_centre(vectors, centres, 199)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), st.integers(1, 40), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
def test_equals_the_plain_algorithm_among_copies(
    seed: int, number: int, dim: int, known: int, front: int
) -> None:
    """Few directions, each several times over: ties all the way."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(4, dim))
    vectors, centres = kinds[rng.integers(0, 4, number)], kinds[rng.integers(0, 4, known)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "FRONT", front)
        assert lazy_k_centre(vectors, centres, number) == plain_k_centre(vectors, centres, number)


def test_any_mask_may_follow_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A candidate that was closed may open again."""
    monkeypatch.setattr(coverage, "FRONT", 3)
    rng = np.random.default_rng(5)
    vectors, centres = rng.normal(size=(60, 5)).astype(np.float32), rng.normal(size=(2, 5)).astype(np.float32)
    cover, known = Coverage(vectors, centres), list(coverage.unit_rows(centres)[0])
    unit = coverage.unit_rows(vectors)[0]
    for _ in range(40):
        allowed = rng.random(60) < 0.1
        allowed[rng.integers(60)] = True
        distance = np.where(allowed, (1 - unit @ np.array(known).T).min(axis=1), -np.inf)
        number, told = cover.farthest(allowed)
        assert number == int(distance.argmax())
        assert told == pytest.approx(float(distance.max()), abs=1e-6)
        cover.add(number)
        known.append(unit[number])


def test_what_was_picked_before_counts_as_covered() -> None:
    """The quota of ``class_balanced`` took the frame at 180 degrees; coverage goes elsewhere."""
    frames = [("c0/0", [[0, 0, 0.9]]), ("c1/0", []), ("c2/0", [])]
    pool = by_hand(frames, embeddings=on_circle(180, 175, 90), labelled=on_circle(0))
    selection = pick(pool, "class_balanced", 2, quota_share=0.5)
    assert sorted(picked(selection)) == ["c0/0", "c2/0"]
