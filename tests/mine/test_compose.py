"""Scores, diversities and quotas, put together."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from dataengine import mine
from dataengine.config import MineConfig
from dataengine.errors import ConfigError
from dataengine.mine.catalogue import DIVERSITIES, QUOTAS, SCORES
from dataengine.mine.compose import scaled
from tests.mine.pools import by_hand, pick, picked, synthetic

FREE = {"max_per_clip": 0, "bits": -1}


@pytest.mark.parametrize(
    ("values", "worth", "why"),
    [
        ([1.0, 3.0, 2.0], [0, 1, 0.5], "from the lowest to the highest"),
        ([-4.0, -2.0], [0, 1], "negative values too"),
        ([5.0, 5.0], [1, 1], "constant: all alike"),
        ([-1e300, 2.0, 4.0], [0, 0, 1], "what is no number counts as the lowest"),
        ([-1e300, 2.0, 2.0], [0, 1, 1], "and is below a constant"),
        ([-1e300, -1e300], [1, 1], "nothing is a number"),
        ([0.0, 1e300, 1.0], [0, 1, 0], "infinite"),
        ([], [], "no frames"),
    ],
)
def test_scaled(values: list[float], worth: list[float], why: str) -> None:
    np.testing.assert_allclose(scaled(np.array(values)), worth, atol=1e-9, err_msg=why)


@pytest.mark.parametrize("score", SCORES)
def test_a_score_by_itself_ranks_like_its_arm(score: str) -> None:
    """Up to frames of equal value beyond the shortlist, which cannot be among the picks."""
    pool = synthetic()
    assert set(picked(pick(pool, f"{score}__none", 8, **FREE))) == set(picked(pick(pool, score, 8, **FREE)))


def test_class_quota_by_itself_takes_the_surest_of_each_class() -> None:
    pool = synthetic()
    mine_ = pick(pool, "none__none__class", 20, quota_share=1.0, **FREE).to_pylist()
    theirs = pick(pool, "class_balanced", 20, quota_share=1.0, **FREE).to_pylist()
    assert [(row["frame_id"], row["trigger"]) for row in mine_] == [
        (row["frame_id"], row["trigger"]) for row in theirs
    ]


def test_what_is_not_ranked_at_all_is_drawn() -> None:
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(20)])
    drawn = Counter(f for seed in range(200) for f in picked(pick(pool, "none__none", 5, seed=seed)))
    assert len(drawn) == 20
    assert all(20 < count < 90 for count in drawn.values())  # 50 in the mean


def test_shares_of_a_class_quota() -> None:
    """Of ten, 4.5 to cyclists, 0.9 to pedestrians, 0.6 to cars and 4 to all; one cyclist goes by hardness."""
    frames = [(f"a{i:02d}/0", [[0.9, 0, 0]]) for i in range(22)]
    frames += [(f"b{i:02d}/0", [[0, 0.9, 0]]) for i in range(11)]
    frames += [(f"d{i:02d}/0", [[0, 0, 0.5]]) for i in range(2)]
    found = pick(by_hand(frames), "hardness__none__class", 10, quota_share=0.6)
    triggers = Counter(found["trigger"].to_pylist())
    assert triggers == {"hardness": 6, "class:cyclist": 1, "class:pedestrian": 2, "class:car": 1}
    assert found["reason"][0].as_py().endswith("quota of class:cyclist")


def test_condition_quota_buys_nights_beyond_their_share() -> None:
    """A quarter of the clips is at night; the tag is known before anybody labels."""
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(40)])
    nights = {f"c{i:02d}/0" for i in range(40) if i % 4 == 3}
    found = pick(pool, "none__none__condition", 12, quota_share=1.0, quota_power=1.0)
    shares = Counter(found["trigger"].to_pylist())
    assert shares == {"time_of_day:night": 9, "time_of_day:day": 3}  # as 1/10 to 1/30
    assert len(nights & set(picked(found))) == 9


def test_conditions_that_nobody_recorded_leave_no_quota() -> None:
    pool = by_hand([(f"c{i:02d}/0", []) for i in range(8)])
    found = pick(pool, "none__k_centre__condition", 4, conditions=["road"])
    assert set(found["trigger"].to_pylist()) == {"k_centre"}


def test_composed_reads_its_parts_from_the_settings() -> None:
    pool = synthetic()
    by_setting = pick(pool, "composed", 9, score="hardness", diversity="badge", quota="none")
    assert by_setting.equals(pick(pool, "hardness__badge", 9))
    assert mine.arm("composed", MineConfig(score="flip_consistency")).needs >= {mine.Need.flip}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"score": "hardnes"}, "mine.score=hardnes: hardnes is not a score: did you mean hardness?"),
        (
            {"diversity": "k_center"},
            "mine.diversity=k_center: k_center is not a diversity: did you mean k_centre?",
        ),
        ({"quota": "classes"}, "mine.quota=classes: classes is not a quota: did you mean class?"),
        ({"quota": "zz"}, "mine.quota=zz: zz is not a quota: did you mean class or condition or none?"),
    ],
)
def test_a_misspelt_part_names_the_nearest(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        mine.arm("composed", MineConfig(**settings))  # type: ignore[arg-type]
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hardnes__badge", "mine.name=hardnes__badge: hardnes is not a score: did you mean hardness?"),
        ("hardness__bagde", "mine.name=hardness__bagde: bagde is not a diversity: did you mean badge?"),
        ("a__b__c__d", "mine.name=a__b__c__d: write SCORE__DIVERSITY__QUOTA"),
    ],
)
def test_a_misspelt_part_of_a_name_names_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        mine.arm(name)
    assert str(raised.value) == message


@pytest.mark.parametrize("name", ["__".join(parts) for parts in product(["hardness"], DIVERSITIES, QUOTAS)])
def test_what_an_arm_needs_is_what_its_parts_need(name: str) -> None:
    assert mine.arm(name).needs == {mine.Need.predictions}
    assert mine.ArmName.parse(name).miner == name


def test_whole_clips_by_name() -> None:
    pool = synthetic()
    by_setting = pick(pool, "whole_clips", 9, score="hardness", clip_stride=2)
    assert by_setting.equals(pick(pool, "hardness__clips", 9, clip_stride=2))
    with pytest.raises(ConfigError, match="hardnes is not a score: did you mean hardness"):
        mine.arm("hardnes__clips")
    with pytest.raises(ConfigError, match="clips is not a diversity"):
        mine.arm("hardness__clips__class")


def test_an_arm_without_a_model_needs_none() -> None:
    assert mine.arm("none__none__condition").needs == frozenset()


def test_the_shortlist_keeps_a_far_frame_that_nobody_wants_out() -> None:
    """Four times the budget is looked at: the frame opposite to everything is certain, and stays."""
    frames = [(f"c{i:02d}/0", [[0.5 + 0.01 * i, 0, 0]]) for i in range(30)]
    vectors = np.tile([1.0, 0.0], (30, 1)) + np.arange(30)[:, None] * [0, 0.01]
    vectors[29] = [-1, 0]
    pool = by_hand(frames, embeddings=vectors, labelled=[[1, -1]])
    assert "c29/0" not in picked(pick(pool, "hardness__k_centre", 2))
    assert "c29/0" in picked(pick(pool, "none__k_centre", 2))


def bad_pools() -> dict[str, mine.Pool]:
    """Pools of which next to nothing can be told."""
    nine = [(f"c{i}/0", [[0.5, 0.1, 0.1]]) for i in range(9)]
    still = [(f"still/{i}", [[0.5, 0.2, 0.1]]) for i in range(9)]
    return {
        "empty": by_hand([]),
        "one frame": by_hand(nine[:1]),
        "no detections": by_hand([(name, []) for name, _ in nine]),
        "one class": by_hand([(name, [[0.9, 0, 0]] * 3) for name, _ in nine]),
        "scores that are no numbers": by_hand([(name, [[np.nan] * 3]) for name, _ in nine]),
        "constant scores": by_hand(nine),
        "broken embeddings": by_hand(nine, embeddings=np.full((9, 4), np.nan), labelled=np.ones((2, 4))),
        "identical frames": by_hand(still, embeddings=np.ones((9, 4)), phash=[7] * 9),
        "broken features": by_hand(nine, features=np.full((9, 4), np.inf)),
    }


@pytest.mark.parametrize("kind", bad_pools())
@pytest.mark.parametrize("name", ["__".join(p) for p in product(["none", "hardness"], DIVERSITIES, QUOTAS)])
def test_bad_pools(name: str, kind: str) -> None:
    pool = bad_pools()[kind]
    total = pool.frames.num_rows
    for amount in (0, 1, 4, 99):
        found = picked(pick(pool, name, amount))
        assert len(found) == len(set(found)) == min(amount, total)
