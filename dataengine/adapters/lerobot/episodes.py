"""The episodes of a LeRobot dataset: which files hold each, and what was its task.

Version 2 lists them in ``meta/episodes.jsonl``, with a table and a video of its own for each; version 3 in
``meta/episodes/*/*.parquet``, with the place of each in files that many share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataengine.adapters.lerobot.documents import json_lines
from dataengine.adapters.lerobot.features import task_number
from dataengine.adapters.lerobot.info import Info
from dataengine.adapters.lerobot.tables import read_rows
from dataengine.adapters.lerobot.tasks import one_line, read_tasks
from dataengine.errors import InputError
from dataengine.workspace import Outcome

LIST_V2 = "meta/episodes.jsonl"
LISTS_V3 = "meta/episodes/"
_FIRST_LIST_V3 = f"{LISTS_V3}chunk-000/file-000.parquet"
_MOST_EPISODES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Part of a video: seconds by its presentation time; ``to_s`` is exclusive, ``None`` its end."""

    path: str
    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode.

    Attributes:
        index: Its number in the dataset.
        task: What the robot was told to do, or empty.
        data: Its table.
        videos: Where its pictures are, by camera.
        source: What names it: a list, or the folder's own file names.
    """

    index: int
    task: str
    data: str
    videos: Mapping[str, Stretch]
    source: str


class Episodes:
    """Reads the episodes of a dataset one after the other.

    Args:
        root: The dataset's root.
        info: What the dataset says of itself.
        files: Every file below the root.

    Attributes:
        outcomes: Of lists, once they were read; by path.
    """

    def __init__(self, root: Path, info: Info, files: Sequence[str]) -> None:
        self.root = root
        self.info = info
        self.files = files
        self.outcomes: dict[str, Outcome] = {}
        self._present = frozenset(files)
        self._tasks = read_tasks(root, files, self.outcomes)

    def __iter__(self) -> Iterator[Episode]:
        """Listed episodes in the list's order; then, where a list of version 2 is damaged, those on disk."""
        seen: set[int] = set()
        for episode in self._listed_v2() if self.info.version == 2 else self._listed_v3():
            if episode.index not in seen:
                seen.add(episode.index)
                yield episode
        whole = self.outcomes.get(LIST_V2)
        if self.info.version == 2 and (whole is None or whole.status != "added"):
            for index in sorted(self._on_disk() - seen):
                yield self._own_files(index, None, "file names")

    def _listed_v2(self) -> Iterator[Episode]:
        if LIST_V2 not in self.files:
            self._note(
                LIST_V2, "missing", "it names the episodes and their tasks; file names are read instead"
            )
            return
        bad, num_good = [], 0
        try:
            for line, row in json_lines(self.root / LIST_V2):
                index = row.get("episode_index") if row is not None else None
                if row is None or type(index) is not int or not 0 <= index < _MOST_EPISODES:
                    bad.append(line)
                    continue
                num_good += 1
                yield self._own_files(index, row.get("tasks"), LIST_V2)
        except InputError as error:
            self._note(LIST_V2, "broken", str(error))
            return
        if bad:
            self._note(LIST_V2, "broken", f"{len(bad)} lines (first: {bad[0]}) name no episode; left out")
        elif not num_good:
            self._note(LIST_V2, "broken", "names no episode; file names are read instead")
        else:
            self._note(LIST_V2, "added")

    def _listed_v3(self) -> Iterator[Episode]:
        lists = [name for name in self.files if name.startswith(LISTS_V3) and name.endswith(".parquet")]
        if not lists:
            self._note(_FIRST_LIST_V3, "missing", "it says where in the shared files each episode is")
        for name in lists:
            bad = 0
            try:
                rows = read_rows(self.root / name, self._columns())
            except InputError as error:
                self._note(name, "broken", str(error))
                continue
            for row in rows:
                try:
                    yield self._shared_files(row, name)
                except (InputError, KeyError, TypeError, ValueError):
                    bad += 1
            if bad or not rows:
                fault = f"{bad} of {len(rows)} rows do not say where their episode is" if rows else "no rows"
                self._note(name, "broken", fault)
            else:
                self._note(name, "added")

    def _columns(self) -> list[str]:
        columns = ["episode_index", "tasks", "data/chunk_index", "data/file_index"]
        for key in self.info.cameras.videos:
            parts = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
            columns += [f"videos/{key}/{part}" for part in parts]
        return columns

    def _own_files(self, index: int, tasks: Any, source: str) -> Episode:
        where: dict[str, int] = {"episode_index": index, "episode_chunk": index // self.info.chunks_size}
        data = self.info.data.format(**where)
        task = one_line(tasks)
        if not task and source != LIST_V2 and data in self._present:
            number = task_number(self.root / data)
            task = self._tasks.get(number, "") if number is not None else ""
        return Episode(
            index=index,
            task=task,
            data=data,
            videos={
                key: Stretch(path=self.info.video.format(video_key=key, **where))
                for key in self.info.cameras.videos
            },
            source=source,
        )

    def _shared_files(self, row: Mapping[str, Any], source: str) -> Episode:
        index = _whole(row["episode_index"])
        videos = {}
        for key in self.info.cameras.videos:
            at = f"videos/{key}/"
            path = self.info.video.format(video_key=key, **_place(row, at))
            from_s, to_s = float(row[f"{at}from_timestamp"]), float(row[f"{at}to_timestamp"])
            if not (math.isfinite(to_s) and 0 <= from_s < to_s):
                raise ValueError(f"{from_s} to {to_s} s")
            videos[key] = Stretch(path=path, from_s=from_s, to_s=to_s)
        data = self.info.data.format(**_place(row, "data/"))
        return Episode(index=index, task=one_line(row.get("tasks")), data=data, videos=videos, source=source)

    def _on_disk(self) -> set[int]:
        found: set[int] = set()
        for name in self.files:
            match = self.info.data.match(name) or self.info.video.match(name)
            if match is not None:
                found.add(int(match["episode_index"]))
        return found

    def _note(self, path: str, status: str, reason: str = "") -> None:
        self.outcomes[path] = Outcome(path=path, status=status, reason=reason)


def _place(row: Mapping[str, Any], at: str) -> dict[str, int]:
    return {part: _whole(row[f"{at}{part}"]) for part in ("chunk_index", "file_index")}


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST_EPISODES:
        raise ValueError(f"{value!r} is no index")
    return value
