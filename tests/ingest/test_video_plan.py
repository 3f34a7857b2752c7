"""The plan: which packets are decoded for which frames, on indices small enough to read."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.ingest.video.index import VideoIndex
from dataengine.ingest.video.nal import SliceReader
from dataengine.ingest.video.plan import Run, Ticks, runs, seconds
from tests.ingest.films import chosen


def index_of(kinds: str, pts: list[int]) -> VideoIndex:
    """An index from a letter a packet: ``K`` can be entered at, ``P`` is referred to, ``b`` is not."""
    times = np.array(pts, np.int64)
    return VideoIndex(
        pts=times,
        size=np.ones(len(pts), np.int64),
        enters=np.array([kind == "K" for kind in kinds]),
        unused=np.array([kind == "b" for kind in kinds]),
        shown=np.argsort(times),
        stamped=True,
        num_expected=len(pts),
    )


CLOSED = index_of("KPPKPPKPP", [0, 1, 2, 3, 4, 5, 6, 7, 8])
B_FRAMES = index_of("KPbbPbbKPbb", [0, 3, 1, 2, 6, 4, 5, 7, 10, 8, 9])
LEADING = index_of("KPbbKbbPbb", [0, 3, 1, 2, 6, 4, 5, 9, 7, 8])  # 4 and 5 come after the second K

PLANS = [
    # index, wanted frames by their number, runs as (sent packets, wanted packets)
    (CLOSED, [0], [((0,), (0,))]),
    (CLOSED, [2], [((0, 1, 2), (2,))]),
    (CLOSED, [0, 3, 6], [((0,), (0,)), ((3,), (3,)), ((6,), (6,))]),
    (CLOSED, [1, 7], [((0, 1), (1,)), ((6, 7), (7,))]),
    (CLOSED, [0, 1, 2, 3], [((0, 1, 2), (0, 1, 2)), ((3,), (3,))]),
    (CLOSED, [], []),
    (B_FRAMES, [1], [((0, 1, 2), (2,))]),
    (B_FRAMES, [2], [((0, 1, 3), (3,))]),  # the other b is not needed
    (B_FRAMES, [3], [((0, 1), (1,))]),
    (B_FRAMES, [6, 7], [((0, 1, 4), (4,)), ((7,), (7,))]),
    (LEADING, [6], [((4,), (4,))]),
    (LEADING, [4], [((0, 1, 4, 5), (5,))]),  # refers to what was before its group
    (LEADING, [5, 9], [((0, 1, 4, 6, 7), (6, 7))]),  # already there: no second entry
    (LEADING, [8], [((4, 7, 9), (9,))]),
]


@pytest.mark.parametrize(("index", "numbers", "expected"), PLANS)
def test_a_run_holds_what_its_frames_need(index, numbers, expected):
    wanted = index.shown[numbers]
    assert list(runs(index, wanted)) == [Run(sent=sent, wanted=frames) for sent, frames in expected]


@given(
    gaps=st.lists(st.integers(1, 900), min_size=1, max_size=60),
    fps=st.sampled_from([0.5, 1.0, 3.0, 7.0, 10.0, 30.0, None]),
)
def test_ticks_follow_the_rule_at_any_rhythm(gaps, fps):
    times = (np.cumsum([0, *gaps]) / 1000).tolist()
    ticks = Ticks(fps)
    assert [number for number, time in enumerate(times) if ticks.takes(time)] == chosen(times, fps)


@given(
    ticks=st.integers(0, 2**40),
    base=st.sampled_from([Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 3)]),
)
def test_seconds_are_the_nearest_numbers(ticks, base):
    assert seconds(np.array([ticks]), base)[0] == float(ticks * base)


ANNEX_B, LENGTHS = b"", bytes([1, 100, 0, 30, 0xFF])
NALS = [
    # codec, configuration, packet, starts, starts cleanly, unused
    ("h264", ANNEX_B, "000001 67 64 000001 65 88", (True, True, False)),
    ("h264", ANNEX_B, "00000001 09 10 00000001 41 9a", (False, False, False)),
    ("h264", ANNEX_B, "000001 01 9a", (False, False, True)),
    ("h264", LENGTHS, "00000002 0605 00000002 2588", (True, True, False)),
    ("h264", LENGTHS, "00000002 0605", None),
    ("h264", LENGTHS, "ffffffff 0605", None),
    ("h264", LENGTHS, "", None),
    ("hevc", ANNEX_B, "000001 2601 af", (True, True, False)),  # IDR
    ("hevc", ANNEX_B, "000001 2a01 af", (True, False, False)),  # CRA
    ("hevc", ANNEX_B, "000001 0201 af", (False, False, False)),
    ("hevc", ANNEX_B, "000001 0001 af", (False, False, True)),
    ("hevc", ANNEX_B, "000001 4001 0c", None),
]


@pytest.mark.parametrize(("codec", "configuration", "packet", "expected"), NALS)
def test_the_first_slice_tells_a_packets_role(codec, configuration, packet, expected):
    found = SliceReader(codec, configuration).read(memoryview(bytes.fromhex(packet)))
    assert (found and (found.starts, found.starts_cleanly, found.unused)) == expected
