"""Archives written in code: honest ones, and such as no honest tool writes."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping


def zip_of(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files; a name that ends in ``/`` is a folder."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


def zip_with(*entries: tuple[str, bytes, int]) -> bytes:
    """A zip of (name, content, Unix mode), names repeated as wished."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, data, mode in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return memory.getvalue()


def zip_with_link(name: str, target: str) -> bytes:
    """A zip with one symbolic link."""
    return zip_with((name, target.encode(), stat.S_IFLNK | 0o777))


def tar_of(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar of files; a name that ends in ``/`` is a folder."""
    entries = []
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
        info.size = len(data)
        entries.append((info, data))
    return tar_with(entries, mode)


def tar_with(entries: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> bytes:
    """A tar of given headers."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode=mode) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return memory.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> bytes:
    """A tar with one entry of any type."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return tar_with([(info, b"")])
