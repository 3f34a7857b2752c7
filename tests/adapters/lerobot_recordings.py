"""LeRobot datasets written out in small, in each version of the format.

Frame ``n`` of the whole dataset is one even grey of ``10 + 8 n``, its state is ``[n, -n]`` and its action
``[n + 0.5]``; so pictures, rows and episodes can be told apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from av.codec import Codec
from av.codec.codec import UnknownCodecError

from tests.adapters.comma_recordings import png

FPS = 10
TASKS = ("Pick up the bottle.", "Put it\n  down.")
FRONT, WRIST = "observation.images.front", "observation.images.wrist"
PACKED = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def grey(number: int) -> np.ndarray:
    return np.full((64, 64, 3), 10 + 8 * number, np.uint8)


def needs_av1() -> None:
    """Skip a test where this PyAV cannot encode AV1."""
    try:
        Codec("libsvtav1", "w")
    except UnknownCodecError:
        pytest.skip("this PyAV has no libsvtav1 to write what LeRobot writes by default")


def write_video(path: Path, numbers: Sequence[int], codec: str = "libx264") -> None:
    """A video with a key frame at every other frame, as LeRobot writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"libx264": {"preset": "ultrafast", "crf": "10"}, "libsvtav1": {"preset": "12", "crf": "20"}}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options={**options[codec], "g": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in numbers:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey(number), format="rgb24")))
        container.mux(stream.encode())


def table(episode: int, numbers: Sequence[int], images: Sequence[str] = ()) -> pa.Table:
    """Rows of one episode."""
    count = len(numbers)
    columns: dict[str, Any] = {
        "observation.state": pa.array([[n, -n] for n in numbers], pa.list_(pa.float32(), 2)),
        "action": pa.array([[n + 0.5] for n in numbers], pa.list_(pa.float32())),
        "next.reward": pa.array([float(n) for n in numbers], pa.float32()),
        "next.done": pa.array([n == numbers[-1] for n in numbers]),
        "timestamp": pa.array([n / FPS for n in range(count)], pa.float32()),
        "frame_index": pa.array(range(count), pa.int64()),
        "episode_index": pa.array([episode] * count, pa.int64()),
        "index": pa.array(numbers, pa.int64()),
        "task_index": pa.array([episode % len(TASKS)] * count, pa.int64()),
    }
    for key in images:
        packed = [{"bytes": png(grey(n)), "path": f"frame_{n:06d}.png"} for n in numbers]
        columns[key] = pa.array(packed, PACKED)
    return pa.table(columns)


def write_table(path: Path, *tables: pa.Table) -> None:
    """A parquet file with a row group for each table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for part in tables:
            writer.write_table(part)


def info(
    version: str, episodes: int, videos: Sequence[str], images: Sequence[str], **changes: Any
) -> dict[str, Any]:
    paths = {
        "v2": (
            "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
            "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        ),
        "v3": (
            "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
            "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        ),
    }[version[:2]]
    features = {
        "observation.state": {"dtype": "float32", "shape": [2], "names": ["a", "b"]},
        **{key: {"dtype": "video", "shape": [64, 64, 3], "info": {"video.fps": FPS}} for key in videos},
        **{key: {"dtype": "image", "shape": [64, 64, 3]} for key in images},
    }
    return {
        "codebase_version": version,
        "robot_type": "so100",
        "total_episodes": episodes,
        "fps": FPS,
        "chunks_size": 1000,
        "splits": {"train": f"0:{episodes}"},
        "data_path": paths[0],
        "video_path": paths[1] if videos else None,
        "features": features,
        **changes,
    }


def write_v2(
    root: Path,
    lengths: Sequence[int] = (4, 6),
    *,
    version: str = "v2.1",
    videos: Sequence[str] = (FRONT,),
    images: Sequence[str] = (),
    **changes: Any,
) -> None:
    """Version 2.0 or 2.1: files of its own for each episode."""
    (root / "meta").mkdir(parents=True)
    rows = []
    for episode, (first, end) in enumerate(pairwise(accumulate(lengths, initial=0))):
        name = f"chunk-000/{{}}episode_{episode:06d}"
        write_table(root / "data" / f"{name.format('')}.parquet", table(episode, range(first, end), images))
        for key in videos:
            write_video(root / "videos" / f"{name.format(f'{key}/')}.mp4", range(first, end))
        rows.append({"episode_index": episode, "tasks": [TASKS[episode % 2]], "length": end - first})
    write_lines(root / "meta/episodes.jsonl", rows)
    write_lines(root / "meta/tasks.jsonl", [{"task_index": n, "task": task} for n, task in enumerate(TASKS)])
    stats = "stats.json" if version == "v2.0" else "episodes_stats.jsonl"
    (root / "meta" / stats).write_text("{}")
    (root / "meta/info.json").write_text(json.dumps(info(version, len(lengths), videos, images, **changes)))


def write_v3(
    root: Path,
    lengths: Sequence[int] = (4, 6),
    *,
    videos: Sequence[str] = (FRONT,),
    images: Sequence[str] = (),
    codec: str = "libx264",
    **changes: Any,
) -> None:
    """Version 3.0: one table and one video a camera for all episodes, a row group an episode."""
    bounds = list(pairwise(accumulate(lengths, initial=0)))
    tables = [table(episode, range(*bound), images) for episode, bound in enumerate(bounds)]
    write_table(root / "data/chunk-000/file-000.parquet", *tables)
    for key in videos:
        write_video(root / f"videos/{key}/chunk-000/file-000.mp4", range(sum(lengths)), codec)
    rows = []
    for episode, (first, end) in enumerate(bounds):
        row: dict[str, Any] = {"episode_index": episode, "tasks": [TASKS[episode % 2]], "length": end - first}
        row |= {"data/chunk_index": 0, "data/file_index": 0, "stats/action/mean": [0.0]}
        for key in videos:
            row |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
            row |= {f"videos/{key}/from_timestamp": first / FPS, f"videos/{key}/to_timestamp": end / FPS}
        rows.append(row)
    write_table(root / "meta/episodes/chunk-000/file-000.parquet", pa.Table.from_pylist(rows))
    # as pandas writes a frame whose index is the text
    tasks = pa.table({"task_index": pa.array([0, 1], pa.int64()), "__index_level_0__": list(TASKS)})
    write_table(root / "meta/tasks.parquet", tasks)
    (root / "meta/stats.json").write_text("{}")
    (root / "meta/info.json").write_text(json.dumps(info("v3.0", len(lengths), videos, images, **changes)))


def write_lines(path: Path, rows: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def edit_info(root: Path, **changes: Any) -> None:
    path = root / "meta/info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
