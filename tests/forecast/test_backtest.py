"""Forecasts made in hindsight know nothing but the past, and their coverage is counted right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataengine.compare.tables import CELLS, FORECASTS
from dataengine.forecast import backtest, coverage, is_mined
from dataengine.forecast.backtest import SCHEMA
from dataengine.forecast.priors import OTHERWISE, PRIORS, WEIGHT, measured, prior

NAN = math.nan
FRAMES = (150, 270, 390)


def cells(values: dict[tuple[str, str], tuple[float, ...]], **changes: Any) -> pa.Table:
    """Tail AP50 on test, by trial and arm."""
    rows = [
        {
            "trial": trial,
            "arm": arm,
            "seed": 0,
            "cycle": cycle,
            "frames": FRAMES[cycle],
            "split": "test",
            "slice": "tail",
            "metric": "ap50",
            "value": value,
            **changes,
        }
        for (trial, arm), curve in values.items()
        for cycle, value in enumerate(curve)
    ]
    return pa.Table.from_pylist(rows, CELLS)


def test_the_schema_is_the_comparison_s() -> None:
    assert SCHEMA.equals(FORECASTS)


def test_every_cycle_with_a_next_one_is_forecast() -> None:
    made = backtest(cells({("s0", "random"): (0.4, 0.5, 0.55), ("s0", "auto"): (0.4, 0.6)})).to_pylist()
    assert [(row["arm"], row["cycle"], row["frames"], row["outcome"]) for row in made] == [
        ("auto", 0, 270, 0.6),
        ("random", 0, 270, 0.5),
        ("random", 1, 390, 0.55),
    ]
    assert all(row["lower"] < row["value"] < row["upper"] for row in made)


def test_a_forecast_does_not_know_its_outcome_nor_its_own_trial() -> None:
    """Other outcomes of a trial, its noise arm's too, change no forecast of cycle 1."""
    others = {("s1", "random"): (0.4, 0.5, 0.55), ("s1", "random@2"): (0.4, 0.52, 0.56)}
    calm = {("s0", "random"): (0.4, 0.5, 0.55), ("s0", "random@2"): (0.4, 0.5, 0.55), **others}
    wild = {("s0", "random"): (0.4, 0.9, 0.1), ("s0", "random@2"): (0.4, 0.1, 0.9), **others}
    first = [
        {k: row[k] for k in ("value", "lower", "upper")}
        for table in (backtest(cells(calm)), backtest(cells(wild)))
        for row in table.to_pylist()
        if row["trial"] == "s0" and row["cycle"] == 0
    ]
    assert first[:2] == first[2:]


def test_measured_noise_widens_the_forecasts_of_other_trials() -> None:
    def width(second: float) -> float:
        pairs = {(f"s{n}", "random"): (0.4, 0.5) for n in range(8)}
        pairs |= {(f"s{n}", "random@2"): (0.4, second) for n in range(8)}
        row = backtest(cells(pairs)).to_pylist()[0]
        return float(row["upper"] - row["lower"])

    assert width(0.8) > width(0.5)


@pytest.mark.parametrize("value", [NAN, None])
def test_outcomes_that_are_missing_are_left_out(value: float | None) -> None:
    made = backtest(
        cells({("s0", "random"): (0.4, 0.5)}).set_column(10, "value", pa.array([0.4, value], pa.float64()))
    )
    assert made.num_rows == 0
    assert made.schema.equals(FORECASTS)


def test_other_figures_splits_and_the_ceiling_of_labels_are_passed_over() -> None:
    curve = (0.4, 0.5)
    assert backtest(cells({("s0", "all_labels"): curve})).num_rows == 0
    assert backtest(cells({("s0", "auto"): curve}, split="val")).num_rows == 0
    assert backtest(cells({("s0", "auto"): curve}, slice="class:car")).num_rows == 0
    assert backtest(cells({("s0", "auto"): curve}, slice="tail", metric="map50_95")).num_rows == 0
    assert backtest(CELLS.empty_table()).num_rows == 0


def test_rows_in_any_order_give_the_same_table() -> None:
    table = cells(
        {(f"s{n}", arm): (0.4, 0.5, 0.6) for n in range(3) for arm in ("random", "random@2", "auto")}
    )
    shuffled = table.take(pa.array(np.random.default_rng(0).permutation(table.num_rows)))
    assert backtest(shuffled).equals(backtest(table))


def test_which_arms_choose() -> None:
    assert [is_mined(arm) for arm in ("random", "random@2", "every_kth")] == [False] * 3
    assert [is_mined(arm) for arm in ("auto", "random+pseudo", "oracle", "auto@2")] == [True] * 4


def forecasts(*rows: tuple[float, float, float]) -> pa.Table:
    names = ("lower", "upper", "outcome")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], FORECASTS)


def test_coverage_counts_both_ends() -> None:
    made = coverage(
        forecasts((0.4, 0.6, 0.4), (0.4, 0.6, 0.6), (0.4, 0.6, 0.61), (0.4, 0.6, 0.39), (NAN, 0.6, 0.5))
    )
    assert (made.num, made.held, made.share) == (4, 2, 0.5)
    # Wilson's interval of 2 of 4, by hand: centre 0.5, half width 0.35
    assert made.lower == pytest.approx(0.150, abs=0.001)
    assert made.upper == pytest.approx(0.850, abs=0.001)


def test_no_forecast_has_no_coverage() -> None:
    made = coverage(FORECASTS.empty_table())
    assert (made.num, made.held) == (0, 0)
    assert math.isnan(made.share)


def test_noise_is_a_mean_of_what_was_measured_and_assumed() -> None:
    assert prior("tail", "ap50") == PRIORS["tail", "ap50"]
    assert prior("class:cone", "ap50") == OTHERWISE
    assert measured([], 0.05) == pytest.approx(0.05)
    # differences of 0.1 are two fits of variance 0.005 each
    assert measured([0.1] * 4, 0.0) ** 2 == pytest.approx(0.005 * 4 / (WEIGHT + 4))
    assert measured([0.1, NAN] * 4000, 0.5) ** 2 == pytest.approx(0.005, rel=0.06)
