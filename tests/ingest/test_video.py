"""Videos: sampling by presentation time, and every way in which a file can be cut."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from dataengine.errors import InputError
from dataengine.ingest.video import sample
from tests.adapters.recordings import write_video

SAMPLED = [
    # recorded fps, sampled at, frame numbers of the first two seconds
    (4, 2.0, [0, 2, 4, 6]),
    (4, None, [0, 1, 2, 3, 4, 5, 6, 7]),
    (4, 4.0, [0, 1, 2, 3, 4, 5, 6, 7]),
    (4, 100.0, [0, 1, 2, 3, 4, 5, 6, 7]),  # no faster than recorded, and none twice
    (4, 3.0, [0, 2, 3, 4, 6, 7]),  # first at or after 0, 1/3, 2/3, 1, 4/3, 5/3
    (4, 0.5, [0]),
    (30, 2.0, [0, 15, 30, 45]),
    (10, 3.0, [0, 4, 7, 10, 14, 17]),
]


@pytest.mark.parametrize(("recorded", "sampled", "numbers"), SAMPLED)
def test_the_first_frame_at_or_after_each_tick_is_kept(tmp_path: Path, recorded, sampled, numbers):
    write_video(tmp_path / "a.mp4", 2 * recorded, recorded)
    pictures = list(sample(tmp_path / "a.mp4", sampled))
    assert [picture.number for picture in pictures] == numbers
    assert [picture.time_s for picture in pictures] == pytest.approx(
        [number / recorded for number in numbers]
    )


def test_uneven_presentation_times_decide_not_frame_numbers(tmp_path: Path):
    times = [0, 100, 450, 510, 900, 1700, 1750]  # milliseconds, from a camera that stutters
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 30 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time + 5000, Fraction(1, 1000)  # recorders rarely start at 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    pictures = list(sample(tmp_path / "a.mp4", 2.0))
    # ticks 0, 0.5, 1.0 (first frame after it comes at 1.7, past 1.5 too)
    assert [picture.number for picture in pictures] == [0, 3, 5]
    assert [picture.time_s for picture in pictures] == pytest.approx([0, 0.51, 1.7], abs=0.002)
    assert [round(float(picture.bgr.mean()) / 30) for picture in pictures] == [0, 3, 5]


def test_no_file_no_video_and_no_stream_are_told(tmp_path: Path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    for name, message in {
        "absent.mp4": "not a readable video",
        "empty.mp4": "not a readable video",
        "text.mp4": "not a readable video",
        "sound.mp4": "holds no video stream",
    }.items():
        with pytest.raises(InputError, match=message):
            list(sample(tmp_path / name, 2.0))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_a_video_cut_in_the_middle_gives_what_decodes_and_then_says_so(tmp_path: Path, kept):
    write_video(tmp_path / "a.mp4", 20)
    whole = [picture.bgr for picture in sample(tmp_path / "a.mp4", None)]
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: int(len(data) * kept)])
    pictures = []
    with pytest.raises(InputError, match=r"cut short after \d+ frames of 20"):
        pictures.extend(sample(tmp_path / "a.mp4", None))
    assert 0 < len(pictures) < 20
    for picture in pictures:  # nothing grey or half-decoded among them
        np.testing.assert_array_equal(picture.bgr, whole[picture.number])


def test_a_video_without_its_index_does_not_open(tmp_path: Path):
    write_video(tmp_path / "a.mp4", 20, faststart=False)
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: int(len(data) * 0.9)])
    with pytest.raises(InputError, match="not a readable video"):
        list(sample(tmp_path / "a.mp4", None))
