"""The loss curve of a fit: ``losses.jsonl``, and TensorBoard event files on request."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from dataengine import files
from dataengine.errors import ConfigError
from dataengine.workspace import read_jsonl


class LossLog:
    """One row a step; rows from ``first_step`` on that an interrupted fit left are dropped.

    Args:
        folder: Where ``losses.jsonl`` is, and ``tensorboard/`` if asked for.
        first_step: Step that the fit starts or continues with.
        tensorboard: Write event files too.

    Raises:
        ConfigError: TensorBoard was asked for and is not installed.
    """

    def __init__(self, folder: Path, *, first_step: int, tensorboard: bool) -> None:
        self.path = folder / "losses.jsonl"
        self._events = _event_writer(folder / "tensorboard", first_step) if tensorboard else None
        kept = [row for row in read_jsonl(self.path) if row["step"] < first_step]
        files.write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept))
        self._handle = self.path.open("a", encoding="utf-8")

    def __enter__(self) -> LossLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.close()
        if self._events is not None:
            self._events.close()

    def add(self, step: int, values: dict[str, float]) -> None:
        """Log the figures of one step."""
        with files.user_facing_os_errors(self.path):
            self._handle.write(json.dumps({"step": step, **values}) + "\n")
            self._handle.flush()
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)

    def sync(self) -> None:
        """Put what was logged on the disk, so that a checkpoint written after it finds its rows."""
        with files.user_facing_os_errors(self.path):
            os.fsync(self._handle.fileno())


def _event_writer(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError(
            "train.tensorboard=true needs TensorBoard: pip install 'dataengine[tensorboard]', "
            "or set train.tensorboard=false"
        ) from error
    return SummaryWriter(str(folder), purge_step=first_step or None)
