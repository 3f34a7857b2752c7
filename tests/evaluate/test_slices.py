"""Which frames belong to which slice."""

from __future__ import annotations

import numpy as np

from dataengine.evaluate import slices
from dataengine.schema import Taxonomy
from tests.evaluate.scenes import TAXONOMY, frames_table


def test_conditions_that_occur_and_those_declared_rare() -> None:
    table = frames_table(3, conditions=[{"weather": "fog"}, {"weather": "clear", "road": "bend"}, {}])
    found = {name: rows.tolist() for name, rows in slices.condition_slices(table, TAXONOMY).items()}
    assert found == {
        "road:bend": [False, True, False],
        "weather:clear": [False, True, False],
        "weather:fog": [True, False, False],
        "weather:snow": [False, False, False],  # declared rare, and seen not to have been tested
    }
    assert slices.tail_condition_names(TAXONOMY) == {"weather:fog", "weather:snow"}


def test_unknown_conditions_are_no_slice() -> None:
    table = frames_table(2, conditions=[{"weather": ""}, {"weather": "fog"}])
    assert list(slices.condition_slices(table, Taxonomy(classes=("car",)))) == ["weather:fog"]


def test_null_conditions() -> None:
    table = frames_table(2, conditions=[{}, {}])
    assert slices.condition_slices(table, Taxonomy(classes=("car",))) == {}


def test_only_the_commonest_values_become_slices() -> None:
    values = [f"town{number:03d}" for number in range(100)] + ["town099"]
    table = frames_table(101, conditions=[{"scene": value} for value in values])
    found = list(slices.condition_slices(table, Taxonomy(classes=("car",))))
    assert len(found) == slices.MAX_VALUES
    assert found[0] == "scene:town000"
    assert found[-1] == "scene:town099"  # twice as common as the rest


def test_drives_are_numbered_with_those_shown_first() -> None:
    drives = ["b", "a", "b", "c"]
    shown, number = slices.drive_slices(frames_table(4, drives))
    assert shown == ["a", "b", "c"]
    assert number.tolist() == [1, 0, 1, 2]


def test_many_drives_are_capped_but_all_are_numbered() -> None:
    drives = [f"d{number:03d}" for number in range(60)] + ["d059"]
    shown, number = slices.drive_slices(frames_table(61, drives))
    assert len(shown) == slices.MAX_VALUES
    assert shown[-1] == "d059"
    assert sorted(set(number.tolist())) == list(range(60))
    assert [shown[index] for index in number[:39]] == drives[:39]
    assert np.all(number[39:59] >= slices.MAX_VALUES)
