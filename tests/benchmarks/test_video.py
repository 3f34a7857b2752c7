"""Ingest of sparse frames beside its peers: PyAV on the needed groups alone, and OpenCV on everything.

Processor time of one process, so that a busy machine does not decide. A real drive and a drawn one, in groups
of 30 frames and at the bit rate of dashcams (12 to 16 Mbit/s at 1920x1080, for a quarter of the pixels).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, count
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
import pytest

from dataengine.config import Config, DatasetConfig, IngestConfig
from dataengine.images import measure
from dataengine.ingest import ingest
from dataengine.ingest.video import sample, sampling
from dataengine.ingest.video.picture import Converter

FRAMES, FPS, GOP = 600, 30, 30
WIDTH, HEIGHT = 960, 540
BITS_PER_S = 3_500_000
ROUNDS = 3


def highway(data_root: Path) -> Iterator[av.VideoFrame]:
    """A real drive, forth and back."""
    path = data_root / "dashcam" / "highway_white_right.mp4"
    if not path.is_file():
        pytest.skip(f"no video at {path}")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    while True:
        yield from frames
        yield from frames[-2:0:-1]


def drawn() -> Iterator[av.VideoFrame]:
    """A texture that is driven past, with the noise of a sensor."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.integers(0, 256, (HEIGHT // 12, WIDTH // 12, 3), np.uint8), (WIDTH, HEIGHT))
    noise = rng.integers(0, 12, (16, HEIGHT, WIDTH, 3), np.uint8)
    for number in count():
        picture = cv2.add(np.roll(texture, 4 * number, axis=1), noise[number % 16])
        yield av.VideoFrame.from_ndarray(picture, format="bgr24")


@pytest.fixture(scope="module", params=["highway", "drawn"])
def clip(request, tmp_path_factory) -> Path:
    frames = drawn() if request.param == "drawn" else highway(request.getfixturevalue("data_root"))
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    x264 = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "veryfast", "x264-params": x264}
        )
        stream.bit_rate = BITS_PER_S
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, frame in zip(range(FRAMES), frames, strict=False):
            plain = frame.reformat(format="yuv420p")
            plain.pts, plain.time_base, plain.pict_type = number, Fraction(1, FPS), 0
            container.mux(stream.encode(plain))
        container.mux(stream.encode())
    return path


def needed_groups(path: Path, every: int) -> int:
    """Decode with PyAV the whole groups that hold a wanted frame; returns how many frames that was."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        packets = [packet for packet in container.demux(stream) if packet.size]
        starts = [number for number, packet in enumerate(packets) if packet.is_keyframe]
        stops = [*starts[1:], len(packets)]
        decoded = 0
        for start, stop in zip(starts, stops, strict=True):
            if any(number % every == 0 for number in range(start, stop)):
                groups = chain(packets[start:stop], [None])
                decoded += sum(len(stream.codec_context.decode(packet)) for packet in groups)
                stream.codec_context.flush_buffers()
    return decoded


def everything(path: Path) -> int:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = 0
    while capture.read()[0]:
        frames += 1
    return frames


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def ingested(clip: Path, workspace: Path, every: int) -> None:
    shutil.rmtree(workspace, ignore_errors=True)
    sampling._indexed.cache_clear()
    dataset = DatasetConfig(name="dashcam", root=str(clip.parent))
    config = Config(dataset=dataset, ingest=IngestConfig(fps=FPS / every))
    config.compute.workers = 1
    _, summary = ingest(config, workspace)
    assert summary.frames == FRAMES // every


def compare(work: Callable[[], object], peer: Callable[[], object]) -> list[float]:
    """How often the peer's time holds our own, in several rounds, after a first one that is not counted."""
    seconds(work)
    return [seconds(peer) / seconds(work) for _ in range(ROUNDS)]


def test_one_frame_in_ten_costs_little_more_than_decoding_its_groups(tmp_path: Path, clip, record_property):
    assert needed_groups(clip, 10) == FRAMES
    ratios = compare(lambda: ingested(clip, tmp_path / "ws", 10), lambda: needed_groups(clip, 10))
    record_property("groups_over_ingest", [round(ratio, 2) for ratio in ratios])
    assert median(ratios) >= 0.7, ratios


def test_one_frame_in_thirty_is_three_times_faster_than_reading_everything(
    tmp_path: Path, clip, record_property
):
    assert everything(clip) == FRAMES
    ratios = compare(lambda: ingested(clip, tmp_path / "ws", 30), lambda: everything(clip))
    record_property("opencv_over_ingest", [round(ratio, 2) for ratio in ratios])
    assert median(ratios) >= 3, ratios


def test_where_the_time_goes(tmp_path: Path, clip, record_property):
    """Decoding is most of it: colours, compression, measuring and the rest are shares of an ingest."""
    with av.open(str(clip)) as container:
        frames = list(container.decode(video=0))[::10]
    convert = Converter()
    pictures = [convert(frame) for frame in frames]
    whole = seconds(lambda: ingested(clip, tmp_path / "ws", 10))
    sampling._indexed.cache_clear()
    shares = {
        "sampling": seconds(lambda: list(sample(clip, FPS / 10))),
        "of_that_colours": seconds(lambda: [convert(frame) for frame in frames]),
        "jpeg": seconds(
            lambda: [cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92]) for picture in pictures]
        ),
        "measures": seconds(lambda: [measure(picture) for picture in pictures]),
    }
    for name, spent in shares.items():
        record_property(name, round(spent / whole, 3))
    assert shares["of_that_colours"] < shares["sampling"] / 5
