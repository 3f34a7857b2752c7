"""A small whole dataset of every format, to be damaged: two or three recordings of 48x36 pixels each.

They are written from the published descriptions of the formats, apart from the fixtures that the adapters'
own tests use, so that a misreading in one place shows in the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataengine.config import Config, DatasetConfig, IngestConfig, PartConfig
from tests.adapters.nuscenes_world import write_nuscenes
from tests.adapters.recordings import street, write_fleet, write_image, write_segnet, write_video


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One format.

    Attributes:
        write: Writes the dataset into a folder.
        settings: Of ``DatasetConfig``, beside name and root.
        parts: ``mixed`` alone: the datasets in its folder.
    """

    write: Callable[[Path], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    def config(self, name: str, root: Path) -> Config:
        """A config that ingests it."""
        parts = [PartConfig(name=part, root=str(root / part)) for part in self.parts]
        dataset = DatasetConfig(name=name, root=str(root), parts=parts, **self.settings)
        return Config(dataset=dataset, ingest=IngestConfig(fps=2.0))


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _json(path: Path, value: Any) -> None:
    _text(path, json.dumps(value))


def _jpeg(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".jpg", street(number))[1].tobytes())


def _array(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        np.save(handle, np.asarray(values))


def camvid(root: Path) -> None:
    write_segnet(root, {"train": ["0001TP_000030", "0001TP_000060"], "test": ["0016E5_00090"]})


def simulated(root: Path) -> None:
    write_fleet(root, {"a": "pool", "b": "test"}, num_frames=4)


_KITTI = "{} 0.00 0 -1.57 5.00 6.00 30.00 20.00 1.50 1.60 4.00 1.0 1.5 20.0 -1.57\n"
_DONT_CARE = "DontCare -1 -1 -10 1.00 2.00 9.00 8.00 -1 -1 -1 -1000 -1000 -1000 -10\n"


def kitti(root: Path) -> None:
    for number in range(3):
        write_image(root / f"training/image_2/{number:06d}.png", street(number))
        _text(root / f"training/label_2/{number:06d}.txt", _KITTI.format("Car") + _DONT_CARE)
        _text(root / f"training/calib/{number:06d}.txt", "P2: " + " ".join(["1.0"] * 12) + "\n")


def kitti_tracking(root: Path) -> None:
    training = root / "training"
    for sequence in ("0000", "0001"):
        for number in range(3):
            write_image(training / f"image_02/{sequence}/{number:06d}.png", street(number))
        rows = [f"{number} 7 {_KITTI.format('Car').replace('0.00 0', '0 0', 1)}" for number in range(3)]
        _text(training / f"label_02/{sequence}.txt", "".join(rows))
        values = ["49.0", "8.4", "110.0", "0.0", "0.0", "1.0", *["2.5"] * 19, "4", "10", "4", "4", "0"]
        _text(training / f"oxts/{sequence}.txt", (" ".join(values) + "\n") * 3)
        _text(training / f"calib/{sequence}.txt", "P2: " + " ".join(["1.0"] * 12) + "\n")


def bdd100k(root: Path) -> None:
    frames = []
    for number in range(3):
        stem = f"{number:08d}-aaaaaaaa"
        _jpeg(root / f"images/100k/train/{stem}.jpg", number)
        box = {"x1": 3.0, "y1": 4.0, "x2": 20.0, "y2": 19.0}
        label = {"id": str(number), "category": "car", "attributes": {"occluded": False}, "box2d": box}
        attributes = {"weather": "rainy", "scene": "highway", "timeofday": "night"}
        frame = {"name": f"{stem}.jpg", "attributes": attributes, "timestamp": 10000, "labels": [label]}
        frames.append(frame)
    _json(root / "labels/det_20/det_train.json", frames)
    write_video(root / "videos/train/00000009-aaaaaaaa.mov", 4)
    place = {"latitude": 37.1, "longitude": -122.1, "speed": 3.0, "course": 10.0, "timestamp": 1000}
    info = {"rideID": "r", "startTime": 1000, "endTime": 2000, "locations": [place], "gps": []}
    _json(root / "info/100k/train/00000009-aaaaaaaa.json", info)


def cityscapes(root: Path) -> None:
    ids = np.full((36, 48), 7, np.uint16)
    ids[10:20, 5:17] = 26_000
    for number in range(2):
        stem = f"aachen_{number:06d}_000019"
        write_image(root / f"leftImg8bit/train/aachen/{stem}_leftImg8bit.png", street(number))
        write_image(root / f"gtFine/train/aachen/{stem}_gtFine_instanceIds.png", ids)
        write_image(root / f"gtFine/train/aachen/{stem}_gtFine_labelIds.png", (ids // 1000).astype(np.uint8))
        vehicle = {"speed": 10.0, "yawRate": 0.1, "gpsLatitude": 50.8, "gpsLongitude": 6.1, "gpsHeading": 5.0}
        _json(root / f"vehicle/train/aachen/{stem}_vehicle.json", vehicle)


def comma10k(root: Path) -> None:
    mask = np.full((36, 48, 3), (0x40, 0x20, 0x20), np.uint8)
    mask[10:20, 5:17] = (0x00, 0xFF, 0x66)
    for number in range(3):
        name = f"{number:04d}_0085e9e41513078a_2018-08-19--13-26-08_11_{number:03d}.png"
        write_image(root / "imgs" / name, street(number))
        write_image(root / "masks" / name, mask)
    _text(
        root / "files_trainable",
        "".join(f"masks/{path.name}\n" for path in sorted((root / "masks").iterdir())),
    )


def comma2k19(root: Path) -> None:
    for segment in range(2):
        folder = root / f"Chunk_1/b0c9d2329ad1606b|2018-08-02--08-34-47/{segment + 3}"
        _raw_stream(folder / "video.hevc", 12)
        clock = 1000.0 + 60 * segment + np.arange(12) / 20
        _array(folder / "global_pose/frame_times", clock)
        _array(folder / "global_pose/frame_positions", np.tile([-2.7e6, -4.3e6, 3.85e6], (12, 1)))
        _array(folder / "global_pose/frame_velocities", np.ones((12, 3)))
        _array(folder / "global_pose/frame_orientations", np.tile([1.0, 0, 0, 0], (12, 1)))
        for name, values in {"speed": np.full((12, 1), 20.0), "steering_angle": np.zeros((12, 1))}.items():
            _array(folder / f"processed_log/CAN/{name}/t", clock)
            _array(folder / f"processed_log/CAN/{name}/value", values)


def _raw_stream(path: Path, num_frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="hevc") as container:
        stream = container.add_stream(
            "libx265", rate=20, options={"preset": "ultrafast", "x265-params": "log-level=none"}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(num_frames):
            picture = np.roll(street(1, 48, 64), number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def dashcam(root: Path) -> None:
    write_video(root / "2024-05-01/20240501_101500.mp4", 6, seed=1)
    write_video(root / "2024-05-01/20240501_101502.mp4", 6, seed=2)
    write_video(root / "trip.mov", 4, seed=3)
    rows = "".join(f"{number / 4},{10 + number}\n" for number in range(6))
    _text(root / "2024-05-01/20240501_101500.csv", "time_s,speed_mps\n" + rows)
    _json(root / "2024-05-01/20240501_101502.json", {"time_s": [0, 1], "speed_mps": [1, 2]})
    point = '<trkpt lat="{}" lon="8.0"><ele>100</ele><time>2024-05-01T10:15:0{}Z</time></trkpt>'
    points = "".join(point.format(49 + number / 1e5, number) for number in range(3))
    track = f"<trk><trkseg>{points}</trkseg></trk>"
    _text(root / "trip.gpx", f'<?xml version="1.0"?><gpx version="1.1">{track}</gpx>')


def lerobot(root: Path) -> None:
    key = "observation.images.front"
    image = {"dtype": "video", "shape": [48, 64, 3], "names": ["height", "width", "channels"]}
    vector = {"dtype": "float32", "shape": [2], "names": ["a", "b"]}
    info = {
        "codebase_version": "v2.1",
        "robot_type": "arm",
        "fps": 4,
        "total_episodes": 2,
        "total_frames": 12,
        "total_tasks": 1,
        "chunks_size": 1000,
        "splits": {"train": "0:2"},
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": {key: image, "observation.state": vector, "action": vector},
    }
    _json(root / "meta/info.json", info)
    _text(root / "meta/tasks.jsonl", json.dumps({"task_index": 0, "task": "pick"}) + "\n")
    episodes, stats = [], []
    for episode in range(2):
        write_video(root / f"videos/chunk-000/{key}/episode_{episode:06d}.mp4", 6, seed=episode)
        episodes.append({"episode_index": episode, "tasks": ["pick"], "length": 6})
        stats.append({"episode_index": episode, "stats": {}})
        table = {
            "timestamp": pa.array([number / 4 for number in range(6)], pa.float32()),
            "frame_index": list(range(6)),
            "episode_index": [episode] * 6,
            "index": list(range(6 * episode, 6 * episode + 6)),
            "task_index": [0] * 6,
            "observation.state": pa.array([[0.0, 1.0]] * 6, pa.list_(pa.float32())),
            "action": pa.array([[0.5, 1.0]] * 6, pa.list_(pa.float32())),
        }
        path = root / f"data/chunk-000/episode_{episode:06d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(table), path)
    for name, rows in {"episodes": episodes, "episodes_stats": stats}.items():
        _text(root / f"meta/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def nuscenes(root: Path) -> None:
    write_nuscenes(root, {"scene-0001": "Rain, turn left", "scene-0002": "Night"})


def waymo(root: Path) -> None:
    for segment in ("1000_000_1020_000_1020_000", "2000_000_2020_000_2020_000"):
        stamps = [1_500_000_000_000_000 + 100_000 * number for number in range(3)]
        keys = {
            "key.segment_context_name": [segment] * 3,
            "key.frame_timestamp_micros": pa.array(stamps, pa.int64()),
        }
        camera = {**keys, "key.camera_name": pa.array([1] * 3, pa.int8())}
        jpegs = [cv2.imencode(".jpg", street(number))[1].tobytes() for number in range(3)]
        _component(root, "camera_image", segment, {**camera, "[CameraImageComponent].image": jpegs})
        box = {f"[CameraBoxComponent].box.{name}": [value] * 3 for name, value in _WAYMO_BOX.items()}
        kind = {"[CameraBoxComponent].type": pa.array([1] * 3, pa.int8())}
        ids = {"key.camera_object_id": ["a"] * 3}
        _component(root, "camera_box", segment, {**camera, **ids, **box, **kind})
        stats = {"time_of_day": "Night", "weather": "rain", "location": "location_sf"}
        said = {f"[StatsComponent].{name}": [value] * 3 for name, value in stats.items()}
        _component(root, "stats", segment, {**keys, **said})


_WAYMO_BOX = {"center.x": 20.0, "center.y": 15.0, "size.x": 12.0, "size.y": 10.0}


def _component(root: Path, name: str, segment: str, columns: dict[str, Any]) -> None:
    path = root / f"training/{name}/{segment}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def coco(root: Path) -> None:
    images, boxes = [], []
    for number in range(3):
        _jpeg(root / f"data/{number:06d}.jpg", number)
        images.append({"id": number, "file_name": f"{number:06d}.jpg", "width": 48, "height": 36})
        box = {"bbox": [3, 4, 17, 15], "area": 255, "iscrowd": 0, "segmentation": []}
        boxes.append({"id": number, "image_id": number, "category_id": 3, **box})
    categories = [{"id": 3, "name": "car", "supercategory": ""}]
    _json(root / "labels.json", {"images": images, "annotations": boxes, "categories": categories})


def yolo(root: Path) -> None:
    for number in range(3):
        _jpeg(root / f"images/train/{number:06d}.jpg", number)
        _text(root / f"labels/train/{number:06d}.txt", "0 0.5 0.5 0.25 0.25\n")
    _text(root / "dataset.yaml", "path: .\ntrain: images/train\nnames:\n  0: car\n")


_VOC = (
    "<annotation><folder>data</folder><filename>{0}.jpg</filename><size><width>48</width><height>36</height>"
    "<depth>3</depth></size><object><name>car</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax>"
    "<ymax>19</ymax></bndbox></object></annotation>\n"
)


def voc(root: Path) -> None:
    for number in range(3):
        _jpeg(root / f"JPEGImages/{number:06d}.jpg", number)
        _text(root / f"Annotations/{number:06d}.xml", _VOC.format(f"{number:06d}"))


def cvat(root: Path) -> None:
    rows = []
    for number in range(3):
        _jpeg(root / f"data/{number:06d}.jpg", number)
        box = '<box label="car" occluded="0" xtl="3" ytl="4" xbr="20" ybr="19"></box>'
        rows.append(f'<image id="{number}" name="{number:06d}.jpg" width="48" height="36">{box}</image>')
    _text(
        root / "labels.xml",
        f'<?xml version="1.0"?><annotations><version>1.1</version>{"".join(rows)}</annotations>',
    )


def mixed(root: Path) -> None:
    camvid(root / "camvid")
    simulated(root / "simulated")


CLASSES = {"classes": ["car", "pedestrian"]}

SPECIMENS = {
    "bdd100k": Specimen(write=bdd100k),
    "camvid": Specimen(write=camvid, settings={"min_box_area": 9.0}),
    "cityscapes": Specimen(write=cityscapes),
    "coco": Specimen(write=coco, settings=CLASSES),
    "comma10k": Specimen(write=comma10k),
    "comma2k19": Specimen(write=comma2k19),
    "cvat": Specimen(write=cvat, settings=CLASSES),
    "dashcam": Specimen(write=dashcam),
    "kitti": Specimen(write=kitti),
    "kitti_tracking": Specimen(write=kitti_tracking),
    "lerobot": Specimen(write=lerobot),
    "mixed": Specimen(write=mixed, parts=("camvid", "simulated")),
    "nuscenes": Specimen(write=nuscenes),
    "simulated": Specimen(write=simulated),
    "voc": Specimen(write=voc, settings=CLASSES),
    "waymo": Specimen(write=waymo),
    "yolo": Specimen(write=yolo, settings=CLASSES),
}
"""``fiftyone`` is not among them: it reads a database, not files."""
