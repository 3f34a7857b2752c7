"""Shares of the oracle's gain, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataengine.compare import shares
from tests.compare.fleet import World, cells_table, compared, curves, row, rows

RANDOM = [[0.2, 0.3], [0.4, 0.5]]


def test_a_ratio_of_means_and_not_a_mean_of_ratios() -> None:
    """Gains .10 and .00 against the oracle's .10 and .02: 5/6, where the mean of ratios is 1/2."""
    cells = cells_table(
        curves(random=RANDOM, auto=[[0.2, 0.4], [0.4, 0.5]], oracle=[[0.2, 0.4], [0.4, 0.52]])
    )
    found = compared(cells, loop_cycles=2)
    assert row(found, "shares", arm="auto", cycle=1)["value"] == pytest.approx(0.10 / 0.12)
    assert row(found, "shares", arm="oracle", cycle=1)["value"] == pytest.approx(1)
    assert not rows(found, "shares", cycle=0)


def test_an_oracle_that_gains_nothing_has_no_shares() -> None:
    cells = cells_table(curves(random=RANDOM, auto=[[0.2, 0.4], [0.4, 0.5]], oracle=[[0.2, 0.2], [0.4, 0.5]]))
    told = row(compared(cells), "shares", arm="auto", cycle=1)
    assert all(math.isnan(told[name]) for name in ("value", "lower", "upper"))


def test_an_oracle_that_may_gain_nothing_leaves_no_interval() -> None:
    cells = cells_table(curves(random=RANDOM, auto=[[0.2, 0.4], [0.4, 0.5]], oracle=[[0.2, 0.5], [0.4, 0.5]]))
    told = row(compared(cells), "shares", arm="auto", cycle=1)
    assert told["value"] == pytest.approx(0.5)
    assert math.isnan(told["lower"])


def test_a_loss_is_a_negative_share() -> None:
    cells = cells_table(curves(random=RANDOM, auto=[[0.2, 0.2], [0.4, 0.4]], oracle=[[0.2, 0.5], [0.4, 0.7]]))
    assert row(compared(cells), "shares", arm="auto", cycle=1)["value"] == pytest.approx(-0.5)


def test_no_oracle_no_shares() -> None:
    assert not rows(compared(cells_table(curves(random=RANDOM, auto=RANDOM))), "shares")


def test_the_interval_covers_the_true_share() -> None:
    world = World(gain=0.1, arms={"random": 0, "auto": 0.6, "oracle": 1}, fit=0.015, drives=0.01)
    covered = []
    for seed in range(100):
        table = shares.shares(*world.prepared(seed)).to_pylist()
        (told,) = (r for r in table if (r["arm"], r["cycle"]) == ("auto", 2))
        covered.append(told["lower"] <= 0.6 <= told["upper"])
    assert 0.88 <= np.mean(covered) <= 1
