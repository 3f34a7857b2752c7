"""Trials and chains, their order, and what is refused before anything is rendered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataengine import verbs
from dataengine.compare import plan
from dataengine.config import (
    Budget,
    BudgetUnit,
    CompareConfig,
    Config,
    DatasetConfig,
    LabelConfig,
    LoopConfig,
    MineConfig,
    TrainConfig,
)
from dataengine.errors import ConfigError
from tests.tiny import tiny_config

FOLDER = Path("work/c")


def config(
    compare: dict[str, object] | None = None, loop: dict[str, object] | None = None, **groups: object
) -> Config:
    return Config(
        compare=CompareConfig(**{"arms": ["class_balanced"], "seeds": [0, 1], **(compare or {})}),  # type: ignore[arg-type]
        loop=LoopConfig(**(loop or {})),  # type: ignore[arg-type]
        **groups,  # type: ignore[arg-type]
    )


def chains(settings: Config) -> list[tuple[str, int]]:
    return [(str(chain), chain.cycles) for chain in plan.build(settings, FOLDER).chains]


def test_the_noise_floor_comes_first_then_trial_by_trial_the_longest_first() -> None:
    settings = config(
        {"arms": ["class_balanced", "all_labels"], "baseline_cycles": 4, "full_steps": 4}, {"cycles": 3}
    )
    assert chains(settings) == [
        ("s0 random", 4),
        ("s0 random@2", 4),
        ("s1 random", 4),
        ("s1 random@2", 4),
        ("s0 all_labels", 2),  # four fits long; for one seed alone
        ("s0 class_balanced", 3),
        ("s1 class_balanced", 3),
    ]
    # two first fits, 4 x 3 of the floor, one of four times the steps, 2 x 2
    assert plan.build(settings, FOLDER).num_fits == 2 + 12 + 4 + 4


def test_the_baseline_named_among_the_arms_runs_once() -> None:
    settings = config({"arms": ["random", "random@2", "coverage"], "seeds": [3]})
    assert [name for name, _ in chains(settings)] == ["s3 random", "s3 random@2", "s3 coverage"]


def test_without_noise_the_baseline_is_drawn_once() -> None:
    assert [name for name, _ in chains(config({"noise": False, "seeds": [0]}))] == [
        "s0 random",
        "s0 class_balanced",
    ]


def test_trials_share_a_workspace_unless_each_has_its_world() -> None:
    shared = plan.build(config({"seeds": [0, 4]}), FOLDER)
    assert shared.roots == (FOLDER / "data",)
    own = plan.build(config({"seeds": [0, 4], "world_per_seed": True}), FOLDER)
    assert own.roots == (FOLDER / "worlds" / "7", FOLDER / "worlds" / "11")
    assert [trial.config.dataset.world.seed for trial in own.trials] == [7, 11]
    assert [trial.config.seed for trial in own.trials] == [0, 4]
    assert not any(trial.config.loop.fiftyone for trial in own.trials)
    assert config({"seeds": [0, 4]}).dataset.world.seed == 7  # the settings themselves are left alone


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        # misspelt: the nearest names, ceilings among them
        (lambda: config({"arms": ["class_balancd"]}), ["class_balancd", "class_balanced"]),
        (lambda: config({"arms": ["orakle"]}), ["orakle", "oracle"]),
        (lambda: config({"baseline": "randon"}), ["compare.baseline", "random"]),
        (lambda: config({"arms": ["Random!"]}), ["Random!", "MINER@2"]),
        # a ceiling has one draw, is no baseline, and all labels leave nothing for pseudo-labels
        (lambda: config({"arms": ["oracle@2"]}), ["oracle@2", "write oracle"]),
        (lambda: config({"arms": ["all_labels+pseudo"]}), ["write all_labels"]),
        (
            lambda: config({"arms": ["coverage+plain"]}, train=TrainConfig(repeat_threshold=0)),
            ["coverage+plain", "write coverage"],
        ),
        (lambda: config({"baseline": "oracle"}), ["compare.baseline=oracle"]),
        # nothing to compare
        (lambda: config({"arms": [], "noise": False}), ["compare.arms"]),
        (lambda: config(loop={"cycles": 1}), ["loop.cycles=1"]),
        (lambda: config({"baseline_cycles": 2}, {"cycles": 3}), ["compare.baseline_cycles=2"]),
        (lambda: config(mine=MineConfig(budget=Budget(amount=0))), ["mine.budget.amount", "0 frames"]),
        (lambda: config(mine=MineConfig(budget=Budget(amount=0.5))), ["0.5 frames"]),
        (lambda: config(loop={"batches": [5, 0]}), ["loop.batches=[5, 0]", "cycle 2"]),
        # a seed or an arm twice
        (lambda: config({"seeds": [1, 2, 1]}), ["compare.seeds", "1 twice"]),
        (lambda: config({"arms": ["coverage", "coverage"]}), ["coverage twice"]),
        # worlds are the simulated fleet's alone, and people cannot label the same frames for every arm
        (
            lambda: config({"world_per_seed": True}, dataset=DatasetConfig(name="camvid")),
            ["compare.world_per_seed"],
        ),
        (lambda: config(label=LabelConfig(name="request")), ["label=request"]),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_done(settings, named, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        verbs.compare(replace(settings(), workspace=str(tmp_path / "c")))
    assert len(str(caught.value).splitlines()) == 1
    for word in named:
        assert word in str(caught.value)
    assert not (tmp_path / "c").exists()


def test_a_budget_of_one_frame_and_batches_that_end_early_are_fine() -> None:
    assert chains(config(mine=MineConfig(budget=Budget(amount=1)), loop={"batches": [3], "cycles": 4}))
    seconds = Budget(amount=0.5, unit=BudgetUnit.seconds)  # too little for a frame: only the data can tell
    assert chains(config(mine=MineConfig(budget=seconds)))


@pytest.mark.parametrize("verb", ["cycle", "mine", "train"])
@pytest.mark.parametrize("name", ["oracle", "oracle_errors", "all_labels"])
def test_a_ceiling_is_refused_outside_of_a_comparison(verb: str, name: str, tmp_path: Path) -> None:
    settings = tiny_config(tmp_path / "w", mine=MineConfig(name=name))
    with pytest.raises(ConfigError, match=rf"mine\.name={name} sees the truth.*dataengine compare"):
        verbs.run(verb, settings)
    assert not (tmp_path / "w").exists()
