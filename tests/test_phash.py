"""The perceptual hash's reduction: single precision decides no pixel differently from exact integers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine import phash


def pictures(height: int, width: int, kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "flat":
        return np.full((height, width), rng.integers(256), np.uint8)
    if kind == "bars":  # as far from smooth as can be: overshoot is clipped on both sides
        return np.where(np.indices((height, width)).sum(0) // 9 % 2, 255, 0).astype(np.uint8)
    return rng.integers(0, 256, (height, width), dtype=np.uint8)


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 1500),
    kind=st.sampled_from(["noise", "flat", "bars"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_the_fast_reduction_is_the_exact_one(height, width, kind, seed):
    grey = pictures(height, width, kind, seed)
    np.testing.assert_array_equal(phash._reduce(grey), phash._reduce_exactly(grey))


def test_pixels_near_a_half_are_computed_again(monkeypatch):
    """Without the bound on its error, single precision alone would round some of them the wrong way."""
    grey = pictures(4000, 300, "noise", 0)
    undecided = phash._filter(300)
    blind = phash._Filter(undecided.starts, undecided.weights, undecided.groups, 0.0)
    exact = phash._reduce_exactly(grey)
    np.testing.assert_array_equal(phash._reduce(grey), exact)
    monkeypatch.setattr(phash, "_filter", lambda _: blind)
    wrong = (phash._reduce(grey) != exact).mean()
    assert 0 < wrong < undecided.error


@pytest.mark.parametrize("size", [1, 5, 31, 32, 33, 320, 1242, 3840])
def test_the_weights_of_each_output_add_up_to_one(size):
    lanczos = phash._filter(size)
    assert np.abs(lanczos.weights.sum(1) - phash._ONE).max() <= lanczos.weights.shape[1] / 2
    for _, _, block in lanczos.groups:
        assert (block.astype(np.float64) * phash._ONE % 1 == 0).all()  # nothing was lost in float32
    np.testing.assert_array_equal(phash._dense(size).sum(0), lanczos.weights.sum(1))


def test_threads_do_not_disturb_each_other():
    images = [pictures(90 + 10 * seed, 200 + 37 * seed, "noise", seed) for seed in range(8)]
    alone = [phash.perceptual_hash(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(phash.perceptual_hash, images * 5)) == alone * 5
