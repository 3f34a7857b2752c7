"""nuScenes: damaged tables, impossible figures, and reading in chunks."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.labels import check
from dataengine.adapters.nuscenes import records as nuscenes_records
from dataengine.errors import InputError
from tests.adapters.mutations import mutated
from tests.adapters.nuscenes_world import (
    CAR,
    SIZE,
    START_US,
    front,
    opened,
    tables,
    write_can,
    write_nuscenes,
    write_tables,
)

DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "spaces": lambda data: b"  \n",
    "an object": lambda data: b'{"a": ' + data + b"}",
    "no records": lambda data: b"[1, 2]",
    "flipped": lambda data: data.replace(b":", b";", 3),
    "nested": lambda data: b"[" * 10_000 + b"]" * 10_000,
    "nested in a record": lambda data: b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "not UTF-8": lambda data: data.replace(b'"', b'"\xff', 1),
    "lacking fields": lambda data: b"[{}]",
    "other types": lambda data: b'[{"token": 5, "scene_token": [], "sample_token": {}, "filename": null}]',
    "a number of 5000 digits": lambda data: b'[{"token": ' + b"9" * 5000 + b"}]",
}


TABLES = ["scene", "sample", "sample_data", "ego_pose", "sample_annotation", "sensor"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_table_is_one_line_that_names_it(tmp_path: Path, table: str, kind: str):
    write_nuscenes(tmp_path, num_samples=1)
    path = tmp_path / "v1.0-mini" / f"{table}.json"
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    with pytest.raises(BrokenFileError, match=rf"v1.0-mini/{table}.json: .*fetch ") as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)


REFERENCES = [
    ("sample_data", "calibrated_sensor_token"),
    ("sample_data", "sample_token"),
    ("sample_annotation", "instance_token"),
    ("instance", "category_token"),
    ("scene", "log_token"),
    ("sample", "scene_token"),
]


@pytest.mark.parametrize(("table", "key"), REFERENCES)
def test_a_reference_to_nothing_names_its_table(tmp_path: Path, table: str, key: str):
    found = tables({"scene-0061": ""})
    found[table][0][key] = "nowhere"
    write_tables(tmp_path, found)
    with pytest.raises(BrokenFileError, match=f"v1.0-mini/{table}.json"):
        opened(tmp_path)


def test_a_missing_table_is_named(tmp_path: Path):
    folder = write_tables(tmp_path, tables({"scene-0061": ""}))
    (folder / "ego_pose.json").unlink()
    with pytest.raises(InputError, match=r"v1.0-mini lacks ego_pose.json; fetch the tables again"):
        opened(tmp_path)


SPOILED = {
    "a centre that is NaN": ("sample_annotation", "translation", [float("nan"), 0, 0]),
    "a turn of length 0": ("sample_annotation", "rotation", [0, 0, 0, 0]),
    "an extent of 0": ("sample_annotation", "size", [0, 1, 1]),
    "a pose at infinity": ("ego_pose", "translation", [1e999, 0, 0]),
    "a pose beyond the world": ("ego_pose", "translation", [1e200, 0, 0]),
    "a pose that is not listed": ("ego_pose", "token", "another"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_frame_with_an_impossible_figure_is_left_out_alone(tmp_path: Path, kind: str):
    table, key, value = SPOILED[kind]
    found = write_nuscenes(tmp_path)
    found[table][0][key] = value
    write_tables(tmp_path, found)
    adapter, clip = front(tmp_path)
    read = adapter.labels(clip)
    with pytest.raises(BrokenFileError, match=r"sample_annotation.json#scene-0061_CAM_FRONT/000000: a "):
        read(0, SIZE)
    assert read(1, SIZE).xyxy.tolist() == [CAR]
    assert np.isfinite(adapter.telemetry(clip).signals["speed_mps"].values).all()


@pytest.mark.parametrize("kind", [*DAMAGE, "NaN"])
def test_damaged_can_messages_are_named_and_cost_no_frame(tmp_path: Path, kind: str):
    write_nuscenes(tmp_path)
    path = write_can(tmp_path, "scene-0061", "steeranglefeedback", [{"utime": START_US, "value": 1.0}])
    nan = b'[{"utime": NaN, "value": 1}]'
    path.write_bytes(nan if kind == "NaN" else DAMAGE[kind](path.read_bytes()))
    adapter, clip = front(tmp_path)
    with pytest.raises(BrokenFileError, match=r"can_bus/scene-0061_steeranglefeedback.json"):
        adapter.telemetry(clip)


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_ends_in_a_traceback(tmp_path: Path, seed: int):
    write_nuscenes(tmp_path)
    write_can(tmp_path, "scene-0061", "steeranglefeedback", [{"utime": START_US, "value": 1.0}])
    rng = random.Random(seed)
    paths = sorted(tmp_path.rglob("*.json"))
    for _ in range(15):
        path = rng.choice(paths)
        whole = path.read_bytes()
        path.write_bytes(mutated(whole, rng))
        with suppress(InputError):
            adapter, clips, _ = opened(tmp_path)
            for clip in clips.values():
                read = adapter.labels(clip)
                for still in clip.stills if read else ():
                    with suppress(BrokenFileError):
                        check(read(still.number, SIZE), SIZE)
                with suppress(BrokenFileError):
                    adapter.telemetry(clip)
        path.write_bytes(whole)


@pytest.mark.parametrize("chunk", [1, 7, 100, 1 << 20])
def test_tables_are_read_alike_in_chunks_of_any_size(tmp_path: Path, monkeypatch, chunk: int):
    monkeypatch.setattr(nuscenes_records, "_CHUNK", chunk)
    records = [{"token": "a]b", "n": [1, {"x": 'ü " ]'}]}, {}, {"token": "é" * 20}]
    (tmp_path / "t.json").write_text(f"\n {json.dumps(records, indent=1)}\n", encoding="utf-8")
    assert list(nuscenes_records.read(tmp_path, "t.json", lambda record: record)) == records
