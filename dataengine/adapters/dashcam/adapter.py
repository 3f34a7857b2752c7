"""Dashcam recordings: any tree of video files, with or without telemetry beside them, and no labels.

A file is a clip of one camera. Folders that cameras make (by kind of recording, day, camera) are looked
through; what is left of a path is the vehicle. Its files make drives by time: from their names
(``dashcam.names``), else from the date in their metadata; files without either make a drive a folder.
Files of several cameras that start together share a drive and its clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from dataengine.adapters.base import Adapter, BrokenFileError, Recording, files_under, safe_id
from dataengine.adapters.dashcam.drives import Film, Placed, by_time, without_time_in_name
from dataengine.adapters.dashcam.names import FileName, parse_name, vehicle_of
from dataengine.adapters.dashcam.probe import read_head
from dataengine.adapters.dashcam.sidecars import SUFFIXES, read_sidecar
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import InputError
from dataengine.workspace import Outcome

_SUFFIXES = ".mp4 .mov .mkv .avi .hevc .h265 .265 .h264 .264 .m4v .ts .mts .m2ts .webm .mpg .mpeg .3gp"
VIDEO_SUFFIXES = frozenset(_SUFFIXES.split())


class Dashcam(Adapter):
    """A folder of recordings.

    Args:
        root: The folder.
        config: Which cameras to read (``front``, ``rear``, ``interior``, ``left_repeater``, ...).
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The cameras."""
        return {"cameras": sorted(self.config.cameras)}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Clips by vehicle and drive, then files that are part of none."""
        files = list(files_under(self.root))
        videos = [name for name in files if PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES]
        if not videos:
            raise InputError(f"dataset.root={self.root} holds no video; looked for {_SUFFIXES}")
        refused = {name: reason for name in videos for reason in [self._why_refused(name)] if reason}
        wanted = [name for name in videos if name not in refused]
        sidecars = _Sidecars(files, wanted)
        stems = Counter(_stem(name) for name in videos)
        used: set[str] = set()
        for vehicle in _by_vehicle(wanted):
            broken: list[Outcome] = []
            for placed in self._placed(vehicle, broken):
                name = placed.film.path
                used.add(sidecars.of.get(name, ""))
                yield _recording(placed, sidecars, unique=stems[_stem(name)] == 1)
            yield from broken
        yield from (Outcome(path=name, status="unused", reason=reason) for name, reason in refused.items())
        taken = {*videos, *used}
        for name in files:
            if name not in taken:
                yield Outcome(path=name, status="unused", reason=sidecars.why_unused(name))

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """Signals of the sidecar: ``speed_mps``, ``latitude_deg`` and others; see ``dashcam.columns``."""
        name = next(
            (name for name in (*recording.files, *recording.shared) if name != recording.source), None
        )
        if name is None:
            return None
        try:
            return read_sidecar(self.root / name, self._start(recording.source))
        except InputError as error:
            raise BrokenFileError(name, str(error)) from error

    def _placed(self, videos: list[str], broken: list[Outcome]) -> Iterator[Placed]:
        """One vehicle's videos in their drives; heads are read as late as can be."""
        named = [(name, parse_name(name)) for name in videos]
        timed = sorted((file.start, path, file) for path, file in named if file.start is not None)
        yield from by_time(self._films(((path, file) for _, path, file in timed), broken))
        untimed = ((path, file) for path, file in named if file.start is None)
        yield from without_time_in_name(self._films(untimed, broken))

    def _films(self, named: Iterable[tuple[str, FileName]], broken: list[Outcome]) -> Iterator[Film]:
        for path, name in named:
            try:
                yield Film(path=path, name=name, head=read_head(self.root / path))
            except InputError as error:
                broken.append(Outcome(path=path, status="broken", reason=str(error)))

    def _start(self, video: str) -> datetime | None:
        start = parse_name(video).start
        if start is not None:
            return start
        try:
            return read_head(self.root / video).created
        except InputError:
            return None

    def _why_refused(self, video: str) -> str:
        try:
            video.encode()
        except UnicodeEncodeError:
            return "its name is not UTF-8, which no table can hold; rename it"
        camera = parse_name(video).camera
        if self.config.cameras and camera not in self.config.cameras:
            return f"its camera ({camera or 'unknown'}) is not among dataset.cameras"
        return ""


class _Sidecars:
    """Which sidecar belongs to which videos.

    A sidecar has the name of its video, or the name that the videos of several cameras share.

    Attributes:
        of: The sidecar that is read for a video.
        users: The videos that a sidecar is read for.
    """

    def __init__(self, files: list[str], videos: list[str]) -> None:
        known: dict[str, list[str]] = defaultdict(list)
        for name in files:
            if PurePosixPath(name).suffix.lower() in SUFFIXES:
                known[_stem(name).lower()].append(name)
        self.of: dict[str, str] = {}
        self.users: dict[str, list[str]] = defaultdict(list)
        self._instead: dict[str, str] = {}
        for video in videos:
            base = PurePosixPath(video).with_name(parse_name(video).base or "_").as_posix()
            found = [name for stem in (_stem(video), base) for name in sorted(known[stem.lower()], key=_rank)]
            if found:
                self.of[video] = found[0]
                self.users[found[0]].append(video)
                self._instead |= dict.fromkeys(found[1:], found[0])

    def why_unused(self, name: str) -> str:
        """The reason why a file is part of no recording."""
        if name in self.users:
            return f"{self.users[name][0]} cannot be used"
        if name in self._instead:
            return f"{self._instead[name]} is read instead"
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            return "belongs to no video: a sidecar has its name"
        return "neither a video nor telemetry beside one"


def _recording(placed: Placed, sidecars: _Sidecars, *, unique: bool) -> Recording:
    film = placed.film
    sidecar = sidecars.of.get(film.path)
    alone = sidecar is not None and len(sidecars.users[sidecar]) == 1
    return Recording(
        clip_id=safe_id(_stem(film.path) if unique else film.path),
        drive_id=placed.drive_id,
        vehicle_id=vehicle_of(film.path),
        camera=film.name.camera,
        start_time_s=placed.start_s,
        fps=film.head.fps,
        source=film.path,
        files=(film.path, sidecar) if sidecar and alone else (film.path,),
        shared=(sidecar,) if sidecar and not alone else (),
    )


def _by_vehicle(videos: list[str]) -> Iterator[list[str]]:
    vehicles: dict[str, list[str]] = defaultdict(list)
    for name in videos:
        vehicles[vehicle_of(name)].append(name)
    for _, names in sorted(vehicles.items()):
        yield names


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _rank(name: str) -> tuple[int, str]:
    return SUFFIXES.index(PurePosixPath(name).suffix.lower()), name
