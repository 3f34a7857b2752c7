"""Parts of a pool that speak of other classes are one clear line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.errors import InputError
from dataengine.frameboxes import FrameBoxes
from tests.mine.pools import pick, synthetic

NAMES = r"3 classes \(car, pedestrian, cyclist\)"


def with_truth(known: mine.Known | None, class_id: int) -> mine.Known:
    assert known is not None
    ids = known.truth.frame_ids
    truth = FrameBoxes.build(ids, [1] * len(ids), [[0, 0, 9, 9]] * len(ids), [class_id] * len(ids))
    return replace(known, truth=truth)


def other_classes() -> dict[str, tuple[mine.Pool, str]]:
    pool = synthetic()
    assert pool.predictions is not None
    scores = np.zeros((pool.predictions.boxes.num_boxes, 5), np.float32)
    return {
        "counts": (
            replace(pool, labelled_class_counts=np.zeros(5, np.int64)),
            rf"^the labelled frames count 5 classes, the pool {NAMES}: label the frames in this workspace",
        ),
        "labelled": (
            replace(pool, labelled=with_truth(pool.labelled, 4)),
            rf"^the labelled frames hold class number 4, the pool {NAMES}: ",
        ),
        "val": (
            replace(pool, val=with_truth(pool.val, 3)),
            rf"^the val frames hold class number 3, the pool {NAMES}: ",
        ),
        "predictions": (
            replace(pool, predictions=replace(pool.predictions, class_scores=scores)),
            rf"^the predictions score 5 classes, the pool has {NAMES}: predict it again$",
        ),
        "embeddings": (
            replace(pool, labelled_embeddings=np.ones((2, 9), np.float32)),
            "^embeddings of labelled frames hold 9 values, those of the pool 8: they are of another ",
        ),
    }


@pytest.mark.parametrize("arm", mine.ARMS)
@pytest.mark.parametrize("part", other_classes())
def test_one_line_names_the_part_and_the_remedy(arm: str, part: str) -> None:
    pool, message = other_classes()[part]
    with pytest.raises(InputError, match=message) as raised:
        pick(pool, arm, 5)
    assert "\n" not in str(raised.value)


def test_the_highest_class_that_there_is_is_no_mistake() -> None:
    pool = synthetic()
    assert pick(replace(pool, labelled=with_truth(pool.labelled, 2)), "coverage", 5).num_rows == 5
