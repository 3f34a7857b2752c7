"""Neighbours within a distance: exactly those that brute force finds, whatever is pruned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.curate import groups, neighbours
from dataengine.curate.embedding import Vectors
from dataengine.curate.groups import group
from dataengine.curate.neighbours import Index


def scenes(number: int, dim: int, seed: int = 0, per_clip: int = 10) -> np.ndarray:
    """Embeddings as drives give them: clips that walk about near a few dozen scenes."""
    rng = np.random.default_rng(seed)
    spectrum = (1 / np.arange(1, dim + 1) ** 0.8).astype(np.float32)
    clips = -(-number // per_clip)
    place = rng.standard_normal((30, dim)) * spectrum
    start = place[rng.integers(0, 30, clips)] + 0.4 * spectrum * rng.standard_normal((clips, dim))
    walk = np.cumsum(0.1 * spectrum * rng.standard_normal((clips, per_clip, dim)), axis=1)
    return (start[:, None] + walk).reshape(-1, dim)[:number].astype(np.float32)


def cosine_distances(vectors: Vectors) -> np.ndarray:
    unit = vectors.exact(np.arange(len(vectors)))
    away = 1 - unit @ unit.T
    return np.where(away < 1e-9, 0, away)


def brute(vectors: Vectors, distance: float, apart: np.ndarray | None = None) -> np.ndarray:
    """``[N, N]`` who is whose neighbour, in double precision."""
    near = cosine_distances(vectors) <= distance
    np.fill_diagonal(near, False)
    if apart is not None:
        near &= apart[:, None] != apart[None]
    return near


def searched(index: Index, rows: np.ndarray) -> np.ndarray:
    found = np.zeros((len(index.vectors),) * 2, np.bool_)
    for pairs in index.search(rows):
        assert not found[pairs.query, pairs.found].any(), "each pair comes once"
        found[pairs.query, pairs.found] = True
    return found


@pytest.mark.parametrize("dim", [2, 32, 33, 96])
@pytest.mark.parametrize("distance", [0.0, 0.02, 0.3, 2.0])
def test_the_pairs_are_those_of_brute_force(dim, distance):
    vectors = Vectors(np.concatenate([scenes(1500, dim), scenes(20, dim)]))  # twenty exact repeats
    index = Index(vectors, distance)
    assert len(index._centres) > 1 or dim == 2
    rows = np.arange(len(vectors))
    index.add(rows[:700])
    index.add(rows[700:])
    expected = brute(vectors, distance)
    found = searched(index, rows)
    assert (found == expected).all()
    among = np.zeros_like(expected)
    for pairs in index.within(rows):
        among[pairs.query, pairs.found] = True
    assert (among == np.triu(expected)).all()


def test_only_what_was_added_is_found_and_codes_keep_apart():
    vectors, apart = Vectors(scenes(600, 48)), np.arange(600) // 10
    index = Index(vectors, 0.05, apart)
    index.add(np.arange(0, 600, 2))
    expected = brute(vectors, 0.05, apart)
    expected[:, 1::2] = False
    assert expected.any()
    assert (searched(index, np.arange(600)) == expected).all()


def test_any_one_tells_who_has_a_neighbour():
    vectors = Vectors(scenes(800, 40))
    index = Index(vectors, 0.03)
    index.add(np.arange(400))
    has = np.zeros(800, np.bool_)
    for pairs in index.search(np.arange(400, 800), any_one=True):
        has[pairs.query] = True
    assert (has[400:] == brute(vectors, 0.03)[400:, :400].any(1)).all()


def plain_groups(near: np.ndarray, distance: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The rule word by word."""
    kept: list[int] = []
    for row in order.tolist():
        if not near[row, kept].any():
            kept.append(row)
    best = np.full(len(order), -1)
    for row in set(order.tolist()) - set(kept):
        reach = [other for other in kept if near[row, other]]
        best[row] = min(reach, key=lambda other: distance[row, other])
    return best


@settings(max_examples=25, deadline=None)
@given(
    number=st.integers(1, 300),
    dim=st.integers(1, 70),
    distance=st.floats(0, 0.6),
    seed=st.integers(0, 99),
    clips=st.booleans(),
    block=st.sampled_from([7, 64, 8192]),
    per_cell=st.sampled_from([5, 500]),
)
def test_groups_follow_the_rule(number, dim, distance, seed, clips, block, per_cell):
    vectors = Vectors(scenes(number, dim, seed))
    apart = np.arange(number) // 10 if clips else None
    order = np.random.default_rng(seed).permutation(number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "BLOCK", block)
        patch.setattr(neighbours, "PER_CELL", per_cell)
        found = group(Index(vectors, distance, apart), order)
    away = cosine_distances(vectors)
    near = brute(vectors, distance, apart)
    expected = plain_groups(near, away, order)
    assert ((found.best < 0) == (expected < 0)).all()
    repeats = np.flatnonzero(expected >= 0)
    # equally near ones may be told apart by rounding alone
    np.testing.assert_allclose(
        away[repeats, found.best[repeats]], away[repeats, expected[repeats]], atol=1e-6
    )
    np.testing.assert_allclose(found.distance[repeats], away[repeats, expected[repeats]], atol=1e-6)
    assert near[repeats, found.best[repeats]].all()


def test_identical_frames_are_one_group_even_when_there_is_nothing_else():
    for number in (1, 2, 500):
        found = group(Index(Vectors(np.full((number, 40), 3.0, np.float32)), 0.01), np.arange(number))
        assert found.best.tolist() == [-1] + [0] * (number - 1)
        assert not found.distance.any()


def test_black_frames_have_a_direction_too():
    black = np.zeros((3, 8), np.float32)
    assert group(Index(Vectors(black), 0.0), np.arange(3)).best.tolist() == [-1, 0, 0]


def test_vectors_are_seen_from_their_mean_where_there_are_enough():
    offset = scenes(200, 16) + 100
    assert np.abs(Vectors(offset).unit(np.arange(200)).mean(0)).max() < 0.2
    few = Vectors(offset[:50]).unit(np.arange(50))
    assert few.mean(0).min() > 0.2
    np.testing.assert_allclose(np.linalg.norm(few, axis=1), 1, atol=1e-5)
