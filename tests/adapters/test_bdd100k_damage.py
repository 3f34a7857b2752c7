"""BDD100K: telemetry, damage, the real pieces, and the way into the lake."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataengine import cards
from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.bdd100k import labels as bdd100k_labels
from dataengine.errors import InputError
from dataengine.ingest import ingest
from tests.adapters.bdd_opened import labels_of, names_of, opened
from tests.adapters.bdd_recordings import (
    A,
    B,
    bdd_config,
    info,
    key_frame,
    label,
    lane,
    oldest,
    track_frame,
    write_bdd,
    write_json,
    write_key_frames,
    write_track,
)


def test_telemetry_runs_from_each_clips_own_start(tmp_path: Path):
    write_bdd(tmp_path)
    adapter, clips, _ = opened(tmp_path)
    key, video = (adapter.telemetry(clips[f"{A}.{group}"]) for group in ("100k", "video"))
    assert key is not None
    assert video is not None
    assert set(key.signals) == {
        "speed_mps",
        "latitude_deg",
        "longitude_deg",
        "altitude_m",
        "heading_deg",
        "horizontal_accuracy_m",
        "accelerometer_raw",
        "gyro_raw",
    }
    at = {name: signal.at(np.array([0.0, 0.5]), 1.0) for name, signal in key.signals.items()}
    # the key frame is 10 s after the video's start; gps wins, but its speed of -1 is an unknown one
    np.testing.assert_allclose(at["speed_mps"], [15, 15.5])
    np.testing.assert_allclose(at["latitude_deg"], [41, 41])
    np.testing.assert_allclose(at["heading_deg"], [90, 95])
    np.testing.assert_allclose(at["accelerometer_raw"], [[0, -1, 10], [0, -1, 10.5]])
    # 350 degrees and 0: over north, not back through south
    np.testing.assert_allclose(video.signals["heading_deg"].at(np.array([0.5]), 1.0), [355])
    np.testing.assert_allclose(video.signals["speed_mps"].at(np.array([0.5]), 1.0), [5.5])
    assert adapter.telemetry(clips[f"{B}.100k"]) is None


NO_TELEMETRY: list[tuple[bytes, str | None]] = [
    (b"", "empty file"),
    (b"{", "no JSON"),
    (b"[" * 100_000, "nested too deep"),
    (b"[]", "no object of measurements"),
    (b"{}", "no startTime"),
    (json.dumps({**info(), "startTime": None}).encode(), "no startTime"),
    (json.dumps({"startTime": 1}).encode(), None),
    (json.dumps({"startTime": 1, "gps": [], "locations": None, "gyro": [3]}).encode(), None),
    (json.dumps({"startTime": 1, "gps": [{"timestamp": "now", "speed": 3}]}).encode(), None),
]


@pytest.mark.parametrize(("text", "reason"), NO_TELEMETRY)
def test_info_that_is_damaged_is_told_and_info_that_is_poor_is_none(tmp_path: Path, text, reason):
    write_bdd(tmp_path)
    name = f"info/100k/train/{A}.json"
    (tmp_path / name).write_bytes(text)
    adapter, clips, _ = opened(tmp_path)
    if reason is None:
        assert adapter.telemetry(clips[f"{A}.video"]) is None
        return
    with pytest.raises(BrokenFileError, match=f"{name}: {reason}"):
        adapter.telemetry(clips[f"{A}.video"])


def test_measurements_out_of_order_are_put_in_order(tmp_path: Path):
    write_bdd(tmp_path)
    value = info()
    value["locations"].reverse()
    del value["gps"]
    write_json(tmp_path / f"info/100k/train/{A}.json", value)
    adapter, clips, _ = opened(tmp_path)
    telemetry = adapter.telemetry(clips[f"{A}.video"])
    assert telemetry is not None
    np.testing.assert_allclose(telemetry.signals["speed_mps"].at(np.array([0.0, 2.0]), 1.0), [5, 7])


def test_a_messy_folder_is_settled_file_by_file(tmp_path: Path):
    write_bdd(tmp_path)
    write_key_frames(tmp_path, "val", A)  # the same key frame in a second split
    (tmp_path / f"videos/val/{A}.mov").parent.mkdir(parents=True)
    (tmp_path / f"videos/val/{A}.mov").touch()
    write_json(tmp_path / f"info/100k/train/{B[:-1]}0.json", info())  # of a video that is not there
    write_json(tmp_path / f"info/{A}.json", info())
    cut = json.dumps([key_frame(A, label()), key_frame(B, label())])[:-60]
    (tmp_path / "labels/cut_train.json").write_text(cut)
    (tmp_path / "labels/empty.json").touch()
    (tmp_path / "labels/with\nnew line ä.json").write_bytes(b"\xff\xfe")
    write_json(tmp_path / "labels/unnamed.json", [{"labels": [label()]}])
    (tmp_path / "loop").symlink_to(tmp_path)
    _, clips, strays = opened(tmp_path)
    assert len(clips) == 5
    assert strays == {
        "labels/det_20/det_train.json": ("added", ""),
        "labels/cut_train.json": (
            "broken",
            strays["labels/cut_train.json"][1],
        ),
        "labels/empty.json": ("broken", "empty file"),
        "labels/with\nnew line ä.json": ("broken", "no UTF-8 text"),
        "labels/unnamed.json": ("broken", "frame 0 has no name; the others are kept"),
        f"images/100k/val/{A}.jpg": ("unused", f"the same frame as images/100k/train/{A}.jpg"),
        f"videos/val/{A}.mov": ("unused", f"the same video as videos/train/{A}.mov"),
        f"info/100k/train/{A}.json": ("unused", f"a second one beside info/{A}.json"),
        f"info/100k/train/{B[:-1]}0.json": ("unused", "no image or video of its drive is there"),
        "loop": ("unused", "no part of BDD100K's layout"),
    }
    assert "its 1 frames before that are kept" in strays["labels/cut_train.json"][1]


def test_damaged_labels_cost_their_own_image_alone(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    broken = label(box2d={"x1": 1})
    write_json(tmp_path / "labels/det_20/det_train.json", [key_frame(A, broken), key_frame(B, label())])
    _, clips, strays = opened(tmp_path)
    assert list(clips) == [f"{B}.100k"]
    assert strays[f"images/100k/train/{A}.jpg"] == (
        "unused",
        "its labels in labels/det_20/det_train.json cannot be used: "
        "label 0 (car) has no box2d of four numbers",
    )


def test_an_image_that_is_listed_twice_has_no_labels_to_trust(tmp_path: Path):
    write_key_frames(tmp_path, "train", A, B)
    entries = [key_frame(A, label()), key_frame(A, label("bus")), key_frame(B)]
    write_json(tmp_path / "det_train.json", entries)
    _, clips, strays = opened(tmp_path)
    assert list(clips) == [f"{B}.100k"]
    assert strays[f"images/100k/train/{A}.jpg"][1].endswith("it is listed twice")


def test_a_cut_file_of_one_video_costs_the_frames_behind_the_cut(tmp_path: Path):
    write_track(tmp_path, "train", A, 3)
    write_key_frames(tmp_path, "train", A)
    path = write_json(
        tmp_path / f"labels/box_track_20/train/{A}.json", [track_frame(A, n, label()) for n in range(3)]
    )
    path.write_text(path.read_text()[:-100])
    adapter, clips, strays = opened(tmp_path)
    assert names_of(adapter, clips[f"{A}.track"]) == {0: ("car",), 1: ("car",)}
    assert adapter.labels(clips[f"{A}.100k"]) is None
    assert strays[f"labels/box_track_20/train/{A}.json"][0] == "broken"
    assert strays[f"images/track/train/{A}/{A}-0000003.jpg"] == (
        "unused",
        f"its labels cannot be read: labels/box_track_20/train/{A}.json is damaged",
    )


def test_lists_are_read_once_and_stay_out_of_what_workers_get(tmp_path: Path, monkeypatch):
    write_key_frames(tmp_path, "train", A, B)
    write_json(tmp_path / "det_train.json", [key_frame(A, *[label()] * 1000), key_frame(B)])
    times = []
    read = bdd100k_labels.read_labels
    monkeypatch.setattr(bdd100k_labels, "read_labels", lambda *args: times.append(args) or read(*args))
    adapter, clips, _ = opened(tmp_path)
    assert len(list(adapter.recordings())) == 3
    assert len(times) == 1
    copy = pickle.loads(pickle.dumps(adapter))
    assert len(pickle.dumps(adapter)) < 2000
    assert names_of(copy, clips[f"{B}.100k"]) == {0: ()}


def test_a_folder_of_something_else_names_what_was_looked_for(tmp_path: Path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds no BDD100K: looked for images .*datasets/bdd100k.toml"):
        opened(tmp_path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_flip_or_cut_of_a_label_file_leaves_every_file_settled(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("flipped")
    write_track(root, "train", A, 1)
    write_key_frames(root, "train", A)
    path = root / data.draw(st.sampled_from(["det_train.json", f"labels/100k/train/{A}.json"]))
    content = [key_frame(A, label(), lane()), track_frame(A, 0, label())]
    write_json(path, oldest(A, label()) if path.stem == A else content)
    text = path.read_bytes()
    place = data.draw(st.integers(0, len(text)))
    rest = text[place + 1 :] if data.draw(st.booleans()) else b""
    path.write_bytes(text[:place] + data.draw(st.binary(max_size=3)) + rest)
    adapter, clips, _ = opened(root)
    for clip in clips.values():
        read = adapter.labels(clip)
        assert read is None or len(labels_of(adapter, clip)) == len(clip.stills)


def test_the_real_piece_is_accounted_for_frame_by_frame(data_root: Path):
    folder = data_root / "bdd100k"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: the BDD100K sample of the shared data")
    adapter, clips, strays = opened(folder)
    assert [len(clip.stills) for clip in clips.values()] == [1] * 6
    assert all(adapter.labels(clip) is None for clip in clips.values())
    video = "b1c66a42-6f7d68ca"
    missing = sorted(path for path, (status, _) in strays.items() if status == "missing")
    assert missing == [f"{video}/{video}-{number:07d}.jpg" for number in range(1, 203)]
    assert strays["track_predictions.json"] == (
        "unused",
        "predictions (its labels have scores), which nobody checked",
    )
    assert strays["track_sample_anns.json"] == ("unused", "none of the images of its 202 frames is there")


def test_the_real_tracks_are_read_where_their_images_are(tmp_path: Path, data_root: Path):
    source = data_root / "bdd100k" / "track_sample_anns.json"
    if not source.is_file():
        pytest.skip(f"{source} is missing: the BDD100K sample of the shared data")
    video = "b1c66a42-6f7d68ca"
    for number in range(1, 203):
        path = tmp_path / f"images/track/val/{video}/{video}-{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    target = tmp_path / "labels/box_track_20/val/b1c66a42-6f7d68ca.json"
    target.parent.mkdir(parents=True)
    target.write_bytes(source.read_bytes())
    adapter, clips, strays = opened(tmp_path)
    found = list(labels_of(adapter, clips[f"{video}.track"]).values())
    assert strays == {}
    assert sum(len(labels.names) for labels in found) == 3241
    assert len(set(np.concatenate([labels.track_id for labels in found]).tolist())) == 144
    # the first label: x1 0, y1 346.55, x2 75.41, y2 407.45, truncated
    np.testing.assert_allclose(found[0].xyxy[0], [0, 346.5548, 76.4128, 408.4496], rtol=1e-5)
    assert found[0].visibility[0] == 0.5
    entries = json.loads(source.read_text())
    crowds = sum(entry["attributes"]["crowd"] for frame in entries for entry in frame["labels"])
    assert sum(labels.ignore.sum() for labels in found) == crowds > 0


def test_the_card_knows_every_name_of_both_releases():
    taxonomy = cards.load("bdd100k").taxonomy
    assert {name for name, target in taxonomy.class_map.items() if target == "ignore"} == {
        "other person",
        "other vehicle",
        "trailer",
    }
    assert len(taxonomy.class_map) == 16


def test_a_folder_goes_into_the_lake(tmp_path: Path):
    root = tmp_path / "bdd"
    write_bdd(root)
    write_json(root / f"info/100k/train/{B}.json", None)
    config = bdd_config(root)
    config.ingest.telemetry_gap_s = 2.5
    workspace, summary = ingest(config, tmp_path / "ws")
    assert (summary.missing, summary.broken, summary.unused) == (0, 1, 0)  # B's telemetry alone
    assert summary.clips == 5
    frames = {row["frame_id"]: row for row in workspace.frames().to_pylist()}
    assert frames[f"{A}.track/000002"]["speed_mps"] == pytest.approx(5.4)
    assert frames[f"{A}.100k/000000"]["speed_mps"] == pytest.approx(15)
    assert frames[f"{B}.100k/000000"]["speed_mps"] is None
    assert dict(frames[f"{A}.track/000000"]["conditions"])["time_of_day"] == "night"
    assert {frame["split_hint"] for frame in frames.values()} == {"pool", "val"}
    again = ingest(config, tmp_path / "ws")[1]
    assert (again.added, again.frames) == (0, 0)
