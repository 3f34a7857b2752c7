"""The loop on a fleet of a few clips: every stage real, every promise of the run's files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataengine import cycle, verbs
from dataengine.arm import Arm
from dataengine.config import Budget, Config
from dataengine.errors import ConfigError, UserError
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import read_parquet
from dataengine.stages import judging
from dataengine.workspace import Run, Workspace, lock
from tests.tiny import tiny_config

KEYS = {"arm", "seed", "cycle", "frames", "boxes", "seconds", "split", "slice", "metric", "value"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Config, list[Run]]:
    config = tiny_config(tmp_path_factory.mktemp("cycle") / "w")
    runs = verbs.cycle(config)
    return Workspace.open(Path(config.workspace or "")), config, runs


def labels(run: Run, number: int) -> FrameBoxes:
    return FrameBoxes.from_table(read_parquet(run.cycle(number) / "labels.parquet"))


def test_both_arms_finish_every_cycle_and_the_report_is_there(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, runs = finished
    assert [run.arm for run in runs] == ["random", "auto"]
    for run in runs:
        assert run.completed_cycles() == list(range(config.loop.cycles))
    assert "<html" in workspace.report_path.read_text()


def test_metrics_are_tidy_and_name_every_cost(finished: tuple[Workspace, Config, list[Run]]) -> None:
    _, _, runs = finished
    for run in runs:
        rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
        assert all(set(row) == KEYS for row in rows)
        assert {row["cycle"] for row in rows} == {0, 1}
        assert {"val", "test", "test_balanced"} <= {row["split"] for row in rows}
        assert {"ap50", "map50_95", "train_time_s"} <= {row["metric"] for row in rows}


def test_replicates_are_in_the_journal(finished: tuple[Workspace, Config, list[Run]]) -> None:
    _, config, runs = finished
    for run in runs:
        for number in range(config.loop.cycles):
            entry = run.entry(number, "evaluate")
            assert entry is not None
            assert f"cycles/{number}/replicates.parquet" in entry["files"]
            rows = read_parquet(run.cycle(number) / "replicates.parquet").to_pylist()
            assert {len(row["values"]) for row in rows} == {config.evaluate.bootstrap}


def test_every_seed_is_judged_on_the_same_resamples_of_the_drives(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, runs = finished
    truth = workspace.lake.truth(workspace.frames("test")["frame_id"].to_pylist())
    some = truth.filter(np.arange(truth.num_boxes) % 3 > 0)
    predictions = Predictions(
        boxes=some,
        class_scores=np.ones((some.num_boxes, len(workspace.taxonomy)), np.float32),
        embeddings=np.zeros((some.num_frames, 2), np.float32),
    )
    arm = Arm(name="random", workspace=workspace, config=config, run=runs[0])
    one, other = (
        judging.judge(replace(arm, config=replace(config, seed=seed)), "test", predictions) for seed in (0, 7)
    )
    assert one is not None
    assert other is not None
    assert repr(one.replicates.to_pylist()) == repr(other.replicates.to_pylist())
    assert len(set(one.replicates["values"][0].as_py())) > 1


def test_arms_share_the_seed_set_and_the_first_weights(finished: tuple[Workspace, Config, list[Run]]) -> None:
    _, _, (one, other) = finished
    for name in ("selection.parquet", "labels.parquet", "model.safetensors"):
        assert (one.cycle(0) / name).read_bytes() == (other.cycle(0) / name).read_bytes()
    assert json.loads((other.cycle(0) / "manifest.json").read_text())["arm"] == "auto"


@pytest.mark.parametrize("stages", range(1, 5))
def test_a_run_killed_while_it_took_over_cycle_0_takes_over_the_rest(
    stages: int, finished: tuple[Workspace, Config, list[Run]], tmp_path: Path
) -> None:
    workspace, config, runs = finished
    copy = shutil.copytree(workspace.root, tmp_path / "w", ignore=shutil.ignore_patterns("report", ".lock"))
    arm = Arm.open(Workspace.open(copy), replace(config, workspace=str(copy)), runs[1].arm)
    assert arm.run.run_id == runs[1].run_id
    journal = arm.run.folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)[:stages]
    journal.write_text("".join(lines))
    for name in ("metrics.jsonl", "cycles/0/manifest.json"):
        (arm.run.folder / name).unlink()
    cycle.adopt_start(arm)
    entries = journal.read_text().splitlines(keepends=True)
    assert entries[:stages] == lines
    assert [json.loads(line)["stage"] for line in entries] == list(cycle.STAGES)
    assert arm.run.completed_cycles()[0] == 0


def test_each_cycle_buys_within_the_budget_from_the_pool_alone(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, runs = finished
    pool = set(workspace.frames("pool")["frame_id"].to_pylist())
    for run in runs:
        before, after = set(labels(run, 0).frame_ids), set(labels(run, 1).frame_ids)
        assert before < after <= pool
        assert len(after) - len(before) == config.mine.budget.amount
        costs = json.loads((run.cycle(1) / "cost.json").read_text())
        assert costs["total"]["frames"] == len(after)


def test_the_training_set_holds_the_truth_of_the_bought_frames(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, _, runs = finished
    bought = labels(runs[0], 1)
    truth = workspace.lake.truth(list(bought.frame_ids))
    np.testing.assert_array_equal(bought.xyxy, truth.xyxy)


def test_a_second_call_changes_no_file(finished: tuple[Workspace, Config, list[Run]]) -> None:
    _, config, runs = finished
    before = {path: path.read_bytes() for run in runs for path in run.folder.rglob("*") if path.is_file()}
    verbs.cycle(config)
    after = {path: path.read_bytes() for run in runs for path in run.folder.rglob("*") if path.is_file()}
    assert before == after


def test_more_cycles_continue_the_same_run(finished: tuple[Workspace, Config, list[Run]]) -> None:
    workspace, config, runs = finished
    longer = replace(config, loop=replace(config.loop, cycles=3, baseline=None))
    first = (runs[1].cycle(1) / "model.safetensors").read_bytes()
    assert [run.run_id for run in cycle.run(workspace, longer)] == [runs[1].run_id]
    assert runs[1].completed_cycles() == [0, 1, 2]
    assert (runs[1].cycle(1) / "model.safetensors").read_bytes() == first


def test_verbs_go_around_one_by_one_and_say_what_comes_first(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, _ = finished
    alone = replace(config, mine=replace(config.mine, name="uncertainty"))
    with pytest.raises(UserError, match="dataengine mine mine=uncertainty"):
        verbs.run("train", alone)  # cycle 0 was taken over from the other arms
    for verb in ("mine", "label", "train", "evaluate"):
        verbs.run(verb, alone)
    arm = Arm.open(workspace, alone, "uncertainty")
    assert arm.run.completed_cycles() == [0, 1]
    with pytest.raises(UserError, match="dataengine mine"):
        verbs.run("label", alone)


def test_a_budget_beyond_the_pool_buys_the_pool_and_stops(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, _ = finished
    greedy = replace(
        config,
        mine=replace(config.mine, budget=Budget(amount=10_000), max_per_clip=0),
        curate=replace(config.curate, duplicate_bits=0),
        loop=replace(config.loop, cycles=4, baseline=None),
    )
    (run,) = cycle.run(workspace, greedy)
    assert labels(run, 1).num_frames <= workspace.frames("pool").num_rows
    assert len(run.completed_cycles()) < 4


def test_a_seed_set_larger_than_the_pool_is_the_users_to_mend(
    finished: tuple[Workspace, Config, list[Run]],
) -> None:
    workspace, config, _ = finished
    with pytest.raises(ConfigError, match=r"loop\.seed_frames=9999"):
        cycle.run(workspace, replace(config, loop=replace(config.loop, seed_frames=9999)))


def test_two_writers_cannot_share_a_workspace(finished: tuple[Workspace, Config, list[Run]]) -> None:
    from dataengine.errors import WorkspaceError

    workspace, config, _ = finished
    with lock(workspace.root), pytest.raises(WorkspaceError, match="in use by"):
        verbs.cycle(config)


def test_a_checkpoint_of_another_taxonomy_is_refused(finished: tuple[Workspace, Config, list[Run]]) -> None:
    from dataengine import learn
    from dataengine.errors import ModelError
    from dataengine.schema import Taxonomy

    workspace, config, runs = finished
    frames = workspace.frames("val")
    with pytest.raises(ModelError, match="tram"):
        learn.predict(
            workspace.image_paths(frames),
            frames["frame_id"].to_pylist(),
            checkpoint=runs[0].cycle(0) / "model.safetensors",
            taxonomy=Taxonomy(classes=("tram",)),
            model=config.model,
            compute=config.compute,
        )
