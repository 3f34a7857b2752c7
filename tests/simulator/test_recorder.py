"""Recordings: a browser can play them, tables and sidecars say what they should, tracks hold together."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from dataengine.config import WorldConfig
from dataengine.simulator.recorder import TRUTH
from dataengine.simulator.traffic import CLASSES


def sidecars(fleet: Path) -> list[Path]:
    return sorted(fleet.glob("*/*.json"))


def truth_rows(fleet: Path) -> list[list[dict]]:
    return [pq.read_table(path).to_pylist() for path in sorted(fleet.glob("*/*.truth.parquet"))]


def test_videos_are_h264_with_every_frame(fleet: Path, world: WorldConfig):
    videos = sorted(fleet.glob("*/*.mp4"))
    assert len(videos) == 10
    for video in videos:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert float(stream.average_rate) == world.fps
            pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert len(pictures) == 8
        assert pictures[0].shape == (192, 320, 3)
        assert pictures[0].std() > 8


def test_the_index_of_a_video_comes_first(fleet: Path):
    """Browsers start to play before they have it all."""
    for video in fleet.glob("*/*.mp4"):
        content = video.read_bytes()
        assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_sidecars_say_where_when_and_how_fast(fleet: Path):
    for path in sidecars(fleet):
        found = json.loads(path.read_text())
        assert path.name == f"{found['clip_id']}.json"
        assert path.parent.name == found["drive_id"]
        assert found["split"] in {"pool", "val", "test", "test_balanced"}
        assert set(found["conditions"]) == {"time_of_day", "weather", "road", "scene"}
        assert (found["width"], found["height"], found["fps"]) == (320, 192, 4.0)
        series = [found[name] for name in ("time_s", "speed_mps", "yaw_rate_radps", "acceleration_mps2")]
        assert [len(values) for values in series] == [8] * 4
        assert found["time_s"] == [k / 4 for k in range(8)]
        assert min(found["speed_mps"]) > 0
        assert np.abs(found["yaw_rate_radps"]).max() < 0.4


def test_truth_is_one_row_a_frame_with_sane_boxes(fleet: Path):
    total = 0
    for path in sorted(fleet.glob("*/*.truth.parquet")):
        table = pq.read_table(path)
        assert table.schema.equals(TRUTH)
        assert table["frame_number"].to_pylist() == list(range(8))
        for row in table.to_pylist():
            number = len(row["class_name"])
            assert [len(row[name]) for name in ("visibility", "track_id", "ignore")] == [number] * 3
            assert len(row["xyxy"]) == 4 * number
            assert set(row["class_name"]) <= set(CLASSES)
            assert len(set(row["track_id"])) == number
            boxes, visible = np.reshape(row["xyxy"], (-1, 4)), np.array(row["visibility"])
            assert ((boxes >= 0) & (boxes <= [320, 192, 320, 192])).all()
            assert (boxes[:, 2:] - boxes[:, :2] >= 2).all()
            assert ((visible >= 0) & (visible <= 1)).all()
            assert not (visible < 0.4)[~np.array(row["ignore"], bool)].any()
            total += number
    assert total > 200


def test_labelled_boxes_lie_where_such_objects_can_be(fleet: Path):
    """Feet below the horizon and, for whole objects, a class's usual proportions."""
    for rows in truth_rows(fleet):
        for row in rows:
            for name, box, seen, ignored in zip(
                row["class_name"],
                np.reshape(row["xyxy"], (-1, 4)),
                row["visibility"],
                row["ignore"],
                strict=True,
            ):
                assert box[3] > 60
                width, height = box[2] - box[0], box[3] - box[1]
                whole = (
                    not ignored and seen > 0.9 and box[0] > 0 and box[2] < 320 and box[1] > 0 and box[3] < 192
                )
                if whole and name == "pedestrian":
                    assert 0.3 < width / height < 0.6
                    assert height >= 25
                if whole and name == "cone":
                    assert 0.4 < width / height < 0.95


def test_tracks_move_smoothly_and_keep_their_class(fleet: Path):
    """From frame to frame the middle of a labelled box moves by less than its size and 30 px."""
    steps = 0
    for rows in truth_rows(fleet):
        before: dict[int, tuple[str, np.ndarray]] = {}
        names: dict[int, str] = {}
        for row in rows:
            now = {}
            for track, name, box, ignored in zip(
                row["track_id"],
                row["class_name"],
                np.reshape(row["xyxy"], (-1, 4)),
                row["ignore"],
                strict=True,
            ):
                assert names.setdefault(track, name) == name
                if ignored:
                    continue
                now[track] = (name, box)
                if track in before:
                    old = before[track][1]
                    moved = np.abs(box[:2] + box[2:] - old[:2] - old[2:]) / 2
                    assert (moved < (old[2:] - old[:2]) + 30).all(), (name, old, box)
                    steps += 1
            before = now
    assert steps > 100


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_is_recorded(fleet: Path, name):
    assert any(name in row["class_name"] for rows in truth_rows(fleet) for row in rows)
