"""CALD: two stages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataengine.mine.peers.cald import class_evidence, novelty, softmax
from tests.mine.pools import pick, picked
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion, pool_of

CAR, WALKER, BIKE = (0.9, 0.0, 0.0), (0.0, 0.9, 0.0), (0.0, 0.0, 0.9)


def test_evidence_is_the_mean_of_the_looks() -> None:
    first = opinion([(HERE, CAR), (FAR, (0.4, 0, 0))], [])
    second = opinion([(HERE, (0.5, 0, 0)), (FAR, BIKE)], [])
    np.testing.assert_allclose(class_evidence([first, second], 3), [[0.7, 0, 0.45], [0, 0, 0]], atol=1e-6)


def test_novelty_by_hand() -> None:
    """Two classes of which the first alone is labelled, e times as likely as the other."""
    labelled, evidence = np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 1.0]])
    high, low = math.e / (1 + math.e), 1 / (1 + math.e)
    expected = high * math.log(high / 0.5) + low * math.log(low / 0.5)
    np.testing.assert_allclose(novelty(evidence, labelled), [0, expected], atol=1e-9)
    np.testing.assert_allclose(softmax(np.array([[1.0, 0.0]])), [[high, low]])


def test_the_second_stage_wants_what_the_labels_lack() -> None:
    """All equally inconsistent: by class. Labelled: 40 cars, 20 pedestrians, 2 cyclists."""
    plain = look([(HERE, CAR)], [(HERE, BIKE)], [(HERE, WALKER)])
    view = look([(RIGHT, CAR)], [(RIGHT, BIKE)], [(RIGHT, WALKER)])
    pool = pool_of(plain, flip=view, scale=view)
    selection = pick(pool, "cald", 3)
    assert picked(selection)[0] == "c1/0"
    assert picked(selection)[-1] == "c0/0"
    assert (np.diff(selection["score"].to_numpy()) <= 0).all()
    assert "consistency between views within" in selection["reason"][0].as_py()


def test_the_first_stage_decides_who_may_be_looked_at() -> None:
    """Ten cyclists that stay as they are, six cars that move: the shortlist of five is of cars."""
    plain = look(*[[(HERE, BIKE)]] * 10, *[[(HERE, CAR)]] * 6)
    view = look(*[[(HERE, BIKE)]] * 10, *[[(RIGHT, CAR)]] * 6)
    found = picked(pick(pool_of(plain, flip=view, scale=view), "cald", 4))
    assert set(found) <= {f"c{number}/0" for number in range(10, 16)}


def test_blanks_come_last() -> None:
    plain = look([], [(HERE, CAR)], [], [(HERE, CAR)])
    assert set(picked(pick(pool_of(plain, flip=plain, scale=plain), "cald", 2))) == {"c1/0", "c3/0"}


@pytest.mark.parametrize("amount", [0, 1, 2, 9])
def test_frames_that_are_all_alike_go_by_id(amount: int) -> None:
    plain = look(*[[(HERE, CAR)]] * 3)
    found = picked(pick(pool_of(plain, flip=plain, scale=plain), "cald", amount))
    assert found == ["c0/0", "c1/0", "c2/0"][:amount]
