"""comma2k19 and comma10k written out in small: a straight drive, and painted masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.codec import Codec
from av.codec.codec import UnknownCodecError

from tests.adapters.recordings import street, write_image

DONGLE = "b0c9d2329ad1606b"
ROUTE = f"{DONGLE}|2018-08-02--08-34-47"
DRIVE = ROUTE.replace("|", "_")
BOOT_S = 46_408.5
"""Boot time of a segment's first frame."""
EQUATOR_M = 6_378_137.0
NORTH = (np.sqrt(0.5), 0.0, -np.sqrt(0.5), 0.0)
"""Orientation of a camera that looks north where equator and zero meridian cross: up is ECEF's x."""
EAST = (0.5, -0.5, -0.5, 0.5)


def needs_hevc() -> None:
    """Skip a test where this PyAV cannot encode HEVC."""
    try:
        Codec("libx265", "w")
    except UnknownCodecError:
        pytest.skip("this PyAV has no libx265 to write a raw HEVC stream with")


def write_hevc(path: Path, num_frames: int) -> None:
    """A raw HEVC stream of 64x48 without any times; frame ``n`` is ``street(0)`` shifted by ``3 n``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = street(0, 48, 64)
    with av.open(str(path), "w", format="hevc") as container:
        stream = container.add_stream("libx265", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:keyint=5:crf=10"}
        for number in range(num_frames):
            image = np.roll(picture, 3 * number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def write_array(path: Path, values: Any) -> None:
    """An array without the suffix that ``np.save`` would add."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, np.asarray(values))


def write_segment(root: Path, number: int = 0, *, num_frames: int = 20, route: str = ROUTE) -> Path:
    """A segment whose video is ``b"video"``: north from the equator at 10 m/s, faster by 2 m/s each second.

    CAN starts 0.1 s before the first frame and is written at 10 Hz; so is the IMU. Returns its folder.
    """
    folder = root / route / str(number)
    folder.mkdir(parents=True)
    (folder / "video.hevc").write_bytes(b"video")
    (folder / "preview.png").write_bytes(b"preview")
    since = np.arange(num_frames) / 20
    north = 10 * since + since**2
    poses = {
        "frame_times": BOOT_S + since,
        "frame_gps_times": np.stack([np.full(num_frames, 2012.0), 404_106.0 + since], 1),
        "frame_positions": np.stack([np.full(num_frames, EQUATOR_M + 7), 0 * since, north], 1),
        "frame_velocities": np.stack([0 * since, 0 * since, 10 + 2 * since], 1),
        "frame_orientations": np.tile(NORTH, (num_frames, 1)),
    }
    for name, values in poses.items():
        write_array(folder / "global_pose" / name, values)
    logged = np.arange(-1, 2 * num_frames) / 10
    logs = {
        "CAN/speed": (10 + 2 * logged)[:, None],
        "CAN/steering_angle": 3 * logged,
        "CAN/wheel_speed": (10 + 2 * logged)[:, None] + [0.0, 0.1, 0.2, 0.3],
        "CAN/radar": np.full((len(logged), 7), np.nan),
        "IMU/accelerometer": np.tile([2.6, 0.0, -9.8], (len(logged), 1)),
        "IMU/gyro": np.tile([0.0, 0.0, -0.5], (len(logged), 1)),
        "GNSS/live_gnss_qcom": np.tile([0.5, 1.5, 10.0, 1.5e9, 30.0, -90.0], (len(logged), 1)),
    }
    for name, values in logs.items():
        write_array(folder / "processed_log" / name / "t", BOOT_S + logged)
        write_array(folder / "processed_log" / name / "value", values)
    return folder


PAINT = {
    "road": (0x40, 0x20, 0x20),
    "lane": (0xFF, 0x00, 0x00),
    "undrivable": (0x80, 0x80, 0x60),
    "movable": (0x00, 0xFF, 0x66),
    "own car": (0xCC, 0x00, 0xFF),
}


def painted(*boxes: tuple[int, int, int, int], colour: tuple[int, int, int] = PAINT["movable"]) -> np.ndarray:
    """``[36, 48, 3]`` mask: road, the own car at the bottom, and boxes (x1, y1, x2, y2) of one colour."""
    mask = np.full((36, 48, 3), PAINT["road"], np.uint8)
    mask[:8] = PAINT["undrivable"]
    mask[32:] = PAINT["own car"]
    for x1, y1, x2, y2 in boxes:
        mask[y1:y2, x1:x2] = colour
    return mask


def write_pair(root: Path, name: str, mask: np.ndarray | None = None, *, folder: str = "imgs") -> None:
    """An image of comma10k and its mask: one box of 12x10 pixels unless another mask is given."""
    write_image(root / folder / name, street(len(name) + sum(map(ord, name))))
    write_image(
        root / folder.replace("imgs", "masks") / name, painted((5, 10, 17, 20)) if mask is None else mask
    )


def png(image: np.ndarray) -> bytes:
    """A PNG file's bytes of an RGB picture."""
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()
