"""Frames like those in which the detector failed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dataengine import mine
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores import exemplars, failures
from dataengine.mine.scores.exemplars import Exemplars, missed_objects, rare_labelled
from dataengine.mine.scores.failures import likeness
from tests.mine.errors_model.judged import CAR, CYCLIST, PEDESTRIAN, known, pool_of, with_vectors
from tests.mine.pools import pick, picked

AXES = np.eye(4)
"""Four looks that have nothing in common."""


def val() -> mine.Known:
    """A found car (look 0), a cyclist under a faint box (look 1), and one that nothing overlaps."""
    frames = known(
        [
            ("v/0", [(0, CAR, 0.9), (1, CYCLIST, 0.1)], [(0, CAR), (1, CYCLIST)]),
            ("w/0", [], [(5, CYCLIST)]),
        ]
    )
    return with_vectors(frames, features=AXES[:2], embeddings=AXES[2:4])


def looks(numbers: list[int]) -> mine.Known:
    """Frames a/0, b/0, ... with one box each, of these looks; embeddings say nothing."""
    frames = known([(f"{'abcdefghij'[i]}/0", [(0, CAR, 0.5)], []) for i in range(len(numbers))])
    return with_vectors(frames, features=AXES[numbers], embeddings=np.zeros((len(numbers), 4)))


def test_exemplars_are_the_missed_objects() -> None:
    shown, alone = missed_objects(val(), 3)
    np.testing.assert_array_equal(shown.vectors, AXES[1:2])
    np.testing.assert_array_equal(alone.vectors, AXES[3:4])  # the embedding of its frame
    assert (shown.kind.tolist(), alone.kind.tolist()) == ([CYCLIST], [CYCLIST])
    assert alone.of_frames


def test_a_box_of_another_class_finds_nothing_but_shows_what_was_missed() -> None:
    frames = with_vectors(known([("v/0", [(0, CAR, 0.9)], [(0, CYCLIST)])]), features=AXES[2:3])
    shown, _ = missed_objects(frames, 3)
    np.testing.assert_array_equal(shown.vectors, AXES[2:3])


def test_without_box_features_frames_are_exemplars() -> None:
    bare = with_vectors(val(), features=np.zeros((2, 0)))
    shown, alone = missed_objects(bare, 3)
    assert len(shown.kind) == 0
    assert len(alone.kind) == 2


def test_frames_like_the_missed_object_come_first() -> None:
    pool = pool_of(looks([0, 0, 1, 0, 2, 1, 0, 0]), val=val())
    selection = pick(pool, "failures", 8)
    assert set(picked(selection)[:2]) == {"c/0", "f/0"}
    assert selection["score"][0].as_py() > selection["score"][7].as_py()
    assert "likeness 1.00 to a missed cyclist" in selection["reason"][0].as_py()


def test_every_failure_is_covered_before_one_is_covered_twice() -> None:
    """Looks 1 and 2 were both missed: one frame of either is worth more than two of one."""
    missed = known([("v/0", [(0, CAR, 0.1), (1, CAR, 0.1)], [(0, CAR), (1, CAR)])])
    missed = with_vectors(missed, features=AXES[1:3], embeddings=np.zeros((1, 4)))
    pool = pool_of(looks([1, 1, 1, 0, 0, 3, 2, 2]), val=missed)
    assert set(picked(pick(pool, "failures", 2))) == {"a/0", "g/0"}


def test_likeness_is_that_of_the_best_box() -> None:
    frames = known([("a/0", [(0, CAR, 0.9), (1, CAR, 0.5), (2, CAR, 0.4)], []), ("b/0", [], [])])
    pool = pool_of(with_vectors(frames, features=np.array([[1.0, 0], [0, 1], [-1, -1]]), embeddings=AXES[:2]))
    wanted = Exemplars(vectors=np.array([[0.0, 2.0]], np.float32), kind=np.array([CAR]), of_frames=False)
    found = likeness(Candidates(pool, 0.05), wanted, 0.05)
    assert found[0, 0] == pytest.approx(1, abs=1e-3)
    assert found[1, 0] == 0
    first = likeness(Candidates(pool, 0.6), wanted, 0.6)  # one box alone has no directions
    assert first[0, 0] == 0


def test_exemplars_of_rare_classes_are_labelled_objects() -> None:
    labelled = known(
        [
            (f"l{i}/0", [(0, CAR, 0.9), (1, PEDESTRIAN, 0.9)], [(0, CAR), (1, PEDESTRIAN)][: 1 + (i == 0)])
            for i in range(9)
        ]
    )
    own = labelled.predictions.boxes.class_id
    labelled = with_vectors(labelled, features=AXES[np.where(own == CAR, 0, 1)])
    shown, _ = rare_labelled(labelled, np.array([9, 1, 0]))
    assert shown.kind.tolist() == [PEDESTRIAN]  # the one that is true, and no car
    even, _ = rare_labelled(labelled, np.array([10, 9, 11]))
    assert even.kind.tolist() == [PEDESTRIAN]  # the rarest, though none is rare
    pool = pool_of(looks([0, 0, 0, 1]), labelled=labelled)
    selection = pick(pool, "rare_lookalikes", 1)
    assert picked(selection) == ["d/0"]
    assert "to a labelled pedestrian" in selection["reason"][0].as_py()


def test_exemplars_are_few_and_of_every_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemplars, "MOST_EXEMPLARS", 4)
    frames = known([(f"v{i:02d}/0", [], [(0, CAR)] if i else [(0, CAR), (1, CYCLIST)]) for i in range(30)])
    _, alone = missed_objects(frames, 3)
    assert sorted(alone.kind.tolist()) == [CAR, CAR, CAR, CYCLIST]


@pytest.mark.parametrize("arm", ["failures", "rare_lookalikes"])
def test_without_exemplars_it_says_so(arm: str) -> None:
    pool = replace(pool_of(looks([0, 1, 2])), val=None, labelled=None)
    reasons = pick(pool, arm, 2)["reason"].to_pylist()
    assert all(reason.startswith("no exemplar of") for reason in reasons)


def test_a_shortlist_takes_the_same_first_pick(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = pool_of(looks([0, 0, 1, 0, 2, 1, 0, 0]), val=val())
    whole = picked(pick(pool, "failures", 8))
    monkeypatch.setattr(failures, "SHORTLIST", 2)
    short = picked(pick(pool, "failures", 8))
    assert short[:2] == whole[:2]
    assert sorted(short) == sorted(whole)
