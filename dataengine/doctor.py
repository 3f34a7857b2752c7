"""What works on this machine, and the line that mends what does not."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dataengine.errors import ServiceError

LEAST_DISK_GB = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at.

    Attributes:
        what: Its name.
        works: Whether it does.
        detail: What was found, in a few words.
        remedy: The line that mends it; empty where there is nothing to mend.
        required: Whether the default run needs it.
    """

    what: str
    works: bool
    detail: str
    remedy: str = ""
    required: bool = True


def report(folder: Path) -> list[Finding]:
    """Look at everything and print one line each.

    Args:
        folder: Workspace folder, whose disk and permissions are checked.

    Raises:
        ServiceError: Something that the default run needs does not work.
    """
    findings = []
    for finding in examine(folder):
        findings.append(finding)
        mark = "ok" if finding.works else ("FAILS" if finding.required else "no")
        sys.stdout.write(f"{mark:<6}{finding.what:<16}{finding.detail}\n")
        if not finding.works and finding.remedy:
            sys.stdout.write(f"{'':<22}-> {finding.remedy}\n")
        sys.stdout.flush()
    broken = [finding.what for finding in findings if finding.required and not finding.works]
    if broken:
        raise ServiceError(f"{', '.join(broken)}: see the lines marked FAILS for the remedy")
    return findings


def examine(folder: Path) -> Iterator[Finding]:
    """The findings, one after the other."""
    checks: list[Callable[[], Finding]] = [_torch, _accelerator, _codecs, _mongod, _browser, _weights]
    for look in checks:
        yield look()
    yield _disk(folder)


def _torch() -> Finding:
    import torch
    import torchvision

    detail = f"{torch.__version__}, torchvision {torchvision.__version__}, {os.cpu_count()} cores"
    return Finding(what="PyTorch", works=True, detail=detail)


def _accelerator() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding(what="GPU", works=True, detail=torch.cuda.get_device_name(0), required=False)
    if torch.backends.mps.is_available():
        return Finding(what="GPU", works=True, detail="Apple Metal (mps)", required=False)
    return Finding(
        what="GPU", works=False, detail="none: the default run is sized for the CPU", required=False
    )


def _codecs() -> Finding:
    import av
    import numpy as np

    try:
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux([*stream.encode(picture), *stream.encode()])
        buffer.seek(0)
        with av.open(buffer) as container:
            next(container.decode(video=0))
    except (av.FFmpegError, StopIteration) as error:
        remedy = "pip install --force-reinstall av"
        return Finding(what="Video", works=False, detail=f"H.264 fails: {error}", remedy=remedy)
    decodable = [name for name in ("h264", "hevc", "av1", "libdav1d", "mjpeg") if name in av.codecs_available]
    return Finding(what="Video", works=True, detail=f"PyAV {av.__version__} decodes {', '.join(decodable)}")


def _mongod() -> Finding:
    from dataengine import cockpit

    status = cockpit.check()
    return Finding(what="FiftyOne", works=status.ok, detail=status.detail, remedy=status.remedy)


def _browser() -> Finding:
    names = ("google-chrome", "chromium", "chromium-browser", "firefox", "safari", "xdg-open", "open")
    found = next((shutil.which(name) for name in names if shutil.which(name)), None)
    if found:
        return Finding(what="Browser", works=True, detail=found, required=False)
    remedy = "install one, or use `dataengine app app.browser=false` and open the printed address elsewhere"
    return Finding(what="Browser", works=False, detail="none found", remedy=remedy, required=False)


def _weights() -> Finding:
    import torch

    cache = Path(torch.hub.get_dir()) / "checkpoints"
    held = sorted(path.name for path in cache.glob("*.pth"))
    detail = f"{cache}: {', '.join(held) or 'empty'}"
    remedy = "only needed for model.weights=imagenet or coco, which download once while online"
    return Finding(what="Weights cache", works=bool(held), detail=detail, remedy=remedy, required=False)


def _disk(folder: Path) -> Finding:
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free_gb = shutil.disk_usage(place).free / 1e9
    writable = os.access(place, os.W_OK)
    detail = f"{free_gb:.1f} GB free at {place}" + ("" if writable else ", not writable")
    remedy = f"free {LEAST_DISK_GB:g} GB or choose another folder with workspace=PATH"
    return Finding(what="Disk", works=writable and free_gb >= LEAST_DISK_GB, detail=detail, remedy=remedy)
