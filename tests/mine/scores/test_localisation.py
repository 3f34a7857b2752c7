"""Boxes that move between views."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.mine.scores.localisation import LOCALISATION, box_spread
from tests.mine.pools import pick, picked
from tests.mine.scores.looks import FAR, HERE, RIGHT, look, opinion, pool_of, task_of

CAR, FAINT = (0.9, 0.0, 0.0), (0.3, 0.0, 0.0)
AWAY = 1 - 80 / 120


def test_spread_by_hand() -> None:
    """Moved in one view of two; in one of one; in none; shown by none."""
    plain = opinion([(HERE, CAR)], [(HERE, CAR)], [(HERE, CAR)], [(HERE, CAR)])
    flip = opinion([(RIGHT, CAR)], [(RIGHT, CAR)], [(HERE, CAR)], [(FAR, CAR)])
    scale = opinion([(HERE, CAR)], [], [(HERE, CAR)], [])
    np.testing.assert_allclose(box_spread(plain, [flip, scale]), [AWAY / 2, AWAY, 0, np.nan])


def test_sure_boxes_count_more() -> None:
    plain = look([(HERE, CAR), (FAR, FAINT)], [], [(HERE, CAR)])
    other = look([(RIGHT, CAR), (FAR, FAINT)], [(HERE, CAR)], [(FAR, CAR)])
    found = LOCALISATION.compute(task_of(pool_of(plain, flip=other, scale=other)))
    np.testing.assert_allclose(found.values, [AWAY * 0.9 / 1.2, 0, 0], rtol=1e-6)
    assert found.reason(0) == "boxes overlap by 0.75 between views, the sure ones counted most"
    assert found.reason(1).startswith("no predicted box that another view shows")


def test_the_least_settled_come_first() -> None:
    plain = look(*[[(HERE, CAR)]] * 4)
    moved = look(*[[((by, 0, 10 + by, 10), CAR)] for by in (1, 3, 0, 2)])
    pool = pool_of(plain, flip=moved, scale=plain)
    assert picked(pick(pool, "localisation", 4)) == ["c1/0", "c3/0", "c0/0", "c2/0"]


def test_a_view_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="view scale"):
        LOCALISATION.compute(task_of(pool_of(look([]), flip=look([]))))
