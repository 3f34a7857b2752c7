"""Quotas over conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from dataengine import mine
from dataengine.mine.candidates import Candidates
from dataengine.mine.scores.conditions import by_look, by_tags
from tests.mine.pools import by_hand, pick, picked

NIGHTS = 10
"""Of a hundred frames."""


def tagged(tags: list[list[tuple[str, str]]], labelled: list[list[tuple[str, str]]] = []) -> mine.Pool:  # noqa: B006
    """Frames c000/0, c001/0, ... and labelled ones with these conditions."""
    pool = by_hand(
        [(f"c{i:03d}/0", []) for i in range(len(tags))],
        embeddings=np.ones((len(tags), 2)),
        labelled=np.ones((len(labelled), 2)),
    )
    assert pool.labelled is not None

    def with_tags(frames: pa.Table, rows: list[list[tuple[str, str]]]) -> pa.Table:
        place = frames.column_names.index("conditions")
        return frames.set_column(place, frames.field("conditions"), pa.array(rows, frames.field(place).type))

    return replace(
        pool,
        frames=with_tags(pool.frames, tags),
        labelled=replace(pool.labelled, frames=with_tags(pool.labelled.frames, labelled)),
    )


def time(*names: str) -> list[list[tuple[str, str]]]:
    return [[("time_of_day", name)] for name in names]


HUNDRED = time(*["night"] * NIGHTS, *["day"] * (100 - NIGHTS))


def nights(pool: mine.Pool, amount: int, **settings: float) -> int:
    return sum(frame < "c010" for frame in picked(pick(pool, "condition_balanced", amount, **settings)))


def test_a_rare_condition_is_bought_more_often() -> None:
    assert nights(tagged(HUNDRED), 12, quota_power=0.0) == 6  # level
    assert nights(tagged(HUNDRED), 12, quota_power=1.0) == 10  # 9 of 10; all there are
    assert nights(tagged(HUNDRED), 12, quota_power=0.5) == 9  # 3 of 4


def test_what_is_labelled_already_counts() -> None:
    full = time(*["night"] * 6)
    assert nights(tagged(HUNDRED, full), 6, quota_power=0.0) == 0
    assert nights(tagged(HUNDRED, full), 8, quota_power=0.0) == 1


def test_conditions_take_turns() -> None:
    tags = [
        [("time_of_day", "night" if i < 10 else "day"), ("weather", "fog" if i >= 90 else "clear")]
        for i in range(100)
    ]
    found = picked(pick(tagged(tags), "condition_balanced", 16, quota_power=0.7))
    assert sum(frame < "c010" for frame in found) >= 5
    assert sum(frame >= "c090" for frame in found) >= 5


def test_reasons_say_how_far_behind_a_condition_is() -> None:
    selection = pick(tagged(HUNDRED), "condition_balanced", 2, quota_power=0.7)
    assert selection["trigger"][0].as_py() == "time_of_day:night"
    assert selection["reason"][0].as_py() == "time_of_day:night: 0 of 0 labelled or picked, wanted 82%"


def test_within_a_condition_the_stream_decides() -> None:
    first = [picked(pick(tagged(HUNDRED), "condition_balanced", 5, seed=seed)) for seed in (0, 0, 1)]
    assert first[0] == first[1] != first[2]


def test_frames_without_a_tag_come_last() -> None:
    tags = [*time("night", "day"), [], []]
    found = pick(tagged(tags), "condition_balanced", 4)
    assert set(picked(found)[:2]) == {"c000/0", "c001/0"}
    assert found["reason"][3].as_py().startswith("no condition is known")


def test_tags_that_divide_nothing_are_none() -> None:
    assert by_tags(Candidates(tagged(time("day", "day")), 0.05), ["time_of_day", "weather"]) == []


def dark(number: int) -> mine.Pool:
    """Frames without tags, the first tenth of them dark and soft."""
    pool = tagged([[]] * number, [[]] * 3)
    is_dark = np.arange(number) < number // 10
    frames = pool.frames
    for name, low, high in (("brightness", 0.1, 0.6), ("sharpness", 20.0, 400.0)):
        place = frames.column_names.index(name)
        jitter = np.linspace(0, 0.01, number)
        values = np.where(is_dark, low, high) * (1 + jitter)
        frames = frames.set_column(place, frames.field(place), pa.array(values, frames.field(place).type))
    return replace(pool, frames=frames)


@pytest.mark.parametrize("arm", ["condition_balanced", "look_balanced"])
def test_without_tags_dark_frames_are_found_by_their_look(arm: str) -> None:
    """Some 3 of 30 at random."""
    selection = pick(dark(200), arm, 30)
    assert sum(frame < "c020" for frame in picked(selection)) >= 6
    assert any("dark" in trigger for trigger in selection["trigger"].to_pylist())


def test_looks_hold_every_frame_in_one_group() -> None:
    found = by_look(Candidates(dark(200), 0.05), np.random.default_rng(0))
    assert found.counts().sum() == 203
    assert len(set(found.names)) == len(found.names)
    assert len(found.pool) == 200
