"""Three kinds of recordings, shared files, frames that nobody labelled: what a format may ask for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataengine import cards
from dataengine.adapters.base import Adapter, BrokenFileError, Encoded, LabelReader, Recording, Still
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.telemetry import Between, Signal, Telemetry
from dataengine.config import Config, DatasetConfig, IngestConfig
from dataengine.errors import ConfigError, WorkspaceError
from dataengine.ingest import IngestSummary, ingest
from dataengine.quarantine import Outcome
from dataengine.workspace import Workspace, read_jsonl


def one_box(name: str = "car", x: float = 1) -> FrameLabels:
    return FrameLabels(
        xyxy=np.array([[x, 2, x + 10, 12]], np.float32),
        names=(name,),
        ignore=np.zeros(1, np.bool_),
        visibility=np.ones(1, np.float32),
        track_id=np.full(1, 5, np.int32),
    )


def picture(seed: int, suffix: str = ".jpg") -> bytes:
    image = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)
    return bytes(cv2.imencode(suffix, image)[1])


class Fake(Adapter):
    """Two episodes packed in one file, and a folder of images; made on disk by ``write``."""

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        return {}

    def class_names(self) -> Iterable[str]:
        path = self.root / "names.txt"
        return path.read_text().split() if path.exists() else ()

    def recordings(self) -> Iterator[Recording | Outcome]:
        logs = ("broken.csv",) if (self.root / "broken.csv").exists() else ()
        for episode in ("a", "b"):
            yield Recording(
                clip_id=episode,
                drive_id=episode,
                fps=10.0,
                source="packed.bin",
                files=(),
                shared=("packed.bin", *logs),
                embedded=True,
            )
        images = sorted(path.relative_to(self.root).as_posix() for path in self.root.glob("images/*"))
        stills = tuple(
            Still(number=n, time_s=n / 10, image=name, conditions={"weather": "rain"} if n else {})
            for n, name in enumerate(images)
        )
        yield Recording(
            clip_id="c",
            drive_id="c",
            fps=10.0,
            source="images",
            files=tuple(images),
            stills=stills,
            conditions={"time_of_day": "day", "weather": "clear"},
        )
        if (self.root / "names.txt").exists():
            yield Outcome(path="names.txt", status="added")

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        if recording.clip_id == "b" and (self.root / "b-is-torn").exists():
            raise BrokenFileError("packed.bin", "its second episode is torn")
        yield Encoded(number=0, time_s=0.0, data=picture(1))
        yield Encoded(number=1, time_s=0.1, data=b"no image")
        yield Encoded(number=2, time_s=0.2, data=picture(2, ".png"))

    def telemetry(self, recording: Recording) -> Telemetry | None:
        if (self.root / "broken.csv").exists():
            raise BrokenFileError("broken.csv", "not a table")
        if recording.clip_id != "a":
            return None
        clock = np.array([0.0, 0.1, 0.2])
        return Telemetry(
            signals={
                "speed_mps": Signal(time_s=clock, values=np.array([1.0, 2.0, 3.0])),
                "action": Signal(time_s=clock, values=np.arange(6.0).reshape(3, 2), between=Between.previous),
            }
        )

    def labels(self, recording: Recording) -> LabelReader | None:
        if recording.clip_id == "b":
            return None
        return lambda number, _size: one_box() if number == 0 else None


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("dataengine.ingest.stage.adapter_for", lambda config, root: Fake(root, config))
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "packed.bin").touch()
    for number in range(2):
        (folder / "images" / f"{number}.jpg").write_bytes(picture(9 + number))
    return folder


def run(root: Path, **dataset: Any) -> tuple[Workspace, IngestSummary]:
    return ingest(config_of(root, **dataset), root.parent / "ws")


def config_of(root: Path, **dataset: Any) -> Config:
    config = Config(
        dataset=DatasetConfig(name="camvid", root=str(root), **dataset), ingest=IngestConfig(fps=None)
    )
    config.compute.workers = 1
    return config


def test_packed_images_are_stored_as_they_are_and_their_file_counts_once(root: Path) -> None:
    workspace, summary = run(root)
    assert (summary.added, summary.num_files, summary.left_out) == (3, 3, 2)
    frames = workspace.frames()
    wanted = ["a/000000", "a/000002", "b/000000", "b/000002", "c/000000", "c/000001"]
    assert frames["frame_id"].to_pylist() == wanted
    paths = workspace.image_paths(frames)
    assert (paths[0].read_bytes(), paths[1].read_bytes()) == (picture(1), picture(2, ".png"))
    assert paths[1].suffix == ".png"
    faults = read_jsonl(workspace.root / "quarantine.jsonl")
    assert [(row["path"], row["status"]) for row in faults] == [("packed.bin#000001", "broken")]


def test_packed_images_that_nobody_labelled_are_sampled(root: Path) -> None:
    config = config_of(root)
    config.ingest.fps = 2
    workspace, _ = ingest(config, root.parent / "ws")
    assert workspace.frames()["frame_id"].to_pylist()[:3] == ["a/000000", "a/000002", "b/000000"]


def test_a_shared_file_is_added_if_any_recording_could_use_it(root: Path) -> None:
    (root / "b-is-torn").touch()
    workspace, summary = run(root)
    assert summary.added == 3
    assert set(workspace.frames()["clip_id"].to_pylist()) == {"a", "c"}


def test_frames_that_nobody_labelled_have_no_row_of_truth(root: Path) -> None:
    workspace, _ = run(root)
    assert workspace.lake.labelled().to_pylist() == ["a/000000", "c/000000"]
    truth = workspace.lake.truth(["b/000000", "c/000000", "a/000000"])
    assert truth.frame_ids.tolist() == ["c/000000", "a/000000"]
    assert truth.track_id.tolist() == [5, 5]


def test_every_frame_carries_its_dataset_licence_and_its_own_conditions(root: Path) -> None:
    rows = {row["frame_id"]: row for row in run(root)[0].frames().to_pylist()}
    assert {(row["dataset"], row["licence"]) for row in rows.values()} == {("camvid", "research_only")}
    assert dict(rows["c/000000"]["conditions"]) == {"time_of_day": "day", "weather": "clear"}
    assert dict(rows["c/000001"]["conditions"]) == {"time_of_day": "day", "weather": "rain"}


def test_telemetry_goes_to_its_columns_and_the_rest_to_its_table(root: Path) -> None:
    workspace, _ = run(root)
    frames = workspace.frames()
    assert frames["speed_mps"].to_pylist() == [1.0, 3.0, None, None, None, None]
    table = workspace.lake.read("telemetry").to_pylist()
    assert [(row["frame_id"], dict(row["signals"])) for row in table] == [
        ("a/000000", {"action": [0.0, 1.0]}),
        ("a/000002", {"action": [4.0, 5.0]}),
    ]


def test_frames_are_kept_where_telemetry_is_broken(root: Path) -> None:
    (root / "broken.csv").touch()
    workspace, summary = run(root)
    assert (summary.frames, summary.added, summary.broken) == (6, 3, 1)
    assert {row["path"] for row in read_jsonl(workspace.root / "quarantine.jsonl")} >= {"broken.csv"}


def test_names_that_are_no_text_are_told_and_the_other_images_used(root: Path) -> None:
    (root / "images" / "\udcff.jpg").write_bytes(picture(3))
    workspace, summary = run(root)
    assert (summary.added, summary.unused) == (3, 1)
    (row,) = [r for r in read_jsonl(workspace.root / "quarantine.jsonl") if r["status"] == "unused"]
    assert row["path"] == r"images/\udcff.jpg"
    assert "UTF-8" in row["reason"]


def test_a_second_run_adds_nothing(root: Path) -> None:
    run(root)
    workspace, summary = run(root)
    assert (summary.present, summary.added, summary.frames) == (3, 0, 0)
    assert len(workspace.lake.parts("frames")) == 1


def test_a_new_image_joins_its_clip(root: Path) -> None:
    run(root)
    (root / "images" / "2.jpg").write_bytes(picture(4))
    workspace, summary = run(root)
    assert (summary.added, summary.present, summary.frames) == (1, 3, 1)
    assert workspace.lake.read("clips")["clip_id"].to_pylist() == ["a", "b", "c"]


def test_classes_without_a_place_in_the_map_are_all_named_before_anything_is_read(root: Path) -> None:
    (root / "names.txt").write_text("car tram hovercraft")
    with pytest.raises(ConfigError, match=r"dataset.class_map=\{\"tram\": ignore, \"hovercraft\": ignore\}"):
        run(root)
    assert not (root.parent / "ws" / "workspace.json").exists()
    workspace, _ = run(root, class_map={"tram": "car", "hovercraft": "ignore"})
    assert workspace.frames().num_rows == 6


def own_card(tmp_path: Path, **extra: Any) -> str:
    lines = [f'{key} = "x"' for key in ("title", "licence", "source", "obtain")]
    lines += [f"{key} = {json.dumps(value)}" for key, value in extra.items()]
    path = tmp_path / "mine.toml"
    path.write_text("\n".join([*lines, "[taxonomy]"]))
    return str(path)


def test_a_card_without_classes_takes_those_that_the_dataset_names(root: Path, tmp_path: Path) -> None:
    (root / "names.txt").write_text("car tram")
    workspace, _ = run(root, card=own_card(tmp_path))
    assert workspace.taxonomy.classes == ("car", "tram")


def test_classes_may_be_named_after_recordings_without_labels_came_in(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fake, "labels", lambda self, recording: None)
    card = own_card(tmp_path)
    workspace, _ = run(root, card=card)
    assert workspace.taxonomy.classes == ()
    workspace, summary = run(root, card=card, classes=["bottle", "hand"])
    assert (workspace.taxonomy.classes, summary.present) == (("bottle", "hand"), 3)
    assert run(root, card=card)[0].taxonomy.classes == ("bottle", "hand")
    with pytest.raises(WorkspaceError, match="other settings"):
        run(root, card=card, classes=["cup"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 1", "not a dataset card"),
        ("[[", "not a dataset card"),
        ('licence_kind = "free beer"', "not a dataset card|none of public_domain"),
    ],
)
def test_a_card_that_is_none_is_one_line(root: Path, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        run(root, card=str(tmp_path / "mine.toml"))
    with pytest.raises(ConfigError, match="cannot be read"):
        run(root, card=str(tmp_path / "absent.toml"))


def test_a_licence_that_is_not_allowed_stops_before_anything_is_read(root: Path) -> None:
    config = config_of(root)
    config.licence.allow = ["permissive", "attribution"]
    with pytest.raises(ConfigError, match=r"camvid is licensed research_only .*forbids"):
        ingest(config, root.parent / "ws")
    config.licence.allow = ["permisive"]
    with pytest.raises(ConfigError, match=r"permisive"):
        ingest(config, root.parent / "ws")
    assert not (root.parent / "ws").exists()


def test_cards_go_through_json_and_back() -> None:
    for name in cards.names():
        card = cards.load(name)
        assert cards.Card.from_json(json.loads(json.dumps(card.to_json()))) == card
