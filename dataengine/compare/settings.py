"""The settings that a comparison was made with, kept in its folder; what is run later joins them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataengine import files
from dataengine.config import Config
from dataengine.errors import ConfigError, WorkspaceError

NAME = "compare.json"

_OF_A_COMMAND = ("compare", "compute", "app", "workspace", "seed", "licence")
"""Groups that say who does what on which machine, not what is measured."""


def exists(folder: Path) -> bool:
    """Whether the folder holds a comparison."""
    return (folder / NAME).is_file()


def remember(folder: Path, config: Config) -> Config:
    """Write the settings down; arms and seeds of earlier commands with the same settings stay in.

    Returns:
        The settings of the whole: those of this command, with the arms and seeds of all.
    """
    if exists(folder):
        try:
            before = recall(folder)
        except WorkspaceError:
            before = None  # of another version: nothing of it can be gone on with
        if before is not None and _measured(before) == _measured(config):
            config = replace(config, compare=_joined(before, config))
    files.write_json(folder / NAME, config.plain())
    return config


def recall(folder: Path) -> Config:
    """The settings that ``remember`` wrote.

    Raises:
        WorkspaceError: They are damaged, or of another version.
    """
    path = folder / NAME
    try:
        return Config.from_plain(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ConfigError) as error:
        raise WorkspaceError(
            f"{path} cannot be read ({error}); run `dataengine compare` with its settings again"
        ) from error


def _joined(before: Config, config: Config) -> Any:
    earlier, now = before.compare, config.compare
    return replace(
        now,
        arms=list(dict.fromkeys([*earlier.arms, *now.arms])),
        seeds=list(dict.fromkeys([*earlier.seeds, *now.seeds])),
        baseline_cycles=max(earlier.baseline_cycles, now.baseline_cycles),
        full_seeds=max(earlier.full_seeds, now.full_seeds),
        noise=earlier.noise or now.noise,
    )


def _measured(config: Config) -> dict[str, Any]:
    """What two commands must have in common for their cells to stand in one table."""
    plain = config.plain()
    shared = {group: value for group, value in plain.items() if group not in _OF_A_COMMAND}
    shared["mine"].pop("name")
    for name in ("fiftyone", "baseline"):
        shared["loop"].pop(name)
    return {
        **shared,
        "baseline": config.compare.baseline,
        "world_per_seed": config.compare.world_per_seed,
        "full_steps": config.compare.full_steps,
    }
