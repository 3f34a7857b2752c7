"""Arms that train on pseudo-labels besides: what they buy, what they see, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataengine import cycle, learn, verbs
from dataengine.arm import identity
from dataengine.config import Config, LoopConfig, MineConfig, TrainConfig
from dataengine.errors import ConfigError
from dataengine.files import sha256
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import Lake, read_parquet
from dataengine.schema import POOL
from dataengine.workspace import Run, Workspace
from tests.tiny import tiny_config

BOX = (10.0, 10.0, 40.0, 50.0)


def predict_a_truck(images: Sequence[Path], frame_ids: Sequence[str], **_: Any) -> Predictions:
    """A model that is sure of one truck in the even frames, unsure in the odd ones, and sees nothing else."""
    score = np.where(np.arange(len(frame_ids)) % 2 == 0, 0.9, 0.4)
    scores = np.zeros((len(frame_ids), 5), np.float32)
    scores[:, 1] = score
    ones = [1] * len(frame_ids)
    return Predictions(
        boxes=FrameBoxes.build(frame_ids, ones, [BOX] * len(frame_ids), ones, score=score),
        class_scores=scores,
        embeddings=np.ones((len(frame_ids), 4), np.float32),
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    config = tiny_config(
        tmp_path_factory.mktemp("pseudo") / "w",
        mine=MineConfig(name="random+pseudo", budget=tiny_config(Path()).mine.budget),
        loop=LoopConfig(cycles=3, seed_frames=10, baseline="random", fiftyone=False),
        train=TrainConfig(steps=4, batch_size=4, pseudo_score=0.7),
    )
    asked: list[str] = []
    original = Lake.truth

    def truth(self: Lake, frame_ids: Sequence[str]) -> FrameBoxes:
        asked.extend(frame_ids)
        return original(self, frame_ids)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learn, "predict", predict_a_truck, raising=False)
        patched.setattr(Lake, "truth", truth)
        runs = verbs.cycle(config)
    return Workspace.open(Path(config.workspace or "")), config, runs, set(asked)


def boxes(run: Run, number: int, name: str) -> FrameBoxes:
    return FrameBoxes.from_table(read_parquet(run.cycle(number) / f"{name}.parquet"))


def test_it_buys_and_pays_what_the_miner_alone_does(finished: Any) -> None:
    _, _, (plain, pseudo), _ = finished
    assert (plain.arm, pseudo.arm) == ("random", "random+pseudo")
    for number in (0, 1, 2):
        for name in ("selection.parquet", "labels.parquet", "cost.json"):
            one, other = (run.cycle(number) / name for run in (plain, pseudo))
            assert one.read_bytes() == other.read_bytes()
        steps = [json.loads((run.cycle(number) / "fit.json").read_text())["steps"] for run in (plain, pseudo)]
        assert steps == [4, 4]


def test_the_first_cycle_is_shared_and_the_others_are_not(finished: Any) -> None:
    _, _, (plain, pseudo), _ = finished
    same = [
        sha256(plain.cycle(n) / "model.safetensors") == sha256(pseudo.cycle(n) / "model.safetensors")
        for n in (0, 1, 2)
    ]
    assert same == [True, False, False]
    assert not list(plain.folder.glob("cycles/*/pseudo.parquet"))
    assert [path.parent.name for path in sorted(pseudo.folder.glob("cycles/*/pseudo.parquet"))] == ["1", "2"]


def test_pseudo_labelled_frames_are_of_the_pool_and_never_labelled_ones(finished: Any) -> None:
    workspace, _, (_, pseudo), _ = finished
    pool = set(workspace.frames(POOL)["frame_id"].to_pylist())
    for number in (1, 2):
        found, bought = boxes(pseudo, number, "pseudo"), boxes(pseudo, number, "labels")
        assert found.num_frames > 5
        assert set(found.frame_ids) <= pool
        assert not set(found.frame_ids) & set(bought.frame_ids)
        sure = boxes(pseudo, number - 1, "predictions").select(found.frame_ids)
        assert (sure.score > 0.8).all()  # the odd frames hold nothing sure
        assert found.class_id.tolist() == [1] * found.num_frames
        assert not found.ignore.any()


def test_the_truth_of_frames_that_nobody_bought_is_not_read(finished: Any) -> None:
    workspace, _, runs, asked = finished
    pool = set(workspace.frames(POOL)["frame_id"].to_pylist())
    bought = {frame_id for run in runs for frame_id in boxes(run, 2, "labels").frame_ids}
    assert asked & pool <= bought


def test_the_file_of_pseudo_labels_is_in_the_journal(finished: Any) -> None:
    _, _, (plain, pseudo), _ = finished
    entry = pseudo.entry(1, "train")
    assert entry is not None
    assert "cycles/1/pseudo.parquet" in entry["files"]
    assert entry["files"].keys() - plain.entry(1, "train")["files"].keys() == {"cycles/1/pseudo.parquet"}


def test_an_unknown_miner_with_pseudo_labels_is_named(finished: Any) -> None:
    workspace, config, _, _ = finished
    with pytest.raises(ConfigError, match=r"mine\.name=rondom is not an arm: did you mean random"):
        cycle.run(workspace, replace(config, mine=MineConfig(name="rondom+pseudo")))


def test_settings_of_later_fits_leave_the_first_cycle_shared(finished: Any) -> None:
    workspace, config, _, _ = finished

    def digests(**changes: Any) -> tuple[str, str]:
        return identity(workspace, replace(config, train=replace(config.train, **changes)))

    run, start = identity(workspace, config)
    for changes in ({"start": "finetune"}, {"shrink": 0.5}, {"pseudo_score": 0.6}, {"pseudo_share": 0.1}):
        assert digests(**changes)[0] != run
        assert digests(**changes)[1] == start
    for changes in ({"copy_paste": 0.5}, {"class_weight": "balanced"}, {"steps": 5}):
        assert digests(**changes)[0] != run
        assert digests(**changes)[1] != start


def test_finetuning_hands_on_the_weights_of_the_cycle_before(
    finished: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, config, (plain, _), _ = finished
    given: list[Path | None] = []
    original = learn.fit

    def fit(*arguments: Any, previous: Path | None, **more: Any) -> Any:
        given.append(previous)
        return original(*arguments, previous=previous, **more)

    monkeypatch.setattr(learn, "fit", fit, raising=False)
    monkeypatch.setattr(learn, "predict", predict_a_truck, raising=False)
    tuned: Config = replace(
        config,
        mine=replace(config.mine, name="random"),
        train=replace(config.train, start="finetune"),
    )
    (run,) = cycle.run(workspace, tuned)
    assert given == [run.cycle(0) / "model.safetensors", run.cycle(1) / "model.safetensors"]
    assert sha256(run.cycle(0) / "model.safetensors") == sha256(plain.cycle(0) / "model.safetensors")
    assert sha256(run.cycle(1) / "model.safetensors") != sha256(plain.cycle(1) / "model.safetensors")
