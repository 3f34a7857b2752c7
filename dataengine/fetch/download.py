"""Fetch what a card lists: file by file, each checked, unpacked, put in place and written down."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from dataengine.cards import Card, Download
from dataengine.errors import InputError
from dataengine.fetch.partial import PartialFile
from dataengine.fetch.place import Staging
from dataengine.fetch.store import DiskError, Record, Store, StoredFile, check_room, file_name, in_words
from dataengine.fetch.transfer import Patience, fetch
from dataengine.fetch.unpack import ARCHIVES, Limits, unpack
from dataengine.progress import bar, say

_CHUNK = 1 << 20


def download(
    card: Card,
    root: Path,
    *,
    everything: bool = False,
    patience: Patience | None = None,
    limits: Limits | None = None,
) -> int:
    """Fetch a dataset; what is there already is left alone.

    Args:
        card: The dataset's card, with ``downloads``.
        root: The dataset's folder; made where there is none.
        everything: Also what one can do without.
        patience: When to give up.
        limits: What counts as a bomb.

    Returns:
        How many of the card's downloads were fetched now.

    Raises:
        InputError: A file cannot be fetched, is not the expected one, or may not be unpacked.
    """
    store = Store(root)
    wanted = [item for item in card.downloads if item.needed or everything]
    with store.locked():
        _check_room_for(store, wanted)
        fetched = [_one(store, item, patience or Patience(), limits) for item in wanted]
    return sum(fetched)


def is_there(root: Path, record: Record) -> bool:
    """Whether every file of a record lies below the root with its size (contents are not read)."""
    return all(_has_size(root / item.path, item.num_bytes) for item in record.files)


def _has_size(path: Path, num_bytes: int) -> bool:
    try:
        return path.stat().st_size == num_bytes
    except OSError:
        return False


def _check_room_for(store: Store, wanted: Sequence[Download]) -> None:
    """Before the first byte: is there room for everything, archive by archive?"""
    known = store.records()
    missing = [item for item in wanted if item.url not in known]
    if not missing:
        return
    # images do not shrink in an archive, and one archive at a time is kept beside its files
    sizes = [item.num_bytes for item in missing]
    here = sum(store.fetched_bytes(item.url) for item in missing)
    check_room(store.root, sum(sizes) + max(sizes) - here)


def _one(store: Store, item: Download, patience: Patience, limits: Limits | None) -> bool:
    known = store.records().get(item.url)
    archive = store.archive(item.url)
    staging = Staging(archive, item.into)
    if known and is_there(store.root, known) and not staging.is_whole:
        return False
    if not staging.is_whole:
        digest = _bring(archive, item, known, patience)
        _stage(archive, item, digest, staging, limits)
    record = staging.move(store.root)
    store.remember(item.url, record)
    staging.discard()
    archive.unlink(missing_ok=True)
    total = in_words(sum(one.num_bytes for one in record.files))
    say(f"{file_name(item.url)}: {len(record.files):,} files, {total}")
    return True


def _bring(archive: Path, item: Download, known: Record | None, patience: Patience) -> str:
    """Have the whole, right file at ``archive``; returns its SHA-256."""
    expected = item.sha256 or (known.sha256 if known else "")
    num_bytes = item.num_bytes or (known.num_bytes if known else 0)
    if archive.exists():
        return _sha256(archive)  # it was whole and checked before it got this name
    for last_attempt in (False, True):
        partial = PartialFile(archive, item.url)
        say(f"fetching {item.url}" + (f" ({in_words(num_bytes)})" if num_bytes else ""))
        at_once = fetch(partial, num_bytes, patience)
        found = _sha256(partial.part)
        if not expected or found == expected:
            partial.finish()
            return found
        partial.discard()
        if at_once or last_attempt:
            break
        say(f"{file_name(item.url)}: wrong SHA-256 after it was joined from parts; it is fetched once more")
    source = "the card says" if item.sha256 else "the first download had"
    accept = (
        "" if item.sha256 else f"; {archive.parent}/checksums.json without its entry accepts the new file"
    )
    raise InputError(
        f"{item.url}: has SHA-256 {found}, {source} {expected}; it was thrown away: the publisher changed "
        f"the file, or something on the way did; try again later, or fetch it by hand{accept}"
    )


def _stage(archive: Path, item: Download, digest: str, staging: Staging, limits: Limits | None) -> None:
    """Unpack, or take the file as it is."""
    folder, num_bytes = staging.begin(), archive.stat().st_size
    try:
        if file_name(item.url).lower().endswith(ARCHIVES):
            stored = unpack(archive, folder, strip=item.strip, limits=limits)
        else:
            stored = [StoredFile(file_name(item.url), num_bytes, digest)]
            archive.replace(folder / file_name(item.url))
    except DiskError:
        staging.discard()
        raise
    except InputError as error:
        staging.discard()
        archive.unlink(missing_ok=True)  # what was fetched is no good: the next command fetches anew
        raise InputError(f"{item.url}: {error}") from error
    staging.complete(stored, digest, num_bytes)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as handle, bar(f"checking {path.name}", path.stat().st_size, "bytes") as advance:
        while data := handle.read(_CHUNK):
            digest.update(data)
            advance(len(data))
    return digest.hexdigest()
