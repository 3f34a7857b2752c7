"""What names and lists of comma10k say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dataengine.workspace import Outcome

FRAME_RATE = 20.0
FRAMES_PER_SEGMENT = 1200
"""Devices cut a drive into segments of a minute, and count frames within each."""

IMAGES = {"imgs": "masks", "imgs2": "masks2"}
"""Folders of images, and of their masks."""
LIST = "files_trainable"
CAMERAS = ("road", "wide")

_NAME = re.compile(
    r"\d{1,6}_(?:(?P<camera>[ef])_)?(?P<dongle>[0-9a-f]{16})_(?P<start>\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d)"
    r"_(?P<segment>\d{1,4})_(?P<frame>\d{1,4})\.png"
)
_LISTED = re.compile(r"masks[2d]?/[^/\x00]+\.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What the name of an image or mask says.

    Attributes:
        dongle: The device, and so the vehicle.
        start: When the drive began, local time.
        segment: Minute of the drive.
        frame: Within the segment, at 20 Hz.
        camera: ``road``, or ``wide``.
    """

    dongle: str
    start: str
    segment: int
    frame: int
    camera: str

    @property
    def drive_id(self) -> str:
        """Device and start."""
        return f"{self.dongle}_{self.start}"

    @property
    def clip_id(self) -> str:
        """One minute of one camera."""
        return f"{self.drive_id}--{self.segment}" + ("" if self.camera == CAMERAS[0] else f"_{self.camera}")


def parse(path: str) -> Name | None:
    """Read the name of an image that lies right in one of the folders; ``None`` if it is another file."""
    match = _NAME.fullmatch(PurePosixPath(path).name)
    if match is None or path.count("/") != 1:
        return None
    return Name(
        dongle=match["dongle"],
        start=match["start"],
        segment=int(match["segment"]),
        frame=int(match["frame"]),
        camera=CAMERAS[match["camera"] == "e"],
    )


def read_list(root: Path, outcomes: dict[str, Outcome]) -> frozenset[str] | None:
    """The masks that the publisher calls finished; ``None`` where the list cannot be read.

    Its outcome is added to ``outcomes``. The driver's camera is left out.
    """
    try:
        lines = (root / LIST).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        outcomes[LIST] = Outcome(path=LIST, status="broken", reason=f"cannot be read ({error.strerror})")
        return None
    names = {line.strip() for line in lines} - {""}
    good = {name for name in names if _LISTED.fullmatch(name)}
    if not good:
        outcomes[LIST] = Outcome(path=LIST, status="broken", reason="names no mask; every mask counts")
        return None
    bad = [number for number, line in enumerate(lines, 1) if line.strip() and line.strip() not in good]
    outcomes[LIST] = Outcome(path=LIST, status="added")
    if bad:
        reason = f"{len(bad)} lines (first: {bad[0]}) name no mask; left out"
        outcomes[LIST] = Outcome(path=LIST, status="broken", reason=reason)
    return frozenset(name for name in good if name.partition("/")[0] in IMAGES.values())


def why_unused(path: str, listed: frozenset[str] | None) -> str:
    """The reason why a file on disk is no part of a clip."""
    folder = path.partition("/")[0]
    if folder in ("imgsd", "masksd"):
        return "the driver's camera, which sees no road"
    if folder not in (*IMAGES, *IMAGES.values()):
        return "no part of comma10k's layout"
    if parse(path) is None:
        return "its name is not NNNN_<dongle>_<date>_<segment>_<frame>.png"
    if listed is not None and path not in listed:
        return f"not in {LIST}: nobody finished this mask"
    return "its image is missing"
