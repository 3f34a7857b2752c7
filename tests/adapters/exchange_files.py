"""Small datasets in the exchange formats, written as tools write them; images are 48 wide and 36 high."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataengine.adapters.base import Adapter, Recording, files_under
from dataengine.adapters.labels import FrameLabels
from dataengine.quarantine import Outcome
from tests.adapters.recordings import street, write_image

WIDTH, HEIGHT = 48, 36
Box = tuple[str, float, float, float, float]
"""Class, x1, y1, x2, y2 in pixels."""


def write_images(root: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        write_image(root / name, street(number))


def voc_xml(boxes: Sequence[Box], *, size: tuple[int, int] = (WIDTH, HEIGHT), more: str = "") -> str:
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax>"
        f"<ymax>{y2}</ymax></bndbox>{more}</object>"
        for name, x1, y1, x2, y2 in boxes
    )
    return (
        f"<annotation><filename>x.png</filename><size><width>{size[0]}</width><height>{size[1]}</height>"
        f"<depth>3</depth></size>{objects}</annotation>"
    )


def write_voc(root: Path, labels: Mapping[str, Sequence[Box]]) -> None:
    """``JPEGImages/<name>.png`` and ``Annotations/<name>.xml``."""
    write_images(root, [f"JPEGImages/{name}.png" for name in labels])
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    for name, boxes in labels.items():
        (root / "Annotations" / f"{name}.xml").write_text(voc_xml(boxes))


def yolo_line(index: int, x1: float, y1: float, x2: float, y2: float) -> str:
    values = ((x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT)
    return " ".join([str(index), *(f"{value:.8f}" for value in values)]) + "\n"


def write_yolo(
    root: Path, texts: Mapping[str, str | None], *, about: Mapping[str, Any] | None = None
) -> None:
    """``images/<name>.png``, ``labels/<name>.txt`` (none for ``None``) and ``dataset.yaml``."""
    write_images(root, [f"images/{name}.png" for name in texts])
    for name, text in texts.items():
        path = root / "labels" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
    if about is not None:
        (root / "dataset.yaml").write_text(json.dumps(about))  # JSON is YAML


def coco(
    images: Mapping[int, str], annotations: Sequence[Mapping[str, Any]], categories: Mapping[int, str]
) -> dict[str, Any]:
    return {
        "images": [
            {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
            for number, name in images.items()
        ],
        "annotations": [{"id": number, **value} for number, value in enumerate(annotations)],
        "categories": [{"id": number, "name": name} for number, name in categories.items()],
    }


def write_coco(root: Path, value: Any, name: str = "labels.json") -> None:
    """The images below ``data/`` and the labels."""
    write_images(root, [f"data/{image['file_name']}" for image in value["images"]])
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(value))


def cvat_images(images: Mapping[str, str], labels: Sequence[str] = ("car", "person")) -> str:
    """A task of images: file name -> its shapes as XML."""
    defined = "".join(f"<label><name>{name}</name><attributes/></label>" for name in labels)
    elements = "".join(
        f'<image id="{number}" name="{name}" width="{WIDTH}" height="{HEIGHT}">{shapes}</image>'
        for number, (name, shapes) in enumerate(images.items())
    )
    meta = f"<meta><task><labels>{defined}</labels></task></meta>"
    return f"<annotations><version>1.1</version>{meta}{elements}</annotations>"


def cvat_box(label: str, x1: float, y1: float, x2: float, y2: float, **more: Any) -> str:
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<box label="{label}" xtl="{x1}" ytl="{y1}" xbr="{x2}" ybr="{y2}"{extra}></box>'


def cvat_tracks(tracks: Mapping[str, Sequence[str]], *, size: tuple[int, int], task: str = "") -> str:
    """A task of one video: label -> its boxes as XML."""
    elements = "".join(
        f'<track id="{number}" label="{label}">{"".join(boxes)}</track>'
        for number, (label, boxes) in enumerate(tracks.items())
    )
    about = f"<original_size><width>{size[0]}</width><height>{size[1]}</height></original_size>{task}"
    return f"<annotations><version>1.1</version><meta><task>{about}</task></meta>{elements}</annotations>"


def listed(adapter: Adapter) -> tuple[dict[str, Recording], dict[str, Outcome]]:
    """Recordings by clip id and outcomes by path; every file on disk is in exactly one of them."""
    found = list(adapter.recordings())
    clips = {item.clip_id: item for item in found if isinstance(item, Recording)}
    strays = {item.path: item for item in found if isinstance(item, Outcome)}
    assert len(clips) + len(strays) == len(found)
    own = [name for clip in clips.values() for name in clip.files]
    shared = {name for clip in clips.values() for name in clip.shared}
    there = [path for path, outcome in strays.items() if outcome.status != "missing"]
    assert sorted([*own, *shared, *there]) == sorted(files_under(adapter.root))
    return clips, strays


def read(
    adapter: Adapter, clip: Recording, number: int, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> FrameLabels | None:
    """The labels of one frame, as a worker reads them."""
    import pickle

    there = pickle.loads(pickle.dumps((adapter, clip)))
    reader = there[0].labels(there[1])
    assert reader is not None
    return reader(number, size)


def boxes(labels: FrameLabels | None) -> list[tuple[Any, ...]]:
    """Labels as rows of class and rounded corners."""
    assert labels is not None
    rows = zip(labels.names, labels.xyxy.tolist(), strict=True)
    return [(name, *(round(value, 2) for value in box)) for name, box in rows]
