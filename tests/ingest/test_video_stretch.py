"""Stretches of a video, foreign frame times, seeking, and the clock."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dataengine.errors import InputError
from dataengine.ingest.video import Clock, sample
from dataengine.ingest.video.decoding import Planned
from tests.ingest.films import number_of, write_film

STRETCHES = [
    # from, to, fps, frames of the film at 30 per second
    (0.0, 1.0, 10.0, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]),
    (0.5, 1.0, 10.0, [15, 18, 21, 24, 27]),
    (0.51, 0.70, None, [16, 17, 18, 19, 20]),  # 0.70 lies between the 20th and the 21st
    (1.5, None, 2.0, [45]),
    (1.0, 1.0, None, []),
    (7.0, None, None, []),
]


@pytest.mark.parametrize(("start", "stop", "fps", "frames"), STRETCHES)
@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_stretch_counts_its_own_frames_and_time(tmp_path: Path, name, start, stop, fps, frames):
    path = write_film(tmp_path / name, 60, bframes=2)  # B-frames in AVI are decoded whole
    if not frames:
        with pytest.raises(InputError, match=rf"holds no frame from {start:g} s to"):
            list(sample(path, fps, from_s=start, to_s=stop))
        return
    found = list(sample(path, fps, from_s=start, to_s=stop))
    first = int(np.ceil(start * 30 - 1e-6))
    assert [number_of(picture.bgr) for picture in found] == frames
    assert [picture.number for picture in found] == [number - first for number in frames]
    assert [p.time_s for p in found] == pytest.approx([number / 30 - start for number in frames], abs=1e-6)


def test_stretches_that_meet_hold_every_frame_once(tmp_path: Path):
    path = write_film(tmp_path / "a.mp4", 60, bframes=2)
    bounds = [0, 0.3333333, 0.3666667, 1.2, 2.0]  # rounded, as episode tables store them
    found = [
        number_of(picture.bgr)
        for start, stop in pairwise(bounds)
        for picture in sample(path, None, from_s=start, to_s=stop)
    ]
    assert found == list(range(60))


def test_a_lost_end_concerns_only_stretches_that_reach_it(tmp_path: Path):
    path = write_film(tmp_path / "a.mp4", 60, container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-1500])
    assert len(list(sample(path, None, to_s=0.5))) == 15
    with pytest.raises(InputError, match="cut short after"):
        list(sample(path, None, from_s=0.5))


@pytest.mark.parametrize("name", ["a.hevc", "a.h264"])
def test_a_raw_stream_takes_the_times_that_were_recorded_with_it(tmp_path: Path, name):
    codec = "libx265" if name == "a.hevc" else "libx264"
    path = write_film(tmp_path / name, 40, codec=codec)
    times = np.arange(40) / 20 + 0.02  # the recorder ran at 20 per second and started late
    found = list(sample(path, 2.0, times=times))
    assert [number_of(picture.bgr) for picture in found] == [0, 10, 20, 30]
    assert [picture.time_s for picture in found] == pytest.approx([0.02, 0.52, 1.02, 1.52])


def test_times_that_do_not_fit_the_frames_are_told(tmp_path: Path):
    path = write_film(tmp_path / "a.h264", 40)
    assert len(list(sample(path, None, times=np.arange(41) / 20))) == 40
    with pytest.raises(InputError, match="holds 40 frames for the 60 times"):
        list(sample(path, None, times=np.arange(60) / 20))
    with pytest.raises(InputError, match="holds 40 frames for the 30 times"):
        list(sample(path, None, times=np.arange(30) / 20))


def test_no_packet_is_decoded_that_no_wanted_frame_needs(tmp_path: Path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", 600, gop=30, bframes=2)
    sent: list[int] = []
    original = Planned._packet

    def noted(self, position):
        sent.append(position)
        return original(self, position)

    monkeypatch.setattr(Planned, "_packet", noted)
    assert [number_of(p.bgr) for p in sample(path, 0.2)] == [0, 150, 300, 450]
    assert sent == [0, 150, 300, 450]
    sent.clear()
    list(sample(path, 6.0, to_s=1.0))
    assert len(sent) < 25


def test_a_container_that_leads_elsewhere_is_read_from_its_beginning(tmp_path: Path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", 600, gop=30)
    rewound: list[bool] = []
    original = Planned._rewind

    def noted(self):
        rewound.append(True)
        original(self)

    def astray(self, position):
        self._video.container.seek(int(self._index.pts[-1]), stream=self._video.stream)
        self._rewind()

    monkeypatch.setattr(Planned, "_rewind", noted)
    monkeypatch.setattr(Planned, "_wind_to", astray)
    assert [number_of(p.bgr) for p in sample(path, 0.2)] == [0, 150, 300, 450]
    assert rewound == [True]


def test_the_clock_counts_the_reading_and_not_its_users_time(tmp_path: Path):
    path = write_film(tmp_path / "a.mp4", 60)
    clock = Clock()
    for _ in sample(path, 10.0, clock=clock):
        time.sleep(0.01)
    assert 0 < clock.decode_s < 0.2
    assert clock.write_s == 0
