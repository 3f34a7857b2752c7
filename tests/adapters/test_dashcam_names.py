"""Names of dashcams' files, by maker."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataengine.adapters.dashcam.names import folder_of, parse_name, vehicle_of

MOMENT = datetime(2024, 1, 31, 10, 15, 0, tzinfo=UTC)
NAMES = [
    # name, camera, what the files of several cameras share
    ("20240131_101500_F.mp4", "front", "20240131_101500"),
    ("20240131_101500_NF.mp4", "front", "20240131_101500"),  # BlackVue: normal
    ("20240131_101500_ER.mp4", "rear", "20240131_101500"),  # event
    ("20240131_101500_PI.mp4", "interior", "20240131_101500"),  # parked
    ("2024_0131_101500_001F.MP4", "front", "2024_0131_101500_001"),  # Viofo
    ("2024_0131_101500_002PR.MP4", "rear", "2024_0131_101500_002"),
    ("NO20240131-101500-000123F.MP4", "front", "NO20240131-101500-000123"),  # 70mai
    ("EV20240131-101500-000124B.MP4", "rear", "EV20240131-101500-000124"),
    ("240131_101500_001_FH.MP4", "front", "240131_101500_001"),  # Nextbase
    ("240131_101500_001_RL.MP4", "rear", "240131_101500_001"),
    ("REC_2024_01_31_10_15_00_F.MP4", "front", "REC_2024_01_31_10_15_00"),  # Thinkware
    ("2024-01-31_10-15-00-front.mp4", "front", "2024-01-31_10-15-00"),  # Tesla
    ("2024-01-31_10-15-00-back.mp4", "rear", "2024-01-31_10-15-00"),
    ("2024-01-31_10-15-00-left_repeater.mp4", "left_repeater", "2024-01-31_10-15-00"),
    ("2024-01-31_10-15-00-right_pillar.mp4", "right_pillar", "2024-01-31_10-15-00"),
    ("VID_20240131_101500.mp4", "", "VID_20240131_101500"),
    ("DJI_20240131101500_0001_D.MP4", "", "DJI_20240131101500_0001_D"),
    ("2024-01-31T10:15:00.mkv", "", "2024-01-31T10:15:00"),
    ("2024_0131_101500_001A.MP4", "", "2024_0131_101500_001A"),  # no camera that is known
    ("Normal/Rear/20240131-101500.ts", "rear", "20240131-101500"),
]


@pytest.mark.parametrize(("path", "camera", "base"), NAMES)
def test_a_makers_name_tells_time_camera_and_what_is_shared(path, camera, base):
    name = parse_name(path)
    assert (name.start, name.camera, name.base) == (MOMENT, camera, base)


UNTIMED = [
    # name, camera, number of the recording, part
    ("GH010123.MP4", "", "0123", 1),
    ("GX120123.MP4", "", "0123", 12),
    ("GOPR0123.MP4", "", "0123", 0),
    ("GP010123.MP4", "", "0123", 1),
    ("20241331_101500_F.mp4", "", "", 0),  # no thirteenth month
    ("20240230_101500.mp4", "", "", 0),
    ("120240131_101500.mp4", "", "", 0),  # part of a longer number
    ("highway_white_right.mp4", "", "", 0),  # a word, and no camera
    ("trip_rear.mp4", "rear", "", 0),
    ("plain.mp4", "", "", 0),
    ("Front/plain.mp4", "front", "", 0),
]


@pytest.mark.parametrize(("path", "camera", "recording", "part"), UNTIMED)
def test_names_without_a_time(path, camera, recording, part):
    name = parse_name(path)
    assert (name.start, name.camera, name.recording, name.part) == (None, camera, recording, part)


def test_thousandths_count():
    assert parse_name("PXL_20240131_101500250.mp4").start == MOMENT.replace(microsecond=250_000)


FOLDERS = [
    # path, vehicle, folder of a drive without times
    ("a.mp4", "", ""),
    ("DCIM/100MEDIA/a.mp4", "", "DCIM/100MEDIA"),
    ("car 7/Movie/RO/a.mp4", "car 7", "car 7/Movie/RO"),
    ("car 7/2024-01-31/Front/a.mp4", "car 7", "car 7/2024-01-31"),
    ("TeslaCam/SavedClips/2024-01-31_10-15-00/a.mp4", "", "TeslaCam/SavedClips/2024-01-31_10-15-00"),
    ("fleet/van/Normal/F/a.mp4", "fleet/van/F", "fleet/van/Normal/F"),
]


@pytest.mark.parametrize(("path", "vehicle", "folder"), FOLDERS)
def test_folders_that_cameras_make_are_no_vehicles(path, vehicle, folder):
    assert (vehicle_of(path), folder_of(path)) == (vehicle, folder)


@given(st.text(min_size=1, max_size=40).filter(lambda text: "/" not in text and "\0" not in text))
def test_no_name_is_too_strange(text):
    name = parse_name(f"{text}.mp4")
    assert name.part >= 0
