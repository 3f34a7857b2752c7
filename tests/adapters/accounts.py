"""Every input file must be settled exactly once: the check that all adapters' tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from dataengine.adapters.base import Adapter, BrokenFileError, Recording, files_under
from dataengine.workspace import Outcome


def settled(adapter: Adapter) -> tuple[dict[str, Recording], dict[str, tuple[str, str]]]:
    """Recordings by clip id and (status, reason) by path, after a look that each file appears once."""
    found = list(adapter.recordings())
    recordings = [item for item in found if isinstance(item, Recording)]
    outcomes = [item for item in found if isinstance(item, Outcome)]
    own = Counter(name for recording in recordings for name in recording.files)
    own.update(outcome.path for outcome in outcomes)
    own.update({name for recording in recordings for name in recording.shared})
    present = set(files_under(adapter.root))
    assert {name: times for name, times in own.items() if times > 1} == {}
    assert present - set(own) == set()
    assert {outcome.path for outcome in outcomes if outcome.status == "missing"} == set(own) - present
    assert all(outcome.reason for outcome in outcomes if outcome.status != "added")
    assert len({recording.clip_id for recording in recordings}) == len(recordings)
    return (
        {recording.clip_id: recording for recording in recordings},
        {outcome.path: (outcome.status, outcome.reason) for outcome in outcomes},
    )


def fault_of(read: Callable[[Recording], Any], recording: Recording) -> str:
    """Which file of a recording a reader calls broken; empty if it reads. Anything else is a bug."""
    fault = BrokenFileError("", "none")
    try:
        found = read(recording)
        if isinstance(found, Iterable):
            list(found)
    except BrokenFileError as error:
        fault = error
    assert fault.reason
    assert "\n" not in fault.reason
    return fault.path
