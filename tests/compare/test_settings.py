"""What a comparison remembers of the commands that made it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataengine.compare import settings
from dataengine.config import (
    Budget,
    BudgetUnit,
    CompareConfig,
    ComputeConfig,
    Config,
    DatasetConfig,
    Device,
    MineConfig,
    PartConfig,
    TrainConfig,
)
from dataengine.errors import ConfigError, WorkspaceError


def test_settings_come_back_as_they_went() -> None:
    config = Config(
        seed=4,
        compute=ComputeConfig(device=Device.cpu),
        mine=MineConfig(budget=Budget(amount=3.5, unit=BudgetUnit.seconds)),
        dataset=DatasetConfig(name="mixed", parts=[PartConfig(name="kitti", root="r")], splits={}),
    )
    assert Config.from_plain(config.plain()) == config
    assert Config.from_plain({}) == Config()


def test_settings_of_another_version_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="TrainConfig has no stepz"):
        Config.from_plain({"train": {"stepz": 3}})
    with pytest.raises(ConfigError, match=r"train\.steps"):
        Config.from_plain({"train": {"steps": 0}})


def compared(**changes: object) -> Config:
    return Config(compare=CompareConfig(**changes))  # type: ignore[arg-type]


def test_arms_and_seeds_of_later_commands_join(tmp_path: Path) -> None:
    settings.remember(tmp_path, compared(arms=["auto", "oracle"], seeds=[0, 1], baseline_cycles=4))
    later = replace(compared(arms=["coverage", "auto"], seeds=[1, 2], noise=False), workspace="elsewhere")
    together = settings.remember(tmp_path, later)
    assert together.compare.arms == ["auto", "oracle", "coverage"]
    assert together.compare.seeds == [0, 1, 2]
    assert together.compare.baseline_cycles == 4
    assert together.compare.noise
    assert settings.recall(tmp_path) == together


@pytest.mark.parametrize(
    "other",
    [
        replace(compared(arms=["coverage"]), train=TrainConfig(steps=7)),
        replace(compared(arms=["coverage"]), mine=MineConfig(quota_power=1)),
        compared(arms=["coverage"], baseline="random_clips"),
        compared(arms=["coverage"], world_per_seed=True),
        compared(arms=["coverage"], full_steps=2),
    ],
)
def test_other_settings_begin_anew(other: Config, tmp_path: Path) -> None:
    settings.remember(tmp_path, compared(arms=["auto"]))
    assert settings.remember(tmp_path, other).compare.arms == ["coverage"]


@pytest.mark.parametrize(
    "content",
    ["{", '{"train": {"stepz": 1}}', '{"compute": {"device": "abacus"}}', '{"train": {"steps": 0}}', "[]"],
)
def test_damage_is_one_line_for_a_report_and_no_hindrance_for_a_run(content: str, tmp_path: Path) -> None:
    (tmp_path / settings.NAME).write_text(content)
    with pytest.raises(WorkspaceError, match=r"compare\.json cannot be read"):
        settings.recall(tmp_path)
    assert settings.remember(tmp_path, compared(arms=["auto"])).compare.arms == ["auto"]
    assert settings.recall(tmp_path).compare.arms == ["auto"]
