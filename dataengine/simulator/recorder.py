"""Writes one clip: the H.264 video, its truth table and its telemetry sidecar, in that order.

The sidecar is the commit point: a clip without one is rendered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dataengine import files
from dataengine.config import WorldConfig
from dataengine.frameboxes import ragged
from dataengine.simulator.painter import Painter
from dataengine.simulator.plan import ClipPlan, clip_paths
from dataengine.simulator.scene import Scene
from dataengine.simulator.truth import FrameTruth
from dataengine.streams import Streams

CAMERA = "front"
TRUTH = pa.schema(
    [
        ("frame_number", pa.int32()),
        ("xyxy", pa.list_(pa.float32())),
        ("class_name", pa.list_(pa.string())),
        ("visibility", pa.list_(pa.float32())),
        ("track_id", pa.list_(pa.int32())),
        ("ignore", pa.list_(pa.bool_())),
    ]
)
"""One row per video frame; ``xyxy`` is flattened, four values a box."""

_X264 = {"preset": "ultrafast", "crf": "23", "threads": "1"}
"""The preset is as much about sameness as about speed: x264's macroblock-tree lookahead, on from
``veryfast`` upwards, gave other bytes for the same pictures from run to run on a CPU with AVX-512."""
_CONTAINER = {"movflags": "+faststart"}


def record(world: WorldConfig, plan: ClipPlan, folder: Path) -> int:
    """Render one clip and write its three files; returns the number of frames.

    Raises:
        WorkspaceError: The disk is full or the folder cannot be written.
    """
    scene = Scene.sample(world, plan)
    stream = Streams(world.seed).generator(f"sensor/{plan.split}", plan.drive_index, plan.clip_index)
    painter = Painter(scene, stream)
    truths: list[FrameTruth] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(len(scene.ego.time_s)):
            picture, truth = painter.frame(number)
            truths.append(truth)
            yield picture

    video, table, sidecar = clip_paths(folder, plan)
    files.atomic(video, lambda path: encode(pictures(), path, world))
    names = [actor.class_name for actor in scene.actors]
    files.atomic(table, lambda path: pq.write_table(truth_table(truths, names), path))
    files.write_json(sidecar, describe(world, plan, scene))
    return len(truths)


def encode(pictures: Iterable[NDArray[np.uint8]], path: Path, world: WorldConfig) -> None:
    """Write RGB pictures ``[H, W, 3]`` as H.264 in an mp4 with its index first, as browsers want it."""
    import av

    with av.open(str(path), "w", format="mp4", options=_CONTAINER) as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(world.fps).limit_denominator(1001), options=_X264
        )
        stream.width, stream.height, stream.pix_fmt = world.width, world.height, "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(
                cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), format="yuv420p"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def truth_table(truths: list[FrameTruth], class_names: list[str]) -> pa.Table:
    """The truth of a clip as a table of schema ``TRUTH``."""
    offsets = np.cumsum([0, *(len(truth.actor) for truth in truths)])
    actor = np.concatenate([truth.actor for truth in truths])
    names = np.array([class_names[i] for i in actor.tolist()], object)
    columns = [
        pa.array(np.arange(len(truths)), pa.int32()),
        ragged(offsets * 4, np.concatenate([truth.xyxy for truth in truths]).ravel(), pa.float32()),
        ragged(offsets, names, pa.string()),
        ragged(offsets, np.concatenate([truth.visibility for truth in truths]), pa.float32()),
        ragged(offsets, actor, pa.int32()),
        ragged(offsets, np.concatenate([truth.ignore for truth in truths]), pa.bool_()),
    ]
    return pa.Table.from_arrays(columns, schema=TRUTH)


def describe(world: WorldConfig, plan: ClipPlan, scene: Scene) -> dict[str, Any]:
    """The sidecar: where and when the clip was recorded, and its telemetry, one value a frame."""
    ego = scene.ego
    return {
        "clip_id": plan.clip_id,
        "drive_id": plan.drive_id,
        "vehicle_id": f"vehicle-{plan.vehicle:02d}",
        "camera": CAMERA,
        "start_time_s": plan.start_time_s,
        "fps": world.fps,
        "width": world.width,
        "height": world.height,
        "split": plan.split,
        "conditions": {
            "time_of_day": plan.time_of_day,
            "weather": plan.weather,
            "road": plan.road,
            "scene": plan.scene,
        },
        "time_s": _rounded(ego.time_s),
        "speed_mps": _rounded(ego.speed_mps),
        "yaw_rate_radps": _rounded(ego.yaw_rate_radps),
        "acceleration_mps2": _rounded(ego.acceleration_mps2),
    }


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(value, 6) for value in values.tolist()]
