"""Frames out of JSON of any size: every shape, pieces of any length, and damage that is one line."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataengine.adapters.scalabel import stream as scalabel_stream
from dataengine.adapters.scalabel.stream import NoFramesError, frames_of
from dataengine.errors import InputError

FRAMES = [{"name": "a.jpg", "labels": None}, {"name": 'ä"\\].jpg', "labels": [{"id": 1, "x": -1.5e3}]}]


def written(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


@pytest.mark.parametrize("piece", [1, 2, 7, 50, 1 << 20])
def test_lists_and_objects_give_the_same_frames_whatever_the_piece(tmp_path: Path, monkeypatch, piece):
    monkeypatch.setattr(scalabel_stream, "PIECE", piece)
    assert list(frames_of(written(tmp_path, FRAMES))) == FRAMES
    whole = {"config": {"frames": 3}, "frames": FRAMES, "groups": [1234567]}
    assert list(frames_of(written(tmp_path, whole))) == FRAMES


def test_the_oldest_shape_gets_its_name_and_attributes_though_they_stand_behind(tmp_path: Path):
    objects = [{"category": "car"}]
    value = {"frames": [{"timestamp": 10000, "objects": objects}], "attributes": {"weather": "clear"}}
    frame = {"timestamp": 10000, "objects": objects, "attributes": {"weather": "clear"}}
    assert list(frames_of(written(tmp_path, value))) == [{**frame, "name": "file"}]
    assert list(frames_of(written(tmp_path, {**value, "name": "b"}))) == [{**frame, "name": "b"}]


def test_files_of_the_oldest_shape_may_be_joined_into_a_list(tmp_path: Path):
    images = [{"name": name, "attributes": None, "frames": [{"objects": []}]} for name in "ab"]
    expected = [{"name": name, "attributes": None, "objects": []} for name in "ab"]
    assert list(frames_of(written(tmp_path, images))) == expected


def test_a_byte_order_mark_is_no_damage(tmp_path: Path):
    path = tmp_path / "bom.json"
    path.write_bytes(b"\xef\xbb\xbf[{}]")
    assert list(frames_of(path)) == [{}]


DAMAGED = [
    # text                          frames before, message
    (b"", 0, "empty file"),
    (b"  \n", 0, "empty file"),
    (b"[", 0, "no JSON from some point on"),
    (b'[{"name": "a"}', 1, r"it ends before ','"),
    (b'[{"name": "a"},', 1, "no JSON from some point on"),
    (b'[{"name": "a"}, {"na', 1, "no JSON from some point on"),
    (b'[{"name": "a"} {"name": "b"}]', 1, r"',' expected, '\{' found"),
    (b'[{"name": "a"}] [', 1, "more text after the end"),
    (b'{"frames": [{"name": "a"}', 1, "it ends before"),
    (b'{"frames" [', 0, "':' expected"),
    (b"{1: 2}", 0, "'\"' expected"),
    (b'[{"name": "\xff"}]', 0, "no UTF-8"),
    (b'[{"name": ' + b"9" * 5000 + b"}]", 0, "no JSON from some point on"),
    (b"[" * 100_000, 0, "nested too deep"),
    (b'[{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}]", 0, "nested too deep"),
]


@pytest.mark.parametrize(("text", "before", "message"), DAMAGED)
def test_damage_is_one_line_after_the_frames_before_it(tmp_path: Path, text, before, message):
    path = tmp_path / "damaged.json"
    path.write_bytes(text)
    frames = frames_of(path)
    assert len([next(frames) for _ in range(before)]) == before
    with pytest.raises(InputError, match=message) as caught:
        next(frames)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["3", '"frames"', "{}", '{"images": []}', '{"frames": 3}', "[1]", "[[]]"])
def test_other_json_is_told_apart_from_damage(tmp_path: Path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(NoFramesError):
        list(frames_of(path))


def test_a_folder_or_nothing_cannot_be_read(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(InputError, match="cannot be read"):
            list(frames_of(path))


def test_a_quote_that_never_closes_does_not_bring_the_file_into_memory(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scalabel_stream, "PIECE", 100)
    monkeypatch.setattr(scalabel_stream, "MAX_VALUE", 1000)
    path = tmp_path / "open.json"
    path.write_text('[{"name": "' + "x" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match="no JSON"):
        list(frames_of(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scalabel_stream, "PIECE", 10_000)
    frame = {"name": "a", "labels": [{"id": str(number)} for number in range(50)]}
    path = written(tmp_path, [frame] * 1000)
    tracemalloc.start()
    assert sum(1 for _ in frames_of(path)) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 5


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 200), byte=st.binary(max_size=2), cut=st.booleans())
def test_any_flip_or_cut_is_frames_or_one_line(tmp_path: Path, place, byte, cut):
    data = json.dumps({"frames": FRAMES, "config": [1]}).encode()
    path = tmp_path / "flipped.json"
    path.write_bytes(data[:place] + (b"" if cut else byte + data[place + 1 :]))
    try:
        found = list(frames_of(path))
    except InputError:
        return
    assert all(isinstance(frame, dict) for frame in found)
