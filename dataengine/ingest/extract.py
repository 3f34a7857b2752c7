"""One recording into rows and stored frames: what a worker does."""

from __future__ import annotations

import multiprocessing
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
from dataengine.errors import InputError
from dataengine.images import grey_levels, measure, measure_grey, read_image
from dataengine.ingest.rows import Rows
from dataengine.ingest.video import Picture, sample
from dataengine.workspace import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to ingest.

    Attributes:
        adapter: Reads it.
        recording: Which one.
        workspace: Folder of the workspace; frames of videos are stored below its ``media/``.
        card: Classes, class map and licence.
        fps: Sampling rate of videos; ``None`` keeps every frame.
        jpeg_quality: Of stored frames, 1..100.
        known_clip: The clip has a row already; only frames are new.
    """

    adapter: Adapter
    recording: Recording
    workspace: Path
    card: Card
    fps: float | None
    jpeg_quality: int
    known_clip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What came out of one recording.

    Attributes:
        tables: Rows by lake table, empty where nothing was usable.
        outcomes: One for each of the recording's files.
        faults: What was left out within a file, by ``path#frame``.
        num_frames: Frames in the tables.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...]
    faults: tuple[Outcome, ...] = ()
    num_frames: int = 0


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
    rows = Rows(job.recording, job.card)
    try:
        telemetry = job.adapter.telemetry(job.recording)
        labels = job.adapter.labels(job.recording)
        (_add_stills if job.recording.stills else _add_video)(job, labels, rows, faults)
    except BrokenFileError as error:
        return Extract(outcomes=_all_unused(job.recording, error))
    outcomes = _outcomes(job.recording, faults)
    inner = tuple(
        Outcome(path=path, status="broken", reason=reason)
        for path, reason in faults.items()
        if path not in job.recording.files
    )
    if not rows.frames:
        return Extract(outcomes=tuple(_without_use(outcome) for outcome in outcomes), faults=inner)
    tables = {"frames": rows.frame_table(telemetry), "oracle": rows.oracle_table()}
    if not job.known_clip:
        tables["clips"] = rows.clip_table()
    return Extract(tables=tables, outcomes=outcomes, faults=inner, num_frames=len(rows.frames))


def _add_stills(job: Job, labels: LabelReader, rows: Rows, faults: dict[str, str]) -> None:
    for still in job.recording.stills:
        path = job.adapter.root / still.image
        try:
            image = read_image(path)
        except InputError as error:
            faults[still.image] = str(error).removeprefix(f"{path}: ")
            continue
        found = _checked(labels, still.number, image.shape[:2], still.mask, faults)
        if found is not None:
            rows.add(
                number=still.number,
                time_s=still.time_s,
                size=image.shape[:2],
                measures=measure(image),
                labels=found,
                media_root="source",
                image_path=still.image,
                mask_path=still.mask,
                split_hint=still.split_hint,
            )


def _add_video(job: Job, labels: LabelReader, rows: Rows, faults: dict[str, str]) -> None:
    name = job.recording.source
    try:
        for picture in sample(job.adapter.root / name, job.fps):
            _add_picture(job, picture, labels, rows, faults)
    except InputError as error:
        if not rows.frames:
            raise BrokenFileError(name, str(error)) from error
        faults[name] = f"{error}; {len(rows.frames)} sampled frames before that are kept"


def _add_picture(job: Job, picture: Picture, labels: LabelReader, rows: Rows, faults: dict[str, str]) -> None:
    size = picture.bgr.shape[:2]
    found = _checked(labels, picture.number, size, f"{job.recording.source}#{picture.number:06d}", faults)
    if found is None:
        return
    image_path = f"media/{job.recording.clip_id}/{picture.number:06d}.jpg"
    _store(job.workspace / image_path, picture.bgr, job.jpeg_quality)
    # measured as decoded: the JPEG adds noise that is none of the camera's
    rows.add(
        number=picture.number,
        time_s=picture.time_s,
        size=size,
        measures=measure_grey(grey_levels(picture.bgr[..., ::-1])),
        labels=found,
        media_root="workspace",
        image_path=image_path,
    )


def _checked(
    labels: LabelReader, number: int, size: Sequence[int], where: str, faults: dict[str, str]
) -> FrameLabels | None:
    """The labels of one frame, or ``None`` with the reason in ``faults``."""
    height_width = (size[0], size[1])
    try:
        return check(labels(number, height_width), height_width)
    except BrokenFileError as error:
        faults[error.path] = error.reason
    except InputError as error:
        faults[where] = str(error)
    return None


def _store(path: Path, bgr: NDArray[np.uint8], quality: int) -> None:
    """Write a JPEG whole or not at all; it is synced with its batch, before the rows that name it."""
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    temporary = path.with_name(f".{path.name}.tmp")
    with files.user_facing_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(encoded.tobytes())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _outcomes(recording: Recording, faults: dict[str, str]) -> tuple[Outcome, ...]:
    """One outcome a file: broken itself, or of no use without its broken partner, or added."""
    partners = {still.image: still.mask for still in recording.stills}
    partners |= {still.mask: still.image for still in recording.stills}
    outcomes = []
    for name in recording.files:
        if name in faults:
            outcomes.append(Outcome(path=name, status="broken", reason=faults[name]))
        elif partners.get(name) in faults:
            reason = f"{partners[name]} cannot be used"
            outcomes.append(Outcome(path=name, status="unused", reason=reason))
        else:
            outcomes.append(Outcome(path=name, status="added"))
    return tuple(outcomes)


def _without_use(outcome: Outcome) -> Outcome:
    if outcome.status != "added":
        return outcome
    return replace(outcome, status="unused", reason="no frame of its recording can be used")


def _all_unused(recording: Recording, error: BrokenFileError) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(path=name, status="broken", reason=error.reason)
        if name == error.path
        else Outcome(path=name, status="unused", reason=f"{error.path} cannot be used")
        for name in recording.files
    )
