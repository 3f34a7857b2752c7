"""Every composed config is valid, every field is documented, and every bound is enforced."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from dataengine import config, resources
from dataengine.config import Config, MineConfig, TrainConfig, WorldConfig
from dataengine.errors import ConfigError

GROUPS = (
    "dataset",
    "model",
    "mine",
    "label",
    "loop",
    "compute",
    "experiment",
    "curate",
    "compare",
    "train",
    "evaluate",
    "app",
)


def compose(*overrides: str) -> Config:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    ConfigStore.instance().store(name="schema", node=Config)
    with initialize_config_dir(str(resources.folder("conf")), version_base="1.3"):
        composed = OmegaConf.to_object(hydra_compose("config", list(overrides)))
    assert isinstance(composed, Config)
    return composed


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_every_group_composes(group: str) -> None:
    options = sorted(path.stem for path in (resources.folder("conf") / group).glob("*.yaml"))
    assert options, f"conf/{group} is empty"
    for option in options:
        composed = compose(f"{group}={option}")
        if group in {"dataset", "model", "mine", "label"}:
            assert getattr(composed, group).name == option


def test_the_default_composition_is_the_default_of_the_records() -> None:
    assert compose() == Config()


def test_smoke_wins_over_a_dataset_that_brings_its_own_budget() -> None:
    composed = compose("dataset=camvid", "experiment=smoke")
    assert (composed.dataset.name, composed.train.steps, composed.mine.budget.amount) == ("camvid", 20, 16)


OUT_OF_RANGE = [
    # record, field, value
    (TrainConfig, "steps", 0),
    (TrainConfig, "learning_rate", 0),
    (TrainConfig, "flip", 1.5),
    (TrainConfig, "start", "warm"),
    (TrainConfig, "class_weight", "focal"),
    (TrainConfig, "copy_paste", 1.5),
    (TrainConfig, "shrink", -0.1),
    (TrainConfig, "pseudo_share", 1),
    (MineConfig, "quota_share", -0.1),
    (MineConfig, "aggregate", "median"),
    (config.Budget, "amount", -1),
    (config.LoopConfig, "cycles", 0),
    (config.AppConfig, "port", 70_000),
    (WorldConfig, "width", 321),
    (WorldConfig, "weather_rates", {"clear": 0.5}),
    (WorldConfig, "tail_clip_rates", {"truck": 1.5}),
    (config.IngestConfig, "jpeg_quality", 101),
]


@pytest.mark.parametrize(("record", "name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_names_the_setting(record: type, name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=name.partition("_")[0]):
        record(**{name: value})


def test_every_field_is_documented() -> None:
    tree = ast.parse(Path(config.__file__).read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Config") and node.name != "Config":
            for item, after in zip(node.body, [*node.body[1:], None], strict=True):
                if isinstance(item, ast.AnnAssign):
                    documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    assert documented, f"{node.name}.{ast.unparse(item.target)} has no text below it"


def test_plain_holds_only_json_values() -> None:
    import json

    plain = Config().plain()
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain) == {item.name for item in dataclasses.fields(Config)}
