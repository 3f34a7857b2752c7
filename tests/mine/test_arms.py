"""What holds for every arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.errors import ConfigError
from dataengine.schema import SELECTION
from tests.conftest import REPOSITORY
from tests.mine.pools import CLASSES, by_hand, pick, picked, synthetic

every_arm = pytest.mark.parametrize("arm", mine.ARMS)


def test_arms_say_what_they_are() -> None:
    assert {"random", "random_clips", "every_kth", "uncertainty", "class_balanced", "coverage"} <= set(
        mine.ARMS
    )
    assert all(arm.name == name and arm.summary for name, arm in mine.ARMS.items())


def test_every_arm_and_nothing_else_has_a_config() -> None:
    on_file = {path.stem for path in (REPOSITORY / "conf" / "mine").glob("*.yaml")}
    assert on_file == set(mine.ARMS)


@pytest.mark.parametrize("arm", ["random", "random_clips", "every_kth", "whole_clips"])
def test_arms_that_look_at_no_model(arm: str) -> None:
    assert not mine.needs_predictions(arm)


def test_an_unknown_arm_names_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"^mine\.name=class_balance is not an arm: did you mean class_balanced"
    ):
        mine.arm("class_balance")
    for theirs, ours in (("entropie", "uncertainty"), ("core-set", "coverage")):
        with pytest.raises(ConfigError, match=rf"did you mean {ours}"):
            mine.arm(theirs)
    with pytest.raises(ConfigError, match=r"did you mean .*class_balanced .*or coverage .*or random .*or"):
        mine.needs_predictions("zzz")


@every_arm
def test_a_selection_says_everything_of_every_pick(arm: str) -> None:
    selection = pick(synthetic(), arm, 12)
    assert selection.schema == SELECTION
    assert selection["rank"].to_pylist() == list(range(12))
    assert set(selection["cycle"].to_pylist()) == {1}
    assert all(trigger for trigger in selection["trigger"].to_pylist())
    assert all(len(reason.split()) >= 3 for reason in selection["reason"].to_pylist())
    assert not np.isnan(selection["score"].to_numpy()).any()


@every_arm
def test_a_budget_in_frames_is_filled_exactly(arm: str) -> None:
    assert pick(synthetic(), arm, 7.9).num_rows == 7


@every_arm
def test_a_budget_beyond_the_pool_buys_the_pool(arm: str) -> None:
    pool = synthetic()
    selection = pick(pool, arm, 1000)
    assert sorted(picked(selection)) == pool.frames["frame_id"].to_pylist()


@every_arm
def test_no_budget_buys_nothing(arm: str) -> None:
    assert pick(synthetic(), arm, 0).num_rows == 0
    assert pick(synthetic(), arm, 0).schema == SELECTION


@every_arm
def test_an_empty_pool(arm: str) -> None:
    selection = pick(by_hand([]), arm, 10)
    assert selection.num_rows == 0
    assert selection.schema == SELECTION


@every_arm
def test_a_pool_without_any_detection(arm: str) -> None:
    assert pick(by_hand([(f"c{i}/0", []) for i in range(9)]), arm, 4).num_rows == 4


@every_arm
@pytest.mark.parametrize("score", [np.nan, 0.5, 0.0, 1.0, np.inf])
def test_scores_that_say_nothing(arm: str, score: float) -> None:
    pool = by_hand([(f"c{i}/0", [[score] * len(CLASSES)]) for i in range(9)])
    assert len(set(picked(pick(pool, arm, 4)))) == 4


@every_arm
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf, 1e30])
def test_embeddings_that_say_nothing(arm: str, value: float) -> None:
    pool = by_hand(
        [(f"c{i}/0", [[0.5, 0.1, 0.1]]) for i in range(9)],
        embeddings=np.full((9, 4), value),
        labelled=np.full((2, 4), value),
    )
    assert len(set(picked(pick(pool, arm, 4)))) == 4


@every_arm
def test_frames_that_are_all_identical(arm: str) -> None:
    """One still clip: the limits would leave a single frame, so they give way."""
    pool = by_hand(
        [(f"still/{i:02d}", [[0.5, 0.2, 0.1]]) for i in range(9)], embeddings=np.ones((9, 4)), phash=[7] * 9
    )
    selection = pick(pool, arm, 4)
    assert len(set(picked(selection))) == 4
    reasons = selection["reason"].to_pylist()
    assert "near-duplicate" not in reasons[0]
    assert all(
        reason.endswith("near-duplicate of another pick, as no other was left") for reason in reasons[1:]
    )


@every_arm
def test_predictions_of_other_frames_are_left_aside(arm: str) -> None:
    """Predictions cover val and test too, and stand in an order of their own."""
    pool = synthetic()
    kept = replace(pool, frames=pool.frames.slice(10, 30))
    assert set(picked(pick(kept, arm, 12))) <= set(kept.frames["frame_id"].to_pylist())


@pytest.mark.parametrize("arm", [name for name in mine.ARMS if not mine.needs_predictions(name)])
def test_blind_arms_need_no_predictions(arm: str) -> None:
    pool = synthetic()
    blind = mine.Pool(
        frames=pool.frames,
        predictions=None,
        labelled_embeddings=np.zeros((0, 0), np.float32),
        labelled_class_counts=np.zeros(3, np.int64),
        classes=CLASSES,
    )
    assert picked(pick(blind, arm, 9)) == picked(pick(pool, arm, 9))


def test_an_arm_that_needs_predictions_says_so() -> None:
    pool = synthetic()
    blind = mine.Pool(
        frames=pool.frames,
        predictions=None,
        labelled_embeddings=pool.labelled_embeddings,
        labelled_class_counts=pool.labelled_class_counts,
        classes=CLASSES,
    )
    with pytest.raises(ValueError, match="needs predictions"):
        pick(blind, "coverage", 3)


def test_frames_without_a_hash_are_nobodys_duplicates() -> None:
    pool = by_hand([(f"c/{i}", []) for i in range(4)], phash=[None, None, 5, 5])
    found = picked(pick(pool, "every_kth", 3, max_per_clip=0))
    assert {"c/0", "c/1"} < set(found)
