"""Workspaces that are unfinished, cut down, damaged or very large still give an honest page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from dataengine import report
from dataengine.config import TrainConfig
from dataengine.errors import WorkspaceError
from dataengine.lake import read_parquet, write_parquet
from dataengine.schema import SELECTION
from dataengine.workspace import Workspace, read_jsonl
from tests.report.pages import Page
from tests.report.synthetic import synthetic_workspace, write_run

SMALL = {"pool": 6, "val": 3, "test": 4}


def build(workspace: Workspace) -> Page:
    page = Page(report.build(workspace).read_text(encoding="utf-8"))
    assert page.open_tags == []
    return page


def test_no_run_at_all(tmp_path: Path) -> None:
    page = build(synthetic_workspace(tmp_path / "w", seeds=(), clips=SMALL))
    assert "No run has finished a cycle yet" in page.words
    assert "Frames of each split" in page.words


def test_one_arm_and_one_cycle(tmp_path: Path) -> None:
    page = build(
        synthetic_workspace(tmp_path / "w", arms=("class_balanced",), cycles=1, clips=SMALL, batch=15)
    )
    assert "with 15 labelled frames class_balanced scored tail AP50" in page.words
    assert "There is one arm, so nothing to compare it with." in page.words
    assert "difference" not in page.words
    assert "No boxes were bought after the seed set." in page.words


def test_several_seeds_are_averaged_and_still_prove_little(tmp_path: Path) -> None:
    page = build(synthetic_workspace(tmp_path / "w", seeds=(0, 1, 2), clips=SMALL, batch=15))
    assert (
        "3 seeds prove little; in these, with 45 labelled frames class_balanced scored mean tail"
        in page.words
    )
    thin = [line for line in page.all("polyline") if (line.get("class") or "").startswith("thin ")]
    assert len(thin) % 6 == 0
    assert thin
    assert not [area for area in page.all("polygon") if (area.get("class") or "").startswith("band ")]


def test_five_seeds_claim_nothing_either(tmp_path: Path) -> None:
    page = build(synthetic_workspace(tmp_path / "w", seeds=(0, 1, 2, 3, 4), clips=SMALL, batch=9))
    assert "Over 5 seeds, without the paired intervals that a claim needs: " in page.words
    assert "This page draws no winner" in page.words


def test_an_unfinished_arm_counts_with_what_it_finished(small: Workspace) -> None:
    run = next(run for run in small.runs() if run.arm == "random")
    (run.cycle(2) / "manifest.json").unlink()
    page = build(small)
    assert "Unfinished: random (seed 0) has finished 2 of 3 cycles." in page.words
    assert "with 30 labelled frames" in page.words


def test_a_run_that_has_not_finished_a_cycle_is_named(small: Workspace) -> None:
    run = next(run for run in small.runs() if run.arm == "random")
    shutil.rmtree(run.folder / "cycles")
    page = build(small)
    assert "random (seed 0) has finished 0 of 3 cycles" in page.words
    assert "There is one arm" in page.words


def test_an_empty_pool_ends_a_run_without_it_being_unfinished(small: Workspace) -> None:
    for run in small.runs():
        (run.cycle(2) / "manifest.json").unlink()
        (run.cycle(2) / "cost.json").write_text('{"bought": {"frames": 0}}')
    assert "Unfinished" not in build(small).words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("selection.parquet", "selection.parquet or labels.parquet of this cycle is missing"),
        ("labels.parquet", "selection.parquet or labels.parquet of this cycle is missing"),
        ("mistakes.parquet", "mistakes.parquet is missing"),
        ("losses.jsonl", "losses.jsonl is missing"),
        ("predictions.parquet", "What was mined"),
        ("errors.parquet", "What was mined"),
    ],
)
def test_a_missing_file_leaves_the_rest_of_the_page(small: Workspace, name: str, said: str) -> None:
    for path in small.root.glob(f"runs/*/cycles/*/{name}"):
        path.unlink()
    assert said in build(small).words


def test_a_damaged_table_is_one_clear_line(small: Workspace) -> None:
    path = next(small.root.glob("runs/*/cycles/2/mistakes.parquet"))
    path.write_bytes(b"PAR1")
    with pytest.raises(WorkspaceError, match=r"mistakes\.parquet"):
        report.build(small)


def test_a_damaged_manifest_is_one_clear_line(small: Workspace) -> None:
    next(small.root.glob("runs/*/cycles/2/manifest.json")).write_text("{")
    with pytest.raises(WorkspaceError, match=r"manifest\.json is damaged"):
        report.build(small)


def test_a_cycle_that_mined_nothing(small: Workspace) -> None:
    for run in small.runs():
        write_parquet(run.cycle(2) / "selection.parquet", SELECTION.empty_table())
    assert "No frame was bought in this cycle." in build(small).words


def test_picks_beyond_the_budget_are_counted_and_not_shown(small: Workspace) -> None:
    run = next(run for run in small.runs() if run.arm == "class_balanced")
    path = run.cycle(2) / "labels.parquet"
    labels, selection = read_parquet(path), read_parquet(run.cycle(2) / "selection.parquet")
    unbought = selection["frame_id"][0].as_py()
    write_parquet(path, labels.filter(pa.compute.not_equal(labels["frame_id"], unbought)))
    words = build(small).words
    assert "14 frames bought by class:cyclist. 1 more pick did not fit the budget." in words
    assert f"Frame {unbought}:" not in words


def test_of_many_cycles_the_seed_set_and_the_latest_are_pictured(tmp_path: Path) -> None:
    page = build(synthetic_workspace(tmp_path / "w", cycles=20, clips={**SMALL, "pool": 9}, batch=4))
    assert "every arm · seed set" in page.words
    assert "class_balanced · cycle 19 4 frames bought" in page.words
    assert "random · cycle 1 4 frames bought" not in page.words
    assert "7 more galleries are left out here" in page.words
    assert len(page.all("img")) < 200


def test_images_that_are_gone_leave_a_note(small: Workspace) -> None:
    shutil.rmtree(small.root / "media")
    page = build(small)
    assert "image not readable" in page.words
    assert page.all("img") == []


def test_hundreds_of_classes_are_cut_and_counted(tmp_path: Path) -> None:
    names = tuple(f"kind-{number:03d}" for number in range(300))
    page = build(synthetic_workspace(tmp_path / "w", classes=names, clips=SMALL, batch=20))
    assert "260 more classes are left out here; all of them are in metrics.jsonl." in page.words
    assert "275 classes with fewer boxes left out here." in page.words
    assert page.words.count("kind-299") == 0


def test_runs_with_other_settings_are_not_seeds_of_one_another(small: Workspace) -> None:
    truth = small.lake.truth(small.frames()["frame_id"].to_pylist())
    write_run(small, truth, "random", 1, 3, 15, steps=50)
    words = build(small).words
    assert "random (train.steps=50)" in words
    assert f"random (train.steps={TrainConfig().steps})" in words
    assert "no fair comparison: train.steps" in words


def test_only_the_named_runs_are_reported(small: Workspace) -> None:
    run = next(run for run in small.runs() if run.arm == "random")
    page = Page(report.build(small, [run]).read_text(encoding="utf-8"))
    assert "class_balanced · cycle" not in page.words
    assert "random · cycle 2" in page.words


def test_models_that_hardly_learned_are_not_compared(small: Workspace) -> None:
    for run in small.runs():
        path = run.folder / "metrics.jsonl"
        rows = read_jsonl(path)
        for row in rows:
            if row["metric"].startswith("ap50") and row["value"] is not None:
                row["value"] /= 20
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "models that have hardly learned cannot be compared" in build(small).words
