"""The limits of a pick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.mine.basket import Basket, feasible_cap, popcount
from dataengine.mine.candidates import Candidates
from tests.mine.pools import by_hand

CAP_TABLE = [
    # clip sizes, frames wanted, limit, limit that can be kept, why
    ([10, 10, 10], 6, 3, 3, "it fits"),
    ([10, 10, 10], 9, 3, 3, "it just fits"),
    ([10, 10, 10], 10, 3, 4, "one too many: the limit rises by as little as it takes"),
    ([10, 2, 2], 8, 3, 4, "short clips cannot make up"),
    ([10, 2, 2], 14, 3, 10, "everything"),
    ([2, 2], 4, 3, 3, "no clip reaches the limit"),
    ([5, 5], 3, 0, 6, "0 is no limit"),
    ([], 0, 3, 1, "no clips"),
]


@pytest.mark.parametrize(
    ("sizes", "wanted", "cap", "kept", "why"), CAP_TABLE, ids=[row[-1] for row in CAP_TABLE]
)
def test_feasible_cap(sizes: list[int], wanted: int, cap: int, kept: int, why: str) -> None:
    assert feasible_cap(np.array(sizes, np.int64), wanted, cap) == kept, why


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_popcount(values: list[int]) -> None:
    assert popcount(np.array(values, np.uint64)).tolist() == [value.bit_count() for value in values]


def basket(frames: list[tuple[str, int]], size: int, *, cap: int = 0, bits: int = 4) -> Basket:
    pool = by_hand([(frame_id, []) for frame_id, _ in frames], phash=[value for _, value in frames])
    return Basket(Candidates(pool, 0.05), size, max_per_clip=cap, duplicate_bits=bits)


def test_near_duplicates_close_within_their_clip_alone() -> None:
    found = basket([("a/0", 0b0), ("a/1", 0b1111), ("a/2", 0b11111), ("b/0", 0b0)], 4)
    found.add(0, 1.0, "t", "r")
    assert found.eligible.tolist() == [
        False,
        False,
        True,
        True,
    ]  # 4 bits are alike, 5 are not; b is another clip


def test_duplicate_bits_of_zero_still_refuses_the_same_picture() -> None:
    found = basket([("a/0", 5), ("a/1", 5), ("a/2", 4)], 3, bits=0)
    found.add(0, 1.0, "t", "r")
    assert found.eligible.tolist() == [False, False, True]


def test_a_full_clip_closes() -> None:
    hashes = [0, 2**32 - 1, 2**64 - 1]
    found = basket([(f"a/{i}", hashes[i]) for i in range(3)] + [("b/0", 0), ("c/0", 0)], 4, cap=2)
    found.add(0, 1.0, "t", "r")
    assert found.eligible.tolist() == [False, True, True, True, True]
    found.add(1, 1.0, "t", "r")
    assert found.eligible.tolist() == [False, False, False, True, True]


def test_limits_give_way_one_after_the_other() -> None:
    found = basket([("a/0", 0), ("a/1", 0), ("a/2", 2**32 - 1), ("b/0", 0)], 4, cap=1)
    found.add(0, 1.0, "t", "r")
    found.add(3, 1.0, "t", "r")
    found.eligible[:] = False
    found.loosen()
    assert found.eligible.tolist() == [False, False, True, False]  # another of clip a, but not the duplicate
    found.add(2, 1.0, "t", "r")
    found.loosen()
    assert found.eligible.tolist() == [False, True, False, False]
    found.add(1, 1.0, "t", "r")
    assert found.exhausted
    assert found.reasons == [
        "r",
        "r",
        "r; one more of its clip, as no other was left",
        "r; near-duplicate of another pick, as no other was left",
    ]


def test_neighbours_in_time_close_within_their_clip_alone() -> None:
    """Frames every half a second: those less than a second from the pick are closed."""
    pool = by_hand([(f"a/{i}", []) for i in range(5)] + [("b/2", [])])
    found = Basket(Candidates(pool, 0.05), 6, max_per_clip=0, duplicate_bits=-1, min_gap_s=1.0)
    found.add(2, 1.0, "t", "r")
    assert found.eligible.tolist() == [True, False, False, False, True, True]
    found.add(0, 1.0, "t", "r")
    found.add(4, 1.0, "t", "r")
    found.add(5, 1.0, "t", "r")
    assert found.exhausted
    found.loosen()  # the limit per clip: there was none
    found.loosen()
    assert found.eligible.tolist() == [False, True, False, True, False, False]
    found.add(1, 1.0, "t", "r")
    assert found.reasons[-1] == "r; soon before or after another pick, as no other was left"


def test_a_frame_without_a_time_is_nobodys_neighbour() -> None:
    pool = by_hand([(f"a/{i}", []) for i in range(3)])
    times = pa.array([0.0, None, 0.5])
    frames = pool.frames.set_column(pool.frames.column_names.index("time_s"), "time_s", times)
    candidates = Candidates(replace(pool, frames=frames), 0.05)
    found = Basket(candidates, 3, max_per_clip=0, duplicate_bits=-1, min_gap_s=9.0)
    found.add(1, 1.0, "t", "r")
    assert found.eligible.tolist() == [True, False, True]
    found.add(0, 1.0, "t", "r")
    assert found.exhausted


def test_interleaving_keeps_both_orders_and_what_came_before() -> None:
    found = basket([(f"c{i}/0", 0) for i in range(7)], 7)
    for number in range(7):
        found.add(number, number, f"t{number}", f"r{number}")
    found.interleave(1, 5)
    assert found.picks == [0, 1, 5, 2, 3, 6, 4]
    assert found.reasons == [f"r{number}" for number in found.picks]
    assert found.triggers == [f"t{number}" for number in found.picks]
    assert found.scores == found.picks


def test_interleaving_with_nothing() -> None:
    found = basket([("a/0", 0), ("b/0", 0)], 2)
    found.add(0, 0, "t", "r")
    found.interleave(1, 1)
    found.interleave(0, 1)
    found.interleave(0, 0)
    assert found.picks == [0]
