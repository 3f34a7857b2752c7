"""GPX tracks (1.0 and 1.1): points with a place, a time, and now and then a speed and a course.

Read with expat, which resolves nothing by itself; a file that declares a document type or an entity is
refused, so that a line of text cannot unfold to gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from dataengine.errors import InputError

_POINTS = frozenset({"trkpt", "rtept", "wpt"})
_FIELDS = {"time": "timestamp", "ele": "ele", "speed": "speed_mps", "course": "course"}
"""Elements of a point, and what they are called in ``dashcam.columns``; the standard's speed is in m/s."""

_MAX_TEXT = 100


class _Points:
    """Collects points while expat reads."""

    def __init__(self) -> None:
        self.records: list[dict[str, str]] = []
        self._point: dict[str, str] | None = None
        self._field = ""
        self._text = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name in _POINTS:
            self._point = {"lat": attributes.get("lat", ""), "lon": attributes.get("lon", "")}
        elif self._point is not None and name in _FIELDS:
            self._field, self._text = _FIELDS[name], ""

    def text(self, data: str) -> None:
        if self._field and len(self._text) < _MAX_TEXT:
            self._text += data

    def end(self, tag: str) -> None:
        name = _local(tag)
        if self._point is None:
            return
        if name in _POINTS:
            self.records.append(self._point)
            self._point = None
        elif _FIELDS.get(name) == self._field and self._field:
            self._point.setdefault(self._field, self._text.strip())
            self._field = ""


def gpx_records(data: bytes) -> Iterator[dict[str, str]]:
    """The points of a GPX file in its order.

    Raises:
        InputError: It is no XML, declares a document type, or holds no point.
    """
    points = _Points()
    parser = expat.ParserCreate()
    parser.StartElementHandler = points.start
    parser.EndElementHandler = points.end
    parser.CharacterDataHandler = points.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(f"not GPX ({error})") from error
    if not points.records:
        raise InputError("holds no point of a track")
    yield from points.records


def _refuse(*_declaration: object) -> None:
    raise InputError("declares a document type or an entity, which GPX has no use for")


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]
