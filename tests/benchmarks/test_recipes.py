"""The script that compares recipes, on a world of a few clips and with fits of two steps."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dataengine import verbs
from dataengine.config import LoopConfig
from dataengine.errors import ConfigError
from dataengine.files import sha256
from tests.benchmarks import recipes
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes") / "w"
    verbs.cycle(tiny_config(folder, loop=LoopConfig(cycles=1, seed_frames=10, baseline=None, fiftyone=False)))
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {str(path): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_recipe_has_its_line_and_the_world_is_left_alone(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(world)
    named = [name for name in recipes.RECIPES if not name.startswith("steps")]
    asked = ["--world", str(world), "--steps", "2", "--frames", "seed", "14", "--out", str(tmp_path)]
    recipes.main([*asked, "--recipes", *named, "steps=3+flip=0.1"])
    printed = capsys.readouterr().out.splitlines()
    with (tmp_path / "recipes.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(row["frames"], row["recipe"]) for row in rows] == [
        (frames, recipe) for frames in ("seed", "14") for recipe in (*named, "steps=3+flip=0.1")
    ]
    assert len(printed) == 1 + len(rows)
    assert {row["steps"] for row in rows} == {"2", "3"}
    assert digests(world) == before
    recipes.main([*asked, "--recipes", *named])
    assert capsys.readouterr().out == ""  # every line is there


def test_settings_that_do_not_exist_are_named(world: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe 'stepz=3': train\.stepz is no setting"):
        recipes.main(["--world", str(world), "--recipes", "stepz=3", "--out", str(tmp_path)])
