"""What was bought, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from dataengine.compare import purchases
from dataengine.compare.resampling import Resampler
from dataengine.compare.tables import OVERLAPS, PICKS, PURCHASES
from dataengine.config import LabelConfig
from dataengine.streams import Streams

CLASSES = ("car", "cone")


def pick(arm: str, frame: str, *, trial: str = "s0", cycle: int = 1, **changes: object) -> dict[str, object]:
    return {
        "trial": trial,
        "arm": arm,
        "seed": int(trial[1:]),
        "cycle": cycle,
        "frame_id": frame,
        "clip_id": frame[0],
        "drive_id": "d",
        "rank": 0,
        "trigger": "t",
        "class_counts": [1, 0],
        "conditions": [("weather", "clear")],
        "nearest": 0.5,
        "had_error": True,
        **changes,
    }


def bought(picks: Sequence[dict[str, object]]) -> dict[tuple[str, int, str, str], dict]:
    table = purchases.purchases(
        pa.Table.from_pylist(list(picks), PICKS),
        CLASSES,
        baseline="random",
        label=LabelConfig(seconds_per_frame=5, seconds_per_box=10),
        resampler=Resampler(
            streams=Streams(0), resamples=500, num_replicates=0, shared=False, confidence=0.95
        ),
    )
    assert table.schema == PURCHASES
    return {(r["arm"], r["cycle"], r["kind"], r["name"]): r for r in table.to_pylist()}


def test_a_basket() -> None:
    found = bought(
        [
            pick("random", "a1", class_counts=[3, 1], conditions=[("weather", "fog"), ("road", "")]),
            pick("random", "a2", class_counts=[0, 0], trigger="u", had_error=False),
            pick("random", "b1", class_counts=[1, 0], had_error=None, nearest=None),
        ]
    )
    value = {(kind, name): row["value"] for (_, _, kind, name), row in found.items()}
    assert value == {
        ("class", "car"): 4,
        ("class", "cone"): 1,
        ("frames", ""): 3,
        ("boxes_per_frame", ""): pytest.approx(5 / 3),
        ("seconds", ""): 5 * 3 + 10 * 5,
        ("clips", ""): 2,
        ("condition", "weather:fog"): pytest.approx(1 / 3),
        ("condition", "weather:clear"): pytest.approx(2 / 3),
        ("nearest", ""): 0.5,
        ("redundancy", ""): 0.5,
        ("trigger", "t"): pytest.approx(2 / 3),
        ("trigger", "u"): pytest.approx(1 / 3),
        ("yield", "all"): 0.5,
        ("yield", "t"): 1,
        ("yield", "u"): 0,
    }


def test_redundancy_is_measured_by_the_baseline_of_the_same_trial_and_cycle() -> None:
    """Random's median is .2 in s0 and .8 in s1; auto's picks at .5 are far in one and near in the other."""
    picks = [
        pick(arm, f"a{number}", trial=trial, nearest=distance)
        for trial, distances in (("s0", [0.1, 0.2, 0.3]), ("s1", [0.7, 0.8, 0.9]))
        for arm, of in (("random", distances), ("auto", [0.5, 0.5, 0.5]))
        for number, distance in enumerate(of)
    ]
    found = bought(picks)
    assert found["random", 1, "redundancy", ""]["value"] == pytest.approx(0.5)
    assert found["auto", 1, "redundancy", ""]["value"] == pytest.approx(0.5)
    alone = bought([row for row in picks if row["trial"] == "s0"])
    assert alone["auto", 1, "redundancy", ""]["value"] == 0


def test_means_are_over_trials_and_not_over_picks() -> None:
    picks = [pick("auto", "a1", had_error=True)]
    picks += [pick("auto", f"a{n}", trial="s1", had_error=False) for n in range(9)]
    found = bought(picks)["auto", 1, "yield", "all"]
    assert found["value"] == 0.5
    assert found["lower"] < 0.5 < found["upper"]


def test_one_trial_has_no_interval() -> None:
    found = bought([pick("auto", "a1"), pick("auto", "a2")])
    assert np.isnan([row[end] for row in found.values() for end in ("lower", "upper")]).all()


def test_a_cycle_in_which_nothing_was_bought_is_not_there() -> None:
    found = bought([pick("random", "a1"), pick("random", "a2", cycle=2), pick("auto", "a1")])
    assert {(arm, cycle) for arm, cycle, _, _ in found} == {("random", 1), ("random", 2), ("auto", 1)}


def test_overlap_is_jaccards_mean_over_the_trials_that_have_both() -> None:
    picks = [pick("random", frame) for frame in ("a1", "a2", "a3")]
    picks += [pick("auto", frame) for frame in ("a2", "a3", "a4")]
    picks += [pick(arm, "a1", trial="s1") for arm in ("random", "auto")]
    picks += [pick("random", "a1", trial="s2"), pick("other", "a9")]
    table = purchases.overlaps(pa.Table.from_pylist(picks, PICKS), baseline="random")
    assert table.schema == OVERLAPS
    found = {(r["arm"], r["other"]): r["value"] for r in table.to_pylist()}
    assert found == {
        ("random", "auto"): pytest.approx((2 / 4 + 1) / 2),
        ("auto", "random"): pytest.approx((2 / 4 + 1) / 2),
        **dict.fromkeys(
            [("random", "other"), ("other", "random"), ("auto", "other"), ("other", "auto")], 0.0
        ),
    }


def test_nothing_bought() -> None:
    assert bought([]) == {}
    assert purchases.overlaps(PICKS.empty_table(), baseline="random").num_rows == 0
