"""Small datasets on disk in the layouts that adapters read, painted so that every figure is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataengine.config import Config, DatasetConfig, IngestConfig

WIDTH, HEIGHT = 64, 48
TRUTH_SCHEMA = pa.schema(
    [
        ("frame_number", pa.int32()),
        ("xyxy", pa.list_(pa.float32())),
        ("class_name", pa.list_(pa.string())),
        ("visibility", pa.list_(pa.float32())),
        ("track_id", pa.list_(pa.int32())),
        ("ignore", pa.list_(pa.bool_())),
    ]
)


def write_video(
    path: Path, num_frames: int, fps: float = 4.0, *, seed: int = 0, faststart: bool = True
) -> None:
    """An H.264 video whose blocks wander, so that every frame differs."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=round(fps), options={"preset": "ultrafast", "crf": "18"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, 3 * number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def truth_row(number: int, *boxes: tuple[str, Sequence[float]]) -> dict[str, Any]:
    """One frame's row of truth."""
    return {
        "frame_number": number,
        "xyxy": [value for _, box in boxes for value in box],
        "class_name": [name for name, _ in boxes],
        "visibility": [1.0] * len(boxes),
        "track_id": list(range(len(boxes))),
        "ignore": [False] * len(boxes),
    }


def write_truth(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, TRUTH_SCHEMA), path)


def write_clip(
    root: Path, clip_id: str, split: str = "pool", *, num_frames: int = 8, drive: str = ""
) -> Path:
    """One clip of the fleet: frame ``n`` holds a car at x = n, odd frames a cone too; returns the video."""
    drive_id = drive or f"drive-{clip_id}"
    video = root / drive_id / f"{clip_id}.mp4"
    write_video(video, num_frames, seed=int.from_bytes(clip_id.encode()[-4:], "big"))
    times = [number / 4 for number in range(num_frames)]
    sidecar = {
        "clip_id": clip_id,
        "drive_id": drive_id,
        "vehicle_id": "v1",
        "camera": "front",
        "start_time_s": 100.0,
        "fps": 4.0,
        "width": WIDTH,
        "height": HEIGHT,
        "split": split,
        "conditions": {"time_of_day": "day", "weather": "fog"},
        "time_s": times,
        "speed_mps": [10 + time for time in times],
        "yaw_rate_radps": [0.0] * num_frames,
        "acceleration_mps2": [1.0] * num_frames,
    }
    video.with_suffix(".json").write_text(json.dumps(sidecar))
    rows = []
    for number in range(num_frames):
        boxes: list[tuple[str, Sequence[float]]] = [("car", (number, 10, number + 20, 30))]
        if number % 2:
            boxes.append(("cone", (40, 20, 44, 28)))
        rows.append(truth_row(number, *boxes))
    write_truth(video.with_suffix(".truth.parquet"), rows)
    return video


def write_fleet(root: Path, clips: dict[str, str], **settings: Any) -> dict[str, Path]:
    """A fleet of clips with the given splits; returns each clip's video."""
    videos = {clip_id: write_clip(root, clip_id, split, **settings) for clip_id, split in clips.items()}
    listed = sorted(video.relative_to(root).as_posix() for video in videos.values())
    (root / "fleet.json").write_text(
        json.dumps({"format": 1, "world": {"seed": 1}, "classes": [], "clips": listed})
    )
    return videos


def edit_sidecar(video: Path, **changes: Any) -> None:
    path = video.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def fleet_config(root: Path, *, workers: int = 1, fps: float | None = 2.0) -> Config:
    config = Config(dataset=DatasetConfig(root=str(root)), ingest=IngestConfig(fps=fps))
    config.compute.workers = workers
    return config


def street(number: int, height: int = 36, width: int = 48) -> np.ndarray:
    """``[H, W, 3]`` picture of its own for every number."""
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (height // 4, width // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = image[..., ::-1] if image.ndim == 3 else image
    path.write_bytes(cv2.imencode(".png", stored)[1].tobytes())


def segnet_mask() -> np.ndarray:
    """A car of 12x10 pixels, a pedestrian of 2x2, and void beside them."""
    mask = np.full((36, 48), 3, np.uint8)
    mask[10:20, 5:17] = 8
    mask[30:32, 40:42] = 9
    mask[0, :] = 11
    return mask


def write_segnet(root: Path, splits: dict[str, list[str]], *, lists: bool = True) -> None:
    """CamVid in the SegNet layout: split -> image names without suffix."""
    for split, names in splits.items():
        lines = []
        for name in names:
            write_image(root / split / f"{name}.png", street(int(name.rsplit("_", 1)[1].lstrip("f"))))
            write_image(root / f"{split}annot" / f"{name}.png", segnet_mask())
            lines.append(f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n")
        if lists:
            (root / f"{split}.txt").write_text("".join(lines))


COLOURS = "128 64 128\tRoad\n64 0 128\tCar\n64 64 0\t\tPedestrian\n0 128 192\tBicyclist\n0 0 0\t\tVoid\n\n"


def write_original(root: Path, names: list[str], *, colours: str = COLOURS) -> None:
    """CamVid as first published: colours, other folders, ``_L`` masks."""
    palette = {3: (128, 64, 128), 8: (64, 0, 128), 9: (64, 64, 0), 11: (0, 0, 0)}
    numbers = segnet_mask()
    mask = np.zeros((*numbers.shape, 3), np.uint8)
    for number, colour in palette.items():
        mask[numbers == number] = colour
    for name in names:
        write_image(
            root / "701_StillsRaw_full" / f"{name}.png", street(int(name.rsplit("_", 1)[1].lstrip("f")))
        )
        write_image(root / "LabeledApproved_full" / f"{name}_L.png", mask)
    (root / "label_colors.txt").write_text(colours)


def camvid_config(root: Path, *, min_box_area: float = 9.0, workers: int = 1) -> Config:
    config = Config(dataset=DatasetConfig(name="camvid", root=str(root), min_box_area=min_box_area))
    config.compute.workers = workers
    return config
