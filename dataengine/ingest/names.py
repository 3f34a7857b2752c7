"""Names of files that a table cannot hold: bytes that are no text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dataengine.adapters.base import Recording
from dataengine.quarantine import Outcome

_REASON = "its name is not UTF-8 text; rename the file"


def with_good_names(found: Iterable[Recording | Outcome]) -> Iterator[Recording | Outcome]:
    """What an adapter lists, less the images and videos whose names are no text; those become outcomes."""
    for item in found:
        if isinstance(item, Outcome):
            yield replace(item, path=shown(item.path))
            continue
        if all(map(is_text, (*item.files, *item.shared))):
            yield item
            continue
        kept = tuple(
            still for still in item.stills if all(map(is_text, (still.image, still.mask, still.labels)))
        )
        wanted = {name for still in kept for name in (still.image, still.mask, still.labels)}
        if not item.stills:
            wanted = set()
        for name in item.files:
            if name not in wanted:
                reason = _REASON if not is_text(name) else "its recording has a file whose name is no text"
                yield Outcome(path=shown(name), status="unused", reason=reason)
        if kept:
            yield replace(item, stills=kept, files=tuple(name for name in item.files if name in wanted))


def is_text(name: str) -> bool:
    """Whether a file's name can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """The name with each byte that is no text written as an escape."""
    return name.encode("utf-8", "backslashreplace").decode()
