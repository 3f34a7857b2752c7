"""Splits that the user names for whole drives."""

from __future__ import annotations

import pytest

from dataengine.config import DatasetConfig
from dataengine.curate.pinned import REASON, explained, pinned
from dataengine.curate.splits import assign
from dataengine.errors import ConfigError
from tests.curate.timelines import timeline

DRIVES = {"a": [0.0, 1.0], "b": [0.0], "c": [0.0], "d": [0.0]}


def test_named_drives_have_their_splits_and_nothing_is_drawn() -> None:
    pins = {"b": "test", "d": "val"}
    found = pinned(timeline(DRIVES), pins)
    assigned = explained(assign(found, gap_s=2.0, val_share=0.4, test_share=0.4), found, pins)
    assert assigned.names().to_pylist() == ["pool", "pool", "test", "pool", "val"]
    assert not assigned.drawn
    assert [word == REASON for word in assigned.reason_words().to_pylist()] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_a_named_split_wins_over_a_published_one() -> None:
    found = pinned(timeline(DRIVES, hints=["pool", "pool", "test", "val", "pool"]), {"a": "test", "b": "val"})
    assigned = assign(found, gap_s=2.0, val_share=0.2, test_share=0.2)
    assert assigned.names().to_pylist() == ["test", "test", "val", "val", "pool"]


def test_without_names_nothing_changes() -> None:
    found = timeline(DRIVES)
    assert pinned(found, {}) is found


def test_an_unknown_drive_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no drive 'Town1'; there is Town01"):
        pinned(timeline({"Town01": [0.0], "Town02": [0.0]}), {"Town1": "val"})


@pytest.mark.parametrize("splits", [{"a": "val"}, {"a": "test"}, {"a": "val", "b": "test", "c": "train"}])
def test_half_a_split_or_an_unknown_one_is_refused(splits: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.splits"):
        DatasetConfig(name="voc", splits=splits)
