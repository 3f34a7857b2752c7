"""Selections that see the truth: the rarest first, the most mistaken first, and never beyond the budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine import ceilings, mine
from dataengine.config import Budget, BudgetUnit, EvaluateConfig, LabelConfig
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.mine import Pool
from dataengine.schema import SELECTION
from tests.mine.pools import frame_rows

CAR, CYCLIST = 0, 1
LABEL = LabelConfig(seconds_per_frame=2, seconds_per_box=10)


def boxes(frames: dict[str, list[int]], score: float = 1.0) -> FrameBoxes:
    """Frame -> classes of its boxes, side by side."""
    kinds = [kind for classes in frames.values() for kind in classes]
    corners = [
        [20.0 * place, 0, 20.0 * place + 10, 10]
        for classes in frames.values()
        for place in range(len(classes))
    ]
    return FrameBoxes.build(
        list(frames), [len(own) for own in frames.values()], corners, kinds, score=[score] * len(kinds)
    )


def pool(
    frames: dict[str, list[int]], labelled: tuple[int, int] = (0, 0), found: FrameBoxes | None = None
) -> Pool:
    ids = list(frames)
    predicted = found if found is not None else boxes({frame_id: [] for frame_id in ids})
    predictions = Predictions(
        boxes=predicted,
        class_scores=np.zeros((predicted.num_boxes, 2), np.float32),
        embeddings=np.zeros((predicted.num_frames, 2), np.float32),
    )
    return Pool(
        frames=frame_rows(ids),
        predictions=predictions,
        labelled_embeddings=np.zeros((0, 2), np.float32),
        labelled_class_counts=np.array(labelled),
        classes=("car", "cyclist"),
    )


def picks(
    name: str,
    frames: dict[str, list[int]],
    amount: float = 2,
    unit: BudgetUnit = BudgetUnit.frames,
    *,
    max_per_clip: int = 0,
    **known: object,
) -> list[str]:
    selection = ceilings.select(
        name,
        pool(frames, **known),  # type: ignore[arg-type]
        boxes(frames),
        budget=Budget(amount=amount, unit=unit),
        label=LABEL,
        judging=EvaluateConfig(),
        max_per_clip=max_per_clip,
        cycle=1,
    )
    assert selection.schema.equals(SELECTION)
    assert selection["rank"].to_pylist() == list(range(selection.num_rows))
    return selection["frame_id"].to_pylist()


def test_the_oracle_takes_the_rarest_truth_and_goes_on_to_what_is_rare_then() -> None:
    frames = {"a/0": [CAR, CAR], "b/0": [CYCLIST], "c/0": [CYCLIST], "d/0": [CAR]}
    # labelled: 9 cars, no cyclist. A cyclist weighs 1, a car 1/10; with one taken the next weighs 1/2
    assert picks("oracle", frames, 3, labelled=(9, 0)) == ["b/0", "c/0", "a/0"]
    # with 9 cyclists and no car it is the other way round: 2, then 1/3 for d and 1/10 for the others
    assert picks("oracle", frames, 3, labelled=(0, 9)) == ["a/0", "d/0", "b/0"]


def test_scores_are_the_gain_in_the_logarithm_of_the_counts() -> None:
    frames = {"a/0": [CAR, CYCLIST], "b/0": [CAR]}
    selection = ceilings.select(
        "oracle",
        pool(frames, (1, 0)),
        boxes(frames),
        budget=Budget(amount=2),
        label=LABEL,
        judging=EvaluateConfig(),
        max_per_clip=0,
        cycle=4,
    )
    assert selection["score"].to_pylist() == pytest.approx([1 / 2 + 1, 1 / 3])
    assert selection["cycle"].to_pylist() == [4, 4]
    assert set(selection["trigger"].to_pylist()) == {"oracle"}


def test_oracle_errors_takes_what_the_model_has_most_wrong() -> None:
    frames = {"a/0": [CAR], "b/0": [CAR, CAR], "c/0": [CYCLIST]}
    found = boxes({"a/0": [CAR], "b/0": [CAR], "c/0": [CAR, CAR]}, score=0.9)
    # a is right; b misses one; c misses the cyclist and calls two cars that are none
    assert picks("oracle_errors", frames, 2, found=found) == ["c/0", "b/0"]
    unsure = boxes({"a/0": [CAR], "b/0": [CAR], "c/0": [CAR, CAR]}, score=0.2)
    assert picks("oracle_errors", frames, 1, found=unsure) == ["b/0"]  # nothing is found: most objects


def test_all_labels_takes_everything_whatever_the_budget() -> None:
    frames = {"a/0": [], "a/1": [CAR], "b/0": []}
    assert picks("all_labels", frames, 1, max_per_clip=1) == ["a/0", "a/1", "b/0"]


@pytest.mark.parametrize("name", ["oracle", "oracle_errors"])
def test_clips_that_are_full_wait_until_only_they_are_left(name: str) -> None:
    frames = {"a/0": [CYCLIST] * 3, "a/1": [CYCLIST] * 3, "b/0": [CAR]}
    assert picks(name, frames, 2, max_per_clip=1) == ["a/0", "b/0"]
    assert picks(name, frames, 3, max_per_clip=1) == ["a/0", "b/0", "a/1"]


@pytest.mark.parametrize(
    ("unit", "amount", "expected"),
    [
        (BudgetUnit.frames, 2.9, ["a/0", "b/0"]),
        (BudgetUnit.boxes, 3, ["a/0"]),  # three boxes; the next one's do not fit, so it ends
        (BudgetUnit.boxes, 4, ["a/0", "b/0", "c/0"]),  # a frame without boxes costs none
        (BudgetUnit.seconds, 31, []),  # 2 + 3 x 10
        (BudgetUnit.seconds, 44, ["a/0", "b/0"]),
        (BudgetUnit.frames, 0, []),
        (BudgetUnit.frames, math.inf, ["a/0", "b/0", "c/0"]),
    ],
)
def test_a_budget_is_never_exceeded_in_its_unit(unit: BudgetUnit, amount: float, expected: list[str]) -> None:
    frames = {"a/0": [CYCLIST] * 3, "b/0": [CAR], "c/0": []}
    assert picks("oracle", frames, amount, unit) == expected


@pytest.mark.parametrize("name", list(mine.CEILINGS))
def test_an_empty_pool_gives_an_empty_selection(name: str) -> None:
    assert picks(name, {}) == []


def test_frames_that_nobody_can_label_are_left_out() -> None:
    frames = {"a/0": [CAR], "b/0": [CAR]}
    selection = ceilings.select(
        "oracle",
        pool(frames),
        boxes({"b/0": [CAR]}),
        budget=Budget(amount=5),
        label=LABEL,
        judging=EvaluateConfig(),
        max_per_clip=0,
        cycle=1,
    )
    assert selection["frame_id"].to_pylist() == ["b/0"]


@given(
    contents=st.lists(st.lists(st.sampled_from([CAR, CYCLIST]), max_size=3), max_size=8),
    amount=st.integers(0, 10),
    seed=st.integers(0, 99),
)
def test_no_duplicates_and_no_order_of_the_pool(contents: list[list[int]], amount: int, seed: int) -> None:
    frames = {f"{'abc'[place % 3]}/{place}": classes for place, classes in enumerate(contents)}
    order = np.random.default_rng(seed).permutation(len(frames))
    shuffled = {list(frames)[place]: list(frames.values())[place] for place in order}
    for name in ("oracle", "oracle_errors"):
        found = picks(name, frames, amount, max_per_clip=2)
        assert len(found) == len(set(found)) == min(amount, len(frames))
        assert picks(name, shuffled, amount, max_per_clip=2) == found
