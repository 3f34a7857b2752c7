"""Cityscapes: damaged instance ids, polygons and vehicle data."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.adapters.base import BrokenFileError
from dataengine.adapters.labels import check
from tests.adapters.cityscapes_streets import (
    CLIP,
    HEIGHT,
    OBJECTS,
    ONE,
    SIZE,
    WIDTH,
    add_ids,
    add_image,
    add_polygons,
    add_vehicle,
    instance_ids,
    opened,
    read_one,
    stem,
)
from tests.adapters.mutations import mutated

BAD_JSON = [b"", b"{", b"[1]", b'{"speed": "fast"}', b'{"speed": []}', b"\xff\xfe", b"[" * 100_000, b"null"]


@pytest.mark.parametrize("data", BAD_JSON, ids=range(len(BAD_JSON)))
def test_damaged_json_is_one_line_that_names_its_file(tmp_path: Path, data: bytes):
    add_image(tmp_path, ONE)
    add_polygons(tmp_path, ONE).write_bytes(data)
    add_vehicle(tmp_path, ONE).write_bytes(data)
    adapter, clips, _ = opened(tmp_path)
    with pytest.raises(BrokenFileError, match=rf"^vehicle/{ONE}_vehicle.json: "):
        adapter.telemetry(clips[CLIP])
    with pytest.raises(BrokenFileError, match=rf"^gtFine/{ONE}_gtFine_polygons.json: "):
        adapter.labels(clips[CLIP])(19, SIZE)


BAD_POLYGONS = {
    "another size": {"imgWidth": 65},
    "an unknown label": {"objects": [{"label": "spaceship", "polygon": [[1, 1], [2, 2], [3, 1]]}]},
    "an unknown group": {"objects": [{"label": "spaceshipgroup", "polygon": [[1, 1], [2, 2], [3, 1]]}]},
    "a corner that is NaN": {"objects": [{"label": "car", "polygon": [[float("nan"), 1], [2, 2], [3, 1]]}]},
    "a corner of three": {"objects": [{"label": "car", "polygon": [[1, 1, 1], [2, 2, 2], [3, 1, 1]]}]},
    "a list for a label": {"objects": [{"label": ["car"], "polygon": [[1, 1]]}]},
    "no objects": {"objects": None},
    "an object of text": {"objects": ["car"]},
    "a size of text": {"imgHeight": "tall"},
}


@pytest.mark.parametrize("kind", BAD_POLYGONS)
def test_impossible_polygons_condemn_their_frame(tmp_path: Path, kind: str):
    add_image(tmp_path, ONE)
    add_polygons(tmp_path, ONE, **BAD_POLYGONS[kind])
    with pytest.raises(BrokenFileError, match=rf"^gtFine/{ONE}_gtFine_polygons.json: ") as caught:
        read_one(tmp_path)
    assert "\n" not in str(caught.value)


def test_corners_far_outside_are_drawn_as_far_as_the_image_goes(tmp_path: Path):
    add_image(tmp_path, ONE)
    far = [[1e300, -1e300], [1e300, 1e300], [32, 24]]
    add_polygons(tmp_path, ONE, objects=[*OBJECTS[:1], {"label": "bus", "polygon": far}])
    assert read_one(tmp_path).xyxy[0, [0, 2]].tolist() == [32, 64]


def header_of(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBB", 13, b"IHDR", width, height, 16, 0)
        + b"\0" * 50
        + b"IEND"
    )


def encoded(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


WHOLE = encoded(instance_ids())
BAD_IDS = {
    "empty": (b"", "empty file"),
    "text": (b"not an image at all, though long enough", "no PNG"),
    "cut short": (WHOLE[: len(WHOLE) * 2 // 3], "cut short"),
    "of 8 bits": (encoded(instance_ids().astype(np.uint8)), "grey PNG of 16 bits"),
    "of three channels": (encoded(np.zeros((*SIZE, 3), np.uint16)), "grey PNG of 16 bits"),
    "of another size": (encoded(instance_ids()[:-1]), "instance ids of 64x47 for an image of 64x48"),
    "a huge header": (header_of(2**31 - 1, 2**31 - 1), "instance ids of 2147483647x2147483647"),
    "a header alone": (header_of(WIDTH, HEIGHT), "not a readable image"),
    "an id of no class": (encoded(np.full(SIZE, 50_000, np.uint16)), "instance id 50000 is of no class"),
    "road with numbers": (encoded(np.full(SIZE, 7001, np.uint16)), "instance id 7001 is of no class"),
}


@pytest.mark.parametrize("kind", BAD_IDS)
def test_ids_that_cannot_be_used_condemn_their_frame(tmp_path: Path, kind: str):
    data, reason = BAD_IDS[kind]
    add_image(tmp_path, ONE)
    add_ids(tmp_path, ONE).write_bytes(data)
    with pytest.raises(BrokenFileError, match=rf"^gtFine/{ONE}_gtFine_instanceIds.png: .*{reason}"):
        read_one(tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_ends_in_a_traceback(tmp_path: Path, seed: int):
    paths = [add_ids(tmp_path, ONE), add_polygons(tmp_path, stem(0, 20)), add_vehicle(tmp_path, ONE)]
    for frame in (19, 20):
        add_image(tmp_path, stem(0, frame))
    rng = random.Random(seed)
    for _ in range(40):
        path = rng.choice(paths)
        whole = path.read_bytes()
        path.write_bytes(mutated(whole, rng))
        adapter, clips, _ = opened(tmp_path)
        read = adapter.labels(clips[CLIP])
        for number in (19, 20):
            with suppress(BrokenFileError):
                check(read(number, SIZE), SIZE)
        with suppress(BrokenFileError):
            adapter.telemetry(clips[CLIP])
        path.write_bytes(whole)
