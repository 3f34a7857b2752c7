"""Datasets that are in FiftyOne, against a MongoDB of the tests' own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataengine import cards, ingest
from dataengine.adapters.base import Recording
from dataengine.adapters.exchange.reading import reader
from dataengine.adapters.fiftyone_dataset import source
from dataengine.adapters.fiftyone_dataset.adapter import FiftyOneDataset, card_of, media_root
from dataengine.config import Config, DatasetConfig, PartConfig
from dataengine.errors import ConfigError, InputError, ServiceError
from dataengine.quarantine import Outcome
from tests.adapters.exchange_files import boxes, read, write_images
from tests.adapters.recordings import HEIGHT, WIDTH, write_video

pytestmark = pytest.mark.mongo


@pytest.fixture
def fo(mongo: str) -> Iterator[Any]:
    """FiftyOne with an empty database."""
    fiftyone = reader("fiftyone")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield fiftyone
        for name in fiftyone.list_datasets():
            fiftyone.delete_dataset(name)


def config(name: str, **fields: str) -> DatasetConfig:
    return DatasetConfig(name="fiftyone", fields={"dataset": name, **fields})


def opened(name: str, **fields: str) -> tuple[FiftyOneDataset, dict[str, Recording], list[Outcome]]:
    settings = config(name, **fields)
    adapter = FiftyOneDataset(media_root(settings), settings)
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    return adapter, clips, [item for item in found if isinstance(item, Outcome)]


def image_dataset(fo: Any, root: Path) -> Any:
    """Two drives of two images each (48x36), one of them not labelled; taken 2 s apart, out of order."""
    names = ["a/one.png", "a/two.png", "b/three.png", "b/four.png"]
    write_images(root, names)
    dataset = fo.Dataset("images")
    for number, name in enumerate(names):
        sample = fo.Sample(filepath=str(root / name), tags=["train" if number < 2 else "validation"])
        sample["scene"] = f"scene {number // 2}"
        sample["taken"] = datetime(2024, 1, 1, 12, 0, 6 - 2 * number)  # noqa: DTZ001  FiftyOne's are naive UTC
        sample["weather"] = fo.Classification(label="rain" if number else "clear")
        if number != 2:
            car = fo.Detection(label="car", bounding_box=[0.25, 0.25, 0.5, 0.5], index=4, iscrowd=number)
            sample["ground_truth"] = fo.Detections(detections=[car] if number != 3 else [])
        dataset.add_sample(sample, dynamic=True)
    return dataset


def test_images_are_clips_by_their_folder_unless_fields_say_otherwise(fo: Any, tmp_path: Path):
    image_dataset(fo, tmp_path)
    adapter, clips, strays = opened("images")
    assert (adapter.root, strays) == (tmp_path, [])
    assert adapter.class_names() == ["car"]
    # no numbers and no times: in the order of names
    assert {clip: [still.image for still in found.stills] for clip, found in clips.items()} == {
        "a": ["a/one.png", "a/two.png"],
        "b": ["b/four.png", "b/three.png"],
    }
    assert {clip: found.split_hint for clip, found in clips.items()} == {"a": "pool", "b": "val"}
    _, clips, _ = opened("images", drive="scene", time="taken", conditions="weather,scene")
    first, second = clips.values()
    assert first.drive_id.startswith("scene-0-")
    assert [(still.image, still.time_s) for still in first.stills] == [("a/two.png", 0), ("a/one.png", 2)]
    assert first.fps == 0.5
    assert first.stills[1].conditions == {"weather": "clear", "scene": "scene 0"}
    assert [still.image for still in second.stills] == ["b/four.png", "b/three.png"]


def test_boxes_come_in_pixels_with_crowds_and_tracks(fo: Any, tmp_path: Path):
    dataset = image_dataset(fo, tmp_path)
    dataset.match({"filepath": str(tmp_path / "a/two.png")}).compute_metadata()
    adapter, clips, _ = opened("images")
    one, two = (read(adapter, clips["a"], number) for number in (0, 1))
    assert boxes(one) == boxes(two) == [("car", 12, 9, 36, 27)]
    assert one is not None
    assert two is not None
    assert (one.ignore.tolist(), two.ignore.tolist()) == ([False], [True])
    assert one.track_id.tolist() == [4]
    assert np.isnan(one.visibility).all()
    # an empty field says that there is no object, no field says nothing
    assert boxes(read(adapter, clips["b"], 0)) == []
    assert read(adapter, clips["b"], 1) is None
    with pytest.raises(InputError, match="labels for an image of 48x36, but it is 10x10"):
        read(adapter, clips["a"], 1, (10, 10))


def test_media_that_are_gone_are_missing_and_broken_ones_are_told_by_ingest(fo: Any, tmp_path: Path):
    image_dataset(fo, tmp_path / "in")
    (tmp_path / "in/a/one.png").unlink()
    (tmp_path / "in/a/two.png").write_bytes(b"")
    _, clips, strays = opened("images")
    assert [(item.path, item.status) for item in strays] == [
        ("a/one.png", "missing"),
        ("a/two.png", "unused"),
    ]
    assert list(clips) == ["b"]
    run = Config(dataset=config("images"))
    run.compute.workers = 1
    workspace, summary = ingest.ingest(run, tmp_path / "work")
    assert (summary.added, summary.missing, summary.unused, summary.frames) == (2, 1, 1, 2)
    assert workspace.card.taxonomy.classes == ("car",)


def test_videos_have_the_boxes_of_their_frames(fo: Any, tmp_path: Path):
    for name in ("one", "two"):
        write_video(tmp_path / "in" / f"{name}.mp4", 8)
    dataset = fo.Dataset("videos")
    for name in ("one", "two"):
        sample = fo.Sample(filepath=str(tmp_path / "in" / f"{name}.mp4"), trip="t1")
        for number in range(1, 8):  # FiftyOne counts from 1; the last frame is not labelled
            car = fo.Detection(label="car", bounding_box=[number / 64, 0, 0.25, 0.5], index=1)
            sample.frames[number] = fo.Frame(
                detections=fo.Detections(detections=[car] if number != 3 else [])
            )
        sample.frames[8] = fo.Frame()
        dataset.add_sample(sample)
    dataset.set_values("metadata", {dataset.last().id: fo.VideoMetadata(frame_rate=5.0)}, key_field="id")
    adapter, clips, strays = opened("videos", drive="trip")
    assert (list(clips), strays) == (["one", "two"], [])
    clip = clips["one"]
    assert (clip.drive_id, clip.fps, clip.files) == ("t1", 4.0, ("one.mp4",))
    assert clips["two"].fps == 5.0  # as FiftyOne has it
    assert adapter.class_names() == ["car"]
    assert boxes(read(adapter, clip, 0, (HEIGHT, WIDTH))) == [("car", 1, 0, 17, 24)]
    assert boxes(read(adapter, clip, 2, (HEIGHT, WIDTH))) == []
    assert read(adapter, clip, 7, (HEIGHT, WIDTH)) is None
    run = Config(dataset=config("videos"))
    run.compute.workers = 1
    workspace, summary = ingest.ingest(run, tmp_path / "work")
    assert (summary.clips, summary.frames) == (2, 8)
    rows = workspace.lake.read("oracle").to_pylist()
    assert [row["xyxy"][:1] for row in rows[:4]] == [[1], [], [5], [7]]


def test_cameras_are_chosen_by_name(fo: Any, tmp_path: Path):
    image_dataset(fo, tmp_path)
    settings = config("images", camera="weather")
    settings.cameras = ["clear"]
    found = list(FiftyOneDataset(media_root(settings), settings).recordings())
    assert [item.camera for item in found if isinstance(item, Recording)] == ["clear"]
    assert {item.reason for item in found if isinstance(item, Outcome)} == {
        "camera 'rain' is not among dataset.cameras"
    }


def test_a_dataset_can_be_read_without_labels_and_as_part_of_a_mix(fo: Any, tmp_path: Path):
    image_dataset(fo, tmp_path / "in")
    adapter, clips, _ = opened("images", labels="none")
    assert adapter.labels(clips["a"]) is None
    assert list(adapter.class_names()) == []
    mixed = DatasetConfig(name="mixed", parts=[PartConfig(name="fiftyone", fields={"dataset": "images"})])
    run = Config(dataset=mixed)
    run.compute.workers = 1
    workspace, summary = ingest.ingest(run, tmp_path / "work")
    assert workspace.card.taxonomy.classes == ("car",)
    assert summary.frames == 4


def test_fields_that_are_not_there_are_told_with_those_that_are(fo: Any, tmp_path: Path):
    dataset = image_dataset(fo, tmp_path)
    for fields, message in {
        (
            "drive",
            "trip",
        ): r"dataset\.fields\.drive=trip: images has no such field; it has id, filepath, tags",
        ("conditions", "fog"): r"dataset\.fields\.conditions=fog: images has no such field",
        (
            "labels",
            "weather",
        ): r"fields\.labels=weather: .* no such field of type Detections; it has ground_truth",
        ("scene", "x"): r"dataset\.fields\.scene: no such field; choose from dataset, split, labels",
        ("fps", "-1"): r"dataset\.fields\.fps=-1 must be a number above 0",
    }.items():
        with pytest.raises(ConfigError, match=message):
            opened("images", **dict([fields]))
    dataset.rename_sample_field("ground_truth", "boxes")
    assert len(opened("images")[1]) == 2  # the only field of boxes
    dataset.clone_sample_field("boxes", "more")
    with pytest.raises(ConfigError, match="of type Detections it has boxes, more"):
        opened("images")
    dataset.delete_sample_fields(["boxes", "more"])
    with pytest.raises(ConfigError, match=r"it has none .*give dataset\.fields\.labels=FIELD, or none"):
        opened("images")


def test_datasets_that_cannot_be_read_are_one_line(fo: Any, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"dataset=fiftyone needs dataset\.fields\.dataset=NAME"):
        media_root(DatasetConfig(name="fiftyone"))
    fo.Dataset("mine")
    with pytest.raises(
        ConfigError, match=r"fields\.dataset=yours: .* no such dataset \(it has mine\), and the Dataset"
    ):
        media_root(config("yours"))
    with pytest.raises(InputError, match="mine holds no samples"):
        media_root(config("mine"))
    write_images(tmp_path, ["a.png", "b.png"])
    grouped = fo.Dataset("grouped")
    grouped.add_group_field("group", default="left")
    group = fo.Group()
    grouped.add_samples(
        [
            fo.Sample(filepath=str(tmp_path / "a.png"), group=group.element("left")),
            fo.Sample(filepath=str(tmp_path / "b.png"), group=group.element("right")),
        ]
    )
    with pytest.raises(
        InputError, match=r"media of type group is not read: clone one of its slices \(left, right\)"
    ):
        opened("grouped")


def test_a_zoo_dataset_is_loaded_once_and_a_failure_is_one_line(fo: Any, tmp_path: Path, monkeypatch):
    zoo = reader("fiftyone.zoo.datasets")
    calls = []

    def load(name: str, **settings: Any) -> Any:
        calls.append((name, settings))
        write_images(tmp_path, ["x/a.png"])
        dataset = fo.Dataset(settings["dataset_name"])
        dataset.add_sample(fo.Sample(filepath=str(tmp_path / "x/a.png"), ground_truth=fo.Detections()))
        return dataset

    monkeypatch.setattr(zoo, "load_zoo_dataset", load)
    assert len(opened("quickstart", split="validation")[1]) == 1
    assert len(opened("quickstart", split="validation")[1]) == 1
    assert calls == [
        ("quickstart", {"split": "validation", "dataset_name": "quickstart-validation", "progress": False})
    ]

    def offline(*_: Any, **__: Any) -> None:
        raise OSError("Network is unreachable\nat a host")

    monkeypatch.setattr(zoo, "load_zoo_dataset", offline)
    with pytest.raises(
        InputError, match=r"could not load it \(Network is unreachable\); go online"
    ) as caught:
        media_root(config("quickstart-video"))
    assert "\n" not in str(caught.value)


def test_zoo_datasets_with_a_card_here_take_its_classes_and_licence():
    own, kitti = card_of(config("kitti")), cards.load("kitti")
    assert (own.name, own.taxonomy, own.licence_kind) == ("fiftyone", kitti.taxonomy, kitti.licence_kind)
    assert card_of(config("quickstart")).taxonomy.classes == ()


def test_a_database_that_is_gone_is_one_line(fo: Any, monkeypatch):
    from pymongo.errors import ServerSelectionTimeoutError

    def gone(_: str) -> bool:
        raise ServerSelectionTimeoutError("127.0.0.1:1: refused")

    monkeypatch.setattr(fo, "dataset_exists", gone)
    with pytest.raises(ServiceError, match=r"FiftyOne's MongoDB does not answer .*dataengine doctor"):
        source.opened("any")


def test_a_bug_stays_a_bug(fo: Any):
    with pytest.raises(ZeroDivisionError), source.database():
        1 / 0  # noqa: B018
