"""comma2k19: segments, the clock of a raw stream, telemetry, and what damage costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError, files_under
from dataengine.adapters.comma2k19.adapter import Comma2k19
from dataengine.config import Config, DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.ingest import ingest
from tests.adapters.accounts import fault_of, settled
from tests.adapters.comma_recordings import (
    BOOT_S,
    DONGLE,
    DRIVE,
    EAST,
    ROUTE,
    needs_hevc,
    write_array,
    write_hevc,
    write_segment,
)

CLIP = f"{DRIVE}--0"


def adapter_on(root: Path) -> Comma2k19:
    return Comma2k19(root, DatasetConfig(name="comma2k19", root=str(root)))


def config_on(root: Path) -> Config:
    config = Config(dataset=DatasetConfig(name="comma2k19", root=str(root)))
    config.compute.workers = 1
    return config


def test_a_segment_is_a_clip_and_its_route_the_drive(tmp_path: Path):
    write_segment(tmp_path / "Chunk_1", 7)
    write_segment(tmp_path / "Chunk_1", 12)
    recordings, _ = settled(adapter_on(tmp_path))
    assert list(recordings) == [f"{DRIVE}--7", f"{DRIVE}--12"]
    last = recordings[f"{DRIVE}--12"]
    assert (last.drive_id, last.vehicle_id, last.start_time_s, last.fps) == (DRIVE, DONGLE, 720, 20)
    assert last.source == f"Chunk_1/{ROUTE}/12/video.hevc"


@pytest.mark.parametrize("below", ["", "Chunk_1", f"Chunk_1/{ROUTE}", f"Chunk_1/{ROUTE}/3"])
def test_the_root_may_be_any_level_of_the_tree(tmp_path: Path, below):
    write_segment(tmp_path / "Chunk_1", 3)
    recordings, _ = settled(adapter_on(tmp_path / below))
    assert list(recordings) == [f"{DRIVE}--3"]


def test_folders_renamed_for_microsofts_file_systems_give_the_same_ids(tmp_path: Path):
    write_segment(tmp_path, route=ROUTE.replace("|", "_"))
    assert list(settled(adapter_on(tmp_path))[0]) == [CLIP]


def test_files_that_carry_no_kept_signal_are_unused_with_a_reason(tmp_path: Path):
    write_segment(tmp_path)
    (tmp_path / "LICENSE").touch()
    recordings, outcomes = settled(adapter_on(tmp_path))
    folder = f"{ROUTE}/0/"
    assert {name.removeprefix(folder): reason for name, (status, reason) in outcomes.items()} == {
        "preview.png": "the video's first frame",
        "global_pose/frame_gps_times": "the frames' times on another clock",
        "processed_log/CAN/radar/t": "no signal that is kept",
        "processed_log/CAN/radar/value": "no signal that is kept",
        "LICENSE": "lies in no folder <dongle>|<date>/<segment>/",
    }
    assert {status for status, _ in outcomes.values()} == {"unused"}
    assert len(recordings[CLIP].files) == 1 + 4 + 2 * 6


@pytest.mark.parametrize("needed", ["video.hevc", "global_pose/frame_times"])
def test_a_segment_without_video_or_clock_is_quarantined_and_the_others_are_not(tmp_path: Path, needed):
    (write_segment(tmp_path, 0) / needed).unlink()
    write_segment(tmp_path, 1)
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert list(recordings) == [f"{DRIVE}--1"]
    path = f"{ROUTE}/0/{needed}"
    assert next(iter(outcomes)) in (f"{ROUTE}/0/video.hevc", path)
    assert outcomes[path][0] == "missing"
    assert outcomes[f"{ROUTE}/0/processed_log/CAN/speed/t"] == (
        "unused",
        f"{needed} of its segment is missing",
    )


DAMAGED_HALVES = [
    (lambda path: path.write_bytes(path.read_bytes()[:-8]), "broken", "cut short"),
    (lambda path: path.write_bytes(b""), "broken", "empty file"),
    (lambda path: path.unlink(), "missing", "the other half of its signal is there"),
    (lambda path: write_array(path, np.zeros((3, 1))), "broken", "3 rows, not 41 as the times"),
]


@pytest.mark.parametrize(("damage", "status", "reason"), DAMAGED_HALVES)
def test_a_damaged_array_costs_its_signal_alone(tmp_path: Path, damage, status, reason):
    damage(write_segment(tmp_path) / "processed_log/CAN/speed/value")
    adapter = adapter_on(tmp_path)
    recordings, outcomes = settled(adapter)
    speed = f"{ROUTE}/0/processed_log/CAN/speed/"
    assert outcomes[f"{speed}value"][0] == status
    assert reason in outcomes[f"{speed}value"][1]
    assert outcomes[f"{speed}t"] == ("unused", f"{'processed_log/CAN/speed/value'} cannot be used")
    signals = adapter.telemetry(recordings[CLIP]).signals
    assert "steering_angle_deg" in signals
    # the poses tell the speed, too
    assert signals["speed_mps"].at(np.array([0.5]), 1.0).tolist() == pytest.approx([11])


def test_a_pose_with_another_number_of_frames_is_broken(tmp_path: Path):
    write_array(write_segment(tmp_path) / "global_pose/frame_positions", np.zeros((19, 3)))
    _, outcomes = settled(adapter_on(tmp_path))
    status, reason = outcomes[f"{ROUTE}/0/global_pose/frame_positions"]
    assert (status, reason) == ("broken", "19 rows, not 20 as the times that it goes with")


def test_one_receiver_is_read_and_the_better_one_first(tmp_path: Path):
    folder = write_segment(tmp_path)
    gnss = folder / "processed_log/GNSS"
    shutil.copytree(gnss / "live_gnss_qcom", gnss / "live_gnss_ublox")
    _, outcomes = settled(adapter_on(tmp_path))
    reason = "processed_log/GNSS/live_gnss_ublox is read instead"
    assert outcomes[f"{ROUTE}/0/processed_log/GNSS/live_gnss_qcom/t"] == ("unused", reason)
    (gnss / "live_gnss_ublox/t").write_bytes(b"")
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert f"{ROUTE}/0/processed_log/GNSS/live_gnss_qcom/t" in recordings[CLIP].files
    assert outcomes[f"{ROUTE}/0/processed_log/GNSS/live_gnss_ublox/t"] == ("broken", "empty file")


def test_frames_are_timed_by_the_published_clock(tmp_path: Path):
    folder = write_segment(tmp_path, num_frames=4)
    write_array(folder / "global_pose/frame_times", BOOT_S + np.array([0, 0.05, 0.11, 0.15]))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    assert adapter.frame_times(recordings[CLIP]).tolist() == pytest.approx([0, 0.05, 0.11, 0.15])


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3], [0, 1, np.nan, 3], [0, 1, 2, np.inf]])
def test_a_clock_that_does_not_rise_is_broken(tmp_path: Path, times):
    write_array(write_segment(tmp_path, num_frames=4) / "global_pose/frame_times", np.array(times, float))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    for read in (adapter.frame_times, adapter.telemetry):
        with pytest.raises(BrokenFileError, match=r"frame_times: times of frames do not rise"):
            read(recordings[CLIP])


def test_a_clock_without_times_is_broken(tmp_path: Path):
    write_array(write_segment(tmp_path) / "global_pose/frame_times", np.zeros(0))
    recordings, outcomes = settled(adapter_on(tmp_path))
    assert recordings == {}
    assert outcomes[f"{ROUTE}/0/global_pose/frame_times"] == ("broken", "holds no times")


def test_telemetry_is_on_the_videos_clock_and_in_its_units(tmp_path: Path):
    write_segment(tmp_path)
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    signals = adapter.telemetry(recordings[CLIP]).signals
    now = np.array([0.55])
    seen = {name: np.round(signal.at(now, 1.0), 6).tolist() for name, signal in signals.items()}
    metres_a_degree = np.radians(1) * 6_378_137 * (1 - 0.00669438)  # meridian's radius at the equator
    assert seen == {
        "speed_mps": [11.1],
        "acceleration_mps2": [2.0],
        "yaw_rate_radps": [0.5],  # the third axis points down: -0.5 is to the left
        "steering_angle_deg": [1.65],
        "wheel_speeds_mps": [[11.1, 11.2, 11.3, 11.4]],
        "accelerometer_mps2": [[2.6, 0.0, -9.8]],
        "gyro_radps": [[0.0, 0.0, -0.5]],
        "latitude_deg": pytest.approx([(10 * 0.55 + 0.55**2) / metres_a_degree], abs=2e-6),
        "longitude_deg": [0.0],
        "altitude_m": pytest.approx([7.0], abs=1e-4),
        "heading_deg": pytest.approx([0.0], abs=1e-4),
        "gnss_latitude_deg": [0.5],
        "gnss_longitude_deg": [1.5],
        "gnss_speed_mps": [10.0],
        "gnss_altitude_m": [30.0],
        "gnss_heading_deg": [270.0],
    }
    assert signals["speed_mps"].time_s[0] == pytest.approx(-0.1)


def test_a_camera_that_looks_east_heads_90_degrees(tmp_path: Path):
    write_array(write_segment(tmp_path) / "global_pose/frame_orientations", np.tile(EAST, (20, 1)))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    heading = adapter.telemetry(recordings[CLIP]).signals["heading_deg"]
    assert heading.values.tolist() == pytest.approx([90] * 20, abs=1e-4)


def test_headings_are_read_along_the_shorter_arc(tmp_path: Path):
    folder = write_segment(tmp_path) / "processed_log/GNSS/live_gnss_qcom"
    write_array(folder / "t", BOOT_S + np.array([0.0, 0.5]))
    write_array(folder / "value", np.array([[0, 0, 0, 0, 0, 350.0], [0, 0, 0, 0, 0, 20.0]]))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    heading = adapter.telemetry(recordings[CLIP]).signals["gnss_heading_deg"]
    assert heading.at(np.array([0.25]), 1.0).tolist() == pytest.approx([5])


def test_measurements_that_failed_are_nan_and_those_without_a_time_left_out(tmp_path: Path):
    folder = write_segment(tmp_path) / "processed_log/CAN/steering_angle"
    write_array(folder / "t", BOOT_S + np.array([0.2, 0.0, np.nan, 0.4]))
    write_array(folder / "value", np.array([2.0, np.nan, 9.0, 4.0]))
    adapter = adapter_on(tmp_path)
    recordings, _ = settled(adapter)
    steering = adapter.telemetry(recordings[CLIP]).signals["steering_angle_deg"]
    assert steering.time_s.tolist() == pytest.approx([0.0, 0.2, 0.4])
    np.testing.assert_array_equal(steering.values, [np.nan, 2.0, 4.0])


def test_frames_and_telemetry_meet_in_the_lake(tmp_path: Path):
    needs_hevc()
    folder = write_segment(tmp_path / "data", 3, num_frames=20)
    # every second takes 1.1 s: nothing but the published clock can tell
    write_array(folder / "global_pose/frame_times", BOOT_S + np.arange(20) * 0.055)
    write_hevc(folder / "video.hevc", 20)
    (write_segment(tmp_path / "data", 4) / "video.hevc").unlink()
    config = config_on(tmp_path / "data")
    config.ingest.fps = 4.0
    workspace, summary = ingest(config, tmp_path / "work")
    assert (summary.clips, summary.frames, summary.added, summary.missing, summary.broken) == (1, 5, 17, 1, 0)
    frames = workspace.lake.read("frames").to_pylist()
    assert [frame["frame_number"] for frame in frames] == [0, 5, 10, 14, 19]
    assert [frame["time_s"] for frame in frames] == pytest.approx([0, 0.275, 0.55, 0.77, 1.045])
    assert [frame["speed_mps"] for frame in frames] == pytest.approx([10, 10.55, 11.1, 11.54, 12.09])
    more = dict(workspace.lake.read("telemetry").to_pylist()[2]["signals"])
    assert more["steering_angle_deg"] == pytest.approx([1.65])
    assert len(more["wheel_speeds_mps"]) == 4


def test_a_dataset_without_any_video_says_so(tmp_path: Path):
    for number in range(2):
        (write_segment(tmp_path / "data", number) / "video.hevc").unlink()
    with pytest.raises(
        InputError, match=r"none of .* can be used .*video.hevc: not there; without its frames"
    ):
        ingest(config_on(tmp_path / "data"), tmp_path / "work")


def test_a_camera_that_there_is_not_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"dataset.cameras=.*: comma2k19 has one camera, road"):
        settled(Comma2k19(tmp_path, DatasetConfig(name="comma2k19", cameras=["wide"])))


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "video.hevc").touch()
    with pytest.raises(
        InputError, match=r"holds no comma2k19: looked for <dongle>\|<date>/<segment>/video.hevc"
    ):
        settled(adapter_on(tmp_path))


def test_damage_anywhere_ends_as_an_outcome(tmp_path: Path):
    """Every file in turn cut, emptied, flipped, or full of something else."""
    rng = np.random.default_rng(0)
    folder = write_segment(tmp_path)
    adapter = adapter_on(tmp_path)
    for name in list(files_under(folder)):
        path = folder / name
        whole = path.read_bytes()
        flipped = bytearray(whole)
        for at in rng.integers(0, len(whole), 8):
            flipped[at] ^= 1 << int(rng.integers(8))
        for data in (b"", whole[: len(whole) // 2], whole[:10], bytes(flipped), b"[" * 10_000, b"\xff" * 500):
            path.write_bytes(data)
            recordings, _ = settled(adapter)
            for recording in recordings.values():
                for read in (adapter.telemetry, adapter.frame_times):
                    assert fault_of(read, recording) in ("", *recording.files)
        path.write_bytes(whole)


@pytest.fixture
def real_minute(data_root: Path, tmp_path: Path) -> Path:
    """The published example with a video that nothing opens, linked into a folder of our own."""
    found = sorted((data_root / "comma2k19").glob("Example_1/*/*"))
    if not found:
        pytest.skip(f"no comma2k19 in {data_root}")
    segment = tmp_path / found[0].parent.name / found[0].name
    segment.mkdir(parents=True)
    for name in ("global_pose", "processed_log"):
        (segment / name).symlink_to(found[0] / name)
    (segment / "video.hevc").touch()
    return tmp_path


def test_the_real_minute_agrees_with_itself(real_minute: Path):
    adapter = adapter_on(real_minute)
    recordings, _ = settled(adapter)
    (recording,) = recordings.values()
    times = adapter.frame_times(recording)
    assert (len(times), times[-1]) == (1200, pytest.approx(59.95, abs=0.01))
    signals = adapter.telemetry(recording).signals
    at = {name: signal.at(times, 0.5) for name, signal in signals.items()}
    assert all(np.isfinite(values).all() for values in at.values())
    # the same car by other instruments: positions tell the speed, headings the yaw rate
    north = np.gradient(np.radians(at["latitude_deg"]) * 6_356_000, times)
    assert np.abs(north - at["speed_mps"] * np.cos(np.radians(at["heading_deg"]))).max() < 0.6
    assert 37.72 < at["latitude_deg"].min() < at["latitude_deg"].max() < 37.74
    turned = -np.gradient(np.unwrap(np.radians(at["heading_deg"])), times)
    assert np.corrcoef(turned, at["yaw_rate_radps"])[0, 1] > 0.8
    assert np.corrcoef(turned, at["steering_angle_deg"])[0, 1] > 0.7
    forward = np.convolve(at["accelerometer_mps2"][:, 0], np.ones(10) / 10, "same")
    assert np.corrcoef(forward, at["acceleration_mps2"])[0, 1] > 0.8


def test_the_real_folder_without_its_video_is_refused_and_accounted_for(data_root: Path, tmp_path: Path):
    root = data_root / "comma2k19"
    if not root.is_dir():
        pytest.skip(f"no comma2k19 in {data_root}")
    recordings, outcomes = settled(adapter_on(root))
    assert recordings == {}
    assert [status for status, _ in outcomes.values()].count("missing") == 1
    with pytest.raises(InputError, match=r"video\.hevc: not there"):
        ingest(config_on(root), tmp_path / "work")
