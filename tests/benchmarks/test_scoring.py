"""What the scores of a detector cost beside its prediction of the same frames.

A small fleet with frames of the usual size, and a detector that is trained for 200 steps: it reports more
boxes than a finished one, so the scores have more to do. Views are whole passes and reported as such.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dataengine import learn, mine, pooling, verbs
from dataengine.arm import Arm
from dataengine.config import (
    ComputeConfig,
    Config,
    DatasetConfig,
    Device,
    LoopConfig,
    MineConfig,
    TrainConfig,
    WorldConfig,
)
from dataengine.cycle import run_cycle
from dataengine.mine.auto import fill_auto
from dataengine.mine.basket import Basket
from dataengine.mine.candidates import Candidates
from dataengine.mine.peers.cald import fill_cald
from dataengine.mine.peers.ppal import fill_ppal
from dataengine.mine.scores import CONSISTENCY, FLIP_CONSISTENCY, LOCALISATION, SNAPSHOT, UNCERTAINTY
from dataengine.mine.strategy import Need, Task

MOST = 0.15
"""Share of the prediction's time that a score may add."""

PICKS = 30
WORK: dict[str, Callable[[Task], object]] = {
    score.name: score.compute
    for score in (UNCERTAINTY, LOCALISATION, FLIP_CONSISTENCY, CONSISTENCY, SNAPSHOT)
}


def fill(strategy: Callable[[Task, Basket], None]) -> Callable[[Task], object]:
    def work(task: Task) -> None:
        strategy(task, Basket(task.candidates, PICKS, max_per_clip=3, duplicate_bits=4))

    return work


WORK |= {"auto": fill(fill_auto), "cald": fill(fill_cald), "ppal": fill(fill_ppal)}


def seconds(work: Callable[[], object]) -> float:
    """Processor time, which other work on the machine leaves alone."""
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Arm, mine.Pool]:
    config = Config(
        dataset=DatasetConfig(
            world=WorldConfig(pool_clips=60, val_clips=6, test_clips=4, balanced_clips=4, clips_per_drive=2)
        ),
        train=TrainConfig(steps=200),
        loop=LoopConfig(cycles=1, seed_frames=100, fiftyone=False),
        compute=ComputeConfig(device=Device.cpu, threads=1, workers=1),
        workspace=str(tmp_path_factory.mktemp("scoring") / "w"),
    )
    arm = Arm.open(verbs.ingest(config), config, "random")
    run_cycle(arm, 0)
    needs = frozenset({Need.predictions, Need.labelled, Need.val, *mine.VIEWS})
    return arm, pooling.build(arm.workspace, arm.run, config, 1, needs=needs, shut=set())


@pytest.fixture(scope="module")
def passes(started: tuple[Arm, mine.Pool]) -> dict[str, float]:
    """Seconds a frame of every look at the pool."""
    arm, pool = started
    ids = pool.frames["frame_id"].to_pylist()
    images = arm.workspace.image_paths(pool.frames)

    def look(view: str) -> float:
        start = time.process_time()
        learn.predict(
            images,
            ids,
            checkpoint=Path(arm.run.cycle(0)) / "model.safetensors",
            taxonomy=arm.workspace.taxonomy,
            model=arm.config.model,
            compute=arm.config.compute,
            view=view,
        )
        return (time.process_time() - start) / len(ids)

    return {view: min(look(view), look(view)) for view in ("", "flip", "scale")}


def test_views_are_whole_passes(passes: dict[str, float]) -> None:
    sys.stdout.write(
        f"\nprediction {1e3 * passes['']:.2f} ms a frame; mirrored {passes['flip'] / passes['']:.2f} "
        f"of that, smaller {passes['scale'] / passes['']:.2f}\n"
    )
    assert passes["flip"] < 1.3 * passes[""]
    assert passes["scale"] < passes[""]


@pytest.mark.parametrize("name", WORK)
def test_scoring_adds_little_to_prediction(
    started: tuple[Arm, mine.Pool], passes: dict[str, float], name: str
) -> None:
    _, pool = started
    assert pool.predictions is not None
    config = MineConfig(calibrate=True, class_weighted=True)

    def work() -> None:
        candidates = Candidates(pool, config.min_score)
        WORK[name](Task(candidates=candidates, config=config, rng=np.random.default_rng(0)))

    work()
    took = min(seconds(work) for _ in range(3)) / pool.frames.num_rows
    boxes, share = pool.predictions.boxes.num_boxes / pool.frames.num_rows, took / passes[""]
    sys.stdout.write(f"\n{name}: {1e3 * took:.3f} ms a frame of {boxes:.0f} boxes, {share:.1%} of a pass\n")
    assert share <= MOST
