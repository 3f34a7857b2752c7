"""Labels: what is impossible is refused, what leaves the image is cut, names become classes."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine import cards
from dataengine.adapters.labels import FrameLabels, check, class_ids
from dataengine.errors import ConfigError, InputError

CARD = cards.load("simulated")


def labelled(*boxes: tuple[float, float, float, float], name: str = "car") -> FrameLabels:
    number = len(boxes)
    return FrameLabels(
        xyxy=np.array(boxes, np.float32).reshape(number, 4),
        names=(name,) * number,
        ignore=np.zeros(number, np.bool_),
        visibility=np.ones(number, np.float32),
        track_id=np.arange(number, dtype=np.int32),
    )


IMPOSSIBLE = [
    # box                        what the message says
    ((np.nan, 1, 5, 5), "not a number"),
    ((1, 1, np.inf, 5), "not a number"),
    ((5, 1, 1, 5), "inverted or empty"),
    ((1, 5, 5, 1), "inverted or empty"),
    ((1, 1, 1, 5), "inverted or empty"),
    ((-9, -9, -1, -1), "outside of the image of 64x48"),
    ((64, 1, 70, 5), "outside of the image of 64x48"),
]


@pytest.mark.parametrize(("box", "message"), IMPOSSIBLE)
def test_an_impossible_box_is_named(box, message):
    with pytest.raises(InputError, match=rf"box 1 \(car\) .*{message}"):
        check(labelled((1, 1, 5, 5), box), (48, 64))


def test_boxes_are_cut_to_the_image():
    found = check(labelled((-3, -4, 70, 50), (1, 2, 3, 4)), (48, 64))
    assert found.xyxy.tolist() == [[0, 0, 64, 48], [1, 2, 3, 4]]


def test_no_boxes_are_fine():
    assert len(check(labelled(), (48, 64)).xyxy) == 0


def test_names_become_class_ids_and_ignore_flags():
    card = cards.Card.from_json(
        {
            **CARD.to_json(),
            "taxonomy": {"classes": ["car", "cone"], "class_map": {"Van": "car", "Sign": "ignore"}},
        }
    )
    for name, expected in {"Van": (0, False), "Sign": (0, True), "cone": (1, False)}.items():
        ids, ignore = class_ids(labelled((1, 1, 5, 5), name=name), card, "a.mp4")
        assert (ids[0], ignore[0]) == expected


def test_an_unknown_name_is_told_with_the_line_to_add():
    with pytest.raises(
        ConfigError, match=r'a.mp4: class "Van" .*`"Van" = "ignore"`.*datasets/simulated.toml'
    ):
        class_ids(labelled((1, 1, 5, 5), name="Van"), CARD, "a.mp4")
