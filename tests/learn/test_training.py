from __future__ import annotations

import pytest

from dataengine.config import TrainConfig
from dataengine.learn.training import LAST_SHARE, learning_rate


def test_the_rate_rises_and_falls() -> None:
    train = TrainConfig(steps=100, learning_rate=1.0, warmup_share=0.2)
    rates = [learning_rate(step, train) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 21)
    assert rates.index(max(rates)) == 20
    assert max(rates) == pytest.approx(1)
    assert rates[60] == pytest.approx(LAST_SHARE + (1 - LAST_SHARE) / 2)
    assert rates[-1] == pytest.approx(LAST_SHARE, abs=0.002)
    assert all(rate > 0 for rate in rates)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_fits_have_a_rate(steps: int) -> None:
    train = TrainConfig(steps=steps)
    assert all(0 < learning_rate(step, train) <= train.learning_rate for step in range(steps))
