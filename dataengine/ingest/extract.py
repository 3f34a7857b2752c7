"""One recording into rows and stored frames: what a worker does."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataengine import files
from dataengine.adapters.base import Adapter, BrokenFileError, LabelReader, Recording
from dataengine.adapters.labels import FrameLabels, check
from dataengine.cards import Card
from dataengine.config import IngestConfig
from dataengine.errors import InputError
from dataengine.images import measure
from dataengine.ingest.pictures import Picture, pictures
from dataengine.ingest.rows import Rows
from dataengine.ingest.video import Clock
from dataengine.privacy import Anonymiser, Regions
from dataengine.workspace import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to ingest.

    Attributes:
        adapter: Reads it.
        recording: Which one.
        workspace: Folder of the workspace; frames of videos are stored below its ``media/``.
        card: Classes and class map of the workspace.
        origin: The card of the recording's own dataset: its name and licence.
        config: Sampling rate, quality of stored frames, longest pause of telemetry.
        anonymiser: Makes faces and plates unreadable before anything is stored; ``None`` for no need.
        known_clip: The clip has a row already; only frames are new.
    """

    adapter: Adapter
    recording: Recording
    workspace: Path
    card: Card
    origin: Card
    config: IngestConfig
    anonymiser: Anonymiser | None
    known_clip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What came out of one recording.

    Attributes:
        tables: Rows by lake table, empty where nothing was usable.
        outcomes: One for each of the recording's own files.
        shared: One for each file that other recordings draw on too.
        faults: What was left out within a file, by ``path#frame``.
        num_frames: Frames in the tables.
        clock: Seconds of decoding and of writing.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...]
    shared: tuple[Outcome, ...] = ()
    faults: tuple[Outcome, ...] = ()
    num_frames: int = 0
    clock: Clock = field(default_factory=Clock)


def extract(job: Job) -> Extract:
    """Read one recording: store its frames, measure them, look up its labels and telemetry.

    A fault of one file or frame is an outcome; what is not the dataset's fault is raised.

    Raises:
        ConfigError: A class name is in no class map.
        WorkspaceError: The disk is full or cannot be written.
    """
    if multiprocessing.parent_process() is not None:
        cv2.setNumThreads(1)  # the other cores have workers of their own
    faults: dict[str, str] = {}
    rows = Rows(job.recording, job.card, job.origin)
    clock = Clock()
    try:
        telemetry = job.adapter.telemetry(job.recording)
    except BrokenFileError as error:
        telemetry, faults[error.path] = None, error.reason  # the frames are worth having without it
    except InputError as error:
        telemetry, faults[f"{job.recording.source}#telemetry"] = None, str(error)
    try:
        labels = job.adapter.labels(job.recording)
        for picture in pictures(
            job.adapter, job.recording, job.config.fps, clock, faults, labelled=labels is not None
        ):
            _add(job, picture, labels, rows, faults, clock)
    except BrokenFileError as error:
        return _unusable(job.recording, error)
    except InputError as error:
        return _unusable(job.recording, BrokenFileError(job.recording.source, str(error)))
    own, shared = _outcomes(job.recording, faults)
    inner = tuple(
        Outcome(path=path, status="broken", reason=reason)
        for path, reason in faults.items()
        if path not in job.recording.files and path not in job.recording.shared
    )
    if not rows.frame_ids:
        own, shared = (tuple(map(_without_use, outcomes)) for outcomes in (own, shared))
        return Extract(outcomes=own, shared=shared, faults=inner, clock=clock)
    tables = rows.tables(telemetry, job.config.telemetry_gap_s)
    if job.known_clip:
        del tables["clips"]
    return Extract(
        tables=tables,
        outcomes=own,
        shared=shared,
        faults=inner,
        num_frames=len(rows.frame_ids),
        clock=clock,
    )


def _add(
    job: Job,
    picture: Picture,
    labels: LabelReader | None,
    rows: Rows,
    faults: dict[str, str],
    clock: Clock,
) -> None:
    """Label, anonymise, store and measure one image."""
    size = (picture.rgb.shape[0], picture.rgb.shape[1])
    found: FrameLabels | None = None
    if labels is not None:
        try:
            found = _checked(labels, picture.number, size)
        except BrokenFileError as error:
            faults[error.path] = error.reason
            return
        except InputError as error:
            faults[picture.where] = str(error)
            return
    began = time.perf_counter()
    rgb, regions = picture.rgb, None
    if job.anonymiser is not None:
        rgb, regions = job.anonymiser.blur(rgb)
    media_root, image_path = _stored(job, picture, rgb, regions)
    clock.write_s += time.perf_counter() - began
    rows.add(
        number=picture.number,
        time_s=picture.time_s,
        size=size,
        # measured as decoded: the JPEG adds noise that is none of the camera's
        measures=measure(rgb),
        labels=found,
        media_root=media_root,
        image_path=image_path,
        still=picture.still,
        conditions=picture.conditions,
        regions=regions,
    )


def _checked(labels: LabelReader, number: int, size: tuple[int, int]) -> FrameLabels | None:
    found = labels(number, size)
    return None if found is None else check(found, size)


def _stored(job: Job, picture: Picture, rgb: NDArray[np.uint8], regions: Regions | None) -> tuple[str, str]:
    """Where the frame is: the original image, or the one that is written here."""
    if picture.still is not None and job.anonymiser is None:
        return "source", picture.still.image
    stem = f"media/{job.recording.clip_id}/{picture.number:06d}"
    if picture.data is not None and regions is None:
        suffix = ".png" if picture.data.startswith(b"\x89PNG") else ".jpg"
        data = picture.data
    else:
        suffix = ".jpg"
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, job.config.jpeg_quality])[1].tobytes()
    _store(job.workspace / (stem + suffix), data)
    return "workspace", stem + suffix


def _store(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; it is synced with its batch, before the rows that name it."""
    temporary = path.with_name(f".{path.name}.tmp")
    with files.user_facing_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _outcomes(
    recording: Recording, faults: dict[str, str]
) -> tuple[tuple[Outcome, ...], tuple[Outcome, ...]]:
    """One outcome a file, own and shared: broken itself, of no use without its partner, or added."""
    because: dict[str, str] = {}
    for still in recording.stills:
        trio = [name for name in (still.image, still.mask, still.labels) if name]
        broken = next((name for name in trio if name in faults), None)
        if broken is not None:
            because |= {name: f"{broken} cannot be used" for name in trio if name not in faults}

    def outcome(name: str) -> Outcome:
        if name in faults:
            return Outcome(path=name, status="broken", reason=faults[name])
        if name in because:
            return Outcome(path=name, status="unused", reason=because[name])
        return Outcome(path=name, status="added")

    return tuple(map(outcome, recording.files)), tuple(map(outcome, recording.shared))


def _without_use(outcome: Outcome) -> Outcome:
    if outcome.status != "added":
        return outcome
    return replace(outcome, status="unused", reason="no frame of its recording can be used")


def _unusable(recording: Recording, error: BrokenFileError) -> Extract:
    def outcomes(names: Sequence[str]) -> tuple[Outcome, ...]:
        return tuple(
            Outcome(path=name, status="broken", reason=error.reason)
            if name == error.path
            else Outcome(path=name, status="unused", reason=f"{error.path} cannot be used")
            for name in names
        )

    known = error.path in recording.files or error.path in recording.shared
    inner = () if known else (Outcome(path=error.path, status="broken", reason=error.reason),)
    return Extract(outcomes=outcomes(recording.files), shared=outcomes(recording.shared), faults=inner)
