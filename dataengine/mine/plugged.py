"""Arms of other packages: entry points of the group ``dataengine.arms`` that name a ``Score`` or an ``Arm``.

A name of ours stays ours. What is found is loaded when it is asked for, so a package that is broken stops
nobody who does not use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata

from dataengine.errors import ConfigError
from dataengine.mine.strategy import Arm, FrameScores, Score, Task

GROUP = "dataengine.arms"

_FORM = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Names that can be told from a composition, a draw and a trainer."""


def names() -> list[str]:
    """Names of the arms that are installed beside ours."""
    return sorted(_entries())


def find(name: str) -> Score | Arm | None:
    """What is installed by that name; ``None`` where nothing is.

    Raises:
        ConfigError: It does not load, or is no arm.
    """
    entry = _entries().get(name)
    if entry is None:
        return None
    place = f"mine.name={name}: {entry.value}"
    try:
        found = entry.load()
    except Exception as error:
        raise ConfigError(f"{place} does not load ({error}); mend its package, or uninstall it") from error
    if not isinstance(found, Score | Arm):
        raise ConfigError(f"{place} is {type(found).__name__}, and no Score or Arm of dataengine.mine")
    if found.name != name:
        raise ConfigError(f"{place} calls itself {found.name}; give entry point and record one name")
    return replace(found, compute=_checked(found)) if isinstance(found, Score) else found


def module_of(name: str) -> str:
    """The module that brings the arm; empty where none is installed by that name."""
    entry = _entries().get(name)
    return "" if entry is None else entry.module


def _entries() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group=GROUP) if _FORM.fullmatch(entry.name)}


def _checked(score: Score) -> Callable[[Task], FrameScores]:
    """The score's own function, whose answer is looked at before it is believed."""

    def compute(task: Task) -> FrameScores:
        found = score.compute(task)
        shape = (len(task.candidates),)
        if not isinstance(found, FrameScores) or found.values.shape != shape:
            said = found.values.shape if isinstance(found, FrameScores) else type(found).__name__
            raise ConfigError(f"score {score.name} answers with {said}, where FrameScores of {shape} are due")
        return found

    return compute
