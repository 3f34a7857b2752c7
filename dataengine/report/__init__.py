"""The report: one self-contained page that says what a run showed, and what it did not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dataengine.workspace import Run, Workspace


def build(workspace: Workspace, runs: Sequence[Run] | None = None) -> Path:
    """Write ``<workspace>/report/index.html``; the same inputs give the same bytes.

    Args:
        workspace: An ingested workspace.
        runs: Runs to report; every run on disk when not given. Cycles that are not finished are left
            out, and the page says so.

    Returns:
        Path of the page. It loads nothing: styles, figures and pictures are inside.

    Raises:
        WorkspaceError: A table of a run is damaged, or the page cannot be written.
    """
    from dataengine import files
    from dataengine.report.data import gather
    from dataengine.report.page import render

    files.write_text(workspace.report_path, render(gather(workspace, runs)))
    return workspace.report_path
