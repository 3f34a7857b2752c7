"""The page of a comparison: what was found in its first sentence, and all that stands behind it."""

from __future__ import annotations

from pathlib import Path

from dataengine.compare.tables import Comparison


def build(found: Comparison, path: Path) -> Path:
    """Write the page; the same comparison gives the same bytes.

    Args:
        found: What to report; tables that are missing are said not to have been measured.
        path: The file to write.

    Returns:
        ``path``. The page loads nothing: styles and figures are inside.

    Raises:
        WorkspaceError: It cannot be written.
    """
    from dataengine import files
    from dataengine.report.comparison.page import render

    files.write_text(path, render(found))
    return path
