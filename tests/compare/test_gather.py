"""From runs on disk to tables: which belong together, and what each pick turned out to be."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from dataengine import verbs
from dataengine.arm import run_of
from dataengine.compare import gather, picks, plan
from dataengine.compare.tables import CELLS, PICKS, REPLICATES, Comparison
from dataengine.config import Config, EvaluateConfig
from dataengine.errors import WorkspaceError
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import read_parquet
from dataengine.workspace import Workspace

Finished = tuple[Path, Config, Comparison]


@pytest.fixture(scope="module")
def gathered(finished: Finished) -> gather.Gathered:
    folder, config, _ = finished
    return gather.gather(config, folder)


def rows(table, **where: object):  # type: ignore[no-untyped-def]
    for name, value in where.items():
        table = table.filter(pc.equal(table[name], value))
    return table


def test_the_tables_have_their_schemas(gathered: gather.Gathered) -> None:
    assert gathered.cells.schema.equals(CELLS)
    assert gathered.replicates.schema.equals(REPLICATES)
    assert gathered.picks.schema.equals(PICKS)
    assert set(gathered.arms) == {"random", "random@2", "class_balanced", "oracle", "all_labels"}


def test_cells_are_the_metrics_of_every_run(finished: Finished, gathered: gather.Gathered) -> None:
    folder, config, _ = finished
    chain = plan.build(config, folder).chains[-1]
    run = run_of(Workspace.open(chain.trial.root), chain.config, chain.arm)
    found = rows(gathered.cells, trial="s1", arm="oracle").to_pylist()
    assert len(found) == len(run.metrics())
    assert {(row["cycle"], row["frames"]) for row in found} == {(0, 10), (1, 16)}


def test_replicates_are_those_that_evaluation_wrote(gathered: gather.Gathered) -> None:
    found = rows(
        gathered.replicates, trial="s0", arm="random", cycle=1, slice="all", metric="ap50", split="test"
    )
    assert found.num_rows == 1
    assert len(found["values"][0]) == 5  # evaluate.bootstrap


def test_picks_are_described_by_what_was_bought(finished: Finished, gathered: gather.Gathered) -> None:
    folder = finished[0]
    found = rows(gathered.picks, trial="s1", arm="class_balanced").to_pylist()
    assert [row["rank"] for row in found] == list(range(6))
    workspace = Workspace.open(folder / "worlds" / "8")
    truth = workspace.lake.truth([row["frame_id"] for row in found])
    for number, row in enumerate(found):
        classes = truth.class_id[truth.rows(number)][~truth.ignore[truth.rows(number)]]
        assert row["class_counts"] == np.bincount(classes, minlength=5).tolist()
        assert dict(row["conditions"])["weather"] in {"clear", "rain", "fog"}
        assert row["frame_id"].startswith(row["clip_id"])
        assert 0 <= row["nearest"] <= 2
        # three steps of training find nothing, so a frame is wrong exactly where it holds an object
        assert row["had_error"] == (len(classes) > 0)
    assert rows(gathered.picks, cycle=0).num_rows == 0  # the seed set is given, not picked


def test_the_nearest_frame_is_another_pick_or_one_labelled_before() -> None:
    picked = np.array([[1, 0], [0, 3]], np.float32)
    earlier = np.array([[0, 2]], np.float32)
    np.testing.assert_allclose(picks.nearest(picked, earlier), [1, 0], atol=1e-6)
    np.testing.assert_allclose(picks.nearest(picked, earlier[:0]), [1, 1], atol=1e-6)
    assert np.isnan(picks.nearest(picked[:1], earlier[:0])).all()
    assert picks.nearest(picked[:0], earlier).shape == (0,)


def test_blocks_do_not_change_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    picked, earlier = rng.normal(size=(23, 4)).astype(np.float32), rng.normal(size=(9, 4)).astype(np.float32)
    whole = picks.nearest(picked, earlier)
    monkeypatch.setattr(picks, "_BLOCK", 5)
    np.testing.assert_allclose(picks.nearest(picked, earlier), whole, rtol=1e-5)


def test_other_settings_are_left_out(finished: Finished) -> None:
    folder, config, _ = finished
    other = replace(config, train=replace(config.train, steps=4))
    with pytest.raises(WorkspaceError, match="no finished cell of these settings"):
        gather.gather(other, folder)
    fuller = replace(config, compare=replace(config.compare, full_steps=7))
    assert "all_labels" not in gather.gather(fuller, folder).arms


def test_a_half_finished_cell_is_left_out(finished: Finished, tmp_path: Path) -> None:
    """Killed between the manifest and the journal: the figures are not written yet, and nothing is read."""
    folder, config, _ = finished
    shutil.copytree(folder, tmp_path / "c")
    (run,) = (tmp_path / "c" / "worlds" / "7" / "runs").glob("oracle-s0-*")
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(line for line in lines if json.loads(line)["cycle"] == 0))
    found = gather.gather(replace(config, workspace=str(tmp_path / "c")), tmp_path / "c")
    assert set(rows(found.cells, trial="s0", arm="oracle")["cycle"].to_pylist()) == {0}
    assert rows(found.picks, trial="s0", arm="oracle").num_rows == 0
    assert rows(found.picks, trial="s1", arm="oracle").num_rows == 6


def test_models_of_other_classes_are_one_line(finished: Finished, tmp_path: Path) -> None:
    folder, config, _ = finished
    shutil.copytree(folder, tmp_path / "c")
    path = (
        next((tmp_path / "c" / "worlds" / "7" / "runs").glob("oracle-s0-*"))
        / "cycles"
        / "1"
        / "manifest.json"
    )
    path.write_text(path.read_text().replace('"cone"', '"tram"'))
    with pytest.raises(WorkspaceError, match=r"knows car, .* tram, but the comparison is of .* cone"):
        gather.gather(config, tmp_path / "c")


def test_report_makes_the_page_of_a_comparison_again(finished: Finished) -> None:
    folder, _, comparison = finished
    page = folder / "report" / "index.html"
    before = page.read_text()
    page.unlink()
    assert verbs.report(Config(workspace=str(folder))) == page
    assert page.read_text() == before
    assert comparison.headline in before.replace("&#39;", "'")


def test_had_error_needs_a_model_that_is_wrong(tmp_path: Path) -> None:
    """A run written by hand: the picked frame's one object is found, or not."""
    from dataengine.lake import write_parquet
    from dataengine.schema import SELECTION
    from dataengine.workspace import Run

    run = Run(tmp_path / "r")
    labels = FrameBoxes.build(["a", "b"], [1, 1], [[0, 0, 10, 10], [5, 5, 20, 20]], [0, 1])
    rows_ = [("a", 1, 1, 0.0, "x", "y"), ("b", 1, 0, 0.0, "z", "y")]
    selection = [dict(zip(SELECTION.names, row, strict=True)) for row in rows_]
    import pyarrow as pa

    write_parquet(run.cycle(1) / "selection.parquet", pa.Table.from_pylist(selection, SELECTION))
    write_parquet(run.cycle(1) / "labels.parquet", labels.to_table())
    write_parquet(run.cycle(0) / "labels.parquet", labels.take([]).to_table())
    found = FrameBoxes.build(["b", "a"], [1, 1], [[5, 5, 20, 20], [0, 0, 10, 10]], [1, 1], score=[0.9, 0.9])
    predictions = Predictions(
        boxes=found, class_scores=np.zeros((2, 2), np.float32), embeddings=np.eye(2, dtype=np.float32)
    )
    write_parquet(run.cycle(0) / "predictions.parquet", predictions.to_table())
    frames = pa.table(
        {
            "frame_id": ["b", "a"],
            "clip_id": ["cb", "ca"],
            "drive_id": ["d", "d"],
            "conditions": pa.array([[("weather", "fog")], []], pa.map_(pa.string(), pa.string())),
        }
    )
    described = picks.describe(run, 1, frames, num_classes=2, judging=EvaluateConfig()).to_pylist()
    assert [(row["frame_id"], row["clip_id"], row["trigger"]) for row in described] == [
        ("b", "cb", "z"),
        ("a", "ca", "x"),
    ]
    assert [row["had_error"] for row in described] == [False, True]  # a's class was taken for another
    assert [row["class_counts"] for row in described] == [[0, 1], [1, 0]]
    assert read_parquet(run.cycle(1) / "selection.parquet").num_rows == 2
