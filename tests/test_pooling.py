"""The pool as miners see it, with the files of a real, tiny cycle 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dataengine import learn, mine, pooling, verbs
from dataengine.arm import Arm
from dataengine.config import Config
from dataengine.cycle import run_cycle
from dataengine.errors import InputError
from dataengine.lake import read_parquet
from dataengine.mine import Need
from dataengine.stages import RUNNERS
from tests.tiny import tiny_config


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Arm]:
    """An arm that has finished cycle 0."""
    config = tiny_config(tmp_path_factory.mktemp("work") / "w")
    arm = Arm.open(verbs.ingest(config), config, "random")
    run_cycle(arm, 0)
    return config, arm


def build(arm: Arm, *needs: Need, shut: set[str] | None = None) -> mine.Pool:
    needed = frozenset({Need.predictions, *needs})
    return pooling.build(arm.workspace, arm.run, arm.config, 1, needs=needed, shut=shut or set())


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Every pass of a detector: its weights, the view and the number of frames."""
    seen: list[tuple[str, str, int]] = []
    real = learn.predict

    def predict(images: Any, frame_ids: Any, **settings: Any) -> Any:
        seen.append((settings["checkpoint"].stem, settings.get("view", ""), len(frame_ids)))
        return real(images, frame_ids, **settings)

    monkeypatch.setattr(learn, "predict", predict, raising=False)
    return seen


def test_only_what_is_needed_is_gathered(started: tuple[Config, Arm], passes: list) -> None:
    pool = build(started[1])
    assert pool.labelled is None
    assert pool.val is None
    assert pool.views == {}
    assert passes == []
    assert pool.frames.num_rows == 12 * 4 - 10


def test_labelled_frames_and_val(started: tuple[Config, Arm]) -> None:
    pool = build(started[1], Need.labelled, Need.val)
    assert pool.labelled is not None
    assert pool.val is not None
    for known, number in ((pool.labelled, 10), (pool.val, 4 * 4)):
        ids = known.frames["frame_id"].to_pylist()
        assert len(ids) == number
        assert ids == known.truth.frame_ids.tolist() == known.predictions.boxes.frame_ids.tolist()


def test_views_are_computed_once_for_each_model(started: tuple[Config, Arm], passes: list) -> None:
    _, arm = started
    first = build(arm, *mine.VIEWS)
    number = first.frames.num_rows
    assert sorted(passes) == [("model", "flip", number), ("model", "scale", number), ("snapshot", "", number)]
    assert set(first.views) == {"flip", "scale", "snapshot"}
    passes.clear()
    again = build(arm, *mine.VIEWS, shut={first.frames["frame_id"][0].as_py()})
    assert passes == []
    assert first.predictions is not None
    for name, view in first.views.items():
        np.testing.assert_array_equal(view.class_scores, again.views[name].class_scores)
        assert view.boxes.frame_ids.tolist() == first.frames["frame_id"].to_pylist()
        assert not np.array_equal(view.embeddings, first.predictions.embeddings)


def test_views_of_other_weights_or_fewer_frames_are_computed_again(
    started: tuple[Config, Arm], passes: list
) -> None:
    _, arm = started
    path = arm.run.cycle(0) / "predictions-flip.parquet"
    path.unlink(missing_ok=True)
    some = set(build(arm).frames["frame_id"].to_pylist()[:3])
    build(arm, Need.flip, shut=some)
    build(arm, Need.flip)  # three frames more
    assert len(passes) == 2
    model = arm.run.cycle(0) / "model.safetensors"
    content = model.read_bytes()
    try:
        model.write_bytes((arm.run.cycle(0) / "snapshot.safetensors").read_bytes())
        build(arm, Need.flip)
    finally:
        model.write_bytes(content)
    assert len(passes) == 3
    path.write_bytes(b"cut short")
    build(arm, Need.flip)
    assert len(passes) == 4


def test_a_cycle_without_a_snapshot(started: tuple[Config, Arm]) -> None:
    _, arm = started
    path = arm.run.cycle(0) / "snapshot.safetensors"
    (arm.run.cycle(0) / "predictions-snapshot.parquet").unlink(missing_ok=True)
    moved = path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(InputError, match=r"snapshot\.safetensors is missing.*another seed"):
            build(arm, Need.snapshot)
    finally:
        moved.rename(path)


def test_arms_that_share_a_model_share_its_views(started: tuple[Config, Arm], passes: list) -> None:
    config, first = started
    build(first, Need.flip)
    other = Arm.open(first.workspace, config, "coverage")
    run_cycle(other, 0)
    passes.clear()
    shared = build(other, Need.flip)
    assert passes == []
    assert shared.views["flip"].boxes.frame_ids.tolist() == shared.frames["frame_id"].to_pylist()


@pytest.mark.parametrize(
    "name", ["localisation", "flip_consistency", "snapshot", "cald", "ppal", "uncertainty"]
)
def test_arms_with_every_need_choose_in_a_real_cycle(started: tuple[Config, Arm], name: str) -> None:
    config, first = started
    mining = replace(config.mine, name=name, calibrate=True)
    arm = Arm.open(first.workspace, replace(config, mine=mining), name)
    run_cycle(arm, 0)  # shared with the first
    assert (arm.run.cycle(0) / "snapshot.safetensors").read_bytes() == (
        first.run.cycle(0) / "snapshot.safetensors"
    ).read_bytes()
    RUNNERS["mine"](arm, 1)
    chosen = read_parquet(arm.run.cycle(1) / "candidates.parquet")
    assert chosen.num_rows == config.mine.budget.amount
