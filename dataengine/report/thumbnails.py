"""Small pictures inside the page: reduced JPEGs as data URIs, boxes drawn over them as vectors."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from dataengine.errors import InputError
from dataengine.images import read_image
from dataengine.report.html import Markup, el

LONG_SIDE = 320
JPEG_QUALITY = 74


@dataclass(frozen=True, slots=True)
class Drawn:
    """One box over a picture.

    Attributes:
        xyxy: Corners in pixels of the original image.
        style: ``plain`` (thin), ``rare`` (thick) or ``mistake`` (thick, broken).
        title: What it is, shown by the pointer.
    """

    xyxy: Sequence[float]
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame to show: where its image is, its size in pixels, and the boxes over it."""

    path: Path
    width: int
    height: int
    boxes: tuple[Drawn, ...]


def thumbnail(picture: Picture, words: str, caption: Any) -> Markup:
    """A figure of one frame.

    Args:
        picture: Image and boxes.
        words: What a screen reader says.
        caption: What stands below.
    """
    source = data_uri(picture.path)
    if source is None:
        image = el("div", "image not readable", class_="gone", role="img", aria_label=words)
    else:
        image = Markup(
            el("img", src=source, alt=words, width=picture.width, height=picture.height) + _overlay(picture)
        )
    return el("figure", el("div", image, class_="shot"), el("figcaption", caption), class_="thumb")


@lru_cache(maxsize=256)
def data_uri(path: Path) -> str | None:
    """A reduced JPEG of an image file as a data URI; ``None`` where the image cannot be read."""
    try:
        rgb = read_image(path)
    except (InputError, OSError):
        return None
    height, width = rgb.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}" if done else None


def _overlay(picture: Picture) -> Markup:
    return el(
        "svg",
        [_rectangle(box) for box in picture.boxes],
        viewBox=f"0 0 {picture.width} {picture.height}",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _rectangle(box: Drawn) -> Markup:
    """A box with a dark edge below a bright one, so that it shows on any ground."""
    x1, y1, x2, y2 = (float(value) for value in box.xyxy)
    place = {"x": f"{x1:.1f}", "y": f"{y1:.1f}", "width": f"{x2 - x1:.1f}", "height": f"{y2 - y1:.1f}"}
    edge = el("rect", **place, class_="edge")
    return Markup(edge + el("rect", el("title", box.title), **place, class_=f"box {box.style}"))
