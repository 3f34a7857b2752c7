"""The experiments that ship: they compose, they plan, and those of real datasets run on their formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import cards, resources, verbs
from dataengine.compare import plan, settings
from dataengine.errors import InputError
from tests.adapters.bdd_recordings import key_frame, label, write_json, write_key_frames
from tests.adapters.kitti_recordings import CAR, CYCLIST, write_objects
from tests.test_config import compose

NAMES = sorted(path.stem for path in (resources.folder("conf") / "experiment").glob("compare_*.yaml"))
TINY = (
    "train.steps=2",
    "train.batch_size=2",
    "model.width=16",
    "model.max_side=0",
    "evaluate.bootstrap=5",
    "loop.cycles=2",
    "loop.batches=[3]",
    "loop.seed_frames=6",
    "compare.seeds=[0]",
    "compare.noise=false",
    "compare.baseline_cycles=0",
    "compare.resamples=100",
    "compute.threads=1",
    "compute.workers=1",
)


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_composes_and_plans(name: str) -> None:
    config = compose(f"experiment={name}")
    found = plan.build(config, Path("w"))
    assert config.workspace is not None
    assert config.workspace.startswith("work/compare-")
    assert set(config.compare.seeds) == {chain.trial.seed for chain in found.chains}
    assert cards.load(config.dataset.name, config.dataset.card).taxonomy.tail_classes
    assert len(config.compare.seeds) >= 3


def test_the_peers_join_the_cells_of_the_claim() -> None:
    claim, peers = compose("experiment=compare_sim"), compose("experiment=compare_sim_peers")
    assert settings._measured(claim) == settings._measured(peers)
    assert claim.workspace == peers.workspace
    assert not set(peers.compare.arms) & set(claim.compare.arms)


def test_worlds_of_the_claims_are_apart_from_each_other_and_from_development() -> None:
    worlds = [
        [
            trial.config.dataset.world.seed
            for trial in plan.build(compose(f"experiment={name}"), Path("w")).trials
        ]
        for name in ("compare_sim", "compare_sim_harsh")
    ]
    assert worlds == [list(range(1000, 1005)), list(range(2000, 2005))]


def test_kitti_runs_on_files_of_its_format(tmp_path: Path) -> None:
    write_objects(tmp_path / "kitti", list(range(24)), CAR)
    write_objects(tmp_path / "kitti", list(range(24, 32)), CAR, CYCLIST)
    compare("compare_kitti", tmp_path)


def test_bdd100k_runs_on_files_of_its_format(tmp_path: Path) -> None:
    write_bdd(tmp_path / "bdd100k", train=24, val=6)
    compare("compare_bdd100k", tmp_path)


def test_recordings_without_labels_cannot_be_compared_on(tmp_path: Path) -> None:
    write_bdd(tmp_path / "bdd100k", train=24, val=6, labelled=False)
    with pytest.raises(InputError, match=r"no labels in the pool of .*, so no arm can buy any"):
        compare("compare_bdd100k", tmp_path)


def write_bdd(root: Path, *, train: int, val: int, labelled: bool = True) -> None:
    """Key frames of so many videos, each with a car."""
    videos = [f"{number:08x}-00000000" for number in range(train + val)]
    for split, names in (("train", videos[:train]), ("val", videos[train:])):
        write_key_frames(root, split, *names)
        if labelled:
            write_json(root / f"labels/det_20/det_{split}.json", [key_frame(name, label()) for name in names])


def compare(experiment: str, folder: Path) -> None:
    root = folder / experiment.removeprefix("compare_")
    config = compose(f"experiment={experiment}", f"dataset.root={root}", f"workspace={folder}/c", *TINY)
    found = verbs.compare(config)
    assert found.arms == ("random", "auto", "all_labels")
    assert (folder / "c" / "report" / "index.html").is_file()
