"""Near-duplicates within a clip and the distance they rest on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataengine.curate.hashes import hamming, near_duplicates
from tests.curate.timelines import timeline

HASH = st.integers(0, 2**64 - 1)


@given(HASH, HASH)
def test_hamming_counts_differing_bits(left, right):
    found = hamming(np.array([left], np.uint64), np.array([right], np.uint64))
    assert found.tolist() == [(left ^ right).bit_count()]


def test_hamming_broadcasts():
    hashes = np.array([0, 1, 3], np.uint64)
    assert hamming(hashes[:, None], hashes[None]).tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]


def test_repeats_point_to_the_last_frame_kept_within_their_clip():
    # in time:  0  1  11  111  0(again)   another clip: 0
    found = timeline({"a": [0, 1, 2, 3, 4], "b": [0]}, phash=[0, 1, 3, 7, 0, 0])
    assert near_duplicates(found, 1).tolist() == [-1, 0, -1, 2, -1, -1]
    assert near_duplicates(found, 0).tolist() == [-1] * 6
    assert near_duplicates(found, 64).tolist() == [-1, 0, 0, 0, 0, -1]


def test_time_decides_which_came_first():
    assert near_duplicates(timeline({"a": [5, 1]}, phash=[9, 9]), 0).tolist() == [1, -1]
