"""nuScenes images without their tables: what official file names tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.nuscenes_world import LOG, START_US, filename, opened
from tests.adapters.recordings import street, write_image


def test_images_without_tables_are_clips_by_their_names(tmp_path: Path):
    for channel, milliseconds in (("CAM_FRONT", (0, 500, 6000)), ("CAM_BACK", (37,))):
        for ms in milliseconds:
            write_image(tmp_path / filename(channel, START_US + ms * 1000, "any"), street(ms))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "n015-2018-07-24-11-22-45+0800__LIDAR_TOP__1532402927647951.pcd.bin").touch()
    write_image(tmp_path / "n015-2018-99-24-11-22-45+0800__CAM_FRONT__1532402927000000.jpg", street(1))
    write_image(tmp_path / "again" / Path(filename("CAM_BACK", START_US + 37_200)).name, street(1))
    adapter, clips, strays = opened(tmp_path)
    # the log began at 11:22:45 in Singapore, which is 1532402565
    assert list(clips) == [f"{LOG}_CAM_BACK_362037", f"{LOG}_CAM_FRONT_362000", f"{LOG}_CAM_FRONT_368000"]
    clip = clips[f"{LOG}_CAM_FRONT_362000"]
    assert [(s.number, s.time_s) for s in clip.stills] == [(362000, 0), (362500, pytest.approx(0.5))]
    assert (clip.drive_id, clip.fps) == (LOG, pytest.approx(2))
    assert adapter.labels(clip) is None
    assert adapter.telemetry(clip) is None
    twin = Path(filename("CAM_BACK", START_US + 37_200)).name
    assert sorted(reason.split(" (")[0] for _, reason in strays.values()) == [
        "its time is not within a day of its log's",
        "no image with an official name",
        "no image with an official name",
        f"the same frame as again/{twin}",
    ]


def test_the_real_keyframe_is_six_unlabelled_clips(data_root: Path):
    root = data_root / "nuscenes_keyframe"
    if not root.is_dir():
        pytest.skip(f"{root} is missing: the nuScenes sample of the shared data")
    adapter, clips, strays = opened(root)
    assert strays == {}
    assert sorted(clip.camera for clip in clips.values()) == [
        *("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT"),
        *("CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT"),
    ]
    assert {(clip.drive_id, len(clip.stills)) for clip in clips.values()} == {(LOG, 1)}
    assert next(c for c in clips.values() if c.camera == "CAM_FRONT").start_time_s == 1532402927.612460
    assert {adapter.labels(clip) for clip in clips.values()} == {None}
