"""Which FiftyOne dataset belongs to a workspace: its name, kept in ``<workspace>/cockpit.json``.

The record also holds the folder it was written for, which tells a moved workspace (it keeps its
dataset, and with it every decision) from a copied one (it gets a dataset of its own).
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from dataengine import files
from dataengine.errors import WorkspaceError
from dataengine.workspace import Workspace

RECORD = "cockpit.json"
FORMAT_VERSION = 1


def fresh_name(root: Path) -> str:
    """Name of a workspace's dataset: its folder's name and eight digits of the resolved path's digest."""
    resolved = root.resolve()
    stem = re.sub(r"[^a-z0-9]+", "-", resolved.name.lower()).strip("-")[:60] or "workspace"
    return f"{stem}-{hashlib.sha256(str(resolved).encode()).hexdigest()[:8]}"


def recorded(root: Path) -> str | None:
    """Name of the dataset that belongs to this workspace; ``None`` before the first sync.

    Raises:
        WorkspaceError: ``cockpit.json`` is damaged.
    """
    path = root / RECORD
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        name, home = str(value["dataset"]), Path(value["workspace"])
    except (ValueError, KeyError, TypeError) as error:
        raise WorkspaceError(
            f"{path} is damaged ({error}); delete it: the next sync writes it again"
        ) from error
    copied = home != root.resolve() and Workspace.exists(home)
    return None if copied else name


def claim(root: Path) -> str:
    """The dataset's name, entered in ``cockpit.json`` for this folder."""
    name = recorded(root) or fresh_name(root)
    value = {"format_version": FORMAT_VERSION, "dataset": name, "workspace": str(root.resolve())}
    path = root / RECORD
    if not path.is_file() or json.loads(path.read_text(encoding="utf-8")) != value:
        files.write_json(path, value)
    return name
