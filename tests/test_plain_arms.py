"""Arms that are trained without favouring any class: what they share with the miner alone, and what not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataengine import cycle, verbs
from dataengine.arm import Arm
from dataengine.config import MineConfig, TrainConfig
from dataengine.files import sha256
from dataengine.workspace import Workspace
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> list[Arm]:
    config = tiny_config(
        tmp_path_factory.mktemp("plain") / "w",
        train=TrainConfig(steps=4, batch_size=4, repeat_threshold=1.0, class_weight="balanced"),
    )
    config = replace(
        config,
        mine=MineConfig(name="random+plain", budget=config.mine.budget),
        loop=replace(config.loop, cycles=2, baseline="random", fiftyone=False),
    )
    workspace = verbs.ingest(config)
    runs = cycle.run(workspace, config)
    assert [run.arm for run in runs] == ["random", "random+plain"]
    return [Arm.open(Workspace.open(workspace.root), config, run.arm) for run in runs]


def test_the_first_fit_is_shared_and_later_ones_favour_nothing(arms: list[Arm]) -> None:
    usual, plain = arms
    assert plain.train(0) == usual.train(0) == usual.train(1)
    assert (plain.train(1).repeat_threshold, plain.train(1).class_weight) == (0, "none")
    assert plain.train(1).steps == usual.train(1).steps
    weights = [[sha256(arm.run.cycle(n) / "model.safetensors") for n in (0, 1)] for arm in arms]
    assert weights[0][0] == weights[1][0]
    assert weights[0][1] != weights[1][1]


def test_they_buy_the_same_frames(arms: list[Arm]) -> None:
    for name in ("selection.parquet", "labels.parquet", "cost.json"):
        one, other = (arm.run.cycle(1) / name for arm in arms)
        assert one.read_bytes() == other.read_bytes()
