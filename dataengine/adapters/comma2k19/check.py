"""What can become of each file of a comma2k19 segment, told without reading its data.

Arrays are judged by header and size while listing: a torn array costs its signal and not the frames,
and each of them is accounted for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dataengine.adapters.arrays import check_array
from dataengine.adapters.comma2k19.layout import CLOCK, GNSS, LOGS, POSES, VIDEO, Segment
from dataengine.errors import InputError
from dataengine.workspace import Outcome

_ASIDE = {
    "preview.png": "the video's first frame",
    "raw_log.bz2": "the logs before processing; the arrays are read",
    "global_pose/frame_gps_times": "the frames' times on another clock",
}
_WHY_NEEDED = {
    VIDEO: "not there; without its frames a segment's telemetry is of no use",
    CLOCK: "not there; the video is a raw stream without times (dataset=dashcam reads videos alone)",
}


def judge(root: Path, segment: Segment) -> dict[str, Outcome]:
    """One outcome for each file that a segment has or needs, by its name in the segment.

    ``added`` is what its recording will open. Where video or clock cannot be used, nothing is.
    """
    judge = _Judge(root, segment)
    for name, why in _WHY_NEEDED.items():
        if name not in judge.held:
            judge.mark(name, "missing", why)
    if VIDEO in judge.held:
        judge.mark(VIDEO, "added")
    frames = judge.arrays({CLOCK: 1}) if CLOCK in judge.held else None
    if frames == 0:
        judge.mark(CLOCK, "broken", "holds no times")
    for name, columns in POSES.items():
        if name in judge.held:
            judge.arrays({name: columns}, rows=frames)
    receiver = ""
    for log, columns in LOGS.items():
        pair = {f"{log}/t": 1, f"{log}/value": columns}
        if log in GNSS and receiver:
            for name in judge.held & pair.keys():
                judge.mark(name, "unused", f"{receiver} is read instead")
        elif judge.held & pair.keys() and judge.arrays(pair) is not None and log in GNSS:
            receiver = log
    judge.without_frames()
    return judge.outcomes


class _Judge:
    def __init__(self, root: Path, segment: Segment) -> None:
        self.root = root
        self.segment = segment
        self.held = set(segment.names)
        self.outcomes: dict[str, Outcome] = {}
        for name in segment.names:
            self.mark(name, "unused", _ASIDE.get(name, "no signal that is kept"))

    def mark(self, name: str, status: str, reason: str = "") -> None:
        self.outcomes[name] = Outcome(path=f"{self.segment.folder}{name}", status=status, reason=reason)

    def arrays(self, columns: Mapping[str, int], rows: int | None = None) -> int | None:
        """Judge arrays that are of no use without each other: they must be equally long.

        Args:
            columns: Values a row of each array, by name.
            rows: How long they must be; ``None``: as the first one is.

        Returns:
            Their length; ``None`` if any of them cannot be used.
        """
        faults: dict[str, tuple[str, str]] = {}
        for name, width in columns.items():
            if name not in self.held:
                faults[name] = ("missing", "the other half of its signal is there")
                continue
            try:
                length = check_array(self.root / f"{self.segment.folder}{name}", width)
            except (InputError, OSError) as error:
                faults[name] = ("broken", str(error))
                continue
            if rows is not None and length != rows:
                faults[name] = ("broken", f"{length:,} rows, not {rows:,} as the times that it goes with")
            rows = length if rows is None else rows
        for name in columns:
            spoilt = f"{next(iter(faults))} cannot be used" if faults else ""
            self.mark(name, *faults.get(name, ("unused", spoilt) if faults else ("added",)))
        return None if faults else rows

    def without_frames(self) -> None:
        """Nothing of a segment is used without its video and its clock."""
        for needed in (VIDEO, CLOCK):
            if self.outcomes[needed].status != "added":
                for name, outcome in self.outcomes.items():
                    if outcome.status == "added":
                        self.mark(
                            name, "unused", f"{needed} of its segment is {self.outcomes[needed].status}"
                        )
