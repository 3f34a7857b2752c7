"""Near-duplicates within clips and across them, and which frame of a group is the best."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.curate.duplicates import best_first, find
from tests.curate.timelines import timeline

APART = [0xFF << shift for shift in (0, 8, 16, 24, 32, 40)]
"""Hashes that differ in 16 bits from one another."""


def clean(found) -> np.ndarray:
    return np.zeros(len(found), np.bool_)


def test_the_best_is_whole_then_labelled_then_sharp_then_first():
    found = timeline(
        {"a": range(5)}, sharpness=[50, 90, 60, 60, 99], labelled=[False, False, True, True, True]
    )
    flawed = np.array([False, False, False, False, True])
    assert best_first(found, flawed).tolist() == [2, 3, 1, 0, 4]


def test_a_group_by_hash_points_to_its_best_frame():
    found = timeline({"a": range(4)}, phash=[0, 1, 3, 255 << 40], sharpness=[10, 50, 20, 5])
    duplicates = find(found, clean(found), bits=2)
    assert duplicates.best.tolist() == [1, -1, 1, -1]
    assert duplicates.distance.tolist() == [1, 0, 1, 0]
    assert duplicates.table(found).to_pylist() == [
        {"frame_id": "a/000000", "best_frame_id": "a/000001", "kind": "hash", "distance": 1.0},
        {"frame_id": "a/000002", "best_frame_id": "a/000001", "kind": "hash", "distance": 1.0},
    ]


def test_a_flagged_frame_stands_for_no_other():
    found = timeline({"a": range(2)}, phash=[0, 0], sharpness=[10, 50])
    assert find(found, np.array([False, True]), bits=0).best.tolist() == [-1, 0]


def test_embeddings_are_compared_across_clips_alone():
    found = timeline({"a": [0, 1], "b": [0]}, phash=APART[:3], sharpness=[10, 30, 20])
    alike = np.array([[1, 0], [1, 0.01], [1, 0.02]], np.float32)
    duplicates = find(found, clean(found), bits=0, embeddings=alike, distance=0.01)
    # a's own frames are told apart by their hashes; b's is nearer to a's second, which is the sharpest
    assert duplicates.best.tolist() == [-1, -1, 1]
    assert duplicates.table(found).to_pylist()[0]["kind"] == "embedding"
    assert 0 < duplicates.distance[2] < 1e-4
    assert find(found, clean(found), bits=0, embeddings=alike, distance=0.0).best.tolist() == [-1, -1, -1]


def test_a_clips_repeats_follow_its_best_frame_to_another_clip():
    found = timeline({"a": [0, 1], "b": [0]}, phash=[0, 1, 255 << 40], sharpness=[10, 20, 30])
    same = np.ones((3, 2), np.float32)
    duplicates = find(found, clean(found), bits=1, embeddings=same, distance=0.01)
    assert duplicates.best.tolist() == [2, 2, -1]
    assert duplicates.kind.tolist()[:2] == [0, 1]  # the first is in the group for its hash
    assert duplicates.distance.tolist() == pytest.approx([8, 0, 0], abs=1e-6)
