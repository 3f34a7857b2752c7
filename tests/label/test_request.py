"""Asking people for labels, and taking their answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataengine import verbs
from dataengine.errors import ConfigError, InputError, LabelsNeededError
from dataengine.label import Oracle, take_answers, unanswered, write_request
from dataengine.workspace import Workspace
from tests.factory import HEIGHT, WIDTH, tiny_workspace
from tests.tiny import tiny_config


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return tiny_workspace(tmp_path / "w", cycles=1)


def coco(path: Path, *, images: Any, annotations: Any = (), names: tuple[str, ...] = ("car", "cone")) -> Path:
    categories = [{"id": 10 + number, "name": name} for number, name in enumerate(names)]
    path.write_text(
        json.dumps({"images": images, "annotations": list(annotations), "categories": categories})
    )
    return path


def test_a_request_holds_the_images_and_an_empty_coco_file(workspace: Workspace) -> None:
    folder = write_request(workspace, ["clip001/000002", "clip000/000001"], "r")
    request = json.loads((folder / "request.json").read_text())
    names = [image["file_name"] for image in request["images"]]
    assert names == ["clip000__000001.jpg", "clip001__000002.jpg"]
    assert [category["name"] for category in request["categories"]] == list(workspace.taxonomy.classes)
    assert request["annotations"] == []
    for name in names:
        stored = workspace.root / "media" / name.replace("__", "/")
        assert (folder / "images" / name).read_bytes() == stored.read_bytes()
        (folder / "images" / name).write_bytes(b"turned by a tool")
        assert stored.read_bytes() != b"turned by a tool"


def test_answers_replace_what_was_known_and_the_same_file_adds_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = coco(
        tmp_path / "answers.json",
        images=[
            {"id": 1, "file_name": "clip000__000001.jpg", "width": WIDTH, "height": HEIGHT},
            {"id": 2, "file_name": "0a1b2c3d-clip001__000002.jpg"},  # as Label Studio names it
        ],
        annotations=[
            {"image_id": 1, "category_id": 11, "bbox": [10, 20, 30, 15], "iscrowd": 0},
            {"image_id": 1, "category_id": 10, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        ],
    )
    assert take_answers(workspace, path) == 2
    assert take_answers(workspace, path) == 0
    found = Oracle(workspace.lake).label(["clip001/000002", "clip000/000001"])
    assert found.counts.tolist() == [0, 2]  # listed without a box: looked at, and empty
    assert found.xyxy.tolist() == [[10, 20, 40, 35], [0, 0, 9, 9]]
    assert [workspace.taxonomy.classes[number] for number in found.class_id] == ["cone", "car"]
    assert found.ignore.tolist() == [False, True]


def test_frames_without_labels_are_told_apart(workspace: Workspace) -> None:
    assert unanswered(workspace, ["nobody/000000", "clip000/000000"]) == ["nobody/000000"]


IMAGE = {"id": 1, "file_name": "clip000__000001.jpg"}
BAD = [
    # what is wrong, what the one line says
    ({"images": [{"id": 1, "file_name": "holiday.jpg"}]}, "holiday.jpg is no frame of this workspace"),
    ({"images": [{**IMAGE, "width": 2 * WIDTH, "height": HEIGHT}]}, "without scaling"),
    ({"images": []}, "lists no image"),
    (
        {"images": [IMAGE], "annotations": [{"image_id": 7, "category_id": 10, "bbox": [0, 0, 5, 5]}]},
        "image 7",
    ),
    ({"images": [IMAGE], "annotations": [{"image_id": 1, "category_id": 99, "bbox": [0, 0, 5, 5]}]}, "COCO"),
    ({"images": [IMAGE], "annotations": [{"image_id": 1, "category_id": 10, "bbox": [0, 0, 0, 5]}]}, "empty"),
    ({"images": [IMAGE], "annotations": [{"image_id": 1, "category_id": 10, "bbox": [0, 5]}]}, "COCO"),
    ({"images": "no list"}, "not a COCO file"),
]


@pytest.mark.parametrize(("content", "said"), BAD)
def test_a_file_that_cannot_be_is_one_line_and_nothing_is_taken(
    workspace: Workspace, tmp_path: Path, content: dict[str, Any], said: str
) -> None:
    path = coco(tmp_path / "bad.json", **content)
    with pytest.raises(InputError, match=said) as caught:
        take_answers(workspace, path)
    assert "\n" not in str(caught.value)
    assert not workspace.lake.parts("answers")


@pytest.mark.parametrize("text", ["", "{", "[" * 20_000, "\x00", "null", "[]"])
def test_a_file_that_is_no_json_is_one_line(workspace: Workspace, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match="not a COCO file"):
        take_answers(workspace, tmp_path / "bad.json")


def test_a_class_that_nobody_mapped_is_one_line(workspace: Workspace, tmp_path: Path) -> None:
    path = coco(
        tmp_path / "a.json",
        images=[IMAGE],
        annotations=[{"image_id": 1, "category_id": 10, "bbox": [0, 0, 5, 5]}],
        names=("tram",),
    )
    with pytest.raises(ConfigError, match=r'class "tram" is in no class map'):
        take_answers(workspace, path)


def test_the_loop_waits_for_labels_and_goes_on_with_them(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "w")
    config.loop.baseline = None
    workspace = verbs.ingest(config)
    for part in workspace.lake.parts("oracle"):
        truth = part.read_bytes()
        part.unlink()
    with pytest.raises(LabelsNeededError, match="label=request"):
        verbs.cycle(config)
    config.label.name, config.label.judged_frames = "request", 4
    answered = tmp_path / "answers.json"
    for cycle in range(config.loop.cycles):
        with pytest.raises(LabelsNeededError, match=r"draw car, truck, .* dataset\.labels=PATH"):
            verbs.cycle(config)
        (folder,) = (workspace.root / "to_label").glob(f"*-cycle{cycle}")
        request = json.loads((folder / "request.json").read_text())
        drawn = [
            {"image_id": image["id"], "category_id": 1, "bbox": [5, 5, 20, 20]} for image in request["images"]
        ]
        answered.write_text(json.dumps({**request, "annotations": drawn}))
        config.dataset.labels = str(answered)
        asked = 10 + 3 * 4 if cycle == 0 else 6
        assert len(request["images"]) == asked
    (run,) = verbs.cycle(config)
    assert run.completed_cycles() == [0, 1]
    assert truth  # the fleet's own labels were there, and were not used
    judged = {
        row["value"] for row in run.metrics() if row["metric"] == "num_frames" and row["slice"] == "all"
    }
    assert judged == {4.0}
