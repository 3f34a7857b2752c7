"""Expected errors of frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.frameboxes import FrameBoxes
from dataengine.mine.candidates import Candidates
from dataengine.mine.errors_model import expectation
from dataengine.mine.errors_model.expectation import expect
from dataengine.mine.errors_model.outcomes import outcomes
from dataengine.mine.errors_model.ranking import spearman
from tests.mine.errors_model.judged import CAR, CYCLIST, PEDESTRIAN, detector, known, pool_of
from tests.mine.pools import shuffled, synthetic

RIGHT = {CAR: 0.1, PEDESTRIAN: 1.0, CYCLIST: 4.0}
"""Sure of cars with reason, much too sure of cyclists."""


def fleet(seed: int) -> mine.Known:
    return detector(RIGHT, seed=seed, drives=30)


def test_expected_errors_are_the_true_ones_on_average_and_in_order() -> None:
    frames = fleet(1)
    found, truth = expect(Candidates(pool_of(frames, val=fleet(0)), 0.05), 0.05), outcomes(frames)
    assert found.false_alarms.sum() == pytest.approx(truth.num_wrong.sum(), rel=0.2)
    assert found.faint.sum() == pytest.approx(truth.num_missed.sum(), rel=0.25)
    assert spearman(found.total(), truth.num_wrong + truth.num_missed) > 0.4
    assert found.false_alarms[:, CYCLIST].sum() > 3 * found.false_alarms[:, CAR].sum()
    assert found.faint[:, CAR].sum() > 3 * found.faint[:, CYCLIST].sum()


def test_expected_objects_are_the_true_ones() -> None:
    frames = fleet(1)
    found, truth = expect(Candidates(pool_of(frames, val=fleet(0)), 0.05), 0.05), outcomes(frames)
    np.testing.assert_allclose(found.objects.sum(axis=0), truth.is_object.sum(axis=0), rtol=0.35)
    assert len(found.right) == frames.predictions.boxes.num_boxes
    own = truth.is_object[np.arange(len(found.right)), frames.predictions.boxes.class_id]
    assert found.right[own].mean() > 2 * found.right[~own].mean()


def test_its_quality_is_told_and_is_that_on_unseen_drives() -> None:
    found = expect(Candidates(pool_of(fleet(1), val=fleet(0)), 0.05), 0.05)
    assert found.box_auc == pytest.approx(0.87, abs=0.05)
    assert 0.35 < found.frame_rho < 0.75
    assert f"AUC {found.box_auc:.2f}" in found.note
    assert f"correlation {found.frame_rho:.2f}" in found.note


def test_objects_that_no_box_shows_are_expected_where_they_are_seen_in_val() -> None:
    """In every dark frame two objects are overlooked entirely."""

    def dark_and_bright(prefix: str) -> mine.Known:
        frames = []
        for number in range(60):
            unseen = [(8, CAR), (9, CAR)] if number % 2 else []
            said = [(0, CAR, 0.9), (1, CAR, 0.4)]
            frames.append((f"{prefix}{number // 6:03d}/{number % 6:06d}", said, [(0, CAR), *unseen]))
        judged = known(frames)
        light = np.array([0.1 if number % 2 else 0.6 for number in range(60)], np.float32)
        table = judged.frames.set_column(
            judged.frames.column_names.index("brightness"), "brightness", [light]
        )
        return replace(judged, frames=table)

    found = expect(Candidates(pool_of(dark_and_bright("p"), val=dark_and_bright("v")), 0.05), 0.05)
    np.testing.assert_allclose(found.unseen[1::2, CAR], 2, atol=0.2)
    np.testing.assert_allclose(found.unseen[::2, CAR], 0, atol=0.2)
    assert found.unseen[:, CYCLIST].sum() == 0
    assert found.total()[1::2].min() > 1.5 + found.total()[::2].max()


NOTHING = {
    "no val": None,
    "val without boxes": known([("v/0", [], []), ("w/0", [], [])]),
    "no mistakes": known([("v/0", [(0, CAR, 0.9)], [(0, CAR)]), ("w/0", [(0, CAR, 0.9)], [(0, CAR)])]),
    "nothing but mistakes": known([("v/0", [(0, CAR, 0.9)], []), ("w/0", [(0, CAR, 0.9)], [])]),
}


@pytest.mark.parametrize("val", NOTHING.values(), ids=NOTHING)
def test_without_mistakes_to_learn_from_scores_are_chances(val: mine.Known | None) -> None:
    frames = known([("a/0", [(0, CAR, 0.7), (1, CAR, 0.2)], []), ("b/0", [], [])])
    found = expect(Candidates(pool_of(frames, val=val), 0.05), 0.05)
    assert found.note.startswith("no model of val's mistakes could be fitted; scores as they are")
    np.testing.assert_allclose(found.false_alarms[:, CAR], [0.3, 0], atol=1e-6)
    np.testing.assert_allclose(found.faint[:, CAR], [0.2, 0], atol=1e-6)
    np.testing.assert_allclose(found.total(), [0.5, 0], atol=1e-6)
    assert np.isnan(found.frame_rho)


def test_one_drive_alone_is_no_reason_to_fail() -> None:
    one = detector(RIGHT, drives=1, per_drive=20)
    assert np.isfinite(expect(Candidates(pool_of(fleet(1), val=one), 0.05), 0.05).total()).all()


def test_class_weights() -> None:
    found = expect(Candidates(pool_of(fleet(1), val=fleet(0)), 0.05), 0.05)
    only = found.total(np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(
        only, (found.false_alarms + found.faint + found.unseen)[:, CYCLIST], atol=1e-12
    )


def test_boxes_on_ignore_regions_are_no_mistakes() -> None:
    frames = fleet(0)
    wrong = frames.predictions.boxes
    regions = FrameBoxes.build(
        wrong.frame_ids, wrong.counts, wrong.xyxy, wrong.class_id, ignore=np.ones(wrong.num_boxes, np.bool_)
    )
    half = replace(frames, truth=regions)
    assert outcomes(half).num_wrong.sum() == 0
    assert expect(Candidates(pool_of(fleet(1), val=half), 0.05), 0.05).note.startswith("no model")


def test_order_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = synthetic()
    whole = expect(Candidates(pool, 0.05), 0.05).total()
    monkeypatch.setattr(expectation, "BLOCK", 7)
    np.testing.assert_allclose(expect(Candidates(shuffled(pool, 3), 0.05), 0.05).total(), whole, rtol=1e-9)
