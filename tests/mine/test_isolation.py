"""No mining code can read labels that were not bought."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dataengine.mine
from dataengine import label, mine, pooling
from dataengine.errors import WorkspaceError
from dataengine.lake import read_parquet
from dataengine.schema import POOL, VAL
from dataengine.workspace import Workspace
from tests.factory import tiny_workspace
from tests.mine.pools import nothing_known, pick

FOLDER = Path(dataengine.mine.__file__).parent
MAY_IMPORT = {"boxes", "config", "errors", "schema", "frameboxes", "mine"}
"""Records and schemas. Nothing that knows where files are."""

MAY_USE = {
    "numpy",
    "pyarrow",
    "bisect",
    "collections",
    "dataclasses",
    "difflib",
    "enum",
    "functools",
    "itertools",
    "math",
    "re",
    "types",
    "typing",
}
MAY_ALSO_USE = {"plugged.py": {"importlib"}}
"""It finds the packages that bring an arm."""

READS_FILES = {
    "open",
    "exec",
    "eval",
    "__import__",
    "memory_map",
    "parquet",
    "dataset",
    "feather",
    "csv",
    "fs",
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            module = node.module or ""
            found |= {f"{module}.{name.name}" for name in node.names} if module == "dataengine" else {module}
    return found - {"__future__"}


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_a_mining_file_imports_records_alone(path: Path) -> None:
    for module in imports(path):
        root, *rest = module.split(".")
        allowed = MAY_USE | MAY_ALSO_USE.get(path.name, set())
        assert rest and rest[0] in MAY_IMPORT if root == "dataengine" else root in allowed, (
            f"{path.name}: {module}"
        )


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_a_mining_file_calls_nothing_that_reads_files(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & READS_FILES


def test_importing_mining_loads_nothing_that_reads_the_lake() -> None:
    code = "import sys, dataengine.mine; print(*[m for m in sys.modules if m.startswith('dataengine.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[1] for name in done.stdout.split()}
    assert loaded == MAY_IMPORT


def val_of(workspace: Workspace) -> mine.Known:
    """Val and its labels, which an arm may see."""
    frames = workspace.frames(VAL)
    ids = frames["frame_id"].to_pylist()
    path = workspace.runs()[0].cycle(1) / "predictions.parquet"
    predictions = pooling.read_predictions(path, len(workspace.taxonomy))
    return mine.Known(frames=frames, truth=workspace.lake.truth(ids), predictions=predictions.select(ids))


def pool_of(workspace: Workspace, val: mine.Known) -> mine.Pool:
    """The pool as the loop builds it after cycle 1, with all that an arm may ask for."""
    cycle = workspace.runs()[0].cycle(1)
    predictions = pooling.read_predictions(cycle / "predictions.parquet", len(workspace.taxonomy))
    labelled = set(read_parquet(cycle / "labels.parquet")["frame_id"].to_pylist())
    frames = workspace.frames(POOL)
    keep = [frame_id not in labelled for frame_id in frames["frame_id"].to_pylist()]
    return mine.Pool(
        frames=frames.filter(pa.array(keep)),
        predictions=predictions,
        labelled_embeddings=np.eye(3, predictions.embeddings.shape[1], dtype=np.float32),
        labelled_class_counts=np.arange(len(workspace.taxonomy)),
        classes=workspace.taxonomy.classes,
        labelled=nothing_known(predictions.embeddings.shape[1], len(workspace.taxonomy)),
        val=val,
        views={need.value: predictions for need in mine.VIEWS},
    )


def test_a_pick_is_the_same_where_the_truth_is_unreadable(tmp_path: Path) -> None:
    workspace = tiny_workspace(tmp_path / "work")
    val = val_of(workspace)
    before = {arm: pick(pool_of(workspace, val), arm, 8).to_pylist() for arm in mine.ARMS}

    for part in workspace.lake.parts("oracle"):
        part.write_bytes(b"not for miners")
    with pytest.raises(WorkspaceError, match="not a readable Parquet table"):
        label.Oracle(workspace.lake).label(["clip000/000000"])  # the truth is gone indeed

    workspace = Workspace.open(tmp_path / "work")
    assert {arm: pick(pool_of(workspace, val), arm, 8).to_pylist() for arm in mine.ARMS} == before
    assert all(len(rows) == 8 for rows in before.values())
