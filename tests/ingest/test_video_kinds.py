"""Codecs and containers of every kind: the same frames by seeking as by decoding everything."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from dataengine.ingest.video import sample, sampling
from dataengine.ingest.video.decoding import open_video
from tests.ingest.films import chosen, number_of, write_film

RATES = (None, 30.0, 10.0, 7.0, 3.0, 1.0, 0.5)
OPEN = {"x264-params": "open-gop=1"}
FIELDS = {"x264-params": "tff=1:interlaced=1"}
SEEKING = {
    "without-b.mp4": {},
    "b-frames.mp4": {"bframes": 3},
    "fragments.mp4": {"bframes": 2, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "b-frames.mkv": {"bframes": 3},  # no count of frames
    "b-frames.ts": {"bframes": 3},  # no index, no count
    "open-groups.mp4": {"bframes": 3, "options": OPEN},
    "open-groups.ts": {"bframes": 3, "options": OPEN},
    "refresh.mkv": {"options": {"x264-params": "intra-refresh=1"}},  # keyframes only in name
    "fields.mp4": {"bframes": 2, "options": FIELDS},
    "fields.ts": {"bframes": 2, "options": FIELDS},
    "simple.avi": {},
    "simple.flv": {},
    "open.mp4": {"codec": "libx265", "bframes": 3},
    "closed.mkv": {"codec": "libx265", "bframes": 3, "options": {"x265-params": "open-gop=0"}},
    "layers.mp4": {"codec": "libx265", "bframes": 3, "options": {"x265-params": "temporal-layers=3"}},
    "raw.hevc": {"codec": "libx265"},  # no times at all
    "raw.h264": {},
    "av1.mp4": {"codec": "libsvtav1"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4.mp4": {"codec": "mpeg4", "bframes": 2},
    "mpeg2.ts": {"codec": "mpeg2video", "bframes": 2},
    "mpeg2.mpg": {"codec": "mpeg2video", "bframes": 2},
    "stills.avi": {"codec": "mjpeg"},
    "stills.mov": {"codec": "mjpeg"},
    "uneven.mp4": {"bframes": 2, "ticks": [1000 + 33 * n + 400 * (n > 20) + n * n % 17 for n in range(60)]},
}
# the packets of these do not tell when their frames are shown
DECODED_WHOLE = {
    "b-frames.avi": {"bframes": 3},
    "b-raw.h264": {"bframes": 3},
    "b-raw.hevc": {"codec": "libx265", "bframes": 3},
    "hidden.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16"}},
}


@pytest.fixture
def whole_decodes(monkeypatch) -> list[Path]:
    """Files that were decoded from end to end."""
    seen: list[Path] = []
    original = sampling._unplanned

    def noted(path, *rest):
        seen.append(path)
        return original(path, *rest)

    monkeypatch.setattr(sampling, "_unplanned", noted)
    return seen


def decoded(path: Path) -> tuple[list[float], list[np.ndarray]]:
    """Times and pictures of all frames, by PyAV alone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        timed = frames[0].pts is not None and not path.name.startswith("b-frames.avi")
        start = frames[0].pts
        times = [
            float((frame.pts - start) * stream.time_base) if timed else number / 30
            for number, frame in enumerate(frames)
        ]
        return times, [frame.to_ndarray(format="bgr24") for frame in frames]


@pytest.mark.parametrize("name", [*SEEKING, *DECODED_WHOLE])
def test_every_kind_gives_the_frames_of_a_full_decode(tmp_path: Path, whole_decodes, name):
    path = write_film(tmp_path / name, **{**SEEKING, **DECODED_WHOLE}[name])
    times, pictures = decoded(path)
    assert len(times) == 60
    for fps in RATES:
        found = list(sample(path, fps))
        expected = chosen(times, fps)
        assert [picture.number for picture in found] == expected
        assert [number_of(picture.bgr) for picture in found] == expected
        np.testing.assert_allclose([p.time_s for p in found], [times[n] for n in expected], atol=1e-9)
        if not name.startswith("fields"):
            for picture in found:
                np.testing.assert_array_equal(picture.bgr, pictures[picture.number])
    assert bool(whole_decodes) == (name in DECODED_WHOLE)


def test_interlaced_frames_lose_the_comb(tmp_path: Path):
    path = write_film(tmp_path / "a.mp4", 6, options=FIELDS)
    raw = decoded(path)[1][3].astype(int)
    bgr = next(p.bgr for p in sample(path, None) if p.number == 3).astype(int)
    np.testing.assert_array_equal(bgr[::2], raw[::2])
    assert np.abs(bgr[1:-1:2] - (raw[:-2:2] + raw[2::2]) / 2).max() <= 0.5


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_rotated_video_is_upright_as_players_show_it(tmp_path: Path, rotation):
    path = write_film(tmp_path / "a.mp4", 2, rotation=rotation)
    shown = cv2.VideoCapture(str(path)).read()[1]
    np.testing.assert_array_equal(next(sample(path, None)).bgr, shown)
    assert shown.shape == ((64, 96, 3) if rotation % 180 == 0 else (96, 64, 3))


def test_an_edit_list_hides_what_it_cuts_off(tmp_path: Path):
    """A player that trims a recording keeps the packets and moves the clock to below zero."""
    source = write_film(tmp_path / "source.mp4", bframes=2)
    with (
        av.open(str(source)) as old,
        av.open(str(tmp_path / "a.mp4"), "w", options={"avoid_negative_ts": "disabled"}) as new,
    ):
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                shift = int(0.55 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                new.mux(packet)
    for fps, step in ((None, 1), (10.0, 3), (2.0, 15)):
        found = list(sample(tmp_path / "a.mp4", fps))
        assert [number_of(picture.bgr) for picture in found] == list(range(17, 60, step))
        assert [picture.number for picture in found] == list(range(0, 43, step))
        assert found[1].time_s == pytest.approx(step / 30, abs=1e-3)


def test_pictures_that_an_avi_repeats_are_no_damage(tmp_path: Path):
    ticks = [0, 33, 66, 400, 433, 466, 499, 700, 733, 766, 800, 840]
    path = write_film(tmp_path / "a.avi", 12, ticks=ticks)
    assert [number_of(picture.bgr) for picture in sample(path, None)] == list(range(12))


def test_a_clock_that_is_set_back_goes_on_from_where_it_was(tmp_path: Path):
    video = open_video(write_film(tmp_path / "a.mkv", 3))  # ticks of milliseconds
    with video.container:
        watch = sampling._Watch(video)
        read = [watch.read(pts, number) for number, pts in enumerate([500, 533, 567, 20, 53, None, 120])]
    rate = 1 / 30
    assert read == pytest.approx(
        [0, 0.033, 0.067, 0.067 + rate, 0.1 + rate, 0.1 + 2 * rate, 0.167 + rate], abs=1e-3
    )


def test_real_videos_give_the_frames_of_a_full_decode(data_root: Path):
    """Highways in H.264 and a robot's camera in AV1."""
    paths = sorted(data_root.glob("dashcam/*.mp4")) + sorted(data_root.glob("lerobot_g1/**/*.mp4"))[:1]
    if not paths:
        pytest.skip(f"no videos below {data_root}")
    for path in paths:
        times, pictures = decoded(path)
        for fps in (2.0, 0.7):
            found = list(sample(path, fps))
            assert [picture.number for picture in found] == chosen(times, fps)
            for picture in found:
                np.testing.assert_array_equal(picture.bgr, pictures[picture.number])


def test_a_preview_picture_is_not_the_video(tmp_path: Path):
    path = write_film(tmp_path / "a.mkv", 12)
    with av.open(str(path)) as old, av.open(str(tmp_path / "b.mp4"), "w") as new:
        cover = new.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = new.add_stream_from_template(old.streams.video[0])
        new.mux(cover.encode(av.VideoFrame(96, 64, "yuvj420p")))
        new.mux(cover.encode())
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    assert [number_of(picture.bgr) for picture in sample(tmp_path / "b.mp4", None)] == list(range(12))
