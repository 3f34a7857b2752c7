"""What a comparison leaves on disk: shared starts, equal costs, and nothing done twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dataengine import verbs
from dataengine.arm import run_of
from dataengine.compare import plan, running, settings
from dataengine.compare.tables import Comparison
from dataengine.config import Budget, BudgetUnit, Config
from dataengine.errors import ConfigError, UserError, WorkspaceError
from dataengine.workspace import Run, Workspace, lock
from tests.compare.tiny_compare import tiny_compare

Finished = tuple[Path, Config, Comparison]


def runs(folder: Path, config: Config) -> dict[str, Run]:
    return {
        str(chain): run_of(Workspace.open(chain.trial.root), chain.config, chain.arm)
        for chain in plan.build(config, folder).chains
    }


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("worlds/*/runs/**/*") if path.is_file()}


def test_every_chain_has_its_cycles_and_each_trial_its_world(finished: Finished) -> None:
    folder, config, _ = finished
    found = runs(folder, config)
    assert list(found) == [
        "s0 random",
        "s0 random@2",
        "s1 random",
        "s1 random@2",
        "s0 all_labels",
        "s0 class_balanced",
        "s0 oracle",
        "s1 class_balanced",
        "s1 oracle",
    ]
    assert all(run.completed_cycles() == [0, 1] for run in found.values())
    worlds = [Workspace.open(folder / "worlds" / name).fingerprint for name in ("7", "8")]
    assert worlds[0] != worlds[1]


def test_arms_of_a_trial_share_their_start_and_trials_do_not(finished: Finished) -> None:
    folder, config, _ = finished
    starts = {
        name: (run.cycle(0) / "model.safetensors").read_bytes() for name, run in runs(folder, config).items()
    }
    assert len({content for name, content in starts.items() if name.startswith("s0")}) == 1
    assert len(set(starts.values())) == 2


def test_two_draws_of_the_baseline_buy_different_frames_at_the_same_cost(finished: Finished) -> None:
    folder, config, _ = finished
    found = runs(folder, config)
    once, again = found["s0 random"].cycle(1), found["s0 random@2"].cycle(1)
    assert (once / "selection.parquet").read_bytes() != (again / "selection.parquet").read_bytes()
    frames = [json.loads((one / "cost.json").read_text())["bought"]["frames"] for one in (once, again)]
    assert frames == [6, 6]


def test_all_labels_buys_the_pool_and_trains_longer_in_cycle_1_alone(finished: Finished) -> None:
    folder, config, _ = finished
    run = runs(folder, config)["s0 all_labels"]
    steps = [json.loads((run.cycle(number) / "fit.json").read_text())["steps"] for number in (0, 1)]
    assert steps == [3, 12]
    pool = Workspace.open(folder / "worlds" / "7").frames("pool").num_rows
    assert json.loads((run.cycle(1) / "cost.json").read_text())["total"]["frames"] == pool


def test_longer_training_of_all_labels_is_another_run_of_that_ceiling_alone(finished: Finished) -> None:
    folder, config, _ = finished
    longer = replace(config, compare=replace(config.compare, full_steps=8))
    before, after = runs(folder, config), runs(folder, longer)
    assert [name for name in before if before[name].run_id != after[name].run_id] == ["s0 all_labels"]


def test_a_second_call_runs_nothing_again(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataengine import learn

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a finished cell is trained again")

    folder, config, before = finished
    there = files_of(folder)
    monkeypatch.setattr(learn, "fit", refuse, raising=False)
    assert verbs.compare(config).headline == before.headline
    assert files_of(folder) == there


def test_arms_of_a_later_command_join_the_comparison(finished: Finished, tmp_path: Path) -> None:
    import shutil

    folder, config, _ = finished
    shutil.copytree(folder, tmp_path / "c")
    later = replace(
        config,
        workspace=str(tmp_path / "c"),
        compare=replace(config.compare, arms=["every_kth"], seeds=[0], noise=False),
    )
    comparison = verbs.compare(later)
    assert comparison.arms == ("random", "class_balanced", "oracle", "all_labels", "every_kth", "random@2")
    assert comparison.trials == ("s0", "s1")
    assert settings.recall(tmp_path / "c").compare.arms == [
        "class_balanced",
        "oracle",
        "all_labels",
        "every_kth",
    ]


def test_a_pool_that_runs_out_ends_every_chain_early(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last batch buys what is left; the cycle after it has nothing to buy."""
    config = tiny_compare(tmp_path / "c", loop={"cycles": 3}, seeds=[0], noise=False)
    config = replace(
        config,
        mine=replace(config.mine, budget=Budget(amount=1000), max_per_clip=0),
        curate=replace(config.curate, duplicate_bits=0),
    )
    verbs.compare(config)
    for run in runs(tmp_path / "c", config).values():
        pool = Workspace.open(tmp_path / "c" / "worlds" / "7").frames("pool").num_rows
        assert json.loads((run.cycle(1) / "cost.json").read_text())["total"]["frames"] == pool
        assert run.completed_cycles() == [0, 1]
    assert "2 cycles done of 3: nothing was left to buy" in capsys.readouterr().err


def test_a_budget_too_small_for_any_frame_is_said(tmp_path: Path) -> None:
    config = tiny_compare(tmp_path / "c", seeds=[0], noise=False)
    budget = Budget(amount=0.5, unit=BudgetUnit.seconds)  # to open one frame takes longer
    with pytest.raises(UserError, match="no arm but random has bought anything"):
        verbs.compare(replace(config, mine=replace(config.mine, budget=budget)))


def test_a_seed_set_that_leaves_nothing_is_refused_before_a_fit(finished: Finished) -> None:
    folder, config, _ = finished
    with pytest.raises(ConfigError, match=r"loop\.seed_frames=500"):
        verbs.compare(replace(config, loop=replace(config.loop, seed_frames=500)))
    assert settings.recall(folder).loop.seed_frames == 10


def test_one_writer_at_a_time(finished: Finished) -> None:
    folder, config, _ = finished
    for root in (folder, folder / "worlds" / "8"):
        with lock(root), pytest.raises(WorkspaceError, match="in use by"):
            verbs.compare(config)


def test_a_workspace_is_not_made_into_a_comparison(finished: Finished) -> None:
    folder, config, _ = finished
    with pytest.raises(ConfigError, match="is a workspace"):
        verbs.compare(replace(config, workspace=str(folder / "worlds" / "7")))


def test_processes_share_out_the_threads(monkeypatch: pytest.MonkeyPatch, finished: Finished) -> None:
    folder, config, _ = finished
    seen: list[tuple[int, int]] = []

    def remember(function: object, jobs: list[running._Job], *, workers: int) -> list[str]:
        seen.extend((workers, job.compute.threads) for job in jobs)
        return []

    monkeypatch.setattr(running.executor, "ordered_map", remember)
    for threads, processes in ((2, 0), (8, 2), (40, 0), (2, 3)):
        compute = replace(config.compute, threads=threads)
        wanted = replace(config, compute=compute, compare=replace(config.compare, processes=processes))
        running.run(plan.build(wanted, folder))
    # one thread each on two cores; nine chains are all that there is for forty; more processes than threads
    assert list(dict.fromkeys(seen)) == [(2, 1), (2, 4), (9, 4), (3, 1)]
