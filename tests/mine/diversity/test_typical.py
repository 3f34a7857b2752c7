"""TypiClust."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.diversity import typical
from dataengine.mine.diversity.typical import typicality
from tests.mine.pools import by_hand, pick, picked


def around(degrees: list[float]) -> list[list[float]]:
    return [[np.cos(np.radians(d)), np.sin(np.radians(d))] for d in degrees]


def test_typicality_by_hand() -> None:
    """On a line 0, 1, 3 (one cluster): half of three is one neighbour, at 1, 1 and 2; alone it is 1."""
    rows = np.array([[0], [1], [3], [50]], np.float32)
    found = typicality(rows, np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(found, [1, 1, 0.5, 1], atol=1e-4)


def test_a_large_cluster_is_measured_against_some_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    whole = typicality(rows, np.zeros(400, np.int64))
    monkeypatch.setattr(typical, "NEIGHBOURS_AMONG", 100)
    some = typicality(rows, np.zeros(400, np.int64))
    assert np.corrcoef(whole, some)[0, 1] > 0.8


def test_the_middle_of_the_largest_cluster_without_labels() -> None:
    """Three bunches of 12, 9 and 7 frames; the largest holds a label already."""
    bunches = [np.linspace(-6, 6, 12), 90 + np.linspace(-5, 5, 9), 200 + np.linspace(-4, 4, 7)]
    embeddings = around(np.concatenate(bunches).tolist())
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(28)], embeddings=embeddings, labelled=around([1.0]))
    found = picked(pick(pool, "typical", 2))
    places = [int(frame[1:3]) for frame in found]
    assert 12 <= places[0] < 21
    assert 21 <= places[1] < 28


def test_small_clusters_come_last() -> None:
    """Two stragglers by themselves, though nobody labelled there."""
    embeddings = around([*np.linspace(-6, 6, 12), *(90 + np.linspace(-5, 5, 9)), 200, 300])
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(23)], embeddings=embeddings)
    found = {int(frame[1:3]) for frame in picked(pick(pool, "typical", 2))}
    assert not found & {21, 22}


def test_reasons_name_the_cluster() -> None:
    pool = by_hand([(f"c{i}/0", []) for i in range(8)], embeddings=around([0, 1, 2, 3, 4, 5, 6, 7]))
    reason = pick(pool, "typical", 1)["reason"][0].as_py()
    assert reason.startswith("typicality ")
    assert reason.endswith("0 of it labelled or picked")
