"""The forecast on the report, and the signs that its advice rests on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from dataengine import report
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import read_parquet, write_parquet
from dataengine.report.data import gather
from dataengine.report.outlook import forecasts
from dataengine.report.signs import loss_fall, signs
from dataengine.workspace import Workspace
from tests.report.pages import Page
from tests.report.synthetic import synthetic_workspace


def test_every_arm_has_a_forecast_of_its_next_cycle(page: Page) -> None:
    words = page.words.partition("What the next batch would gain")[2].partition("What to do next")[0]
    for arm in ("random", "class_balanced"):
        for name in ("tail AP50", "AP50", "mAP50-95"):
            assert f"{arm} · {name} 480 0." in words
    assert "made on val, so that the test stays a judge" in words
    assert "Where the next money is best spent, by class_balanced" in words


def test_one_cycle_is_enough_and_the_miner_s_is_wider(tmp_path: Path) -> None:
    clips = {"pool": 6, "val": 3, "test": 4}
    workspace = synthetic_workspace(tmp_path / "w", cycles=1, clips=clips, batch=15)
    arms = gather(workspace).arms
    blind, mined = (forecasts(arm)[0].forecast for arm in arms)
    assert blind.is_known
    assert mined.gain_upper - mined.gain_lower > blind.gain_upper - blind.gain_lower


def test_without_figures_the_section_says_so(small: Workspace) -> None:
    for run in small.runs():
        path = run.folder / "metrics.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [row for row in rows if row["slice"] not in ("all", "tail")]
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
    words = Page(report.build(small).read_text(encoding="utf-8")).words
    assert "No figure was measured that could be continued." in words


@pytest.mark.parametrize(
    ("losses", "fall"),
    [
        ([1.0] * 80 + [1.0] * 10 + [0.9] * 10, 0.1),
        ([1.0] * 100, 0.0),
        ([1.0] * 9, math.nan),  # less than ten steps
        ([0.0] * 100, math.nan),
    ],
)
def test_the_fall_of_the_loss_at_its_end(small: Workspace, losses: list[float], fall: float) -> None:
    record = gather(small).arms[0].runs[0]
    rows = [{"step": step, "loss": loss} for step, loss in enumerate(losses)]
    (record.run.cycle(2) / "losses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert loss_fall(record, 2) == pytest.approx(fall, nan_ok=True)


def test_signs_are_silent_where_the_pool_was_not_predicted(small: Workspace) -> None:
    gathered = gather(small)
    found = signs(gathered, gathered.arms[1].runs[0], 2)
    assert math.isnan(found.labelled_ap)
    assert math.isnan(found.nearest)
    assert found.rare_left == {}
    assert 0 < found.val_ap < 1


def test_signs_of_a_model_that_knows_what_it_was_shown(small: Workspace) -> None:
    """Predictions are the truth, and embeddings turn by one degree from frame to frame of the pool."""
    gathered = gather(small)
    record = gathered.arms[1].runs[0]
    ids = sorted(small.frames()["frame_id"].to_pylist())
    truth = small.lake.truth(ids)
    angle = np.radians(np.arange(truth.num_frames))
    score = np.full(truth.num_boxes, 0.9)
    boxes = FrameBoxes.build(truth.frame_ids, truth.counts, truth.xyxy, truth.class_id, score=score)
    predictions = Predictions(
        boxes=boxes,
        class_scores=np.zeros((truth.num_boxes, 5), np.float32),
        embeddings=np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32),
    )
    write_parquet(record.run.cycle(2) / "predictions.parquet", predictions.to_table())
    found = signs(gathered, record, 2)
    assert found.labelled_ap == pytest.approx(1.0)
    labels = FrameBoxes.from_table(read_parquet(record.run.cycle(2) / "labels.parquet"))
    pool = small.lake.truth(small.frames("pool")["frame_id"].to_pylist())
    cyclist = small.taxonomy.index("cyclist")
    labelled = int((labels.class_id == cyclist).sum())
    assert found.rare_left["cyclist"] == (int((pool.class_id == cyclist).sum()) - labelled, labelled)

    place = {frame_id: row for row, frame_id in enumerate(ids)}
    picks = [
        read_parquet(record.run.cycle(c) / "selection.parquet")["frame_id"].to_pylist() for c in range(3)
    ]
    degrees = [min(abs(place[a] - place[b]) for b in picks[0] + picks[1]) for a in picks[2]]
    assert found.nearest == pytest.approx(np.mean(1 - np.cos(np.radians(degrees))), abs=1e-6)
    first = [min(abs(place[a] - place[b]) for b in picks[0]) for a in picks[1]]
    assert found.first_nearest == pytest.approx(np.mean(1 - np.cos(np.radians(first))), abs=1e-6)
