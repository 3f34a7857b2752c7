"""Arms that learn from the detector's mistakes, rare things and moments: time and memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from tests.benchmarks.test_selection import choose, large_pool
from tests.mine.pools import frame_rows

ARMS = (
    "expected_errors",
    "rare_frames",
    "rare_objects",
    "surprise",
    "failures",
    "rare_lookalikes",
    "condition_balanced",
    "look_balanced",
)
FEATURES = 48


def known_pool(number: int, dim: int = 128) -> mine.Pool:
    """``large_pool`` with box features, 600 frames of val and 150 labelled ones of 20 boxes each."""
    pool = large_pool(number, dim)
    assert pool.predictions is not None
    rng = np.random.default_rng(1)
    shape = (pool.predictions.boxes.num_boxes, FEATURES)
    features = rng.standard_normal(shape, dtype=np.float32).astype(np.float16)
    return replace(
        pool,
        predictions=replace(pool.predictions, features=features),
        val=_judged(600, dim, "val"),
        labelled=_judged(150, dim, "labelled"),
    )


def _judged(number: int, dim: int, name: str) -> mine.Known:
    """Frames in which a box is right with a chance of its score."""
    from tests.mine.errors_model.judged import detector, with_vectors

    rng = np.random.default_rng(2)
    right = dict.fromkeys(range(3), 1.0)
    found = detector(right, drives=number // 10, prefix=name)
    boxes = found.predictions.boxes.num_boxes
    found = with_vectors(
        found,
        features=rng.standard_normal((boxes, FEATURES)),
        embeddings=rng.standard_normal((number, dim)),
    )
    scores = np.pad(found.predictions.class_scores, ((0, 0), (0, 2)))
    predictions = replace(found.predictions, class_scores=scores)
    return replace(found, predictions=predictions, frames=frame_rows(found.frames["frame_id"].to_pylist()))


@pytest.mark.parametrize("arm", ARMS)
def test_four_thousand_frames_take_under_five_seconds(arm: str) -> None:
    took = choose(known_pool(4_000), arm, 120)
    sys.stdout.write(f"\n{arm}: 120 of 4,000 frames in {took:.2f} s\n")
    assert took < 5


MILLION = """
import resource, sys
from tests.benchmarks.test_errors_model import known_pool
from tests.benchmarks.test_selection import choose
arm = sys.argv[1]
took = choose(known_pool(1_000_000), arm, 200)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{arm} {took:.1f} s, {peak:.2f} GiB")
"""


@pytest.mark.slow
@pytest.mark.parametrize("arm", ARMS)
def test_a_million_frames_are_possible(arm: str) -> None:
    """In a process of its own, so that its peak memory is the selection's (pool included)."""
    done = subprocess.run([sys.executable, "-c", MILLION, arm], capture_output=True, text=True, check=False)
    sys.stdout.write(f"\n200 of 1,000,000 x 128, four boxes each: {done.stdout}")
    assert done.returncode == 0, done.stderr
