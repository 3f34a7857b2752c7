"""LeRobot datasets: episodes of robots (and cars) as tables and videos, versions 2.0, 2.1 and 3.0.

Every camera of an episode is a recording; the episode is the drive. Videos and tables that several
recordings draw on are shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataengine.adapters.base import Adapter, BrokenFileError, Encoded, Recording, files_under, safe_id
from dataengine.adapters.lerobot.episodes import Episode, Episodes
from dataengine.adapters.lerobot.features import images, signals
from dataengine.adapters.lerobot.info import INFO, Info, read_info
from dataengine.adapters.telemetry import Telemetry
from dataengine.config import DatasetConfig
from dataengine.errors import ConfigError, InputError
from dataengine.workspace import Outcome


class LeRobot(Adapter):
    """A LeRobot dataset.

    Args:
        root: Folder that holds ``meta/info.json``.
        config: Cameras, by feature key.
    """

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self.root = root
        self.config = config

    def settings(self) -> dict[str, Any]:
        """The cameras."""
        return {"cameras": sorted(self.config.cameras)}

    def recordings(self) -> Iterator[Recording | Outcome]:
        """Episodes in the order of their list, camera by camera; then files that are part of none."""
        files = list(files_under(self.root))
        info = read_info(self.root, files)
        if not any(name == INFO or info.data.match(name) or info.video.match(name) for name in files):
            raise InputError(
                f"dataset.root={self.root} holds no LeRobot dataset: looked for {INFO}, {info.data.text} and "
                f"{info.video.text}; see datasets/lerobot.toml for where to get one"
            )
        self._check_cameras(info)
        present = frozenset(files)
        missing: dict[str, Outcome] = {}
        taken: set[str] = set()
        episodes = Episodes(self.root, info, files)
        for episode in episodes:
            fresh = [
                outcome for outcome in self._absent(episode, info, present) if outcome.path not in missing
            ]
            missing |= {outcome.path: outcome for outcome in fresh}
            yield from fresh
            for recording in self._recorded(episode, info, present):
                taken.update(recording.files, recording.shared)
                yield recording
        lists = {INFO: _of_info(info, present), **episodes.outcomes}
        yield from (outcome for path, outcome in lists.items() if path not in missing)
        for name in files:
            if name not in taken and name not in lists:
                yield Outcome(path=name, status="unused", reason=self._why_unused(name, info))

    def telemetry(self, recording: Recording) -> Telemetry | None:
        """Every numeric feature under its own key: ``observation.state``, ``action`` and so on.

        Units are the robot's own (``meta/info.json`` names the joints). Observations are read linearly,
        actions hold until the next.
        """
        data = next((name for name in _files(recording) if name.endswith(".parquet")), None)
        if data is None:
            return None
        try:
            found = signals(self.root / data, _episode(recording), recording.fps)
        except InputError as error:
            raise BrokenFileError(data, str(error)) from error
        return Telemetry(signals=found) if found else None

    def encoded(self, recording: Recording) -> Iterator[Encoded]:
        """Images that are packed in the episode's table."""
        path = self.root / recording.source
        try:
            for number, time_s, data in images(path, _episode(recording), recording.camera, recording.fps):
                yield Encoded(number=number, time_s=time_s, data=data)
        except InputError as error:
            raise BrokenFileError(recording.source, str(error)) from error

    def _check_cameras(self, info: Info) -> None:
        unknown = sorted(set(self.config.cameras) - set(info.cameras.keys))
        if unknown:
            raise ConfigError(
                f"dataset.cameras={unknown}: {self.root} has {', '.join(info.cameras.keys) or 'no camera'}"
            )

    def _wanted(self, key: str) -> bool:
        return not self.config.cameras or key in self.config.cameras

    def _absent(self, episode: Episode, info: Info, present: frozenset[str]) -> Iterator[Outcome]:
        """Files that an episode needs and that are not there."""
        videos = (episode.videos[key].path for key in info.cameras.videos if self._wanted(key))
        for path in (*videos, episode.data):
            if path not in present:
                reason = f"not there; episode {episode.index} of {episode.source} needs it"
                yield Outcome(path=path, status="missing", reason=reason)

    def _recorded(self, episode: Episode, info: Info, present: frozenset[str]) -> Iterator[Recording]:
        videos = [
            key for key in info.cameras.videos if self._wanted(key) and episode.videos[key].path in present
        ]
        table = (episode.data,) if episode.data in present else ()
        packed = [key for key in info.cameras.images if self._wanted(key) and table]
        for key in (*videos, *packed):
            stretch = episode.videos.get(key)
            names = (*((stretch.path,) if stretch is not None else ()), *table)
            num_own = _num_own(info, len(videos) + len(packed), stretch is not None)
            yield Recording(
                clip_id=safe_id(f"episode_{episode.index:06d}_{key}"),
                drive_id=f"episode_{episode.index:06d}",
                vehicle_id=info.robot,
                camera=key,
                fps=info.fps,
                source=names[0],
                files=names[:num_own],
                shared=names[num_own:],
                embedded=stretch is None,
                video_from_s=stretch.from_s if stretch is not None else 0.0,
                video_to_s=stretch.to_s if stretch is not None else None,
                split_hint=info.split_of(episode.index),
                conditions={"task": episode.task} if episode.task else {},
            )

    def _why_unused(self, name: str, info: Info) -> str:
        video, data = info.video.match(name), info.data.match(name)
        key = str(video["video_key"]) if video is not None else ""
        reasons = {
            "depth maps, no pictures": key in info.cameras.depth,
            f"camera {key} is no feature of {INFO}": video is not None and key not in info.cameras.keys,
            f"camera {key} is not in dataset.cameras": video is not None and not self._wanted(key),
            "no episode that is listed is in it": video is not None,
            "no listed episode in it has a picture that can be read": data is not None,
            "statistics for training, which are not needed": name.startswith("meta/") and "stats" in name,
        }
        return next((reason for reason, holds in reasons.items() if holds), "no part of LeRobot's layout")


def _episode(recording: Recording) -> int | None:
    """The episode whose rows to look for in a table; ``None`` where no other episode is in it."""
    return None if recording.files else int(recording.drive_id.removeprefix("episode_"))


def _num_own(info: Info, num_cameras: int, is_video: bool) -> int:
    """How many of a recording's video and table no other recording draws on.

    Version 3 shares both among episodes; version 2 shares the table among the cameras of one episode.
    """
    if info.version == 3:
        return 0
    return 2 if num_cameras == 1 else int(is_video)


def _files(recording: Recording) -> tuple[str, ...]:
    return (*recording.files, *recording.shared)


def _of_info(info: Info, present: frozenset[str]) -> Outcome:
    if INFO not in present:
        return Outcome(
            path=INFO, status="missing", reason="it describes the dataset; file names are read instead"
        )
    if info.faults:
        reason = f"{'; '.join(info.faults)[:400]}; the format's defaults and file names are read instead"
        return Outcome(path=INFO, status="broken", reason=reason)
    return Outcome(path=INFO, status="added")
