"""LeRobot: episodes as drives, cameras as clips, state and action, in three versions of the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataengine.adapters.lerobot.adapter import LeRobot
from dataengine.adapters.telemetry import Between
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from tests.adapters.accounts import settled
from tests.adapters.lerobot_recordings import FRONT, WRIST, edit_info, grey, needs_av1, write_v2, write_v3

WRITERS = [
    pytest.param(lambda root, **more: write_v2(root, version="v2.0", **more), id="v2.0"),
    pytest.param(write_v2, id="v2.1"),
    pytest.param(write_v3, id="v3.0"),
]
STATS = ("unused", "statistics for training, which are not needed")


def adapter_on(root: Path, **settings) -> LeRobot:
    return LeRobot(root, DatasetConfig(name="lerobot", root=str(root), **settings))


def ingested(root: Path, work: Path, *, fps: float | None = None):
    config = Config(dataset=DatasetConfig(name="lerobot", root=str(root)))
    config.compute.workers = 1
    config.ingest.fps = fps
    return ingest(config, work)


@pytest.mark.parametrize("write", WRITERS)
def test_every_camera_of_an_episode_is_a_clip(tmp_path: Path, write):
    write(tmp_path, videos=(FRONT, WRIST))
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert {clip: (found.drive_id, found.camera) for clip, found in recordings.items()} == {
        f"episode_00000{episode}_{key}": (f"episode_00000{episode}", key)
        for episode in range(2)
        for key in (FRONT, WRIST)
    }
    second = recordings[f"episode_000001_{WRIST}"]
    assert (second.fps, second.vehicle_id, second.split_hint) == (10, "so100", "")
    assert dict(second.conditions) == {"task": "Put it down."}
    assert {status for status, _ in outcomes.values()} == {"added", "unused"}
    assert [path for path, outcome in outcomes.items() if outcome == STATS] == [
        name for name in outcomes if "stats" in name
    ]


def test_version_2_has_files_of_its_own_and_version_3_shares_them(tmp_path: Path):
    write_v2(tmp_path / "one")
    write_v2(tmp_path / "two", videos=(FRONT, WRIST))
    write_v3(tmp_path / "three")
    data = "data/chunk-000/episode_000001.parquet"
    video = f"videos/chunk-000/{FRONT}/episode_000001.mp4"
    recordings, _ = settled(adapter_on(tmp_path / "one"))
    assert recordings[f"episode_000001_{FRONT}"].files == (video, data)
    recordings, _ = settled(adapter_on(tmp_path / "two"))
    both = recordings[f"episode_000001_{FRONT}"]
    assert (both.files, both.shared) == ((video,), (data,))
    recordings, _ = settled(adapter_on(tmp_path / "three"))
    last = recordings[f"episode_000001_{FRONT}"]
    assert (last.files, last.shared) == (
        (),
        (f"videos/{FRONT}/chunk-000/file-000.mp4", "data/chunk-000/file-000.parquet"),
    )
    assert (last.video_from_s, last.video_to_s) == (0.4, 1.0)


@pytest.mark.parametrize("write", WRITERS)
def test_telemetry_is_that_of_the_episode(tmp_path: Path, write):
    write(tmp_path)
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    signals = adapter.telemetry(recordings[f"episode_000001_{FRONT}"]).signals
    assert set(signals) == {"observation.state", "action", "next.reward"}
    assert signals["observation.state"].time_s.tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    between = np.array([0.05, 0.19])
    np.testing.assert_allclose(
        signals["observation.state"].at(between, 1.0), [[4.5, -4.5], [5.9, -5.9]], rtol=1e-6
    )
    # a command holds until the next one
    assert signals["action"].at(between, 1.0).tolist() == [[4.5], [5.5]]
    assert signals["next.reward"].between is Between.previous
    assert signals["next.reward"].values.shape == (6,)


@pytest.mark.parametrize("write", WRITERS)
def test_frames_and_telemetry_of_each_episode_meet_in_the_lake(tmp_path: Path, write):
    write(tmp_path / "data", videos=(FRONT, WRIST))
    workspace, summary = ingested(tmp_path / "data", tmp_path / "work")
    assert (summary.clips, summary.frames, summary.broken, summary.missing) == (4, 20, 0, 0)
    assert summary.unused == 1
    frames = {row["frame_id"]: row for row in workspace.lake.read("frames").to_pylist()}
    signals = {row["frame_id"]: dict(row["signals"]) for row in workspace.lake.read("telemetry").to_pylist()}
    for episode, start, length in ((0, 0, 4), (1, 4, 6)):
        for number in range(length):
            for key in (FRONT, WRIST):
                frame_id = f"episode_{episode:06d}_{key}/{number:06d}"
                assert frames[frame_id]["time_s"] == pytest.approx(number / 10, abs=1e-3)
                shown = grey(start + number)[0, 0, 0] / 255
                assert frames[frame_id]["brightness"] == pytest.approx(shown, abs=0.01)
                assert signals[frame_id]["observation.state"] == pytest.approx(
                    [start + number, -start - number], abs=0.02
                )
    assert set(dict(frames[f"episode_000000_{FRONT}/000000"]["conditions"]).items()) == {
        ("task", "Pick up the bottle.")
    }


def test_an_episode_is_cut_out_of_a_shared_av1_video(tmp_path: Path):
    needs_av1()
    write_v3(tmp_path / "data", (5, 7, 4), codec="libsvtav1")
    workspace, summary = ingested(tmp_path / "data", tmp_path / "work", fps=5.0)
    assert (summary.clips, summary.frames, summary.added, summary.broken) == (3, 3 + 4 + 2, 5, 0)
    seen = [(row["frame_id"], row["brightness"]) for row in workspace.lake.read("frames").to_pylist()]
    shown = {
        f"episode_{episode:06d}_{FRONT}/{number:06d}": grey(start + number)[0, 0, 0] / 255
        for episode, start, length in ((0, 0, 5), (1, 5, 7), (2, 12, 4))
        for number in range(0, length, 2)
    }
    assert dict(seen) == pytest.approx(shown, abs=0.01)


@pytest.mark.parametrize("write", WRITERS)
def test_images_within_tables_are_clips_too(tmp_path: Path, write):
    write(tmp_path / "data", videos=(), images=(FRONT, WRIST))
    adapter = adapter_on(tmp_path / "data")
    recordings, _ = settled(adapter)
    second = recordings[f"episode_000001_{WRIST}"]
    assert (second.embedded, second.source.endswith(".parquet")) == (True, True)
    assert [(image.number, round(image.time_s, 3)) for image in adapter.encoded(second)] == [
        (number, number / 10) for number in range(6)
    ]
    workspace, summary = ingested(tmp_path / "data", tmp_path / "work")
    assert (summary.clips, summary.frames) == (4, 20)
    shown = {row["frame_id"]: row["brightness"] for row in workspace.lake.read("frames").to_pylist()}
    assert shown[f"episode_000001_{WRIST}/000002"] == pytest.approx(grey(6)[0, 0, 0] / 255, abs=1e-3)


def test_packed_images_without_a_clock_are_timed_by_their_rows(tmp_path: Path):
    write_v2(tmp_path, (20,), videos=(), images=(FRONT,))
    path = tmp_path / "data/chunk-000/episode_000000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["timestamp", "frame_index"]), path)
    adapter = adapter_on(tmp_path)
    (recording,) = settled(adapter)[0].values()
    assert [(image.number, image.time_s) for image in adapter.encoded(recording)] == [
        (number, number / 10) for number in range(20)
    ]


def test_episodes_of_one_row_group_are_told_apart(tmp_path: Path):
    write_v3(tmp_path)
    path = tmp_path / "data/chunk-000/file-000.parquet"
    pq.write_table(pq.read_table(path), path)
    assert pq.ParquetFile(path).num_row_groups == 1
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    action = adapter.telemetry(recordings[f"episode_000001_{FRONT}"]).signals["action"]
    assert action.values[:, 0].tolist() == [4.5, 5.5, 6.5, 7.5, 8.5, 9.5]


def test_episodes_lie_in_folders_of_the_stated_size(tmp_path: Path):
    write_v2(tmp_path, chunks_size=1)
    for folder, name in (("data", "episode_000001.parquet"), ("videos", f"{FRONT}/episode_000001.mp4")):
        to = tmp_path / folder / "chunk-001" / name
        to.parent.mkdir(parents=True)
        (tmp_path / folder / "chunk-000" / name).rename(to)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert recordings[f"episode_000001_{FRONT}"].files[1] == "data/chunk-001/episode_000001.parquet"
    assert "missing" not in {status for status, _ in outcomes.values()}


def test_one_camera_may_be_video_and_another_packed(tmp_path: Path):
    write_v2(tmp_path, images=(WRIST,))
    recordings, _ = settled(adapter_on(tmp_path))
    kinds = {
        found.camera: (found.embedded, len(found.files), len(found.shared)) for found in recordings.values()
    }
    assert kinds == {FRONT: (False, 1, 1), WRIST: (True, 0, 1)}


def test_published_splits_are_hints_where_there_are_several(tmp_path: Path):
    write_v2(tmp_path, (2, 2, 2, 2), splits={"train": "0:2", "val": "2:3", "test": "3:4", "odd": "x"})
    recordings, _ = settled(adapter_on(tmp_path))
    assert [found.split_hint for found in recordings.values()] == ["pool", "pool", "val", "test"]


@pytest.mark.parametrize("write", WRITERS)
def test_other_cameras_are_left_out_and_an_unknown_one_is_named(tmp_path: Path, write):
    write(tmp_path, videos=(FRONT, WRIST))
    adapter = adapter_on(tmp_path, cameras=[WRIST])
    recordings, outcomes = settled(adapter)
    assert {found.camera for found in recordings.values()} == {WRIST}
    left = {reason for path, (_, reason) in outcomes.items() if FRONT in path}
    assert left == {f"camera {FRONT} is not in dataset.cameras"}
    assert adapter.settings() == {"cameras": [WRIST]}
    with pytest.raises(ConfigError, match=rf"dataset.cameras=\['top'\]: .* has {FRONT}, {WRIST}"):
        settled(adapter_on(tmp_path, cameras=["top"]))


@pytest.mark.parametrize(
    "details", [{"info": {"video.is_depth_map": True}}, {"video_info": {"is_depth_map": True}}]
)
def test_depth_maps_are_no_pictures(tmp_path: Path, details):
    write_v2(tmp_path, videos=(FRONT, WRIST))
    edit_info(tmp_path, features={FRONT: {"dtype": "video"}, WRIST: {"dtype": "video", **details}})
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert {found.camera for found in recordings.values()} == {FRONT}
    assert {reason for path, (_, reason) in outcomes.items() if WRIST in path} == {"depth maps, no pictures"}


def test_missing_files_are_told_one_by_one(tmp_path: Path):
    write_v2(tmp_path, (2, 2, 2), videos=(FRONT, WRIST))
    for name in (
        f"videos/chunk-000/{FRONT}/episode_000000.mp4",
        "data/chunk-000/episode_000001.parquet",
        f"videos/chunk-000/{FRONT}/episode_000002.mp4",
        f"videos/chunk-000/{WRIST}/episode_000002.mp4",
    ):
        (tmp_path / name).unlink()
    adapter = adapter_on(tmp_path)
    recordings, outcomes = settled(adapter)
    assert {clip: len(found.files) + len(found.shared) for clip, found in recordings.items()} == {
        f"episode_000000_{WRIST}": 2,
        f"episode_000001_{FRONT}": 1,
        f"episode_000001_{WRIST}": 1,
    }
    assert adapter.telemetry(recordings[f"episode_000001_{FRONT}"]) is None
    told = {path: reason for path, (status, reason) in outcomes.items() if status == "missing"}
    assert told == {
        path: f"not there; episode {episode} of meta/episodes.jsonl needs it"
        for path, episode in (
            (f"videos/chunk-000/{FRONT}/episode_000000.mp4", 0),
            ("data/chunk-000/episode_000001.parquet", 1),
            (f"videos/chunk-000/{FRONT}/episode_000002.mp4", 2),
            (f"videos/chunk-000/{WRIST}/episode_000002.mp4", 2),
        )
    }
    assert outcomes["data/chunk-000/episode_000002.parquet"][0] == "unused"


def test_a_shared_file_that_is_missing_is_told_once(tmp_path: Path):
    write_v3(tmp_path, videos=(FRONT, WRIST))
    (tmp_path / f"videos/{FRONT}/chunk-000/file-000.mp4").unlink()
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert {found.camera for found in recordings.values()} == {WRIST}
    assert [path for path, (status, _) in outcomes.items() if status == "missing"] == [
        f"videos/{FRONT}/chunk-000/file-000.mp4"
    ]


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "a.parquet").touch()
    with pytest.raises(InputError, match=r"holds no LeRobot dataset: looked for meta/info.json"):
        settled(adapter_on(tmp_path))


@pytest.mark.parametrize("version", ["v1.6", "v4.0"])
def test_a_version_that_is_not_read_says_so(tmp_path: Path, version):
    write_v2(tmp_path)
    edit_info(tmp_path, codebase_version=version)
    with pytest.raises(InputError, match=rf"codebase_version={version}; v2.0, v2.1 and v3.0 are read"):
        settled(adapter_on(tmp_path))


def real(data_root: Path, name: str) -> Path:
    if not (data_root / name).is_dir():
        pytest.skip(f"no {name} in {data_root}")
    return data_root / name


def test_the_real_humanoid_has_4_of_its_100_episodes(data_root: Path, tmp_path: Path):
    root = real(data_root, "lerobot_g1")
    adapter = adapter_on(root)
    recordings, outcomes = settled(adapter)
    assert [found.drive_id for found in recordings.values()] == [f"episode_00000{n}" for n in (1, 2, 4, 5)]
    assert [status for status, _ in outcomes.values()].count("missing") == 2 * 96
    state = adapter.telemetry(next(iter(recordings.values()))).signals["observation.state"]
    table = pq.read_table(root / "data/chunk-000/episode_000001.parquet")
    np.testing.assert_array_equal(
        state.values[:, 25], [row[25] for row in table["observation.state"].to_pylist()]
    )
    workspace, summary = ingested(root, tmp_path / "work", fps=1.0)
    # 13.1, 11.4, 11.9 and 12.3 s of AV1 at one frame a second
    assert (summary.clips, summary.frames, summary.missing, summary.broken) == (4, 14 + 12 + 12 + 13, 192, 0)
    row = workspace.lake.read("telemetry").to_pylist()[1]
    assert dict(row["signals"])["observation.state"] == pytest.approx(
        state.at(np.array([1.0]), 1.0)[0], abs=1e-5
    )


def test_the_real_dataset_without_metadata_is_read_by_its_names(data_root: Path, tmp_path: Path):
    root = real(data_root, "lerobot_broken")
    recordings, outcomes = settled(adapter_on(root))
    (recording,) = recordings.values()
    assert (recording.fps, recording.camera) == (10, "observation.images.main")
    assert sorted(path for path, (status, _) in outcomes.items() if status == "broken") == [
        "meta/episodes.jsonl",
        "meta/info.json",
        "meta/tasks.jsonl",
    ]
    _, summary = ingested(root, tmp_path / "work", fps=2.0)
    assert (summary.frames, summary.added, summary.broken) == (19, 2, 3)


def test_the_real_dataset_without_videos_is_refused_and_accounted_for(data_root: Path, tmp_path: Path):
    root = real(data_root, "lerobot_v3")
    recordings, outcomes = settled(adapter_on(root))
    assert recordings == {}
    assert [status for status, _ in outcomes.values()].count("missing") == 6
    with pytest.raises(
        InputError, match=r"none of 15 files can be used \(first: videos/observation.images.front"
    ):
        ingested(root, tmp_path / "work")
