"""CVAT 1.1: one XML file for the images of a task, or one for each video.

``labels.xml`` beside ``data/`` (FiftyOne), ``annotations.xml`` beside ``images/`` (CVAT's own export), or
``labels/x.xml`` with ``<track>`` elements beside ``data/x.mp4``, or, as CVAT exports the frames of a video,
``annotations.xml`` beside ``images/frame_000000.PNG`` and so on. Boxes, polygons and masks become boxes;
tags, polylines and points are no objects. An occluded object counts as half visible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from dataengine.adapters.base import BrokenFileError, LabelReader, Recording, safe_id
from dataengine.adapters.exchange.base import Exchange, Listing
from dataengine.adapters.exchange.cvat_shapes import Tracks, image_labels
from dataengine.adapters.exchange.layout import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    Entry,
    Lookup,
    pair_key,
    pairs,
    suffix,
)
from dataengine.adapters.exchange.reading import (
    DAMAGE,
    as_list,
    damage_of,
    read_xml,
    reader,
    told,
    video_rate,
)
from dataengine.adapters.labels import FrameLabels
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.quarantine import Outcome


class Cvat(Exchange):
    """CVAT for images 1.1 and CVAT for video 1.1; ``fields.labels`` names the XML files."""

    options = ("labels",)

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        super().__init__(root, config)
        self._last: tuple[str, Tracks | BrokenFileError] = ("", BrokenFileError("", ""))

    def __getstate__(self) -> dict[str, Any]:
        """Cross to a worker without tracks."""
        return {**super().__getstate__(), "_last": ("", BrokenFileError("", ""))}

    def class_names(self) -> Iterator[str]:
        """Names of the labels that the XML files define, and of those they use."""
        seen: dict[str, None] = {}
        for value in self._documents[0].values():
            seen |= dict.fromkeys(_defined(value))
            for element in (*as_list(value.get("track")), *_shapes(value)):
                label = element.get("@label") if isinstance(element, dict) else None
                seen |= {label: None} if isinstance(label, str) else {}
        yield from seen

    def listing(self, files: list[str]) -> Listing:
        """Images that the XML files list, those that none lists, and videos."""
        documents, outcomes = self._documents
        images = [name for name in files if suffix(name) in IMAGE_SUFFIXES]
        videos = [name for name in files if suffix(name) in VIDEO_SUFFIXES]
        if not documents or not (images or videos):
            reasons = "; ".join(f"{outcome.path}: {outcome.reason}" for outcome in outcomes[:1])
            raise InputError(
                f"dataset.root={self.root} holds no CVAT labels ({reasons or 'no XML file, or no media'}); "
                "looked for annotations.xml or labels.xml with images, and for labels/x.xml with data/x.mp4"
            )
        listing = Listing(outcomes=list(outcomes), why_unused=lambda _: "neither media nor labels of CVAT")
        lookup, taken = Lookup(images), set[str]()
        for name, value in documents.items():
            if value.get("image") is not None:
                self._list(name, value, lookup, taken, listing)
        numbered = self._numbered(documents, [image for image in images if image not in taken], videos)
        listing.entries += [
            Entry(image=image, key=numbered.get(image)) for image in images if image not in taken
        ]
        of_frames = {name for name, _ in numbered.values()}
        listing.outcomes += [Outcome(path=name, status="added") for name in sorted(of_frames)]
        tables = [name for name, value in documents.items() if value.get("image") is None]
        self._pair_videos(videos, [name for name in tables if name not in of_frames], listing)
        return listing

    def inline(self, entry: Entry) -> tuple[FrameLabels | None, tuple[int, int] | None]:
        """Objects of one ``<image>``, or of the tracks at the frame that an image's number says."""
        name, number = entry.key
        elements = self._documents[0][name].get("image")
        if elements is None:
            tracks = self._tracks(name)
            return tracks.at(number, (tracks.size or (0, 0))[::-1]), tracks.size
        try:
            return image_labels(as_list(elements)[number])
        except DAMAGE as error:
            raise InputError(f"its labels in {name} are damaged ({told(error)})") from error

    def labels(self, recording: Recording) -> LabelReader | None:
        """Tracks of a video, or what was read while listing."""
        if recording.stills:
            return super().labels(recording)
        if len(recording.files) < 2:
            return None
        return self._tracks(recording.files[1]).at

    @cached_property
    def _documents(self) -> tuple[dict[str, dict[str, Any]], list[Outcome]]:
        """Every XML file of CVAT, and the outcome of each that is none."""
        wanted = self.named_files()
        documents, outcomes = dict[str, dict[str, Any]](), []
        for name in wanted or (name for name in self.files if suffix(name) == ".xml"):
            try:
                documents[name] = _without_shapes_of_tracks(self._read(name))
            except BrokenFileError as error:
                if wanted:
                    raise
                outcomes.append(Outcome(path=name, status="broken", reason=error.reason))
        return documents, outcomes

    def _tracks(self, name: str) -> Tracks:
        """The tracks of an XML file, the last one kept; ``BrokenFileError`` if they cannot be used."""
        if name != self._last[0]:
            try:
                value = self._read(name)
                with damage_of(name):
                    self._last = (name, Tracks.parse(value))
            except BrokenFileError as error:
                self._last = (name, error)
        if isinstance(self._last[1], Tracks):
            return self._last[1]
        raise BrokenFileError(name, self._last[1].reason)

    def _numbered(
        self, documents: dict[str, dict[str, Any]], images: list[str], videos: list[str]
    ) -> dict[str, tuple[str, int]]:
        """XML file and number of images that are frames of a video, as CVAT exports them beside tracks."""
        beside = {_folder(video) for video in videos}
        folders: dict[str, list[str]] = defaultdict(list)
        for image in images:
            folders[_folder(image)].append(image)
        found = {}
        for name, value in documents.items():
            if value.get("track") and value.get("image") is None and _folder(name) not in beside:
                for image in folders.pop(_folder(name), []):
                    place = self.fields.place(image)
                    if place is not None and place.number is not None:
                        found[image] = (name, place.number)
        return found

    def _read(self, name: str) -> dict[str, Any]:
        value = read_xml(self.root, name).get("annotations")
        if not isinstance(value, dict):
            raise BrokenFileError(name, "has no <annotations> of CVAT")
        return value

    def _list(
        self, name: str, value: dict[str, Any], lookup: Lookup, taken: set[str], listing: Listing
    ) -> None:
        odd = 0
        for number, element in enumerate(as_list(value["image"])):
            listed = element.get("@name") if isinstance(element, dict) else None
            if not isinstance(listed, str) or not listed:
                odd += 1
                continue
            subset = element.get("@subset")
            image = (lookup.find(f"{subset}/{listed}") if subset else None) or lookup.find(listed)
            if image is None:
                reason = f"{name} lists it; there is none, or more than one file of that name"
                listing.outcomes.append(Outcome(path=listed.lstrip("/"), status="missing", reason=reason))
            elif image in taken:
                odd += 1
            else:
                taken.add(image)
                listing.entries.append(Entry(image=image, key=(name, number)))
        reason = f"{odd} images without a name or listed twice: left out" if odd else ""
        listing.outcomes.append(Outcome(path=name, status="broken" if odd else "added", reason=reason))

    def _pair_videos(self, videos: list[str], tables: list[str], listing: Listing) -> None:
        matched = pairs(videos, tables)
        listing.outcomes += matched.outcomes
        lone = matched.without_image
        for video, table in matched.pairs:
            # one task exported beside its one video: annotations.xml has no name in common with it
            own = table or (lone.pop() if len(videos) == len(lone) == 1 else "")
            listing.videos.append(self._video(video, own))
        listing.outcomes += [
            Outcome(path=name, status="unused", reason="no video of its name, and it lists no images")
            for name in lone
        ]

    def _video(self, video: str, table: str) -> Recording:
        place = self.fields.place(video)
        drive = place.drive if place is not None and "drive" in self.fields.patterns else pair_key(video)
        return Recording(
            clip_id=safe_id(pair_key(video).replace("/", ".")),
            drive_id=safe_id(drive.replace("/", ".")),
            camera=place.camera if place is not None else "",
            fps=video_rate(self.root / video),
            source=video,
            files=(video, table) if table else (video,),
        )


def _folder(path: str) -> str:
    """The folder of images, videos or labels, but for the part of its name that tells these apart."""
    return str(PurePosixPath(pair_key(path)).parent)


def _without_shapes_of_tracks(value: dict[str, Any]) -> dict[str, Any]:
    """What listing needs of a document: those of videos are read again by the worker that needs them."""
    tracks = [element for element in as_list(value.get("track")) if isinstance(element, dict)]
    return {**value, "track": [{"@label": element.get("@label")} for element in tracks]}


def _defined(value: dict[str, Any]) -> Iterator[str]:
    """Labels that the ``<meta>`` of a task, a project or a job defines, by FiftyOne's reader."""
    cvat = reader("fiftyone.utils.cvat")
    meta = value.get("meta")
    for kind in ("project", "task", "job"):
        try:
            labels = meta[kind]["labels"]  # type: ignore[index]  # damage is what is tried here
            yield from (str(label["name"]) for label in cvat.CVATTaskLabels.from_labels_dict(labels).labels)
        except DAMAGE:
            continue


def _shapes(value: dict[str, Any]) -> Iterator[Any]:
    for image in as_list(value.get("image")):
        if isinstance(image, dict):
            for kind in ("box", "polygon", "mask"):
                yield from as_list(image.get(kind))
