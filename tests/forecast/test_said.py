"""What ``dataengine mine`` says before labels are paid for: the arm's forecast and the baseline's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataengine.arm import Arm
from dataengine.config import Config
from dataengine.stages import mining
from dataengine.workspace import Workspace
from tests.report.synthetic import synthetic_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return synthetic_workspace(tmp_path / "w", arms=(), clips={"pool": 2, "val": 1, "test": 1})


def arm(workspace: Workspace, name: str, *values: float) -> Arm:
    """An arm with so many finished cycles, of which only costs and the tail's AP50 are there."""
    opened = Arm.open(workspace, Config(), name)
    for cycle, value in enumerate(values):
        frames = 150 + 120 * cycle
        folder = opened.run.cycle(cycle)
        folder.mkdir(parents=True, exist_ok=True)
        total = {"frames": frames, "boxes": 4 * frames, "seconds": 9.0 * frames}
        (folder / "cost.json").write_text(json.dumps({"bought": total, "total": total}))
        row: dict[str, Any] = {"cycle": cycle, "split": "val", "slice": "tail", "metric": "ap50"}
        opened.run.write_metrics(cycle, [{**row, "frames": frames, "value": value}])
    return opened


def test_both_arms_are_forecast_from_the_start_that_they_share(workspace: Workspace) -> None:
    chosen, baseline = mining.expected(arm(workspace, "class_balanced", 0.4), 1)
    assert chosen.startswith("class_balanced: 120 more frames should bring tail AP50 0.40 to ")
    assert baseline.startswith("random: 120 more frames should bring tail AP50 0.40 to ")


def test_the_baseline_s_own_run_is_used_where_it_is_there(workspace: Workspace) -> None:
    arm(workspace, "random", 0.4, 0.44)
    chosen, baseline = mining.expected(arm(workspace, "class_balanced", 0.4, 0.5), 2)
    assert "tail AP50 0.50 to " in chosen
    assert "tail AP50 0.44 to " in baseline


def test_the_baseline_says_it_once_and_a_ceiling_nothing(workspace: Workspace) -> None:
    assert len(mining.expected(arm(workspace, "random", 0.4), 1)) == 1
    assert mining.expected(arm(workspace, "oracle", 0.4), 1) == []


def test_without_figures_nothing_is_said(workspace: Workspace) -> None:
    assert mining.expected(arm(workspace, "class_balanced", float("nan")), 1) == []
