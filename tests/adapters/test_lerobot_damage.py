"""LeRobot: metadata that lies or is torn, and tables that are not what they say."""

from __future__ import annotations

import json
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataengine.adapters.base import BrokenFileError, Recording, files_under
from dataengine.adapters.lerobot.adapter import LeRobot
from dataengine.adapters.lerobot.features import signals
from dataengine.adapters.lerobot.tables import matrix
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from tests.adapters.accounts import fault_of, settled
from tests.adapters.lerobot_recordings import (
    FPS,
    FRONT,
    WRIST,
    edit_info,
    table,
    write_lines,
    write_table,
    write_v2,
    write_v3,
)

EPISODES = "meta/episodes.jsonl"
LIST_V3 = "meta/episodes/chunk-000/file-000.parquet"


def adapter_on(root: Path) -> LeRobot:
    return LeRobot(root, DatasetConfig(name="lerobot", root=str(root)))


BAD_INFO = [b"", b"{", b"[1, 2]", b"\xff\xfe{}", b"[" * 10_000, b'{"a":' * 10_000, b"9" * 10_000, b"null"]


@pytest.mark.parametrize("data", BAD_INFO)
@pytest.mark.parametrize("write", [write_v2, write_v3])
def test_without_its_description_a_dataset_is_read_by_its_names(tmp_path: Path, write, data):
    write(tmp_path)
    before, _ = settled(adapter_on(tmp_path))
    (tmp_path / "meta/info.json").write_bytes(data)
    recordings, outcomes = settled(adapter_on(tmp_path))
    status, reason = outcomes["meta/info.json"]
    assert status == "broken"
    assert "file names are read instead" in reason
    assert "\n" not in reason
    assert {clip: found.files for clip, found in recordings.items()} == {
        clip: found.files for clip, found in before.items()
    }
    assert {found.fps for found in recordings.values()} == {FPS}


# a field that cannot be used, and whether the dataset can be read as before all the same
BAD_FIELDS = [
    ({"data_path": "../../{episode_index}.parquet"}, "leads out of the dataset"),
    ({"data_path": "/etc/{episode_index}.parquet"}, "leads out of the dataset"),
    ({"data_path": "data/{episode_index:0999999999d}.parquet"}, "may be filled in"),
    ({"data_path": "data/{episode_index.__class__}.parquet"}, "may be filled in"),
    ({"data_path": "data/{episode_index}.pkl"}, "does not end in .parquet"),
    ({"video_path": "videos/{episode_index}.mp4"}, "lacks video_key"),
    ({"codebase_version": None}, "codebase_version is no version"),
    ({"codebase_version": "v2.1; rm -rf"}, "codebase_version is no version"),
    ({"fps": 0}, "fps=0 is no frame rate"),
    ({"fps": float("nan")}, "fps=nan is no frame rate"),
    ({"fps": 10**400}, "is no frame rate"),
    ({"fps": "fast"}, "fps='fast' is no frame rate"),
    ({"features": 7}, "has no features"),
]


@pytest.mark.parametrize(("changes", "reason"), BAD_FIELDS)
def test_a_field_that_lies_is_replaced_by_the_formats_default(tmp_path: Path, changes, reason):
    write_v2(tmp_path)
    before, _ = settled(adapter_on(tmp_path))
    edit_info(tmp_path, **changes)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert outcomes["meta/info.json"][0] == "broken"
    assert reason in outcomes["meta/info.json"][1]
    assert recordings == before


HARMLESS = [
    {"chunks_size": 0},
    {"chunks_size": "many"},
    {"splits": [1]},
    {"splits": {"train": None, "val": "5"}},
    {"robot_type": ["a"]},
    {"total_episodes": 10**30},
    {"video_path": None},
]


@pytest.mark.parametrize("changes", HARMLESS)
def test_fields_that_nothing_hangs_on_may_be_anything(tmp_path: Path, changes):
    write_v2(tmp_path)
    edit_info(tmp_path, **changes)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert len(recordings) == 2
    assert outcomes["meta/info.json"] == ("added", "")


def test_a_camera_whose_name_leads_out_is_left_out(tmp_path: Path):
    write_v2(tmp_path)
    edit_info(tmp_path, features={"../../../etc": {"dtype": "video"}, FRONT: {"dtype": "video"}, "x": 3})
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert {found.camera for found in recordings.values()} == {FRONT}
    assert "leads out of the dataset" in outcomes["meta/info.json"][1]


def test_other_templates_are_followed(tmp_path: Path):
    write_v2(tmp_path)
    (tmp_path / "data/chunk-000").rename(tmp_path / "data/0")
    (tmp_path / f"videos/chunk-000/{FRONT}").rename(tmp_path / f"videos/{FRONT}")
    edit_info(
        tmp_path,
        data_path="data/{episode_chunk}/episode_{episode_index:06d}.parquet",
        video_path="videos/{video_key}/episode_{episode_index:06d}.mp4",
    )
    recordings, _ = settled(adapter_on(tmp_path))
    assert recordings[f"episode_000001_{FRONT}"].files == (
        f"videos/{FRONT}/episode_000001.mp4",
        "data/0/episode_000001.parquet",
    )


BAD_ROWS: list[Any] = [
    {"tasks": ["a"]},
    {"episode_index": "0"},
    {"episode_index": True},
    {"episode_index": -1},
    {"episode_index": 10**12},
    [],
    "x",
]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_line_of_the_list_does_not_cost_its_episode(tmp_path: Path, row):
    write_v2(tmp_path)
    write_lines(tmp_path / EPISODES, [row, {"episode_index": 1, "tasks": 7}])
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert outcomes[EPISODES] == ("broken", "1 lines (first: 1) name no episode; left out")
    # the list's episodes first, then what is there without being listed, its task by its table
    assert list(recordings) == [f"episode_000001_{FRONT}", f"episode_000000_{FRONT}"]
    assert recordings[f"episode_000001_{FRONT}"].conditions == {}
    assert recordings[f"episode_000000_{FRONT}"].conditions == {"task": "Pick up the bottle."}


def test_a_list_that_is_gone_is_missing_and_file_names_are_read(tmp_path: Path):
    write_v2(tmp_path)
    (tmp_path / EPISODES).unlink()
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert outcomes[EPISODES][0] == "missing"
    assert [dict(found.conditions)["task"] for found in recordings.values()] == [
        "Pick up the bottle.",
        "Put it down.",
    ]


def test_what_a_whole_list_does_not_name_is_unused(tmp_path: Path):
    write_v2(tmp_path)
    write_lines(tmp_path / EPISODES, [{"episode_index": 1, "tasks": []}] * 2)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert list(recordings) == [f"episode_000001_{FRONT}"]
    assert outcomes["data/chunk-000/episode_000000.parquet"][0] == "unused"
    assert outcomes[f"videos/chunk-000/{FRONT}/episode_000000.mp4"] == (
        "unused",
        "no episode that is listed is in it",
    )


# columns of an episode's row in version 3 that do not say where it is
NOWHERE = [
    {"episode_index": None},
    {"data/file_index": None},
    {f"videos/{FRONT}/chunk_index": -1},
    {f"videos/{FRONT}/from_timestamp": float("nan")},
    {f"videos/{FRONT}/from_timestamp": -1.0},
    {f"videos/{FRONT}/to_timestamp": 0.0},
    {f"videos/{FRONT}/to_timestamp": float("inf")},
]


@pytest.mark.parametrize("changes", NOWHERE)
def test_an_episode_that_is_nowhere_is_left_out_and_its_list_broken(tmp_path: Path, changes):
    write_v3(tmp_path)
    rows = pq.read_table(tmp_path / LIST_V3).to_pylist()
    write_table(tmp_path / LIST_V3, pa.Table.from_pylist([{**rows[0], **changes}, rows[1]]))
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert list(recordings) == [f"episode_000001_{FRONT}"]
    assert outcomes[LIST_V3] == ("broken", "1 of 2 rows do not say where their episode is")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(200) + b"PAR1", None])
def test_without_its_list_version_3_cannot_be_cut_into_episodes(tmp_path: Path, data):
    write_v3(tmp_path)
    if data is None:
        (tmp_path / LIST_V3).unlink()
    else:
        (tmp_path / LIST_V3).write_bytes(data)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert recordings == {}
    assert outcomes[LIST_V3][0] == ("missing" if data is None else "broken")


def test_tasks_that_are_none_are_told(tmp_path: Path):
    write_v2(tmp_path / "two")
    write_lines(tmp_path / "two/meta/tasks.jsonl", [{"task_index": 0, "task": "a"}, {"task_index": "1"}, []])
    assert settled(adapter_on(tmp_path / "two"))[1]["meta/tasks.jsonl"] == (
        "broken",
        "2 of 3 rows name no task",
    )
    write_v3(tmp_path / "three")
    (tmp_path / "three/meta/tasks.parquet").write_bytes(b"")
    status, reason = settled(adapter_on(tmp_path / "three"))[1]["meta/tasks.parquet"]
    assert status == "broken"
    assert "not a readable table" in reason


def rewritten(root: Path, episode: int = 0, **columns: Any) -> Path:
    """Episode 0's table with some columns replaced, or left out where they are ``None``."""
    path = root / f"data/chunk-000/episode_{episode:06d}.parquet"
    rows = table(0, range(4))
    for name, values in columns.items():
        if name in rows.column_names:
            rows = rows.drop_columns([name])
        if values is not None:
            rows = rows.append_column(name, values)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path)
    return path


def test_times_come_from_the_frame_numbers_where_there_are_none(tmp_path: Path):
    path = rewritten(tmp_path, timestamp=None)
    assert signals(path, None, 10.0)["action"].time_s.tolist() == [0, 0.1, 0.2, 0.3]
    path = rewritten(tmp_path, timestamp=None, frame_index=None)
    assert signals(path, None, 5.0)["action"].time_s.tolist() == [0, 0.2, 0.4, 0.6]


BAD_TIMES = [
    [0.0, 0.2, 0.1, 0.3],
    [0.0, None, 0.1, 0.2],
    [0.0, float("nan"), 1.0, 2.0],
    [0.0, float("inf"), 1.0, 2.0],
]


@pytest.mark.parametrize("times", BAD_TIMES)
def test_times_that_are_none_are_refused(tmp_path: Path, times):
    path = rewritten(tmp_path, timestamp=pa.array(times, pa.float32()))
    with pytest.raises(InputError, match="timestamps are no numbers or go backwards"):
        signals(path, None, 10.0)


def test_columns_that_are_no_signals_are_left_out(tmp_path: Path):
    path = rewritten(
        tmp_path,
        **{
            "observation.text": pa.array(["a"] * 4),
            "observation.ragged": pa.array([[1.0], [1.0, 2.0], [], None]),
            "observation.empty": pa.array([[]] * 4, pa.list_(pa.float32())),
            "observation.huge": pa.array([[0.0] * 1025] * 4),
            "observation.gripper": pa.array([0, 1, 1, 0]),
            "count": pa.array([0, 1, 1, 0]),
            "observation.nulls": pa.array([[1.0, None], None, [3.0, 4.0], [5.0, 6.0]]),
            "action.chunk": pa.array([[[1.0, 2.0], [3.0, 4.0]]] * 4),
            "observation.half": pa.array(np.arange(4, dtype=np.float16)),
        },
    )
    found = signals(path, None, 10.0)
    assert set(found) == {
        "observation.state",
        "action",
        "next.reward",
        "observation.gripper",
        "observation.nulls",
        "action.chunk",
        "observation.half",
    }
    np.testing.assert_array_equal(
        found["observation.nulls"].values, [[1, np.nan], [np.nan, np.nan], [3, 4], [5, 6]]
    )
    assert found["action.chunk"].values[0].tolist() == [1, 2, 3, 4]
    assert found["observation.half"].values.tolist() == [0, 1, 2, 3]


def test_a_matrix_of_scalars_has_one_axis():
    assert matrix(pa.chunked_array([[1, 2], [None]])).tolist()[:2] == [1, 2]
    assert matrix(pa.array([[1], [2]], pa.large_list(pa.int8()))).tolist() == [[1], [2]]


# a packed column whose second row is no image
NO_IMAGES = [
    (pa.array([{"bytes": b"x", "path": "a"}, {"bytes": None, "path": "b"}] * 2), "frame 1 holds no image"),
    (pa.array([{"bytes": b"x"}, None, None, None]), "frame 1 holds no image"),
    (pa.array([{"bytes": b"x"}, {"bytes": b""}, None, None]), "frame 1 holds no image"),
    (pa.array(["a"] * 4), "frame 0 holds no image"),
    (None, f"has no column {FRONT}"),
]


@pytest.mark.parametrize(("column", "reason"), NO_IMAGES)
def test_rows_without_an_image_are_told(tmp_path: Path, column, reason):
    write_v2(tmp_path, (4,), videos=(), images=(FRONT,))
    rewritten(tmp_path, **{FRONT: column})
    adapter = adapter_on(tmp_path)
    (recording,) = settled(adapter)[0].values()
    with pytest.raises(BrokenFileError, match=rf"episode_000000.parquet: {reason}"):
        list(adapter.encoded(recording))


BAD_NUMBERS = [[0, 2, 1, 3], [0, 0, 1, 2], [-1, 0, 1, 2], [0, 1, 2, 2**40]]


@pytest.mark.parametrize("numbers", BAD_NUMBERS)
def test_frame_numbers_of_packed_images_must_rise(tmp_path: Path, numbers):
    write_v2(tmp_path, (4,), videos=(), images=(FRONT,))
    images = pa.array([{"bytes": b"x", "path": ""}] * 4)
    rewritten(tmp_path, **{FRONT: images, "frame_index": pa.array(numbers, pa.int64())})
    adapter = adapter_on(tmp_path)
    (recording,) = settled(adapter)[0].values()
    with pytest.raises(BrokenFileError, match=r"frame_index|frame number"):
        list(adapter.encoded(recording))


def test_rows_of_a_shared_table_need_their_episodes_number(tmp_path: Path):
    write_v3(tmp_path)
    path = tmp_path / "data/chunk-000/file-000.parquet"
    pq.write_table(table(0, range(4)).drop_columns(["episode_index"]), path)
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    with pytest.raises(BrokenFileError, match="has no column episode_index"):
        adapter.telemetry(recordings[f"episode_000001_{FRONT}"])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("write", [write_v2, write_v3])
def test_damage_anywhere_ends_as_an_outcome(tmp_path: Path, write, packed):
    """Every file in turn cut, emptied, flipped, or full of something else."""
    rng = np.random.default_rng(1)
    write(tmp_path, videos=() if packed else (FRONT,), images=(WRIST,) if packed else ())
    adapter = adapter_on(tmp_path)
    for name in [name for name in files_under(tmp_path) if not name.endswith(".mp4")]:
        path = tmp_path / name
        whole = path.read_bytes()
        damaged = [b"", whole[: len(whole) // 2], whole[:-1], b"[" * 10_000, b"\xff" * 500, b'{"a": NaN}']
        for _ in range(6):
            flipped = bytearray(whole)
            for at in rng.integers(0, len(whole), 3):
                flipped[at] ^= 1 << int(rng.integers(8))
            damaged.append(bytes(flipped))
        for data in damaged:
            path.write_bytes(data)
            # a flipped bit may make a version that is not read of a description
            refused = suppress(InputError) if name == "meta/info.json" else nullcontext()
            recordings: dict[str, Recording] = {}
            with refused:
                recordings, _ = settled(adapter)
            for recording in recordings.values():
                names = ("", *recording.files, *recording.shared)
                assert fault_of(adapter.telemetry, recording) in names
                assert not recording.embedded or fault_of(adapter.encoded, recording) in names
        path.write_bytes(whole)


def test_json_that_is_valid_and_strange_is_an_outcome(tmp_path: Path):
    write_v2(tmp_path)
    for value in ({}, {"features": {}}, {"features": {"a": None}, "fps": 10}, {"codebase_version": "v2.1"}):
        (tmp_path / "meta/info.json").write_text(json.dumps(value))
        settled(adapter_on(tmp_path))
